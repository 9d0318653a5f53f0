"""The store: newest frame of each camera, lane aggregates, bad data dropped and counted, cheap snapshots."""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from civicbrain.city.model import Cameras, City, DemandFiles
from civicbrain.city.network import Edges, Lanes, Movements, Network, Nodes
from civicbrain.city.observations import INSIDE_M, Detections, Kind, LaneViews, Observation
from civicbrain.city.snapshot import QUEUE_SPEED_MPS
from civicbrain.city.store import FORGET_AFTER_S, Store
from civicbrain.contracts.sandbox import sandbox_city, sandbox_detections, sandbox_signals

CITY = sandbox_city()


def frame(rows, *, end_s=10.0, cameras=(0, 1), source="cam"):
    """rows: (camera, lane, distance_m, speed_mps)."""
    camera, lane, distance, speed = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Detections(
        source, end_s, end_s, np.array(cameras, np.int32), np.array(camera, np.int32),
        np.array(lane, np.int32), np.array(distance, np.float32), np.array(speed, np.float32),
        np.zeros(len(rows), np.uint8), np.full(len(rows), -1, np.int32),
    )  # fmt: skip


def approach(junction: int, number: int = 0) -> int:
    return int(CITY.cameras.lane[CITY.cameras.junction == junction][number])


def test_lane_states_count_vehicles_queues_and_mean_speed():
    store, lane = Store(CITY), approach(0)
    store.fold([frame([(0, lane, 5, 0.0), (0, lane, 12, 1.0), (0, lane, 80, 8.0)])], 10.0)
    lanes = store.snapshot(10.5).lanes
    assert lanes.vehicles[lane] == 3
    assert lanes.queued[lane] == 2
    assert lanes.speed_mps[lane] == pytest.approx(3.0)
    assert lanes.observed[lane]
    assert lanes.age_s[lane] == pytest.approx(0.5)
    empty = approach(1)
    assert lanes.vehicles[empty] == 0
    assert lanes.observed[empty]
    assert lanes.speed_mps[empty] == pytest.approx(CITY.network.lanes.speed_mps[empty])


def test_queue_speed_is_the_boundary():
    store, lane = Store(CITY), approach(0)
    below, above = QUEUE_SPEED_MPS - 0.01, QUEUE_SPEED_MPS + 0.01
    store.fold([frame([(0, lane, 5, below), (0, lane, 12, above)])], 10.0)
    assert store.snapshot(10.0).lanes.queued[lane] == 1


def test_lanes_without_a_camera_are_not_observed():
    store = Store(CITY)
    store.fold([frame([])], 10.0)
    lanes = store.snapshot(10.0).lanes
    unseen = np.setdiff1d(np.arange(len(CITY.network.lanes.ids)), CITY.cameras.lane)
    assert not lanes.observed[unseen].any()
    assert np.isinf(lanes.age_s[unseen]).all()


def test_newest_frame_of_each_camera_is_kept_and_joined():
    store, a, b = Store(CITY), approach(0), approach(1)
    store.fold([frame([(0, a, 5, 0), (1, b, 5, 0)], end_s=10.0)], 10.0)
    store.fold([frame([(1, b, 4, 0), (1, b, 11, 0)], end_s=11.0, cameras=(1,), source="other")], 11.0)
    seen = store.snapshot(11.0)
    assert seen.detections.camera.tolist() == [0, 1, 1]
    assert seen.detections.distance_m.tolist() == [5, 4, 11]
    assert seen.detections.cameras.tolist() == [0, 1]
    assert seen.lanes.vehicles[a] == 1
    assert seen.lanes.vehicles[b] == 2
    assert seen.lanes.age_s[a] == pytest.approx(1.0)
    assert seen.lanes.age_s[b] == pytest.approx(0.0)
    assert seen.staleness_s == {"cam": pytest.approx(1.0), "other": pytest.approx(0.0)}


def test_an_empty_frame_clears_the_street():
    store, lane = Store(CITY), approach(0)
    store.fold([frame([(0, lane, 5, 0)], end_s=10.0)], 10.0)
    store.fold([frame([], end_s=11.0)], 11.0)
    assert store.snapshot(11.0).lanes.vehicles.sum() == 0


def test_a_silent_camera_is_forgotten_but_its_age_grows():
    store, a, b = Store(CITY), approach(0), approach(1)
    store.fold([frame([(0, a, 5, 0), (1, b, 5, 0)], end_s=10.0)], 10.0)
    later = 10.0 + FORGET_AFTER_S + 1
    store.fold([frame([(1, b, 5, 0)], end_s=later, cameras=(1,))], later)
    lanes = store.snapshot(later).lanes
    assert not lanes.observed[a]
    assert lanes.vehicles[a] == 0
    assert lanes.age_s[a] == pytest.approx(FORGET_AFTER_S + 1)
    assert lanes.observed[b]


@pytest.mark.parametrize(
    ("end_s", "reason"),
    [
        (9.0, "out-of-order"),
        (10.0, "out-of-order"),
        (-5.0, "stale"),
        (30.0, "future"),
        (math.nan, "wrong-type"),
    ],
)
def test_untimely_frames_are_dropped_and_counted(end_s, reason):
    store, lane = Store(CITY), approach(0)
    store.fold([frame([(0, lane, 5, 0)], end_s=10.0)], 10.0)
    store.fold([frame([], end_s=end_s)], 10.0)
    assert store.snapshot(10.0).lanes.vehicles[lane] == 1
    assert store.dropped["cam", reason] >= 1


def test_bad_rows_are_dropped_counted_and_logged_once(caplog):
    store, lane = Store(CITY), approach(0)
    bad = [
        (0, lane, math.nan, 0), (0, lane, 5, math.inf), (0, lane, 5, -1), (0, 10_000, 5, 0), (0, -1, 5, 0),
        (7, lane, 5, 0), (-1, lane, 5, 0), (0, lane, 1e9, 0),
    ]  # fmt: skip
    with caplog.at_level(logging.WARNING):
        store.fold([frame([*bad, (0, lane, 5, 0)], end_s=10.0)], 10.0)
        store.fold([frame([*bad, (0, lane, 5, 0)], end_s=11.0)], 11.0)
    assert store.snapshot(11.0).lanes.vehicles.sum() == 1
    assert store.dropped["cam", "bad-row"] == 2 * len(bad)
    assert len(caplog.records) == 1


def test_frames_of_wrong_shape_and_unknown_types_are_dropped():
    store = Store(CITY)
    crooked = dataclasses.replace(frame([(0, approach(0), 5, 0)]), speed_mps=np.zeros(7, np.float32))
    store.fold([crooked, "nonsense", None], 10.0)
    assert store.snapshot(10.0).lanes.vehicles.sum() == 0
    assert store.dropped["cam", "wrong-shape"] == 1
    assert store.dropped["str", "unknown-type"] == 1


def test_signal_states_newest_wins_and_wrong_size_is_dropped():
    store = Store(CITY)
    assert (store.snapshot(0.0).signals.stage == -1).all()
    store.fold([sandbox_signals(CITY, 10.0, stage=1)], 10.0)
    store.fold([sandbox_signals(CITY, 9.0, stage=0)], 10.0)
    assert store.snapshot(10.0).signals.stage.tolist() == [1, 1]
    short = dataclasses.replace(sandbox_signals(CITY, 11.0), stage=np.zeros(1, np.int32))
    store.fold([short], 11.0)
    assert store.snapshot(11.0).signals.time_s == 10.0
    assert store.dropped["sandbox", "wrong-shape"] == 1


def closing(value: float, second: float, kind: Kind = Kind.MEASURED) -> Observation:
    start = CITY.epoch + timedelta(seconds=second)
    lane = f"lane:{CITY.network.lanes.ids[3]}"
    return Observation("works", lane, "closed", value, "1", kind, start, start + timedelta(seconds=1))


def test_values_and_closed_lanes():
    store = Store(CITY)
    store.fold([closing(1.0, 5)], 10.0)
    first = store.snapshot(10.0)
    assert first.closed_lanes.tolist() == [3]
    store.fold([closing(0.0, 4), closing(math.nan, 8), closing(0.0, 9, Kind.FORECAST)], 10.0)
    assert store.snapshot(10.0).closed_lanes.tolist() == [3]
    store.fold([closing(0.0, 9)], 10.0)
    assert store.snapshot(10.0).closed_lanes.tolist() == []
    assert first.closed_lanes.tolist() == [3]  # a snapshot never changes
    with pytest.raises(TypeError):
        first.values["a", "b"] = 1.0  # type: ignore[index]


def arrays(snapshot):
    for part in (snapshot.detections, snapshot.lanes, snapshot.signals, snapshot):
        for field in dataclasses.fields(part):
            if isinstance(value := getattr(part, field.name), np.ndarray):
                yield field.name, value


def test_snapshot_arrays_are_read_only_and_detached_from_the_feed():
    store = Store(CITY)
    data = sandbox_detections(CITY, 10.0)
    for snapshot in (store.snapshot(9.0),):
        assert not [name for name, array in arrays(snapshot) if array.flags.writeable]
    store.fold([data, sandbox_signals(CITY, 10.0)], 10.0)
    snapshot = store.snapshot(10.0)
    assert not [name for name, array in arrays(snapshot) if array.flags.writeable]
    before = snapshot.lanes.vehicles.copy()
    data.lane[:] = 0  # the feed reuses its buffer
    data.speed_mps[:] = 0.0
    assert (store.snapshot(10.0).lanes.vehicles == before).all()


def test_reset_forgets():
    store = Store(CITY)
    store.fold([sandbox_detections(CITY, 500.0), sandbox_signals(CITY, 500.0)], 500.0)
    store.reset()
    store.fold([sandbox_detections(CITY, 1.0)], 1.0)
    snapshot = store.snapshot(1.0)
    assert snapshot.detections.end_s == 1.0
    assert list(snapshot.staleness_s) == ["sandbox"]


any_float = st.floats(width=32, allow_nan=True, allow_infinity=True)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(-3, 5), st.integers(-3, 40), any_float, any_float), max_size=8),
            st.floats(-50, 50),
            st.lists(st.integers(-2, 4), max_size=4),
        ),
        max_size=6,
    )
)
@example([([(0, 0, -2.0, 0.0)], 10.0, [0])])
def test_no_data_breaks_the_store(frames):
    store = Store(CITY)
    now_s = 20.0
    for rows, end_s, cameras in frames:
        store.fold([frame(rows, end_s=end_s, cameras=cameras)], now_s)
    snapshot = store.snapshot(now_s)
    seen = snapshot.detections
    assert np.isfinite(seen.distance_m).all()
    assert np.isfinite(seen.speed_mps).all()
    assert np.isin(seen.camera, seen.cameras).all()
    on_lanes = seen.distance_m >= -INSIDE_M  # the others stand inside the junction
    assert snapshot.lanes.vehicles.sum() == on_lanes.sum()
    assert (snapshot.lanes.queued <= snapshot.lanes.vehicles).all()


def big_city(lanes: int, junctions: int) -> City:
    """Lanes without connections: enough for the store."""
    ids = tuple(f"l{i}" for i in range(lanes))
    zeros, ones = np.zeros(lanes, np.int32), np.ones(lanes, np.float32)
    none = np.zeros(0, np.int32)
    network = Network(
        Lanes(ids, np.arange(lanes, dtype=np.int32), zeros, ones * 100, ones * 14, ones * 3,
              np.ones(lanes, np.uint8), np.zeros((2, 2), np.float32), np.zeros(lanes + 1, np.int32)),
        Edges(ids, ids, zeros, zeros, zeros, np.arange(lanes + 1, dtype=np.int32)),
        Nodes(("n",), np.zeros((1, 2), np.float32), np.full(1, -1, np.int32)),
        Movements(none, none, none, none, none, none, none.astype(np.uint8), none.astype(np.float32)),
    )  # fmt: skip
    base = CITY.junctions[0]
    watched = np.arange(junctions * 6, dtype=np.int32)
    return City(
        "big", network, (base,) * junctions,
        Cameras(150.0, np.repeat(np.arange(junctions, dtype=np.int32), 6), watched,
                np.zeros(len(watched), np.float32)),
        DemandFiles(""), CITY.folder,
    )  # fmt: skip


def test_snapshot_of_15000_lanes_is_cheap():
    """A few passes over the lanes: at most 60 bare bincounts of the same size (about 5 ms in all)."""
    city = big_city(15_000, 1_300)
    store = Store(city)
    data = sandbox_detections(city, 10.0, vehicles=20_000)
    store.fold([data], 10.0)
    store.fold([dataclasses.replace(sandbox_detections(city, 11.0, vehicles=9_000),
                                    cameras=np.arange(600, dtype=np.int32))], 11.0)  # fmt: skip

    def best_s(work):
        def once():
            start = time.perf_counter()
            work()
            return time.perf_counter() - start

        return min(once() for _ in range(20))

    yardstick_s = best_s(lambda: np.bincount(data.lane, weights=data.speed_mps, minlength=15_000))
    assert best_s(lambda: store.snapshot(11.0)) < 60 * yardstick_s


def test_lanes_of_a_dead_approach_camera_age_on_their_own():
    store = Store(CITY)
    a, b = approach(0, 0), approach(0, 1)
    store.fold(
        [frame([(0, a, 5, 0)], end_s=20.0), LaneViews("field", lanes_of(a, b), times(19.5, 5.0))], 20.0
    )
    lanes = store.snapshot(20.0).lanes
    assert lanes.age_s[a] == pytest.approx(0.5)
    assert lanes.observed[a]
    assert lanes.age_s[b] == pytest.approx(15.0)  # its camera fell silent; the junction's other one speaks
    assert not lanes.observed[b]
    assert lanes.age_s[approach(1)] == pytest.approx(0.0)


@pytest.mark.parametrize("lane", [[-1, 0], [0, 10_000], [0]])
def test_lane_views_that_do_not_fit_the_city_are_dropped(lane):
    store = Store(CITY)
    store.fold([LaneViews("field", np.array(lane, np.int32), times(1.0, 2.0))], 2.0)
    assert store.dropped["field", "wrong-shape"] == 1
    assert np.isinf(store.snapshot(2.0).lanes.age_s).all()


def lanes_of(*rows: int):
    return np.array(rows, np.int32)


def times(*seconds: float):
    return np.array(seconds, np.float64)
