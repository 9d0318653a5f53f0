"""Asking the files: any indicator, any place, any window, at the step that suits it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from civicbrain.city.model import City
from civicbrain.core.errors import ConfigurationError, HistoryError, NotFoundError
from civicbrain.core.time import require_aware
from civicbrain.runtime.history import layout
from civicbrain.runtime.history.indicators import Indicator, get_indicator
from civicbrain.runtime.history.layout import (
    SECOND_SIGNALS,
    SERIES,
    Period,
    Resolution,
    Table,
    file_of,
    list_periods,
    table_folder,
    without_covered,
)
from civicbrain.runtime.history.names import Names
from civicbrain.runtime.history.question import Answer, Place, Question, find_place
from civicbrain.runtime.history.storage import over, reading, retried

GOOD_POINTS = 1_000
"""`auto` takes the finest step with at most so many points: about what a chart can show."""

MOST_POINTS = 50_000
MOST_VALUES = 200_000
"""Points times rows of an answer."""

FIRST_YEAR, LAST_YEAR = 1970, 2199

_MINUTE_S = 60


@dataclass(frozen=True)
class Source:
    """Files of one step of time to read, with their rows' step."""

    resolution: Resolution
    files: list[Path]


class History:
    """Reads one history folder; may be used while it is being written. One thread a cursor."""

    def __init__(self, folder: Path, engine: duckdb.DuckDBPyConnection, city: City | None = None) -> None:
        self.folder, self._engine, self._city = folder, engine, city
        self._running: duckdb.DuckDBPyConnection | None = None

    def ask(self, question: Question, names: Names | None = None) -> Answer:
        """Raises ConfigurationError for a question that makes no sense, NotFoundError for what there is not,
        HistoryError when it asks for too much."""
        names = names or Names.read(self.folder)
        start, end = require_aware(question.start), require_aware(question.end)
        if not FIRST_YEAR <= start.year <= end.year <= LAST_YEAR:
            raise ConfigurationError(
                "the window lies outside time as we know it",
                remedy=f"give times from {FIRST_YEAR} to {LAST_YEAR}",
            )
        if not start < end:
            raise ConfigurationError("the window is empty", remedy="give an end that is later than the start")
        run = self.run(question.run)
        place = find_place(question, self._city, names)
        resolution = self._resolution(question, run, place)
        step_s = resolution.seconds
        first = math.floor(start.timestamp() / step_s)
        last = math.ceil(end.timestamp() / step_s)
        rows = len(place.numbers) if question.each else 1
        if last - first > MOST_POINTS or (last - first) * rows > MOST_VALUES:
            raise HistoryError(
                f"the answer would have {last - first} steps of {resolution} for {rows} rows",
                remedy="ask for a shorter window, a coarser resolution or fewer places "
                f"(at most {MOST_POINTS} steps, {MOST_VALUES} values)",
            )
        indicator = _series_indicator(question, names, place) if place.table is SERIES else (
            get_indicator(question.indicator))  # fmt: skip
        if place.table is not SERIES and place.table not in indicator.tables:
            raise ConfigurationError(
                f"{indicator.name} is not known of a {place.table.name}",
                remedy="ask for a junction or the city",
            )
        found = retried(lambda: self._fetch(indicator, place, run, resolution, first, last, question.each))
        return _answer(indicator, place, question.each, run, resolution, first, last, found)

    def run(self, number: int = 0) -> Path:
        """The folder of a run, the newest for 0. Raises NotFoundError."""
        runs = layout.list_runs(self.folder)
        chosen = [run for run in runs if int(run.name) == number] if number else runs[-1:]
        if not chosen:
            raise NotFoundError(
                f"there is no run {number}" if number else "nothing has been written yet",
                place=str(self.folder),
                remedy=f"there are the runs 1 to {int(runs[-1].name)}"
                if runs
                else "wait for a minute to pass",
            )
        return chosen[0]

    def fetch(self, query: str) -> dict[str, NDArray[Any]]:
        """Columns of a query over our own files."""
        with self._engine.cursor() as cursor:
            self._running = cursor
            try:
                return cursor.execute(query).fetchnumpy()
            finally:
                self._running = None

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of one's own to the engine."""
        return self._engine.cursor()

    def interrupt(self) -> None:
        """Break off the query that runs, from another thread; it raises duckdb.InterruptException."""
        if (running := self._running) is not None:
            running.interrupt()

    def extent(self, run: Path, resolution: Resolution, table: Table) -> tuple[datetime, datetime] | None:
        """From the first to the end of the last file of a table, None where there is none."""
        periods = list_periods(table_folder(run, resolution, table))
        if not periods:
            return None
        ends = periods[0].start_min, max(period.end_min for period in periods)
        return datetime.fromtimestamp(ends[0] * 60, UTC), datetime.fromtimestamp(ends[1] * 60, UTC)

    def _resolution(self, question: Question, run: Path, place: Place) -> Resolution:
        if question.resolution != "auto":
            try:
                return Resolution(question.resolution)
            except ValueError as error:
                raise ConfigurationError(
                    f"no resolution {question.resolution[:20]!r}",
                    remedy=f"use auto, {', '.join(Resolution)}",
                ) from error
        seconds = (question.end - question.start).total_seconds()
        rows = len(place.numbers) if question.each else 1
        for resolution, coarser in (
            (Resolution.MINUTE, Resolution.QUARTER),
            (Resolution.QUARTER, Resolution.HOUR),
        ):
            points = seconds / resolution.seconds
            small = points <= GOOD_POINTS and points * rows <= MOST_VALUES
            if small and not self._deleted(run, place.table, resolution, coarser, question.start):
                return resolution
        return Resolution.HOUR

    def _deleted(
        self, run: Path, table: Table, fine: Resolution, coarse: Resolution, start: datetime
    ) -> bool:
        """Whether the fine step's retention has passed at start, while the coarse one's has not."""
        of_fine, of_coarse = self.extent(run, fine, table), self.extent(run, coarse, table)
        return of_coarse is not None and (of_fine is None or max(start, of_coarse[0]) < of_fine[0])

    def sources(
        self, run: Path, resolution: Resolution, table: Table, first_s: float, end_s: float
    ) -> list[Source]:
        """The files that hold a window: those of the resolution, and minutes where they do not reach yet."""
        low, high = math.floor(first_s / 60), math.ceil(end_s / 60)

        def within(periods: list[Period]) -> list[Period]:
            return [p for p in without_covered(periods) if p.start_min < high and p.end_min > low]

        folder = table_folder(run, resolution, table)
        periods = within(list_periods(folder))
        sources = [Source(resolution, [file_of(folder, period) for period in periods])]
        if resolution in layout.ROLLED:
            fine = table_folder(run, Resolution.MINUTE, table)
            rest = [p for p in within(list_periods(fine)) if not any(rolled.covers(p) for rolled in periods)]
            sources.append(Source(Resolution.MINUTE, [file_of(fine, period) for period in rest]))
        return [source for source in sources if source.files]

    def _fetch(self, indicator: Indicator, place: Place, run: Path, resolution: Resolution, first: int,
               last: int, each: bool) -> dict[str, NDArray[Any]]:  # fmt: skip
        raw = resolution is Resolution.SECOND
        table = SECOND_SIGNALS if raw else place.table
        if raw and not (indicator.raw and place.table is layout.JUNCTION):
            raise ConfigurationError(
                f"raw seconds do not hold {indicator.name} of a {place.table.name}",
                remedy="ask for queue_veh of a junction, or for 1min",
            )
        step_s = resolution.seconds
        sources = self.sources(run, resolution, table, first * step_s, last * step_s)
        if not sources:
            return {}
        together = place.together >= 0 and not each and not raw
        which = [place.together] if together else place.numbers
        unit_s = 1 if raw else _MINUTE_S
        step = step_s // unit_s
        where = (
            f"{table.time} >= {first * step} AND {table.time} < {last * step} "
            f"AND {table.key} BETWEEN {min(which)} AND {max(which)}"
        )
        if len(which) < max(which) - min(which) + 1:
            where += f" AND {table.key} IN ({', '.join(map(str, which))})"
        rows = " UNION ALL ".join(
            _rows(indicator, table, source, resolution, step, where) for source in sources
        )
        return self.fetch(_together(indicator, rows, each))


def _rows(indicator: Indicator, table: Table, source: Source, resolution: Resolution, step: int,
          where: str) -> str:  # fmt: skip
    """SQL of one row a step and entity: bucket, entity, numerator, denominator, highest, p95."""
    if resolution is Resolution.SECOND:
        parts = [f"{table.time}", table.key, indicator.raw, "1", "NULL", "NULL"]
        group = ""
    else:
        parts = [f"{table.time} // {step}", table.key, indicator.numerator, indicator.denominator,
                 indicator.highest or "NULL", indicator.p95 or "NULL"]  # fmt: skip
        group = ""
        if source.resolution is not resolution:
            how = ["", "", "sum", "sum", "max", "p95"]
            parts = [over(h, p) if h and p != "NULL" else p for h, p in zip(how, parts, strict=True)]
            group = " GROUP BY 1, 2"
    named = ", ".join(
        f"{part} AS {name}"
        for part, name in zip(parts, ("bucket", "entity", "num", "den", "hi", "p"), strict=True)
    )
    return f"SELECT {named} FROM {reading(source.files)} WHERE {where}{group}"  # noqa: S608 - our own names


def _together(indicator: Indicator, rows: str, each: bool) -> str:
    ratio = "num::DOUBLE / nullif(den, 0)"
    mean = f"sum({ratio})" if indicator.adds_up else "sum(num)::DOUBLE / nullif(sum(den), 0)"
    by = "entity, bucket" if each else "bucket"
    return (
        f"SELECT {by}, {indicator.factor} * {mean} AS mean, max(hi)::DOUBLE AS highest, "  # noqa: S608
        f"max(p)::DOUBLE AS p95, count(*) AS observed FROM ({rows}) GROUP BY ALL"
    )


def _series_indicator(question: Question, names: Names, place: Place) -> Indicator:
    unit = names.series[place.numbers[0]][3]
    return Indicator(
        question.indicator, unit, f"{question.indicator} of {question.entity}", "total", "samples",
        highest="highest", tables=(SERIES,),
    )  # fmt: skip


def _answer(indicator: Indicator, place: Place, each: bool, run: Path, resolution: Resolution, first: int,
            last: int, found: dict[str, NDArray[Any]]) -> Answer:  # fmt: skip
    ids = place.ids if each else [""]
    shape = (len(ids), last - first)
    columns = {name: np.full(shape, np.nan) for name in ("mean", "highest", "p95")}
    observed = np.zeros(shape, np.int64)
    if found:
        step = found["bucket"].astype(np.int64) - first
        row = np.zeros(len(step), np.int64)
        if each:
            row_of = np.full(max(place.numbers) + 1, -1)
            row_of[place.numbers] = np.arange(len(ids))
            row = row_of[found["entity"]]
        for name, column in columns.items():
            column[row, step] = np.ma.filled(np.ma.asarray(found[name], np.float64), np.nan)
        observed[row, step] = found["observed"]
    raw = resolution is Resolution.SECOND
    asked = 1 if each or (place.together >= 0 and not raw) else len(place.numbers)
    return Answer(
        indicator=indicator.name, unit=indicator.unit, title=indicator.title, run=int(run.name),
        resolution=resolution.value, step_s=resolution.seconds,
        start=datetime.fromtimestamp(first * resolution.seconds, UTC),
        asked=asked, ids=ids, mean=_listed(columns["mean"]),
        highest=_listed(columns["highest"]) if indicator.highest and not raw else [],
        p95=_listed(columns["p95"]) if indicator.p95 and not raw else [],
        observed=observed.tolist(),
    )  # fmt: skip


def _listed(values: NDArray[np.float64]) -> list[list[float | None]]:
    rounded = np.round(values, 4)
    known = np.isfinite(rounded)
    return [
        [value if good else None for value, good in zip(line, seen, strict=True)]
        for line, seen in zip(rounded.tolist(), known.tolist(), strict=True)
    ]
