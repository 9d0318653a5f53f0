"""What a shift hands over, and how well a week went."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from civicbrain.api.door.identity import Identity
from civicbrain.api.models import cases as models
from civicbrain.api.problems import ProblemError
from civicbrain.api.routes.cases import order
from civicbrain.api.services import Services
from civicbrain.api.views import told
from civicbrain.city.intake import SourcePage
from civicbrain.city.shifts import Handover, Quality, Signature, SignedNote
from civicbrain.contracts.wire import BrainCommand
from civicbrain.runtime.cases.handover import with_state
from civicbrain.runtime.cases.note_text import as_text

_MOST_SILENT, _HIGHEST = 200, 2**53 - 1
Hours = Annotated[float, Parameter(gt=0, le=168, description="how far back the shift goes")]


HandoverId = Annotated[int, Parameter(ge=1, le=_HIGHEST, description="number of the handover")]


def handlers(services: Services) -> list[HTTPRouteHandler]:
    link = services.link

    async def note(hours: float) -> Handover:
        found = told(await link.ask_cases(BrainCommand("handover", body={"hours": hours})), Handover)
        if link.state is None or link.brain_away:
            return found
        silent: list[str] = []
        if link.state.intake is not None:
            try:
                asked = BrainCommand("sources", text="silent", limit=_MOST_SILENT)
                page = msgspec.convert(await link.command(asked), SourcePage, strict=False)
                silent = [source.id for source in page.sources]
            except (ProblemError, msgspec.ValidationError):
                silent = ["(the brain process did not say)"]
        return with_state(found, services.city, link.state, silent)

    @get("/v1/handover", tags=["cases"], summary="What the next shift must know")
    async def get_handover(hours: Hours = 8.0) -> Handover:
        return await note(hours)

    @get(
        "/v1/handover/text",
        tags=["cases"],
        summary="The same, to read or print",
        responses={200: ResponseSpec(str, False, media_type="text/plain", description="the note")},
    )
    async def get_handover_text(hours: Hours = 8.0) -> Response[str]:
        return Response(as_text(await note(hours), services.city), media_type="text/plain; charset=utf-8")

    @post("/v1/handovers", tags=["cases"], summary="Sign the shift over to the next", status_code=201)
    async def sign_shift(data: models.ShiftOrder, who: Identity) -> Signature:
        found = await note(data.hours)
        command = order(who, "sign-shift", data)
        remark = command.body.pop("remark")
        given = f"{who.actor} hands this shift over to {data.to}{f': {remark}' if remark else '.'}"
        command.body.update(
            text=as_text(found, services.city, given), record=msgspec.json.encode(found).decode(),
            note=remark, since_s=found.since.timestamp(), until_s=found.until.timestamp(),
        )  # fmt: skip
        return told(await link.ask_cases(command), Signature)

    @get("/v1/handovers", tags=["cases"], summary="Shifts that were handed over, the newest first")
    async def list_shifts(
        limit: Annotated[int, Parameter(ge=1, le=1000, description="at most so many")] = 20,
    ) -> list[Signature]:
        return told(await link.ask_cases(BrainCommand("signatures", limit=limit)), list[Signature])

    @get("/v1/handovers/{handover:int}", tags=["cases"], summary="One, with the note as it was signed")
    async def get_shift(handover: HandoverId) -> SignedNote:
        return told(await link.ask_cases(BrainCommand("signature", text=str(handover))), SignedNote)

    @post(
        "/v1/handovers/{handover:int}/acceptance",
        tags=["cases"],
        summary="Take the shift",
        status_code=200,
    )
    async def take_shift(handover: HandoverId, data: models.ShiftTaking, who: Identity) -> Signature:
        return told(await link.ask_cases(order(who, "take-shift", data, str(handover))), Signature)

    @get("/v1/quality", tags=["cases"], summary="A week in figures")
    async def get_quality(
        week: Annotated[
            str | None,
            Parameter(pattern=r"^20[0-9]{2}-W(0[1-9]|[1-4][0-9]|5[0-3])$", description="2026-W03 [this one]"),
        ] = None,
    ) -> Quality:
        return told(await link.ask_cases(BrainCommand("quality", body={"week": week or ""})), Quality)

    return [get_handover, get_handover_text, sign_shift, list_shifts, get_shift, take_shift, get_quality]
