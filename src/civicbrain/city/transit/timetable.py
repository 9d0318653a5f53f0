"""A timetable as it lies on the network: stops on edges, patterns as ways of edges, trips with their calls.

Times are platform seconds (of the service days that the city's window touches). What GTFS calls a trip on one
day is a `Trip` here; a trip that runs by frequency becomes one for each of its starts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from civicbrain.city.network import F64

FREQUENT_S = 720.0
"""Up to this scheduled headway passengers come without looking at the timetable, and what counts is that the
buses come evenly (10 to 12 minutes; TCQSM 3rd ed., TCRP report 165, ch. 4)."""


@dataclass(frozen=True, slots=True)
class BusStop:
    """Where buses call: id of the edge, metres along it, and that place in the city's plane."""

    id: str
    name: str
    edge: str
    position_m: float
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way of a line through its stops. edges: ids, first to last; places: which of
    them each stop is on."""

    id: str
    line: str
    edges: tuple[str, ...]
    stops: tuple[str, ...]
    places: tuple[int, ...]
    direction: int = 0


@dataclass(frozen=True, eq=False)
class Trip:
    """One drive of a pattern. arrival_s, departure_s: (stops,) scheduled, platform seconds. service: GTFS's
    trip_id, start_date (YYYYMMDD) and, for one by frequency, start_time."""

    id: str
    pattern: str
    arrival_s: F64
    departure_s: F64
    service: tuple[str, str, str] = ("", "", "")
    timed: bool = True  # False: by frequency, where only the headway is promised

    @property
    def start_s(self) -> float:
        return float(self.departure_s[0])


@dataclass(frozen=True, eq=False)
class Timetable:
    """lines: id -> name for people. notes: what was left out in matching, for people."""

    lines: dict[str, str]
    stops: dict[str, BusStop]
    patterns: dict[str, Pattern]
    trips: dict[str, Trip]
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def trips_of(self) -> dict[str, tuple[Trip, ...]]:
        """Pattern id -> its trips in the order of departure."""
        result: dict[str, list[Trip]] = {name: [] for name in self.patterns}
        for trip in self.trips.values():
            result[trip.pattern].append(trip)
        return {name: tuple(sorted(trips, key=lambda t: (t.start_s, t.id))) for name, trips in result.items()}

    @cached_property
    def headway_s(self) -> dict[str, float]:
        """Trip id -> scheduled seconds behind the trip before on its pattern; inf for the first."""
        result: dict[str, float] = {}
        for trips in self.trips_of.values():
            if trips:
                result[trips[0].id] = math.inf
            for before, trip in pairwise(trips):
                result[trip.id] = trip.start_s - before.start_s
        return result

    @cached_property
    def frequent(self) -> dict[str, bool]:
        """Pattern id -> whether its median scheduled headway is at most FREQUENT_S, or it has no times."""
        result = {}
        for name, trips in self.trips_of.items():
            gaps = [b.start_s - a.start_s for a, b in pairwise(trips)]
            untimed = any(not trip.timed for trip in trips)
            result[name] = untimed or bool(gaps and float(np.median(gaps)) <= FREQUENT_S)
        return result

    @cached_property
    def by_service(self) -> dict[tuple[str, str, str], str]:
        """GTFS's (trip_id, start_date, start_time) -> trip id; also without the date and time where that
        is one trip only."""
        result: dict[tuple[str, str, str], str] = {}
        twice: set[tuple[str, str, str]] = set()
        for trip in self.trips.values():
            name, date, time = trip.service
            for key in {(name, date, time), (name, date, ""), (name, "", time), (name, "", "")}:
                if result.setdefault(key, trip.id) != trip.id:
                    twice.add(key)
        return {key: trip for key, trip in result.items() if key not in twice}

    def find_trip(self, trip_id: str, start_date: str = "", start_time: str = "") -> Trip | None:
        """The trip that a GTFS-Realtime TripDescriptor names; None where there is none, or several."""
        found = self.by_service.get((trip_id, start_date, start_time))
        return self.trips[found] if found is not None else None

    def with_times(self, trips: Iterable[Trip]) -> Timetable:
        """The same lines with other trips."""
        return Timetable(self.lines, self.stops, self.patterns, {t.id: t for t in trips}, self.notes)


def scheduled_s(stop_m: F64, arrival_s: F64, departure_s: F64, at_m: float) -> float:
    """Second at which the timetable has the bus at `at_m` of its way: between two stops in proportion to the
    way; at a stop the departure (a bus that stands there before it is not late). Before the first and
    behind the last stop at the speed of the section next to it.

    stop_m: (k,) metres of the stops along the way, rising, k >= 2.
    """
    at = float(at_m)
    if at <= stop_m[0]:
        return float(departure_s[0]) - (float(stop_m[0]) - at) * _pace(stop_m, arrival_s, departure_s, 0)
    if at >= stop_m[-1]:
        last = len(stop_m) - 2
        return float(arrival_s[-1]) + (at - float(stop_m[-1])) * _pace(stop_m, arrival_s, departure_s, last)
    place = int(np.searchsorted(stop_m, at, side="right")) - 1
    driven_m = at - float(stop_m[place])
    return float(departure_s[place]) + driven_m * _pace(stop_m, arrival_s, departure_s, place)


def _pace(stop_m: F64, arrival_s: F64, departure_s: F64, place: int) -> float:
    """Seconds a metre between two stops."""
    length_m = max(1.0, float(stop_m[place + 1] - stop_m[place]))
    return max(0.0, float(arrival_s[place + 1] - departure_s[place])) / length_m


def make_trip(
    name: str, pattern: Pattern, calls_s: Sequence[tuple[float, float]],
    service: tuple[str, str, str] | None = None, *, timed: bool = True,
) -> Trip:  # fmt: skip
    """A trip from (arrival, departure) a stop of its pattern."""
    times = np.asarray(calls_s, np.float64).reshape(len(pattern.stops), 2)
    return Trip(name, pattern.id, times[:, 0].copy(), times[:, 1].copy(), service or (name, "", ""), timed)
