"""Lines timed by what they need: the median of observed running times, as operators time them.

A schedule that nobody can keep, or that everybody outruns, would make any priority look good or useless. In a
study each base control therefore gets the timetable that an operator would have made under it: at each stop
the median of the running times of other seeds' runs without priority (medians to 65th percentiles are usual;
TCQSM 3rd ed., TCRP report 165, ch. 6).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from civicbrain.city.transit.timetable import Timetable, Trip

if TYPE_CHECKING:
    from civicbrain.evaluate.transit.run import TransitRunRecord

_STREAM = 6


@dataclass(frozen=True, slots=True)
class LineTimes:
    """Seconds from a trip's first departure to the departure from each stop of a pattern, and the dwell
    before it."""

    pattern: str
    running_s: tuple[float, ...]


def observed_times(runs: Sequence[TransitRunRecord]) -> tuple[LineTimes, ...]:
    """Median running times of every pattern over these runs; patterns without a bus that came through are
    left out. The first departure is the scheduled one, so that waiting for room at the start counts."""
    found: dict[str, list[list[float]]] = {}
    for run in runs:
        for bus in run.buses:
            if all(second is not None for second in bus.left_s):
                start_s = bus.scheduled_s[0] + bus.entry_late_s
                found.setdefault(bus.pattern, []).append(
                    [float(second) - start_s for second in bus.left_s if second is not None]
                )
    result = []
    for pattern, rows in found.items():
        median = np.maximum.accumulate(np.median(np.array(rows), axis=0))
        result.append(LineTimes(pattern, tuple(np.round(median).tolist())))
    return tuple(result)


def timed(
    timetable: Timetable, times: Sequence[LineTimes], entry_late_s: float, seed: int
) -> tuple[Timetable, dict[str, float]]:
    """(timetable with these running times where they are given, trip -> how late it comes into the city).

    The vehicles set out as before: a bus that is late by L has a timetable that is L earlier."""
    running = {one.pattern: np.array(one.running_s) for one in times}
    trips, late = [], {}
    for trip in timetable.trips.values():
        rng = np.random.default_rng((seed, _STREAM, zlib.crc32(trip.id.encode())))
        by_s = float(round(rng.exponential(entry_late_s))) if entry_late_s > 0.0 else 0.0
        late[trip.id] = by_s
        dwell_s = trip.departure_s - trip.arrival_s
        departure_s = trip.departure_s
        if trip.pattern in running:
            departure_s = trip.departure_s[0] + running[trip.pattern]
        arrival_s = np.maximum(departure_s - dwell_s, np.concatenate(([-np.inf], departure_s[:-1])))
        trips.append(
            Trip(trip.id, trip.pattern, arrival_s - by_s, departure_s - by_s, trip.service, trip.timed)
        )
    return timetable.with_times(trips), late
