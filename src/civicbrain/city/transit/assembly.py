"""A `Timetable` from a GTFS feed and its layout on the network; and back, as a GTFS archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from civicbrain.city.network import Network
from civicbrain.city.transit.gtfs import DAYS, MAX_STARTS, Gtfs, Service, read_gtfs
from civicbrain.city.transit.layout import GTFS, Layout, PatternPlace, StopPlace, read_layout
from civicbrain.city.transit.lonlat import LonLat
from civicbrain.city.transit.matching import Matcher
from civicbrain.city.transit.timetable import BusStop, Pattern, Timetable, Trip, make_trip
from civicbrain.core.errors import CityError
from civicbrain.core.time import to_datetime, to_seconds

if TYPE_CHECKING:
    from civicbrain.city.model import City

EARLIER_S = 7200.0
"""Trips that began so long before the window may still be under way in it."""

Calls = list[tuple[float, float]]


def read_timetable(city: City) -> Timetable | None:
    """The timetable of a city folder, None where it has none. Raises CityError."""
    file = city.folder / GTFS
    if not file.is_file():
        return None
    feed = read_gtfs(file)
    layout = read_layout(city.folder) or match_feed(feed, city.network, _known_places(city))
    demand = city.demand
    return assemble(feed, layout, city.network, city.epoch, demand.begin_s, demand.end_s)


def match_feed(feed: Gtfs, network: Network, known: Iterable[StopPlace] = ()) -> Layout:
    """Find the place of every stop, and the way of every sequence of stops. known: places that are given.
    What cannot be matched is left out."""
    matcher, lonlat = Matcher(network), LonLat(network.projection)
    xy = {name: lonlat.to_xy(lon, lat) for name, (_, lon, lat) in feed.stops.items()}
    for given in known:
        if given.edge in network.edges.row:
            matcher.fix(given.id, network.edges.row[given.edge], given.position_m)
    sequences = dict.fromkeys(
        (service.route, tuple(call.stop for call in service.calls)) for service in feed.services.values()
    )
    patterns, places = [], {}
    for route, stops in sequences:
        found = matcher.match(route, [(stop, *xy[stop]) for stop in stops if stop in xy])
        if found is None or found in patterns:
            continue
        patterns.append(found)
        for stop, place in zip(found.stops, found.places, strict=True):
            row = network.edges.row[found.edges[place]]
            places[stop] = matcher.place_of(stop, row)
    return Layout(stops=tuple(places.values()), patterns=tuple(patterns))


def assemble(
    feed: Gtfs, layout: Layout, network: Network, epoch: datetime, begin_s: float, end_s: float
) -> Timetable:
    """The trips of a window, in platform seconds. Raises CityError where the layout is of another network."""
    stops, patterns = _laid_out(feed, layout, network)
    by_stops: dict[tuple[str, tuple[str, ...]], Pattern] = {(p.line, p.stops): p for p in patterns.values()}
    trips: dict[str, Trip] = {}
    left_out = 0
    for service in feed.services.values():
        found = _pattern_of(service, by_stops)
        if found is None:
            left_out += 1
            continue
        pattern, first = found
        calls = _filled(service, first, len(pattern.stops))
        if calls is None:
            left_out += 1
            continue
        for day in _days(epoch, begin_s, end_s):
            if feed.runs_on(service.service, day):
                base_s = to_seconds(epoch, feed.day_start(day))
                for trip in _trips(service, pattern, calls, base_s, day):
                    if trip.arrival_s[-1] >= begin_s - 600.0 and trip.start_s <= end_s:
                        trips[_free(trip.id, trips)] = trip
    notes = (f"{left_out} trips of the timetable do not lie on this network",) if left_out else ()
    used = {trip.pattern for trip in trips.values()}
    kept = {name: pattern for name, pattern in patterns.items() if name in used}
    lines = {pattern.line: feed.routes.get(pattern.line, pattern.line) for pattern in kept.values()}
    return Timetable(lines, stops, kept, {name: _named(trip, name) for name, trip in trips.items()}, notes)


def encode_gtfs(
    timetable: Timetable, network: Network, day: date = date(2026, 1, 5), zone: str = "UTC"
) -> bytes:
    """The timetable as a GTFS archive, times from midnight of `day` in `zone`, every day; the same bytes each
    time."""
    lonlat = LonLat(network.projection)
    tables = {
        "agency.txt": ["agency_id,agency_name,agency_url,agency_timezone",
                       f"city,City Buses,https://example.org,{zone}"],
        "calendar.txt": [f"service_id,{','.join(DAYS)},start_date,end_date",
                         f"daily,1,1,1,1,1,1,1,{day:%Y%m%d},{day.year + 4}1231"],
        "stops.txt": ["stop_id,stop_name,stop_lat,stop_lon"],
        "routes.txt": ["route_id,agency_id,route_short_name,route_type"],
        "trips.txt": ["route_id,service_id,trip_id,direction_id"],
        "stop_times.txt": ["trip_id,arrival_time,departure_time,stop_id,stop_sequence,timepoint"],
    }  # fmt: skip
    for place in timetable.stops.values():
        lon, lat = lonlat.to_lonlat(place.x_m, place.y_m)
        tables["stops.txt"].append(f"{_cell(place.id)},{_cell(place.name)},{lat:.7f},{lon:.7f}")
    for line, name in timetable.lines.items():
        tables["routes.txt"].append(f"{_cell(line)},city,{_cell(name)},3")
    for trip in sorted(timetable.trips.values(), key=lambda t: (t.start_s, t.id)):
        pattern = timetable.patterns[trip.pattern]
        tables["trips.txt"].append(f"{_cell(pattern.line)},daily,{_cell(trip.id)},{pattern.direction}")
        calls = zip(pattern.stops, trip.arrival_s.tolist(), trip.departure_s.tolist(), strict=True)
        for number, (stop, arrival_s, departure_s) in enumerate(calls, start=1):
            times = f"{_clock(arrival_s)},{_clock(departure_s)}"
            tables["stop_times.txt"].append(f"{_cell(trip.id)},{times},{_cell(stop)},{number},1")
    return pack_tables(tables)


def layout_of(timetable: Timetable) -> Layout:
    """How a timetable lies on its network."""
    stops = tuple(StopPlace(s.id, s.edge, round(s.position_m, 1)) for s in timetable.stops.values())
    patterns = timetable.patterns.values()
    return Layout(
        stops=stops, patterns=tuple(PatternPlace(p.line, p.stops, p.edges, p.places) for p in patterns)
    )


def pack_tables(tables: dict[str, list[str]]) -> bytes:
    """A zip of text tables without a clock in it."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for file, rows in tables.items():
            entry = zipfile.ZipInfo(file, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            archive.writestr(entry, "\n".join(rows) + "\n")
    return memory.getvalue()


def pack_feed(path: Path) -> Path | bytes:
    """A feed as one file: the zip as it is, a folder packed. Raises CityError."""
    if path.is_file():
        return path
    try:
        tables = {file.name: file.read_text("utf-8-sig").splitlines() for file in sorted(path.glob("*.txt"))}
    except (OSError, UnicodeDecodeError) as error:
        raise CityError(
            f"it cannot be read: {error}", place=str(path), remedy="save its tables as UTF-8"
        ) from error
    return pack_tables(tables)


def _known_places(city: City) -> Iterator[StopPlace]:
    from civicbrain.city.places import PlaceKind

    for place in city.list_places(PlaceKind.BUS_STOP):
        yield StopPlace(place.id, place.edge, place.position_m)


def _laid_out(feed: Gtfs, layout: Layout, network: Network) -> tuple[dict[str, BusStop], dict[str, Pattern]]:
    rows = network.edges.row
    for edge in [*(s.edge for s in layout.stops), *(e for p in layout.patterns for e in p.edges)]:
        if edge not in rows:
            raise CityError(
                f"the timetable lies on a street section {edge[:80]!r} that the city does not have",
                place=feed.place, remedy="import the timetable again",
            )  # fmt: skip
    stops = {}
    for place in layout.stops:
        x_m, y_m = place_xy(network, place.edge, place.position_m)
        name = feed.stops.get(place.id, (place.id,))[0]
        stops[place.id] = BusStop(place.id, name, place.edge, place.position_m, x_m, y_m)
    direction = {(s.route, tuple(call.stop for call in s.calls)): s.direction for s in feed.services.values()}
    patterns = {}
    for number, one in enumerate(layout.patterns, start=1):
        name = f"{one.line}/{number}"
        side = direction.get((one.line, one.stops), 0)
        patterns[name] = Pattern(name, one.line, one.edges, one.stops, one.places, side)
    return stops, patterns


def place_xy(network: Network, edge: str, position_m: float) -> tuple[float, float]:
    """The place on the first lane of an edge, metres along it."""
    import numpy as np

    lane = int(network.edges.lane_start[network.edges.row[edge]])
    shape = network.lanes.shape(lane).astype(np.float64)
    along_m = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(shape, axis=0).T))))
    x_m, y_m = (float(np.interp(position_m, along_m, shape[:, axis])) for axis in (0, 1))
    return x_m, y_m


def _pattern_of(
    service: Service, by_stops: dict[tuple[str, tuple[str, ...]], Pattern]
) -> tuple[Pattern, int] | None:
    """The pattern of a trip, and its first call on it (a trip may be cut at the city's edge)."""
    stops = tuple(call.stop for call in service.calls)
    whole = by_stops.get((service.route, stops))
    if whole is not None:
        return whole, 0
    best: tuple[Pattern, int] | None = None
    for (line, part), pattern in by_stops.items():
        if (
            line == service.route
            and len(part) < len(stops)
            and (best is None or len(part) > len(best[0].stops))
        ):
            for first in range(len(stops) - len(part) + 1):
                if stops[first : first + len(part)] == part:
                    best = (pattern, first)
                    break
    return best


def _filled(service: Service, first: int, count: int) -> Calls | None:
    """(arrival, departure) of the calls; untimed ones evenly between the timed. None without times at the
    ends, or where time runs back."""
    calls = service.calls[first : first + count]
    times = [(call.arrival_s, call.departure_s) for call in calls]
    if times[0][1] < 0.0 or times[-1][0] < 0.0:
        return None
    known = [row for row, (arrival_s, _) in enumerate(times) if arrival_s >= 0.0]
    for a, b in pairwise(known):
        for row in range(a + 1, b):
            at_s = times[a][1] + (times[b][0] - times[a][1]) * (row - a) / (b - a)
            times[row] = (at_s, at_s)
    flat = [second for pair in times for second in pair]
    return times if all(x <= y for x, y in pairwise(flat)) else None


def _trips(service: Service, pattern: Pattern, calls: Calls, base_s: float, day: date) -> Iterator[Trip]:
    stamp = f"{day:%Y%m%d}"
    if not service.starts:
        times = [(base_s + a, base_s + d) for a, d in calls]
        yield make_trip(service.id, pattern, times, (service.id, stamp, ""))
        return
    for begin_s, end_s, headway_s, exact in service.starts:
        for number in range(min(MAX_STARTS, int(max(0.0, end_s - begin_s - 1e-6) // headway_s) + 1)):
            start_s = begin_s + number * headway_s
            shift_s = base_s + start_s - calls[0][1]
            times = [(shift_s + a, shift_s + d) for a, d in calls]
            clock = _clock(start_s)
            yield make_trip(f"{service.id}@{clock}", pattern, times, (service.id, stamp, clock), timed=exact)


def _days(epoch: datetime, begin_s: float, end_s: float) -> Iterator[date]:
    day = to_datetime(epoch, begin_s - EARLIER_S).date() - timedelta(days=1)
    last = to_datetime(epoch, end_s).date() + timedelta(days=1)
    while day <= last:
        yield day
        day += timedelta(days=1)


def _free(name: str, taken: dict[str, Trip]) -> str:
    """A name that no other day's trip has."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}+{number - 1}d"
    return free


def _named(trip: Trip, name: str) -> Trip:
    if trip.id == name:
        return trip
    return Trip(name, trip.pattern, trip.arrival_s, trip.departure_s, trip.service, trip.timed)


def _clock(seconds: float) -> str:
    whole = int(seconds + 0.5)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text
