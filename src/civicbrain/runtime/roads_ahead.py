"""The roads behind the stop lines: which there are, how full they are, which signal junction ends each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from civicbrain.city.approaches import VEHICLE_M
from civicbrain.city.model import City
from civicbrain.city.network import F32, F64, I32

FURTHEST_M = 800.0
"""A junction further along the road than this does not decide whether it empties."""

LEAST_ROOM_VEH = 1.0


@dataclass(frozen=True, eq=False)
class Road:
    """From a stop line to the next signal junction. edge: its first; lanes: rows of that edge's lanes. name:
    of its first edge that has one, else "". ahead: id of that junction, "" where none ends it; ahead_row: its
    row, -1 for none. last: the edge that leads into it."""

    edge: int
    edge_id: str
    lanes: I32
    room_veh: float
    name: str
    ahead: str
    ahead_row: int
    last: str

    def filled(self, lane_veh: F32 | F64) -> float:
        """Share of its first edge under standing vehicles. lane_veh: (n,) on each lane."""
        return float(lane_veh[self.lanes].sum()) / self.room_veh


class RoadsAhead:
    """roads: all of them; of_junction: junction row -> those that lead away from it; of_group: city-wide
    group row -> those that its movements lead to."""

    def __init__(self, city: City) -> None:
        self._city = city
        network = city.network
        movements, lanes = network.movements, network.lanes
        self.roads: list[Road] = []
        self._onward: dict[int, int] = {}
        for k in np.flatnonzero(movements.from_lane >= 0).tolist():
            edge, to = int(lanes.edge[movements.from_lane[k]]), int(lanes.edge[movements.to_lane[k]])
            if edge not in self._onward or int(movements.turn[k]) == ord("s"):
                self._onward[edge] = to
        roads: dict[int, Road] = {}
        self.of_junction: dict[int, list[Road]] = {}
        self.of_group: dict[int, list[Road]] = {}
        signalled = np.flatnonzero(movements.junction >= 0)
        pairs = {
            (int(movements.junction[k]), int(movements.group[k]), int(lanes.edge[movements.to_lane[k]]))
            for k in signalled.tolist()
        }
        for row, group, edge in sorted(pairs):
            if edge not in roads:
                roads[edge] = self._follow(edge)
                self.roads.append(roads[edge])
            road = roads[edge]
            for found in (self.of_junction.setdefault(row, []), self.of_group.setdefault(group, [])):
                if road not in found:
                    found.append(road)

    def fullest(self, groups: Collection[int], lane_veh: F32 | F64) -> Road | None:
        """Of the roads that these groups lead to."""
        roads = [road for group in groups for road in self.of_group.get(group, ())]
        return max(roads, key=lambda road: road.filled(lane_veh), default=None)

    def before(self, road: Road) -> int:
        """Row of a junction that it leads away from."""
        return next(row for row, roads in self.of_junction.items() if road in roads)

    def _follow(self, edge: int) -> Road:
        network = self._city.network
        edges, nodes = network.edges, network.nodes
        rows = np.arange(edges.lane_start[edge], edges.lane_start[edge + 1], dtype=np.int32)
        room_veh = max(float(network.lanes.length_m[rows].sum()) / VEHICLE_M, LEAST_ROOM_VEH)
        here, gone_m, name, behind, seen = edge, 0.0, "", -1, set[int]()
        while here not in seen:
            seen.add(here)
            name = name or edges.names[here]
            behind = int(nodes.junction[edges.to_node[here]])
            if behind >= 0:
                break
            gone_m += float(network.lanes.length_m[edges.lane_start[here]])
            if gone_m > FURTHEST_M or here not in self._onward:
                break
            here = self._onward[here]
        ahead = self._city.junctions[behind].id if behind >= 0 else ""
        return Road(edge, edges.ids[edge], rows, room_veh, name, ahead, behind, edges.ids[here])
