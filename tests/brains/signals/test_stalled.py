"""Who stands through several greens counts as none, until the head moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from street_seen import detections, stage_of

from civicbrain.brains.signals import create
from civicbrain.brains.signals.approach import Streams, build_streams
from civicbrain.brains.signals.approach_lanes import ApproachLanes
from civicbrain.brains.signals.stages import build_stages
from civicbrain.brains.signals.stalled import AGAIN_S, GREEN_S, GREENS, Stalled, leave_out
from civicbrain.city.model import City
from civicbrain.city.store import Store
from civicbrain.contracts.brain import BrainContext
from civicbrain.contracts.sandbox import sandbox_city, sandbox_signals
from civicbrain.twin.importing import resolve_scenario

QUEUE_M = (1.0, 8.5, 16.0, 23.5, 31.0, 38.5)
GREEN, RED = int(GREEN_S) + 1, 30


@cache
def layout(name: str) -> tuple[City, Streams, ApproachLanes]:
    city = resolve_scenario(name) if name else sandbox_city()
    streams = build_streams(city)
    table = build_stages(city, streams)
    return city, streams, ApproachLanes(city, streams, table, loss_s=0.5, yellow_s=1.0, min_stage_s=4.0)


class Line:
    """One approach lane, second by second; all others are red and empty."""

    def __init__(self, name: str = "", lane: int = 0) -> None:
        self.city, streams, self.lanes = layout(name)
        self.row = lane
        self.own = np.flatnonzero(self.lanes.stream_lane == lane)
        self.group = streams.group
        self.stalled = Stalled(self.lanes, streams.group, self.city.network)
        self.now_s = 100.0
        self.queued = np.zeros(len(self.city.network.lanes.ids), np.float32)
        self.queued.flags.writeable = False

    @property
    def dead(self) -> int:
        assert (np.delete(self.stalled.dead_veh, self.row) == 0).all()
        return int(self.stalled.dead_veh[self.row])

    def second(
        self, lamp: str, since_s: float, places_m: Sequence[float], speed_mps: float = 0.0, stream: int = -1
    ) -> None:
        """stream: which one of the lane's is shown the lamp, -1 all."""
        lamps = np.full(self.city.signals.group_count, ord("r"), np.uint8)
        since = np.full(len(lamps), since_s, np.float32)
        lamps[self.group[self.own if stream < 0 else self.own[stream : stream + 1]]] = ord(lamp)
        row = np.full(len(places_m), self.lanes.lane[self.row], np.int32)
        metres = np.array(places_m, np.float32)
        speeds = np.full(len(metres), speed_mps, np.float32)
        for array in (lamps, since, row, metres, speeds):
            array.flags.writeable = False  # as a snapshot's are
        self.stalled.update(self.now_s, lamps, since, self.queued, row, metres, speeds)
        self.now_s += 1.0

    def show(self, seconds: int, lamp: str, places_m: Sequence[float] = QUEUE_M, stream: int = -1) -> None:
        since_s = self.now_s
        for _ in range(seconds):
            self.second(lamp, since_s, places_m, stream=stream)

    def cycles(self, count: int, lamp: str = "G", places_m: Sequence[float] = QUEUE_M) -> None:
        for _ in range(count):
            self.show(RED, "r", places_m)
            self.show(GREEN, lamp, places_m)


def test_who_stands_through_three_greens_counts_as_none() -> None:
    line = Line()
    line.cycles(GREENS - 1)
    assert line.dead == 0
    line.cycles(1)
    assert line.dead == len(QUEUE_M)
    line.show(300, "r")
    assert line.dead == len(QUEUE_M)


@pytest.mark.parametrize("lamp", ["r", "g", "y"])
def test_only_a_protected_green_that_was_long_enough_counts(lamp: str) -> None:
    line = Line()
    line.cycles(10, lamp)
    for _ in range(10):
        line.show(RED, "r")
        line.show(int(GREEN_S) - 1, "G")
    assert line.dead == 0


def test_a_queue_on_the_road_behind_explains_why_nobody_goes() -> None:
    line = Line()
    moves, free = line.city.network.movements, line.queued
    behind = moves.to_lane[moves.from_lane == line.lanes.lane[line.row]][0]
    line.queued = free.copy()
    line.queued[behind] = line.city.network.lanes.length_m[behind] / 15.0  # half of it
    line.queued.flags.writeable = False
    line.cycles(3 * GREENS)
    assert line.dead == 0
    line.queued = free
    line.cycles(GREENS)
    assert line.dead == len(QUEUE_M)


def test_one_green_that_does_not_end_counts_again_and_again() -> None:
    line = Line()
    line.show(int((GREENS - 1) * AGAIN_S + GREEN_S), "G")
    assert line.dead == 0
    line.show(2, "G")  # the lamp goes on: its second of change stays
    line = Line()
    line.show(int((GREENS - 1) * AGAIN_S + GREEN_S) + 1, "G")
    assert line.dead == len(QUEUE_M)


def test_a_head_that_moves_makes_all_count_again() -> None:
    line = Line()
    line.cycles(GREENS)
    line.show(RED, "r")
    since_s = line.now_s
    for second in range(6):
        line.second("G", since_s, [place + 2.0 * second for place in QUEUE_M[1:]], speed_mps=3.0)
    assert line.dead == 0
    line.cycles(GREENS - 1)
    assert line.dead == 0


def test_an_overlooked_frame_is_no_movement() -> None:
    line = Line()
    for _ in range(GREENS):
        line.show(RED, "r")
        since_s = line.now_s
        for second in range(GREEN):
            line.second("G", since_s, QUEUE_M[1:] if second % 4 == 0 else QUEUE_M)
    assert line.dead == len(QUEUE_M)


def test_who_arrives_behind_counts_until_a_green_has_not_moved_them_either() -> None:
    line = Line()
    line.cycles(GREENS)
    longer = (*QUEUE_M, 46.0)
    line.show(RED, "r", longer)
    assert line.dead == len(QUEUE_M)
    line.cycles(1, places_m=longer)
    assert line.dead == len(longer)


def test_a_queue_that_is_served_is_never_given_up() -> None:
    line = Line()
    for _ in range(10):
        line.show(RED, "r")
        since_s = line.now_s
        line.show(2, "G")
        for second in range(2, 30):
            moving = [m for m in (place - 4.0 * (second - 2) for place in QUEUE_M) if m > 0.0]
            line.second("G", since_s, moving, speed_mps=4.0)
        assert line.dead == 0


def test_a_shared_lane_must_have_had_the_green_of_each_of_its_groups() -> None:
    line = Line("cologne1", lane=1)
    for _ in range(3 * GREENS):
        line.show(RED, "r")
        line.show(GREEN, "G", stream=0)
    assert line.dead == 0
    for _ in range(GREENS):
        line.show(RED, "r")
        line.show(GREEN, "G", stream=1)
    assert line.dead == len(QUEUE_M)


def test_all_is_forgotten_on_reset() -> None:
    line = Line()
    line.cycles(GREENS)
    line.stalled.reset()
    line.show(2, "r")
    assert line.dead == 0


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=12), st.integers(0, 20))
def test_as_many_are_left_out_as_are_dead_the_nearest_first(arrivals: list[float], dead: int) -> None:
    before = np.array([arrivals, arrivals])
    after = before.copy()
    leave_out(np.array([dead, 0]), after)
    assert (after >= 0.0).all()
    assert (after <= before).all()
    np.testing.assert_array_equal(after[1], before[1])
    left_out = np.minimum(np.cumsum(before[0]), dead)
    np.testing.assert_allclose(np.cumsum(before[0]) - np.cumsum(after[0]), left_out, atol=1e-9)


def test_an_invented_queue_gets_its_shortest_green_now_and_then_and_no_more() -> None:
    """The closed loop: the side road's queue never moves, traffic on the main road comes and goes."""
    city = sandbox_city()
    main, side = city.junctions[0].stages
    # the side road from the north is shown 'G' for both of its groups
    stages = (main, msgspec.structs.replace(side, lamps="rrrrGGrr"))
    junction = msgspec.structs.replace(city.junctions[0], stages=stages)
    city = replace(city, junctions=(junction, *city.junctions[1:]))
    brain = create(BrainContext(city=city, options={"control": "brain"}))
    store = Store(city)
    stage, since, target, left = 0, 0.0, 0, -1.0
    side_s = []
    for now in range(1, 901):
        t = float(now)
        signals = sandbox_signals(city, t, stage, since)
        signals = replace(
            signals, stage_since_s=np.array([since, 0.0], np.float32), target=np.array([target, 0], np.int32)
        )
        if target != stage:
            lamps = signals.lamps.copy()
            lamps[: len(city.junctions[0].groups)] = ord("r")
            signals = replace(signals, lamps=lamps)
        rows = [("NAA_0", place, 0.0) for place in QUEUE_M]
        goes = stage == 0 and target == 0 and t - since > 2.0
        rows += [
            (lane, 2.0 + 9.0 * n + (-3.0 * t) % 9.0 * goes, 8.0 * goes)
            for lane in ("WA_0", "BA_0")
            for n in range(2)
        ]
        rows.append(("WA_0", 100.0 - (5.0 * t) % 60.0, 5.0))  # else the picture would look frozen
        store.fold([detections(city, t, rows, range(len(city.junctions))), signals], t)
        wanted = stage_of(brain.advise(store.snapshot(t)))
        if target == stage and wanted is not None and wanted != city.junctions[0].stages[stage].id:
            target, left = 1 - stage, t
        elif target != stage and t - left >= 6.0:
            stage, since = target, t
        if stage == 1 and target == 1:
            side_s.append(t)
    late = [t for t in side_s if t > 300.0]
    starts = [t for t in late if t - 1.0 not in side_s]
    assert 4 <= len(starts) <= 8  # the bound on red: each 84 s to 120 s
    assert len(late) <= 12 * len(starts)
