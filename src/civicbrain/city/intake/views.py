"""The newest frame of each view, joined into what the store takes: one picture of all cameras."""

from __future__ import annotations

import math

import numpy as np

from civicbrain.city.intake.columns import Frames
from civicbrain.city.intake.sources import Sources
from civicbrain.city.network import F32, F64, I32, U8, Bool
from civicbrain.city.observations import Detections, LaneViews
from civicbrain.city.store import FORGET_AFTER_S

SOURCE = "field"
"""The name under which the joined picture goes into the store."""


class Views:
    """The picture: rows of the newest frame of each view, grouped by view (and so by junction).

    spoken: (j,) True for junctions of which some camera has delivered. The others are left to whoever else
    watches them.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        count = len(sources.junction)
        self._view_of_lane: I32 = np.repeat(
            np.arange(count, dtype=np.int32), np.diff(sources.lane_start)
        ).astype(np.int32)
        self._time_s: F64 = np.full(count, -math.inf)
        self.spoken: Bool = np.zeros(len(sources.city.junctions), np.bool_)
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.spoken[:] = False
        self._time_s[:] = -math.inf
        self._view: I32 = np.zeros(0, np.int32)
        self._lane: I32 = np.zeros(0, np.int32)
        self._distance_m: F32 = np.zeros(0, np.float32)
        self._speed_mps: F32 = np.zeros(0, np.float32)
        self._class: U8 = np.zeros(0, np.uint8)

    def update(self, frames: Frames, lane: I32, now_s: float) -> tuple[Detections, LaneViews]:
        """Put in frames (checked, known sources) with the lane of each row; the picture at now_s."""
        view = self._sources.view[frames.source]
        order = np.lexsort((frames.time_s, view))
        last = np.ones(len(order), np.bool_)
        last[:-1] = view[order][1:] != view[order][:-1]
        newest = order[last]  # the newest frame of each view that is here
        newest = newest[frames.time_s[newest] > self._time_s[view[newest]]]
        self._time_s[view[newest]] = frames.time_s[newest]

        self.spoken[self._sources.junction[view[newest]]] = True
        replaced = np.zeros(len(self._time_s), np.bool_)
        replaced[view[newest]] = True
        alive = self._time_s >= now_s - FORGET_AFTER_S
        new_frame = np.zeros(len(frames.source), np.bool_)
        new_frame[newest] = True
        at = np.repeat(new_frame, frames.rows)
        old = (alive & ~replaced)[self._view]
        joined_view = np.concatenate([self._view[old], np.repeat(view, frames.rows)[at]])
        rank = np.argsort(joined_view, kind="stable")

        self._view = joined_view[rank].astype(np.int32)
        self._lane = np.concatenate([self._lane[old], lane[at]])[rank]
        self._distance_m = np.concatenate([self._distance_m[old], frames.distance_m[at]])[rank]
        self._speed_mps = np.concatenate([self._speed_mps[old], frames.speed_mps[at]])[rank]
        self._class = np.concatenate([self._class[old], frames.vehicle_class[at]])[rank]
        return self._picture(alive, now_s), self._looks()

    def _picture(self, alive: Bool, now_s: float) -> Detections:
        junction = self._sources.junction
        return Detections(
            SOURCE,
            float(self._time_s[alive].min()) if alive.any() else now_s,
            now_s,
            cameras=np.unique(junction[alive]).astype(np.int32),
            camera=junction[self._view],
            lane=self._lane,
            distance_m=self._distance_m,
            speed_mps=self._speed_mps,
            vehicle_class=self._class,
            next_movement=np.full(len(self._lane), -1, np.int32),
        )

    def _looks(self) -> LaneViews:
        told = self.spoken[self._sources.junction][self._view_of_lane]
        return LaneViews(SOURCE, self._sources.lane[told], self._time_s[self._view_of_lane[told]])
