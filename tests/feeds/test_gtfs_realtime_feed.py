"""GTFS Realtime over HTTP: read, bounded, malformed messages refused, a dead source told."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from google.transit import gtfs_realtime_pb2 as realtime
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "city" / "transit"))
from sandbox_line import line_through

from civicbrain.city.transit.buses import BusDelay, BusPosition
from civicbrain.city.transit.lonlat import LonLat
from civicbrain.contracts.brain import BrainContext
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import ConfigurationError, ServiceError
from civicbrain.feeds.gtfs_realtime import GtfsRealtimeFeed, create
from civicbrain.feeds.gtfs_realtime import feed as feed_module
from civicbrain.feeds.gtfs_realtime.messages import MAX_ENTITIES, MessageReader, encode_positions

CITY = line_through(sandbox_city(), (100.0, 1000.0))
TIMETABLE = CITY.timetable
LONLAT = LonLat(CITY.network.projection)
NOW_S, RECEIVED = 150.0, 1_800_000_000.0


@pytest.fixture
def reader():
    return MessageReader(TIMETABLE, LONLAT, "ops")


def message(age_s=2.0, **changes):
    found = realtime.FeedMessage()
    found.header.gtfs_realtime_version = "2.0"
    found.header.timestamp = int(RECEIVED - age_s)
    entity = found.entity.add(id="1")
    entity.vehicle.trip.trip_id = changes.get("trip", "t1")
    entity.vehicle.vehicle.id = "bus 1"
    lon, lat = LONLAT.to_lonlat(120.0, 0.0)
    entity.vehicle.position.latitude = changes.get("lat", lat)
    entity.vehicle.position.longitude = lon
    entity.vehicle.position.speed = 9.0
    return found


def test_a_position_is_as_old_as_its_timestamp_says(reader):
    [position] = reader.read(message(age_s=4.0).SerializeToString(), NOW_S, RECEIVED)
    assert isinstance(position, BusPosition)
    assert (position.trip, position.vehicle, position.source) == ("t1", "bus 1", "ops")
    assert position.time_s == pytest.approx(NOW_S - 4.0)
    assert (position.x_m, position.y_m) == (pytest.approx(120.0, abs=0.5), pytest.approx(0.0, abs=0.5))
    assert (position.speed_mps, position.heading_deg) == (9.0, -1.0)


def test_a_delay_is_the_operators_first_word(reader):
    found = message()
    update = found.entity.add(id="2").trip_update
    update.trip.trip_id = "t2"
    update.trip.start_date = "20260105"
    update.stop_time_update.add(stop_id="stop-AB").arrival.delay = 95
    update.stop_time_update.add(stop_id="stop-BE").arrival.delay = 60
    delay = reader.read(found.SerializeToString(), NOW_S, RECEIVED)[1]
    assert isinstance(delay, BusDelay)
    assert (delay.trip, delay.stop, delay.delay_s) == ("t2", "stop-AB", 95.0)


@pytest.mark.parametrize(
    ("changes", "reason"), [({"trip": "t99"}, "unknown-trip"), ({"lat": 95.0}, "bad-value")]
)
def test_what_cannot_be_used_is_counted(reader, changes, reason):
    assert reader.read(message(**changes).SerializeToString(), NOW_S, RECEIVED) == []
    assert reader.rejected == {reason: 1}


def test_messages_that_are_none_are_refused(reader):
    whole = message().SerializeToString()
    assert reader.read(b"<html>not found</html>", NOW_S, RECEIVED) == []
    assert reader.read(whole[:-7], NOW_S, RECEIVED) == []
    assert reader.read(b"", NOW_S, RECEIVED) == []
    assert reader.rejected["malformed"] == 3
    other = message()
    other.header.gtfs_realtime_version = "9"
    assert reader.read(other.SerializeToString(), NOW_S, RECEIVED) == []
    partial = message()
    partial.header.incrementality = realtime.FeedHeader.DIFFERENTIAL
    assert reader.read(partial.SerializeToString(), NOW_S, RECEIVED) == []
    assert (reader.rejected["unknown-version"], reader.rejected["differential"]) == (1, 1)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_bytes_make_it_raise_or_invent_a_trip(data):
    reader = MessageReader(TIMETABLE, LONLAT, "ops")
    whole = bytearray(message().SerializeToString())
    for _ in range(data.draw(st.integers(0, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    for found in reader.read(bytes(whole[:cut]), NOW_S, RECEIVED):
        assert found.trip in TIMETABLE.trips


def test_entities_beyond_the_bound_are_dropped(reader):
    found = message()
    for number in range(MAX_ENTITIES + 5):
        found.entity.add(id=f"x{number}", is_deleted=True)
    assert len(reader.read(found.SerializeToString(), NOW_S, RECEIVED)) == 1
    assert reader.rejected["too-many-entities"] == 6


def test_what_is_encoded_is_read_again():
    position = BusPosition("twin", "t1", "bus 1", 148.0, 120.0, 3.0, 8.0, 90.0)
    body = encode_positions([position], TIMETABLE, LONLAT, CITY.epoch, 150.0, {"t1": 33.0})
    sent = CITY.epoch.timestamp() + 150.0
    again, delay = MessageReader(TIMETABLE, LONLAT, "twin").read(body, 150.0, sent)
    assert (again.trip, again.time_s, again.heading_deg) == ("t1", 148.0, 90.0)
    assert (again.x_m, again.y_m) == (pytest.approx(120.0, abs=1.0), pytest.approx(3.0, abs=1.0))
    assert delay.delay_s == 33.0


@dataclass
class Server:
    """Answers every GET with what `body` is; status 302 sends elsewhere."""

    body: bytes = b""
    status: int = 200
    asked: int = 0

    def __post_init__(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked += 1
                self.send_response(server.status)
                if server.status == 302:
                    self.send_header("Location", "http://192.0.2.1/")
                self.end_headers()
                self.wfile.write(server.body)

            def log_message(self, *args):
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http.server_port}/positions"


@pytest.fixture
def server():
    found = Server()
    yield found
    found.http.shutdown()
    found.http.server_close()


def wait_for(holds, seconds=10.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def test_it_fetches_in_its_own_thread(server):
    now = realtime.FeedMessage.FromString(message().SerializeToString())
    now.header.timestamp = int(time.time()) - 1
    server.body = now.SerializeToString()
    feed = GtfsRealtimeFeed(CITY, [server.url], period_s=1.0)
    try:
        wait_for(lambda: feed.fetched)
        [position] = feed.poll(150.0)
        assert position.trip == "t1"
        assert 140.0 < position.time_s <= 150.0
    finally:
        feed.close()


@pytest.mark.parametrize(("status", "size"), [(500, 10), (302, 10), (200, 9 * 1024 * 1024)])
def test_what_is_too_large_or_no_answer_is_counted_and_nothing_taken(server, status, size):
    server.status, server.body = status, b"\0" * size
    feed = GtfsRealtimeFeed(CITY, [server.url], period_s=1.0)
    try:
        wait_for(lambda: feed.rejected["fetch-failed"])
        assert feed.poll(150.0) == []
    finally:
        feed.close()


def test_a_dead_source_is_told_after_a_while_and_recovers(server):
    server.status = 500
    clock = [0.0]
    feed = GtfsRealtimeFeed(CITY, [server.url], period_s=1.0, clock=lambda: clock[0])
    try:
        assert feed.poll(150.0) == []
        clock[0] = 31.0
        with pytest.raises(ServiceError, match="no answer for 31 s"):
            feed.poll(181.0)
        server.status, server.body = 200, message().SerializeToString()
        wait_for(lambda: feed.fetched)
        feed.poll(182.0)
    finally:
        feed.close()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"urls": ["http://example.org/feed"]},
        {"urls": ["file:///etc/passwd"]},
        {"urls": ["http://user@127.0.0.1/"]},
        {"urls": ["http://127.0.0.1/"], "period": 3},
        {"urls": "http://127.0.0.1/"},
    ],
)
def test_addresses_and_options_that_do_not_fit_are_named(options):
    with pytest.raises(ConfigurationError) as caught:
        create(BrainContext(CITY, options=options))
    assert caught.value.remedy


def test_other_hosts_are_asked_only_where_they_are_named():
    feed_module.require_allowed("https://example.org/feed", ["example.org"])
    feed_module.require_allowed("http://[::1]:80/feed", [])
    with pytest.raises(ConfigurationError):
        feed_module.require_allowed("https://example.org.evil.net/feed", ["example.org"])


def test_a_city_without_a_timetable_is_told_so():
    with pytest.raises(ConfigurationError, match="no timetable"):
        GtfsRealtimeFeed(sandbox_city(), ["http://127.0.0.1/"])
