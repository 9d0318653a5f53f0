"""Heads of queue that no green moves, and how many vehicles stand with them: green there serves nobody.

A vehicle that has broken down and a queue that only the camera sees (a shadow, a parked car) look alike at
the stop line: the first stands where it stood, green after green, though the road behind is free. A search
that takes them for demand asks for that lane again and again, the longer they wait the more. So vehicles
that have stood through several own greens count as none; who arrives behind them counts, and so gets a try.
The bound on red still gives the lane its shortest green from time to time. All of it counts again as soon as
the head has moved.

What proves nothing: 'g', for who yields may have found no gap; and a green while a queue stands on a road
behind, which explains the head and ends by itself. In a lane of several groups the head may want any of
them: each must have been green often enough, so a lane with a group that no stage shows 'G' is never given
up.
"""

from __future__ import annotations

import math

import numpy as np

from civicbrain.brains.signals.approach_lanes import ApproachLanes
from civicbrain.brains.signals.demand import HEAD_M, HEAD_SPEED_MPS
from civicbrain.brains.signals.schedules import I64
from civicbrain.city.network import F32, F64, I32, U8, Network
from civicbrain.science.compiled import compiled
from civicbrain.science.queues import JAM_SPACING_M

GREENS = 3
"""Greens through which a head has stood before it counts as one that will not go."""

LOOK_S, GREEN_S = 4.0, 7.0
"""Who stands is counted from LOOK_S of a green on, the most in a frame; at GREEN_S it was long enough to go:
2 s of start-up (HCM 2010) and 5 s more."""

AGAIN_S = 20.0
"""A green that goes on counts as another one each time so much of it has passed."""

SAME_PLACE_M, GONE_S = 1.5, 2.0
"""A head is where it was if somebody stands within SAME_PLACE_M of there. It has gone when nobody did for
longer than GONE_S: cameras overlook some in single frames, the second of a queue takes 3 s to come there."""

EXIT_SHARE = 0.25
"""While a queue covers so much of a lane behind the stop line, a green proves nothing: its tail moves off
long after its head, and cameras do not see all of it. Without this rule real queues were given up."""

_G = ord("G")


class Stalled:
    """dead_veh: (l,) vehicles of each approach lane that stand for good, the head first; 0 where it moves."""

    def __init__(self, lanes: ApproachLanes, group: I32, network: Network) -> None:
        """group: (k,) city-wide group of each stream."""
        self._group = np.ascontiguousarray(group, dtype=np.int32)
        self._stream_lane = lanes.stream_lane
        self._row: I32 = np.full(len(network.lanes.ids), -1, dtype=np.int32)
        self._row[lanes.lane] = np.arange(lanes.count, dtype=np.int32)
        moves = network.movements
        out = np.flatnonzero(self._row[moves.from_lane] >= 0)
        self._exit_row: I32 = self._row[moves.from_lane[out]]
        self._exit_lane: I32 = np.ascontiguousarray(moves.to_lane[out], dtype=np.int32)
        length_m = network.lanes.length_m[self._exit_lane].astype(np.float64)
        self._exit_veh: F64 = EXIT_SHARE * length_m / JAM_SPACING_M
        self.dead_veh: I64 = np.zeros(lanes.count, dtype=np.int64)
        self._place_m, self._stood_s = np.zeros(lanes.count), np.full(lanes.count, -math.inf)
        streams = len(group)
        self._greens = np.zeros(streams, dtype=np.int64)
        self._watched = np.zeros(streams, dtype=np.int64)  # the most that stood in this green, -1 not looked
        self._left = np.zeros(streams, dtype=np.int64)  # … in the last green that was long enough
        self.reset()

    def reset(self) -> None:
        """Forget all heads."""
        self.dead_veh[:] = 0
        self._stood_s[:] = -math.inf
        self._greens[:] = 0
        self._watched[:] = -1

    def update(
        self, now_s: float, lamps: U8, since_s: F32, queued_veh: F32, lane: I32, distance_m: F32,
        speed_mps: F32,
    ) -> None:  # fmt: skip
        """lamps, since_s: (g,) as in SignalStates. queued_veh: (n,) on each lane of the network. lane,
        distance_m, speed_mps: (v,) of the vehicles in view."""
        _update(
            now_s, lamps, since_s, queued_veh, lane, distance_m, speed_mps, self._row, self._group,
            self._stream_lane, self._exit_row, self._exit_lane, self._exit_veh, self._place_m, self._stood_s,
            self._greens, self._watched, self._left, self.dead_veh,
        )  # fmt: skip


@compiled()
def _update(
    now_s: float, lamps: U8, since_s: F32, queued_veh: F32, lane: I32, distance_m: F32, speed_mps: F32,
    row: I32, group: I32, stream_lane: I32, exit_row: I32, exit_lane: I32, exit_veh: F64, place_m: F64,
    stood_s: F64, greens: I64, watched: I64, left: I64, dead_veh: I64,
) -> None:  # fmt: skip
    standing = np.zeros(len(dead_veh), dtype=np.int64)
    nearest_m = np.full(len(dead_veh), np.inf)
    may_leave = np.ones(len(dead_veh), dtype=np.bool_)
    for x in range(len(exit_row)):
        if queued_veh[exit_lane[x]] >= exit_veh[x]:
            may_leave[exit_row[x]] = False
    for v in range(len(lane)):
        i = row[lane[v]]
        if i < 0 or not speed_mps[v] < HEAD_SPEED_MPS:
            continue
        standing[i] += 1
        nearest_m[i] = min(nearest_m[i], distance_m[v])
        if abs(distance_m[v] - place_m[i]) <= SAME_PLACE_M and now_s - stood_s[i] <= GONE_S:
            stood_s[i] = now_s
    for k in range(len(stream_lane)):
        i = stream_lane[k]
        if now_s - stood_s[i] > GONE_S:
            greens[k] = 0
            watched[k] = -1
            continue
        if lamps[group[k]] != _G or not may_leave[i]:
            watched[k] = -1
            continue
        green_s = (now_s - since_s[group[k]]) % AGAIN_S
        if green_s < LOOK_S:
            watched[k] = -1
        elif green_s < GREEN_S:
            watched[k] = max(watched[k], standing[i])
        elif watched[k] >= 0:
            greens[k] += 1
            left[k] = max(watched[k], standing[i])
            watched[k] = -1
    for i in range(len(dead_veh)):
        dead_veh[i] = np.iinfo(np.int64).max
        if now_s - stood_s[i] > GONE_S and nearest_m[i] < HEAD_M:  # a new head
            place_m[i] = nearest_m[i]
            stood_s[i] = now_s
    for k in range(len(stream_lane)):
        i = stream_lane[k]
        dead_veh[i] = min(dead_veh[i], left[k] if greens[k] >= GREENS else 0)


@compiled()
def leave_out(dead_veh: I64, arrivals: F64) -> None:
    """Take as many vehicles as are dead (l,) off each lane's arrivals (l, h), the nearest first."""
    for i in range(len(dead_veh)):
        more, h = float(dead_veh[i]), 0
        while more > 0.0 and h < arrivals.shape[1]:
            taken = min(more, arrivals[i, h])
            arrivals[i, h] -= taken
            more -= taken
            h += 1
