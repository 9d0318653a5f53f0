"""Which lanes the camera of each signal junction sees, and how far they are from its stop lines."""

from __future__ import annotations

import heapq

import numpy as np

from civicbrain.city.model import Cameras
from civicbrain.city.network import Network, RoadUse

RANGE_M = 150.0
"""Default range of a camera (design: cameras see up to 150 m along the road)."""
REACH_M = 250.0
"""How far the table reaches, so that a twin may look further (oracle sensing: 200 m)."""

_VEHICLES = int(
    RoadUse.MOTOR | RoadUse.BUS | RoadUse.TRAM | RoadUse.BICYCLE | RoadUse.EMERGENCY | RoadUse.OTHER
)


def build_cameras(network: Network, reach_m: float = REACH_M) -> Cameras:
    """One camera a signal junction: its approaches, and what leads to them through unsignalised nodes.

    A lane belongs to the nearest camera only; looking upstream ends at another signal (and at the same
    junction's other stop lines: those are approaches themselves). Lanes side by side share the distance.
    """
    movements, lanes, edges = network.movements, network.lanes, network.edges
    edge_length_m = lanes.length_m[edges.lane_start[:-1]]
    from_edge, to_edge = lanes.edge[movements.from_lane], lanes.edge[movements.to_lane]
    signalled = movements.junction >= 0
    best: dict[int, tuple[float, int]] = {}
    heap: list[tuple[float, int, int]] = []
    for edge, junction in zip(from_edge[signalled], movements.junction[signalled], strict=True):
        if int(edge) not in best:
            best[int(edge)] = (0.0, int(junction))
            heap.append((0.0, int(junction), int(edge)))
    heapq.heapify(heap)
    order = np.argsort(to_edge, kind="stable")
    start = np.searchsorted(to_edge[order], np.arange(len(edges.ids) + 1))
    while heap:
        beyond_m, junction, edge = heapq.heappop(heap)
        if best[edge] != (beyond_m, junction):
            continue
        for movement in order[start[edge] : start[edge + 1]]:
            upstream = int(from_edge[movement])
            further_m = beyond_m + float(edge_length_m[edge]) + float(movements.length_m[movement])
            if signalled[movement] or further_m > reach_m:
                continue
            if upstream not in best or (further_m, junction) < best[upstream]:
                best[upstream] = (further_m, junction)
                heapq.heappush(heap, (further_m, junction, upstream))
    rows = sorted(
        (junction, lane, beyond_m)
        for edge, (beyond_m, junction) in best.items()
        for lane in range(edges.lane_start[edge], edges.lane_start[edge + 1])
        if lanes.use[lane] & _VEHICLES
    )
    return Cameras(
        RANGE_M,
        np.asarray([row[0] for row in rows], dtype=np.int32),
        np.asarray([row[1] for row in rows], dtype=np.int32),
        np.asarray([row[2] for row in rows], dtype=np.float32),
    )
