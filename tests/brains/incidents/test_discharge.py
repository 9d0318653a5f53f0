"""First vehicles that do not go: what counts, what does not, and what is learned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from incident_street import CITY, all_green, frame, lamps

from civicbrain.brains.incidents.discharge import LINE_NATS, Discharge, together
from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.tracks import Step, Tracks
from civicbrain.city.incidents import IncidentKind

LANE = CITY.network.lanes.row["WA_0"]
CAMERAS = len(CITY.junctions)


class Line:
    """The line of WA, with somebody at it or nobody."""

    def __init__(self) -> None:
        self.layout = Layout(CITY)
        self.tracks, self.line = Tracks(self.layout), Discharge(self.layout)
        self.now_s = 0.0

    def play(self, seconds: int, *, stands: bool, green: bool = True, full: bool = False) -> list[Suspicion]:
        found: list[Suspicion] = []
        for _ in range(seconds):
            self.now_s += 1.0
            seen = frame(self.now_s, [("WA_0", 1.0, 0.0)] if stands else [])
            step = self.tracks.update(seen, np.full(CAMERAS, self.now_s))
            assert isinstance(step, Step)
            rows = np.flatnonzero(self.tracks.missed == 0)
            held = np.full(len(self.layout.camera), full)
            states = all_green(self.now_s) if green else lamps(self.now_s, lambda _: False)
            watched = np.ones(len(self.layout.camera), np.bool_)
            weight = np.ones(len(rows), np.float32)
            seen = np.ones(len(CITY.network.edges.ids), np.bool_)
            found = self.line.update(self.tracks, step, rows, weight, held, states, watched, seen)
        return found

    @property
    def nats(self) -> float:
        return float(self.line.score[LANE])


def certain(found: Sequence[Suspicion]) -> list[Suspicion]:
    return [one for one in found if one.ratio >= 1.0]


def test_a_head_that_stands_on_at_green_is_suspected_within_a_minute() -> None:
    line = Line()
    assert certain(line.play(5, stands=True)) == []
    [one] = certain(line.play(50, stands=True))
    assert one.kind is IncidentKind.STOPPED_VEHICLE
    assert one.at_line
    assert line.nats >= LINE_NATS


def test_red_and_a_full_exit_are_reasons_to_stand() -> None:
    line = Line()
    assert line.play(120, stands=True, green=False) == []
    assert line.play(120, stands=True, full=True) == []
    assert line.nats == 0.0


def test_what_is_ordinary_at_a_line_is_learned() -> None:
    slow, brisk = Line(), Line()
    for _ in range(12):
        slow.play(14, stands=True)
        slow.play(6, stands=False)
        brisk.play(1, stands=True)
        brisk.play(6, stands=False)
    slow.play(14, stands=True)
    brisk.play(14, stands=True)
    assert brisk.nats > 1.5 * slow.nats


def test_what_happens_again_and_again_at_a_line_is_usual_there_though_it_was_suspected() -> None:
    line = Line()
    line.play(60, stands=True)
    first = line.nats
    assert first >= LINE_NATS
    line.play(8, stands=False)
    for _ in range(3):
        line.play(60, stands=True)
        line.play(8, stands=False)
    line.play(60, stands=True)
    assert line.nats < 0.6 * LINE_NATS


def test_one_full_exit_may_hold_up_several_approaches_unless_it_is_proven_free() -> None:
    shared, apart = frozenset({1, 2}), frozenset({3})
    unknown, free = np.zeros(4, np.bool_), np.ones(4, np.bool_)
    assert together([(9.0, shared), (6.0, apart)], unknown) == 15.0
    assert together([(9.0, shared), (6.0, shared)], free) == 15.0
    assert together([(9.0, frozenset({1})), (6.0, frozenset({1}))], unknown) == 9.0
    assert together([(9.0, shared), (6.0, shared)], unknown) == pytest.approx(9.0 + 2 * np.log(2.0))
