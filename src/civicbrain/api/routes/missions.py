"""Emergency missions: ordered, followed, ended; and the dispatcher's question."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from civicbrain.api.door.identity import Identity
from civicbrain.api.mission_report import render_mission
from civicbrain.api.models import missions as models
from civicbrain.api.problems import ProblemError
from civicbrain.api.services import Services
from civicbrain.api.views import told
from civicbrain.contracts import wire

MAX_LISTED = 500
MissionId = Annotated[str, Parameter(description="id of the mission")]


def handlers(services: Services) -> list[HTTPRouteHandler]:
    link = services.link

    @get("/v1/missions", tags=["missions"], summary="Missions under way, then those ended, newest first")
    async def list_missions(
        limit: Annotated[int, Parameter(ge=1, le=MAX_LISTED, description="at most so many")] = 100,
    ) -> list[models.MissionBrief]:
        return told(await link.command(wire.BrainCommand("missions", limit=limit)), list[models.MissionBrief])

    @post("/v1/missions", tags=["missions"], summary="Order a mission", status_code=201)
    async def order_mission(data: models.MissionOrder, who: Identity) -> models.MissionMade:
        body = models.builtins(data)
        command = wire.BrainCommand("mission-order", actor=who.actor, reason=data.reason, body=body)
        return told(await link.command(command), models.MissionMade)

    @get("/v1/missions/{mission_id:str}", tags=["missions"], summary="One mission, with its corridor")
    async def get_mission(mission_id: MissionId) -> models.MissionView:
        command = wire.BrainCommand("mission", text=_name(mission_id))
        return told(await link.command(command), models.MissionView)

    @post(
        "/v1/missions/{mission_id:str}/cancellation",
        tags=["missions"],
        summary="Cancel a mission; its record stays",
        status_code=200,
    )
    async def cancel_mission(
        mission_id: MissionId, data: models.MissionCancellation, who: Identity
    ) -> models.MissionClosed:
        command = wire.BrainCommand(
            "mission-cancel", actor=who.actor, text=_name(mission_id), reason=data.reason
        )
        return told(await link.command(command), models.MissionClosed)

    @post(
        "/v1/missions/{mission_id:str}/positions",
        tags=["missions"],
        summary="Report where the vehicle is",
        status_code=202,
    )
    async def report_position(
        mission_id: MissionId, data: models.MissionPosition, who: Identity
    ) -> models.PositionTaken:
        body = models.builtins(data)
        command = wire.BrainCommand("mission-position", actor=who.actor, text=_name(mission_id), body=body)
        return told(await link.command(command), models.PositionTaken)

    @get(
        "/v1/missions/{mission_id:str}/report",
        tags=["missions"],
        summary="One page about a mission, to print",
        responses={200: ResponseSpec(str, False, media_type="text/html", description="the page")},
    )
    async def get_report(mission_id: MissionId) -> Response[bytes]:
        command = wire.BrainCommand("mission", text=_name(mission_id))
        view = told(await link.command(command), models.MissionView)
        now_s = link.state.time_s if link.state is not None else view.created_s
        return Response(render_mission(services.city, view, now_s), media_type="text/html")

    @post("/v1/dispatch", tags=["missions"], summary="Who is there first", status_code=200)
    async def dispatch(data: models.DispatchQuestion) -> models.DispatchAnswer:
        command = wire.BrainCommand("dispatch", body=models.builtins(data))
        return told(await link.command(command), models.DispatchAnswer)

    return [
        list_missions, order_mission, get_mission, cancel_mission, report_position, get_report, dispatch,
    ]  # fmt: skip


def _name(segment: str) -> str:
    name = unquote(segment, errors="replace")
    if len(name) > 80 or not name.isprintable():
        raise ProblemError(404, "no such mission")
    return name
