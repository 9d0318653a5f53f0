"""Queues that reach back to where others pass: the vehicles of such an approach weigh more.

The search counts who waits. A long road that holds forty vehicles then always wins against one of a hundred
metres that is full with fourteen; but behind the full one stand others, also such who want to go elsewhere:
a roundabout locks, and its other entries with it. So a queue counts by the room that it has (Gregoire, Qian,
Frazzoli, de La Fortelle and Wongpiromsarn 2015, "Capacity-aware backpressure traffic signal control", IEEE
Trans. Control of Network Systems 2). A road that begins at the border of the model blocks nobody known.

The weight outlasts the moment: as soon as a queue moves off it seems to be gone, and a green that ends then
leaves half of it. What was tried and measured: docs/decisions/look-ahead.md.
"""

from __future__ import annotations

import math

import numpy as np

from civicbrain.city.network import F32, F64, I32, Network
from civicbrain.science.compiled import compiled
from civicbrain.science.queues import JAM_SPACING_M

START, FULL = 0.4, 0.8
"""Share of the room up to where others pass that a queue takes when its vehicles begin to weigh more, and
when they weigh the most."""

MEMORY_S = 120.0
"""The share falls to 1/e in this time once the queue is gone: a cycle or two."""

LEAST_ROOM_VEH = 10.0
"""A room for fewer than an ordinary red brings (40 s at half of a lane's flow) is full in every cycle,
whatever is shown: nothing to be prevented, and the weight would only be unfair."""

_LONGEST_CHAIN = 8  # edges followed upstream


class ReachBack:
    """weight: (l,) of the vehicles of each approach lane, 1 to `most`. share: (l,) of the room taken."""

    def __init__(self, lane: I32, network: Network, most: float) -> None:
        """lane: (l,) rows of the approach lanes. most: weight where a queue reaches all the way back."""
        before, after = _neighbours(network)
        starts, edges, room_m = [0], [], []
        for row in lane.tolist():
            chain, blocks = _chain(int(network.lanes.edge[row]), before, after)
            first = network.edges.lane_start[chain]
            length_m = float(network.lanes.length_m[row] + network.lanes.length_m[first].sum())
            edges += chain
            starts.append(len(edges))
            blocks &= length_m >= LEAST_ROOM_VEH * JAM_SPACING_M
            room_m.append(length_m if blocks else math.inf)
        self._lane: I32 = np.ascontiguousarray(lane, dtype=np.int32)
        self._chain_of: I32 = np.array(starts, dtype=np.int32)
        self._chain: I32 = np.array(edges, dtype=np.int32)
        self._lane_start: I32 = np.ascontiguousarray(network.edges.lane_start, dtype=np.int32)
        self._room_veh: F64 = np.array(room_m) / JAM_SPACING_M
        self._most = most
        self._last_s = -math.inf
        self.share: F64 = np.zeros(len(lane))
        self.weight: F64 = np.ones(len(lane))

    def update(self, now_s: float, queued_veh: F32) -> None:
        """queued_veh: (n,) on each lane of the network."""
        passed_s = now_s - self._last_s
        kept = math.exp(-passed_s / MEMORY_S) if 0.0 <= passed_s < math.inf else 0.0
        self._last_s = now_s
        _update(
            kept, self._most, queued_veh, self._lane, self._chain_of, self._chain, self._lane_start,
            self._room_veh, self.share, self.weight,
        )  # fmt: skip


def _neighbours(network: Network) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """Edges before and after each edge; nobody counts who turns round."""
    moves, edge = network.movements, network.lanes.edge
    before: dict[int, set[int]] = {}
    after: dict[int, set[int]] = {}
    ahead = np.flatnonzero(moves.turn != ord("t"))
    pairs = zip(edge[moves.from_lane[ahead]].tolist(), edge[moves.to_lane[ahead]].tolist(), strict=True)
    for one, other in pairs:
        before.setdefault(other, set()).add(one)
        after.setdefault(one, set()).add(other)
    return before, after


def _chain(edge: int, before: dict[int, set[int]], after: dict[int, set[int]]) -> tuple[list[int], bool]:
    """Edges upstream of this one that lead nowhere else, and whether others pass where they begin."""
    chain: list[int] = []
    while len(chain) < _LONGEST_CHAIN:
        feeders = before.get(edge, set())
        if not feeders:
            return chain, False
        (one, *more) = feeders
        if more or after[one] != {edge} or one in chain:
            return chain, True
        chain.append(one)
        edge = one
    return chain, True


@compiled()
def _update(
    kept: float, most: float, queued_veh: F32, lane: I32, chain_of: I32, chain: I32, lane_start: I32,
    room_veh: F64, share: F64, weight: F64,
) -> None:  # fmt: skip
    """Of each edge of a chain the fullest lane counts: who stands there stops the others."""
    for i in range(len(lane)):
        queue = float(queued_veh[lane[i]])
        for c in range(chain_of[i], chain_of[i + 1]):
            fullest = 0.0
            for n in range(lane_start[chain[c]], lane_start[chain[c] + 1]):
                fullest = max(fullest, float(queued_veh[n]))
            queue += fullest
        share[i] = max(queue / room_veh[i], share[i] * kept)
        reached = min(max((share[i] - START) / (FULL - START), 0.0), 1.0)
        weight[i] = 1.0 + (most - 1.0) * reached
