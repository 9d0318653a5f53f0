"""What a camera sends: many frames as columns (msgpack), or one object a frame (JSON) for simple senders.

A frame is what one source saw at one instant: no rows means an empty street. A lane is named by its place in
the source's own list of lanes (`Sources`), so that a camera can speak of no other street than its own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from civicbrain.city.intake.counts import Reason
from civicbrain.city.intake.limits import Limits
from civicbrain.city.observations import VehicleClass
from civicbrain.core.units import KMH_TO_MPS

MILES_PER_H_TO_MPS = 0.44704  # exact by the definition of the international mile
SPEED_UNITS = {"m/s": 1.0, "km/h": KMH_TO_MPS, "mph": MILES_PER_H_TO_MPS}
DISTANCE_UNITS = {"m": 1.0, "ft": 0.3048}
DistanceUnit = Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(DISTANCE_UNITS)})]
SpeedUnit = Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(SPEED_UNITS)})]
"""In contracts one of these; what comes is looked up, so that its refusal is counted as a bad unit."""
CLASS_NAMES = {kind.name.lower(): int(kind) for kind in VehicleClass}
NO_LANE = 255
"""Place in a source's list that no lane has."""

_COUNT, _TIME = struct.Struct("<H"), struct.Struct("<d")


class FrameBatch(msgspec.Struct, frozen=True, kw_only=True):
    """k frames with n rows in all, on the wire. Numbers are little-endian, one after the other.

    sources: (k) their ids. time_s: (k) float64, Unix seconds at which the frame was taken; empty: stamped on
    arrival. rows: (k) uint16, vehicles of each frame; may be empty where there is one frame. lane: (n) uint8,
    place in the source's list of lanes. distance: (n) float32, along the road to the stop line. speed: (n)
    float32. vehicle_class: (n) uint8, `VehicleClass`; empty: all cars. key: the shared token or the source's
    own key, where the carrier has no place for it. Units: m, ft; m/s, km/h, mph.
    """

    sources: list[str]
    lane: bytes
    distance: bytes
    speed: bytes
    time_s: bytes = b""
    rows: bytes = b""
    vehicle_class: bytes = b""
    distance_unit: str = "m"
    speed_unit: str = "m/s"
    key: str = ""


class SeenVehicle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One vehicle of a JSON frame. lane: its id."""

    lane: str
    distance: float
    speed: float
    vehicle_class: Literal[
        "car", "truck", "bus", "tram", "motorcycle", "bicycle", "pedestrian", "emergency", "other"
    ] = "car"


class CameraFrame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One frame as JSON. time: RFC 3339 with zone; left out: stamped on arrival."""

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    vehicles: list[SeenVehicle]
    time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    distance_unit: DistanceUnit = "m"
    speed_unit: SpeedUnit = "m/s"
    key: str = ""


class Message(msgspec.Struct):
    """A decoded message of sound shape. Byte columns as in FrameBatch, times and counts always there."""

    sources: list[str]
    time_s: bytes
    rows: bytes
    lane: bytes
    distance: bytes
    speed: bytes
    vehicle_class: bytes
    row_count: int
    key: str
    metres: float  # of one unit of distance
    mps: float  # of one unit of speed


class MessageError(ValueError):
    """A message that cannot be taken at all."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


_decode_batch = msgspec.msgpack.Decoder(FrameBatch).decode
_decode_json = msgspec.json.Decoder(CameraFrame | list[CameraFrame]).decode


def encode_frames(
    sources: Sequence[str],
    lane: ArrayLike,
    distance_m: ArrayLike,
    speed_mps: ArrayLike,
    *,
    rows: ArrayLike = (),
    time_s: ArrayLike = (),
    vehicle_class: ArrayLike = (),
    key: str = "",
) -> bytes:
    """A msgpack message of FrameBatch from arrays, for senders; time_s in Unix seconds."""
    return msgspec.msgpack.encode(
        FrameBatch(
            sources=list(sources), lane=_bytes(lane, "u1"), distance=_bytes(distance_m, "<f4"),
            speed=_bytes(speed_mps, "<f4"), time_s=_bytes(time_s, "<f8"), rows=_bytes(rows, "<u2"),
            vehicle_class=_bytes(vehicle_class, "u1"), key=key,
        )
    )  # fmt: skip


def decode_message(
    body: bytes, limits: Limits, now_unix_s: float, lane_place: Callable[[str, str], int]
) -> Message:
    """The message, JSON where it begins like it, else msgpack. lane_place(source id, lane id): its place in
    the source's list, or NO_LANE. Raises MessageError."""
    if len(body) > limits.message_bytes:
        raise MessageError(Reason.TOO_LARGE, f"longer than {limits.message_bytes} bytes")
    try:
        if body[:1] in b"{[ \t\r\n":  # no msgpack map begins with one of these
            frames = _decode_json(body)
            batch = _columns(frames if isinstance(frames, list) else [frames], now_unix_s, lane_place)
        else:
            batch = _decode_batch(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise MessageError(Reason.MALFORMED, str(error)[:300]) from None
    return _checked(batch, limits, now_unix_s)


def _checked(batch: FrameBatch, limits: Limits, now_unix_s: float) -> Message:
    count, total = len(batch.sources), len(batch.lane)
    if not 0 < count <= limits.message_frames:
        raise MessageError(Reason.TOO_LARGE, f"{count} frames; 1 to {limits.message_frames} are taken")
    metres, mps = DISTANCE_UNITS.get(batch.distance_unit), SPEED_UNITS.get(batch.speed_unit)
    if metres is None or mps is None:
        units = ", ".join([*DISTANCE_UNITS, *SPEED_UNITS])
        raise MessageError(Reason.BAD_UNIT, f"an unknown unit; there is {units}")
    rows, time_s = batch.rows, batch.time_s
    if count == 1 and not rows:
        rows = _COUNT.pack(min(total, 65_535))
    if not time_s:
        time_s = _TIME.pack(now_unix_s) * count
    vehicle_class = batch.vehicle_class or bytes(total)
    if (
        len(rows) != 2 * count
        or len(time_s) != 8 * count
        or len(batch.distance) != 4 * total
        or len(batch.speed) != 4 * total
        or len(vehicle_class) != total
    ):
        raise MessageError(Reason.MALFORMED, "columns of different lengths")
    if count == 1:
        added, largest = _COUNT.unpack(rows)[0], total
    else:
        counts = np.frombuffer(rows, "<u2")
        added, largest = int(counts.sum(dtype=np.int64)), int(counts.max())
    if added != total:
        raise MessageError(Reason.MALFORMED, "`rows` does not add up to the length of the columns")
    if largest > limits.frame_rows:
        raise MessageError(Reason.TOO_LARGE, f"a frame of more than {limits.frame_rows} vehicles")
    return Message(
        batch.sources, time_s, rows, batch.lane, batch.distance, batch.speed, vehicle_class, total, batch.key,
        metres, mps,
    )  # fmt: skip


def _columns(
    frames: list[CameraFrame], now_unix_s: float, lane_place: Callable[[str, str], int]
) -> FrameBatch:
    """JSON frames as columns, in metres and m/s."""
    if not frames:
        raise MessageError(Reason.MALFORMED, "no frame")
    if any(frame.key != frames[0].key for frame in frames):
        raise MessageError(Reason.UNAUTHENTICATED, "frames of one message must have one key")
    lane, distance, speed, kinds = bytearray(), [], [], bytearray()
    for frame in frames:
        metres, mps = DISTANCE_UNITS.get(frame.distance_unit), SPEED_UNITS.get(frame.speed_unit)
        if metres is None or mps is None:
            raise MessageError(Reason.BAD_UNIT, f"an unknown unit in the frame of {frame.source!r}")
        for seen in frame.vehicles:
            lane.append(lane_place(frame.source, seen.lane))
            distance.append(seen.distance * metres)
            speed.append(seen.speed * mps)
            kinds.append(CLASS_NAMES[seen.vehicle_class])
    counts = [len(frame.vehicles) for frame in frames]
    if max(counts) > 65_535:
        raise MessageError(Reason.TOO_LARGE, "a frame of more than 65535 vehicles")
    times = [frame.time.astimezone(UTC).timestamp() if frame.time else now_unix_s for frame in frames]
    with np.errstate(over="ignore"):  # 1e300 m becomes infinite here and is a bad row later
        return FrameBatch(
            sources=[frame.source for frame in frames], lane=bytes(lane), distance=_bytes(distance, "<f4"),
            speed=_bytes(speed, "<f4"), time_s=_bytes(times, "<f8"), rows=_bytes(counts, "<u2"),
            vehicle_class=bytes(kinds), key=frames[0].key,
        )  # fmt: skip


def _bytes(values: ArrayLike, dtype: Any) -> bytes:
    return np.asarray(values, dtype).tobytes()
