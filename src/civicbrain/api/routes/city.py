"""What the city is: name, extent, geometry, junctions."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter
from msgspec import Struct

from civicbrain import __version__
from civicbrain.api.geometry import bounds_of, lonlat_affine
from civicbrain.api.models import city as models
from civicbrain.api.problems import ProblemError
from civicbrain.api.services import Services
from civicbrain.api.static import accepts_gzip
from civicbrain.api.views import junction_now, state_columns, told
from civicbrain.city.signals import SignalJunction, mode_name
from civicbrain.contracts import wire
from civicbrain.runtime.page_stamp import is_stale


def handlers(services: Services) -> list[HTTPRouteHandler]:
    city, link = services.city, services.link
    summary = models.CityView(
        name=city.name,
        source=city.source,
        junction_count=len(city.junctions),
        lane_count=len(city.network.lanes.ids),
        begin_s=city.demand.begin_s,
        end_s=city.demand.end_s,
        epoch=city.epoch.isoformat().replace("+00:00", "Z"),
        zone=city.zone,
        tile_url=city.tile_url,
        civicbrain_version=__version__,
        bounds_m=list(bounds_of(city)),
        lonlat_affine=list(lonlat_affine(city)),
        warnings=list(city.warnings),
        page_stale=is_stale(services.settings.static_dir),
    )

    @get("/v1/city", tags=["city"], summary="What city this is", sync_to_thread=False)
    def get_city() -> models.CityView:
        return summary

    @get(
        "/v1/city/geometry",
        tags=["city"],
        summary="Lanes, junctions and signal heads for the map",
        responses={200: ResponseSpec(models.Geometry, generate_examples=False, description="the geometry")},
        sync_to_thread=False,
    )
    def get_geometry(request: Request[Any, Any, Any]) -> Response[bytes]:
        document = services.geometry
        headers = {"etag": document.etag, "cache-control": "no-cache", "vary": "Accept-Encoding"}
        if document.etag in request.headers.get("if-none-match", ""):
            return Response(b"", status_code=304, headers=headers)
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            headers["content-encoding"] = "gzip"
            return Response(document.packed, headers=headers, media_type="application/json")
        return Response(document.body, headers=headers, media_type="application/json")

    @get("/v1/junctions", tags=["city"], summary="All signal junctions, now", sync_to_thread=False)
    def list_junctions() -> list[models.JunctionView]:
        columns = state_columns(link.state)
        start = city.signals.group_start
        rows = []
        for row, junction in enumerate(city.junctions):
            now = junction_now(junction, row, int(start[row]), columns)
            del now["lamps"]
            rows.append(models.JunctionView(**_identity(junction), **now))
        return rows

    @get(
        "/v1/junctions/{junction_id:str}", tags=["city"], summary="One signal junction, with its safety rules"
    )
    async def get_junction(
        junction_id: Annotated[str, Parameter(description="id of the junction; `/` in it as %2F")],
    ) -> models.JunctionDetail:
        row = city.signals.row.get(_decoded(junction_id), -1)
        if row < 0:
            raise ProblemError(404, "no such junction; /v1/junctions lists them")
        junction = city.junctions[row]
        now = junction_now(junction, row, int(city.signals.group_start[row]), state_columns(link.state))
        said = _Said()
        if not link.brain_away:
            said = told(await link.command(wire.BrainCommand("junction", text=junction.id)) or {}, _Said)
        if said.lamps:  # fresher than the state that is published
            shown = junction.stages[said.stage].id if 0 <= said.stage < len(junction.stages) else None
            now |= {"mode": mode_name(said.mode) or None, "stage": shown, "lamps": said.lamps}
        return models.JunctionDetail(
            **_identity(junction),
            **now,
            groups=[
                models.GroupView(
                    g.id, g.kind, list(g.links), g.yellow_s, g.min_green_s, g.crossing_m, g.approach
                )
                for g in junction.groups
            ],
            stages=[models.StageView(s.id, s.lamps, s.derived) for s in junction.stages],
            conflict=[list(line) for line in junction.conflict],
            intergreen_s=[list(line) for line in junction.intergreen_s],
            intergreen_source=junction.intergreen_source,
            local_plan=models.PlanView(
                id=junction.local_plan.id,
                steps=[
                    models.PlanStepView(junction.stages[step.stage].id, step.duration_s)
                    for step in junction.local_plan.steps
                ],
                offset_s=junction.local_plan.offset_s,
                cycle_s=junction.local_plan.cycle_s,
            ),
            explanation=said.explanation,
            explained_s=said.explained_s,
        )

    return [get_city, get_geometry, list_junctions, get_junction]


class _Said(Struct, frozen=True):
    """The brain process's reply to "junction"."""

    explanation: dict[str, Any] = {}
    explained_s: float | None = None
    mode: int = -1
    stage: int = -1
    lamps: str = ""


def _identity(junction: SignalJunction) -> dict[str, Any]:
    return {
        "id": junction.id,
        "name": junction.name,
        "x_m": round(junction.x_m, 1),
        "y_m": round(junction.y_m, 1),
        "capability": junction.capability,
        "warnings": list(junction.warnings),
    }


def _decoded(segment: str) -> str:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise ProblemError(404, "no such junction: the id is not UTF-8") from None
