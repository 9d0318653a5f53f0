"""Which movement the vehicle at the stop line of a shared lane is known to want.

A camera does not see where a driver wants to go. But who stands at the line while one group of the lane has
been green for some seconds wants another: those behind wait for that one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.brains.signals.approach_lanes import ApproachLanes
from civicbrain.brains.signals.schedules import I64
from civicbrain.city.network import F32, F64, I32, U8, Bool
from civicbrain.science.compiled import compiled

SURE_S = 4.0
"""Green after which a head that still stands wants something else: start-up and a slow driver take less."""

_G = ord("G")


class Heads:
    """bit: (l,) bit of the stream that the head of each lane is known to want, 0 for unknown."""

    def __init__(self, lanes: ApproachLanes, group: I32) -> None:
        """group: (k,) city-wide group of each stream."""
        self._lanes, self._group = lanes, np.ascontiguousarray(group, dtype=np.int32)
        self.bit: I64 = np.zeros(lanes.count, dtype=np.int64)

    def update(self, now_s: float, lamps: U8, since_s: F32, standing: Bool, share: NDArray[Any]) -> None:
        """lamps, since_s: (g,) as in SignalStates. standing: (k,) a vehicle is at the line. share: (k,)."""
        _update(
            now_s, lamps, since_s, standing, np.asarray(share, dtype=np.float64), self._group,
            self._lanes.stream_lane, self._lanes.stream_bit, self.bit,
        )  # fmt: skip


@compiled()
def _update(
    now_s: float, lamps: U8, since_s: F32, standing: Bool, share: F64, group: I32, lane: I32, own_bit: I64,
    bit: I64,
) -> None:  # fmt: skip
    stands = np.zeros(len(bit), dtype=np.bool_)
    gone_by = np.zeros(len(bit), dtype=np.bool_)  # some stream of the lane has had 'G' long enough
    served = np.zeros(len(bit), dtype=np.bool_)  # … the one that the head wants
    for k in range(len(lane)):
        if standing[k]:
            stands[lane[k]] = True
        if lamps[group[k]] == _G and now_s - since_s[group[k]] >= SURE_S:
            gone_by[lane[k]] = True
            if own_bit[k] & bit[lane[k]]:
                served[lane[k]] = True
    for i in range(len(bit)):
        if served[i] or not stands[i]:
            bit[i] = 0
    best = np.zeros(len(bit))
    for k in range(len(lane)):
        i = lane[k]
        if stands[i] and gone_by[i] and not served[i] and lamps[group[k]] != _G and share[k] > best[i]:
            best[i] = share[k]
            bit[i] = own_bit[k]
