"""The answer to a what-if: indicators with and without the change, and the difference, each with a band.

Futures come in pairs: same seed, same draw of the demand, with and without the change. Bands are 95 %
intervals of the mean (Student), those of differences of the pairs (`science/statistics.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec
import numpy as np

from civicbrain.city.model import City
from civicbrain.city.whatif import Question
from civicbrain.science.statistics import Estimate, estimate_mean, estimate_paired_difference
from civicbrain.twin.whatif.figures import FutureFigures

MOST_EDGES = 40
"""Edges shown: those whose delay changes most."""


class Band(msgspec.Struct, frozen=True):
    """low, high: None where there is only one pair."""

    mean: float
    low: float | None = None
    high: float | None = None


class Indicator(msgspec.Struct, frozen=True):
    """One figure of the whole city. better: "less" or "more". agreeing: how many pairs differ the way their
    mean does, None where an older answer did not count them."""

    name: str
    unit: str
    better: str
    against: Band
    change: Band
    difference: Band
    agreeing: int | None = None


class PlaceDifference(msgspec.Struct, frozen=True):
    """Delay at a junction's approaches or on an edge over the horizon, vehicle hours."""

    id: str
    against_veh_h: float
    change_veh_h: float
    difference: Band


class Course(msgspec.Struct, frozen=True):
    """One figure of the whole city, minute by minute. better: "less" or "more".

    queue: vehicles queued at the end of the minute (`FutureFigures.queue_veh`). throughput: vehicles that
    arrived in the minute, an hour of it. lost: time lost on the street since the beginning.
    """

    name: str
    unit: str
    better: str
    time_s: tuple[float, ...]
    against: tuple[Band, ...]
    change: tuple[Band, ...]
    difference: tuple[Band, ...]


class WhatIfAnswer(msgspec.Struct, frozen=True):
    """from_s, to_s: platform seconds. model: "micro" or "meso". pairs: of futures so far. junctions, edges:
    largest difference first. notes: what the reader must know. timing_s: wall seconds by part. demand_end_s:
    when the scenario's demand ends, where that is before to_s: nobody sets out any more from then on."""

    city: str
    question: Question
    control: str
    model: str
    from_s: float
    to_s: float
    vehicles: int
    pairs: int
    indicators: tuple[Indicator, ...]
    courses: tuple[Course, ...]
    junctions: tuple[PlaceDifference, ...]
    edges: tuple[PlaceDifference, ...]
    diverted: float
    notes: tuple[str, ...]
    timing_s: dict[str, float]
    demand_end_s: float | None = None

    def get(self, name: str) -> Indicator:
        """An indicator by its name."""
        return next(one for one in self.indicators if one.name == name)

    def get_course(self, name: str) -> Course:
        """A course by its name."""
        return next(one for one in self.courses if one.name == name)


_INDICATORS: tuple[tuple[str, str, str, Callable[[FutureFigures], float]], ...] = (
    ("mean_delay", "s", "less", lambda f: f.delay_veh_s / max(f.vehicles, 1)),
    ("time_spent", "veh·h", "less", lambda f: f.time_spent_veh_s / 3600.0),
    ("arrived", "veh", "more", lambda f: float(f.arrived)),
    ("undeparted", "veh", "less", lambda f: float(f.undeparted)),
    ("queue_end", "veh", "less", lambda f: f.queue_veh[-1] if f.queue_veh else 0.0),
    ("queue_max", "veh", "less", lambda f: max(f.queue_veh, default=0.0)),
)
"""name, unit, which is better, from what. The mean delay is over all who were on the street or due."""


def make_answer(
    city: City,
    question: Question,
    control: str,
    model: str,
    pairs: Sequence[tuple[FutureFigures, FutureFigures]],
    span_s: tuple[float, float],
    vehicles: int,
    notes: Sequence[str],
    timing_s: dict[str, float],
) -> WhatIfAnswer:
    """Put pairs (against, change) together; at least one."""
    indicators = tuple(
        _indicator(name, unit, better, [of(a) for a, _ in pairs], [of(b) for _, b in pairs])
        for name, unit, better, of in _INDICATORS
    )
    courses = tuple(_course(pairs, *one) for one in _COURSES)
    junctions = _places(
        [junction.id for junction in city.junctions],
        [a.junction_delay_veh_s for a, _ in pairs], [b.junction_delay_veh_s for _, b in pairs],
    )  # fmt: skip
    edges = _places(
        city.network.edges.ids,
        [a.edge_delay_veh_s for a, _ in pairs], [b.edge_delay_veh_s for _, b in pairs],
    )  # fmt: skip
    return WhatIfAnswer(
        city.name, question, control, model, span_s[0], span_s[1], vehicles, len(pairs), indicators, courses,
        junctions, edges[:MOST_EDGES], float(np.mean([b.diverted for _, b in pairs])), tuple(notes), timing_s,
        city.demand.end_s if city.demand.end_s < span_s[1] else None,
    )  # fmt: skip


def _indicator(
    name: str, unit: str, better: str, against: Sequence[float], change: Sequence[float]
) -> Indicator:
    differences = np.subtract(change, against)
    agreeing = int((np.sign(differences) == np.sign(differences.mean())).sum())
    return Indicator(name, unit, better, *_bands(against, change), agreeing)


def _per_hour(arrivals: Sequence[int]) -> list[float]:
    """Arrivals so far, minute by minute -> vehicles an hour in each minute."""
    return [60.0 * (now - before) for before, now in pairwise((0, *arrivals))]


_COURSES: tuple[tuple[str, str, str, Callable[[FutureFigures], Sequence[float]]], ...] = (
    ("queue", "veh", "less", lambda f: f.queue_veh),
    ("throughput", "veh/h", "more", lambda f: _per_hour(f.arrivals)),
    ("lost", "veh·h", "less", lambda f: f.lost_veh_h),
)


def _course(
    pairs: Sequence[tuple[FutureFigures, FutureFigures]],
    name: str,
    unit: str,
    better: str,
    of: Callable[[FutureFigures], Sequence[float]],
) -> Course:
    told = [(of(a), of(b)) for a, b in pairs]
    minutes = min(len(series) for pair in told for series in pair)
    rows = [_bands([a[i] for a, _ in told], [b[i] for _, b in told]) for i in range(minutes)]
    times = pairs[0][0].series_time_s[:minutes]
    against, change, difference = (tuple(row[k] for row in rows) for k in range(3))
    return Course(name, unit, better, times, against, change, difference)


def _places(
    ids: Sequence[str], against: Sequence[Sequence[float]], change: Sequence[Sequence[float]]
) -> tuple[PlaceDifference, ...]:
    a, b = np.array(against) / 3600.0, np.array(change) / 3600.0  # (pairs, places)
    mean = (b - a).mean(axis=0)
    order = np.argsort(-np.abs(mean), kind="stable")
    return tuple(
        PlaceDifference(
            ids[row], round(float(a[:, row].mean()), 3), round(float(b[:, row].mean()), 3),
            _band(estimate_paired_difference(b[:, row].tolist(), a[:, row].tolist())),
        )
        for row in order.tolist()
    )  # fmt: skip


def _bands(against: Sequence[float], change: Sequence[float]) -> tuple[Band, Band, Band]:
    return (
        _band(estimate_mean(against)),
        _band(estimate_mean(change)),
        _band(estimate_paired_difference(change, against)),
    )


def _band(estimate: Estimate) -> Band:
    low, high = estimate.interval or (None, None)
    return Band(round(estimate.mean, 3), _round(low), _round(high))


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
