"""Offsets of fixed plans: the main stream of each street arrives at green.

Along the heaviest tree of the graph of neighbouring junctions: around a loop, offsets must add up to whole
cycles, so not all links can be met (Little 1966, "The synchronization of traffic signals by mixed-integer
linear programming").
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from civicbrain.city.network import F64, Network
from civicbrain.city.signals import SignalJunction

QUEUE_HEAD_S = 4.0
"""Green begins this much before the platoon, for what already waits."""
_MOST_SECTIONS = 6
"""Of a street between two neighbouring signals."""


def find_offsets(
    network: Network,
    junctions: tuple[SignalJunction, ...],
    lost: list[list[float]],
    flow_veh_h: F64,
    cycle_s: float,
    start: np.ndarray,
) -> list[float]:
    """Offset of each junction (s): the heaviest streams between neighbours arrive at green.

    lost: length of each step's switch-over (s). flow_veh_h: of each row of Movements. start: first group
    row of each junction.
    """
    links = _links(network, flow_veh_h)
    count = len(junctions)
    if not links:
        return [0.0] * count
    best: dict[tuple[int, int], tuple[float, int, int, float]] = {}
    for flow, a, b, out_row, in_row, travel_s in links:
        key = (min(a, b), max(a, b))
        wait_s = _green_begin_s(junctions[a], lost[a], int(network.movements.group[out_row] - start[a]))
        green_s = _green_begin_s(junctions[b], lost[b], int(network.movements.group[in_row] - start[b]))
        shift_s = wait_s + travel_s - QUEUE_HEAD_S - green_s  # offset of b minus that of a
        if key not in best or flow > best[key][0]:
            best[key] = (flow, a, b, shift_s)
    keys = sorted(best)
    weight = [-1.0 - best[key][0] for key in keys]
    graph = coo_matrix((weight, ([k[0] for k in keys], [k[1] for k in keys])), shape=(count, count))
    tree = minimum_spanning_tree(graph.tocsr())
    offsets = [0.0] * count
    done = np.zeros(count, dtype=np.bool_)
    for root in range(count):
        if done[root]:
            continue
        order, parent = breadth_first_order(tree, root, directed=False)
        done[order] = True
        for node in order[1:].tolist():
            above = int(parent[node])
            _, a, _, shift_s = best[min(above, node), max(above, node)]
            offsets[node] = (offsets[above] + (shift_s if a == above else -shift_s)) % cycle_s
    return offsets


def _links(network: Network, flow_veh_h: F64) -> list[tuple[float, int, int, int, int, float]]:
    """(flow veh/h, junction a, junction b, movement out of a, movement straight on at b, travel time s)."""
    movements, lanes = network.movements, network.lanes
    straight = movements.turn == ord("s")
    feeding: dict[int, int] = {}  # edge -> the fullest straight movement into it
    for row in np.flatnonzero(straight)[np.argsort(flow_veh_h[straight], kind="stable")].tolist():
        feeding[int(lanes.edge[movements.to_lane[row]])] = row
    length_m = lanes.length_m
    result = []
    for row in np.flatnonzero(straight & (movements.junction >= 0)).tolist():
        lane = int(movements.from_lane[row])
        travel_s = 0.0
        for _ in range(_MOST_SECTIONS):
            travel_s += float(length_m[lane]) / float(lanes.speed_mps[lane])
            into = feeding.get(int(lanes.edge[lane]))
            if into is None:
                break
            a = int(movements.junction[into])
            if a >= 0:
                b = int(movements.junction[row])
                if a != b:
                    result.append((float(flow_veh_h[row]), a, b, into, row, travel_s))
                break
            lane = int(movements.from_lane[into])
    return result


def _green_begin_s(junction: SignalJunction, lost_s: list[float], group: int) -> float:
    """Second of the cycle at which the group's green with right of way begins."""
    elapsed_s = 0.0
    for step, wait_s in zip(junction.local_plan.steps, lost_s, strict=True):
        if junction.stages[step.stage].lamps[group] == "G":
            return elapsed_s + wait_s
        elapsed_s += step.duration_s
    return 0.0
