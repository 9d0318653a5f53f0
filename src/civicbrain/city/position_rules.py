"""Which reported positions are believed, whoever drives: ambulances on missions and buses alike.

A position has to pass, in this order:

    bad-value      numbers are finite, the speed is one that vehicles drive
    future         not from later than now (a clock is wrong)
    late           at most `max_age_s` old
    out-of-order   newer than the one before
    off-network    within `off_road_m` of a street
    jump           within reach of the one before at `max_speed_mps`
    frozen         not the very same place for `frozen_s` while it says that it drives
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from civicbrain.city.network import F64, Network

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

MOVES_MPS = 2.0
"""From this speed on a vehicle must change its place; below, a receiver may filter the movement away."""

SAME_PLACE_M = 0.5
_SAMPLE_M = 10.0


@dataclass(frozen=True, slots=True)
class PositionBounds:
    """See the module. reach_m: added to the reach for the receiver's error, both ends."""

    max_age_s: float = 5.0
    future_s: float = 1.5
    max_speed_mps: float = 50.0  # 180 km/h
    reach_m: float = 40.0
    off_road_m: float = 60.0  # the middle of a large junction, and the receiver's error
    frozen_s: float = 5.0


class Position(Protocol):
    """What is checked of a report. speed_mps, heading_deg: below 0 where unknown."""

    @property
    def time_s(self) -> float: ...
    @property
    def x_m(self) -> float: ...
    @property
    def y_m(self) -> float: ...
    @property
    def speed_mps(self) -> float: ...
    @property
    def heading_deg(self) -> float: ...


class Fix(Protocol):
    """The newest position believed before; fix_s is -inf where there is none."""

    @property
    def fix_s(self) -> float: ...
    @property
    def x_m(self) -> float: ...
    @property
    def y_m(self) -> float: ...


class PositionRules:
    """The rules over one network. unknown_speed: a speed below 0 says that none is known."""

    def __init__(self, network: Network, bounds: PositionBounds, *, unknown_speed: bool = False) -> None:
        self.bounds = bounds
        self._least_mps = -math.inf if unknown_speed else 0.0
        self._network = network
        self._roads: cKDTree | None = None

    def fault(self, at: Position, before: Fix, still_since_s: float, now_s: float) -> tuple[str, str]:
        """(slug, detail) of the first rule that refuses, ("", "") where none does. still_since_s: since when
        the vehicle is reported in the very place of `before`."""
        bounds = self.bounds
        numbers = (at.time_s, at.x_m, at.y_m, at.speed_mps, at.heading_deg)
        if not all(math.isfinite(number) for number in numbers):
            return "bad-value", "not a finite number"
        if not self._least_mps <= at.speed_mps <= bounds.max_speed_mps:
            return "bad-value", f"speed {at.speed_mps:.0f} m/s"
        if at.time_s > now_s + bounds.future_s:
            return "future", f"{at.time_s - now_s:.1f} s ahead"
        if now_s - at.time_s > bounds.max_age_s:
            return "late", f"{now_s - at.time_s:.1f} s old"
        if at.time_s <= before.fix_s:
            return "out-of-order", f"not newer than {before.fix_s:.1f} s"
        away_m = self.from_road_m(at.x_m, at.y_m)
        if away_m > bounds.off_road_m:
            return "off-network", f"{min(away_m, 1e6):.0f} m from the nearest street"
        if before.fix_s > -math.inf:
            moved_m = math.hypot(at.x_m - before.x_m, at.y_m - before.y_m)
            if moved_m > bounds.max_speed_mps * (at.time_s - before.fix_s) + bounds.reach_m:
                return "jump", f"{moved_m:.0f} m in {at.time_s - before.fix_s:.1f} s"
            still_s = at.time_s - still_since_s
            if moved_m <= SAME_PLACE_M and at.speed_mps >= MOVES_MPS and still_s >= bounds.frozen_s:
                return "frozen", f"{still_s:.0f} s in the same place at {at.speed_mps:.0f} m/s"
        return "", ""

    def from_road_m(self, x_m: float, y_m: float) -> float:
        """Metres to the nearest lane."""
        if self._roads is None:
            from scipy.spatial import cKDTree  # slow to import, and few processes need it

            self._roads = cKDTree(_sampled(self._network))
        return float(self._roads.query((x_m, y_m))[0])


def _sampled(network: Network) -> F64:
    """Points (k, 2) on all lanes, at most _SAMPLE_M apart."""
    points = []
    for row in range(len(network.lanes.ids)):
        shape = network.lanes.shape(row).astype(np.float64)
        points.append(shape)
        for start, end in pairwise(shape):
            pieces = int(np.hypot(*(end - start)) // _SAMPLE_M)
            if pieces:
                share = np.arange(1, pieces + 1)[:, None] / (pieces + 1)
                points.append(start + share * (end - start))
    return np.concatenate(points) if points else np.zeros((1, 2))
