"""The door of the intake: what is let in, what is not, and that each reason is counted and logged once."""

from __future__ import annotations

import dataclasses
import logging
import math
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from intake_world import KEY, NOW_S, TOKEN, Clock, camera_city, frame, json_frame, unix, world

from civicbrain.city.intake import Intake, Keys, Limits, Reason, Sources, encode_frames
from civicbrain.city.store import Store
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import CityError, ConfigurationError, NotFoundError


def snapshot_of(intake: Intake, now_s: float = NOW_S):
    store = Store(intake.sources.city)
    store.fold(intake.take(now_s), now_s)
    return store.snapshot(now_s)


def test_a_frame_comes_into_the_snapshot():
    intake, seen = world()
    body = frame(intake, "camera-1", vehicles=3, speed_mps=[0.0, 0.5, 9.0])
    receipt = intake.offer(body, NOW_S)
    assert (receipt.frames, receipt.rows, receipt.error) == (1, 3, "")
    lane = int(intake.sources.lanes_of(0)[0])
    lanes = snapshot_of(intake).lanes
    assert lanes.vehicles[lane] == 3
    assert lanes.queued[lane] == 2
    assert lanes.observed[lane]
    assert seen[0].lane.tolist() == [lane] * 3
    assert seen[0].frame.tolist() == [0, 0, 0]
    assert seen[0].distance_m.tolist() == [10, 20, 30]


def test_a_json_object_says_the_same_with_ids_and_units():
    intake, seen = world()
    lane = intake.sources.lane_ids(0)[0]
    receipt = intake.offer(json_frame("camera-1", lane, time="2026-01-05T01:16:40+01:00"), NOW_S)
    assert receipt.error == ""
    intake.take(NOW_S)
    assert seen[0].speed_mps.tolist() == pytest.approx([10.0])  # 36 km/h
    assert seen[0].distance_m.tolist() == [12.5]
    assert seen[0].vehicle_class.tolist() == [2]
    assert seen[0].time_s.tolist() == [NOW_S]  # 00:16:40 UTC of a city whose second 0 is midnight UTC


def test_a_list_of_json_frames_and_units_of_a_bulk_message():
    intake, seen = world()
    one = json_frame("camera-1", intake.sources.lane_ids(0)[0])
    assert intake.offer(b"[" + one + b"]", NOW_S).rows == 1
    batch = msgspec.msgpack.decode(frame(intake, "camera-2", speed_mps=[10.0])) | {"speed_unit": "mph"}
    intake.offer(msgspec.msgpack.encode(batch), NOW_S)
    intake.take(NOW_S)
    assert seen[0].speed_mps.tolist() == pytest.approx([10.0, 4.4704])


def test_many_sources_in_one_message_and_an_empty_street():
    intake, seen = world()
    body = encode_frames(
        ["camera-1", "camera-2", "camera-6"], lane=[0, 0], distance_m=[5, 6], speed_mps=[0, 0],
        rows=[1, 0, 1], time_s=np.full(3, unix(intake, NOW_S)), key=TOKEN,
    )  # fmt: skip
    intake.offer(body, NOW_S)
    snapshot = snapshot_of(intake)
    empty = int(intake.sources.lanes_of(1)[0])
    assert snapshot.lanes.observed[empty]
    assert snapshot.lanes.vehicles[empty] == 0
    assert snapshot.detections.camera.tolist() == [0, 1]
    assert seen[0].rows.tolist() == [1, 0, 1]


def changed(**fields: object):
    def body(intake: Intake) -> bytes:
        batch = msgspec.msgpack.decode(frame(intake, "camera-1", vehicles=2))
        return msgspec.msgpack.encode(batch | fields)

    return body


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (lambda _: b"\xc1 what", "malformed"),
        (lambda _: b"{", "malformed"),
        (lambda _: b"[]", "malformed"),
        (lambda _: b"[" * 100_000, "malformed"),
        (lambda _: json_frame("camera-1", "x", time="2026-01-05T00:16:40"), "malformed"),  # no zone
        (lambda _: json_frame("camera-1", "x", speed_unit="knots"), "bad-unit"),
        (lambda _: json_frame("camera-1", "x", colour="red"), "malformed"),
        (changed(speed_unit="furlong"), "bad-unit"),
        (changed(distance_unit=""), "bad-unit"),
        (changed(lane=b"\0"), "malformed"),
        (changed(rows=b"\x09\x00"), "malformed"),
        (changed(time_s=b"123"), "malformed"),
        (changed(sources=[]), "too-large"),
        (changed(key=""), "unauthenticated"),
        (changed(key="wrong"), "unauthenticated"),
        (lambda _: b"\0" * 2_000_000, "too-large"),
        (lambda i: frame(i, "camera-1", vehicles=300), "too-large"),
    ],
)
def test_a_message_that_cannot_be_taken_is_refused_with_its_reason(body, reason):
    intake, seen = world()
    receipt = intake.offer(body(intake), NOW_S)
    assert receipt.reason == reason
    assert receipt.error
    assert intake.summary(NOW_S).dropped == {reason: 1}
    assert intake.take(NOW_S) == []
    assert not seen


@pytest.mark.parametrize(
    ("time_s", "reason"),
    [
        (NOW_S + 60, Reason.FUTURE),
        (math.nan, Reason.FUTURE),
        (math.inf, Reason.FUTURE),
        (NOW_S - 60, Reason.TOO_OLD),
        (-math.inf, Reason.TOO_OLD),
    ],
)
def test_a_frame_of_another_time_is_dropped(time_s, reason):
    intake, _ = world()
    intake.offer(frame(intake, "camera-1", time_s), NOW_S)
    intake.offer(frame(intake, "camera-2"), NOW_S)
    assert snapshot_of(intake).detections.camera.tolist() == [0]
    assert intake.counts.of_source(0) == {str(reason): 1}


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("speed_mps", math.nan, Reason.BAD_ROW),
        ("speed_mps", -1.0, Reason.BAD_ROW),
        ("speed_mps", 400.0, Reason.BAD_ROW),
        ("distance_m", math.inf, Reason.BAD_ROW),
        ("distance_m", 1e9, Reason.BAD_ROW),
        ("vehicle_class", 77, Reason.BAD_ROW),
        ("lane", 200, Reason.UNKNOWN_LANE),
    ],
)
def test_a_bad_row_is_dropped_and_the_others_stay(column, value, reason, caplog):
    intake, seen = world()
    kind = np.uint8 if column in ("vehicle_class", "lane") else np.float32
    values = np.array([0, value, 0], kind)
    with caplog.at_level(logging.WARNING):
        for second in range(3):
            time_s = NOW_S + second
            intake.offer(frame(intake, "camera-1", time_s, 3, **{column: values}), time_s)
            intake.take(time_s)
    assert [len(rows.lane) for rows in seen] == [2, 2, 2]
    assert seen[0].rows.tolist() == [2]
    assert intake.counts.of_source(0) == {str(reason): 3}
    assert len([r for r in caplog.records if "camera-1" in r.message]) == 1


def test_unknown_sources_are_counted_but_their_names_do_not_fill_the_log(caplog):
    intake, _ = world()
    with caplog.at_level(logging.WARNING):
        for number in range(100):
            receipt = intake.offer(frame(intake, f"stranger-{number}" + "x" * 1000), NOW_S)
            assert receipt.unknown == 1
    assert intake.summary(NOW_S).dropped == {"unknown-source": 100}
    assert len(caplog.records) == 20
    assert max(len(r.message) for r in caplog.records) < 250
    assert intake.take(NOW_S) == []


def test_keys():
    intake, _ = world()
    assert intake.offer(frame(intake, "camera-1", key=KEY), NOW_S).error == ""
    assert "does not fit" in intake.offer(frame(intake, "camera-2", key=KEY), NOW_S).error
    assert intake.offer(frame(intake, "camera-2", key=""), NOW_S, key=TOKEN).error == ""  # in the header
    assert intake.offer(frame(intake, "camera-2", key=TOKEN), NOW_S, key="").error  # the header counts
    assert intake.offer(frame(intake, "camera-2", key=""), NOW_S, speaks_for="camera-2").error == ""
    assert intake.offer(frame(intake, "camera-2", key=""), NOW_S, speaks_for="camera-3").error
    open_to_none = Keys()
    assert not open_to_none.allow("", ["camera-1"])
    assert not open_to_none.allow("\ud800", ["camera-1"])
    with pytest.raises(ConfigurationError, match="shorter than 16"):
        Keys("short")
    with pytest.raises(ConfigurationError, match="camera-2"):
        Keys("", {"camera-2": ""})


def test_doubled_and_late_frames_are_dropped():
    intake, seen = world()
    first, second = frame(intake, "camera-1", NOW_S), frame(intake, "camera-1", NOW_S + 0.5, 2)
    intake.offer(second, NOW_S + 0.5)  # overtook the first on the way: both are good
    intake.offer(first, NOW_S + 0.5)
    intake.take(NOW_S + 0.5)
    assert sorted(seen[0].time_s.tolist()) == [NOW_S, NOW_S + 0.5]
    intake.offer(second, NOW_S + 0.6)  # delivered again
    intake.offer(first, NOW_S + 0.6)
    assert intake.take(NOW_S + 0.6) == []
    assert intake.counts.of_source(0) == {"out-of-order": 2}


def test_frames_without_a_time_are_stamped_on_arrival():
    intake, seen = world()
    stampless = encode_frames(["camera-1"], lane=[0], distance_m=[5], speed_mps=[0], key=TOKEN)
    intake.offer(stampless, NOW_S)
    intake.take(NOW_S + 0.1)
    assert seen[0].time_s.tolist() == [NOW_S]


def test_of_two_cameras_on_one_approach_the_newest_frame_holds():
    intake, _ = world()
    assert intake.sources.view[0] == intake.sources.view[4]
    intake.offer(frame(intake, "camera-1", NOW_S - 0.2, 3), NOW_S)
    intake.offer(frame(intake, "camera-5", NOW_S, 1), NOW_S)
    lane = int(intake.sources.lanes_of(0)[0])
    assert snapshot_of(intake).lanes.vehicles[lane] == 1


def test_a_dead_camera_takes_only_its_own_lanes_out_of_sight():
    intake, _ = world()
    store = Store(intake.sources.city)
    for second in range(16):
        now_s = NOW_S + second
        intake.offer(frame(intake, "camera-2", now_s), now_s)
        if second == 0:
            intake.offer(frame(intake, "camera-1", now_s, 2), now_s)
        store.fold(intake.take(now_s), now_s)
        lanes = store.snapshot(now_s).lanes
        dead, alive = int(intake.sources.lanes_of(0)[0]), int(intake.sources.lanes_of(1)[0])
        assert lanes.age_s[alive] == 0
        assert lanes.age_s[dead] == second
        assert lanes.vehicles[alive] == 1
        assert lanes.vehicles[dead] == (2 if second <= 10 else 0)
        assert lanes.observed[dead] == (second <= 10)
    assert intake.summary(NOW_S + 15).speaking == 1


def test_a_city_without_named_cameras_has_one_source_a_junction():
    city = sandbox_city()
    sources = Sources(city)
    assert sources.ids == ("A", "B")
    assert len(sources.lanes_of(0)) == 4
    assert sources.lane_ids(0) == [city.network.lanes.ids[row] for row in sources.lanes_of(0)]
    with pytest.raises(NotFoundError, match="/v1/sources"):
        sources.get_source("C")


def test_cameras_that_stand_nowhere_are_named():
    city = camera_city()
    wrong = msgspec.structs.replace(city.places[0], junction="Z")
    with pytest.raises(CityError, match="camera-1"):
        Sources(dataclasses.replace(city, places=(wrong,)))
    with pytest.raises(CityError, match="same id"):
        Sources(dataclasses.replace(city, places=(city.places[0], city.places[0])))


def test_limits_that_let_nothing_through_are_refused():
    with pytest.raises(ConfigurationError, match="queue_rows"):
        Limits(queue_rows=0).check()


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200)
    | st.builds(lambda a, b: a + b, st.sampled_from([b"{", b"\x85", b"["]), st.binary())
)
def test_no_bytes_whatever_raise_or_get_in(body):
    intake, seen = world(Clock())
    assert intake.offer(body, NOW_S).error
    assert intake.take(NOW_S) == []
    assert not seen


numbers = st.floats(width=32, allow_nan=True, allow_infinity=True)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 255), numbers, numbers, st.integers(0, 255)), max_size=20
    ),
    st.floats(NOW_S - 30, NOW_S + 30),
)  # fmt: skip
def test_whatever_the_rows_the_store_drops_nothing_more(rows, time_s):
    """What the door lets in, the store takes: nothing is checked in one place only."""
    intake, seen = world()
    lane, distance, speed, kinds = zip(*rows, strict=True) if rows else ((), (), (), ())
    body = frame(
        intake, "camera-1", time_s, len(rows), lane=lane, distance_m=distance, speed_mps=speed,
        vehicle_class=kinds,
    )  # fmt: skip
    intake.offer(body, NOW_S)
    store = Store(intake.sources.city)
    store.fold(intake.take(NOW_S), NOW_S)
    assert not store.dropped
    let_in = sum(len(each.lane) for each in seen)
    assert len(store.snapshot(NOW_S).detections.lane) == let_in
    summary = intake.summary(NOW_S)
    assert summary.rows == let_in
    row_drops = summary.dropped.get("bad-row", 0) + summary.dropped.get("unknown-lane", 0)
    assert summary.dropped.get("future", 0) + summary.dropped.get("too-old", 0) or let_in + row_drops == len(
        rows
    )
