"""Single junctions: plan on the ground, last minutes, overrides; the worst of them; vital signs."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from civicbrain.api.door.identity import Identity
from civicbrain.api.ground_plan import camera_views_of, ground_plan_of
from civicbrain.api.link import unavailable
from civicbrain.api.models import junctions as models
from civicbrain.api.models.city import LedgerEntryView
from civicbrain.api.problems import ProblemError
from civicbrain.api.services import Services
from civicbrain.api.views import told
from civicbrain.api.vital_signs import UsualDay, vital_signs
from civicbrain.contracts import wire
from civicbrain.contracts.overrides import LONGEST_S, SHORTEST_S, OverrideAction
from civicbrain.runtime.login import Role

JunctionId = Annotated[str, Parameter(description="id of the junction; `/` in it as %2F")]
_LIMITS = models.OverrideLimits(
    SHORTEST_S, LONGEST_S[OverrideAction.STAGE], LONGEST_S[OverrideAction.HOLD],
    LONGEST_S[OverrideAction.LOCAL],
)  # fmt: skip
_ABOUT_OVERRIDE = (
    "The junction shows a stage (`stage`), keeps the one it shows (`hold`), or is left to its local plan "
    "(`local`), ranked above every brain, and for at most the time given. The guard and the controller still "
    "hold minimum greens, intergreens and pedestrian clearance. An override there already is replaced."
)


def handlers(services: Services) -> list[HTTPRouteHandler]:
    link, city = services.link, services.city
    usual = UsualDay(city, link)

    def row_of(segment: str) -> int:
        try:
            row = city.signals.row.get(unquote_to_bytes(segment).decode(), -1)
        except UnicodeDecodeError:
            row = -1
        if row < 0:
            raise ProblemError(404, "no such junction; /v1/junctions lists them")
        return row

    def command(action: str, junction_id: str, **more: Any) -> wire.BrainCommand:
        return wire.BrainCommand(action, text=city.junctions[row_of(junction_id)].id, **more)

    @get("/v1/junctions/{junction_id:str}/ground-plan", tags=["city"],
         summary="A junction as it lies on the ground", sync_to_thread=True)  # fmt: skip
    def get_ground_plan(junction_id: JunctionId) -> models.GroundPlan:
        return ground_plan_of(city, row_of(junction_id))

    @get("/v1/junctions/{junction_id:str}/recent", tags=["now"],
         summary="The last five minutes of a junction, who holds it, and what is planned")  # fmt: skip
    async def get_recent(junction_id: JunctionId) -> models.JunctionRecent:
        return told(await link.command(command("recent", junction_id)), models.JunctionRecent)

    @get("/v1/junctions/{junction_id:str}/record", tags=["overrides"],
         summary="The record of a junction's overrides, newest first", needs=Role.OPERATOR)  # fmt: skip
    async def get_record(
        junction_id: JunctionId,
        limit: Annotated[int, Parameter(ge=1, le=1000, description="at most so many")] = 200,
    ) -> list[LedgerEntryView]:
        return told(await link.command(command("record", junction_id, limit=limit)), list[LedgerEntryView])

    @get("/v1/overrides", tags=["overrides"], summary="Overrides in force, and how long one may last")
    async def list_overrides() -> models.OverridesView:
        found = told(await link.command(wire.BrainCommand("overrides")), list[models.Override])
        return models.OverridesView(found, _LIMITS)

    @get("/v1/junctions/{junction_id:str}/override", tags=["overrides"], summary="The override in force")
    async def get_override(junction_id: JunctionId) -> models.Override:
        recent = told(await link.command(command("recent", junction_id)), models.JunctionRecent)
        if recent.override is None:
            raise ProblemError(404, "nobody overrides this junction")
        return recent.override

    @post("/v1/junctions/{junction_id:str}/override", tags=["overrides"], summary="Take a junction over",
          description=_ABOUT_OVERRIDE, status_code=201)  # fmt: skip
    async def take_over(
        junction_id: JunctionId, data: models.OverrideOrder, who: Identity
    ) -> models.Override:
        body = {"action": str(data.action), "stage": data.stage, "duration_s": data.duration_s}
        asked = command("override", junction_id, actor=who.actor, reason=data.reason, body=body)
        return told(await link.command(asked), models.Override)

    @delete("/v1/junctions/{junction_id:str}/override", tags=["overrides"],
            summary="Give a junction back before its time", status_code=200)  # fmt: skip
    async def give_back(
        junction_id: JunctionId,
        who: Identity,
        reason: Annotated[
            str,
            Parameter(
                max_length=500, pattern=r"^[^\u0000-\u001f\u007f]*$", description="why, for the ledger"
            ),
        ] = "",
    ) -> models.OverrideEnd:
        asked = command("override-end", junction_id, actor=who.actor, reason=reason)
        ended = told(await link.command(asked), models.Override)
        return models.OverrideEnd(ended.junction, ended)

    @get("/v1/worst-junctions", tags=["now"],
         summary="Where the city does worst, why, and what can be done")  # fmt: skip
    async def list_worst(
        limit: Annotated[int, Parameter(ge=1, le=50, description="at most so many")] = 10,
    ) -> list[models.WorstPlace]:
        return told(await link.command(wire.BrainCommand("worst", limit=limit)), list[models.WorstPlace])

    @get("/v1/full-roads", tags=["now"],
         summary="Roads that spill back, as the vital signs count them, and what can be done")  # fmt: skip
    async def list_full(
        limit: Annotated[int, Parameter(ge=1, le=50, description="at most so many")] = 10,
    ) -> list[models.FullRoad]:
        return told(await link.command(wire.BrainCommand("full-roads", limit=limit)), list[models.FullRoad])

    @get("/v1/queues", tags=["now"], summary="Lanes with a queue, and those whose camera is silent")
    async def get_queues() -> models.QueuesNow:
        return told(await link.command(wire.BrainCommand("queues")), models.QueuesNow)

    @get("/v1/camera-views", tags=["city"], summary="What cameras see of which lane", sync_to_thread=True)
    def get_camera_views() -> models.CameraViews:
        return camera_views_of(city)

    @get("/v1/vital-signs", tags=["now"],
         summary="The city's vital signs, beside the fixed plan and the usual day")  # fmt: skip
    async def get_vital_signs() -> models.VitalSigns:
        state = link.state
        if state is None:
            raise unavailable("the brain process has not spoken yet")
        usual.refresh(state.time_s)
        return vital_signs(state, usual, link.brain_age_s, link.brain_away)

    return [
        get_ground_plan, get_recent, get_record, list_overrides, get_override, take_over, give_back,
        list_worst, list_full, get_queues, get_camera_views, get_vital_signs,
    ]  # fmt: skip
