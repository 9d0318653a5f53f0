"""Positions of buses: believed, refused with a reason, lost, ended."""

from __future__ import annotations

import math

import pytest
from sandbox_line import line_through

from civicbrain.city.store import Store
from civicbrain.city.transit.buses import BusDelay, BusPosition, BusTracks
from civicbrain.contracts.sandbox import sandbox_city

CITY = line_through(sandbox_city(), (100.0, 1000.0))


def at(time_s, x_m, y_m=0.0, speed_mps=10.0, trip="t1"):
    return BusPosition("avl", trip, "bus 1", time_s, x_m, y_m, speed_mps, 90.0)


@pytest.fixture
def tracks():
    found = BusTracks(CITY)
    found.take(at(100.0, 20.0), 101.0)
    return found


def test_a_position_is_believed(tracks):
    [track] = tracks.list_tracks(101.0)
    assert (track.trip, track.x_m, track.fix_s, track.lost) == ("t1", 20.0, 100.0, False)
    assert [event.what for event in tracks.drain()] == ["seen"]


@pytest.mark.parametrize(
    ("position", "now_s", "rule"),
    [
        (at(105.0, 900.0), 106.0, "jump"),
        (at(105.0, 40.0, 500.0), 106.0, "off-network"),
        (at(99.0, 40.0), 106.0, "out-of-order"),
        (at(105.0, 40.0), 140.0, "late"),
        (at(130.0, 40.0), 106.0, "future"),
        (at(105.0, math.nan), 106.0, "bad-value"),
        (at(105.0, 40.0, speed_mps=80.0), 106.0, "bad-value"),
        (at(105.0, 40.0, trip="t99"), 106.0, "unknown-trip"),
    ],
)
def test_a_position_is_refused_with_a_reason(tracks, position, now_s, rule):
    tracks.drain()
    tracks.take(position, now_s)
    [event] = tracks.drain()
    assert (event.what, event.rule) == ("position-refused", rule)
    tracks.take(position, now_s)
    assert tracks.drain() == []  # counted, not told again
    assert sum(count for (_, why), count in tracks.refused.items() if why == rule) == 2


def test_a_bus_that_freezes_while_it_says_that_it_drives_is_refused(tracks):
    for second in range(101, 130):
        tracks.take(at(float(second), 20.0), float(second))
    assert tracks.refused["t1", "frozen"] > 0


def test_without_a_speed_it_is_reckoned(tracks):
    tracks.take(at(105.0, 70.0, speed_mps=-1.0), 106.0)
    assert tracks.list_tracks(106.0)[0].speed_mps == pytest.approx(10.0)


def test_silence_loses_a_bus_and_ends_one_at_its_last_stop(tracks):
    tracks.take(at(105.0, 840.0, trip="t2"), 106.0)  # its last stop is at 850 m
    tracks.drain()
    [lost] = tracks.list_tracks(140.0)
    assert (lost.trip, lost.lost) == ("t1", True)
    assert {(event.trip, event.what) for event in tracks.drain()} == {("t1", "lost"), ("t2", "ended")}
    assert tracks.list_tracks(500.0) == ()


def test_the_operators_word_stands_beside_the_position(tracks):
    tracks.take(BusDelay("ops", "t1", 102.0, "stop-AB", 75.0), 103.0)
    tracks.take(BusDelay("ops", "t1", 101.0, "stop-AB", 10.0), 103.0)  # older
    tracks.take(BusDelay("ops", "t1", 102.0, "", math.inf), 103.0)
    tracks.take(at(105.0, 70.0), 106.0)
    assert tracks.list_tracks(106.0)[0].reported_delay_s == 75.0


def test_a_city_without_a_timetable_knows_no_bus():
    store = Store(sandbox_city())
    store.fold([at(100.0, 20.0)], 101.0)
    assert store.snapshot(101.0).buses == ()
    assert store.buses.refused["", "no-timetable"] == 1
