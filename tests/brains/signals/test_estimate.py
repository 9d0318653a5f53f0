"""What a control may expect of the estimator, with answers computed by hand on the sandbox street.

    W ── A ── B ── E   300 m each, 13.9 m/s, 15 m through a junction; cameras see the last 150 m of an edge.

From A's stop line to B's: (300 + 15) / 13.9 + 1.5 s lost while accelerating = 24.2 s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from street_seen import detections

from civicbrain.brains.signals.approach import build_streams
from civicbrain.brains.signals.estimate import Estimate, Estimator
from civicbrain.city.network import F32
from civicbrain.city.observations import SignalStates
from civicbrain.city.store import Store
from civicbrain.contracts.sandbox import sandbox_city, sandbox_signals

CITY = sandbox_city()
STREAMS = build_streams(CITY)
TRAVEL_S = 24.2
STRAIGHT_ON = 0.6 / (0.6 + 0.2 + 0.2 * 0.7)
"""Prior 3 : 1 : 1, where the left turn yields: 0.7 as likely to have gone. One of ten never gets to B."""

MAIN, SIDE = 0, 1
NOTHING = np.zeros((STREAMS.count, 60), np.float32)
"""Plans that let nobody go: what is expected is then what is known to be under way."""


class Street:
    """Feeds frames to an estimator, second by second, with no latency."""

    def __init__(self, start_s: float = 100.0) -> None:
        self.estimator = Estimator(CITY, STREAMS)
        self.store = Store(CITY)
        self.now_s = start_s

    def see(
        self,
        vehicles: Iterable[tuple[str, float, float]] = (),
        stage: int = SIDE,
        cameras: Iterable[int] = (0, 1),
        planned: F32 | None = NOTHING,
        latency_s: float = 0.0,
    ) -> Estimate:
        """vehicles: (lane, metres to the stop line, speed)."""
        self.now_s += 1.0
        frame = detections(CITY, self.now_s, vehicles, cameras)
        lamps: SignalStates = sandbox_signals(CITY, self.now_s, stage, 0.0)
        self.store.fold([frame, lamps], self.now_s)
        snapshot = self.store.snapshot(self.now_s)
        if latency_s:
            snapshot = replace(
                snapshot,
                time_s=self.now_s + latency_s,
                lanes=replace(snapshot.lanes, age_s=snapshot.lanes.age_s + np.float32(latency_s)),
            )
        return self.estimator.update(snapshot, planned)

    def wait(self, seconds: int, stage: int = SIDE) -> Estimate:
        for _ in range(seconds):
            last = self.see(stage=stage)
        return last

    def release(self) -> Estimate:
        """One vehicle comes into A's view from the west and leaves over the stop line."""
        for metres in (40.0, 26.1, 12.2):
            self.see([("WA_0", metres, 13.9)], MAIN)
        return self.see([], MAIN)


def streams_of(lane: str) -> list[int]:
    return np.flatnonzero(STREAMS.lane == CITY.network.get_lane(lane)).tolist()


def due(estimate: Estimate, lane: str) -> F32:
    """(h,) expected on a lane in each second."""
    result: F32 = estimate.arrivals_veh[streams_of(lane)].sum(axis=0)
    return result


@pytest.fixture
def street() -> Street:
    """Half a minute of an empty street goes before, so that cameras are known to work."""
    made = Street()
    made.wait(30)
    return made


def test_a_standing_queue_can_cross_at_once(street: Street) -> None:
    estimate = street.see([("NAA_0", 2.0, 0.0), ("NAA_0", 9.5, 0.0), ("NAA_0", 17.0, 0.0)], MAIN)
    assert due(estimate, "NAA_0")[0] == pytest.approx(3.0, abs=0.05)
    assert estimate.seen_veh[streams_of("NAA_0")].sum() == pytest.approx(3.0, abs=1e-4)
    assert estimate.queue_veh[streams_of("NAA_0")].sum() == pytest.approx(3.0, abs=1e-4)


def test_a_frame_that_is_a_second_old_brings_the_vehicle_a_second_nearer() -> None:
    fresh, late = Street(), Street()
    for metres in (139.0, 125.1):
        a = fresh.see([("WA_0", metres, 13.9)])
        b = late.see([("WA_0", metres, 13.9)], latency_s=1.0)
    assert int(due(a, "WA_0").argmax()) == 9  # 125.1 / 13.9
    assert int(due(b, "WA_0").argmax()) == 8


def test_a_vehicle_released_upstream_is_expected_downstream_when_it_can_be_there(street: Street) -> None:
    expected = due(street.release(), "AB_0")
    assert expected.sum() == pytest.approx(STRAIGHT_ON * 0.9, abs=0.02)
    assert abs(int(expected.argmax()) - TRAVEL_S) <= 2.0
    later = street.wait(8)
    assert abs(int((due(later, "AB_0")).argmax()) - (TRAVEL_S - 8.0)) <= 2.0


def test_a_vehicle_that_comes_into_view_is_not_counted_twice(street: Street) -> None:
    street.release()
    street.wait(11)  # 150 m and the junction: 13.4 s
    assert due(street.wait(1), "AB_0").sum() == pytest.approx(STRAIGHT_ON * 0.9, abs=0.02)
    estimate = street.see([("AB_0", 145.0, 13.9)])
    seen = estimate.seen_veh[streams_of("AB_0")].sum()
    assert seen == pytest.approx(1.0, abs=1e-3)
    assert due(estimate, "AB_0")[:15].sum() == pytest.approx(1.0, abs=0.05)


def test_a_vehicle_that_turned_off_is_not_waited_for(street: Street) -> None:
    street.release()
    assert due(street.wait(25), "AB_0").sum() == pytest.approx(0.0, abs=0.02)


def test_frames_that_overlook_a_vehicle_neither_hide_nor_invent_one(street: Street) -> None:
    for second in range(60):
        vehicles = [("NAA_0", 2.0, 0.0), ("NAA_0", 9.5, 0.0)]
        del vehicles[second % 2 : second % 2 + (second % 3 == 0)]
        estimate = street.see(vehicles, MAIN)
        assert estimate.seen_veh[streams_of("NAA_0")].sum() == pytest.approx(2.0, abs=1e-3) or second == 0
    assert due(estimate, "AB_0").sum() == pytest.approx(0.0, abs=0.02)  # nobody left at red


def test_what_leaves_arrives_somewhere() -> None:
    """Conservation: vehicles over the stop line are in the next edges, no more and no fewer."""
    street = Street()
    street.wait(30)
    before = street.estimator.on_the_way_veh
    for _ in range(5):
        street.release()
        street.wait(2, MAIN)
    assert street.estimator.on_the_way_veh - before == pytest.approx(5.0, abs=0.3)


def test_a_planned_release_is_expected_after_the_way_between(street: Street) -> None:
    planned = NOTHING.copy()
    through = [k for k in streams_of("WA_0") if STREAMS.share[k] > 0.5]
    planned[through, 5] = 1.0
    expected = due(street.see(planned=planned), "AB_0")
    mean_s = float((expected * np.arange(60.0)).sum() / expected.sum())
    assert mean_s == pytest.approx(5.0 + TRAVEL_S, abs=1.5)
    assert expected.sum() == pytest.approx(0.9 * 3 / 4, abs=0.02)  # the group also lets the right turn go


def test_no_plan_for_a_stream_means_what_usually_comes(street: Street) -> None:
    unknown = np.full_like(NOTHING, np.nan)
    usual = due(street.see(planned=None), "AB_0").sum()
    assert due(street.see(planned=unknown), "AB_0").sum() == pytest.approx(usual, rel=0.1)
    assert due(street.see(), "AB_0").sum() < usual


def test_a_queue_stays_known_when_its_camera_dies(street: Street) -> None:
    queue = [("NAA_0", 2.0 + 7.5 * place, 0.0) for place in range(4)]
    street.see(queue, MAIN)
    street.see(queue, MAIN)
    for _ in range(8):
        estimate = street.see([], MAIN, cameras=(1,))
    assert estimate.seen_veh[streams_of("NAA_0")].sum() == 0.0
    assert estimate.queue_veh[streams_of("NAA_0")].sum() == pytest.approx(4.0, abs=1.5)
    for _ in range(20):
        estimate = street.see([], SIDE, cameras=(1,))
    assert estimate.queue_veh[streams_of("NAA_0")].sum() < 1.0  # green let it go


def test_an_approach_without_a_camera_collects_what_was_sent_there() -> None:
    street = Street()
    for _ in range(10):
        street.see([], SIDE, cameras=(0,))
    queue = street.see([], MAIN, cameras=(0,)).queue_veh[streams_of("AB_0")].sum()
    for _ in range(6):
        for metres in (40.0, 26.1, 12.2):
            street.see([("WA_0", metres, 13.9)], MAIN, cameras=(0,))
    for _ in range(45):
        estimate = street.see([], SIDE, cameras=(0,))  # AB has red at side
    gained = estimate.queue_veh[streams_of("AB_0")].sum() - queue
    assert 1.5 < gained < 6.5  # 6 vehicles, 3 of 5 of them straight on, and what usually comes


def test_turning_shares_follow_what_passes(street: Street) -> None:
    straight = [
        m
        for m in np.flatnonzero(CITY.network.movements.from_lane == CITY.network.get_lane("WA_0")).tolist()
        if CITY.network.lanes.ids[CITY.network.movements.to_lane[m]] == "AB_0"
    ]
    prior = float(street.estimator.shares.turn_share[straight[0]])
    for _ in range(25):  # everybody goes straight on, and is seen again before B
        street.release()
        street.wait(9, MAIN)
        for metres in (146.0, 132.1, 118.2, 104.3, 90.4, 76.5, 62.6, 48.7, 34.8, 20.9, 7.0):
            estimate = street.see([("AB_0", metres, 13.9)], MAIN)
        street.see([], MAIN)
    assert prior == pytest.approx(0.6, abs=0.01)
    assert estimate.turn_share[straight[0]] > 0.8


def test_a_city_never_seen_starts_low() -> None:
    estimate = Street().see(cameras=())
    assert (estimate.rate_veh_per_s < 0.2).all()
    assert (estimate.rate_veh_per_s >= 0.0).all()


def test_time_that_goes_back_starts_afresh(street: Street) -> None:
    street.release()
    street.now_s = 20.0
    street.store.reset()
    estimate = street.see()
    assert estimate.seen_veh.sum() == 0.0
    assert street.estimator.on_the_way_veh < 0.5


LANES = tuple(CITY.network.lanes.ids[lane] for lane in CITY.cameras.lane.tolist())


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(LANES),
                st.floats(0.0, 150.0, allow_nan=False),
                st.floats(0.0, 20.0, allow_nan=False),
            ),
            max_size=12,
        ),
        min_size=1,
        max_size=40,
    ),
    st.lists(st.sampled_from([(0, 1), (0,), ()]), min_size=40, max_size=40),
)
def test_whatever_is_seen_the_estimate_is_sound(
    frames: list[list[tuple[str, float, float]]], cameras: list[tuple[int, ...]]
) -> None:
    SHARED.estimator.reset()
    SHARED.store.reset()
    for second, vehicles in enumerate(frames):
        estimate = SHARED.see(vehicles, second // 7 % 2, cameras[second])
        for array in (estimate.arrivals_veh, estimate.seen_veh, estimate.queue_veh, estimate.rate_veh_per_s):
            assert np.isfinite(array).all()
            assert (array >= 0.0).all()
        of_lane = np.bincount(STREAMS.lane, estimate.share)
        assert np.allclose(of_lane[np.unique(STREAMS.lane)], 1.0, atol=1e-4)
        assert estimate.seen_veh.sum() <= sum(len(frame) for frame in frames[: second + 1]) + 1e-3


SHARED = Street()


def test_a_head_that_stands_on_green_waits_for_another_group(street: Street) -> None:
    groups = [CITY.junctions[0].groups[int(STREAMS.group[k])].id for k in streams_of("WA_0")]
    for _ in range(3):
        estimate = street.see([("WA_0", 2.0, 0.0)], MAIN)  # 'G' for through, 'g' for left, for a long time
    parts = dict(zip(groups, estimate.queue_veh[streams_of("WA_0")].tolist(), strict=True))
    assert parts["W-left"] == pytest.approx(1.0, abs=0.01)
    assert parts["W-through"] == pytest.approx(0.0, abs=0.01)
