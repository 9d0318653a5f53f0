"""GTFS static (https://gtfs.org/documentation/schedule/reference/), read and written: a folder or a zip.

Read are stops, routes, trips, stop_times, calendar, calendar_dates, frequencies and the agency's time zone;
of the routes those of buses (route_type 3, trolleybuses 11, and the extended types 700 to 799 and 800).
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from civicbrain.core.errors import CityError

MAX_TABLE_BYTES = 2 * 1024**3
"""Of one table, unpacked; the largest national feeds have stop_times of 1 to 2 GB."""
MAX_STARTS = 2000
"""Of one trip by frequency in one day."""

_BUS_TYPES = frozenset({3, 11, 800, *range(700, 800)})
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(slots=True)
class Call:
    """One row of stop_times; seconds since the service day's noon less 12 h, -1 where not timed."""

    sequence: int
    stop: str
    arrival_s: float
    departure_s: float


@dataclass(slots=True)
class Service:
    """One trip as the feed has it. starts: (first, last, headway, exact) of frequencies, s of the day."""

    id: str
    route: str
    service: str
    direction: int
    calls: list[Call] = field(default_factory=list)
    starts: list[tuple[float, float, float, bool]] = field(default_factory=list)


@dataclass(frozen=True)
class Gtfs:
    """stops: id -> (name, longitude, latitude). routes: id -> name. days: service -> dates it runs on are
    asked with `runs_on`."""

    place: str
    zone: ZoneInfo
    stops: dict[str, tuple[str, float, float]]
    routes: dict[str, str]
    services: dict[str, Service]
    weeks: dict[str, tuple[frozenset[int], date, date]]
    exceptions: dict[tuple[str, date], bool]

    def runs_on(self, service: str, day: date) -> bool:
        """Whether a service runs on that day."""
        said = self.exceptions.get((service, day))
        if said is not None:
            return said
        week = self.weeks.get(service)
        return week is not None and week[1] <= day <= week[2] and day.weekday() in week[0]

    def day_start(self, day: date) -> datetime:
        """The instant from which a service day's times count: noon less 12 hours."""
        noon = datetime.combine(day, time(12), self.zone)
        return (noon.astimezone(ZoneInfo("UTC"))) - timedelta(hours=12)


def read_gtfs(path: Path) -> Gtfs:
    """Read a feed. Raises CityError with the table, the line and what to do."""
    with _open_tables(path) as tables:
        zone = _zone(tables)
        routes = {}
        for row in tables.rows("routes.txt", "route_id", "route_type"):
            if tables.whole("route_type") in _BUS_TYPES:
                routes[row["route_id"]] = (
                    row.get("route_short_name") or row.get("route_long_name") or row["route_id"]
                )
        services = {}
        for row in tables.rows("trips.txt", "route_id", "service_id", "trip_id"):
            if row["route_id"] in routes:
                direction = 1 if row.get("direction_id") == "1" else 0
                services[row["trip_id"]] = Service(
                    row["trip_id"], row["route_id"], row["service_id"], direction
                )
        needed: set[str] = set()
        for row in tables.rows("stop_times.txt", "trip_id", "stop_id", "stop_sequence"):
            service = services.get(row["trip_id"])
            if service is None:
                continue
            arrival_s, departure_s = tables.clock("arrival_time"), tables.clock("departure_time")
            arrival_s = departure_s if arrival_s < 0.0 else arrival_s
            departure_s = arrival_s if departure_s < 0.0 else departure_s
            call = Call(tables.whole("stop_sequence"), row["stop_id"], arrival_s, departure_s)
            service.calls.append(call)
            needed.add(call.stop)
        for service in services.values():
            service.calls.sort(key=lambda call: call.sequence)
        stops = {}
        for row in tables.rows("stops.txt", "stop_id", "stop_lat", "stop_lon"):
            if row["stop_id"] in needed:
                lon, lat = tables.number("stop_lon"), tables.number("stop_lat")
                stops[row["stop_id"]] = (row.get("stop_name") or row["stop_id"], lon, lat)
        weeks, exceptions = _calendar(tables)
        for row in tables.rows(
            "frequencies.txt", "trip_id", "start_time", "end_time", "headway_secs", optional=True
        ):
            if row["trip_id"] in services:
                headway_s = tables.number("headway_secs")
                if headway_s <= 0.0:
                    raise tables.fault("headway_secs is not above 0")
                services[row["trip_id"]].starts.append(
                    (tables.clock("start_time"), tables.clock("end_time"), headway_s,
                     row.get("exact_times") == "1")
                )  # fmt: skip
    return Gtfs(str(path), zone, stops, routes, services, weeks, exceptions)


class _Tables:
    """The tables of one feed, one row at a time; knows where it is, for errors."""

    def __init__(self, path: Path, archive: zipfile.ZipFile | None) -> None:
        self._path, self._archive = path, archive
        self._table, self._line = "", 0
        self._row: dict[str, str] = {}

    def rows(self, table: str, *columns: str, optional: bool = False) -> Iterator[dict[str, str]]:
        self._table, self._line = table, 1
        stream = self._open(table)
        if stream is None:
            if optional:
                return
            raise self.fault("the table is missing")
        try:
            with stream:
                reader = csv.DictReader(
                    io.TextIOWrapper(stream, "utf-8-sig", newline=""), skipinitialspace=True
                )
                missing = [column for column in columns if column not in (reader.fieldnames or ())]
                if missing:
                    raise self.fault(f"the column {missing[0]} is missing")
                for row in reader:
                    self._line = reader.line_num
                    if any(row.get(column) is None for column in columns):
                        raise self.fault("the line is cut off")
                    self._row = row
                    yield row
        except (UnicodeDecodeError, csv.Error, zipfile.BadZipFile, EOFError, OSError) as error:
            raise self.fault(f"it cannot be read: {error}") from error

    def whole(self, column: str) -> int:
        number = self.number(column)
        if number != int(number):
            raise self.fault(f"{column} is no whole number")
        return int(number)

    def number(self, column: str) -> float:
        text = self._row.get(column) or ""
        try:
            value = float(text)
            if abs(value) < 1e9:  # False for NaN
                return value
        except ValueError:
            pass
        raise self.fault(f"{column} is {text[:40]!r}, no number")

    def clock(self, column: str) -> float:
        """HH:MM:SS as seconds, HH may go beyond 24; -1 where it is empty."""
        text = (self._row.get(column) or "").strip()
        if not text:
            return -1.0
        parts = text.split(":")
        if len(parts) == 3 and all(part.isdigit() and len(part) <= 3 for part in parts):
            hours, minutes, seconds = map(int, parts)
            if minutes < 60 and seconds < 60:
                return hours * 3600.0 + minutes * 60.0 + seconds
        raise self.fault(f"{column} is {text[:40]!r}, no time")

    def day(self, column: str) -> date:
        text = self._row.get(column) or ""
        try:
            return datetime.strptime(text.strip(), "%Y%m%d").date()
        except ValueError:
            raise self.fault(f"{column} is {text[:40]!r}, no day (YYYYMMDD)") from None

    def fault(self, said: str) -> CityError:
        place = f"{self._path}: {self._table} line {self._line}"
        return CityError(said, place=place, remedy="correct the timetable, or have its maker validate it")

    def _open(self, table: str) -> IO[bytes] | None:
        if self._archive is None:
            file = self._path / table
            return file.open("rb") if file.is_file() else None
        try:
            entry = self._archive.getinfo(table)
        except KeyError:
            return None
        if entry.file_size > MAX_TABLE_BYTES:
            raise self.fault(f"it unpacks to {entry.file_size} bytes; at most {MAX_TABLE_BYTES} are read")
        return self._archive.open(entry)


@contextmanager
def _open_tables(path: Path) -> Iterator[_Tables]:
    if path.is_dir():
        yield _Tables(path, None)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield _Tables(path, archive)
    except (OSError, zipfile.BadZipFile) as error:
        raise CityError(
            f"this timetable cannot be opened: {error}", place=str(path),
            remedy="give a GTFS zip, or the folder of its tables",
        ) from error  # fmt: skip


def _zone(tables: _Tables) -> ZoneInfo:
    for row in tables.rows("agency.txt", "agency_timezone"):
        try:
            return ZoneInfo(row["agency_timezone"])
        except (ZoneInfoNotFoundError, ValueError):
            raise tables.fault(f"{row['agency_timezone'][:40]!r} is no time zone") from None
    raise tables.fault("there is no agency")


_Weeks = dict[str, tuple[frozenset[int], date, date]]


def _calendar(tables: _Tables) -> tuple[_Weeks, dict[tuple[str, date], bool]]:
    weeks: _Weeks = {}
    for row in tables.rows("calendar.txt", "service_id", *DAYS, "start_date", "end_date", optional=True):
        days = frozenset(number for number, name in enumerate(DAYS) if row[name].strip() == "1")
        weeks[row["service_id"]] = (days, tables.day("start_date"), tables.day("end_date"))
    exceptions = {}
    for row in tables.rows("calendar_dates.txt", "service_id", "date", "exception_type", optional=True):
        exceptions[row["service_id"], tables.day("date")] = row["exception_type"].strip() == "1"
    return weeks, exceptions
