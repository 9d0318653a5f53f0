"""What-ifs and proposals: asked, followed, cancelled, decided on."""

from __future__ import annotations

from typing import Annotated

import structlog
from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from civicbrain.api.door.identity import Identity
from civicbrain.api.models import what_ifs as models
from civicbrain.api.problems import ProblemError
from civicbrain.api.services import Services
from civicbrain.api.views import told
from civicbrain.contracts.wire import BrainCommand

WhatIfId = Annotated[str, Parameter(description="id of the what-if")]
ProposalsId = Annotated[str, Parameter(description="id of the answer to the request")]
Case = Annotated[str, Parameter(max_length=60, description="only those of this case")]
_log = structlog.get_logger("civicbrain.api")


def handlers(services: Services) -> list[HTTPRouteHandler]:
    desk, link = services.what_ifs, services.link

    async def link_to_case(view: models.WhatIfView, who: Identity) -> None:
        """It stands in the case, or it is not asked."""
        body = {"what_if": view.id, "title": view.title}
        command = BrainCommand("what-if", actor=who.actor, text=view.case, body=body)
        try:
            told(await link.ask_cases(command), object)
        except ProblemError:
            await desk.cancel(view.id)
            raise

    async def record(view: models.WhatIfView, who: Identity) -> None:
        """It only reads: one that cannot be recorded, for the brain process is away, is answered all the
        same."""
        question = view.question
        entry = {
            "what_if": view.id, "title": view.title, "minutes": question.minutes, "pairs": question.seeds,
            "case": view.case,
        }  # fmt: skip
        try:
            told(await link.command(BrainCommand("what-if", actor=who.actor, body=entry)), object)
        except ProblemError as error:
            _log.warning("a what-if is not in the ledger", id=view.id, reason=str(error))

    @get("/v1/what-ifs", tags=["what-ifs"], summary="What-ifs in line, running and over, newest first")
    async def list_what_ifs(case: Case = "") -> list[models.WhatIfBrief]:
        return desk.list_briefs(case)

    @post("/v1/what-ifs", tags=["what-ifs"], summary="Ask what would follow from a change", status_code=202)
    async def ask_what_if(data: models.WhatIfAsked, who: Identity) -> models.WhatIfView:
        view = desk.ask(data.question(), who.actor, data.title, data.case)
        if view.case:
            await link_to_case(view, who)
        await record(view, who)
        return view

    @get("/v1/what-ifs/{what_if_id:str}", tags=["what-ifs"], summary="One what-if, with what is known so far")
    async def get_what_if(what_if_id: WhatIfId) -> models.WhatIfView:
        return desk.view(what_if_id)

    @delete(
        "/v1/what-ifs/{what_if_id:str}",
        tags=["what-ifs"],
        summary="Cancel a what-if and forget it",
        status_code=200,
    )
    async def cancel_what_if(what_if_id: WhatIfId) -> models.WhatIfView:
        return await desk.cancel(what_if_id)

    @get("/v1/moments", tags=["what-ifs"], summary="Moments of the city from which a what-if can begin")
    async def list_moments() -> list[models.MomentView]:
        return [models.MomentView(one.name, one.run, one.time_s) for one in desk.moments()]

    @get("/v1/proposals", tags=["what-ifs"], summary="Proposals in line, being tried and tried, newest first")
    async def list_proposals() -> list[models.ProposalsBrief]:
        return desk.list_proposals()

    @post(
        "/v1/proposals", tags=["what-ifs"], summary="Ask what could be done about a closure", status_code=202
    )
    async def ask_proposals(data: models.ProposalsAsked, who: Identity) -> models.ProposalsView:
        return desk.ask_proposals(data.asked(), who.actor)

    @get("/v1/proposals/{proposals_id:str}", tags=["what-ifs"], summary="Proposals, with the effect they had")
    async def get_proposals(proposals_id: ProposalsId) -> models.ProposalsView:
        return desk.view_proposals(proposals_id)

    @post(
        "/v1/proposals/{proposals_id:str}/decisions",
        tags=["what-ifs"],
        summary="Take up or turn down a proposal",
        description="The decision and its reason go to the ledger. Nothing is done by itself: who takes a "
        "proposal up sets signs and plans, or sends who does.",
        status_code=200,
    )
    async def decide(
        proposals_id: ProposalsId, data: models.DecisionAsked, who: Identity
    ) -> models.ProposalsView:
        proposal = desk.find_proposal(proposals_id, data.index)
        entry = {
            "proposals": proposals_id, "index": data.index, "accepted": data.accepted,
            "kind": str(proposal.kind), "closure": proposal.change.closures[0].edge,
        }  # fmt: skip
        command = BrainCommand("decision", actor=who.actor, reason=data.reason, body=entry)
        told(await link.command(command), object)
        return desk.decide(proposals_id, data, who.actor)

    return [
        list_proposals, ask_proposals, get_proposals, decide, list_moments, list_what_ifs, ask_what_if,
        get_what_if, cancel_what_if,
    ]  # fmt: skip
