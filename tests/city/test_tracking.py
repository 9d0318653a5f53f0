"""Positions of mission vehicles: what is believed, what is refused and why, when a mission is lost."""

from __future__ import annotations

import math

import pytest

from civicbrain.city.missions import (
    Mission,
    MissionEnd,
    MissionKind,
    TrackState,
    Urgency,
    VehiclePosition,
)
from civicbrain.city.tracking import Tracks
from civicbrain.contracts.sandbox import sandbox_city

CITY = sandbox_city()
MISSION = Mission(
    "m1", "ambulance 7", MissionKind.AMBULANCE, Urgency.LIFE, "WA", "BE", 100.0, sources=("radio",)
)


@pytest.fixture
def tracks():
    made = Tracks(CITY.network)
    made.take(MISSION, 100.0)
    return made


def fix(time_s, x_m, y_m=0.0, speed_mps=14.0, source="radio", mission="m1"):
    return VehiclePosition(source, mission, time_s, x_m, y_m, speed_mps, 90.0)


def state(tracks, now_s):
    return tracks.list_tracks(now_s)[0]


def refusals(tracks):
    return {rule for _, rule in tracks.refused}


def test_a_vehicle_is_followed(tracks):
    assert state(tracks, 100.0).state is TrackState.EXPECTED
    tracks.take(fix(101.0, 20.0), 102.0)
    tracks.take(fix(102.0, 34.0), 103.0)
    track = state(tracks, 103.0)
    assert (track.state, track.x_m, track.fix_s) == (TrackState.TRACKED, 34.0, 102.0)
    assert [event.what for event in tracks.drain()] == ["ordered", "tracked"]
    assert not tracks.refused


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (fix(103.0, 700.0), "jump"),
        (fix(96.0, 34.0), "late"),
        (fix(101.0, 34.0), "out-of-order"),
        (fix(110.0, 34.0), "future"),
        (fix(103.0, 34.0, 150.0), "off-network"),
        (fix(103.0, 34.0, source="somebody"), "unauthorised"),
        (fix(103.0, 34.0, mission="m2"), "unknown-mission"),
        (fix(103.0, math.nan), "bad-value"),
        (fix(103.0, 34.0, speed_mps=400.0), "bad-value"),
    ],
)
def test_a_bad_position_is_refused_with_its_reason_and_changes_nothing(tracks, bad, rule):
    tracks.take(fix(101.0, 20.0), 102.0)
    before = state(tracks, 102.0)
    tracks.take(bad, 103.0)
    tracks.take(bad, 103.0)
    assert refusals(tracks) == {rule}
    assert state(tracks, 103.0) == before
    noted = [event for event in tracks.drain() if event.what == "position-refused"]
    assert [event.rule for event in noted] == [rule]  # once; further ones are counted
    assert sum(tracks.refused.values()) == 2


def test_a_position_that_freezes_is_refused_and_the_mission_is_lost(tracks):
    for second in range(30):
        tracks.take(fix(101.0 + second, 20.0), 101.0 + second)
        state(tracks, 101.0 + second)
    assert refusals(tracks) == {"frozen"}
    assert state(tracks, 131.0).state is TrackState.LOST


def test_a_vehicle_that_stands_in_a_queue_is_not_frozen(tracks):
    for second in range(60):
        tracks.take(fix(101.0 + second, 20.0, speed_mps=0.0), 101.0 + second)
    assert state(tracks, 161.0).state is TrackState.TRACKED
    assert not tracks.refused


def test_silence_loses_a_mission_and_a_position_finds_it_again(tracks):
    tracks.take(fix(101.0, 20.0), 101.0)
    assert state(tracks, 111.0).state is TrackState.TRACKED
    assert state(tracks, 112.0).state is TrackState.LOST
    tracks.take(fix(115.0, 150.0), 115.0)
    assert state(tracks, 115.0).state is TrackState.TRACKED
    assert [event.what for event in tracks.drain()] == ["ordered", "tracked", "lost", "tracked"]


def test_a_mission_that_is_never_heard_again_is_over(tracks):
    tracks.take(fix(101.0, 20.0), 101.0)
    state(tracks, 200.0)
    assert tracks.list_tracks(702.0) == ()
    assert tracks.drain()[-1].what == "ended"


def test_an_end_ends_it_and_later_positions_find_no_mission(tracks):
    tracks.take(MissionEnd("m1", 105.0, "cancelled"), 105.0)
    assert tracks.list_tracks(105.0) == ()
    tracks.take(fix(106.0, 20.0), 106.0)
    assert refusals(tracks) == {"unknown-mission"}
