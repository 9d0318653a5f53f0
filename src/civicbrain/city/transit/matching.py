"""A timetable from elsewhere on the city's network: each stop on an edge, each trip on a way of edges.

A stop has as candidates the edges with a lane for buses within `REACH_M`, nearest first. Of these that
sequence is taken which a bus drives soonest, metres from the stop to the road counted as seconds (Viterbi's
algorithm, as in map matching by Newson & Krumm 2009, with the ways' times in place of probabilities). A trip
that leaves the city is cut to its longest run of stops inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.spatial import cKDTree

from civicbrain.city.network import F64, Bool, Network, RoadUse
from civicbrain.city.routing import Router
from civicbrain.city.transit.layout import PatternPlace, StopPlace

REACH_M = 40.0
"""From a stop's pole to the middle of the lane: a wide road, and the error of surveyed stops."""
CANDIDATES = 6
WRONG_SIDE_S, MIDDLE_M = 120.0, 2.5
"""Against a lane that has the stop on the side where nobody gets on; near its middle no side is told."""
AWAY_S_PER_M = 0.5
"""What a metre between stop and road counts against driving time: at 40 m as much as a block more."""
MAX_DETOUR = 6.0
"""A way longer than so many times the distance between its stops (and 1 km) is no bus's."""

_SAMPLE_M = 10.0


class Matcher:
    """Matches over one network. `stop_places`: what was found for each stop used, id -> place."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._router = Router(network, RoadUse.MOTOR | RoadUse.BUS)
        self._edge_s = self._router.free_time_s()
        self._turn_s = self._router.turn_s()
        self._points, self._along, self._lane, self._at_m = _samples(network, self._router.drivable)
        self._right = 1.0 if drives_on_the_right(network) else -1.0
        self._tree = cKDTree(self._points)
        self._known: dict[str, list[tuple[int, float, float]]] = {}
        self._times: dict[int, F64] = {}

    def candidates(self, stop: str, x_m: float, y_m: float) -> list[tuple[int, float, float]]:
        """(edge row, metres along it, metres away and what its side counts) near a stop, [] where none is."""
        found = self._known.get(stop)
        if found is None:
            lanes = self._network.lanes
            best: dict[int, tuple[int, float, float]] = {}  # the last number: away, and the side
            rows = self._tree.query_ball_point((x_m, y_m), REACH_M) if np.isfinite((x_m, y_m)).all() else []
            for row in rows:
                away_m = self._away(row, x_m, y_m)
                edge = int(lanes.edge[self._lane[row]])
                if edge not in best or away_m < best[edge][2]:
                    best[edge] = (edge, float(self._at_m[row]), away_m)
            found = sorted(best.values(), key=lambda one: one[2])[:CANDIDATES]
            self._known[stop] = found
        return found

    def _away(self, row: int, x_m: float, y_m: float) -> float:
        """Metres from a point of a lane; a stop on the wrong side is far."""
        east_m, north_m = x_m - self._points[row, 0], y_m - self._points[row, 1]
        left_m = (self._along[row, 0] * north_m - self._along[row, 1] * east_m) * self._right
        wrong = WRONG_SIDE_S / AWAY_S_PER_M if left_m > MIDDLE_M else 0.0
        return float(np.hypot(east_m, north_m)) + wrong

    def fix(self, stop: str, edge: int, position_m: float) -> None:
        """This stop's place is known."""
        self._known[stop] = [(edge, position_m, 0.0)]

    def match(self, line: str, stops: Sequence[tuple[str, float, float]]) -> PatternPlace | None:
        """The way of a sequence of (stop, x, y); None where no bus could drive it. Cut to the longest run of
        stops inside the city: the pattern's stops say which these are."""
        run = self._inside(stops)
        if len(run) < 2:
            return None
        layers = [self.candidates(*stop) for stop in run]
        cost = np.array([away_m * AWAY_S_PER_M for _, _, away_m in layers[0]])
        back: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
        for (_, x0, y0), (_, x1, y1), before, here in zip(run, run[1:], layers, layers[1:], strict=False):
            limit_s = MAX_DETOUR * max(1000.0, float(np.hypot(x1 - x0, y1 - y0))) / 8.0
            steps = np.array([[self._drive_s(a, b) for a in before] for b in here])
            steps[steps > limit_s] = np.inf
            total = cost[None, :] + steps
            back.append(total.argmin(axis=1))
            cost = total.min(axis=1) + [away_m * AWAY_S_PER_M for _, _, away_m in here]
        if not np.isfinite(cost).any():
            return None
        chosen = [int(np.argmin(cost))]
        for pointers in reversed(back):
            chosen.append(int(pointers[chosen[-1]]))
        ends = [layer[row] for layer, row in zip(layers, reversed(chosen), strict=True)]
        return self._pattern(line, [stop for stop, _, _ in run], ends)

    def place_of(self, stop: str, edge: int) -> StopPlace:
        """Where a stop is on the edge that the match gave it."""
        ids = self._network.edges.ids
        at_m = next((at for row, at, _ in self._known[stop] if row == edge), 0.0)
        return StopPlace(stop, ids[edge], round(at_m, 1))

    def _inside(self, stops: Sequence[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
        best: list[tuple[str, float, float]] = []
        run: list[tuple[str, float, float]] = []
        for stop in stops:
            run = [*run, stop] if self.candidates(*stop) else []
            best = run if len(run) > len(best) else best
        return best

    def _drive_s(self, a: tuple[int, float, float], b: tuple[int, float, float]) -> float:
        """Seconds from one place to another; a place behind on the same edge is reached by going round."""
        network = self._network
        lanes, start = network.lanes, network.edges.lane_start

        def share(edge: int, at_m: float) -> float:
            return min(1.0, at_m / max(1.0, float(lanes.length_m[start[edge]])))

        if a[0] == b[0] and b[1] > a[1]:
            return float(self._edge_s[a[0]]) * (share(b[0], b[1]) - share(a[0], a[1]))
        times = self._times.get(a[0])
        if times is None:
            times = self._times[a[0]] = self._router.times_s(a[0], self._edge_s, self._turn_s)
        if a[0] == b[0]:
            return float("inf")
        rest = float(self._edge_s[a[0]]) * (1.0 - share(a[0], a[1]))
        return rest + float(times[b[0]]) - float(self._edge_s[b[0]]) * (1.0 - share(b[0], b[1]))

    def _pattern(
        self, line: str, stops: list[str], ends: list[tuple[int, float, float]]
    ) -> PatternPlace | None:
        ids = self._network.edges.ids
        edges, places = [ends[0][0]], [0]
        for a, b in pairwise(ends):
            if a[0] != b[0]:
                way = self._router.find_way(a[0], b[0], self._edge_s, self._turn_s)
                if way is None:
                    return None
                edges += way.edges[1:]
            places.append(len(edges) - 1)
        return PatternPlace(line, tuple(stops), tuple(ids[edge] for edge in edges), tuple(places))


def drives_on_the_right(network: Network) -> bool:
    """Whether the other carriageway lies to the left, as most streets with two have it."""
    edges, lanes = network.edges, network.lanes
    ends = list(zip(edges.from_node.tolist(), edges.to_node.tolist(), strict=True))
    row_of = {pair: row for row, pair in enumerate(ends)}
    votes = 0.0
    for (a, b), row in list(row_of.items())[:2000]:
        other = row_of.get((b, a))
        if other is not None:
            own = lanes.shape(int(edges.lane_start[row])).astype(np.float64)
            reverse = lanes.shape(int(edges.lane_start[other])).astype(np.float64)
            along, across = own[-1] - own[0], reverse.mean(axis=0) - own.mean(axis=0)
            votes += float(np.sign(along[0] * across[1] - along[1] * across[0]))
    return votes >= 0.0


def _samples(network: Network, drivable: Bool) -> tuple[F64, F64, F64, F64]:
    """(points (k, 2), their unit directions (k, 2), lane of each, metres along it), _SAMPLE_M apart."""
    points, along, lane, at = [], [], [], []
    for row in np.flatnonzero(drivable).tolist():
        shape = network.lanes.shape(row).astype(np.float64)
        steps = np.diff(shape, axis=0)
        lengths_m = np.maximum(np.hypot(*steps.T), 1e-9)
        along_m = np.concatenate(([0.0], np.cumsum(lengths_m)))
        marks = np.linspace(0.0, along_m[-1], max(2, int(along_m[-1] // _SAMPLE_M) + 2))
        points.append(np.column_stack([np.interp(marks, along_m, shape[:, axis]) for axis in (0, 1)]))
        step = np.clip(np.searchsorted(along_m, marks, side="right") - 1, 0, len(steps) - 1)
        along.append((steps / lengths_m[:, None])[step])
        lane.append(np.full(len(marks), row))
        at.append(marks)
    if not points:
        return np.full((1, 2), np.inf), np.zeros((1, 2)), np.zeros(1, np.int64), np.zeros(1)
    return np.concatenate(points), np.concatenate(along), np.concatenate(lane), np.concatenate(at)
