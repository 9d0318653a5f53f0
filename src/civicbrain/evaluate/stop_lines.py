"""Who would be at which stop line when, read from a run on the free road."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass, field

from civicbrain.city.model import City
from civicbrain.twin.free_road import FreeRoad

_FORGET_S = 60.0
"""Time constant with which a lane's load is forgotten when vehicles spread over lanes."""


@dataclass(frozen=True, slots=True)
class Passing:
    """One vehicle at one stop line. group: row in its junction."""

    vehicle: str
    time_s: float
    group: int


@dataclass(slots=True)
class StopLines:
    """One junction. lanes: lane row -> who passes there. lanes_of: group -> lanes that lead into it."""

    lanes: dict[int, list[Passing]] = field(default_factory=lambda: defaultdict(list))
    lanes_of: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))

    def groups(self) -> dict[int, list[Passing]]:
        """Group -> who passes there, earliest first."""
        result: dict[int, list[Passing]] = defaultdict(list)
        for passings in self.lanes.values():
            for passing in passings:
                result[passing.group].append(passing)
        for passings in result.values():
            passings.sort(key=lambda one: one.time_s)
        return dict(result)


def stop_lines_of(city: City, road: FreeRoad) -> tuple[StopLines, ...]:
    """One entry a junction. Of several lanes that lead a vehicle's way it takes the one with the least recent
    load: without queues nobody has a reason to spread, before a red light drivers do."""
    moves, network = city.network.movements, city.network
    result = tuple(StopLines() for _ in city.junctions)
    ways: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
    start = city.signals.group_start
    for row in city.signalled_movements.tolist():
        source, target = int(moves.from_lane[row]), int(moves.to_lane[row])
        edge_of, ids = network.lanes.edge, network.edges.ids
        junction = int(moves.junction[row])
        group = int(moves.group[row]) - int(start[junction])
        ways[ids[edge_of[source]], ids[edge_of[target]]].append((source, group, junction))
        result[junction].lanes_of[group].add(source)
    passed = [
        (time_s, trip.vehicle, pair)
        for trip in road.ways
        for pair, time_s in zip(itertools.pairwise(trip.edges), trip.exits_s, strict=False)
        if pair in ways
    ]
    load: dict[int, tuple[float, float]] = {}

    def recent(lane: int, now_s: float) -> float:
        amount, since_s = load.get(lane, (0.0, now_s))
        return amount * math.exp((since_s - now_s) / _FORGET_S)

    for time_s, vehicle, pair in sorted(passed):
        lane, group, junction = min(ways[pair], key=lambda way: recent(way[0], time_s))
        load[lane] = (recent(lane, time_s) + 1.0, time_s)
        result[junction].lanes[lane].append(Passing(vehicle, time_s, group))
    return result
