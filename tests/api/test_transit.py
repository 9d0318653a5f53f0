"""Buses over HTTP: lines, lateness, requests with verdicts, GTFS and GTFS Realtime."""

from __future__ import annotations

import io
import time
import zipfile

import httpx
from bus_line import LATER, LEG_S, START_S, TRIP
from google.transit import gtfs_realtime_pb2


def _first_page(client: httpx.Client) -> dict[str, object]:
    end = time.monotonic() + 60.0
    while time.monotonic() < end:
        page = client.get("/v1/transit/buses").json()
        if page["count"]:
            return dict(page)
        time.sleep(0.1)
    raise AssertionError("no bus was seen")


def test_lines_say_how_their_buses_do(client: httpx.Client) -> None:
    _first_page(client)
    body = client.get("/v1/transit/lines").json()
    [line] = body["lines"]
    assert (line["id"], line["trips"], line["headway_s"], line["frequent"]) == ("1", 2, 900.0, False)
    assert line["buses"] == 1
    end = time.monotonic() + 60.0
    while line["mean_late_s"] <= 0.0 and time.monotonic() < end:  # it is due at START_S, and seen before
        time.sleep(0.1)
        [line] = client.get("/v1/transit/lines").json()["lines"]
    assert line["mean_late_s"] > 0.0


def test_a_bus_that_stands_is_later_each_second(client: httpx.Client) -> None:
    page = _first_page(client)
    [bus] = page["items"]
    assert bus["trip"] == TRIP
    assert bus["mode"] == "timetable"
    # it stands at its first stop, which it should have left at START_S
    assert abs(bus["late_s"] - (bus["time_s"] - START_S)) <= LEG_S / 2
    assert bus["behind_s"] == bus["late_s"]


def test_one_bus_is_found_by_its_trip(client: httpx.Client) -> None:
    _first_page(client)
    assert client.get("/v1/transit/buses/bus%201%2Fa").json()["vehicle"] == "bus 7"
    assert client.get(f"/v1/transit/buses/{LATER}").status_code == 404


def test_requests_come_with_their_verdicts_a_page_at_a_time(client: httpx.Client) -> None:
    page = client.get("/v1/transit/requests", params={"limit": 1}).json()
    assert page["count"] == 1
    assert page["items"][0]["kind"] == "extension"
    assert page["items"][0]["outcome"] == "accepted"
    assert client.get("/v1/transit/requests", params={"offset": 1}).json()["items"] == []
    assert client.get("/v1/transit/requests", params={"line": "2"}).json()["count"] == 0


def test_what_does_not_fit_is_refused(client: httpx.Client) -> None:
    assert client.get("/v1/transit/buses", params={"limit": 0}).status_code == 400
    assert client.get("/v1/transit/buses", params={"offset": -1}).status_code == 400
    assert client.get("/v1/transit/requests", params={"lines": "1"}).status_code == 400
    assert client.get("/v1/transit/buses/" + "x" * 300).status_code == 404


def test_the_timetable_is_published_as_gtfs(client: httpx.Client) -> None:
    answer = client.get("/v1/transit/gtfs.zip")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert TRIP in archive.read("trips.txt").decode()


def test_positions_are_published_as_gtfs_realtime(client: httpx.Client) -> None:
    _first_page(client)
    message = gtfs_realtime_pb2.FeedMessage()
    message.ParseFromString(client.get("/v1/transit/realtime.pb").content)
    [vehicle] = [entity.vehicle for entity in message.entity if entity.HasField("vehicle")]
    assert vehicle.trip.trip_id == TRIP
    assert vehicle.vehicle.id == "bus 7"
    delays = [entity.trip_update.delay for entity in message.entity if entity.HasField("trip_update")]
    assert len(delays) == 1
    assert delays[0] > 0
