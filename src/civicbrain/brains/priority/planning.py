"""Which way a mission takes: the quickest by what is known now, driven in a corridor.

An edge costs its free time at the vehicle's pace, and the discharge of the queue that cameras see on it; a
turn what it takes to drive it. Closed edges cost everything. Signals on the way cost little, since they will
be open, but not nothing: `SIGNAL_S` is what is left of their wait in a corridor.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from civicbrain.brains.priority.options import PriorityOptions
from civicbrain.brains.priority.ways import Way, WayMaker
from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.routing import Router
from civicbrain.city.snapshot import Snapshot

SIGNAL_S = 3.0


class Planner:
    """Plans over one city."""

    def __init__(self, city: City, options: PriorityOptions) -> None:
        self.city = city
        self.options = options
        self.router = Router(city.network)
        self.maker = WayMaker(city, self.router)
        self._free_s = self.router.free_time_s()
        signalled = city.network.movements.junction[self.router.movement] >= 0
        self._arc_s = self.router.turn_s() + np.where(signalled, SIGNAL_S, 0.0)
        start = city.network.edges.lane_start
        self._lanes = np.maximum(np.diff(start), 1)

    def edge_s(self, snapshot: Snapshot, pace: float) -> F64:
        """(e,) seconds along each edge now."""
        lanes = self.city.network.lanes
        queued = np.bincount(lanes.edge, weights=snapshot.lanes.queued, minlength=len(self._free_s))
        result: F64 = self._free_s / pace + 0.5 * self.options.headway_s * queued / self._lanes
        if len(snapshot.closed_lanes):
            closed = np.bincount(lanes.edge[snapshot.closed_lanes], minlength=len(result))
            result[closed >= self._lanes] = np.inf
        return result

    def plan(self, snapshot: Snapshot, origin: int, target: int, pace: float) -> tuple[Way | None, float]:
        """The quickest way and its seconds, from the end of the first edge to the end of the last."""
        way = self.router.find_way(origin, target, self.edge_s(snapshot, pace), self._arc_s)
        return (self.maker.make(way.edges), way.time_s) if way is not None else (None, np.inf)

    def cost_s(self, snapshot: Snapshot, edges: tuple[int, ...], pace: float) -> float:
        """Seconds of a given way as `plan` reckons them."""
        edge_s = self.edge_s(snapshot, pace)
        arcs = {(a, b): row for row, (a, b) in enumerate(zip(
            self.router.from_edge.tolist(), self.router.to_edge.tolist(), strict=True
        ))}  # fmt: skip
        pairs = pairwise(edges)
        return float(sum(edge_s[b] + self._arc_s[arcs[a, b]] for a, b in pairs))

    def nearest_edge(self, x_m: float, y_m: float, heading_deg: float) -> int:
        """Row of the drivable edge that a vehicle there, heading so, is most likely on."""
        lanes = self.city.network.lanes
        best, edge = np.inf, 0
        for row in np.flatnonzero(self.router.drivable).tolist():
            shape = lanes.shape(row).astype(np.float64)
            if abs(shape[0, 0] - x_m) + abs(shape[0, 1] - y_m) > 2.0 * float(lanes.length_m[row]) + 200.0:
                continue
            start, along = shape[:-1], np.diff(shape, axis=0)
            square = np.maximum((along**2).sum(axis=1), 1e-9)
            share = np.clip((((x_m, y_m) - start) * along).sum(axis=1) / square, 0.0, 1.0)
            away_m = np.hypot(*(start + share[:, None] * along - (x_m, y_m)).T)
            place = int(np.argmin(away_m))
            cost = float(away_m[place])
            if heading_deg >= 0.0:
                own_deg = float(np.degrees(np.arctan2(along[place, 0], along[place, 1])))
                cost += abs((own_deg - heading_deg + 180.0) % 360.0 - 180.0) / 3.0  # 90 degrees: 30 m
            if cost < best:
                best, edge = cost, int(lanes.edge[row])
        return edge
