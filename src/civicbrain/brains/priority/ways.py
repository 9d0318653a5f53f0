"""A route as a line with stop lines on it: where a position lies along it, and which signals it passes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import F64, I32
from civicbrain.city.routing import Router

OPPOSED_M = 30.0
"""Two carriageways and what is between them, and a receiver's error, are less than this apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """One stop line on a route. place: which edge of the route leads to it. lanes: rows of that edge's lanes
    that lead on along the route; groups: (lanes,) signal group of that movement inside the junction.
    first_place: the first edge after the signal before; what stands from there on must leave here first."""

    junction: int
    place: int
    first_place: int
    stop_m: float
    lanes: I32
    groups: I32


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """edges: rows. end_m: (k,) where each edge ends along the route. free_s: (k,) seconds from the start to
    the end of each edge at the limit, turns into it included. lanes: (k,) how many may be driven.
    points, at_m: the line. place_of: edge row -> its place (the last where it is driven twice)."""

    edges: tuple[int, ...]
    end_m: F64
    free_s: F64
    lanes: I32
    points: F64
    at_m: F64
    crossings: tuple[Crossing, ...]
    place_of: dict[int, int]

    @property
    def length_m(self) -> float:
        return float(self.end_m[-1])

    def locate(
        self, x_m: float, y_m: float, low_m: float, high_m: float, heading_deg: float = -1.0
    ) -> tuple[float, float]:
        """(metres along the route, metres away from it) of the nearest point between low_m and high_m.

        heading_deg: 0 = north, clockwise; below 0 where unknown. Pieces of the route that lead the other way
        count as `OPPOSED_M` farther off: the carriageway back may be nearer than the one driven.
        """
        first = max(0, int(np.searchsorted(self.at_m, low_m, side="right")) - 1)
        last = min(len(self.at_m) - 1, int(np.searchsorted(self.at_m, high_m, side="left")))
        if last <= first:
            first, last = max(0, len(self.at_m) - 2), len(self.at_m) - 1
        start, end = self.points[first:last], self.points[first + 1 : last + 1]
        along = end - start
        square = np.maximum((along**2).sum(axis=1), 1e-9)
        at = np.array((x_m, y_m))
        share = np.clip(((at - start) * along).sum(axis=1) / square, 0.0, 1.0)
        away = np.hypot(*(start + share[:, None] * along - at).T)
        seems = away
        if heading_deg >= 0.0:
            heading = math.radians(heading_deg)
            opposed = along @ np.array((math.sin(heading), math.cos(heading))) < 0.0
            seems = away + OPPOSED_M * opposed
        best = int(np.argmin(seems))
        piece_m = self.at_m[first + best + 1] - self.at_m[first + best]
        return float(self.at_m[first + best] + share[best] * piece_m), float(away[best])


class WayMaker:
    """Makes ways over one city."""

    def __init__(self, city: City, router: Router) -> None:
        self.city = city
        self.router = router
        movements = city.network.movements
        lanes = city.network.lanes
        self._rows: dict[tuple[int, int], list[int]] = {}
        usable = router.drivable[movements.from_lane] & router.drivable[movements.to_lane]
        for row in np.flatnonzero(usable).tolist():
            key = (int(lanes.edge[movements.from_lane[row]]), int(lanes.edge[movements.to_lane[row]]))
            self._rows.setdefault(key, []).append(row)
        self._free_s = router.free_time_s()
        pairs = zip(router.from_edge.tolist(), router.to_edge.tolist(), strict=True)
        self._turn_s = dict(zip(pairs, router.turn_s().tolist(), strict=True))

    def is_connected(self, edges: tuple[int, ...]) -> bool:
        """Whether one can drive along these edges."""
        return all((a, b) in self._rows for a, b in pairwise(edges))

    def make(self, edges: tuple[int, ...]) -> Way:
        """The way along connected edges."""
        points: list[F64] = []
        end_m, free_s = [], []
        total_m = total_s = 0.0
        for place, edge in enumerate(edges):
            shape = self.router.line(edge)
            if points:
                total_m += float(np.hypot(*(shape[0] - points[-1][-1])))
                total_s += self._turn_s[edges[place - 1], edge]
            total_m += float(np.hypot(*np.diff(shape, axis=0).T).sum())
            total_s += float(self._free_s[edge]) if math.isfinite(self._free_s[edge]) else 0.0
            points.append(shape)
            end_m.append(total_m)
            free_s.append(total_s)
        line = np.concatenate(points)
        at_m = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))))
        ends = np.array(end_m)
        return Way(
            edges, ends, np.array(free_s), self._lanes(edges), line, at_m, self._crossings(edges, ends),
            {edge: place for place, edge in enumerate(edges)},
        )  # fmt: skip

    def _lanes(self, edges: tuple[int, ...]) -> I32:
        start, drivable = self.city.network.edges.lane_start, self.router.drivable
        return np.array([drivable[start[edge] : start[edge + 1]].sum() for edge in edges], np.int32)

    def _crossings(self, edges: tuple[int, ...], end_m: F64) -> tuple[Crossing, ...]:
        movements, start = self.city.network.movements, self.city.signals.group_start
        found: list[Crossing] = []
        first_place = 0
        for place in range(len(edges) - 1):
            rows = [row for row in self._rows[edges[place], edges[place + 1]] if movements.group[row] >= 0]
            if not rows:
                continue
            junction = int(movements.junction[rows[0]])
            by_lane = {int(movements.from_lane[row]): int(movements.group[row]) for row in rows}
            found.append(
                Crossing(
                    junction, place, first_place, float(end_m[place]),
                    np.array(list(by_lane), np.int32),
                    np.array([group - int(start[junction]) for group in by_lane.values()], np.int32),
                )
            )  # fmt: skip
            first_place = place + 1
        return tuple(found)
