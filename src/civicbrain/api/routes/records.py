"""What happened: alerts (also as a stream) and the ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter
from litestar.response import Stream

from civicbrain.api.models import city as models
from civicbrain.api.services import Services
from civicbrain.api.views import told
from civicbrain.contracts import wire
from civicbrain.runtime.login import Role

EVENT_STREAM = "text/event-stream"
_MOST = 1000
_VERIFY_TIMEOUT_S = 60.0  # reads the whole ledger
_HIGHEST = 2**53 - 1  # the greatest whole number that JSON readers agree on

_ABOUT_STREAM = (
    "Each event is `alert`, an Alert as JSON, or `cases`, how the cases process does (as in `/v1/health`), "
    "told each second and soon after a change. A client that asks for `text/event-stream` by name in Accept, "
    "as EventSource does, is kept up to date for good, with a comment every 15 s; another gets the alerts "
    "that are buffered, and the stream ends."
)


def handlers(services: Services) -> list[HTTPRouteHandler]:
    link, alerts = services.link, services.alerts

    @get("/v1/alerts", tags=["alerts"], summary="Alerts, newest first")
    async def list_alerts(
        limit: Annotated[int, Parameter(ge=1, le=_MOST, description="at most so many")] = 100,
    ) -> list[models.AlertView]:
        return told(await link.command(wire.BrainCommand("alerts", limit=limit)), list[models.AlertView])

    @get(
        "/v1/alerts/stream",
        tags=["alerts"],
        summary="Alerts as server-sent events",
        description=_ABOUT_STREAM,
        responses={200: ResponseSpec(str, False, media_type=EVENT_STREAM, description="events")},
        sync_to_thread=False,
    )
    def stream_alerts(
        request: Request[Any, Any, Any],
        last_event_id: Annotated[
            str, Parameter(header="Last-Event-ID", description="go on after this event")
        ] = "",
    ) -> Stream:
        position = alerts.position(last_event_id)
        if EVENT_STREAM in request.headers.get("accept", ""):
            alerts.require_room()
            content = alerts.follow(position)
        else:
            content = _once(alerts.events_after(position)[0])
        return Stream(content, media_type=EVENT_STREAM, headers={"cache-control": "no-store"})

    @get(
        "/v1/ledger",
        tags=["ledger"],
        summary="The append-only record, a page at a time",
        needs=Role.OPERATOR,
    )
    async def get_ledger(
        offset: Annotated[int, Parameter(ge=0, le=_HIGHEST, description="entries to pass over")] = 0,
        limit: Annotated[int, Parameter(ge=1, le=_MOST, description="at most so many")] = 100,
    ) -> models.LedgerPage:
        answer = await link.command(wire.BrainCommand("ledger", offset=offset, limit=limit))
        if isinstance(answer, dict):
            answer = {**answer, "offset": offset, "limit": limit}
        return told(answer, models.LedgerPage)

    @get(
        "/v1/ledger/verification",
        tags=["ledger"],
        summary="The ledger's hash chain, checked now",
        needs=Role.OPERATOR,
    )
    async def verify_ledger() -> models.LedgerVerification:
        return told(
            await link.command(wire.BrainCommand("verify"), _VERIFY_TIMEOUT_S), models.LedgerVerification
        )

    return [list_alerts, stream_alerts, get_ledger, verify_ledger]


async def _once(events: bytes) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    if events:
        yield events
