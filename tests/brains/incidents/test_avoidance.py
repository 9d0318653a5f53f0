"""Lanes that everybody leaves, and lanes that some leave."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from civicbrain.brains.incidents.avoidance import LEAST, Avoidance
from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.tracks import Tracks
from civicbrain.city.folder import load_city
from civicbrain.city.incidents import IncidentKind
from civicbrain.city.observations import Detections, VehicleClass
from civicbrain.twin.importing import resolve_scenario

CITY = load_city(resolve_scenario("cologne1").folder)
LAYOUT = Layout(CITY)
WIDE = next(
    row
    for row in np.flatnonzero((LAYOUT.camera >= 0) & (LAYOUT.beside[:, 0] >= 0)).tolist()
    if LAYOUT.beyond_m[row] == 0.0 and LAYOUT.length_m[row] > 150.0
)
CAMERA = int(LAYOUT.camera[WIDE])


class Road:
    """A road of two lanes; `drive` sends one vehicle down it."""

    def __init__(self) -> None:
        self.layout = LAYOUT
        self.tracks, self.avoidance = Tracks(self.layout), Avoidance(self.layout)
        self.now_s = 0.0

    def drive(
        self,
        leaves_at_m: float = 0.0,
        stands_at_m: float = -1.0,
        mps: float = 10.0,
        frame_every_s: float = 1.0,
    ) -> list[Suspicion]:
        found: list[Suspicion] = []
        for d in np.arange(140.0, -20.0, -mps * frame_every_s).tolist():
            rows = [(WIDE if d > leaves_at_m else WIDE - 1, d, mps)] if d > 0.0 else []
            if stands_at_m >= 0.0:
                rows.append((WIDE, stands_at_m, 0.0))
            found += self._see(rows, frame_every_s)
        return found

    def stop_and_go_round(self, stands_at_m: float, at_m: float = 76.0) -> list[Suspicion]:
        """One comes to stand at at_m, and goes over to the next lane from there."""
        found: list[Suspicion] = []
        comes = [(float(d), 10.0) for d in range(140, 90, -10)] + [
            (91.0, 8.0),
            (84.0, 6.0),
            (80.0, 3.0),
            (77.0, 2.0),
        ]
        goes = [(74.0, 2.0), (70.0, 4.0), (62.0, 8.0)] + [(float(d), 10.0) for d in range(52, 0, -10)]
        for d, mps in [*comes, *[(76.0, 0.0)] * 4]:
            found += self._see([(WIDE, d + at_m - 76.0, mps), (WIDE, stands_at_m, 0.0)])
        for d, mps in [(76.0, 0.0), *goes]:
            rows = [(WIDE - 1, d + at_m - 76.0, mps)] if d + at_m > 76.0 else []
            found += self._see([*rows, (WIDE, stands_at_m, 0.0)])
        return found

    def _see(self, rows: list[tuple[int, float, float]], dt_s: float = 1.0) -> list[Suspicion]:
        self.now_s += dt_s
        seen = replace(
            Detections.empty("cameras", self.now_s, np.array([CAMERA], np.int32)),
            camera=np.full(len(rows), CAMERA, np.int32),
            lane=np.array([row[0] for row in rows], np.int32),
            distance_m=np.array([row[1] for row in rows], np.float32),
            speed_mps=np.array([row[2] for row in rows], np.float32),
            vehicle_class=np.full(len(rows), int(VehicleClass.CAR), np.uint8),
            next_movement=np.full(len(rows), -1, np.int32),
        )
        seen_s = np.full(len(CITY.junctions), -np.inf)
        seen_s[CAMERA] = self.now_s
        step = self.tracks.update(seen, seen_s)
        assert step is not None
        watched = np.ones(len(self.layout.camera), np.bool_)
        return [one for one in self.avoidance.update(self.tracks, step, watched) if one.ratio >= 1.0]


def test_a_lane_on_which_all_stayed_and_which_all_leave_now_has_something_on_it() -> None:
    road = Road()
    for _ in range(30):
        assert road.drive() == []
    told: list[Suspicion] = []
    count = 0
    while not told and count < 12:
        told = road.drive(leaves_at_m=75.0)
        count += 1
    assert LEAST <= count <= 8
    assert told[0].kind is IncidentKind.CLOSED_LANE
    assert told[0].lane == WIDE
    assert 10.0 <= told[0].d <= 75.0


@pytest.mark.parametrize("stayer", [{}, {"mps": 15.0, "frame_every_s": 3.0}], ids=["seen", "frames lost"])
def test_one_who_stays_shows_that_it_is_free(stayer: dict[str, float]) -> None:
    road = Road()
    for _ in range(30):
        road.drive()
    for _ in range(10):
        for _ in range(LEAST - 1):
            assert road.drive(leaves_at_m=75.0) == []
        assert road.drive(**stayer) == []


def test_where_drivers_sort_themselves_for_their_turns_nothing_is_said() -> None:
    road, rng = Road(), np.random.default_rng(3)
    for _ in range(200):
        assert road.drive(leaves_at_m=75.0 if rng.random() < 0.6 else 0.0) == []


def test_who_comes_onto_a_road_and_goes_over_at_once_sorts_for_his_turn() -> None:
    """Out of a side street of ingolstadt21 all turned left by way of the middle lane while nobody else came:
    told as a closed lane in ordinary traffic."""
    road = Road()
    for _ in range(30):
        road.drive()
    for _ in range(20):
        assert road.drive(leaves_at_m=135.0) == []


def test_who_leaves_behind_one_that_stands_has_a_reason_that_is_seen() -> None:
    road = Road()
    for _ in range(30):
        road.drive()
    for _ in range(12):
        assert road.drive(leaves_at_m=75.0, stands_at_m=30.0) == []


def test_who_stands_with_the_road_ahead_free_and_goes_round_is_in_no_queue() -> None:
    """His queue is 46 m further on. Behind it one waits, and may look for a shorter one, as may who
    is first at the line."""
    for at_m, other_at_m, is_told in ((76.0, 30.0, True), (76.0, 60.0, False), (16.0, 140.0, False)):
        road = Road()
        for _ in range(30):
            road.drive()
        told = [one for _ in range(10) for one in road.stop_and_go_round(other_at_m, at_m)]
        assert bool(told) == is_told
        assert all(10.0 <= one.d <= 80.0 for one in told)
