"""The street as the estimator needs it: travel times, who sees what, which movement leads where.

Worked out once from the city. Flows are followed by *edge*, because vehicles change lanes between two
junctions; what stands at a stop line is counted by lane and stream.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from civicbrain.brains.signals.approach import TURN_PRIOR, Streams
from civicbrain.city.model import City
from civicbrain.city.network import F32, I32, Bool
from civicbrain.city.signals import SignalJunction
from civicbrain.science.queues import JAM_SPACING_M, SATURATION_FLOW_VEH_PER_S

RING_S = 128
"""Seconds of history kept of what entered each edge (a power of two); longer edges are taken to be this
long."""

LEAST_VIEW_M = 12.0
"""A camera that sees less than this of a lane's end is taken not to see the lane: a vehicle would be there
for less than a second."""

ACCELERATION_LOSS_S = 1.5
"""Time a vehicle that leaves a stop line loses until it drives at the limit, on the far side of the line
(half of the 2.7 s that 50 km/h at 2.6 m/s² costs: the first vehicles lose all of it, later ones little)."""

PRIOR_SATURATION_DEGREE = 0.35
"""Demand over capacity that is assumed where nothing has been counted yet: a fixed plan is laid out for
0.85 to 0.9 in its peak (HCM 6th ed., ch. 19), and most hours and most approaches are far from it."""


@dataclass(frozen=True, eq=False)
class Layout:
    """n lanes, e edges, m movements, k streams, j junctions. Contiguous arrays for compiled kernels."""

    lane_edge: I32  # (n,)
    lane_camera: I32  # (n,) junction whose camera sees it, -1 none
    lane_beyond_m: F32  # (n,) from the lane's end to that camera's stop line
    lane_length_m: F32  # (n,)
    lane_limit_mps: F32  # (n,)
    lane_signalled: Bool  # (n,) ends at a stop line
    edge_lane: I32  # (e + 1,) lanes of edge i are rows edge_lane[i]:edge_lane[i + 1]
    out_start: I32  # (n + 1,) movements leaving lane i …
    out_move: I32  # (m,) … are out_move[out_start[i]:out_start[i + 1]]; those of an edge are consecutive too
    in_start: I32  # (e + 1,) movements entering edge i …
    in_move: I32  # (m,)
    stream_start: I32  # (k + 1,) movements of stream i …
    stream_move: I32  # (m of them signalled,)
    pair_start: I32  # (k + 1,) pairs (stream, edge it leads to) of stream i …
    pair_edge: I32  # (p,) … their edges
    move_pair: I32  # (m,) pair of each movement, -1 where unsignalled
    move_lane: I32  # (m,) lane it leaves
    move_edge: I32  # (m,) edge it enters
    move_lane_to: I32  # (m,) lane it enters
    move_stream: I32  # (m,) -1 where unsignalled
    move_group: I32  # (m,) city-wide group, -1 where unsignalled
    stream_lane: I32  # (k,)
    stream_group: I32  # (k,)
    stream_junction: I32  # (k,)
    edge_travel_s: F32  # (e,) free flow from the stop line or node behind it to its end
    edge_seam_s: F32  # (e,) from there until the camera sees the vehicle (edge_travel_s where none)
    edge_camera: I32  # (e,) camera that sees its end, -1 none
    edge_signalled: Bool  # (e,) ends at a stop line
    edge_length_m: F32  # (e,)
    edge_storage_veh: F32  # (e,) vehicles that fit
    prior_turn_share: F32  # (m,) of the from-lane's vehicles
    prior_lane_share: F32  # (n,) of the edge's vehicles
    prior_rate: F32  # (k,) veh/s
    range_m: float

    @property
    def lanes(self) -> int:
        return len(self.lane_edge)

    @property
    def edges(self) -> int:
        return len(self.edge_travel_s)

    @property
    def movements(self) -> int:
        return len(self.move_lane)

    @property
    def streams(self) -> int:
        return len(self.stream_lane)


def build_layout(city: City, streams: Streams) -> Layout:
    """The layout of a city. Raises nothing: lanes that lead nowhere simply feed nothing."""
    lanes, moves, edges = city.network.lanes, city.network.movements, city.network.edges
    n, m, e = len(lanes.ids), len(moves.from_lane), len(edges.ids)
    order, start = city.network.movements_from
    move_edge = lanes.edge[moves.to_lane].astype(np.int32)
    lane_camera = np.full(n, -1, np.int32)
    lane_camera[city.cameras.lane] = city.cameras.junction
    beyond = np.zeros(n, np.float32)
    beyond[city.cameras.lane] = city.cameras.beyond_m
    signalled = moves.junction >= 0
    lane_signalled = np.zeros(n, bool)
    lane_signalled[moves.from_lane[signalled]] = True

    seen_m = np.where(lane_camera >= 0, np.clip(city.cameras.range_m - beyond, 0.0, lanes.length_m), 0.0)
    lane_camera[seen_m < np.minimum(LEAST_VIEW_M, lanes.length_m * 0.9)] = -1
    seen_m[lane_camera < 0] = 0.0

    # an edge as a whole: what most of its road does
    first = edges.lane_start[:-1]
    length = np.maximum.reduceat(lanes.length_m, first) if e else np.zeros(0, np.float32)
    limit = np.maximum.reduceat(lanes.speed_mps, first) if e else np.zeros(0, np.float32)
    edge_camera = np.maximum.reduceat(lane_camera, first) if e else np.zeros(0, np.int32)
    edge_seen_m = np.maximum.reduceat(seen_m, first) if e else np.zeros(0)
    edge_signalled = np.logical_or.reduceat(lane_signalled, first) if e else np.zeros(0, bool)
    inner = np.bincount(move_edge, weights=moves.length_m, minlength=e)
    entries = np.bincount(move_edge, minlength=e)
    inner_m = inner / np.maximum(entries, 1)
    after_signal = np.bincount(move_edge, weights=signalled, minlength=e) > 0
    loss_s = np.where(after_signal, ACCELERATION_LOSS_S, 0.0)
    speed = np.maximum(limit, 1.0)
    longest = RING_S - 16.0
    travel = np.clip((inner_m + length) / speed + loss_s, 1.0, longest)
    seam = np.clip((inner_m + length - edge_seen_m) / speed + loss_s, 0.0, travel)
    seam = np.where(edge_camera >= 0, seam, travel)

    turn_share, lane_share = _prior_shares(city, move_edge)
    in_order = np.argsort(move_edge, kind="stable").astype(np.int32)
    by_stream = np.argsort(streams.movement_stream, kind="stable").astype(np.int32)
    by_stream = by_stream[streams.movement_stream[by_stream] >= 0]
    served = np.flatnonzero(streams.movement_stream >= 0)
    pair, which = np.unique(
        np.stack((streams.movement_stream[served], move_edge[served]), axis=1), axis=0, return_inverse=True
    )
    move_pair = np.full(m, -1, np.int32)
    move_pair[served] = which.reshape(-1)
    green = _green_share(city.junctions)
    rate = PRIOR_SATURATION_DEGREE * SATURATION_FLOW_VEH_PER_S * green[streams.group] * streams.share
    return Layout(
        lane_edge=lanes.edge.astype(np.int32),
        lane_camera=lane_camera,
        lane_beyond_m=beyond,
        lane_length_m=lanes.length_m.astype(np.float32),
        lane_limit_mps=lanes.speed_mps.astype(np.float32),
        lane_signalled=lane_signalled,
        edge_lane=edges.lane_start.astype(np.int32),
        out_start=start,
        out_move=order,
        in_start=np.searchsorted(move_edge[in_order], np.arange(e + 1)).astype(np.int32),
        in_move=in_order,
        stream_start=np.searchsorted(streams.movement_stream[by_stream], np.arange(streams.count + 1)).astype(
            np.int32
        ),
        stream_move=by_stream,
        pair_start=np.searchsorted(pair[:, 0], np.arange(streams.count + 1)).astype(np.int32),
        pair_edge=pair[:, 1].astype(np.int32),
        move_pair=move_pair,
        move_lane=moves.from_lane.astype(np.int32),
        move_edge=move_edge,
        move_lane_to=moves.to_lane.astype(np.int32),
        move_stream=streams.movement_stream.astype(np.int32),
        move_group=np.where(signalled, moves.group, -1).astype(np.int32),
        stream_lane=streams.lane,
        stream_group=streams.group,
        stream_junction=streams.junction,
        edge_travel_s=travel.astype(np.float32),
        edge_seam_s=seam.astype(np.float32),
        edge_camera=edge_camera.astype(np.int32),
        edge_signalled=edge_signalled,
        edge_length_m=length.astype(np.float32),
        edge_storage_veh=(np.add.reduceat(lanes.length_m, first) / JAM_SPACING_M + 1.0).astype(np.float32)
        if e
        else np.zeros(0, np.float32),
        prior_turn_share=np.ascontiguousarray(turn_share[:m], dtype=np.float32),
        prior_lane_share=lane_share.astype(np.float32),
        prior_rate=rate.astype(np.float32),
        range_m=float(city.cameras.range_m),
    )


def _prior_shares(city: City, move_edge: I32) -> tuple[F32, F32]:
    """(m,) share of the from-lane's vehicles and (n,) of the edge's, from the turns on offer: each way out
    of an edge gets its TURN_PRIOR once, divided among the lanes that lead there."""
    lanes, moves = city.network.lanes, city.network.movements
    n, e = len(lanes.ids), len(city.network.edges.ids)
    from_edge = lanes.edge[moves.from_lane].astype(np.int64)
    way = from_edge * max(e, 1) + move_edge
    _, inverse, count = np.unique(way, return_inverse=True, return_counts=True)
    turn = np.zeros(256)
    turn[:] = 1.0
    for letter, weight in TURN_PRIOR.items():
        turn[letter] = weight
    weight = turn[moves.turn] / np.maximum(count[inverse.reshape(-1)], 1)
    weight[_turns_back(city)] = 0.0
    of_lane = np.bincount(moves.from_lane, weights=weight, minlength=n)
    of_edge = np.bincount(lanes.edge, weights=of_lane, minlength=e)
    turn_share = weight / np.maximum(of_lane[moves.from_lane], 1e-9)
    lane_share = of_lane / np.maximum(of_edge[lanes.edge], 1e-9)
    return turn_share.astype(np.float32), lane_share.astype(np.float32)


def _turns_back(city: City) -> Bool:
    """(m,) U-turns without a signal: where the network ends, traffic leaves and enters; it does not turn."""
    moves = city.network.movements
    back: Bool = (moves.turn == ord("t")) & (moves.junction < 0)
    return back


def _green_share(junctions: tuple[SignalJunction, ...]) -> F32:
    """(g,) share of the local plan's cycle in which each city-wide group is green; a quarter of a group
    that only yields. What the engineer gave an approach says what was expected there."""
    parts = []
    for junction in junctions:
        share = np.zeros(len(junction.groups))
        for step in junction.local_plan.steps:
            lamps = junction.stages[step.stage].lamps
            worth = np.array([{"G": 1.0, "g": 0.5, "s": 0.2}.get(lamp, 0.0) for lamp in lamps])
            share += worth * step.duration_s
        parts.append(share / max(junction.local_plan.cycle_s, 1.0))
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)
