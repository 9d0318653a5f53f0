"""What priority wins for buses and what it costs, over all runs of one scenario.

Lateness: at every stop but a trip's first, seconds behind the timetable at the departure, 0 where early. A
stop that the timetable has before the window's end and that the bus had not left by then counts with what it
was late at the end, so that a bus that stands still is no gain. Irregularity: at the same stops of frequent
patterns, the absolute difference between the real headway and the scheduled one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from civicbrain.city.network import F64
from civicbrain.evaluate.transit.run import BusRecord, TransitRunRecord

PAIRS = (("plan+priority", "plan"), ("signals+priority", "signals"))
_RESAMPLES = 2000

Trips = dict[tuple[int, str], tuple[float, int]]
"""(seed, trip) -> (sum of seconds, stops)."""


def summarise_transit(runs: Sequence[TransitRunRecord], end_s: float) -> dict[str, Any]:
    """JSON-able figures. end_s: end of the window. pairs: "with / without" -> ratios of the means over the
    same trips of the same seeds, with 95 % bootstrap intervals over trips."""
    arms = list(dict.fromkeys(run.arm for run in runs))
    of = {arm: [run for run in runs if run.arm == arm] for arm in arms}
    pairs = {}
    for with_, without in PAIRS:
        seeds = {run.seed for run in of.get(with_, [])} & {run.seed for run in of.get(without, [])}
        if seeds:
            sides = [[run for run in of[arm] if run.seed in seeds] for arm in (with_, without)]
            pairs[f"{with_} / {without}"] = _pair(sides[0], sides[1], end_s)
    return {
        "seeds": sorted({run.seed for run in runs}),
        "arms": {arm: _arm(own, end_s) for arm, own in of.items()},
        "pairs": pairs,
    }


def lateness(runs: Sequence[TransitRunRecord], end_s: float) -> Trips:
    """Of every trip with a stop that counts."""
    result: Trips = {}
    for run in runs:
        for bus in run.buses:
            late_s = [s for s in map(_late_s, _stops(bus), [end_s] * len(bus.left_s)) if s is not None]
            if late_s:
                result[run.seed, bus.trip] = (sum(late_s), len(late_s))
    return result


def irregularity(runs: Sequence[TransitRunRecord]) -> Trips:
    """Of every trip of a frequent pattern that has another in front."""
    result: Trips = {}
    for run in runs:
        by_pattern: dict[str, list[BusRecord]] = {}
        for bus in run.buses:
            if bus.frequent:
                by_pattern.setdefault(bus.pattern, []).append(bus)
        for buses in by_pattern.values():
            buses.sort(key=lambda bus: bus.scheduled_s[0] + bus.entry_late_s)
            for leader, bus in pairwise(buses):
                gaps = [
                    abs((own - front) - (due - due_front))
                    for (own, due), (front, due_front) in zip(_stops(bus), _stops(leader), strict=True)
                    if own is not None and front is not None
                ]
                if gaps:
                    result[run.seed, bus.trip] = (sum(gaps), len(gaps))
    return result


def _stops(bus: BusRecord) -> list[tuple[float | None, float]]:
    return list(zip(bus.left_s, bus.scheduled_s, strict=True))[1:]


def _late_s(stop: tuple[float | None, float], end_s: float) -> float | None:
    left_s, due_s = stop
    if left_s is None:
        return end_s - due_s if due_s < end_s else None
    return max(0.0, left_s - due_s)


def _arm(runs: Sequence[TransitRunRecord], end_s: float) -> dict[str, Any]:
    late, uneven = lateness(runs, end_s), irregularity(runs)
    asks: dict[str, int] = {}
    for run in runs:
        for name, count in run.asks.items():
            asks[name] = asks.get(name, 0) + count
    return {
        "buses": sum(len(run.buses) for run in runs),
        "late_s": _round(_mean(late)),
        "irregularity_s": _round(_mean(uneven)),
        "bus_time_loss_s": _round(
            float(np.mean([b.time_loss_s for run in runs for b in run.buses] or [0.0]))
        ),
        "others_delay_s": round(float(np.mean([run.others_delay_s for run in runs])), 2),
        "unsafe_states": sum(run.unsafe_states for run in runs),
        "collisions": sum(run.collisions for run in runs),
        "asks": dict(sorted(asks.items())),
        "positions_refused": sum(sum(run.positions_refused.values()) for run in runs),
        "cpu_s": round(float(np.mean([run.cpu_s for run in runs])), 1),
    }


def _pair(
    with_: Sequence[TransitRunRecord], without: Sequence[TransitRunRecord], end_s: float
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "late": _ratio(lateness(with_, end_s), lateness(without, end_s)),
        "irregularity": _ratio(irregularity(with_), irregularity(without)),
    }
    lost = [sum(run.others_delay_s * run.others_due for run in side) for side in (with_, without)]
    result["others_delay"] = round(lost[0] / lost[1], 4) if lost[1] > 0.0 else None
    result["others_delay_by_seed"] = [
        round(a.others_delay_s / b.others_delay_s, 4)
        for a, b in zip(sorted(with_, key=_seed), sorted(without, key=_seed), strict=True)
        if b.others_delay_s > 0.0
    ]
    return result


def _seed(run: TransitRunRecord) -> int:
    return run.seed


def _ratio(with_: Trips, without: Trips) -> dict[str, Any] | None:
    keys = sorted(with_.keys() & without.keys())
    if not keys:
        return None
    sums = np.array([(*with_[key], *without[key]) for key in keys], np.float64)
    if sums[:, 2].sum() <= 0.0:
        return None
    picks = np.random.default_rng(1).integers(0, len(keys), (_RESAMPLES, len(keys)))
    low, high = np.quantile(_of(sums[picks].sum(axis=1)), [0.025, 0.975])
    return {
        "trips": len(keys),
        "ratio": _round(float(_of(sums.sum(axis=0)[None, :])[0]), 3),
        "ci95": [_round(float(low), 3), _round(float(high), 3)],
    }


def _of(sums: F64) -> F64:
    """(n, 4) sums and counts of both sides -> (n,) ratio of the means."""
    base = np.maximum(sums[:, 2] / np.maximum(sums[:, 3], 1.0), 1e-9)
    result: F64 = sums[:, 0] / np.maximum(sums[:, 1], 1.0) / base
    return result


def _mean(trips: Trips) -> float | None:
    count = sum(stops for _, stops in trips.values())
    return sum(seconds for seconds, _ in trips.values()) / count if count else None


def _round(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
