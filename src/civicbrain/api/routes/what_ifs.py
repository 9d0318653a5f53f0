"""What-ifs: asked, followed, cancelled."""

from __future__ import annotations

from typing import Annotated

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from civicbrain.api import what_if_models as models
from civicbrain.api.services import Services

WhatIfId = Annotated[str, Parameter(description="id of the what-if")]


def handlers(services: Services) -> list[HTTPRouteHandler]:
    desk = services.what_ifs

    @get("/v1/what-ifs", tags=["what-ifs"], summary="What-ifs in line, running and over, newest first")
    async def list_what_ifs() -> list[models.WhatIfBrief]:
        return desk.list_briefs()

    @post("/v1/what-ifs", tags=["what-ifs"], summary="Ask what would follow from a change", status_code=202)
    async def ask_what_if(data: models.WhatIfAsked) -> models.WhatIfView:
        return desk.ask(data.question())

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

    @post(
        "/v1/proposals", tags=["what-ifs"], summary="Ask what could be done about a closure", status_code=202
    )
    async def ask_proposals(data: models.ProposalsAsked) -> models.ProposalsView:
        return desk.ask_proposals(data.asked())

    @get("/v1/proposals/{proposals_id:str}", tags=["what-ifs"], summary="Proposals, with the effect they had")
    async def get_proposals(
        proposals_id: Annotated[str, Parameter(description="id of the answer to the request")],
    ) -> models.ProposalsView:
        return desk.view_proposals(proposals_id)

    return [ask_proposals, get_proposals, list_what_ifs, ask_what_if, get_what_if, cancel_what_if]
