"""Quickest ways around what is closed, at the travel times of now, and for whom.

Dijkstra (`city/routing.py`) over the edges' present travel times. The same rules hold in both traffic models,
so that a micro- and a mesoscopic run send the same drivers the same way.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import F64, RoadUse
from civicbrain.city.routing import Router
from civicbrain.city.whatif import Change, closed_whole
from civicbrain.twin.mesoscopic import count_queues
from civicbrain.twin.whatif.branch import Traffic, VehicleNow


def is_told(vehicle: str, seed: int, share: float) -> bool:
    """Whether a vehicle belongs to this share of all; the same for the same seed."""
    return zlib.crc32(f"{seed}:{vehicle}".encode()) % 10_000 < share * 10_000


class Detours:
    """Ways for cars. closed: edges nobody may enter. edge_time_s: edge -> seconds it takes now (free-flow
    time where it is missing)."""

    def __init__(self, city: City, change: Change, edge_time_s: Mapping[str, float], seed: int) -> None:
        self._network = city.network
        self._rows, self._ids = city.network.edges.row, city.network.edges.ids
        self._router = Router(city.network, RoadUse.MOTOR)
        times: F64 = self._router.free_time_s()
        for edge, seconds in edge_time_s.items():
            row = self._rows.get(edge)
            if row is not None and np.isfinite(times[row]):
                times[row] = max(times[row], seconds)
        self._turn_s = self._router.turn_s()
        self._times = times
        self._seed = seed
        self.closed = closed_whole(change, city)
        self.lost_arcs = _lost_arcs(city, change)
        self._shares = {detour.edge: detour.share for detour in change.detours}
        self._ways: dict[tuple[str, str, frozenset[str]], tuple[str, ...] | None] = {}

    @property
    def concerns_anybody(self) -> bool:
        """Whether any route has to be looked at."""
        return bool(self.closed or self.lost_arcs or self._shares)

    def find_route(
        self, vehicle: str, edges: Sequence[str], *, on_line: bool = False
    ) -> tuple[str, ...] | None:
        """What `vehicle` on edges[0] does instead of its `edges`; None where it stays with them. Where there
        is no way its trip ends before what is closed. on_line: a bus, which takes no advice and comes back to
        its line as soon as it can."""
        avoided = {edge for edge, share in self._shares.items() if is_told(vehicle, self._seed, share)}
        shut = next((i for i in range(1, len(edges)) if self._is_shut(edges[i - 1], edges[i])), 0)
        if not shut and (on_line or not any(edge in avoided for edge in edges[1:])):
            return None
        if on_line:
            for back in range(shut, len(edges)):
                way = (
                    None if edges[back] in self.closed else self.find_way(edges[0], edges[back], self.closed)
                )
                if way is not None:
                    return (*way, *edges[back + 1 :])
            return tuple(edges[:shut])
        banned = frozenset(self.closed | avoided)
        way = self.find_way(edges[0], edges[-1], banned) if edges[-1] not in banned else None
        if way is not None:
            return way
        if not shut:
            return None  # advice without another way is not followed
        return tuple(edges[:shut])

    def choose(
        self, vehicle: str, edges: Sequence[str], *, lane: int | None = None, on_line: bool = False
    ) -> tuple[str, ...] | None:
        """The route of a vehicle from the edge it is on; None: it drives on as it is. lane: where it stands
        so near to the line that it leaves by this lane (-1: by the way it has), else None."""
        if len(edges) < 2 or lane is None:
            return self.find_route(vehicle, edges, on_line=on_line)
        if self._is_shut(edges[0], edges[1]):
            return self._find_exit(edges, self._exits(edges[0], lane))
        route = self.find_route(vehicle, edges[1:], on_line=on_line)
        return None if route is None else (edges[0], *route)

    def divert(self, traffic: Traffic) -> tuple[Traffic, int]:
        """Everybody with the route that `choose` gives, and how many were sent another way. For the queues of
        the mesoscopic model: at the line is who stands in the last one of the edge."""
        vehicles, count = [], 0
        for found in traffic.vehicles:
            one = found
            on_line = any(stop.bus_stop for stop in one.stops)
            route = None
            if one.edges and one.edges[0] in self._rows:
                at_line = not one.waiting and self._in_last_queue(one)
                route = self.choose(one.id, one.edges, lane=one.lane if at_line else None, on_line=on_line)
            if route is not None:
                count += 1
                stops = tuple(stop for stop in one.stops if stop.lane.rpartition("_")[0] in route)
                one = msgspec.structs.replace(one, edges=route, stops=stops)
            vehicles.append(one)
        return msgspec.structs.replace(traffic, vehicles=tuple(vehicles)), count

    def _in_last_queue(self, one: VehicleNow) -> bool:
        first = self._network.edges.lane_start[self._rows[one.edges[0]]]
        length_m = float(self._network.lanes.length_m[first])
        count = count_queues(length_m)
        return int(one.position_m / length_m * count) >= count - 1

    def _exits(self, edge: str, lane: int) -> list[str]:
        """Edges that a lane leads to."""
        network, row = self._network, self._rows.get(edge)
        if row is None or lane < 0:
            return []
        order, start = network.movements_from
        own = int(network.edges.lane_start[row]) + lane
        into = network.movements.to_lane[order[start[own] : start[own + 1]]]
        return [network.edges.ids[int(network.lanes.edge[to])] for to in into]

    def _find_exit(self, edges: Sequence[str], exits: Sequence[str]) -> tuple[str, ...] | None:
        """For who stands at the line of edges[0] before what is closed: the best way on through one of the
        edges that its lane leads to; None where none helps."""
        ways = [
            way
            for name in exits
            if name not in self.closed and (edges[0], name) not in self.lost_arcs
            and (way := self.find_way(name, edges[-1], self.closed)) is not None
        ]  # fmt: skip
        return (edges[0], *min(ways, key=lambda way: (self.time_s(way), way))) if ways else None

    def time_s(self, way: Sequence[str]) -> float:
        """Seconds along these edges, turns left out."""
        return float(sum(self._times[self._rows[edge]] for edge in way))

    def find_way(self, origin: str, target: str, banned: frozenset[str]) -> tuple[str, ...] | None:
        """Edges from origin to target, both included, that touch no banned edge; None without any."""
        key = (origin, target, banned)
        if key not in self._ways:
            self._ways[key] = self._search(origin, target, banned)
        return self._ways[key]

    def _is_shut(self, edge: str, onward: str) -> bool:
        return onward in self.closed or (edge, onward) in self.lost_arcs

    def _search(self, origin: str, target: str, banned: frozenset[str]) -> tuple[str, ...] | None:
        start, end = self._rows.get(origin), self._rows.get(target)
        if start is None or end is None:
            return None
        edge_s = self._times.copy()
        for edge in banned - {origin}:
            edge_s[self._rows[edge]] = np.inf
        arc_s = self._turn_s
        if self.lost_arcs:
            arc_s = arc_s.copy()
            for number, pair in enumerate(zip(self._router.from_edge, self._router.to_edge, strict=True)):
                if (self._ids[pair[0]], self._ids[pair[1]]) in self.lost_arcs:
                    arc_s[number] = np.inf
        way = self._router.find_way(start, end, edge_s, arc_s)
        return None if way is None else tuple(self._ids[row] for row in way.edges)


def _lost_arcs(city: City, change: Change) -> frozenset[tuple[str, str]]:
    """(edge, next edge) pairs that only closed lanes connect, from or to."""
    network = city.network
    lanes, moves, ids = network.lanes, network.movements, network.edges.ids
    shut = np.zeros(len(lanes.ids), bool)
    for closure in change.closures:
        first = int(network.edges.lane_start[network.edges.row[closure.edge]])
        shut[[first + lane for lane in closure.lanes]] = True
    near = shut[moves.from_lane] | shut[moves.to_lane]
    motor = (lanes.use & int(RoadUse.MOTOR)) != 0
    usable = motor[moves.from_lane] & motor[moves.to_lane]
    pairs = list(zip(lanes.edge[moves.from_lane].tolist(), lanes.edge[moves.to_lane].tolist(), strict=True))
    lost = {pairs[row] for row in np.flatnonzero(near & usable)}
    left = {pairs[row] for row in np.flatnonzero(~near & usable)}
    return frozenset((ids[a], ids[b]) for a, b in lost - left)
