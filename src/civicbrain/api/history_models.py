"""What the API says of the past, as types (see `models.py`)."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class HistoryIndicator(Struct, frozen=True):
    """places: whether it is known of a junction, of a lane."""

    name: str
    unit: str
    title: str
    places: list[str]


class HistorySeries(Struct, frozen=True):
    """A number with a name: asked for as an indicator, with its entity."""

    source: str
    entity: str
    property: str
    unit: str


class HistoryKept(Struct, frozen=True):
    """What there is of one table (junction, lane, series, signals, vehicles) at one resolution."""

    resolution: str
    table: str
    start: datetime
    end: datetime


class HistoryRun(Struct, frozen=True):
    """A stretch of time that never goes back. newest: its last second; written_at: the wall clock then."""

    number: int
    newest: datetime | None
    written_at: datetime | None


class HistoryCatalogue(Struct, frozen=True):
    """What history can be asked. series: at most 5,000 of series_count."""

    run: int
    indicators: list[HistoryIndicator]
    series: list[HistorySeries]
    series_count: int
    kept: list[HistoryKept]
    runs: list[HistoryRun]


class HistoryAnswer(Struct, frozen=True):
    """One list an id (a single "" for all together), one entry a step from `start` on; null: nothing was
    observed. highest, p95: of one junction or lane, the largest where there are several; empty where the
    indicator has none. observed: how many of `asked` had data."""

    indicator: str
    unit: str
    title: str
    run: int
    resolution: str
    step_s: int
    start: datetime
    asked: int
    ids: list[str]
    mean: list[list[float | None]]
    highest: list[list[float | None]]
    p95: list[list[float | None]]
    observed: list[list[int]]


class HistoryHealth(Struct, frozen=True):
    """The history process. time_s: newest second it has. failed: files that could not be written, last_error:
    why, empty while all is well. shed: what found no room on its way there, by source."""

    answering: bool
    age_s: float | None
    run: int = 0
    time_s: float | None = None
    minutes: int = 0
    rows: int = 0
    disk_bytes: int = 0
    observations: int = 0
    late: int = 0
    failed: int = 0
    last_error: str = ""
    shed: dict[str, int] = {}
