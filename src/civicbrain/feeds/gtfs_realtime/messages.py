"""GTFS Realtime messages to data of the platform, and back, with the field's own bindings.

Their clocks are Unix seconds; the platform's may run at another pace (a twin's does). A position is therefore
as old as its timestamp says it was when the message came, and counts from the platform's now.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from google.protobuf.message import DecodeError
from google.transit import gtfs_realtime_pb2 as realtime

from civicbrain.city.transit.buses import BusDelay, BusPosition
from civicbrain.city.transit.lonlat import LonLat
from civicbrain.city.transit.timetable import Timetable, Trip
from civicbrain.core.time import to_datetime

MAX_ENTITIES = 20_000
MAX_DELAY_S = 86_400.0
MAX_NAME = 200

_CANCELED = realtime.TripDescriptor.CANCELED


def _text(value: str | bytes) -> str:
    """A text of a message; the bindings hand one that is not UTF-8 out as bytes."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


class _UnfitError(Exception):
    """One entity cannot be used; its text is the reason."""


class MessageReader:
    """Reads messages of one source for one city. rejected: reason -> count, of entities and messages."""

    def __init__(self, timetable: Timetable, lonlat: LonLat, source: str) -> None:
        self.rejected: Counter[str] = Counter()
        self._timetable, self._lonlat, self._source = timetable, lonlat, source

    def read(self, body: bytes, now_s: float, received: float) -> list[BusPosition | BusDelay]:
        """What a message says. now_s: platform second, received: Unix second, of its arrival. Never raises:
        what does not fit is counted."""
        message = realtime.FeedMessage()
        try:
            message.ParseFromString(body)
        except (DecodeError, RecursionError, ValueError):
            self.rejected["malformed"] += 1
            return []
        if not message.IsInitialized() or not message.HasField("header"):
            self.rejected["malformed"] += 1
            return []
        if not _text(message.header.gtfs_realtime_version).startswith(("1.", "2.")):
            self.rejected["unknown-version"] += 1
            return []
        if message.header.incrementality == realtime.FeedHeader.DIFFERENTIAL:
            self.rejected["differential"] += 1  # not standardised; a lost message would never be noticed
            return []
        if len(message.entity) > MAX_ENTITIES:
            self.rejected["too-many-entities"] += len(message.entity) - MAX_ENTITIES
        found: list[BusPosition | BusDelay] = []
        for entity in message.entity[:MAX_ENTITIES]:
            sent = float(message.header.timestamp)
            if entity.is_deleted:
                continue
            try:
                if entity.HasField("vehicle"):
                    found.append(self._position(entity.vehicle, sent, now_s, received))
                if entity.HasField("trip_update"):
                    found.append(self._delay(entity.trip_update, sent, now_s, received))
            except _UnfitError as unfit:
                self.rejected[str(unfit)] += 1
        return found

    def _position(
        self, vehicle: realtime.VehiclePosition, sent: float, now_s: float, received: float
    ) -> BusPosition:
        trip = self._trip(vehicle.trip) if vehicle.HasField("trip") else None
        if trip is None:
            raise _UnfitError("unknown-trip")
        if not vehicle.HasField("position"):
            raise _UnfitError("no-position")
        at = vehicle.position
        x_m, y_m = self._lonlat.to_xy(at.longitude, at.latitude)
        if not (math.isfinite(x_m) and math.isfinite(y_m)):
            raise _UnfitError("bad-value")
        at_s = self._second(float(vehicle.timestamp) or sent, now_s, received)
        if at_s is None:
            raise _UnfitError("no-time")
        speed_mps = float(at.speed) if at.HasField("speed") else -1.0
        heading_deg = float(at.bearing) if at.HasField("bearing") else -1.0
        if not (math.isfinite(speed_mps) and math.isfinite(heading_deg)):
            raise _UnfitError("bad-value")
        name = _text(vehicle.vehicle.label) or _text(vehicle.vehicle.id) or trip.id
        return BusPosition(
            self._source, trip.id, name[:MAX_NAME], at_s, x_m, y_m, speed_mps,
            heading_deg % 360.0 if heading_deg >= 0.0 else -1.0,
        )  # fmt: skip

    def _delay(self, update: realtime.TripUpdate, sent: float, now_s: float, received: float) -> BusDelay:
        trip = self._trip(update.trip)
        if trip is None:
            raise _UnfitError("unknown-trip")
        if update.trip.schedule_relationship == _CANCELED:
            raise _UnfitError("cancelled")
        at_s = self._second(float(update.timestamp) or sent, now_s, received)
        if at_s is None:
            raise _UnfitError("no-time")
        stop, delay_s = "", float(update.delay) if update.HasField("delay") else math.nan
        for call in update.stop_time_update:
            for event in (call.arrival, call.departure):
                if event.HasField("delay"):
                    stop, delay_s = _text(call.stop_id)[:MAX_NAME], float(event.delay)
                    break
            if stop:
                break
        if not abs(delay_s) < MAX_DELAY_S:
            raise _UnfitError("no-delay" if math.isnan(delay_s) else "bad-value")
        return BusDelay(self._source, trip.id, at_s, stop, delay_s)

    def _trip(self, said: realtime.TripDescriptor) -> Trip | None:
        find = self._timetable.find_trip
        trip_id = _text(said.trip_id)
        return find(trip_id, _text(said.start_date), _text(said.start_time)) or find(trip_id)

    def _second(self, stamp: float, now_s: float, received: float) -> float | None:
        return now_s - (received - stamp) if stamp > 0.0 else None


def encode_positions(
    positions: Iterable[BusPosition],
    timetable: Timetable,
    lonlat: LonLat,
    epoch: datetime,
    now_s: float,
    delays_s: dict[str, float] | None = None,
) -> bytes:
    """A FeedMessage with the buses' positions and, where `delays_s` (trip -> seconds) has one, their delays.
    Times are the instants that stand for platform seconds."""
    message = realtime.FeedMessage()
    message.header.gtfs_realtime_version = "2.0"
    message.header.incrementality = realtime.FeedHeader.FULL_DATASET
    message.header.timestamp = int(to_datetime(epoch, now_s).timestamp())
    for at in positions:
        trip = timetable.trips.get(at.trip)
        if trip is None:
            continue
        stamp = int(to_datetime(epoch, at.time_s).timestamp())
        entity = message.entity.add(id=f"v:{at.trip}")
        _describe(entity.vehicle.trip, trip, timetable)
        entity.vehicle.vehicle.id = at.vehicle
        lon, lat = lonlat.to_lonlat(at.x_m, at.y_m)
        entity.vehicle.position.latitude, entity.vehicle.position.longitude = lat, lon
        if at.speed_mps >= 0.0:
            entity.vehicle.position.speed = at.speed_mps
        if at.heading_deg >= 0.0:
            entity.vehicle.position.bearing = at.heading_deg
        entity.vehicle.timestamp = stamp
        delay_s = (delays_s or {}).get(at.trip)
        if delay_s is not None:
            update = message.entity.add(id=f"t:{at.trip}").trip_update
            _describe(update.trip, trip, timetable)
            update.timestamp, update.delay = stamp, round(delay_s)
    return bytes(message.SerializeToString())


def _describe(said: realtime.TripDescriptor, trip: Trip, timetable: Timetable) -> None:
    name, date, time = trip.service
    said.trip_id = name or trip.id
    said.route_id = timetable.patterns[trip.pattern].line
    if date:
        said.start_date = date
    if time:
        said.start_time = time
