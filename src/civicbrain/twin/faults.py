"""Faults that a run is given on purpose: cameras that die or lie, lanes that a stopped vehicle blocks.

A fault lasts from begin_s up to, not including, end_s (platform seconds). Faults are part of `TwinOptions`:
same seed, same faults, same result.

Kinds of camera fault, as cameras in the street fail:

    silent    delivers no frame any more (power or line lost)
    blind     goes on delivering, and sees an empty street (lens dirty or turned away, fog)
    frozen    repeats what it saw last before the fault (an encoder that hangs)
    phantom   sees, beside what is there, a queue that is not (a shadow, a parked car): `PHANTOM_QUEUE`
              vehicles standing from the stop line of `lane` on
    inflated  sees `INFLATION` times as many as there are: boxes that come and go, each time elsewhere
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.model import City
from civicbrain.city.network import I32, RoadUse
from civicbrain.city.observations import Detections, VehicleClass
from civicbrain.core.errors import ConfigurationError

CAMERA_KINDS = ("silent", "blind", "frozen", "phantom", "inflated")
PHANTOM_QUEUE = 6
INFLATION = 1.5
PHANTOM_SPACING_M = 7.5
"""Front to front in a standing queue: a car of 5 m and SUMO's default gap of 2.5 m."""


@dataclass(frozen=True, slots=True)
class CameraFault:
    """What is wrong with the camera of a junction. lane: id of the lane on which a phantom queue stands."""

    junction: str
    kind: str
    begin_s: float
    end_s: float
    lane: str = ""


@dataclass(frozen=True, slots=True)
class LaneBlock:
    """The next vehicle that comes along after begin_s stops at position_m (from the lane's beginning) and
    stands there until end_s; others go round it where the road lets them."""

    lane: str
    position_m: float
    begin_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Faults:
    """All faults of a run; none by default."""

    cameras: tuple[CameraFault, ...] = ()
    lanes: tuple[LaneBlock, ...] = ()

    def check(self, city: City, mesoscopic: bool = False) -> None:
        """Raise ConfigurationError at the first fault that does not fit the city, or that the mesoscopic
        model cannot show: a blocked lane that others can go round (`meso_blocks.py`)."""
        rows = city.network.lanes.row
        for camera in self.cameras:
            place = f"camera fault at {camera.junction!r}"
            _check_span(camera.begin_s, camera.end_s, place)
            if camera.kind not in CAMERA_KINDS:
                raise ConfigurationError(
                    f"no kind {camera.kind!r}", place=place, remedy="use " + ", ".join(CAMERA_KINDS)
                )
            if camera.junction not in city.signals.row:
                raise ConfigurationError(
                    "no such signal junction in this city",
                    place=place,
                    remedy="`civicbrain city show` lists them",
                )
            if (camera.kind == "phantom") != bool(camera.lane):
                raise ConfigurationError(
                    "a phantom needs a lane, no other kind has one",
                    place=place,
                    remedy="set or leave out lane",
                )
            if camera.lane and not _is_approach(city, camera.junction, rows.get(camera.lane)):
                raise ConfigurationError(
                    f"lane {camera.lane!r} does not lead to its stop line",
                    place=place,
                    remedy="name an approach lane of that junction",
                )
        for block in self.lanes:
            place = f"block of lane {block.lane!r}"
            _check_span(block.begin_s, block.end_s, place)
            row = rows.get(block.lane)
            if row is None:
                raise ConfigurationError(
                    "no such lane in this city", place=place, remedy="give an id of the network"
                )
            length_m = float(city.network.lanes.length_m[row])
            if not 0.0 < block.position_m < length_m:  # refuses NaN as well
                raise ConfigurationError(
                    f"position {block.position_m:g} m is not on the lane",
                    place=place,
                    remedy=f"use a position between 0 and {length_m:.1f} m",
                )
            if mesoscopic and _has_lanes_beside(city, row):
                raise ConfigurationError(
                    "the mesoscopic model cannot tell what a blocked lane costs where others can go round it",
                    place=place,
                    remedy="run it microscopically, or block a road that has one lane",
                )


NO_FAULTS = Faults()


class FaultyCameras:
    """Turns what the cameras saw into what they say. Give it every frame, in the order of time: a frozen
    camera repeats the last one before its fault."""

    def __init__(self, city: City, faults: Sequence[CameraFault]) -> None:
        lanes = city.network.lanes
        self._faults = [(city.signals.row[fault.junction], fault) for fault in faults]
        self._lane = {fault: lanes.row[fault.lane] for fault in faults if fault.lane}
        self._lane_m = {fault: float(lanes.length_m[row]) for fault, row in self._lane.items()}
        self._frozen: dict[CameraFault, Detections] = {}
        self._last: Detections | None = None

    def says(self, seen: Detections) -> Detections:
        """The frame as it is delivered."""
        if not self._faults:
            return seen
        said, last = seen, seen if self._last is None else self._last
        self._last = seen
        for camera, fault in self._faults:
            at_fault = fault.begin_s <= seen.end_s < fault.end_s
            if not (at_fault and camera in said.cameras):  # nor does a junction without a camera say anything
                continue
            others = said.camera != camera
            if fault.kind == "silent":
                said = _select(said, others, said.cameras[said.cameras != camera])
            elif fault.kind == "blind":
                said = _select(said, others, said.cameras)
            elif fault.kind == "frozen":
                still = self._frozen.setdefault(fault, last)
                said = _join(_select(said, others, said.cameras), _select(still, still.camera == camera))
            elif fault.kind == "inflated":
                said = _join(said, self._doubled(said, camera))
            else:
                said = _join(said, self._queue(camera, fault))
        return said

    def _doubled(self, seen: Detections, camera: int) -> Detections:
        """Vehicles that are not there: half as many as are, on the approach lanes of those, anywhere in
        view."""
        rows = np.flatnonzero((seen.camera == camera) & (seen.distance_m >= 0.0))
        draw = np.random.default_rng((camera, int(seen.end_s * 1000.0)))
        count = draw.binomial(len(rows), INFLATION - 1.0)
        picked = _select(seen, np.isin(np.arange(len(seen.camera)), draw.choice(rows, count, replace=False)))
        far_m = float(seen.distance_m[rows].max()) if count else 0.0
        return replace(picked, distance_m=draw.uniform(0.0, far_m, count).astype(np.float32))

    def _queue(self, camera: int, fault: CameraFault) -> Detections:
        """Vehicles that stand from the stop line on, as many as the lane has room for."""
        distance_m = np.arange(PHANTOM_QUEUE, dtype=np.float32) * np.float32(PHANTOM_SPACING_M) + 1.0
        distance_m = distance_m[distance_m <= self._lane_m[fault]]
        count = len(distance_m)
        return replace(
            Detections.empty("", fault.begin_s),
            camera=np.full(count, camera, np.int32),
            lane=np.full(count, self._lane[fault], np.int32),
            distance_m=distance_m,
            speed_mps=np.zeros(count, np.float32),
            vehicle_class=np.full(count, int(VehicleClass.CAR), np.uint8),
            next_movement=np.full(count, -1, np.int32),
        )


_ROWS = ("camera", "lane", "distance_m", "speed_mps", "vehicle_class", "next_movement")


def _select(frame: Detections, rows: NDArray[np.bool_], cameras: I32 | None = None) -> Detections:
    columns: dict[str, Any] = {name: getattr(frame, name)[rows] for name in _ROWS}
    return replace(frame, cameras=frame.cameras if cameras is None else cameras, **columns)


def _join(frame: Detections, more: Detections) -> Detections:
    """The rows of both, grouped by camera as every frame's are; all else is the first one's."""
    order = np.argsort(np.concatenate([frame.camera, more.camera]), kind="stable")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(frame, name), getattr(more, name)])[order] for name in _ROWS
    }
    return replace(frame, **columns)


def _is_approach(city: City, junction: str, lane: int | None) -> bool:
    if lane is None:
        return False
    movements = city.network.movements
    at_junction = movements.junction == city.signals.row[junction]
    return bool((at_junction & (movements.from_lane == lane)).any())


def _has_lanes_beside(city: City, lane: int) -> bool:
    lanes = city.network.lanes
    motor = (lanes.use & RoadUse.MOTOR) > 0
    return int((motor & (lanes.edge == lanes.edge[lane])).sum()) > 1


def _check_span(begin_s: float, end_s: float, place: str) -> None:
    if not (math.isfinite(begin_s) and math.isfinite(end_s) and begin_s < end_s):
        raise ConfigurationError(
            f"it lasts from {begin_s:g} s to {end_s:g} s", place=place, remedy="give an end_s above begin_s"
        )
