"""Field cameras: what they send, and how each of them does."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import unquote_to_bytes

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from civicbrain.api.contract import OWN_BODY
from civicbrain.api.door.access import OBSERVATIONS
from civicbrain.api.door.identity import PUBLIC
from civicbrain.api.link import unavailable
from civicbrain.api.models import sources as field_models
from civicbrain.api.problems import ProblemError
from civicbrain.api.services import Services
from civicbrain.api.views import told
from civicbrain.city.intake import Receipt
from civicbrain.contracts import wire

MEDIA_TYPES = ("application/json", "application/msgpack")
_STATUS_OF_REASON = {"too-large": 413, "unauthenticated": 401}
_MOST = 1000
_HIGHEST = 2**53 - 1
_ABOUT = (
    "One frame of one camera as JSON, a list of them, or many frames as msgpack columns. The key, the shared "
    "token or the source's own, is sent as `Authorization: Bearer KEY`; it is not the operator's token. 202: "
    "queued; bad rows inside are dropped and counted under /v1/sources."
)


def handlers(services: Services) -> list[HTTPRouteHandler]:
    link, forwarder = services.link, services.forwarder

    @post(
        OBSERVATIONS, tags=["sources"], summary="Observations of field cameras", description=_ABOUT,
        status_code=202, opt={OWN_BODY: MEDIA_TYPES}, needs=PUBLIC,
    )  # fmt: skip
    async def post_observations(request: Request[Any, Any, Any]) -> field_models.ReceiptView:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise _no_key("send the key as `Authorization: Bearer KEY`")
        if link.state is None or link.brain_away:
            raise unavailable("the brain process does not answer")
        if link.state.intake is None:
            raise ProblemError(503, "no entry for field cameras is open; set enabled = true under [intake]",
                               headers={"Retry-After": "60"})  # fmt: skip
        receipt = await forwarder.forward(key.strip(), await request.body())
        _require_taken(receipt)
        return field_models.ReceiptView(receipt.frames, receipt.rows, receipt.unknown)

    @get("/v1/intake", tags=["sources"], summary="How the entry of field cameras does", sync_to_thread=False)
    def get_intake() -> field_models.IntakeSummary:
        if link.state is None or link.brain_away:
            raise unavailable("the brain process does not answer")
        if link.state.intake is None:
            raise ProblemError(404, "no entry for field cameras is open; set enabled = true under [intake]")
        return link.state.intake

    @get("/v1/sources", tags=["sources"], summary="Field cameras, a page at a time")
    async def list_sources(
        only: Annotated[
            Literal["all", "silent", "dropping"],
            Parameter(description="silent: no frame in 10 s; dropping: something was dropped or shed"),
        ] = "all",
        offset: Annotated[int, Parameter(ge=0, le=_HIGHEST, description="sources to pass over")] = 0,
        limit: Annotated[int, Parameter(ge=1, le=_MOST, description="at most so many")] = 100,
    ) -> field_models.SourcePageView:
        command = wire.BrainCommand("sources", text=only, offset=offset, limit=limit)
        page = await link.command(command)
        if isinstance(page, dict):
            page = {**page, "offset": offset, "limit": limit}
        return told(page, field_models.SourcePageView)

    @get("/v1/sources/{source:str}", tags=["sources"], summary="One field camera, with the lanes it sees")
    async def get_source(
        source: Annotated[str, Parameter(description="id of the source; `/` in it as %2F")],
    ) -> field_models.SourceStatus:
        command = wire.BrainCommand("source", text=_decoded(source))
        return told(await link.command(command), field_models.SourceStatus)

    return [post_observations, get_intake, list_sources, get_source]


def _require_taken(receipt: Receipt) -> None:
    if receipt.reason == "unauthenticated":
        raise _no_key(receipt.error)
    if receipt.error:
        raise ProblemError(_STATUS_OF_REASON.get(receipt.reason, 400), f"{receipt.reason}: {receipt.error}")
    if receipt.unknown and not receipt.frames:
        raise ProblemError(404, "the city has no such source; GET /v1/sources lists them")


def _no_key(detail: str) -> ProblemError:
    return ProblemError(401, detail, headers={"WWW-Authenticate": 'Bearer realm="civicbrain intake"'})


def _decoded(segment: str) -> str:
    try:
        name = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise ProblemError(404, "no such source: the id is not UTF-8") from None
    if len(name) > 200 or not name.isprintable():
        raise ProblemError(404, "no such source; GET /v1/sources lists them")
    return name
