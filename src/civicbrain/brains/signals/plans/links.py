"""Which signal lets through what arrives at an approach: platoons are expected along these links."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from civicbrain.brains.signals.approach import Streams
from civicbrain.brains.signals.plans.flows import StreamFlows
from civicbrain.brains.signals.plans.tables import PlanTable
from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.science.queues import JAM_SPACING_M

LINK_M = 1000.0
"""A platoon is not followed farther: dispersion has made it almost uniform (TRANSYT practice: 800 to 1000
m)."""


@dataclass(frozen=True, slots=True)
class Source:
    """A stream upstream: junction row, its stream there (local), veh/s it sends here, and travel time."""

    junction: int
    stream: int
    flow: float
    travel_s: float


@dataclass(frozen=True, slots=True)
class Approach:
    """An approach edge of a junction: its streams (local), what feeds it, and the share of its demand that
    does (the rest arrives at a constant rate)."""

    streams: tuple[int, ...]
    sources: tuple[Source, ...]
    metered: float


def build_approaches(
    city: City, streams: Streams, flows: StreamFlows, tables: list[PlanTable]
) -> tuple[list[list[Approach]], list[F64], list[F64]]:
    """(approaches, storage, metered), one entry a junction. storage: (k,) vehicles a lane back to the nearest
    signal upstream, inf where there is none. metered: (k,) see Approach."""
    place = {int(k): (t.junction, i) for t in tables for i, k in enumerate(t.streams)}
    edge_of = city.network.lanes.edge
    approaches: list[list[Approach]] = []
    storages: list[F64] = []
    metered: list[F64] = []
    for table in tables:
        here: list[Approach] = []
        storage = np.full(len(table.streams), np.inf)
        share = np.zeros(len(table.streams))
        edges = edge_of[streams.lane[table.streams]]
        for edge in sorted(set(edges.tolist())):
            own = np.flatnonzero(edges == edge)
            sources, nearest_m = _sources(city, streams, flows, edge, table.junction, place)
            storage[own] = nearest_m / JAM_SPACING_M
            demand = float(flows.flow[table.streams[own]].sum())
            fed = sum(source.flow for source in sources)
            part = min(1.0, fed / demand) if demand > 0.0 else 0.0
            share[own] = part
            here.append(Approach(tuple(own.tolist()), tuple(sources), part))
        approaches.append(here)
        storages.append(storage)
        metered.append(share)
    return approaches, storages, metered


def _sources(
    city: City,
    streams: Streams,
    flows: StreamFlows,
    edge: int,
    junction: int,
    place: dict[int, tuple[int, int]],
) -> tuple[list[Source], float]:
    network = city.network
    moves, lanes = network.movements, network.lanes
    order, start = network.movements_to
    lane_start = network.edges.lane_start
    found: dict[int, Source] = {}
    nearest_m = np.inf
    frontier, seen = [(edge, 0.0, 0.0)], {edge}
    while frontier:
        here, beyond_m, beyond_s = frontier.pop(0)
        first = int(lane_start[here])
        length_m = beyond_m + float(lanes.length_m[first])
        travel_s = beyond_s + float(lanes.length_m[first]) / max(float(lanes.speed_mps[first]), 1.0)
        if length_m > LINK_M:
            continue
        for lane in range(first, int(lane_start[here + 1])):
            for move in order[start[lane] : start[lane + 1]].tolist():
                stream = int(streams.movement_stream[move])
                if stream < 0:
                    behind = int(lanes.edge[moves.from_lane[move]])
                    if moves.junction[move] < 0 and behind not in seen:
                        seen.add(behind)
                        frontier.append((behind, length_m, travel_s))
                    continue
                upstream, local = place[stream]
                if upstream == junction:
                    continue
                nearest_m = min(nearest_m, length_m)
                amount = float(flows.movement[move])
                if amount > 0.0:
                    before = found.get(stream)
                    total = amount + (before.flow if before else 0.0)
                    inside_s = float(moves.length_m[move]) / 10.0
                    found[stream] = Source(upstream, local, total, travel_s + inside_s)
    return list(found.values()), float(nearest_m)
