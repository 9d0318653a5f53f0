"""Quickest ways over the street network: edges are nodes of the search, movements between them its arcs.

Dijkstra's algorithm (Dijkstra 1959), as scipy has it. What a way costs is the caller's to say: seconds an
edge, and seconds a turn from one edge into the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from civicbrain.city.network import F64, I32, Bool, Network, RoadUse

STRAIGHT_MPS = 50.0 / 3.6
TURN_MPS = 7.0
"""Driven through left and right turns: lateral acceleration of 3 m/s² at 16 m radius."""

TURN_LOSS_S = 1.5
"""Braking to that speed and accelerating again (4.5 and 2.6 m/s²) from 16 m/s, beyond driving at it."""

U_TURN_LOSS_S = 5.0
YIELD_LOSS_S = 6.0
"""Mean wait for a gap in a street of 400 veh/h: critical gap 6.2 s (HCM 7th ed., exhibit 20-12)."""

_LEAST_S = 1e-3  # a sparse matrix takes 0 for "no arc"


@dataclass(frozen=True, slots=True)
class Way:
    """edges: rows, first to last. time_s: from the end of the first edge to the end of the last."""

    edges: tuple[int, ...]
    time_s: float


class Router:
    """Ways over the lanes that `use` may drive on. Arcs are (from edge, to edge) pairs, `movement` one each.

    A vehicle that may use no special lane is given RoadUse.MOTOR; emergency vehicles may use bus lanes too.
    """

    def __init__(self, network: Network, use: RoadUse = RoadUse.MOTOR | RoadUse.EMERGENCY) -> None:
        # slow to import: only where ways are looked for, and then before the first is
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import dijkstra

        self._matrix, self._dijkstra = csr_matrix, dijkstra
        lanes, movements = network.lanes, network.movements
        self.network = network
        self.drivable: Bool = (lanes.use & int(use)) != 0
        usable = self.drivable[movements.from_lane] & self.drivable[movements.to_lane]
        rows = np.flatnonzero(usable)
        count = len(network.edges.ids)
        keys = lanes.edge[movements.from_lane[rows]].astype(np.int64) * count
        keys += lanes.edge[movements.to_lane[rows]]
        unique, first = np.unique(keys, return_index=True)
        self.from_edge: I32 = (unique // count).astype(np.int32)
        self.to_edge: I32 = (unique % count).astype(np.int32)
        self.movement: I32 = rows[first].astype(np.int32)  # one movement of each arc
        self._count = count

    def free_time_s(self, speed_factor: float = 1.0) -> F64:
        """(e,) seconds along each edge at its highest limit times the factor; inf where nobody may drive."""
        lanes, start = self.network.lanes, self.network.edges.lane_start
        result = np.full(self._count, np.inf)
        for edge in range(self._count):
            own = slice(int(start[edge]), int(start[edge + 1]))
            open_ = self.drivable[own]
            if open_.any():
                speed_mps = float(lanes.speed_mps[own][open_].max()) * speed_factor
                result[edge] = float(lanes.length_m[own][open_].max()) / max(speed_mps, 0.1)
        return result

    def turn_s(self) -> F64:
        """(a,) seconds that each arc takes beyond its edges: the path inside the node, slower in turns, and
        the wait for a gap where traffic with more right of way crosses without a signal."""
        movements, edges = self.network.movements, self.network.edges
        length_m = movements.length_m[self.movement].astype(np.float64)
        turn = movements.turn[self.movement]
        straight, back = turn == ord("s"), turn == ord("t")
        result = np.where(straight, length_m / STRAIGHT_MPS, length_m / TURN_MPS + TURN_LOSS_S)
        result[back] += U_TURN_LOSS_S
        highest = np.zeros(len(self.network.nodes.ids), np.int64)
        np.maximum.at(highest, edges.to_node, edges.priority)
        minor = edges.priority[self.from_edge] < highest[movements.node[self.movement]]
        yields: F64 = np.where(minor & (movements.junction[self.movement] < 0), YIELD_LOSS_S, 0.0)
        return result + yields

    def line(self, edge: int) -> F64:
        """(n, 2) the middle one of the lanes of an edge that may be driven on, or of none its first."""
        first, end = self.network.edges.lane_start[edge : edge + 2].tolist()
        own = np.flatnonzero(self.drivable[first:end]) + first
        lane = int(own[len(own) // 2]) if len(own) else first
        shape: F64 = self.network.lanes.shape(lane).astype(np.float64)
        return shape

    def length_m(self, edges: Sequence[int]) -> float:
        """Of a way along these edges, from the start of the first to the end of the last, straight on from
        edge to edge inside nodes: as its line is drawn."""
        line = np.concatenate([self.line(edge) for edge in edges])
        return float(np.hypot(*np.diff(line, axis=0).T).sum())

    def find_way(self, origin: int, target: int, edge_s: F64, arc_s: F64) -> Way | None:
        """The quickest way from the end of edge `origin` to the end of edge `target`, None without any.

        edge_s: (e,) seconds an edge. arc_s: (a,) seconds added at each arc, in the order of `movement`.
        """
        if origin == target:
            return Way((origin,), 0.0)
        time_s, before = self._search(origin, edge_s, arc_s)
        if not np.isfinite(time_s[target]):
            return None
        way = [target]
        while way[-1] != origin:
            way.append(int(before[way[-1]]))
        return Way(tuple(reversed(way)), float(time_s[target]))

    def times_s(self, origin: int, edge_s: F64, arc_s: F64) -> F64:
        """(e,) seconds from the end of edge `origin` to the end of every edge, inf where there is no way."""
        return self._search(origin, edge_s, arc_s)[0]

    def _search(self, origin: int, edge_s: F64, arc_s: F64) -> tuple[F64, I32]:
        cost_s = np.maximum(edge_s[self.to_edge] + arc_s, _LEAST_S)
        good = np.isfinite(cost_s)
        matrix = self._matrix(
            (cost_s[good], (self.from_edge[good], self.to_edge[good])), shape=(self._count, self._count)
        )
        time_s, before = self._dijkstra(matrix, indices=origin, return_predecessors=True)
        return time_s, before
