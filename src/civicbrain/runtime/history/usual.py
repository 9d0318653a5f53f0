"""The usual day: what the city's figures were in this quarter of an hour on earlier days of the same kind.

The median over days of each day's mean over the quarter hour that holds the minute asked about; the same
weekday only. The median, because one demonstration or one broken camera should not become what is usual. A
twin that runs its window again and again writes a run each time: each counts as a day of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from civicbrain.core.errors import NotFoundError
from civicbrain.core.time import require_aware
from civicbrain.runtime.history import layout
from civicbrain.runtime.history.layout import SERIES, Resolution
from civicbrain.runtime.history.names import Names
from civicbrain.runtime.history.queries import History
from civicbrain.runtime.history.storage import reading, retried
from civicbrain.runtime.history.wire import Usual, UsualFigure

MOST_DAYS = 12
"""A quarter of a year of one weekday; older days say less of what is usual now."""

ENTITY = "city"


def read_usual(history: History, at: datetime, properties: tuple[str, ...]) -> Usual:
    """Figures of the entity `city` for the quarter hour of `at`. A property of which nothing is known is left
    out. Raises ConfigurationError for a time without zone."""
    start = require_aware(at).astimezone(UTC)
    start -= timedelta(minutes=start.minute % 15, seconds=start.second, microseconds=start.microsecond)
    try:
        names = Names.read(history.folder)
        newest = history.run()
    except NotFoundError:
        return Usual(start, {})
    numbers = {number: name for name in properties for number in names.find_series(ENTITY, name)}
    found: dict[str, list[float]] = {name: [] for name in properties}
    days = 0
    for run in reversed(layout.list_runs(history.folder)):
        for quarter in _quarters(history, run, start):
            if run == newest and quarter >= start:
                continue  # now is not usual yet
            figures = _figures(history, run, quarter, numbers)
            for name, value in figures.items():
                found[name].append(value)
            days += bool(figures)
            if days >= MOST_DAYS:
                return _told(start, found)
    return _told(start, found)


def _quarters(history: History, run: Path, start: datetime) -> list[datetime]:
    """The same quarter hour on the run's days of the same weekday, newest first."""
    extent = history.extent(run, Resolution.MINUTE, SERIES) or history.extent(run, Resolution.QUARTER, SERIES)
    rolled = history.extent(run, Resolution.QUARTER, SERIES)
    if extent is None:
        return []
    first = min(extent[0], rolled[0]) if rolled else extent[0]
    weeks_back = int((start - extent[1]).total_seconds() // (7 * 86_400)) if extent[1] < start else 0
    quarter = start - timedelta(weeks=max(0, weeks_back))
    while quarter < extent[1]:
        quarter += timedelta(weeks=1)
    found: list[datetime] = []
    while quarter >= first - timedelta(minutes=15) and len(found) <= MOST_DAYS:
        if quarter < extent[1]:
            found.append(quarter)
        quarter -= timedelta(weeks=1)
    return found


def _figures(history: History, run: Path, quarter: datetime, numbers: dict[int, str]) -> dict[str, float]:
    if not numbers:
        return {}
    first_s = quarter.timestamp()
    low, high = int(first_s // 60), int(first_s // 60) + 15
    which = ", ".join(map(str, sorted(numbers)))

    def fetch() -> dict[str, float]:
        sums: dict[str, list[float]] = {}
        for source in history.sources(run, Resolution.QUARTER, SERIES, first_s, first_s + 900.0):
            rows = history.fetch(
                f"SELECT series, sum(total) AS total, sum(samples) AS samples "  # noqa: S608 - our own names
                f"FROM {reading(source.files)} WHERE minute >= {low} AND minute < {high} "
                f"AND series IN ({which}) GROUP BY series"
            )
            for number, total, samples in zip(rows["series"], rows["total"], rows["samples"], strict=True):
                line = sums.setdefault(numbers[int(number)], [0.0, 0.0])
                line[0] += float(total)
                line[1] += float(samples)
        return {name: total / samples for name, (total, samples) in sums.items() if samples > 0}

    result: dict[str, float] = retried(fetch)
    return result


def _told(start: datetime, found: dict[str, list[float]]) -> Usual:
    figures = {
        name: UsualFigure(round(median(values), 4), len(values)) for name, values in found.items() if values
    }
    return Usual(start, figures)
