"""Who crosses the stop line, told from positions alone: cameras give no identities.

Between two frames of a lane the vehicles nearest to the line are compared. The leader of the new frame is
that vehicle of the old one whose predicted place (at the mean of both speeds) it fits best; those before it
are gone. Of these the ones count that could reach the line in the time between, while the lamp let them. A
vehicle that the camera overlooks in its last frame is not counted: the count falls short by about that rate.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.model import City
from civicbrain.city.network import F32, F64, I32, Bool

LONGEST_GAP_S = 5.0
"""A camera that was silent for longer is not credited with vehicles that it may have missed."""

NEAREST = 4
"""Vehicles compared on each lane; at a saturation headway of 2 s no more cross between two frames."""

FIT_M = 6.0
"""A leader that is farther than this from every prediction was not in the old frame. Less than the 7.5 m that
a standing vehicle takes."""

ACCELERATION_MPS2 = 2.6
"""Of a car that starts (SUMO's default `accel` of passenger cars)."""

_GO = np.frombuffer(b"GgyosO", np.uint8)


class Crossings:
    """Remembers the last frame of each lane of `city`."""

    def __init__(self, city: City) -> None:
        movements, count = city.network.movements, len(city.network.lanes.ids)
        signalled = movements.group >= 0
        self._lane_of, self._group_of = movements.from_lane[signalled], movements.group[signalled]
        self._free: Bool = np.ones(count, np.bool_)
        self._free[self._lane_of] = False
        self._free[movements.from_lane[~signalled]] = True
        self._count = count
        self.reset()

    def reset(self) -> None:
        """Forget the last frame, as when time goes back."""
        self._seen_s: F64 = np.full(self._count, -math.inf)
        self._distance: F64 = np.full((self._count, NEAREST), np.inf)
        self._speed: F64 = np.zeros((self._count, NEAREST))
        self._open: Bool = np.ones(self._count, np.bool_)

    def served(self, lane: I32, distance_m: F32, speed_mps: F32, seen_s: F64,
               lamps: NDArray[Any]) -> NDArray[np.int64]:  # fmt: skip
        """(n,) vehicles that crossed since the last frame of their lane.

        lane, distance_m, speed_mps: (v,) vehicles of the newest frames. seen_s: (n,) when each lane was last
        seen; one that was not seen anew counts nobody. lamps: (g,) ord of each city-wide group's lamp.
        """
        opened = self._free.copy()
        opened[self._lane_of[np.isin(lamps[self._group_of], _GO)]] = True
        may_go, self._open = opened | self._open, opened
        with np.errstate(invalid="ignore"):
            gap_s = seen_s - self._seen_s
        anew = gap_s > 1e-3
        gap_s = np.where(anew & (gap_s <= LONGEST_GAP_S), gap_s, 0.0)
        distance, speed = self._nearest(lane, distance_m, speed_mps)
        rows = np.flatnonzero((gap_s > 0.0) & may_go & np.isfinite(self._distance[:, 0]))
        crossed = np.zeros(self._count, np.int64)
        crossed[rows] = _crossed(
            self._distance[rows], self._speed[rows], distance[rows, 0], speed[rows, 0], gap_s[rows]
        )
        self._seen_s = np.maximum(self._seen_s, seen_s)
        self._distance[anew], self._speed[anew] = distance[anew], speed[anew]
        return crossed

    def _nearest(self, lane: I32, distance_m: F32, speed_mps: F32) -> tuple[F64, F64]:
        """(n, NEAREST) distance and speed of those nearest to the line of each lane; inf where none."""
        before = np.flatnonzero(distance_m >= 0.0)
        order = before[np.lexsort((distance_m[before], lane[before]))]
        by_lane = lane[order]
        rank = np.arange(len(order)) - np.searchsorted(by_lane, by_lane)
        order, rank = order[rank < NEAREST], rank[rank < NEAREST]
        distance = np.full((self._count, NEAREST), np.inf)
        speed = np.zeros((self._count, NEAREST))
        distance[lane[order], rank] = distance_m[order]
        speed[lane[order], rank] = speed_mps[order]
        return distance, speed


def _crossed(distance: F64, speed: F64, leader_m: F64, leader_mps: F64, gap_s: F64) -> NDArray[np.int64]:
    """(k,) how many of the old frame's vehicles (k, NEAREST) went over the line. leader: of the new."""
    moved = 0.5 * (speed + leader_mps[:, None]) * gap_s[:, None]
    with np.errstate(invalid="ignore"):
        misfit = np.abs(distance - moved - leader_m[:, None])
    misfit[~np.isfinite(misfit)] = np.inf
    gone = np.where(misfit.min(axis=1) <= FIT_M, misfit.argmin(axis=1), NEAREST)
    reach = speed * gap_s[:, None] + 0.5 * ACCELERATION_MPS2 * gap_s[:, None] ** 2
    could = (distance <= reach) & (np.arange(NEAREST) < gone[:, None])
    return np.asarray(could.sum(axis=1), np.int64)
