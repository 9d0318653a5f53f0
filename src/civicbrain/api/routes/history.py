"""What the city did: indicators over a window, and moments to be shown again."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from civicbrain.api.instants import End, Start, instant
from civicbrain.api.models import history as history_models
from civicbrain.api.problems import MEDIA_TYPE, Problem
from civicbrain.api.replay import Replay
from civicbrain.api.services import Services
from civicbrain.api.views import told
from civicbrain.runtime.history.question import Question
from civicbrain.runtime.history.wire import Ask, Moments

FRAMES = "application/octet-stream"
_MOST_SECONDS = 60
_LONGEST_LIST = 20_000
_HIGHEST_RUN = 999_999

_POINT = r"-?\d{1,9}(\.\d{1,6})?,-?\d{1,9}(\.\d{1,6})?"
_BOX, _POLYGON = f"^{_POINT},{_POINT}$", f"^{_POINT}(;{_POINT}){{2,199}}$"
_ABOUT_INDICATOR = (
    "Give at most one of junctions, lanes, approach, box, polygon and entity; without any, the whole city is "
    "meant. `/v1/history` lists indicators, series, and what is kept. Steps with nothing observed are null."
)
_ABOUT_MOMENTS = (
    "For each second of which something is known: its length (u32, little endian), then a frame as the live "
    "map sends it (`CBF1`). Vehicles are there as long as positions are kept, and carry no identity."
)
Run = Annotated[int, Parameter(ge=0, le=_HIGHEST_RUN, description="number of the run; 0: the newest")]
REFUSALS = {
    404: ResponseSpec(Problem, False, media_type=MEDIA_TYPE, description="no such indicator, place or run"),
    409: ResponseSpec(
        Problem, False, media_type=MEDIA_TYPE, description="it contradicts itself, or asks for too much"
    ),
}


def handlers(services: Services) -> list[HTTPRouteHandler]:
    link = services.link
    replay = Replay(services.city)

    @get("/v1/history", tags=["history"], summary="What history can be asked", responses=REFUSALS)
    async def get_catalogue(run: Run = 0) -> history_models.HistoryCatalogue:
        return told(await link.ask_history(Ask(action="catalogue", run=run)), history_models.HistoryCatalogue)

    @get(
        "/v1/history/indicators/{indicator:str}",
        tags=["history"],
        summary="An indicator over a window, in steps",
        description=_ABOUT_INDICATOR,
        responses=REFUSALS,
    )
    async def get_indicator(
        indicator: Annotated[str, Parameter(description="name of an indicator, or property of a series")],
        start: Start,
        end: End,
        junctions: Annotated[
            str, Parameter(max_length=_LONGEST_LIST, description="ids, separated by commas")
        ] = "",
        lanes: Annotated[
            str, Parameter(max_length=_LONGEST_LIST, description="ids, separated by commas")
        ] = "",
        approach: Annotated[str, Parameter(max_length=200, description="an edge that leads in")] = "",
        box: Annotated[
            str | None, Parameter(pattern=_BOX, description="min x, min y, max x, max y in m")
        ] = None,
        polygon: Annotated[
            str | None, Parameter(pattern=_POLYGON, max_length=8000, description="x,y;x,y;… in m")
        ] = None,
        entity: Annotated[str, Parameter(max_length=200, description="of a series, e.g. city")] = "",
        resolution: Annotated[
            str, Parameter(pattern="^(auto|1s|1min|15min|1h)$", description="auto: what suits the window")
        ] = "auto",
        each: Annotated[bool, Parameter(description="a row each instead of all together")] = False,
        run: Run = 0,
    ) -> history_models.HistoryAnswer:
        question = Question(
            indicator=unquote(indicator, errors="replace"), start=instant(start), end=instant(end),
            junctions=_ids(junctions), lanes=_ids(lanes), approach=approach,
            box=tuple(_numbers(box)) if box else None,  # type: ignore[arg-type]  # four, by the pattern
            polygon=_corners(polygon),
            entity=entity,
            resolution=resolution, each=each, run=run,
        )  # fmt: skip
        return told(
            await link.ask_history(Ask(action="ask", question=question)), history_models.HistoryAnswer
        )

    @get(
        "/v1/history/moments",
        tags=["history"],
        summary="Moments of the past, as frames of the map",
        description=_ABOUT_MOMENTS,
        responses={200: ResponseSpec(bytes, False, media_type=FRAMES, description="frames"), **REFUSALS},
    )
    async def get_moments(
        start: Start,
        seconds: Annotated[int, Parameter(ge=1, le=_MOST_SECONDS, description="how many")] = 10,
        run: Run = 0,
    ) -> Response[bytes]:
        ask = Ask(action="moments", start=instant(start), seconds=seconds, run=run)
        moments = told(await link.ask_history(ask), Moments)
        return Response(
            replay.encode(moments.moments), media_type=FRAMES, headers={"cache-control": "no-store"}
        )

    return [get_catalogue, get_indicator, get_moments]


def _ids(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


def _corners(text: str | None) -> tuple[tuple[float, float], ...]:
    points = [_numbers(corner) for corner in text.split(";")] if text else []
    return tuple((x, y) for x, y in points)


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]
