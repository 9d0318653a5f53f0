"""How well each approach lane lets its queue go while every lamp over it is 'G', as seen in the last greens.

A queue model gives each green lane its saturation flow. In the street something else may hold the queue: the
road behind is full, the first waits to change into a full lane beside, a lorry unloads, or what the camera
takes for a queue is a shadow. Whatever it is, green for that lane is worth what it was seen to let go, and no
more. Control systems that measure saturation flow do the same (SCATS: Lowrie 1982; SCOOT's SOFT).

Counted are seconds with a queue at the line and 'G' for all movements of the lane, start-up over.
Yielding lamps do not count: schedules reckon with those.
"""

from __future__ import annotations

import math

import numpy as np

from civicbrain.brains.signals.approach_lanes import ApproachLanes
from civicbrain.city.network import F32, F64, I32, U8, Bool
from civicbrain.science.compiled import compiled

START_S = 4.0
"""Green after which a queue is under way: start-up and a frame's age."""

NEAR_M, QUEUE_VEH = 20.0, 2
"""So many this near, or one standing at the line, are a queue: one alone says nothing about saturation."""

MEMORY_S = 60.0
"""Of counted green: two or three greens of a busy lane."""

FORGET_S = 240.0
"""Without counted green: what held the queue may be over, and the lane deserves another try."""

PRIOR_S = 10.0
"""Counted green that the usual flow stands for: a few slow vehicles prove nothing."""

USUAL_VEH_PER_S = 0.45
"""What lanes are seen to let go under these conditions."""

NORMAL, LEAST = 0.5, 0.1
"""From this share of the usual flow on a lane is in order (lorries, short queues); less than LEAST is not
believed, else a lane would never be tried again."""

_G = ord("G")


class Discharge:
    """share: (l,) of the saturation flow that each lane is to be trusted with, LEAST … 1."""

    def __init__(self, lanes: ApproachLanes, group: I32, network_lanes: int) -> None:
        """group: (k,) city-wide group of each stream."""
        self._stream_lane, self._group = lanes.stream_lane, np.ascontiguousarray(group, dtype=np.int32)
        self._lane = lanes.lane
        self._row: I32 = np.full(network_lanes, -1, dtype=np.int32)
        self._row[lanes.lane] = np.arange(lanes.count, dtype=np.int32)
        self.share: F64 = np.ones(lanes.count)
        self._gone_veh, self._counted_s = np.zeros(lanes.count), np.zeros(lanes.count)
        self._last_s = -math.inf

    def reset(self) -> None:
        """Take all lanes as in order."""
        self.share[:] = 1.0
        self._gone_veh[:] = 0.0
        self._counted_s[:] = 0.0
        self._last_s = -math.inf

    def update(
        self, now_s: float, lamps: U8, since_s: F32, standing: Bool, lane: I32, distance_m: F32, left_veh: F32
    ) -> None:
        """lamps, since_s: (g,) as in SignalStates. standing: (k,) a vehicle stands at the line. lane,
        distance_m: (v,) of the vehicles in view. left_veh: (n,) that left each lane since the last call."""
        passed_s = min(max(now_s - self._last_s, 0.0), 1.0)
        self._last_s = now_s
        _update(
            now_s, passed_s, lamps, since_s, standing, lane, distance_m, left_veh, self._stream_lane,
            self._group, self._lane, self._row, self._gone_veh, self._counted_s, self.share,
        )  # fmt: skip


@compiled()
def _update(
    now_s: float, passed_s: float, lamps: U8, since_s: F32, standing: Bool, seen_lane: I32, distance_m: F32,
    left_veh: F32, stream_lane: I32, group: I32, network_lane: I32, row_of: I32,
    gone_veh: F64, counted_s: F64, share: F64,
) -> None:  # fmt: skip
    open_to_all = np.ones(len(share), dtype=np.bool_)
    near_veh = np.zeros(len(share), dtype=np.int64)
    for v in range(len(seen_lane)):
        i = row_of[seen_lane[v]]
        if i >= 0 and distance_m[v] < NEAR_M:
            near_veh[i] += 1
    for k in range(len(stream_lane)):
        i = stream_lane[k]
        if standing[k]:
            near_veh[i] = max(near_veh[i], QUEUE_VEH)
        open_to_all[i] &= lamps[group[k]] == _G and now_s - since_s[group[k]] >= START_S
    kept, forgotten = math.exp(-passed_s / MEMORY_S), math.exp(-passed_s / FORGET_S)
    for i in range(len(share)):
        if open_to_all[i] and near_veh[i] >= QUEUE_VEH:
            gone_veh[i] = gone_veh[i] * kept + left_veh[network_lane[i]]
            counted_s[i] = counted_s[i] * kept + passed_s
        else:
            gone_veh[i] *= forgotten
            counted_s[i] *= forgotten
        usual = (PRIOR_S * USUAL_VEH_PER_S + gone_veh[i]) / ((PRIOR_S + counted_s[i]) * USUAL_VEH_PER_S)
        share[i] = min(max(usual / NORMAL, LEAST), 1.0)
