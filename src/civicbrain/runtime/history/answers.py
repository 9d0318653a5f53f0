"""What the history process answers to each `Ask`."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import duckdb
import structlog

from civicbrain.city.model import City
from civicbrain.contracts.wire import Reply
from civicbrain.core.errors import CivicBrainError, ConfigurationError, HistoryError, NotFoundError
from civicbrain.runtime.history import layout
from civicbrain.runtime.history.indicators import INDICATORS
from civicbrain.runtime.history.names import Names
from civicbrain.runtime.history.playback import read_moments
from civicbrain.runtime.history.queries import History
from civicbrain.runtime.history.run_state import read_run_state
from civicbrain.runtime.history.usual import read_usual
from civicbrain.runtime.history.wire import Ask, Catalogue, IndicatorEntry, Kept, RunEntry, SeriesEntry

MOST_SERIES_TOLD = 5_000

_log = structlog.get_logger("civicbrain.runtime.history")


def reply_to(ask: Ask, history: History, city: City, within_s: float) -> Reply:
    """Never raises. A question that takes longer than within_s is broken off."""
    timer = threading.Timer(within_s, history.interrupt)
    timer.start()
    try:
        return Reply(ok=True, body=_answer(ask, history, city))
    except duckdb.InterruptException:
        remedy = "ask for a shorter window, fewer places or a coarser resolution"
        return Reply(False, error=f"the answer took longer than {within_s:g} s; {remedy}", kind="refused")
    except CivicBrainError as error:  # without its place: who asks from elsewhere has no use for our paths
        return Reply(False, error=f"{error.message}; {error.remedy}", kind=_kind(error))
    except Exception:
        _log.exception("a question failed", action=ask.action)
        return Reply(ok=False, error="the question failed; history.log says why", kind="unavailable")
    finally:
        timer.cancel()


def _answer(ask: Ask, history: History, city: City) -> object:
    if ask.action == "ask" and ask.question is not None:
        return history.ask(ask.question)
    if ask.action == "catalogue":
        return read_catalogue(history, ask.run)
    if ask.action == "moments" and ask.start is not None:
        return read_moments(history, city, ask.start, ask.seconds, ask.run)
    if ask.action == "usual" and ask.start is not None:
        return read_usual(history, ask.start, ask.properties)
    raise ConfigurationError(
        f"there is no action {ask.action[:40]!r}", remedy="ask, catalogue, moments or usual"
    )


def read_catalogue(history: History, run: int = 0) -> Catalogue:
    """What can be asked of a run, the newest for 0. Raises HistoryError."""
    names = Names.read(history.folder)
    folder = history.run(run)
    kept = []
    for resolution, table, _ in layout.each_table(folder):
        extent = history.extent(folder, resolution, table)
        if extent is not None:
            kept.append(Kept(resolution.value, table.name, *extent))
    runs = []
    for one in layout.list_runs(history.folder):
        state = read_run_state(one)
        newest, written_at = (
            (datetime.fromtimestamp(state.newest_s, UTC), datetime.fromtimestamp(state.written_at, UTC))
            if state
            else (None, None)
        )
        runs.append(RunEntry(int(one.name), newest, written_at))
    return Catalogue(
        run=int(folder.name),
        indicators=[IndicatorEntry(i.name, i.unit, i.title, [t.name for t in i.tables]) for i in INDICATORS],
        series=[SeriesEntry(*key) for key in names.series[:MOST_SERIES_TOLD]],
        series_count=len(names.series),
        kept=kept,
        runs=runs,
    )


def _kind(error: CivicBrainError) -> str:
    if isinstance(error, NotFoundError):
        return "not-found"
    return "refused" if isinstance(error, (ConfigurationError, HistoryError)) else "unavailable"
