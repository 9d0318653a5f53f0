"""The way through a chain of junctions, and which chains suggest themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.routing import STRAIGHT_MPS, Router
from civicbrain.core.errors import NotFoundError, RequestRefusedError

MOST_STOP_LINES = 40
LEAST_SUGGESTED = 3
_STRAIGHT = ord("s")
_BENDS = np.cos(np.radians(50.0))  # straighter than this goes on along the street


@dataclass(frozen=True)
class StopLine:
    """A signalled movement of the way. groups: city-wide rows of the lamps that let it go. distance_m: from
    the beginning of the way; travel_s: from the first stop line at the speed limits."""

    junction: int
    edge: int
    groups: tuple[int, ...]
    distance_m: float
    travel_s: float


@dataclass(frozen=True, eq=False)
class Way:
    """xy (p, 2) and along_m (p,): points of the way and their distance from its beginning. reach_m (p,):
    how far beside the line to the next point a vehicle of the way may be."""

    edges: tuple[int, ...]
    stop_lines: tuple[StopLine, ...]
    xy: F64
    along_m: F64
    reach_m: F64

    @property
    def length_m(self) -> float:
        return float(self.along_m[-1])


@dataclass(frozen=True)
class Arterial:
    """A chain of signal junctions along one street, or straight on. junctions: rows, in driving direction."""

    name: str
    junctions: tuple[int, ...]
    length_m: float


class Ways:
    """Answers for one city; tables are made once."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._router = Router(city.network)
        self._edge_s, self._arc_s = self._router.free_time_s(), self._router.turn_s()
        network = city.network
        self._junction_of = network.nodes.junction[network.edges.to_node]  # (e,) junction at the edge's end

    def find(self, first: int, last: int) -> Way:
        """The quickest way that goes through both junctions (rows). Raises RequestRefusedError,
        NotFoundError."""
        if first == last:
            raise RequestRefusedError("a corridor needs two junctions", remedy="choose another end")
        edges = self._city.network.edges
        after = self._city.network.nodes.junction[edges.from_node]
        best: tuple[float, int, int] | None = None
        targets = np.flatnonzero((after == last) & np.isfinite(self._edge_s))
        for origin in np.flatnonzero((self._junction_of == first) & np.isfinite(self._edge_s)).tolist():
            if not len(targets):
                break
            times = self._router.times_s(origin, self._edge_s, self._arc_s)[targets] - self._edge_s[targets]
            k = int(np.argmin(times))
            if np.isfinite(times[k]) and (best is None or times[k] < best[0] - 1e-6):
                best = (float(times[k]), origin, int(targets[k]))
        way = best and self._router.find_way(best[1], best[2], self._edge_s, self._arc_s)
        if not way:
            raise NotFoundError(
                "no way leads from the one to the other", remedy="choose junctions that are joined"
            )
        found = self.along(way.edges)
        if len(found.stop_lines) > MOST_STOP_LINES:
            raise RequestRefusedError(
                f"{len(found.stop_lines)} signals lie on that way",
                remedy=f"choose ends with at most {MOST_STOP_LINES}",
            )
        return found

    def along(self, edges: tuple[int, ...]) -> Way:
        """The way over these edges, end to end."""
        network = self._city.network
        lanes, movements = network.lanes, network.movements
        points: list[F64] = []
        along: list[F64] = []
        reach: list[float] = []
        stops: list[StopLine] = []
        at_m, travel_s = 0.0, 0.0
        for edge, onward in pairwise((*edges, -1)):
            rows = self._movements(edge, onward)
            lane = int(movements.from_lane[rows[0]]) if len(rows) else self._middle_lane(edge)
            shape = lanes.shape(lane).astype(np.float64)
            steps = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(shape, axis=0), axis=1))))
            length_m = float(lanes.length_m[lane])
            points.append(shape)
            along.append(at_m + steps * (length_m / max(steps[-1], 1e-6)))
            width_m = float(
                lanes.width_m[network.edges.lane_start[edge] : network.edges.lane_start[edge + 1]].sum()
            )
            reach += [width_m + 1.0] * len(shape)
            at_m += length_m
            travel_s += float(self._edge_s[edge])
            if onward < 0:
                break
            groups = tuple(sorted({int(g) for g in movements.group[rows] if g >= 0}))
            if groups:
                stops.append(StopLine(int(movements.junction[rows[0]]), edge, groups, at_m, travel_s))
            inside_m = float(movements.length_m[rows].mean())
            at_m += inside_m
            travel_s += inside_m / STRAIGHT_MPS
        first_s = stops[0].travel_s if stops else 0.0
        own = tuple(StopLine(s.junction, s.edge, s.groups, s.distance_m, s.travel_s - first_s) for s in stops)
        return Way(edges, own, np.concatenate(points), np.concatenate(along), np.array(reach))

    def suggest(self, most: int) -> list[Arterial]:
        """The longest chains of junctions along a street, or straight on; each in one direction only."""
        onward = self._onward()
        junctions: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {}
        for start in onward:
            edges, seen = [start], {start}
            rows: list[int] = []
            while True:
                junction = int(self._junction_of[edges[-1]])
                if junction >= 0 and (not rows or rows[-1] != junction):
                    rows.append(junction)
                following = onward.get(edges[-1])
                if following is None or following in seen or len(rows) >= MOST_STOP_LINES:
                    break
                seen.add(following)
                edges.append(following)
            if len(set(rows)) == len(rows) >= LEAST_SUGGESTED:
                junctions[start] = (tuple(rows), tuple(edges))
        taken: list[set[int]] = []
        found: list[Arterial] = []
        for chain, over in sorted(junctions.values(), key=lambda one: (-len(one[0]), one[0])):
            if any(len(set(chain) & other) > len(chain) / 2 for other in taken):
                continue
            taken.append(set(chain))
            found.append(Arterial(self._name(over), chain, self._length_m(over)))
            if len(found) >= most:
                break
        return found

    def _onward(self) -> dict[int, int]:
        """For each edge the edge on which its street goes on, by name and then by direction."""
        network = self._city.network
        names, movements = network.edges.names, network.movements
        candidates: dict[int, set[int]] = {}
        for row in np.flatnonzero(movements.turn == _STRAIGHT).tolist():
            edge, to = (
                int(network.lanes.edge[lane[row]]) for lane in (movements.from_lane, movements.to_lane)
            )
            if np.isfinite(self._edge_s[edge]) and np.isfinite(self._edge_s[to]):
                candidates.setdefault(edge, set()).add(to)
        result = {}
        for edge, ways in candidates.items():
            heading = self._heading(edge, -1)
            ranked = sorted(
                ((names[to] == names[edge] != "", float(heading @ self._heading(to, 0)), to) for to in ways),
                reverse=True,
            )
            if ranked[0][0] or ranked[0][1] > _BENDS:
                result[edge] = ranked[0][2]
        return result

    def _heading(self, edge: int, end: int) -> F64:
        shape = self._city.network.lanes.shape(self._middle_lane(edge)).astype(np.float64)
        step = shape[1] - shape[0] if end == 0 else shape[-1] - shape[-2]
        return step / max(float(np.linalg.norm(step)), 1e-9)  # type: ignore[no-any-return]

    def _movements(self, edge: int, onward: int) -> list[int]:
        """Rows of the movements from an edge into the next, over lanes that may be driven on."""
        network = self._city.network
        order, start = network.movements_from
        rows: list[int] = []
        for lane in range(int(network.edges.lane_start[edge]), int(network.edges.lane_start[edge + 1])):
            if self._router.drivable[lane]:
                rows += order[start[lane] : start[lane + 1]].tolist()
        return [row for row in rows if network.lanes.edge[network.movements.to_lane[row]] == onward]

    def _middle_lane(self, edge: int) -> int:
        start = self._city.network.edges.lane_start
        own = [lane for lane in range(int(start[edge]), int(start[edge + 1])) if self._router.drivable[lane]]
        return own[len(own) // 2] if own else int(start[edge])

    def _name(self, edges: tuple[int, ...]) -> str:
        names = Counter(name for edge in edges if (name := self._city.network.edges.names[edge]))
        return names.most_common(1)[0][0] if names else ""

    def _length_m(self, edges: tuple[int, ...]) -> float:
        """From the first stop line to the last."""
        stops = self.along(edges).stop_lines
        return stops[-1].distance_m - stops[0].distance_m if stops else 0.0
