"""The delay index of a run, and how many vehicles entered before it reached a limit.

Source: KDD Cup 2021, City Brain Challenge (https://kddcup2021-citybrainchallenge.readthedocs.io, final phase,
"Evaluation"): a vehicle's index is its trip time over its free-flow trip time, the rest of an unfinished trip
taken at free flow; the index of a run is the mean over all vehicles that have entered, looked at every 20 s;
a control's score is the number of vehicles that have entered before it reaches 1.40.

Where the source is silent: a trip counts from when the vehicle was due, so that nothing is gained by shutting
it out. It leads from where the vehicle enters to the end of its route's last edge. Free flow is the edges'
speed limit (or the vehicle's own highest speed, where lower), inside a junction that of the edge before it;
halts at stops are no part of it. The score is the count at the last look below the limit.

Cost: one question a vehicle under way each 20 s, five a departure. A trip's place is found from the distance
driven, so that a vehicle inside a junction needs no case of its own; one that is rerouted keeps the free-flow
time of the route it entered with.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import libsumo
import numpy as np

from civicbrain.city.model import City
from civicbrain.twin.fleet import compiled

LOOK_S = 20.0
LIMIT = 1.40
_SHORTEST_TRIP_S = 1.0
_EPS_S = 1e-6
_get_distance = compiled("vehicle", "getDistance")


@dataclass(frozen=True, slots=True)
class FreeFlow:
    """A route at free flow. ends_m, ends_s: way and time from the start of its first edge to the end of each
    edge and of each junction between, in turn. speeds_mps: on each of them."""

    ends_m: tuple[float, ...]
    ends_s: tuple[float, ...]
    speeds_mps: tuple[float, ...]

    def time_at(self, way_m: float) -> float:
        """Free-flow time (s) from the start of the route to that far along it; its whole time beyond."""
        part = bisect_right(self.ends_m, way_m)
        if part >= len(self.ends_m):
            return self.ends_s[-1]
        return self.ends_s[part] - (self.ends_m[part] - way_m) / self.speeds_mps[part]


class FreeFlows:
    """Free-flow times of a city's routes. The way through a junction is the mean of the movements between
    the two edges."""

    def __init__(self, city: City) -> None:
        network = city.network
        lanes, moves = network.lanes, network.movements
        first = network.edges.lane_start[:-1]
        length_m = lanes.length_m[first].tolist()
        limit_mps = np.maximum.reduceat(lanes.speed_mps, first).tolist()
        self._edges = {
            name: (length, limit)
            for name, length, limit in zip(network.edges.ids, length_m, limit_mps, strict=True)
        }
        ids = network.edges.ids
        ways: dict[tuple[str, str], list[float]] = {}
        for start, end, inside_m in zip(
            lanes.edge[moves.from_lane].tolist(), lanes.edge[moves.to_lane].tolist(), moves.length_m.tolist(),
            strict=True,
        ):  # fmt: skip
            ways.setdefault((ids[start], ids[end]), []).append(inside_m)
        self._inside_m = {pair: sum(found) / len(found) for pair, found in ways.items()}

    def along(self, route: Sequence[str], most_mps: float = float("inf")) -> FreeFlow:
        """The free-flow times of a route (edge ids) for a vehicle that drives most_mps at most; edges that
        are not the city's (rails) are passed over."""
        ends_m, ends_s, speeds = [0.0], [0.0], [1.0]
        known = [name for name in route if name in self._edges]
        for number, name in enumerate(known):
            edge_m, limit_mps = self._edges[name]
            onward = known[number + 1] if number + 1 < len(known) else ""
            for part_m in (edge_m, self._inside_m.get((name, onward), 0.0)):
                speed_mps = max(min(limit_mps, most_mps), 0.1)
                ends_m.append(ends_m[-1] + part_m)
                ends_s.append(ends_s[-1] + part_m / speed_mps)
                speeds.append(speed_mps)
        return FreeFlow(tuple(ends_m), tuple(ends_s), tuple(speeds))


@dataclass(frozen=True, slots=True)
class _Trip:
    """due_s: when it should have departed. entry_m: where on its route it entered. whole_s: its free-flow
    time from there."""

    due_s: float
    entry_m: float
    whole_s: float
    free: FreeFlow

    def index(self, now_s: float, driven_m: float | None) -> float:
        """Trip time over free-flow time; driven_m: so far, None when it has arrived."""
        rest_s = (
            0.0 if driven_m is None else self.free.ends_s[-1] - self.free.time_at(self.entry_m + driven_m)
        )
        return (now_s - self.due_s + rest_s) / self.whole_s


class DelayIndex:
    """Tell it each step who departed and arrived; it looks each LOOK_S, counted from begin_s.

    step_s: length of a step. After a step SUMO's clock shows the begin of the next one, while vehicles are
    where they were at the step's own begin: trip times count to that.
    value: the index at the last look (1.0 before the first vehicle). reached_s: second of the first look at
    which it was the limit or more, None before. served: vehicles that have entered, as of the last look below
    the limit.
    """

    def __init__(self, city: City, begin_s: float, limit: float, step_s: float = 0.0) -> None:
        self.limit = limit
        self.value = 1.0
        self.served = 0
        self.reached_s: float | None = None
        self._flows = FreeFlows(city)
        self._routes: dict[tuple[str, float], FreeFlow] = {}
        self._trips: dict[str, _Trip] = {}
        self._entered = 0
        self._finished = 0
        self._finished_sum = 0.0
        self._due_s = begin_s + LOOK_S
        self._step_s = step_s

    def step(self, departed: Iterable[str], arrived: Iterable[str], now_s: float) -> None:
        """What happened in the step that ended at now_s; looks where it is time to."""
        for name in departed:
            self._trips[name] = self._enter(name)
            self._entered += 1
        for name in arrived:
            trip = self._trips.pop(name, None)
            if trip is not None:  # else it was under way before this twin began
                self._finished += 1
                self._finished_sum += trip.index(now_s - self._step_s, None)
        if now_s >= self._due_s - _EPS_S:
            self._due_s += LOOK_S
            self._look(now_s)

    def _enter(self, name: str) -> _Trip:
        vehicle = libsumo.vehicle
        key = (vehicle.getRouteID(name), vehicle.getMaxSpeed(name))
        free = self._routes.get(key)
        if free is None:
            free = self._routes[key] = self._flows.along(vehicle.getRoute(name), key[1])
        due_s = vehicle.getDeparture(name) - vehicle.getDepartDelay(name)
        entry_m = max(0.0, vehicle.getLanePosition(name) - _get_distance(name))
        return _Trip(due_s, entry_m, max(_SHORTEST_TRIP_S, free.ends_s[-1] - free.time_at(entry_m)), free)

    def _look(self, now_s: float) -> None:
        total, count = self._finished_sum, self._finished
        trips = self._trips
        for name in libsumo.vehicle.getIDList():
            trip = trips.get(name)
            if trip is not None:
                total += trip.index(now_s - self._step_s, _get_distance(name))
                count += 1
        if count:
            self.value = total / count
        if self.reached_s is None:
            if self.value >= self.limit:
                self.reached_s = now_s
            else:
                self.served = self._entered
