"""`Store`: the one writer of what is known now. It folds data in and hands out immutable snapshots.

Folding only checks and keeps; the join over cameras and the lane aggregates are made at the snapshot, so
that a fast feed costs little. One bad row is counted, logged once a source and dropped; it never raises.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.arrays import below, frozen, owned
from civicbrain.city.asked import Asked, StagesAsked
from civicbrain.city.incident_book import IncidentBook
from civicbrain.city.incidents import Incident, IncidentReport
from civicbrain.city.missions import Mission, MissionEnd, VehiclePosition
from civicbrain.city.model import City
from civicbrain.city.network import F32, F64, I32, Bool
from civicbrain.city.observations import INSIDE_M, Detections, Kind, LaneViews, Observation, SignalStates
from civicbrain.city.snapshot import QUEUE_SPEED_MPS, LaneStates, Snapshot
from civicbrain.city.tracking import Tracks
from civicbrain.city.transit.buses import BusDelay, BusPosition, BusTracks
from civicbrain.city.unknown import frozen_empty, unknown_signals
from civicbrain.core.time import to_seconds

FORGET_AFTER_S = 10.0
"""A camera silent for longer says nothing about the street any more: its vehicles leave the snapshot and
its lanes become unobserved (their age keeps growing). A queue discharges about 5 vehicles in this time."""

FUTURE_TOLERANCE_S = 1.5
"""Data from later than this after now is dropped: a clock is wrong."""

MAX_SPEED_MPS = 100.0
MAX_DISTANCE_M = 10_000.0
MIN_DISTANCE_M = -100.0  # just past the stop line is still in view

_log = logging.getLogger("civicbrain.city.store")


class Store:
    """What is known of `city`. One writer: only the runtime calls `fold`, `reset` and `snapshot`.

    dropped: (source, reason) -> count of rows or frames that were dropped. tracks: missions under way.
    incidents: the open ones, and what people reported lately. buses: those under way. signals: what the
    controllers last reported.
    """

    def __init__(self, city: City) -> None:
        self.city = city
        self.dropped: Counter[tuple[str, str]] = Counter()
        self.tracks = Tracks(city.network)
        self.incidents = IncidentBook()
        self.buses = BusTracks(city)
        self._lane_count = len(city.network.lanes.ids)
        self._movement_count = len(city.network.movements.from_lane)
        self._junction_count = len(city.junctions)
        self._limit_mps = frozen(city.network.lanes.speed_mps.copy(), np.float32)
        self._camera_of_lane: I32 = np.full(self._lane_count, -1, np.int32)
        self._camera_of_lane[city.cameras.lane] = city.cameras.junction
        self._sequence = 0
        self._cameras_before = b""  # age and speech of each camera, for which the next two hold
        self._age_s: F32 = np.zeros(0, np.float32)
        self._observed: Bool = np.zeros(0, np.bool_)
        self._clear()

    def _clear(self) -> None:
        count = self._junction_count
        self._frames: dict[int, Detections] = {}  # number -> frame that is still some camera's newest
        self._next_frame = 0
        self._frame_of_camera: NDArray[np.int64] = np.full(count, -1, np.int64)
        self._seen_s: F64 = np.full(count, -math.inf)  # end of each camera's newest frame
        self._looked_s: F64 | None = None  # of each lane, NaN where its camera's frame says it
        self.signals = unknown_signals(self.city)
        self._signals_known = False
        self._asked = Asked(count)
        self._spoke_s: dict[str, float] = {}
        self._values: dict[tuple[str, str], float] = {}
        self._value_end_s: dict[tuple[str, str], float] = {}
        self._values_view: MappingProxyType[tuple[str, str], float] = MappingProxyType({})
        self._values_changed = False
        self._closed: I32 = frozen(np.zeros(0, np.int32), np.int32)

    def reset(self) -> None:
        """Forget everything, as when the twin starts its window again and time jumps back."""
        self._clear()
        self.tracks.reset()
        self.incidents.reset()
        self.buses.reset()

    # -- folding

    def fold(self, data: Iterable[object], now_s: float) -> None:
        """Take in what feeds delivered by platform second now_s. Anything unfit is counted and dropped."""
        for datum in data:
            if isinstance(datum, Detections):
                self._fold_detections(datum, now_s)
            elif isinstance(datum, SignalStates):
                self._fold_signals(datum, now_s)
            elif isinstance(datum, StagesAsked):
                self._asked.take(datum)
            elif isinstance(datum, LaneViews):
                self._fold_lane_views(datum)
            elif isinstance(datum, Observation):
                self._fold_observation(datum, now_s)
            elif isinstance(datum, (Mission, MissionEnd, VehiclePosition)):
                self.tracks.take(datum, now_s)
            elif isinstance(datum, (BusPosition, BusDelay)):
                self.buses.take(datum, now_s)
            elif isinstance(datum, Incident):
                self.incidents.take(datum)
            elif isinstance(datum, IncidentReport):
                if not self.incidents.report(datum, now_s):
                    self._drop(datum.source, "report-not-kept")
            else:
                self._drop(type(datum).__name__, "unknown-type")

    def _fold_detections(self, frame: Detections, now_s: float) -> None:
        source = frame.source
        if not self._timely(source, frame.end_s, now_s):
            return
        try:
            cameras = owned(frame.cameras, np.int32)
            camera = owned(frame.camera, np.int32)
            lane = owned(frame.lane, np.int32)
            distance_m = owned(frame.distance_m, np.float32)
            speed_mps = owned(frame.speed_mps, np.float32)
            vehicle_class = owned(frame.vehicle_class, np.uint8)
            next_movement = owned(frame.next_movement, np.int32)
        except (TypeError, ValueError, OverflowError):
            self._drop(source, "wrong-type")
            return
        columns: tuple[NDArray[Any], ...] = (
            camera, lane, distance_m, speed_mps, vehicle_class, next_movement,
        )  # fmt: skip
        if cameras.ndim != 1 or any(column.shape != (len(camera),) for column in columns):
            self._drop(source, "wrong-shape")
            return
        known = below(cameras, self._junction_count)
        if not known.all():
            self._drop(source, "unknown-camera", int(len(known) - known.sum()))
            cameras = cameras[known]
        newer = frame.end_s > self._seen_s[cameras]
        if not newer.all():
            self._drop(source, "out-of-order", int(len(newer) - newer.sum()))
            cameras = cameras[newer]
        speaking = np.zeros(self._junction_count + 1, np.bool_)  # last: where out-of-range rows point
        speaking[cameras] = True
        in_range = below(camera, self._junction_count)
        good = (
            below(lane, self._lane_count)
            & in_range
            & (speed_mps >= 0.0)  # False for NaN, as are the others
            & (speed_mps <= MAX_SPEED_MPS)
            & (distance_m >= MIN_DISTANCE_M)
            & (distance_m <= MAX_DISTANCE_M)
            & (next_movement < self._movement_count)
        )
        sound = bool(good.all())
        if not sound:
            self._drop(source, "bad-row", int(len(good) - good.sum()))
        if not (sound and speaking[:-1].all()):  # a row of a camera that said nothing new
            good &= speaking[np.where(in_range, camera, self._junction_count)]
            sound = bool(good.all())
        if not sound:
            columns = tuple(frozen(column[good], column.dtype) for column in columns)
        kept = Detections(
            source,
            float(frame.start_s),
            float(frame.end_s),
            cameras=frozen(cameras, np.int32),
            camera=columns[0],
            lane=columns[1],
            distance_m=columns[2],
            speed_mps=columns[3],
            vehicle_class=columns[4],
            next_movement=columns[5],
            kind=frame.kind,
        )
        number = self._next_frame
        self._next_frame += 1
        self._frames[number] = kept
        self._frame_of_camera[cameras] = number
        self._seen_s[cameras] = frame.end_s
        if len(self._frames) > 1:
            live = set(np.unique(self._frame_of_camera).tolist())
            self._frames = {key: value for key, value in self._frames.items() if key in live}
        self._spoke(source, frame.end_s)

    def _fold_lane_views(self, views: LaneViews) -> None:
        try:
            lane, seen_s = owned(views.lane, np.int32), owned(views.seen_s, np.float64)
        except (TypeError, ValueError, OverflowError):
            self._drop(views.source, "wrong-type")
            return
        if lane.ndim != 1 or lane.shape != seen_s.shape or not below(lane, self._lane_count).all():
            self._drop(views.source, "wrong-shape")
            return
        if self._looked_s is None:
            self._looked_s = np.full(self._lane_count, math.nan)
        self._looked_s[lane] = seen_s

    def _fold_signals(self, states: SignalStates, now_s: float) -> None:
        source = states.source
        if not self._timely(source, states.time_s, now_s):
            return
        if self._signals_known and states.time_s <= self.signals.time_s:
            self._drop(source, "out-of-order")
            return
        groups, count = self.city.signals.group_count, self._junction_count
        try:
            kept = SignalStates(
                source, float(states.time_s),
                owned(states.lamps, np.uint8),
                owned(states.lamps_since_s, np.float32),
                owned(states.stage, np.int32),
                owned(states.stage_since_s, np.float32),
                owned(states.target, np.int32),
                owned(states.mode, np.uint8),
            )  # fmt: skip
        except (TypeError, ValueError, OverflowError):
            self._drop(source, "wrong-type")
            return
        by_junction = (kept.stage, kept.stage_since_s, kept.target, kept.mode)
        if any(a.shape != (groups,) for a in (kept.lamps, kept.lamps_since_s)) or any(
            a.shape != (count,) for a in by_junction
        ):
            self._drop(source, "wrong-shape")
            return
        self.signals = kept
        self._signals_known = True
        self._spoke(source, states.time_s)

    def _fold_observation(self, datum: Observation, now_s: float) -> None:
        try:
            end_s = to_seconds(self.city.epoch, datum.end)
            value = float(datum.value)
        except Exception:  # a naive time, no number: whatever a feed made of it, it is one bad datum
            self._drop(datum.source, "wrong-type")
            return
        if datum.kind is Kind.FORECAST:
            return  # `values` holds what is; forecasts are for those who ask their feed
        if not math.isfinite(value):
            self._drop(datum.source, "bad-row")
            return
        if to_seconds(self.city.epoch, datum.start) > now_s + FUTURE_TOLERANCE_S:
            self._drop(datum.source, "future")
            return
        key = (datum.entity, datum.property)
        if end_s < self._value_end_s.get(key, -math.inf):
            self._drop(datum.source, "out-of-order")
            return
        self._value_end_s[key] = end_s
        self._values[key] = value
        self._values_changed = True
        self._spoke(datum.source, min(end_s, now_s))

    def _timely(self, source: str, end_s: object, now_s: float) -> bool:
        if not isinstance(end_s, (int, float)) or not math.isfinite(end_s):
            self._drop(source, "wrong-type")
            return False
        if end_s > now_s + FUTURE_TOLERANCE_S:
            self._drop(source, "future")
            return False
        if end_s < now_s - FORGET_AFTER_S:
            self._drop(source, "stale")
            return False
        return True

    def _spoke(self, source: str, end_s: float) -> None:
        self._spoke_s[source] = max(end_s, self._spoke_s.get(source, -math.inf))

    def _drop(self, source: str, reason: str, count: int = 1) -> None:
        if (source, reason) not in self.dropped:
            _log.warning("source %s: data dropped (%s); counted from here on, logged once", source, reason)
        self.dropped[source, reason] += count

    # -- snapshots

    def snapshot(self, now_s: float) -> Snapshot:
        """What is known at platform second now_s; all arrays are read-only. Cheap: no copy per camera."""
        self._sequence += 1
        silent = now_s - self._seen_s > FORGET_AFTER_S
        detections = self._joined(now_s, silent)
        if self._values_changed:
            self._values_view = MappingProxyType(dict(self._values))
            self._closed = self._closed_lanes()
            self._values_changed = False
        incidents, reports = self.incidents.list_now(now_s)
        return Snapshot(
            sequence=self._sequence,
            time_s=now_s,
            detections=detections,
            lanes=self._lane_states(detections, now_s, silent),
            signals=self.signals,
            closed_lanes=self._closed,
            staleness_s=MappingProxyType({s: max(0.0, now_s - t) for s, t in self._spoke_s.items()}),
            values=self._values_view,
            missions=self.tracks.list_tracks(now_s),
            incidents=incidents,
            reports=reports,
            buses=self.buses.list_tracks(now_s),
            asked=self._asked.now(now_s),
        )

    def _joined(self, now_s: float, silent: Bool) -> Detections:
        if len(self._frames) == 1 and not silent.any():  # the usual case: one frame brings all cameras
            [only] = self._frames.values()
            if len(only.cameras) == self._junction_count:
                return only
        owner = np.where(silent, -1, self._frame_of_camera)
        live = np.unique(owner)
        numbers: list[int] = live[live >= 0].tolist()
        if not numbers:
            return frozen_empty("store", now_s)
        if len(numbers) == 1:
            only = self._frames[numbers[0]]
            if int((owner == numbers[0]).sum()) == len(only.cameras):
                return only
        parts = [(self._frames[n], owner[self._frames[n].camera] == n) for n in numbers]
        frames = [frame for frame, _ in parts]

        def join(name: str) -> NDArray[Any]:
            joined = np.concatenate([getattr(frame, name)[mask] for frame, mask in parts])[order]
            return frozen(joined, joined.dtype)

        # rows stay grouped by camera, as one frame delivers them
        order = np.argsort(np.concatenate([frame.camera[mask] for frame, mask in parts]), kind="stable")
        return Detections(
            source="+".join(sorted({frame.source for frame in frames})),
            start_s=min(frame.start_s for frame in frames),
            end_s=max(frame.end_s for frame in frames),
            cameras=frozen(np.flatnonzero(owner >= 0), np.int32),
            camera=join("camera"),
            lane=join("lane"),
            distance_m=join("distance_m"),
            speed_mps=join("speed_mps"),
            vehicle_class=join("vehicle_class"),
            next_movement=join("next_movement"),
            kind=frames[0].kind,
        )

    def _lane_states(self, seen: Detections, now_s: float, silent: Bool) -> LaneStates:
        n, lane, lane_mps = self._lane_count, seen.lane, seen.speed_mps
        inside = seen.distance_m < -INSIDE_M
        if inside.any():
            lane, lane_mps = lane[~inside], lane_mps[~inside]
        vehicles = np.bincount(lane, minlength=n)
        queued = np.bincount(lane[lane_mps < QUEUE_SPEED_MPS], minlength=n)
        total_mps = np.bincount(lane, weights=lane_mps, minlength=n)
        occupied = np.flatnonzero(vehicles)
        speed_mps: F32 = self._limit_mps.copy()
        speed_mps[occupied] = total_mps[occupied] / vehicles[occupied]
        # a trailing entry stands for "no camera": -1 indexes it
        age_of_camera = np.full(self._junction_count + 1, np.inf, np.float32)
        age_of_camera[:-1] = np.maximum(now_s - self._seen_s, 0.0)
        speaks = np.append(~silent, False)
        cameras = age_of_camera.tobytes() + speaks.tobytes()
        if cameras != self._cameras_before:  # steady cameras: the lanes are as old as they were a second ago
            self._cameras_before = cameras
            self._age_s = frozen(age_of_camera[self._camera_of_lane], np.float32)
            self._observed = frozen(speaks[self._camera_of_lane], np.bool_)
        age_s, observed = self._age_s, self._observed
        if self._looked_s is not None:
            own_s = np.maximum(now_s - self._looked_s, 0.0).astype(np.float32)
            known = ~np.isnan(own_s)
            age_s = np.where(known, own_s, age_s)
            observed = np.where(known, own_s <= FORGET_AFTER_S, observed)
        beyond = self._camera_of_lane[seen.lane] < 0  # connected vehicles are seen where no camera looks
        if beyond.any():
            age_s, observed = age_s.copy(), observed.copy()
            age_s[seen.lane[beyond]] = age_of_camera[seen.camera[beyond]]
            observed[seen.lane[beyond]] = True
        return LaneStates(
            observed=frozen(observed, np.bool_),
            age_s=frozen(age_s, np.float32),
            vehicles=frozen(vehicles, np.float32),
            queued=frozen(queued, np.float32),
            speed_mps=frozen(speed_mps, np.float32),
        )

    def _closed_lanes(self) -> I32:
        """Rows of lanes for which a source says ("lane:ID", "closed") = 1."""
        rows = self.city.network.lanes.row
        closed = [
            rows[entity[5:]]
            for (entity, name), value in self._values.items()
            if name == "closed" and value >= 0.5 and entity.startswith("lane:") and entity[5:] in rows
        ]
        return frozen(np.array(sorted(closed), np.int32), np.int32)
