"""Studies of the API: one at a time, a short line, each in a process of its own that gives way to the live
city.

Everything that must last stands in the studies' folder: after a restart of this process the line goes on
where it was, and runs that were finished are not run again. The process of a study ends with this one.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from civicbrain.api.job_process import end_job, start_job
from civicbrain.api.models.studies import (
    ControlAbout,
    ScenarioOption,
    StudyAsked,
    StudyBrief,
    StudyOptionsView,
    StudyResult,
    StudyView,
)
from civicbrain.api.problems import ProblemError
from civicbrain.api.settings import Settings
from civicbrain.api.study_views import FILES, brief_of, result_of, view_of
from civicbrain.city.model import City
from civicbrain.contracts.rooms import PROGRAM_CONTROLS
from civicbrain.core.errors import ConfigurationError, StudyError
from civicbrain.core.low_priority import JOB_NICE
from civicbrain.evaluate.endings import tell_ending
from civicbrain.evaluate.ordered import records
from civicbrain.evaluate.ordered.keep import Kept, StudyFolder
from civicbrain.evaluate.ordered.records import StudyOrder, StudyState
from civicbrain.evaluate.report import CLAIM_SEEDS

MOST_OPEN = 8
LEAST_FREE_BYTES = 300_000_000
RUNNING_CITY = "city"
_MODULE = "civicbrain.evaluate.ordered"
_log = structlog.get_logger("civicbrain.api")


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Studies:
    """`start` before use and `stop` after."""

    def __init__(self, city: City, settings: Settings) -> None:
        self._city, self._run_dir = city, settings.run_dir
        self._folder = StudyFolder(settings.studies_dir or settings.run_dir / "studies")
        self._line: list[str] = []
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._running = ""
        self._cancelled = False

    def start(self) -> None:
        """Go on with what a process before has left."""
        self._line = self._folder.open_ids()
        self._news.set()
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    # -- asked

    async def options(self, live: Iterable[ControlAbout]) -> StudyOptionsView:
        """What a study can be made of. live: the controls that the brain process offers."""
        controls = {one.name: ControlAbout(one.name, one.summary, one.source) for one in PROGRAM_CONTROLS}
        controls |= {one.name: one for one in live if one.name not in controls}
        demand = self._city.demand
        there = ScenarioOption(RUNNING_CITY, self._city.name, demand.begin_s, demand.end_s)
        others = [ScenarioOption(name, name) for name in await asyncio.to_thread(_installed)]
        return StudyOptionsView(
            [there, *others], list(controls.values()), records.MOST_SCENARIOS,
            records.MOST_CONTROLS, records.MOST_SEEDS, records.MOST_RUNS, CLAIM_SEEDS,
        )  # fmt: skip

    def briefs(self) -> list[StudyBrief]:
        """Newest first."""
        return [brief_of(kept, self._place(kept)) for kept in self._folder.list_kept()]

    def view(self, name: str) -> StudyView:
        """Raises ProblemError (404)."""
        kept = self._get(name)
        return view_of(kept, self._place(kept))

    async def result(self, name: str) -> StudyResult:
        """Raises ProblemError (404, also while there is none)."""
        kept = self._get(name)
        try:
            return await asyncio.to_thread(result_of, kept)
        except FileNotFoundError:
            raise ProblemError(404, "this study has no result yet; see its state") from None
        except (OSError, msgspec.MsgspecError) as error:
            _log.error("study unreadable", id=name, error=str(error))
            raise ProblemError(404, "the result cannot be read; run the study again") from None

    def file(self, name: str, file: str) -> tuple[Path, str]:
        """Path and media type of one of a study's files. Raises ProblemError (404)."""
        path = self._get(name).folder / file
        if file not in FILES:
            raise ProblemError(404, f"a study has no such file; there are {', '.join(FILES)}")
        if not path.is_file():
            raise ProblemError(
                404,
                "this file does not exist yet; a study of an older version makes it when it is run again: "
                "finished runs are kept",
            )  # fmt: skip
        return path, FILES[file]

    def order(self, asked: StudyAsked, by: str) -> StudyView:
        """Put it in line. Raises ProblemError: 404 for an unknown scenario, 409 for what does not fit."""
        scenarios = tuple(dict.fromkeys(self._source(name) for name in asked.scenarios))
        if len(self._line) + bool(self._running) >= MOST_OPEN:
            raise ProblemError(409, f"{MOST_OPEN} studies wait already; cancel one, or wait")
        order = StudyOrder(
            title=asked.title.strip() or _title(self._city, asked), scenarios=scenarios,
            controls=tuple(dict.fromkeys(asked.controls)), seeds=asked.seeds, ordered_at=now_text(), by=by,
            case=asked.case, baseline=asked.baseline, begin_s=asked.begin_s, end_s=asked.end_s,
            sensing=asked.sensing, coverage=asked.coverage, mesoscopic=asked.mesoscopic,
        )  # fmt: skip
        self._check(order)
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        try:
            self._folder.add(name, order)
        except (OSError, StudyError) as error:
            raise ProblemError(409, f"the study cannot be kept: {error}") from None
        self._queue(name)
        _log.info("study ordered", id=name, by=by, scenarios=asked.scenarios, controls=asked.controls)
        return self.view(name)

    def go_on(self, name: str) -> StudyView:
        """Put a cancelled or failed one in line again. Raises ProblemError (404, 409)."""
        kept = self._get(name)
        if kept.order is None or kept.state.state not in ("cancelled", "failed"):
            raise ProblemError(409, "only a study of this folder that was cancelled or failed can go on")
        if len(self._line) + bool(self._running) >= MOST_OPEN:
            raise ProblemError(409, f"{MOST_OPEN} studies wait already; cancel one, or wait")
        self._write(name, StudyState("queued"))
        self._queue(name)
        return self.view(name)

    async def cancel(self, name: str) -> StudyView:
        """End it, or take it out of the line; finished runs are kept. Raises ProblemError (404, 409)."""
        kept = self._get(name)
        if kept.state.state not in records.OPEN_STATES:
            raise ProblemError(409, f"this study is {kept.state.state} already")
        if name in self._line:
            self._line.remove(name)
        if name == self._running:
            self._cancelled = True
            end_job(self._process)
            while self._running == name:
                await asyncio.sleep(0.02)
        else:
            self._write(name, StudyState("cancelled", ended_at=now_text()))
        return self.view(name)

    # -- the line

    def _queue(self, name: str) -> None:
        self._line.append(name)
        self._news.set()

    def _place(self, kept: Kept) -> int:
        return self._line.index(kept.id) + bool(self._running) if kept.id in self._line else 0

    def _get(self, name: str) -> Kept:
        kept = self._folder.find(name)
        if kept is None:
            raise ProblemError(404, f"no such study: {name[:80]!r}")
        return kept

    def _source(self, name: str) -> str:
        if name == RUNNING_CITY:
            return str(self._city.folder.absolute())
        if name not in _installed():
            raise ProblemError(404, f"no scenario {name!r}; GET /v1/study-options lists them")
        return name

    def _check(self, order: StudyOrder) -> None:
        """What can be told without opening a scenario; the rest its process tells."""
        try:
            order.options()
        except ConfigurationError as error:
            raise ProblemError(409, str(error)) from None
        if len(order.controls) < 2:
            raise ProblemError(409, "a comparison needs two different controls")
        runs = len(order.scenarios) * len(order.controls) * order.seeds
        if runs > records.MOST_RUNS:
            raise ProblemError(409, f"{runs} runs are more than {records.MOST_RUNS}; ask for fewer seeds")
        if order.begin_s is not None and order.end_s is not None:
            window_s = order.end_s - order.begin_s
            if not records.SHORTEST_WINDOW_S <= window_s <= records.LONGEST_WINDOW_S:
                raise ProblemError(
                    409, f"a window of {window_s:g} s is not between {records.SHORTEST_WINDOW_S:g} s and "
                    f"{records.LONGEST_WINDOW_S:g} s",
                )  # fmt: skip
        if self._folder.free_bytes() < LEAST_FREE_BYTES:
            raise ProblemError(409, "the disk of the studies is nearly full; make room first")

    async def _work(self) -> None:
        while True:
            if not self._line:
                self._news.clear()
                await self._news.wait()
                continue
            name = self._line.pop(0)
            self._running, self._cancelled = name, False
            try:
                await self._carry_out(name)
            except asyncio.CancelledError:
                raise  # its state stays "running": the next process goes on with it
            except Exception:  # the next in line must not wait for ever
                _log.exception("study failed", id=name)
                self._write(
                    name,
                    StudyState(
                        "failed", ended_at=now_text(), error="a fault in Civic Brain; its log says more"
                    ),
                )
            finally:
                end_job(self._process)
                self._process, self._running = None, ""

    async def _carry_out(self, name: str) -> None:
        began = now_text()
        self._write(name, StudyState("running", began))
        folder = (self._folder.root / name).absolute()
        self._process = await start_job(_MODULE, [str(folder)], self._run_dir, "study", nice=JOB_NICE)
        code = await self._process.wait()
        kept = self._folder.find(name)
        error = kept.progress.error if kept is not None else ""
        state = "done" if code == 0 else "cancelled" if self._cancelled else "failed"
        if state == "failed" and not error:
            ending = tell_ending(code)
            error = f"{ending.cause}\n  remedy: {ending.remedy} (study.log and study.out in the run folder)"
        self._write(name, StudyState(state, began, now_text(), error if state == "failed" else ""))
        _log.info("study over", id=name, state=state, error=error)

    def _write(self, name: str, state: StudyState) -> None:
        try:
            self._folder.write(name, records.STATE_FILE, state)
        except StudyError as error:
            _log.error("the state of a study cannot be written", id=name, error=str(error))


def _installed() -> tuple[str, ...]:
    """Built-in scenarios whose package is there."""
    if "builtin" not in _found:
        from civicbrain.core.errors import ImportFailedError
        from civicbrain.twin.importing.builtin import RESCO_NAMES, find_builtin  # slow to import

        names = []
        for name in RESCO_NAMES:
            with contextlib.suppress(ImportFailedError):
                find_builtin(name)
                names.append(name)
        _found["builtin"] = tuple(names)
    return _found["builtin"]


_found: dict[str, tuple[str, ...]] = {}


def _title(city: City, asked: StudyAsked) -> str:
    names = [city.name if name == RUNNING_CITY else name for name in asked.scenarios]
    return f"{', '.join(names)}: {' / '.join(asked.controls)}"
