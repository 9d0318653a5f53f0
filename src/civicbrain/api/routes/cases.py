"""Cases: listed, worked on, closed; and the procedures they follow."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
from litestar import get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from civicbrain.api.door.identity import Identity
from civicbrain.api.models import cases as models
from civicbrain.api.problems import ProblemError
from civicbrain.api.services import Services
from civicbrain.api.views import told
from civicbrain.city.cases import CaseFile, CaseState, CaseSummary, Evidence
from civicbrain.city.incidents import IncidentKind
from civicbrain.contracts.wire import BrainCommand

MOST, HIGHEST = 1000, 2**53 - 1
CaseId = Annotated[str, Parameter(description="id of the case, e.g. case-17")]
Offset = Annotated[int, Parameter(ge=0, le=HIGHEST, description="to pass over")]
Limit = Annotated[int, Parameter(ge=1, le=MOST, description="at most so many")]


def handlers(services: Services) -> list[HTTPRouteHandler]:
    link = services.link

    async def change(who: Identity, action: str, case: str, data: msgspec.Struct, **more: Any) -> CaseSummary:
        return told(await link.ask_cases(order(who, action, data, _name(case), **more)), CaseSummary)

    @get("/v1/cases", tags=["cases"], summary="Cases, the most urgent open ones first")
    async def list_cases(
        in_state: Annotated[CaseState | None, Parameter(description="only those in it")] = None,
        kind: Annotated[IncidentKind | None, Parameter(description="only of that kind")] = None,
        open: Annotated[bool, Parameter(description="only those not closed")] = False,
        offset: Offset = 0,
        limit: Limit = 100,
    ) -> models.CasePage:
        body = {"state": in_state or "", "kind": kind or "", "open": open}
        command = BrainCommand("cases", body=body, offset=offset, limit=limit)
        return told(await link.ask_cases(command), models.CasePage)

    @post("/v1/cases", tags=["cases"], summary="Open a case by hand", status_code=201)
    async def open_case(data: models.CaseOrder, who: Identity) -> CaseSummary:
        return told(await link.ask_cases(order(who, "open", data)), CaseSummary)

    @get("/v1/cases/{case:str}", tags=["cases"], summary="One case, its steps and its history")
    async def get_case(case: CaseId) -> CaseFile:
        return told(await link.ask_cases(BrainCommand("case", text=_name(case))), CaseFile)

    @post(
        "/v1/cases/{case:str}/moves",
        tags=["cases"],
        summary="Bring a case on, close or reopen it",
        status_code=200,
    )
    async def move_case(case: CaseId, data: models.CaseMove, who: Identity) -> CaseSummary:
        return await change(who, "move", case, data)

    @put("/v1/cases/{case:str}/assignment", tags=["cases"], summary="Say who is to go")
    async def assign_case(case: CaseId, data: models.CaseGiven, who: Identity) -> CaseSummary:
        return await change(who, "assign", case, data)

    @put("/v1/cases/{case:str}/holder", tags=["cases"], summary="Hand a case over")
    async def hand_over_case(case: CaseId, data: models.CaseGiven, who: Identity) -> CaseSummary:
        return await change(who, "hand-over", case, data)

    @put("/v1/cases/{case:str}/urgency", tags=["cases"], summary="Make a case more or less urgent")
    async def set_urgency(case: CaseId, data: models.CaseUrgency, who: Identity) -> CaseSummary:
        return await change(who, "urgency", case, data)

    @post("/v1/cases/{case:str}/notes", tags=["cases"], summary="Write something down", status_code=201)
    async def add_note(case: CaseId, data: models.CaseNote, who: Identity) -> CaseSummary:
        return await change(who, "note", case, data)

    @put("/v1/cases/{case:str}/steps/{step:str}", tags=["cases"], summary="A step is done, or left out")
    async def change_step(
        case: CaseId,
        step: Annotated[str, Parameter(description="id of the step")],
        data: models.StepChange,
        who: Identity,
    ) -> CaseSummary:
        return await change(who, "step", case, data, step=unquote(step, errors="replace")[:80])

    @post("/v1/cases/{case:str}/merger", tags=["cases"], summary="Two cases are one", status_code=200)
    async def merge_case(case: CaseId, data: models.CaseMerge, who: Identity) -> CaseSummary:
        return await change(who, "merge", case, data)

    @post("/v1/cases/{case:str}/notices", tags=["cases"], summary="Tell somebody about it", status_code=202)
    async def notify(case: CaseId, data: models.CaseNotice, who: Identity) -> CaseSummary:
        return await change(who, "notify", case, data)

    @post(
        "/v1/cases/{case:str}/what-ifs",
        tags=["cases"],
        summary="A what-if was asked about it",
        description="Where its procedure proposed one, that is decided by it.",
        status_code=201,
    )
    async def link_what_if(case: CaseId, data: models.WhatIfOrder, who: Identity) -> CaseSummary:
        return await change(who, "what-if", case, data)

    @post(
        "/v1/cases/{case:str}/evidence",
        tags=["cases"],
        summary="What speaks for it: words and sensors",
        description="Whoever asks stands in the ledger, with the reason, before they are answered.",
        status_code=200,
    )
    async def get_evidence(case: CaseId, data: models.EvidenceOrder, who: Identity) -> Evidence:
        services.log_in.store.record(who.actor, "evidence-read", case=_name(case), reason=data.reason)
        return told(await link.ask_cases(order(who, "evidence", data, _name(case))), Evidence)

    @get("/v1/procedures", tags=["cases"], summary="The procedure of each kind of incident")
    async def list_procedures() -> list[models.ProcedureView]:
        found = await link.ask_cases(BrainCommand("procedures"))
        views = [
            {"kind": one.pop("kind"), "title": one.pop("title"), "digest": one.pop("digest"), "rules": one}
            for one in told(found, list[dict[str, Any]])
        ]
        return told(views, list[models.ProcedureView])

    @get("/v1/recipients", tags=["notices"], summary="Who can be told about a case")
    async def list_recipients() -> list[str]:
        return told(await link.ask_cases(BrainCommand("recipients")), list[str])

    return [
        list_cases, open_case, get_case, move_case, assign_case, hand_over_case, set_urgency, add_note,
        change_step, merge_case, notify, link_what_if, get_evidence, list_procedures, list_recipients,
    ]  # fmt: skip


def order(who: Identity, action: str, data: msgspec.Struct, text: str = "", **more: Any) -> BrainCommand:
    """The command of a body: why beside the rest, and who from their log-in."""
    body: dict[str, Any] = {**msgspec.to_builtins(data), **more}
    return BrainCommand(action, actor=who.actor, text=text, reason=body.pop("reason", ""), body=body)


def _name(segment: str) -> str:
    name = unquote(segment, errors="replace")
    if len(name) > 40 or not name.isprintable():
        raise ProblemError(404, "no such case; GET /v1/cases lists them")
    return name
