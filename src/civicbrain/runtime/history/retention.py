"""How long what is kept, and how much disk it may take. Applied at the start and after each minute, and each
half minute of wall time when nothing is written.

Age is counted on the city's clock, and on the wall clock when the city's stands still or has ended. A file
goes when all of it is past its time: vehicles by the minute, raw signals by the hour, the rest by the day.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from civicbrain.runtime.history import layout
from civicbrain.runtime.history.layout import (
    SECOND_VEHICLES,
    SUFFIX,
    Period,
    file_of,
    list_periods,
)
from civicbrain.runtime.history.limits import Limits
from civicbrain.runtime.history.run_state import read_run_state


def enforce(folder: Path, limits: Limits, wall_s: float, current: Path | None = None) -> int:
    """Delete what is past its time, then the oldest of the finest until the rest fits; returns how many files
    went. wall_s: seconds since 1970. current: the run that is being written; its folder stays."""
    deleted = 0
    runs = layout.list_runs(folder)
    for run in runs:
        now_min = _now_min(run, wall_s)
        for resolution, table, of_table in layout.each_table(run):
            expired = now_min - limits.kept_min(resolution, table)
            for period in list_periods(of_table):
                if period.end_min <= expired:
                    deleted += _delete(file_of(of_table, period))
        if run != current and not any(run.rglob("*" + SUFFIX)):
            shutil.rmtree(run, ignore_errors=True)
    return deleted + _shrink(folder, limits.most_bytes)


def disk_bytes(folder: Path) -> int:
    """Size of all files of the history."""
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if file.is_file():
                total += file.stat().st_size
    return total


def _now_min(run: Path, wall_s: float) -> float:
    """The city's clock of a run, gone on with the wall's since it was last written."""
    state = read_run_state(run)
    if state is None:  # killed before its first minute was over
        ends = [p.end_min for _, _, folder in layout.each_table(run) for p in list_periods(folder)]
        return max(ends, default=0)
    return (state.newest_s + max(0.0, wall_s - state.written_at)) / 60


def _shrink(folder: Path, most_bytes: int) -> int:
    total = disk_bytes(folder)
    if total <= most_bytes:
        return 0
    order: list[tuple[int, int, Period, Path]] = []
    for run in layout.list_runs(folder):
        for resolution, table, of_table in layout.each_table(run):
            first = -1 if table is SECOND_VEHICLES else resolution.seconds
            order += [(first, int(run.name), p, file_of(of_table, p)) for p in list_periods(of_table)]
    deleted = 0
    for *_, file in sorted(order, key=lambda entry: entry[:3]):
        if total <= most_bytes:
            break
        with contextlib.suppress(FileNotFoundError):
            total -= file.stat().st_size
        deleted += _delete(file)
    return deleted


def _delete(file: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        file.unlink()
        return 1
    return 0
