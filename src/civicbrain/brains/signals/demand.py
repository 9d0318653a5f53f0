"""What the newest camera frame says about each stream: who can cross by when, who stands at the line,
whether the road behind is full."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import boolean, float32, float64, int32, uint8, void

from civicbrain.brains.signals.approach import Streams
from civicbrain.city.model import City
from civicbrain.city.network import F32, F64, I32, U8, Bool
from civicbrain.city.snapshot import Snapshot
from civicbrain.science.compiled import array_in, compiled
from civicbrain.science.queues import JAM_SPACING_M, STANDING_SPEED_MPS

HORIZON_S: F64 = np.array([4.0, 6.0, 8.0, 10.0, 13.0, 16.0, 20.0, 25.0, 31.0, 38.0, 46.0])
"""Spans from now for which a stage is weighed. The longest clears a queue of 20 vehicles a lane."""

SOON = 3
"""Index of the 10 s horizon: demand that is as good as here."""

HEAD_M = 14.0
"""A vehicle standing this near the stop line is the head of its queue (two jam spacings: the stop line is
not where every driver stops)."""

HEAD_SPEED_MPS = 0.5

NO_ROOM = 0.02
"""Weight left to vehicles that would have to stop inside the junction."""

SPILL_START, SPILL_FULL = 0.75, 0.95
"""Share of the road behind that queues cover where pressure begins to fall, and where it is all but gone: see
`science.pressure.spillback_factor`."""

RECOVERY, LONGEST_RUN_VEH = 0.6, 99.0
"""See `science.queues.arrival_time_s` and `run_before_blocking`."""

_G = ord("G")


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """k + 1 streams (the last is the bin of no account), h horizons."""

    vehicles: F64  # (k + 1, h) expected vehicles that could be at the stop line within each horizon
    standing_head: Bool  # (k + 1,) a vehicle stands at the stop line
    outlet: F64  # (k + 1,) 1: free road behind the stop line, towards 0: about to spill back
    run_veh: F64  # (k + 1,) vehicles expected to pass before one that finds no room blocks its lane


class DemandReader:
    """Turns snapshots into `Demand`. Keeps nothing between calls."""

    def __init__(self, city: City, streams: Streams) -> None:
        lanes, exits = city.network.lanes, streams.exits
        self._count = streams.count
        # a slow vehicle picks up speed once the lane is clear: see science.queues.arrival_time_s
        pace_mps = np.maximum(RECOVERY * lanes.speed_mps, 1.0).astype(np.float64)
        self._approach = (pace_mps, streams.lane_stream, streams.lane_share, streams.movement_stream)
        short = np.flatnonzero(exits.short_lane >= 0)
        lane = exits.short_lane[short]
        # the streams that lead out of each short link: pairs (place in short, stream)
        out_of, out_stream = np.nonzero(lane[:, None] == streams.lane[None, :])
        self._behind = (
            exits.cell_exit,
            exits.cell_lane,
            exits.cell_share,
            exits.stream,
            exits.weight,
            exits.storage_m,
            short.astype(np.int32),
            (lanes.length_m[lane] / JAM_SPACING_M).astype(np.float64),
            out_of.astype(np.int32),
            streams.group[out_stream],
        )

    def read(self, snapshot: Snapshot) -> Demand:
        """What the snapshot's detections and queues say."""
        seen = snapshot.detections
        vehicles = np.zeros((self._count + 1, len(HORIZON_S)))
        standing = np.zeros(self._count + 1, dtype=np.bool_)
        outlet, run = np.zeros(self._count + 1), np.zeros(self._count + 1)
        _count_vehicles(
            seen.lane, seen.distance_m, seen.speed_mps, seen.next_movement, *self._approach, HORIZON_S,
            vehicles, standing,
        )  # fmt: skip
        _look_behind(snapshot.lanes.queued, snapshot.signals.lamps, *self._behind, outlet, run)
        return Demand(vehicles=vehicles, standing_head=standing, outlet=outlet, run_veh=run)


_I32_IN, _F32_IN, _F64_IN = array_in(int32), array_in(float32), array_in(float64)


@compiled(
    void(
        _I32_IN, _F32_IN, _F32_IN, _I32_IN,
        _F64_IN, array_in(int32, 2), array_in(float64, 2), _I32_IN, _F64_IN, float64[:, ::1], boolean[::1],
    )
)  # fmt: skip
def _count_vehicles(
    lane: I32, distance_m: F32, speed_mps: F32, next_movement: I32,
    pace_mps: F64, lane_stream: I32, lane_share: F64, movement_stream: I32, horizon_s: F64,
    vehicles: F64, standing_head: Bool,
) -> None:  # fmt: skip
    """Fill vehicles (k + 1, h) and standing_head (k + 1,), both zero before. First four: (v,)."""
    bin_of_no_account, horizons = vehicles.shape[0] - 1, len(horizon_s)
    for v in range(len(lane)):
        speed = float(speed_mps[v])
        eta_s = 0.0
        if not speed <= STANDING_SPEED_MPS:  # who stands is demand at once: see arrival_time_s
            eta_s = max(float(distance_m[v]) / max(speed, pace_mps[lane[v]]), 0.0)
        first = 0
        while first < horizons and horizon_s[first] < eta_s:
            first += 1
        at_line = distance_m[v] < HEAD_M and speed < HEAD_SPEED_MPS
        if next_movement[v] >= 0:  # oracle sensing, or vehicles that say where they go
            stream = movement_stream[next_movement[v]]
            if stream >= 0:
                if first < horizons:
                    vehicles[stream, first] += 1.0
                standing_head[stream] |= at_line
            continue
        for place in range(lane_stream.shape[1]):
            stream, share = lane_stream[lane[v], place], lane_share[lane[v], place]
            if stream == bin_of_no_account:
                continue
            if first < horizons:
                vehicles[stream, first] += share
            if at_line and share > 0.0:
                standing_head[stream] = True
    for stream in range(bin_of_no_account):
        for h in range(1, horizons):
            vehicles[stream, h] += vehicles[stream, h - 1]


@compiled(
    void(
        _F32_IN, array_in(uint8), _I32_IN, _I32_IN, _F64_IN, _I32_IN,
        _F64_IN, _F64_IN, _I32_IN, _F64_IN, _I32_IN, _I32_IN, float64[::1], float64[::1],
    )
)  # fmt: skip
def _look_behind(
    queued_veh: F32, lamps: U8, cell_exit: I32, cell_lane: I32, cell_share: F64, exit_stream: I32,
    exit_weight: F64, storage_m: F64, short: I32, short_veh: F64, out_of: I32, out_group: I32,
    outlet: F64, run_veh: F64,
) -> None:  # fmt: skip
    """Fill outlet and run_veh (k + 1,), outlet zero before: what room there is behind each stop line.
    short: exits onto short links; out_of, out_group: their ways out, and the groups of these."""
    streams = len(outlet)
    queue = np.zeros(len(exit_stream))
    full = np.zeros(len(exit_stream), dtype=np.bool_)
    for cell in range(len(cell_exit)):
        queue[cell_exit[cell]] += float(queued_veh[cell_lane[cell]]) * cell_share[cell]
    for x in range(len(exit_stream)):
        # a link of a car or two between two signals is full as soon as the next car would not fit
        full[x] = queue[x] >= 0.5 and storage_m[x] - queue[x] * JAM_SPACING_M < JAM_SPACING_M
        fill = queue[x] * JAM_SPACING_M / max(storage_m[x], 1e-6)
        slack = (SPILL_FULL - fill) / (SPILL_FULL - SPILL_START)
        free = NO_ROOM if full[x] else min(max(slack, NO_ROOM), 1.0)
        outlet[exit_stream[x]] += free * exit_weight[x]
    outlet[streams - 1] = 1.0
    # a short link not let out by 'G' (who yields may not get out) takes no more than fits
    held = np.ones(len(short), dtype=np.bool_)
    for pair in range(len(out_of)):
        if lamps[out_group[pair]] == _G:
            held[out_of[pair]] = False
    shut, room = np.zeros(streams), np.zeros(streams)
    for place in range(len(short)):
        x = short[place]
        if full[x] or held[place]:
            shut[exit_stream[x]] += exit_weight[x]
        if held[place]:
            room[exit_stream[x]] += max(short_veh[place] - queue[x], 0.0) * exit_weight[x]
    for k in range(streams):
        run_veh[k] = np.inf
        if shut[k] > 0.0:  # see science.queues.run_before_blocking
            share = min(max(1.0 - shut[k], 0.0), 1.0)
            run_veh[k] = min(share / max(1.0 - share, 1e-9), LONGEST_RUN_VEH) + room[k]
