"""The moving picture of the past: what there is, its frames, and what the figures were."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from civicbrain.api.door.identity import Identity
from civicbrain.api.instants import End, Start, instant
from civicbrain.api.models.replay import ReplaySpan, ReplayStrip, ReplayView
from civicbrain.api.playback.access_log import AccessLog
from civicbrain.api.playback.happened import read_happened
from civicbrain.api.playback.older import Older
from civicbrain.api.playback.reading import SERIES, Strip, alerts_of, list_figures, pack_window, read_window
from civicbrain.api.problems import MEDIA_TYPE, Problem, ProblemError
from civicbrain.api.services import Services
from civicbrain.core.time import to_datetime, to_seconds
from civicbrain.runtime.login import Role

FRAMES = "application/octet-stream"
_MOST_FRAMES = 60
_MOST_STEPS = 600
_MOST_MARKS = 500
_LONGEST_S = 7 * 86_400.0
_HIGHEST_RUN = 999_999
_ABOUT_FRAMES = (
    f"At most {_MOST_FRAMES} frames: ask for the next ones from the last one's instant on. For each its "
    "length (u32, little endian), then a frame as the live map sends it (`CBF1`). Numbers of vehicles hold "
    "for a minute. `x-replay-source` says where they come from: recording, history (what cameras saw, or "
    "only the junctions), or none. Who looks is recorded."
)
Run = Annotated[int, Parameter(ge=0, le=_HIGHEST_RUN, description="number of the run; 0: the newest")]
_REFUSALS = {
    404: ResponseSpec(Problem, False, media_type=MEDIA_TYPE, description="no such run"),
    409: ResponseSpec(Problem, False, media_type=MEDIA_TYPE, description="the window is empty or too long"),
}


def handlers(services: Services) -> list[HTTPRouteHandler]:
    city, link, recorder = services.city, services.link, services.recorder
    shelf = recorder.shelf
    older = Older(city, link)
    run_dir = services.settings.run_dir
    log = AccessLog(shelf.folder / "access.jsonl")

    def run_of(number: int) -> int:
        """0: nothing is recorded. Raises ProblemError."""
        runs = shelf.list_runs()
        if number and number not in runs:
            raise ProblemError(404, "no such run; /v1/replay lists them")
        return number or (runs[-1] if runs else 0)

    @get("/v1/replay", tags=["history"], summary="What of the past can be shown again", needs=Role.OPERATOR)
    async def get_replay(run: Run = 0) -> ReplayView:
        found = run_of(run)
        spans = await asyncio.to_thread(shelf.list_spans, found) if found else []
        status = recorder.status
        return ReplayView(
            run=found, runs=shelf.list_runs(),
            spans=[
                ReplaySpan(to_datetime(city.epoch, span.start_s), to_datetime(city.epoch, span.end_s))
                for span in spans
            ],
            kept_hours=recorder.keep_hours, recording=status.recording, frames=status.frames,
            failed=status.failed, disk_bytes=status.disk_bytes, last_error=status.last_error,
        )  # fmt: skip

    @get(
        "/v1/replay/frames",
        tags=["history"],
        summary="Frames of the map of a past window",
        description=_ABOUT_FRAMES,
        responses={200: ResponseSpec(bytes, False, media_type=FRAMES, description="frames"), **_REFUSALS},
        needs=Role.OPERATOR,
    )
    async def get_frames(
        start: Start,
        end: End,
        who: Identity,
        step_s: Annotated[float, Parameter(ge=1, le=600, description="least time between two frames, s")] = 1,
        run: Run = 0,
    ) -> Response[bytes]:
        found, first, last = run_of(run), *_window(start, end)
        log.note(who.actor, "frames", first, last)
        source, body = "recording", b""
        if found:
            start_s, end_s = to_seconds(city.epoch, first), to_seconds(city.epoch, last)
            frames = read_window(shelf, found, start_s, end_s, step_s)
            body = await asyncio.to_thread(pack_window, frames, _MOST_FRAMES)
        if not body and link.history is not None and not link.history_away:
            source, body = "history", await older.frames(first, last)
        headers = {"cache-control": "no-store", "x-replay-source": source if body else "none"}
        return Response(body, media_type=FRAMES, headers=headers)

    @get(
        "/v1/replay/strip",
        tags=["history"],
        summary="The city's figures and what happened, over a past window",
        responses=_REFUSALS,
        needs=Role.OPERATOR,
    )
    async def get_strip(start: Start, end: End, run: Run = 0) -> ReplayStrip:
        found, first, last = run_of(run), *_window(start, end)
        start_s, end_s = to_seconds(city.epoch, first), to_seconds(city.epoch, last)
        strip, source = Strip(start_s, end_s, _MOST_STEPS), "recording"
        figures = await asyncio.to_thread(lambda: list(list_figures(shelf, found, start_s, end_s)))
        for time_s, known in figures:
            strip.add(time_s, known)
        if not figures and link.history is not None and not link.history_away:
            source = "history" if await older.strip(first, last, strip.put) else "none"
        segments = shelf.within(found, start_s, end_s) if found else []
        told, held = await asyncio.to_thread(read_happened, run_dir, segments, start_s, end_s)
        marks = sorted([*told, *alerts_of(figures)], key=lambda mark: mark.time_s)
        return ReplayStrip(
            run=found, source=source if figures or source == "history" else "none", start=first,
            start_s=start_s, step_s=strip.step_s, marks=marks[-_MOST_MARKS:], overrides=held,
            **{name: strip.series()[name] for name in SERIES},
        )  # fmt: skip

    return [get_replay, get_frames, get_strip]


def _window(start: str, end: str) -> tuple[datetime, datetime]:
    """Raises ProblemError."""
    first, last = instant(start), instant(end)
    length_s = (last - first).total_seconds()
    if length_s <= 0:
        raise ProblemError(409, "the window is empty: `end` must be after `start`")
    if length_s > _LONGEST_S:
        raise ProblemError(409, "the window is longer than a week; ask for less")
    return first, last
