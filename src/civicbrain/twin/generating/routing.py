"""A pool of car routes between streets, spread over the network as drivers spread.

Trips by gravity (Ortúzar & Willumsen, Modelling Transport, 4th ed. 2011, sections 5.3 and 10.4): the chance
of a trip from i to j is in proportion to o_i d_j exp(-t_ij / T). Routes by incremental assignment: the pool
is drawn in batches, each on quickest ways under the load of those before it, with times perturbed once a
batch (log-normal), so that neighbours choose differently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from civicbrain.city.network import F64, I32, Network, RoadUse

I64 = NDArray[np.int64]

MEAN_REACH_S = 300.0
"""T: time over which the wish to travel falls by 1/e; mean trips of 8 to 12 minutes come of it."""
SHORTEST_S = 90.0
LONGEST_S = 2700.0
PERTURBATION = 0.12
BATCHES = 8
TRIPS_AN_ORIGIN = 25
_CHUNK = 32

SIGNAL_DELAY_S = {"s": 14.0, "r": 12.0, "l": 26.0, "t": 30.0}
YIELD_DELAY_S = {"s": 1.0, "r": 3.0, "l": 6.0, "t": 10.0}
SIGNAL_CAPACITY_VEH_H = {"s": 600.0, "r": 500.0, "l": 230.0, "t": 100.0}
YIELD_CAPACITY_VEH_H = {"s": 1400.0, "r": 400.0, "l": 250.0, "t": 100.0}
"""Of one lane: about a third of the saturation flow at signals, less for turns; HCM 2016 ch. 19 and 20 for
medium conflicting flow. They spread the traffic; the plans come from the flows that result."""
CONGESTION = 3.0
"""Delay times (1 + 3 (q/c)^4): the form of the Bureau of Public Roads (1964), at a junction's own delay."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Routes one after the other: route i is edges[start[i]:start[i + 1]]; time_s of each as planned."""

    edges: I32
    start: I64
    time_s: F64

    def __len__(self) -> int:
        return len(self.time_s)

    def take(self, rows: I64) -> Pool:
        """Only some of the routes."""
        chosen = np.zeros(len(self), dtype=np.bool_)
        chosen[rows] = True
        sizes = np.diff(self.start)
        start = np.concatenate(([0], np.cumsum(sizes[rows]))).astype(np.int64)
        return Pool(self.edges[np.repeat(chosen, sizes)], start, self.time_s[rows])


class Graph:
    """Edges as nodes, what leads from one to the next as arcs, for cars."""

    def __init__(self, network: Network) -> None:
        lanes, movements = network.lanes, network.movements
        motor = (lanes.use & int(RoadUse.MOTOR)) != 0
        use = np.flatnonzero(motor[movements.from_lane] & motor[movements.to_lane])
        self.size = len(network.edges.ids)
        head = lanes.edge[movements.from_lane[use]].astype(np.int64)
        key = head * self.size + lanes.edge[movements.to_lane[use]]
        self.keys, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        self.arc_of_movement = np.full(len(movements.node), -1, dtype=np.int64)
        self.arc_of_movement[use] = inverse
        self.heads, self.tails = self.keys // self.size, self.keys % self.size
        self.turn = movements.turn[use[first]]
        signalled = movements.junction[use[first]] >= 0
        self.delay_s = _by_turn(self.turn, signalled, SIGNAL_DELAY_S, YIELD_DELAY_S)
        # turns that share lanes share their capacity: straight on with right, left with turning round
        aside = np.isin(self.turn, np.frombuffer(b"lt", np.uint8))
        _, self.bundle = np.unique(self.heads * 2 + aside, return_inverse=True)
        sharing = self.bundle[inverse] * np.int64(len(lanes.ids)) + movements.from_lane[use]
        lane_count = np.bincount(np.unique(sharing) // len(lanes.ids), minlength=self.bundle.max() + 1)
        capacity = _by_turn(self.turn, signalled, SIGNAL_CAPACITY_VEH_H, YIELD_CAPACITY_VEH_H)
        self.use_of_capacity = 1.0 / (capacity * lane_count[self.bundle])  # each vehicle's, veh/h
        lane = network.edges.lane_start[:-1]
        self.time_s = lanes.length_m[lane].astype(np.float64) / lanes.speed_mps[lane]

    def matrix(self, flow_veh_h: F64, factor: F64) -> csr_matrix:
        """Seconds from the start of one edge's end to the next one's end; flow of each arc, factor of each
        edge."""
        load = np.bincount(self.bundle, flow_veh_h * self.use_of_capacity)[self.bundle]
        load = np.minimum(load, 2.0)
        delay_s = self.delay_s * (1.0 + CONGESTION * load**4)
        weight = (self.time_s * factor)[self.tails] + delay_s
        return csr_matrix((weight, (self.heads, self.tails)), shape=(self.size, self.size))

    def arc_counts(self, pool: Pool, times: F64 | None = None) -> F64:
        """How often the routes of the pool take each arc; times: weight of each route."""
        arc, route = self._arcs(pool)
        weight = None if times is None else times[route]
        return np.bincount(arc, weights=weight, minlength=len(self.keys)).astype(np.float64)

    def worst_of(self, pool: Pool, value: F64) -> F64:
        """The largest value among the arcs of each route; 0 for a route without any."""
        arc, route = self._arcs(pool)
        result = np.zeros(len(pool))
        np.maximum.at(result, route, value[arc])
        return result

    def _arcs(self, pool: Pool) -> tuple[I64, I64]:
        """(arc, row of its route) of all routes, one after the other."""
        before, after = pool.edges[:-1].astype(np.int64), pool.edges[1:]
        inside = np.ones(len(before), dtype=np.bool_)
        inside[pool.start[1:-1] - 1] = False
        arc = np.searchsorted(self.keys, before[inside] * self.size + after[inside])
        return arc, np.repeat(np.arange(len(pool)), np.diff(pool.start) - 1)


def _by_turn(
    turn: NDArray[np.uint8], signalled: NDArray[np.bool_], at: dict[str, float], off: dict[str, float]
) -> F64:
    result = np.zeros(len(turn))
    for letter in "srlt":
        result = np.where(turn == ord(letter), np.where(signalled, at[letter], off[letter]), result)
    return result


def draw_batch(
    graph: Graph,
    produce: F64,
    attract: F64,
    count: int,
    flow_veh_h: F64,
    rng: np.random.Generator,
) -> Pool:
    """About `count` routes from edges drawn by `produce` to edges drawn by `attract` and nearness."""
    origin_count = max(1, round(count / TRIPS_AN_ORIGIN))
    origins = np.sort(rng.choice(graph.size, size=origin_count, p=produce / produce.sum()))
    matrix = graph.matrix(flow_veh_h, np.exp(rng.normal(0.0, PERTURBATION, graph.size)))
    parts: list[list[int]] = []
    times_s: list[float] = []
    for start in range(0, origin_count, _CHUNK):
        chunk = origins[start : start + _CHUNK]
        time_s, previous = dijkstra(matrix, indices=chunk, return_predecessors=True, limit=LONGEST_S)
        for row, origin in enumerate(chunk.tolist()):
            chance = attract * np.exp(-np.where(np.isfinite(time_s[row]), time_s[row], 1e9) / MEAN_REACH_S)
            chance[time_s[row] < SHORTEST_S] = 0.0
            total = chance.sum()
            if total <= 0.0:
                continue
            back = previous[row].tolist()
            picks = np.searchsorted(np.cumsum(chance) / total, rng.random(TRIPS_AN_ORIGIN))
            for target in np.minimum(picks, graph.size - 1).tolist():
                way = [target]
                while way[-1] != origin:
                    way.append(back[way[-1]])
                parts.append(way[::-1])
                times_s.append(float(time_s[row][target] + graph.time_s[origin]))
    return join_routes(parts, times_s)


def join_routes(parts: list[list[int]], times_s: list[float]) -> Pool:
    start = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum([len(part) for part in parts], out=start[1:])
    edges = np.fromiter((edge for part in parts for edge in part), dtype=np.int32, count=int(start[-1]))
    return Pool(edges, start, np.asarray(times_s, dtype=np.float64))


def join_pools(pools: list[Pool]) -> Pool:
    start = np.zeros(sum(len(pool) for pool in pools) + 1, dtype=np.int64)
    np.cumsum(np.concatenate([np.diff(pool.start) for pool in pools]), out=start[1:])
    return Pool(
        np.concatenate([pool.edges for pool in pools]), start, np.concatenate([pool.time_s for pool in pools])
    )
