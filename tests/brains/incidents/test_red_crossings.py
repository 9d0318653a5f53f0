"""Who crosses at reported red: what counts, what is only an overlooked vehicle, what speaks against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from incident_street import CITY, Vehicle, frame

from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.red_crossings import NATS, RedCrossings
from civicbrain.brains.incidents.tracks import Tracks

ROW = CITY.signals.row["A"]
GONE: list[Vehicle] = []


class Line:
    """All lines, reported red for ever."""

    def __init__(self) -> None:
        self.layout = Layout(CITY)
        self.tracks, self.crossings = Tracks(self.layout), RedCrossings(self.layout)
        self.now_s = 0.0

    def play(self, frames: Sequence[Sequence[Vehicle]]) -> float:
        """A second each; the score after them."""
        for vehicles in frames:
            self.now_s += 1.0
            step = self.tracks.update(frame(self.now_s, vehicles), np.full(len(CITY.junctions), self.now_s))
            assert step is not None
            every = np.ones(len(self.layout.camera), np.bool_)
            self.crossings.update(self.tracks, step, every, every)
        return float(self.crossings.score[ROW])


def drive(lane: str = "WA_0", speed: float = 4.0) -> list[list[Vehicle]]:
    """One who comes slowly, as to look, drives over the line, and is gone."""
    return [*([(lane, d, speed)] for d in np.arange(6.0 * speed - 1.0, 0.0, -speed)), *[GONE] * 6]


def test_three_who_slow_down_and_drive_on_at_reported_red_show_a_dark_signal() -> None:
    line = Line()
    assert 0.0 < line.play(drive()) < NATS
    assert line.play(drive("AB_0")) < NATS  # at the other junction
    assert line.play(drive("BA_0")) < NATS
    assert line.play(drive()) >= NATS
    assert line.crossings.first_s[ROW] < 10.0


def test_one_who_was_overlooked_and_stands_at_the_line_has_not_crossed() -> None:
    line = Line()
    here: list[Vehicle] = [("WA_0", 1.0, 0.0)]
    assert line.play([*drive(speed=5.0)[:-6], GONE, *[here] * 20]) == 0.0


def test_a_platoon_counts_once_and_those_who_stop_speak_against() -> None:
    one, two = Line(), Line()
    single = one.play(drive(speed=8.0))
    pair = [
        [(lane, d, v) for lane, d, v in (*a, *b) if d > 0.0]
        for a, b in zip([*drive(speed=8.0), GONE, GONE], [GONE, GONE, *drive(speed=8.0)], strict=True)
    ]
    assert two.play(pair) < 1.1 * single
    stops: list[Vehicle] = [("WA_0", 1.0, 0.0)]
    left = one.play([*[stops] * 20, *[GONE] * 8, *[stops] * 20])
    assert left < 0.7 * single


def test_what_is_usual_at_a_junction_says_less_there() -> None:
    line = Line()
    first = line.play(drive())
    for _ in range(30):  # an hour later, each time
        line.now_s += 3600.0
        line.tracks.reset()
        line.crossings.score[:] = 0.0
        line.crossings._dark[:] = 0.0
        line.crossings._lane[:] = 0.0
        last = line.play(drive())
    assert last < 0.6 * first
