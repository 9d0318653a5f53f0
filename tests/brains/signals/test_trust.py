"""Which cameras are believed: each rule, and no false alarm in ordinary traffic.

A small world of its own makes the frames: vehicles drive along an arm of the sandbox at 13.9 m/s, queue at
red and leave at green.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from street_seen import Seen, detections

from civicbrain.brains.signals.approach import build_streams
from civicbrain.brains.signals.trust import CameraTrust, Doubt
from civicbrain.city.store import Store
from civicbrain.contracts.sandbox import sandbox_city, sandbox_signals

CITY = sandbox_city()
STREAMS = build_streams(CITY)
A, B = 0, 1
SPEED_MPS, RANGE_M, SPACING_M = 13.9, 150.0, 7.5
ARMS = ("WA_0", "BA_0", "NAA_0", "SAA_0")
Picture = Callable[[float, list[Seen]], list[Seen]]
"""What the camera at A makes of what is there, at a second."""


def as_it_is(_: float, seen: list[Seen]) -> list[Seen]:
    return seen


class Street:
    """Junction A, its camera, and the trust in it. Main street green for `green_s`, then the side street."""

    def __init__(
        self, green_s: float = 30.0, seed: int = 1, rate: float = 0.1, miss_rate: float = 0.05
    ) -> None:
        self.trust, self.store = CameraTrust(CITY, STREAMS), Store(CITY)
        self.now, self.green_s, self.miss_rate = 0.0, green_s, miss_rate
        self.random = np.random.default_rng(seed)
        self.rates = dict.fromkeys(ARMS, rate)
        self.there: dict[str, list[float]] = {arm: [] for arm in ARMS}
        self.doubts: list[tuple[float, Doubt]] = []

    def believed(self) -> bool:
        return bool(self.trust.reason[A] == Doubt.NONE)

    def run(self, seconds: int, camera: Picture = as_it_is) -> Street:
        for _ in range(seconds):
            self.now += 1.0
            stage, since_s = self._stage()
            rows = [row for row in self._move(stage) if self.random.random() >= self.miss_rate]
            self.say(camera(self.now, rows), stage, since_s)
        return self

    def say(self, rows: Iterable[Seen], stage: int = 0, since_s: float = 0.0) -> bool:
        """One frame of camera A; B sees an empty street."""
        frame = detections(CITY, self.now, rows, [A, B])
        self.store.fold([frame, sandbox_signals(CITY, self.now, stage, since_s)], self.now)
        before = self.believed()
        believed = self.trust.update(self.store.snapshot(self.now))
        if before and not believed[A]:
            self.doubts.append((self.now, Doubt(int(self.trust.reason[A]))))
        return bool(believed[A])

    def _stage(self) -> tuple[int, float]:
        turn = int(self.now // self.green_s)
        return turn % 2, turn * self.green_s

    def _move(self, stage: int) -> list[Seen]:
        rows: list[Seen] = []
        for number, arm in enumerate(ARMS):
            green, least, kept = (number < 2) == (stage == 0), 2.0, []
            for distance in self.there[arm]:
                at = distance - SPEED_MPS if green else max(distance - SPEED_MPS, min(least, distance))
                if at >= 0.0:
                    kept.append(at)
                    rows.append((arm, at, distance - at))
                    least = at + SPACING_M
            if self.random.random() < self.rates[arm] and (not kept or kept[-1] < RANGE_M - SPACING_M):
                kept.append(RANGE_M - SPEED_MPS * float(self.random.random()) * 0.5)
                rows.append((arm, kept[-1], SPEED_MPS))
            self.there[arm] = kept
        return rows


def blind(_: float, seen: list[Seen]) -> list[Seen]:
    return []


class Frozen:
    """Repeats the first frame that it is given."""

    def __init__(self) -> None:
        self.kept: list[Seen] | None = None

    def __call__(self, _: float, seen: list[Seen]) -> list[Seen]:
        if self.kept is None:
            self.kept = seen
        return self.kept


def test_a_camera_that_sees_nobody_any_more_is_doubted_soon() -> None:
    street = Street(rate=0.15).run(600)
    assert street.believed()
    assert not street.doubts
    street.run(30, blind)
    assert [why for _, why in street.doubts] == [Doubt.BLIND]


def test_a_camera_that_goes_blind_when_one_is_in_view_is_doubted_by_its_rate() -> None:
    street = Street()
    for second in range(1, 1000):  # always one car, driving; one that vanishes says nothing
        street.now = float(second)
        there = [("WA_0", 150.0 - SPEED_MPS * (second % 5), SPEED_MPS)]
        street.say(there if second < 700 else [])
    # 13.9 m/s in view of 150 m are 0.0927 vehicles a second, over T = 600 × (1 - e^(-698/600)) = 412.5 s
    # n = 38.2; (1 + t/412.5)^-38.2 = e^-12 at t = 152 s after the last frame with somebody
    [(when, why)] = street.doubts
    assert why == Doubt.BLIND
    assert abs(when - (699 + 152)) <= 2


def test_before_anything_is_learned_an_empty_street_proves_nothing() -> None:
    assert Street(rate=0.0).run(3600).believed()


def test_doubt_lasts_a_minute_and_ends_when_vehicles_are_seen_again() -> None:
    street = Street(rate=0.15).run(600).run(30, blind)
    since = street.doubts[0][0]
    while not street.believed():
        street.run(1)
    assert 60.0 <= street.now - since <= 75.0


def test_doubt_goes_on_as_long_as_nobody_is_seen() -> None:
    street = Street(rate=0.15).run(600).run(1800, blind)
    assert not street.believed()
    assert len(street.doubts) == 1


def test_a_single_speck_does_not_restore_trust() -> None:
    street = Street(rate=0.15).run(600).run(120, blind)
    street.run(1, lambda now, seen: [("WA_0", 40.0, 0.0)]).run(60, blind)
    assert not street.believed()


def test_an_arm_whose_vehicles_vanish_is_doubted_while_others_are_seen() -> None:
    street = Street(rate=0.3, green_s=40.0).run(390)  # nearly at the end of green for the side street
    street.run(20, lambda now, seen: [row for row in seen if row[0] != "WA_0"])
    assert [why for _, why in street.doubts] == [Doubt.BLIND_ARM]


def test_an_arm_that_runs_dry_is_not_doubted() -> None:
    street = Street(rate=0.15).run(900)
    street.rates["WA_0"] = 0.0  # a road closed upstream
    assert street.run(1200).believed()
    assert not street.doubts


def test_a_picture_that_repeats_with_vehicles_moving_is_frozen() -> None:
    street = Street(rate=0.15).run(60)
    moving = [("WA_0", 60.0, 13.9), ("NAA_0", 3.0, 0.0)]
    results = []
    for _ in range(5):
        street.now += 1.0
        results.append(street.say(moving))
    assert results == [True, True, True, False, False]
    assert street.doubts[0][1] == Doubt.FROZEN


def test_a_frozen_camera_is_doubted_soon_and_until_it_moves_again() -> None:
    street = Street(rate=0.15).run(600).run(300, Frozen())
    assert street.doubts[0][0] <= 615
    assert not street.believed()
    assert street.run(15).believed()


def test_a_standing_picture_is_frozen_when_green_does_not_move_it() -> None:
    street = Street(green_s=15.0)
    standing = [("WA_0", 2.0, 0.0), ("WA_0", 9.5, 0.0), ("NAA_0", 2.0, 0.0)]
    street.run(90, lambda now, seen: standing)
    # from 1 s on; of each green of 15 s the first 3 do not count: 20 s are full in the other street's turn
    # or in the next green of the same
    assert street.doubts
    assert street.doubts[0][1] == Doubt.FROZEN
    assert 30 <= street.doubts[0][0] <= 60


def test_a_blocked_lane_among_others_that_move_is_no_frozen_picture() -> None:
    blocked = [("WA_0", 2.0, 0.0), ("WA_0", 9.5, 0.0)]
    street = Street(rate=0.15)
    street.run(1200, lambda now, seen: blocked + [row for row in seen if row[0] != "WA_0"])
    assert not street.doubts


def test_a_phantom_queue_beside_true_traffic_is_left_to_the_control() -> None:
    phantom = [("NAA_0", 1.0 + SPACING_M * place, 0.0) for place in range(6)]
    street = Street(rate=0.15).run(600).run(1200, lambda now, seen: [*seen, *phantom])
    assert not street.doubts


def test_a_queue_that_stands_through_a_long_red_is_ordinary() -> None:
    street = Street()
    queue = [("NAA_0", 2.0 + SPACING_M * place, 0.0) for place in range(5)]
    for second in range(1, 121):  # exactly the same picture; green for the main street, where nobody is
        street.now = float(second)
        assert street.say(queue, stage=0)


def test_a_quiet_night_after_a_busy_day_is_ordinary() -> None:
    street = Street(rate=0.2).run(1800)
    for rate in (0.1, 0.05, 0.025, 0.012, 0.006, 0.003):
        street.rates = dict.fromkeys(ARMS, rate)
        street.run(1200)
    assert not street.doubts


def test_one_busy_arm_is_ordinary() -> None:
    street = Street(rate=0.0)
    street.rates["WA_0"] = 0.25
    assert not street.run(1800).doubts


def test_a_silent_camera_is_not_judged_by_its_silence() -> None:
    street = Street(rate=0.15).run(600)
    street.now += 300.0  # no frame at all, then vehicles as before
    assert not street.run(600).doubts


def test_a_junction_without_frames_is_believed_and_time_that_goes_back_forgets() -> None:
    street = Street(rate=0.15).run(600).run(60, blind)
    assert not street.believed()
    street.store, street.now = Store(CITY), 0.0
    assert street.trust.update(street.store.snapshot(0.0)).tolist() == [True, True]
    assert not street.run(60, blind).doubts[1:]


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rates=st.tuples(*[st.floats(0.0, 0.3) for _ in ARMS]),
    green_s=st.floats(10.0, 120.0),
    miss_rate=st.floats(0.02, 0.2),
)
def test_ordinary_traffic_is_never_doubted(
    seed: int, rates: tuple[float, ...], green_s: float, miss_rate: float
) -> None:
    street = Street(green_s, seed, miss_rate=miss_rate)
    street.rates = dict(zip(ARMS, rates, strict=True))
    assert not street.run(1200).doubts


def test_the_same_frames_give_the_same_answer() -> None:
    runs = [Street(seed=5, rate=0.2).run(500).run(40, blind).run(100).doubts for _ in range(2)]
    assert runs[0]
    assert runs[0] == runs[1]
