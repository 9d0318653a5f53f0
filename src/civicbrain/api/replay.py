"""Moments of the past as frames of the live map, so that a page draws both with the same code."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from civicbrain.api.frames import FrameEncoder
from civicbrain.city.model import City
from civicbrain.city.network import F64, I32
from civicbrain.contracts import wire
from civicbrain.runtime.history.wire import Moment

_LENGTH = struct.Struct("<I")


class LanePlaces:
    """Where on the ground a vehicle is that a camera saw so far from the stop line."""

    def __init__(self, city: City) -> None:
        lanes = city.network.lanes
        self._xy: F64 = lanes.shape_xy.astype(np.float64)
        steps = np.linalg.norm(np.diff(self._xy, axis=0), axis=1)
        self._along_m: F64 = np.concatenate(([0.0], np.cumsum(steps)))  # over all lanes, one after the other
        self._first, self._last = lanes.shape_start[:-1], lanes.shape_start[1:] - 1
        self._length_m = lanes.length_m.astype(np.float64)
        self._beyond_m: F64 = np.zeros(len(lanes.ids))
        self._beyond_m[city.cameras.lane] = city.cameras.beyond_m

    def locate(self, lane: I32, distance_m: NDArray[np.float32]) -> tuple[F64, F64, F64]:
        """x, y in m and angle in degrees (0 = north, clockwise), each (v,)."""
        from_end = np.clip(distance_m - self._beyond_m[lane], 0.0, self._length_m[lane])
        share = 1.0 - from_end / np.maximum(self._length_m[lane], 1e-6)
        first, last = self._first[lane], self._last[lane]
        start, end = self._along_m[first], self._along_m[last]
        wanted = start + share * (end - start)
        point = np.clip(np.searchsorted(self._along_m, wanted, side="right") - 1, first, last - 1)
        step = self._along_m[point + 1] - self._along_m[point]
        part = np.clip((wanted - self._along_m[point]) / np.maximum(step, 1e-9), 0.0, 1.0)
        a, b = self._xy[point], self._xy[point + 1]
        xy = a + (b - a) * part[:, None]
        angle = np.degrees(np.arctan2(b[:, 0] - a[:, 0], b[:, 1] - a[:, 1])) % 360.0
        return xy[:, 0], xy[:, 1], angle


class Replay:
    """Encodes moments. A vehicle's `number` counts within its frame: nothing says who it was."""

    def __init__(self, city: City) -> None:
        self._places, self._encoder = LanePlaces(city), FrameEncoder(city)

    def encode(self, moments: list[Moment]) -> bytes:
        """For each moment a length (u32, little endian) and a frame "CBF1" of that many bytes."""
        parts: list[bytes] = []
        for sequence, moment in enumerate(moments):
            frame = self._encoder.encode(sequence, self._vehicles(moment), _state(moment), 0.0)
            parts += (_LENGTH.pack(len(frame)), frame)
        return b"".join(parts)

    def _vehicles(self, moment: Moment) -> wire.VehicleFrame:
        lane, distance, speed = (
            wire.unpack_array(a) for a in (moment.lane, moment.distance_m, moment.speed_mps)
        )
        x, y, angle = self._places.locate(lane, distance)
        return wire.VehicleFrame(
            moment.time_s,
            wire.pack_array(np.arange(len(lane), dtype=np.uint32)),
            wire.pack_array(x),
            wire.pack_array(y),
            wire.pack_array(angle),
            wire.pack_array(speed),
            moment.vehicle_class,
        )


def _state(moment: Moment) -> wire.CityState:
    """What the frame needs of it; the rest is not known of the past."""
    unknown = np.full(moment.queue_veh.shape, np.nan, np.float32)
    return wire.CityState(
        time_s=moment.time_s, sequence=0, control="", brain_on=False,
        indicators=wire.Indicators(0, 0.0, 0.0, 0), brains=(), staleness_s={},
        junction_delay_s=wire.pack_array(unknown), junction_queue_veh=moment.queue_veh,
        junction_mode=moment.mode, junction_stage=moment.stage, group_lamp=moment.lamps, twin=None,
        alerts_open=0, ledger_entries=0,
    )  # fmt: skip
