"""What sources say: observations (SOSA: result, observed property, feature of interest, phenomenon time).

`Observation` is one datum, for slow sources and for people. `Detections` is the columnar form for
cameras: many vehicles seen in one frame. Times are platform seconds inside; start inclusive, end exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np

from civicbrain.city.network import F32, F64, I32, U8, Bool


class Kind(StrEnum):
    MEASURED = "measured"
    ESTIMATED = "estimated"
    FORECAST = "forecast"


class VehicleClass(IntEnum):
    """What a camera can tell apart."""

    CAR = 0
    TRUCK = 1
    BUS = 2
    TRAM = 3
    MOTORCYCLE = 4
    BICYCLE = 5
    PEDESTRIAN = 6
    EMERGENCY = 7
    OTHER = 8


@dataclass(frozen=True, slots=True)
class Observation:
    """One value of one property of one entity."""

    source: str
    entity: str  # e.g. "lane:gneE3_0", "junction:360082"
    property: str  # e.g. "flow_veh_per_h"
    value: float
    unit: str
    kind: Kind
    start: datetime  # aware
    end: datetime  # aware, exclusive


INSIDE_M = 1.0
"""Past its stop line by more than this a vehicle is inside the junction: no longer on its approach lane. Not
every driver stops at the line, nor does every camera measure to the metre."""


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What the cameras saw in one frame. v rows, grouped by camera.

    `cameras`: junction rows of the cameras that delivered this frame (one may have delivered an empty
    street). distance_m is the road distance to that junction's stop line; below -INSIDE_M the vehicle is
    inside the junction, `lane` the one it came from. `next_movement` is -1 under
    camera sensing; oracle sensing fills it with the row of the vehicle's next signalled movement.
    """

    source: str
    start_s: float
    end_s: float
    cameras: I32  # (c,) junction rows
    camera: I32  # (v,) junction row
    lane: I32  # (v,) row in Lanes
    distance_m: F32  # (v,)
    speed_mps: F32  # (v,)
    vehicle_class: U8  # (v,)
    next_movement: I32  # (v,)
    kind: Kind = Kind.MEASURED

    def only(self, rows: Bool) -> Detections:
        """The same frame with these rows alone; read-only, as a snapshot's arrays are."""
        names = ("camera", "lane", "distance_m", "speed_mps", "vehicle_class", "next_movement")
        kept: dict[str, Any] = {name: getattr(self, name)[rows] for name in names}
        for array in kept.values():
            array.flags.writeable = False
        return replace(self, **kept)

    @property
    def on_approaches(self) -> Detections:
        """Without those inside junctions; itself where there is none."""
        inside = self.distance_m < -INSIDE_M
        return self.only(~inside) if inside.any() else self

    @staticmethod
    def empty(source: str, time_s: float, cameras: I32 | None = None) -> Detections:
        none_i, none_f = np.zeros(0, np.int32), np.zeros(0, np.float32)
        return Detections(
            source, time_s, time_s, none_i if cameras is None else cameras,
            none_i, none_i, none_f, none_f, np.zeros(0, np.uint8), none_i,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class LaneViews:
    """When each of these lanes was last looked at, where the cameras of one junction differ in that. For
    these lanes it holds instead of the age of their junction's frame. l rows."""

    source: str
    lane: I32  # (l,) row in Lanes
    seen_s: F64  # (l,) platform second of the newest frame that shows the lane, -inf where never


@dataclass(frozen=True, slots=True, eq=False)
class SignalStates:
    """What the controllers report. j junctions, g city-wide groups."""

    source: str
    time_s: float
    lamps: U8  # (g,) ord of the lamp character of each city-wide group
    lamps_since_s: F32  # (g,) platform second of the last change of that character
    stage: I32  # (j,) stage shown or being left, -1 where none
    stage_since_s: F32  # (j,) second at which that stage was fully shown (all its groups green)
    target: I32  # (j,) stage being switched to; equals `stage` when steady
    mode: U8  # (j,) ControllerMode

    @property
    def steady_stage(self) -> I32:
        """(j,) stage that is shown in full, -1 where none is: it is being left, or nothing is known."""
        return np.where((self.target < 0) | (self.target == self.stage), self.stage, -1).astype(np.int32)
