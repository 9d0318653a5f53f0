"""Spill-backs: roads between a stop line and the next signal that stay full. The one definition of them, for
the city's vital sign and the causes of the worst junctions.

A road is full in a second in which standing vehicles take `FULL_SHARE` of its first edge, in view of cameras,
or in which the brain that controls the junction before it holds vehicles back because it fills. It spills
back when that was so in `FULL_TIME` of the last two minutes, and until it was in less than `KEPT_SHARE` of
that: a single red is no spill-back, and a road that lets a vehicle in now and then is one none the less
(after HCM 7th ed., ch. 19, queue spillback). In the fixed plan's
comparison run no brain speaks and cameras alone hardly ever see a road full (none in any minute of single
trial runs of ingolstadt7, ingolstadt21 and cologne8), so it has no figure to compare with.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.snapshot import Snapshot
from civicbrain.runtime.recent import STANDING_SPAN
from civicbrain.runtime.roads_ahead import Road, RoadsAhead

FULL_SHARE = 0.9
"""Of the room on a road: what is left takes no vehicle that would not stop inside the junction."""

FULL_TIME = 0.25
"""Share of the two minutes: more than the end of one red."""

SHUT_LOOKS = 5
"""A road that is full for one look only may be a queue that is driving off."""

KEPT_SHARE = 0.6
"""A road that spills back is said to until it clearly no longer does."""


class FullRoads:
    """`take` once a tick."""

    def __init__(self, city: City, ahead: RoadsAhead | None = None) -> None:
        self.ahead = ahead or RoadsAhead(city)
        roads = self.ahead.roads
        self._row = {road.edge: k for k, road in enumerate(roads)}
        self._lane_road = np.full(len(city.network.lanes.ids), len(roads), np.int64)
        for k, road in enumerate(roads):
            self._lane_road[road.lanes] = k
        self._room_veh = np.array([road.room_veh for road in roads], np.float64)
        self._ring = np.zeros((STANDING_SPAN, len(roads)), np.bool_)
        self._seconds, self._spilling = np.zeros(len(roads), np.int64), np.zeros(len(roads), np.bool_)
        self._count, self._last_s, self._watched = 0, -np.inf, False

    def take(self, snapshot: Snapshot, held_back: Iterable[Road] = ()) -> None:
        """held_back: roads because of which a brain holds vehicles back. Time that goes back begins anew."""
        if snapshot.time_s == self._last_s:
            return
        if snapshot.time_s < self._last_s:
            self._ring[:], self._seconds[:], self._spilling[:] = False, 0, False
        self._last_s = snapshot.time_s
        self._watched = bool(snapshot.lanes.observed.any())
        full = self._filled(snapshot) >= FULL_SHARE
        for road in held_back:
            full[self._row[road.edge]] = True
        at = self._count % STANDING_SPAN
        self._seconds += full.astype(np.int64) - self._ring[at]
        self._ring[at] = full
        self._count += 1
        least = FULL_TIME * STANDING_SPAN
        self._spilling = self._seconds >= np.where(self._spilling, KEPT_SHARE * least, least)

    def count(self) -> int | None:
        """Roads that spill back; None while no camera has spoken."""
        return int(np.count_nonzero(self._spilling)) if self._watched else None

    def spills(self, road: Road) -> bool:
        """Whether it does."""
        return bool(self._spilling[self._row[road.edge]])

    def list_spilling(self) -> list[Road]:
        """The roads that `count` counts, that which was full for longest first."""
        rows = np.flatnonzero(self._spilling)
        rows = rows[np.argsort(-self._seconds[rows], kind="stable")]
        return [self.ahead.roads[k] for k in rows.tolist()] if self._watched else []

    def full_time(self, road: Road) -> float:
        """Share of the last two minutes in which it was full."""
        return float(self._seconds[self._row[road.edge]]) / STANDING_SPAN

    def is_shut(self, road: Road) -> bool:
        """Whether nobody should be sent into it now: it spills back, or was full at the last SHUT_LOOKS."""
        if self.spills(road):
            return True
        rows = np.arange(self._count - SHUT_LOOKS, self._count) % STANDING_SPAN
        return self._count >= SHUT_LOOKS and bool(self._ring[rows, self._row[road.edge]].all())

    def _filled(self, snapshot: Snapshot) -> F64:
        lanes = snapshot.lanes
        standing: NDArray[np.float64] = np.where(lanes.observed, lanes.queued, 0.0)
        sums = np.bincount(self._lane_road, standing, len(self._room_veh) + 1)[:-1]
        return np.asarray(sums / self._room_veh, np.float64)
