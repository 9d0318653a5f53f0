"""Vehicles per turn (edge to edge) onto lanes and streams, as drivers spread over the lanes they may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from civicbrain.brains.signals.approach import Streams
from civicbrain.brains.signals.plans.tables import PlanTable
from civicbrain.city.model import City
from civicbrain.city.network import F64, I32
from civicbrain.science.queues import SATURATION_FLOW_VEH_PER_S

Turn = tuple[int, int]
"""(row of the edge a vehicle comes from, row of the edge it goes to)."""

_ROUNDS = 8
_LEAST_SHARE = 0.02


@dataclass(frozen=True, eq=False)
class StreamFlows:
    """flow: (k,) veh/s of each stream. movement: (m,) veh/s of each movement, 0 where unsignalled."""

    flow: F64
    movement: F64


def list_turns(city: City) -> list[Turn]:
    """All signalled turns, edge to edge, sorted."""
    moves, edge = city.network.movements, city.network.lanes.edge
    rows = city.signalled_movements
    pairs = {(int(edge[moves.from_lane[r]]), int(edge[moves.to_lane[r]])) for r in rows}
    return sorted(pairs)


def spread_turns(city: City, streams: Streams, turns: Mapping[Turn, float]) -> StreamFlows:
    """Flows of turns (veh/s) over their movements so that the lanes of an approach fill alike (HCM 2016, ch.
    19: drivers choose the lane with the least demand over saturation flow). Unknown turns carry nothing."""
    moves, edge = city.network.movements, city.network.lanes.edge
    signalled = city.signalled_movements
    of_turn: dict[Turn, list[int]] = {}
    for row in signalled.tolist():
        turn = int(edge[moves.from_lane[row]]), int(edge[moves.to_lane[row]])
        of_turn.setdefault(turn, []).append(row)
    flow = np.zeros(len(moves.from_lane))
    load = np.zeros(len(city.network.lanes.ids))
    for turn in sorted(of_turn):
        flow[of_turn[turn]] = turns.get(turn, 0.0) / len(of_turn[turn])
    np.add.at(load, moves.from_lane[signalled], flow[signalled])
    for _ in range(_ROUNDS):
        for turn in sorted(of_turn):
            amount = turns.get(turn, 0.0)
            rows = of_turn[turn]
            lanes = moves.from_lane[rows]
            if amount <= 0.0 or len(set(lanes.tolist())) < 2:
                continue
            np.subtract.at(load, lanes, flow[rows])
            flow[rows] = _level(load, lanes, amount)
            np.add.at(load, lanes, flow[rows])
    known = streams.movement_stream >= 0
    per_stream = np.bincount(streams.movement_stream[known], flow[known], streams.count).astype(np.float64)
    return StreamFlows(per_stream, flow)


def _level(load: F64, lanes: I32, amount: float) -> F64:
    """Fill the emptiest lanes first until `amount` is spread; one value an entry of `lanes`."""
    unique, inverse, times = np.unique(lanes, return_inverse=True, return_counts=True)
    level = np.sort(load[unique])
    filled = level[-1] + amount
    for count in range(1, len(level) + 1):
        height = (amount + level[:count].sum()) / count
        if count == len(level) or height <= level[count]:
            filled = height
            break
    share = np.maximum(filled - load[unique], 0.0)
    result: F64 = (share / times)[inverse.reshape(-1)]
    return result


def saturation_of(table: PlanTable, flow: F64) -> tuple[F64, F64]:
    """(saturation flow in veh/s, share of its lanes) of each stream of a junction, (k,) each.

    A lane passes 0.5 veh/s. Streams that share one divide it as their flows do; a stream behind stub lanes
    has its part of the lanes that feed them. Shares are at least 2 %.
    """
    load: dict[int, float] = {}
    eps = 1e-5
    for stream, roots in enumerate(table.roots):
        for lane in roots:
            load[lane] = load.get(lane, 0.0) + (flow[stream] + eps) / len(roots)
    share = np.array(
        [
            sum((flow[stream] + eps) / len(roots) / load[lane] for lane in roots)
            for stream, roots in enumerate(table.roots)
        ]
    )
    share = np.maximum(share, _LEAST_SHARE)
    return SATURATION_FLOW_VEH_PER_S * share * table.turn_factor, share
