"""What the brain process tells the history process: samples of the state and batches of observations.

One-way messages on `history.in` (PUSH -> PULL), two frames: topic, msgpack body (`contracts/wire.py`).
"""

from __future__ import annotations

import msgspec

from civicbrain.contracts.wire import Array

SAMPLE_TOPIC, SERIES_TOPIC, BATCH_TOPIC = b"sample", b"series", b"batch"


class Sample(msgspec.Struct, frozen=True):
    """What was known after one tick. v vehicles seen, n lanes, j junctions, g city-wide groups.

    run: counts the twin's windows. age_s: seconds since each lane was last seen (inf: never). Vehicles carry
    no number: nothing tells that two rows of different seconds were one vehicle. city: city-wide indicators
    by name. staleness_s: by source.
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
