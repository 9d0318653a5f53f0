"""What the history process is told and asked, and what it says of itself. Sockets as in `contracts/wire.py`:

history.in   PULL    b"sample" Sample, b"series" SeriesList, b"batch" Batch (from the brain process)
history.cmd  ROUTER  Ask -> Reply
history.pub  PUB     b"history" HistoryStatus, once a wall second
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from civicbrain.contracts.wire import Array
from civicbrain.runtime.history.question import Question

SAMPLE_TOPIC, SERIES_TOPIC, BATCH_TOPIC = b"sample", b"series", b"batch"
STATUS_TOPIC = b"history"


class Sample(msgspec.Struct, frozen=True):
    """What was known after one tick. v vehicles seen, n lanes, j junctions, g city-wide groups.

    run: counts the twin's windows. age_s: seconds since each lane was last seen (inf: never). Vehicles carry
    no number: nothing tells that two rows of different seconds were one vehicle. city: city-wide indicators
    by name. staleness_s: by source. shed: what found no room on the way here so far, by source.
    """

    time_s: float
    run: int
    control: str
    lane: Array  # i4 (v,)
    distance_m: Array  # f4 (v,) to the stop line
    speed_mps: Array  # f4 (v,)
    vehicle_class: Array  # u1 (v,)
    observed: Array  # b1 (n,)
    age_s: Array  # f4 (n,)
    lamps: Array  # u1 (g,)
    stage: Array  # i4 (j,)
    mode: Array  # u1 (j,)
    city: dict[str, float] = {}
    staleness_s: dict[str, float] = {}
    shed: dict[str, int] = {}


class Series(msgspec.Struct, frozen=True, array_like=True):
    """One property of one entity as one source tells it. number: by which batches name it."""

    number: int
    source: str
    entity: str
    property: str
    unit: str


class SeriesList(msgspec.Struct, frozen=True):
    """Said before the first batch that uses them, and again now and then for a process that came later."""

    series: tuple[Series, ...]


class Batch(msgspec.Struct, frozen=True):
    """Observations in columns. time_s: end of what was observed, platform seconds."""

    series: Array  # i4 (k,)
    time_s: Array  # f8 (k,)
    value: Array  # f8 (k,)


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """action: "ask" (question) -> Answer | "catalogue" (run) -> Catalogue | "moments" (run, start, seconds)
    -> Moments | "usual" (start, properties) -> Usual. Reply.kind: "refused", "not-found" or "unavailable"."""

    action: str
    question: Question | None = None
    run: int = 0
    start: datetime | None = None
    seconds: int = 0
    properties: tuple[str, ...] = ()


class UsualFigure(msgspec.Struct, frozen=True):
    """value: median over `days` earlier days."""

    value: float
    days: int


class Usual(msgspec.Struct, frozen=True):
    """Figures of the whole city for the quarter hour from `start` on, on earlier days of that weekday."""

    start: datetime
    figures: dict[str, UsualFigure]


class Kept(msgspec.Struct, frozen=True):
    """What there is of one resolution of a table."""

    resolution: str
    table: str
    start: datetime
    end: datetime


class IndicatorEntry(msgspec.Struct, frozen=True):
    name: str
    unit: str
    title: str
    places: list[str]  # "junction", "lane"


class SeriesEntry(msgspec.Struct, frozen=True):
    source: str
    entity: str
    property: str
    unit: str


class RunEntry(msgspec.Struct, frozen=True):
    """newest: its last second, written_at: the wall clock then."""

    number: int
    newest: datetime | None
    written_at: datetime | None


class Catalogue(msgspec.Struct, frozen=True):
    """What can be asked. series: at most 5,000 of them; series_count: of all."""

    run: int
    indicators: list[IndicatorEntry]
    series: list[SeriesEntry]
    series_count: int
    kept: list[Kept]
    runs: list[RunEntry]


class Moment(msgspec.Struct, frozen=True):
    """One second. Rows of junctions, groups and lanes are the city's. Lengths as in `Sample`; stage -1 and
    queue NaN where nothing was known. Vehicles are there as long as the retention of positions lasts."""

    time_s: float
    stage: Array  # i2 (j,)
    mode: Array  # u1 (j,)
    queue_veh: Array  # f4 (j,)
    lamps: Array  # u1 (g,)
    lane: Array  # i4 (v,)
    distance_m: Array  # f4 (v,)
    speed_mps: Array  # f4 (v,)
    vehicle_class: Array  # u1 (v,)


class Moments(msgspec.Struct, frozen=True):
    """Seconds of which something is known, in order; a second that is missing is a gap."""

    run: int
    moments: list[Moment]


class HistoryStatus(msgspec.Struct, frozen=True):
    """time_s: newest sample, platform seconds, None before the first. shed: what found no room, by source
    (observations, or samples under "state"). late: observations whose minute was over. failed: files that
    could not be written, last_error: why, "" while all is well. written_ms: of the last minute."""

    run: int
    time_s: float | None
    samples: int
    observations: int
    minutes: int
    rows: int
    disk_bytes: int
    late: int
    unnamed: int
    odd_samples: int
    failed: int
    last_error: str
    written_ms: float
    shed: dict[str, int] = {}
