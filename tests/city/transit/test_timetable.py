"""Timetables: lateness by hand, GTFS read and written, placed on the network."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sandbox_line import EDGES, line_through

from civicbrain.city.transit.assembly import assemble, encode_gtfs, layout_of, match_feed
from civicbrain.city.transit.gtfs import DAYS, read_gtfs
from civicbrain.city.transit.lonlat import LonLat
from civicbrain.city.transit.timetable import scheduled_s
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import CityError

CITY = line_through(sandbox_city(), (100.0, 1000.0))
TIMETABLE = CITY.timetable
EPOCH = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday, midnight


@pytest.mark.parametrize(
    ("at_m", "due_s"),
    [
        (0.0, 100.0),  # 100 m before the first stop, at the first section's 50 s / 500 m
        (100.0, 110.0),  # at the first stop: its departure
        (350.0, 135.0),  # half way of 500 m scheduled in 50 s
        (600.0, 180.0),  # at the second stop, where it waits for 20 s
        (800.0, 220.0),  # half way of 400 m scheduled in 80 s
        (1000.0, 260.0),  # at the last stop
        (1100.0, 280.0),  # behind it at the last section's 0.2 s/m
    ],
)
def test_where_the_timetable_has_the_bus(at_m, due_s):
    stop_m = np.array([100.0, 600.0, 1000.0])
    arrival_s, departure_s = np.array([100.0, 160.0, 260.0]), np.array([110.0, 180.0, 270.0])
    assert scheduled_s(stop_m, arrival_s, departure_s, at_m) == pytest.approx(due_s)


def write(folder, **tables):
    base = {
        "agency": "agency_id,agency_name,agency_url,agency_timezone\na,A,https://example.org,Europe/Berlin",
        "routes": "route_id,route_short_name,route_type\n7,Seven,3\ntram,T,0",
        "trips": "route_id,service_id,trip_id,direction_id\n7,week,x,1\ntram,week,y,0",
        "calendar": f"service_id,{','.join(DAYS)},start_date,end_date\nweek,1,1,1,1,1,0,0,20260101,20261231",
        "stops": stops_table(),
        "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "x,08:00:00,08:00:00,stop-WA,1\nx,,,stop-AB,2\nx,08:02:00,08:02:30,stop-BE,5\n"
        "y,08:00:00,08:00:00,stop-WA,1",
    }
    for name, text in {**base, **tables}.items():
        if text is not None:
            (folder / f"{name}.txt").write_text(text + "\n", encoding="utf-8-sig")
    return folder


def stops_table():
    rows = ["stop_id,stop_name,stop_lat,stop_lon"]
    lonlat = LonLat(CITY.network.projection)
    for stop in TIMETABLE.stops.values():
        lon, lat = lonlat.to_lonlat(stop.x_m, stop.y_m + 6.0)  # the pole stands beside the road
        rows.append(f"{stop.id},{stop.name},{lat:.7f},{lon:.7f}")
    return "\n".join(rows)


def placed(folder, begin_s=0.0, end_s=86_400.0):
    feed = read_gtfs(folder)
    layout = match_feed(feed, CITY.network)
    return assemble(feed, layout, CITY.network, EPOCH, begin_s, end_s)


def test_a_foreign_timetable_is_placed_on_the_streets(tmp_path):
    timetable = placed(write(tmp_path))
    [pattern] = timetable.patterns.values()
    assert pattern.edges == EDGES
    assert pattern.direction == 1
    assert timetable.lines == {"7": "Seven"}  # the tram is none of ours
    stop = timetable.stops["stop-AB"]
    assert (stop.edge, stop.position_m) == ("AB", pytest.approx(50.0, abs=6.0))


def test_times_are_of_the_agencys_zone_and_untimed_stops_lie_between(tmp_path):
    trip = placed(write(tmp_path)).trips["x"]
    # 08:00 in Berlin in winter is 07:00 UTC
    assert trip.arrival_s.tolist() == [25_200.0, 25_260.0, 25_320.0]
    assert trip.departure_s[-1] == 25_350.0


def test_services_run_on_their_days(tmp_path):
    sunday = datetime(2026, 1, 4, tzinfo=UTC)
    folder = write(tmp_path)
    feed = read_gtfs(folder)
    layout = match_feed(feed, CITY.network)
    assert not assemble(feed, layout, CITY.network, sunday, 0.0, 80_000.0).trips
    write(tmp_path, calendar_dates="service_id,date,exception_type\nweek,20260104,1")
    assert len(assemble(read_gtfs(folder), layout, CITY.network, sunday, 0.0, 80_000.0).trips) == 1


def test_a_line_by_frequency_is_frequent_and_has_a_trip_a_start(tmp_path):
    frequencies = "trip_id,start_time,end_time,headway_secs\nx,08:00:00,09:00:00,600"
    timetable = placed(write(tmp_path, frequencies=frequencies))
    assert len(timetable.trips) == 6
    assert all(timetable.frequent.values())
    assert timetable.headway_s["x@08:10:00"] == 600.0
    found = timetable.find_trip("x", "20260105", "08:20:00")
    assert found is not None
    assert found.start_s == 25_200.0 + 1200.0
    assert timetable.find_trip("x") is None  # which of the six?


def test_what_is_written_is_read_again(tmp_path):
    file = tmp_path / "gtfs.zip"
    file.write_bytes(encode_gtfs(TIMETABLE, CITY.network))
    assert file.read_bytes() == encode_gtfs(TIMETABLE, CITY.network)
    again = assemble(read_gtfs(file), layout_of(TIMETABLE), CITY.network, EPOCH, 0.0, 3600.0)
    assert again.trips.keys() == TIMETABLE.trips.keys()
    for name, trip in again.trips.items():
        assert trip.arrival_s.tolist() == TIMETABLE.trips[name].arrival_s.tolist()
    assert next(iter(again.patterns.values())).edges == EDGES
    file.write_bytes(encode_gtfs(TIMETABLE, CITY.network, zone="Asia/Seoul"))
    midnight = EPOCH.replace(tzinfo=ZoneInfo("Asia/Seoul"))
    there = assemble(read_gtfs(file), layout_of(TIMETABLE), CITY.network, midnight, 0.0, 3600.0)
    assert [t.start_s for t in there.trips.values()] == [t.start_s for t in again.trips.values()]


@pytest.mark.parametrize(
    ("table", "text", "said"),
    [
        ("stop_times", None, "stop_times.txt"),
        ("stop_times", "trip_id,stop_id\nx,stop-WA", "stop_sequence is missing"),
        ("stop_times", "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nx,8h,8h,stop-WA,1",
         "no time"),
        ("stops", "stop_id,stop_name,stop_lat,stop_lon\nstop-WA,a,nan,0", "no number"),
        ("calendar", f"service_id,{','.join(DAYS)},start_date,end_date\nw,1,1,1,1,1,0,0,May,2027", "no day"),
        ("agency", "agency_id,agency_name,agency_url,agency_timezone\na,A,u,Mars/Olympus", "time zone"),
        ("frequencies", "trip_id,start_time,end_time,headway_secs\nx,08:00:00,09:00:00,0", "headway"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_table(tmp_path, table, text, said):
    folder = write(tmp_path, **{table: text})
    with pytest.raises(CityError, match=said) as caught:
        read_gtfs(folder)
    assert f"{table}.txt line" in str(caught.value)
    assert caught.value.remedy


def test_what_is_no_archive_or_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK not a zip")
    with pytest.raises(CityError, match="cannot be opened"):
        read_gtfs(broken)
    bomb = tmp_path / "bomb.zip"
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("agency.txt", "x" * 100_000)
    bomb.write_bytes(memory.getvalue())
    monkeypatch.setattr("civicbrain.city.transit.gtfs.MAX_TABLE_BYTES", 10_000)
    with pytest.raises(CityError, match="unpacks to"):
        read_gtfs(bomb)


def test_longitude_and_latitude_go_both_ways():
    lonlat = LonLat(CITY.network.projection)
    lon, lat = lonlat.to_lonlat(345.6, -78.9)
    assert lonlat.to_xy(lon, lat) == pytest.approx((345.6, -78.9), abs=1e-3)
    assert not np.isfinite(lonlat.to_xy(float("nan"), 0.0)).any()
