"""The answer to a what-if: indicators with and without the change, and the difference, each with a band.

Futures come in pairs: same seed, same draw of the demand, with and without the change. Bands are 95 %
intervals of the mean (Student), those of differences of the pairs (`science/statistics.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
    """One figure of the whole city. better: "less" or "more"."""

    name: str
    unit: str
    better: str
    against: Band
    change: Band
    difference: Band


class PlaceDifference(msgspec.Struct, frozen=True):
    """Delay at a junction's approaches or on an edge over the horizon, vehicle hours."""

    id: str
    against_veh_h: float
    change_veh_h: float
    difference: Band


class Course(msgspec.Struct, frozen=True):
    """Vehicles queued, minute by minute (`FutureFigures.queue_veh`)."""

    time_s: tuple[float, ...]
    against: tuple[Band, ...]
    change: tuple[Band, ...]
    difference: tuple[Band, ...]


class WhatIfAnswer(msgspec.Struct, frozen=True):
    """from_s, to_s: platform seconds. model: "micro" or "meso". pairs: of futures so far. junctions, edges:
    largest difference first. notes: what the reader must know. timing_s: wall seconds by part."""

    city: str
    question: Question
    control: str
    model: str
    from_s: float
    to_s: float
    vehicles: int
    pairs: int
    indicators: tuple[Indicator, ...]
    course: Course
    junctions: tuple[PlaceDifference, ...]
    edges: tuple[PlaceDifference, ...]
    diverted: float
    notes: tuple[str, ...]
    timing_s: dict[str, float]

    def get(self, name: str) -> Indicator:
        """An indicator by its name."""
        return next(one for one in self.indicators if one.name == name)


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
        Indicator(name, unit, better, *_bands([of(a) for a, _ in pairs], [of(b) for _, b in pairs]))
        for name, unit, better, of in _INDICATORS
    )
    minutes = min(len(f.queue_veh) for pair in pairs for f in pair)
    rows = [
        _bands([a.queue_veh[i] for a, _ in pairs], [b.queue_veh[i] for _, b in pairs]) for i in range(minutes)
    ]
    course = Course(
        pairs[0][0].series_time_s[:minutes],
        tuple(row[0] for row in rows), tuple(row[1] for row in rows), tuple(row[2] for row in rows),
    )  # fmt: skip
    junctions = _places(
        [junction.id for junction in city.junctions],
        [a.junction_delay_veh_s for a, _ in pairs], [b.junction_delay_veh_s for _, b in pairs],
    )  # fmt: skip
    edges = _places(
        city.network.edges.ids,
        [a.edge_delay_veh_s for a, _ in pairs], [b.edge_delay_veh_s for _, b in pairs],
    )  # fmt: skip
    return WhatIfAnswer(
        city.name, question, control, model, span_s[0], span_s[1], vehicles, len(pairs), indicators, course,
        junctions, edges[:MOST_EDGES], float(np.mean([b.diverted for _, b in pairs])), tuple(notes), timing_s,
    )  # fmt: skip


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
