"""Corridors: chains that suggest themselves, and the time-space diagram of one."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Annotated
from urllib.parse import unquote

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from civicbrain.api.corridors.diagram import Plans, axis_of, way_view
from civicbrain.api.corridors.tracks import Reader
from civicbrain.api.corridors.ways import Way, Ways
from civicbrain.api.door.identity import Identity
from civicbrain.api.instants import instant
from civicbrain.api.models.corridors import CorridorChoice, CorridorDiagram
from civicbrain.api.playback.access_log import AccessLog
from civicbrain.api.playback.reading import read_window
from civicbrain.api.problems import MEDIA_TYPE, Problem, ProblemError
from civicbrain.api.services import Services
from civicbrain.api.views import told
from civicbrain.contracts import wire
from civicbrain.contracts.junction_recent import Planned
from civicbrain.core.errors import NotFoundError, RequestRefusedError
from civicbrain.core.time import to_datetime, to_seconds
from civicbrain.runtime.junctions import MOST_PLANNED
from civicbrain.runtime.login import Role

_MOST_SUGGESTED = 20
_ENDS_NOW_S = 10.0
_REFUSALS = {
    404: ResponseSpec(Problem, False, media_type=MEDIA_TYPE, description="no such junction, or no way there"),
    409: ResponseSpec(
        Problem, False, media_type=MEDIA_TYPE, description="the ends are one, or too far apart"
    ),
}
_ABOUT = (
    "Signals of the through movement at each stop line, vehicles and green bands, both ways. Signals and "
    "vehicles come from the recorded picture (`/v1/replay`): a vehicle is another one each minute, and who "
    "looks is recorded."
)


def handlers(services: Services) -> list[HTTPRouteHandler]:
    city, link, recorder = services.city, services.link, services.recorder
    log = AccessLog(recorder.shelf.folder / "access.jsonl")
    # one diagram at a time: each goes through ten minutes of frames
    busy = asyncio.Lock()

    @lru_cache(maxsize=1)
    def ways() -> Ways:
        return Ways(city)

    @lru_cache(maxsize=1)
    def suggested() -> list[CorridorChoice]:
        return [
            CorridorChoice(
                one.name, city.junctions[one.junctions[0]].id, city.junctions[one.junctions[-1]].id,
                [city.junctions[row].id for row in one.junctions], round(one.length_m, 1),
            )
            for one in ways().suggest(_MOST_SUGGESTED)
        ]  # fmt: skip

    def row_of(junction: str) -> int:
        row = city.signals.row.get(junction, city.signals.row.get(unquote(junction, errors="replace"), -1))
        if row < 0:
            raise ProblemError(404, "no such junction; /v1/junctions lists them")
        return row

    def find(first: int, last: int) -> tuple[Way, Way | None]:
        try:
            forward = ways().find(first, last)
        except NotFoundError as error:
            raise ProblemError(404, error.message) from error
        except RequestRefusedError as error:
            raise ProblemError(409, f"{error.message}; {error.remedy}") from error
        try:
            return forward, ways().find(last, first)
        except (NotFoundError, RequestRefusedError):
            return forward, None

    def draw(
        start_s: float,
        end_s: float,
        speed_mps: float | None,
        planned: Plans,
        found: tuple[Way, Way | None],
    ) -> CorridorDiagram:
        forward, back = found
        both = [forward] if back is None else [forward, back]
        runs = recorder.shelf.list_runs()
        reader = Reader(both, city.network.bounds_m)
        for columns in read_window(recorder.shelf, runs[-1], start_s, end_s) if runs else ():
            reader.take(columns)
        seen, axes = reader.seen(), axis_of(forward, back)
        views = [
            way_view(city, way, one, axis, speed_mps, planned, end_s)
            for way, one, axis in zip(both, seen, axes, strict=False)
        ]
        return CorridorDiagram(
            run=runs[-1] if runs else 0, start=to_datetime(city.epoch, start_s), start_s=start_s, end_s=end_s,
            known_s=round(reader.known_s, 1), forward=views[0], back=views[1] if back is not None else None,
        )  # fmt: skip

    async def plans_on(found: tuple[Way, Way | None]) -> Plans:
        """What comes at its junctions; nothing where the brain process does not say."""
        rows = {stop.junction for way in found if way is not None for stop in way.stop_lines}
        asked = {"junctions": [city.junctions[row].id for row in sorted(rows)][:MOST_PLANNED]}
        try:
            return told(
                await link.command(wire.BrainCommand("planned", body=asked)), dict[str, list[Planned]]
            )
        except ProblemError:
            return {}

    @get("/v1/corridors", tags=["city"], summary="Chains of junctions that suggest themselves")
    async def list_corridors() -> list[CorridorChoice]:
        return await asyncio.to_thread(suggested)

    @get("/v1/corridors/diagram", tags=["city"], summary="Time against distance along a corridor",
         description=_ABOUT, responses=_REFUSALS, needs=Role.OPERATOR)  # fmt: skip
    async def get_diagram(
        from_junction: Annotated[
            str, Parameter(max_length=200, description="id of the junction it begins with")
        ],
        to_junction: Annotated[str, Parameter(max_length=200, description="id of the junction it ends with")],
        who: Identity,
        seconds: Annotated[int, Parameter(ge=60, le=1800, description="how long before `end`")] = 600,
        end: Annotated[
            str | None,
            Parameter(
                schema_extra={"format": "date-time"}, description="RFC 3339 with its zone; default: now"
            ),
        ] = None,
        speed_mps: Annotated[
            float | None, Parameter(ge=1, le=50, description="of the progression; default: the speed limits")
        ] = None,
    ) -> CorridorDiagram:
        first, last = row_of(from_junction), row_of(to_junction)
        vehicles, state = link.vehicles, link.state
        present_s = vehicles.time_s if vehicles else state.time_s if state else 0.0
        end_s = to_seconds(city.epoch, instant(end)) if end is not None else present_s + 1.0
        start_s = end_s - seconds
        ends_now = abs(end_s - present_s) <= _ENDS_NOW_S
        window = to_datetime(city.epoch, start_s), to_datetime(city.epoch, end_s)
        log.note(who.actor, f"corridor {from_junction} {to_junction}", *window)
        async with busy:
            found = await asyncio.to_thread(find, first, last)
            planned = await plans_on(found) if ends_now else {}
            return await asyncio.to_thread(draw, start_s, end_s, speed_mps, planned, found)

    return [list_corridors, get_diagram]
