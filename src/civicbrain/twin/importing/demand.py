"""Demand where a source has none: seeded trips between streets, at a level that the network carries.

Gravity model (Ortúzar & Willumsen, Modelling Transport, 4th ed. 2011, section 5.3): the chance of a trip
from street i to street j is in proportion to w_i w_j exp(-d_ij / D). The weight w is lane length times a
factor of the kind of street; where the network ends (its fringe) streets carry the traffic of the world
around, so they weigh more. Trips take quickest routes whose times are perturbed once per origin, so that they
spread. The level is the highest at which no movement is loaded above a share of its capacity; `importer.py`
lowers it where a first run shows that the network does not carry it.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

from civicbrain.city.network import F64, I32, Bool, Network, RoadUse
from civicbrain.city.signals import SignalIndex, SignalJunction

MAX_LOAD = 0.6
"""Highest load of a movement over its capacity (delay rises steeply beyond 0.8,
Webster 1958, and the peak stands PEAK above the mean)."""
SATURATION_VEH_PER_H = 1800.0
"""Saturation flow of a lane (HCM 2010, chapter 31: 1,900 in ideal conditions)."""
YIELDING_VEH_PER_H = 500.0
"""Capacity of a lane that gives way (HCM 2010, chapter 19, medium conflicting flow)."""
DECAY_M = 3000.0
MIN_TRIP_M = 250.0
"""Nobody drives less, except in a network that is itself hardly larger."""
FRINGE_FACTOR = 8.0
MAX_ORIGINS = 300
POOL_TRIPS = 6000
PEAK = 0.3
"""The flow swings from 1 - PEAK at the ends of the window to 1 + PEAK in its middle."""


@dataclass(frozen=True, eq=False)
class Demand:
    """departures_s (v,) sorted; route of vehicle i: rows of Edges."""

    departures_s: F64
    routes: tuple[I32, ...]


def synthesise_demand(
    network: Network,
    junctions: tuple[SignalJunction, ...],
    *,
    begin_s: float,
    end_s: float,
    seed: int,
    vehicles_per_h: float | None = None,
) -> Demand:
    """Trips of a window; empty where the network has no two streets that a car can drive between.

    vehicles_per_h: mean level; None for the highest that the movements' capacities allow.
    """
    rng = np.random.default_rng(seed)
    graph = _Graph(network, junctions)
    usable = graph.largest_component()
    if usable.size < 2:
        return Demand(np.zeros(0), ())
    routes = _draw_routes(graph, usable, rng)
    if not routes:
        return Demand(np.zeros(0), ())
    rate = _level(graph, routes) if vehicles_per_h is None else vehicles_per_h
    count = max(1, round(rate * (end_s - begin_s) / 3600.0))
    chosen = rng.permutation(len(routes))[:count]
    if count > len(routes):
        chosen = rng.integers(0, len(routes), size=count)
    # a raised cosine over the window, by its inverse distribution
    grid = np.linspace(0.0, 1.0, 513)
    share = grid - PEAK * np.sin(2.0 * np.pi * grid) / (2.0 * np.pi)
    departures = begin_s + (end_s - begin_s) * np.interp(np.sort(rng.random(len(chosen))), share, grid)
    return Demand(np.round(departures, 1), tuple(routes[row] for row in chosen))


class _Graph:
    """Streets as nodes and movements between them as arcs, for cars."""

    def __init__(self, network: Network, junctions: tuple[SignalJunction, ...]) -> None:
        lanes, movements = network.lanes, network.movements
        motor = (lanes.use & int(RoadUse.MOTOR)) != 0
        use = motor[movements.from_lane] & motor[movements.to_lane]
        from_edge, to_edge = lanes.edge[movements.from_lane][use], lanes.edge[movements.to_lane][use]
        self.size = len(network.edges.ids)
        first = network.edges.lane_start[:-1]
        self.length_m = lanes.length_m[first].astype(np.float64)
        self.time_s = self.length_m / np.maximum(lanes.speed_mps[first], 1.0)
        self.lane_count = np.bincount(lanes.edge[motor], minlength=self.size)
        self.speed_mps = lanes.speed_mps[first].astype(np.float64)
        ends = network.nodes.xy[network.edges.to_node].astype(np.float64)
        starts = network.nodes.xy[network.edges.from_node].astype(np.float64)
        self.middle_xy = (starts + ends) / 2.0
        key = from_edge.astype(np.int64) * self.size + to_edge
        self.pairs, inverse = np.unique(key, return_inverse=True)
        capacity = _movement_capacity(network, junctions)[use]
        self.capacity = np.zeros(len(self.pairs))
        # lanes that serve several directions share their capacity among them
        fan = np.bincount(movements.from_lane[use], minlength=len(lanes.ids))[movements.from_lane[use]]
        np.add.at(self.capacity, inverse, capacity / np.maximum(fan, 1))
        self.heads, self.tails = self.pairs // self.size, self.pairs % self.size
        incoming = np.bincount(self.tails, minlength=self.size)
        outgoing = np.bincount(self.heads, minlength=self.size)
        degree = np.bincount(network.edges.from_node, minlength=len(network.nodes.ids)) + np.bincount(
            network.edges.to_node, minlength=len(network.nodes.ids)
        )
        self.enters = (incoming == 0) | (degree[network.edges.from_node] <= 2)
        self.leaves = (outgoing == 0) | (degree[network.edges.to_node] <= 2)

    def matrix(self, factor: F64) -> csr_matrix:
        weight = np.maximum(self.time_s * factor, 1e-3)[self.tails] + 2.0
        return csr_matrix((weight, (self.heads, self.tails)), shape=(self.size, self.size))

    def largest_component(self) -> I32:
        """Streets for cars that are connected with most others (weakly, as fringes lead one way)."""
        _, label = connected_components(self.matrix(np.ones(self.size)), directed=True, connection="weak")
        cars = np.flatnonzero(self.lane_count > 0)
        if cars.size == 0:
            return np.zeros(0, dtype=np.int32)
        largest = np.bincount(label[cars]).argmax()
        return np.asarray(cars[label[cars] == largest], dtype=np.int32)

    def attraction(self, fringe: Bool) -> F64:
        """Weight of each street: lane length by kind, and the world beyond where it meets the fringe."""
        # quick streets are for driving through, not for living at
        kind = np.where(self.speed_mps > 70.0 / 3.6, 0.1, np.where(self.speed_mps > 51.0 / 3.6, 0.5, 1.0))
        inside = np.minimum(self.length_m, 300.0) * np.sqrt(self.lane_count) * kind
        beyond = FRINGE_FACTOR * 100.0 * self.lane_count * np.clip(self.speed_mps / 13.9, 0.3, 2.0) ** 2
        return np.where(fringe, beyond, inside)


def _movement_capacity(network: Network, junctions: tuple[SignalJunction, ...]) -> F64:
    """Vehicles per hour that each movement lets through, by its green in the local plan."""
    index = SignalIndex(junctions)
    protected = np.zeros(max(index.group_count, 1))
    yielding = np.zeros(max(index.group_count, 1))
    for row, junction in enumerate(junctions):
        cycle_s = max(junction.local_plan.cycle_s, 1.0)
        start = int(index.group_start[row])
        for step in junction.local_plan.steps:
            for group, lamp in enumerate(junction.stages[step.stage].lamps):
                share = max(step.duration_s - 4.0, 1.0) / cycle_s
                protected[start + group] += share * (lamp == "G")
                yielding[start + group] += share * (lamp in "gs")
    group_of = network.movements.group
    signal = SATURATION_VEH_PER_H * protected[group_of] + YIELDING_VEH_PER_H * yielding[group_of]
    edges = network.edges
    lanes = network.lanes
    node_best = np.zeros(len(network.nodes.ids), dtype=np.int64) - 10_000
    np.maximum.at(node_best, edges.to_node, edges.priority)
    from_edge = lanes.edge[network.movements.from_lane]
    major = edges.priority[from_edge] >= node_best[network.movements.node]
    free = np.where(major & (network.movements.turn != ord("l")), SATURATION_VEH_PER_H, YIELDING_VEH_PER_H)
    result: F64 = np.where(group_of >= 0, signal, free)
    return result


def _draw_routes(graph: _Graph, usable: I32, rng: np.random.Generator) -> list[I32]:
    """A pool of routes by gravity; origins are drawn by weight, their destinations at once."""
    produce = graph.attraction(graph.enters)[usable]
    attract = graph.attraction(graph.leaves)[usable]
    count = min(MAX_ORIGINS, usable.size)
    origins = rng.choice(usable, size=count, p=produce / produce.sum(), replace=False)
    share = graph.attraction(graph.enters)[origins]
    trips = rng.multinomial(POOL_TRIPS, share / share.sum())
    routes: list[I32] = []
    extent_m = float(np.ptp(graph.middle_xy[usable], axis=0).max())
    min_trip_m = min(MIN_TRIP_M, 0.25 * extent_m)
    for origin, wanted in zip(origins.tolist(), trips.tolist(), strict=True):
        if wanted == 0:
            continue
        factor = np.exp(rng.normal(0.0, 0.15, size=graph.size))
        time_s, previous = dijkstra(graph.matrix(factor), indices=int(origin), return_predecessors=True)
        distance_m = np.hypot(*(graph.middle_xy[usable] - graph.middle_xy[origin]).T)
        chance = attract * np.exp(-distance_m / DECAY_M) * (distance_m >= min_trip_m)
        chance[~np.isfinite(time_s[usable]) | (usable == origin)] = 0.0
        if chance.sum() <= 0.0:
            continue
        for target in rng.choice(usable, size=wanted, p=chance / chance.sum()):
            routes.append(_trace(previous, int(origin), int(target)))
    return routes


def _trace(previous: I32, origin: int, target: int) -> I32:
    way = [target]
    while way[-1] != origin:
        way.append(int(previous[way[-1]]))
    return np.asarray(way[::-1], dtype=np.int32)


def _level(graph: _Graph, routes: list[I32]) -> float:
    """Vehicles per hour at which the fullest movements but one in two hundred have MAX_LOAD."""
    flow = np.zeros(len(graph.pairs))
    for route in routes:
        if len(route) > 1:
            keys = route[:-1].astype(np.int64) * graph.size + route[1:]
            np.add.at(flow, np.searchsorted(graph.pairs, keys), 1.0)
    loaded = flow > 0
    if not loaded.any():
        return 100.0
    per_trip = flow[loaded] / len(routes) / np.maximum(graph.capacity[loaded], 50.0)
    return float(np.clip(MAX_LOAD / np.quantile(per_trip, 0.995), 20.0, 40_000.0))


def demand_xml(network: Network, demand: Demand) -> bytes:
    """A SUMO route file of passenger cars."""
    root = ElementTree.Element("routes")
    ElementTree.SubElement(root, "vType", id="car", vClass="passenger")
    for number, (depart_s, route) in enumerate(zip(demand.departures_s, demand.routes, strict=True)):
        vehicle = ElementTree.SubElement(
            root, "vehicle", id=f"trip{number}", type="car", depart=f"{depart_s:.1f}",
            departLane="best", departSpeed="max",
        )  # fmt: skip
        ElementTree.SubElement(vehicle, "route", edges=" ".join(network.edges.ids[row] for row in route))
    return ElementTree.tostring(root)
