"""What is fixed about a city for the detectors: per lane its camera, groups, exits, neighbours and points.

"d" is everywhere the road distance to the stop line of the lane's camera, m, as in `Detections`. A *stem* is
all that leads to one approach: lanes of an edge, and the lanes upstream that lead into them without a signal.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.incidents import Place
from civicbrain.city.model import City
from civicbrain.city.network import F32, I32, Bool, RoadUse

I64 = NDArray[np.int64]


class Layout:
    """Arrays of n lanes, unless said otherwise.

    camera: (n,) junction row whose camera sees the lane, -1 for none. beyond_m: d of the lane's end. stem:
    (n,). signalled: all its movements are under a signal. groups, group_start: city-wide groups of a lane's
    movements, as rows groups[group_start[i]:group_start[i + 1]]; exits, exit_start: likewise lanes that it
    leads to. beside: (n, 2) motor lanes to its right and left, -1 for none. exit_edges: n sets of edges that
    a lane leads to. edge_m: length of each edge, by row.
    """

    def __init__(self, city: City) -> None:
        self.city = city
        lanes, movements = city.network.lanes, city.network.movements
        count = len(lanes.ids)
        self.length_m: F32 = lanes.length_m
        self.camera: I32 = np.full(count, -1, np.int32)
        self.beyond_m: F32 = np.zeros(count, np.float32)
        self.camera[city.cameras.lane] = city.cameras.junction
        self.beyond_m[city.cameras.lane] = city.cameras.beyond_m
        self.range_m = float(city.cameras.range_m)
        self.motor: Bool = (lanes.use & int(RoadUse.MOTOR)) > 0
        order, start = city.network.movements_from
        self.exits: I32 = movements.to_lane[order]
        self.exit_start: I32 = start
        signalled = movements.group >= 0
        has = np.bincount(movements.from_lane, minlength=count)
        under = np.bincount(movements.from_lane[signalled], minlength=count)
        self.signalled: Bool = (has > 0) & (under == has)
        own = order[signalled[order]]
        self.groups: I32 = movements.group[own]
        self.group_start: I32 = np.searchsorted(movements.from_lane[own], np.arange(count + 1)).astype(
            np.int32
        )
        self.junction: I32 = np.full(count, -1, np.int32)
        self.junction[movements.from_lane[signalled]] = movements.junction[signalled]
        self.stem = self._stems()
        self.beside = self._beside()
        edge = lanes.edge
        self.exit_edges = [frozenset(edge[self.exits[a:b]].tolist()) for a, b in pairwise(start.tolist())]
        self.edge_m = dict(zip(edge.tolist(), lanes.length_m.tolist(), strict=True))
        self._edges_into: dict[int, set[int]] = {}
        ahead = movements.turn != ord("t")  # nobody queues, or comes, round a U-turn
        pairs = zip(
            edge[movements.from_lane[ahead]].tolist(), edge[movements.to_lane[ahead]].tolist(), strict=True
        )
        for a, b in pairs:
            self._edges_into.setdefault(b, set()).add(a)
        self._behind: dict[tuple[frozenset[int], float], dict[int, float]] = {}

    def seen_m(self) -> tuple[F32, F32]:
        """(n,) d of the nearest and of the farthest point of each lane that its camera sees."""
        far_m = np.minimum(self.beyond_m + self.length_m, np.float32(self.range_m))
        return self.beyond_m, far_m

    def behind(self, edges: frozenset[int], far_m: float) -> dict[int, float]:
        """Edges from which one comes to these, with the metres from their end to the first of these; those
        nearer than far_m. Kept: asked again for each incident in each second."""
        known = self._behind.get((edges, far_m))
        if known is not None:
            return known
        found = dict.fromkeys(edges, 0.0)
        todo = sorted(edges)
        while todo:
            edge = todo.pop(0)
            at_m = found[edge] + (0.0 if edge in edges else self.edge_m[edge])
            if at_m >= far_m:
                continue
            for before in self._edges_into.get(edge, ()):
                if at_m < found.get(before, np.inf):
                    found[before] = at_m
                    todo.append(before)
        self._behind[edges, far_m] = found
        return found

    def place(self, lane: int, d: float, lanes: tuple[int, ...] | None = None) -> Place:
        """The point of a lane at d, with these lanes (rows) of its edge or its own."""
        network = self.city.network
        along_m = float(np.clip(self.length_m[lane] - (d - self.beyond_m[lane]), 0.0, self.length_m[lane]))
        x_m, y_m = point_along(network.lanes.shape(lane), along_m / max(float(self.length_m[lane]), 1e-6))
        rows = (lane,) if lanes is None else lanes
        junction = int(self.camera[lane])
        return Place(
            x_m=x_m,
            y_m=y_m,
            edge=network.edges.ids[int(network.lanes.edge[lane])],
            lanes=tuple(sorted(int(network.lanes.index[row]) for row in rows)),
            position_m=round(along_m, 1),
            junction=self.city.junctions[junction].id if junction >= 0 else "",
        )

    def junction_place(self, row: int, sensor: str = "") -> Place:
        """A junction, or its camera."""
        junction = self.city.junctions[row]
        return Place(junction.x_m, junction.y_m, junction=junction.id, sensor=sensor)

    def _stems(self) -> I32:
        lanes, movements = self.city.network.lanes, self.city.network.movements
        parent = np.arange(len(lanes.ids))

        def root(row: int) -> int:
            while parent[row] != row:
                parent[row] = parent[parent[row]]
                row = int(parent[row])
            return row

        seen = self.camera >= 0
        for row in range(1, len(lanes.ids)):
            if lanes.edge[row] == lanes.edge[row - 1]:
                parent[root(row)] = root(row - 1)
        for row in np.flatnonzero(movements.junction < 0).tolist():
            a, b = int(movements.from_lane[row]), int(movements.to_lane[row])
            if seen[a] and seen[b] and self.camera[a] == self.camera[b]:
                parent[root(a)] = root(b)
        return np.array([root(row) for row in range(len(lanes.ids))], np.int32)

    def _beside(self) -> I32:
        edge = self.city.network.lanes.edge
        result: I32 = np.full((len(edge), 2), -1, np.int32)
        rows = np.flatnonzero((edge[1:] == edge[:-1]) & self.motor[1:] & self.motor[:-1])
        result[rows + 1, 0] = rows
        result[rows, 1] = rows + 1
        return result


def point_along(shape: F32, share: float) -> tuple[float, float]:
    """The point of a line at a share of its length."""
    if len(shape) < 2:
        return float(shape[0, 0]), float(shape[0, 1])
    pieces = np.hypot(*np.diff(shape, axis=0).T)
    at = np.concatenate(([0.0], np.cumsum(pieces)))
    where = share * at[-1]
    return float(np.interp(where, at, shape[:, 0])), float(np.interp(where, at, shape[:, 1]))
