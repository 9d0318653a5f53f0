"""The best stage sequence for arrivals that are all known beforehand, found by beam search.

What a perfect forecast at one junction could reach, under its own stages, intergreens and minimum greens.
The search keeps many schedules side by side, second by second, and drops all but the best of those that
stand alike; it returns the delay of a real schedule of this model, so the model's optimum is not above it:

    a lane holds its vehicles in the order of their arrival at the stop line, and who may not go blocks those
    behind; vehicles stand on a point, so no queue reaches back into another junction;
    a lane of a queue passes one vehicle each `headway_s`; the first waits `startup_s` after the start of
    green; in the first `yellow_used_s` after its end vehicles still pass;
    who shows 'g' passes only while nobody stands or comes within `GAP_S` in a stream that it yields to;
    a vehicle that stops loses `stop_s` beside its wait, braking and gathering speed.

Sources: forward search over stage sequences with known arrivals: PRODYN (Henry, Farges and Tuffal, 1983),
COP (Sen and Head, 1997, Transportation Science 31(1)), schedule-driven control (Xie, Smith, Lu and Barlow,
2012, "Schedule-driven intersection control", Transportation Research C 24); here with the whole window known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

GAP_S = 3
"""Seconds free of the stream it yields to that a vehicle needs, HCM 6th edition ch. 19: critical headway of
4.5 s for permitted left turns, of which the turner's own second and a half lie before the conflict."""


@dataclass(frozen=True)
class JunctionModel:
    """One junction. s stages, g groups; `span` seconds are longer than any switch with its minimum green.

    open: (s, s, span, g) whether group g may go in the second tau after the switch from one stage to another
    began; in [s, s] whether it may in a stage that stands. ready: (s, s) seconds after which that switch and
    its minimum greens are over and the next may begin. yields: (s, g, g) the first group gives way to the
    second in that stage. stop_s: what a vehicle that stops loses beside its wait. every_s: a switch may begin
    only each so many seconds.
    """

    open: Bool
    ready: I64
    yields: Bool
    headway_s: float
    stop_s: float = 0.0
    every_s: int = 1

    @property
    def stages(self) -> int:
        return int(self.open.shape[0])


@dataclass(frozen=True)
class Arrivals:
    """Who comes when. l lanes. order: (l, most + 1) group of each vehicle in turn, -1 behind the last.
    come: (t, l) how many have come by the end of each second."""

    order: I64
    come: I64

    @staticmethod
    def of(lanes: list[list[tuple[float, int]]], begin_s: float, end_s: float) -> Arrivals:
        """lanes: for each lane (second at the stop line, group) in any order."""
        seconds = int(np.ceil(end_s - begin_s))
        most = max((len(lane) for lane in lanes), default=0)
        order = np.full((len(lanes), most + 1), -1, np.int64)
        come = np.zeros((seconds, len(lanes)), np.int64)
        for row, lane in enumerate(lanes):
            inside = sorted(one for one in lane if begin_s <= one[0] < end_s)
            order[row, : len(inside)] = [group for _, group in inside]
            at = np.array([int(time_s - begin_s) for time_s, _ in inside], np.int64)
            come[:, row] = np.cumsum(np.bincount(at, minlength=seconds)[:seconds])
        return Arrivals(order, come)


@dataclass
class _Beam:
    """n schedules side by side."""

    before: I64  # (n,) stage left
    now: I64  # (n,) stage shown or switched to
    age: I64  # (n,) seconds since that switch began
    gone: I64  # (n, l) vehicles that have crossed
    credit: F64  # (n, l) share of a headway since the last one
    cost: F64  # (n,) veh·s so far

    def rows(self, rows: I64) -> _Beam:
        return _Beam(
            self.before[rows], self.now[rows], self.age[rows], self.gone[rows], self.credit[rows],
            self.cost[rows],
        )  # fmt: skip


def replay_delay_s(model: JunctionModel, arrivals: Arrivals, stages: I64) -> float:
    """Delay (veh·s) of a given order: the stage wanted in each second (t,). Wishes wait until `ready`."""
    start = int(stages[0])
    beam = _start(model, arrivals, [start])
    for second, wanted in enumerate(stages.tolist()):
        if wanted != beam.now[0] and beam.age[0] >= model.ready[beam.before[0], beam.now[0]]:
            beam.before, beam.now, beam.age = beam.now, np.array([wanted]), np.array([0])
        _advance(model, arrivals, beam, second)
    return float(beam.cost[0])


def foresight_delay_s(model: JunctionModel, arrivals: Arrivals, width: int = 40) -> float:
    """Delay (veh·s) of the best stage sequence found. width: schedules kept of those alike, that is with the
    same stage and the same time until the next switch may begin."""
    beam = _start(model, arrivals, list(range(model.stages)))
    span = model.open.shape[2]
    for second in range(len(arrivals.come)):
        if second % model.every_s == 0:
            beam = _branch(model, beam)
        _advance(model, arrivals, beam, second)
        waiting = arrivals.come[second] - beam.gone
        # a queue costs about the time in which it could be served: half of its square of headways
        score = beam.cost + (waiting * (0.5 * model.headway_s * waiting + 2.0 * model.headway_s)).sum(axis=1)
        left = np.maximum(model.ready[beam.before, beam.now] - beam.age, 0)
        alike = beam.now * (span + 1) + left
        order = np.lexsort((score, alike))
        first = np.r_[True, np.diff(alike[order]) != 0]
        counted = np.arange(len(order))
        place = counted - np.maximum.accumulate(np.where(first, counted, 0))
        twin = np.r_[False, (np.diff(score[order]) < 1e-9) & ~first[1:]]
        beam = beam.rows(order[(place < width) & ~twin])
    return float(beam.cost.min())


def _start(model: JunctionModel, arrivals: Arrivals, stages: list[int]) -> _Beam:
    count, lanes = len(stages), arrivals.come.shape[1]
    shown = np.array(stages, np.int64)
    return _Beam(
        shown, shown.copy(), np.full(count, model.open.shape[2]),
        np.zeros((count, lanes), np.int64), np.ones((count, lanes)), np.zeros(count),
    )  # fmt: skip


def _branch(model: JunctionModel, beam: _Beam) -> _Beam:
    """Each schedule as it is, and, where it may, switching to each other stage now."""
    parts = [beam]
    free = np.flatnonzero(beam.age >= model.ready[beam.before, beam.now])
    for stage in range(model.stages):
        rows = free[beam.now[free] != stage]
        if len(rows):
            part = beam.rows(rows)
            part.before, part.now = part.now, np.full(len(rows), stage)
            part.age = np.zeros(len(rows), np.int64)
            parts.append(part)
    return _Beam(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("before", "now", "age", "gone", "credit", "cost")
        )
    )


def _advance(model: JunctionModel, arrivals: Arrivals, beam: _Beam, second: int) -> None:
    """One second of every schedule, in place."""
    last = model.open.shape[2] - 1
    lanes = np.arange(arrivals.come.shape[1])
    come = arrivals.come[second]
    before = np.where(beam.age >= last, beam.now, beam.before)
    open_groups = model.open[before, beam.now, np.minimum(beam.age, last)]
    head = arrivals.order[lanes, beam.gone]  # (n, l)
    soon = beam.gone < arrivals.come[min(second + GAP_S, len(arrivals.come) - 1)]
    groups = np.zeros((len(head), model.open.shape[3] + 1), np.bool_)
    np.put_along_axis(groups, np.where(soon, head, -1), True, axis=1)
    blocked = (model.yields[beam.now] & groups[:, None, :-1]).any(axis=2)
    may = np.take_along_axis(open_groups & ~blocked, np.maximum(head, 0), axis=1)
    beam.credit = np.minimum(beam.credit + 1.0 / model.headway_s, 1.0)
    goes = may & (beam.gone < come) & (beam.credit >= 1.0 - 1e-9)
    beam.gone = beam.gone + goes
    beam.credit = beam.credit - goes
    waiting = come - beam.gone
    fresh = come - (arrivals.come[second - 1] if second else 0)
    stopped = np.minimum(waiting, fresh)
    beam.cost = beam.cost + waiting.sum(axis=1) + model.stop_s * stopped.sum(axis=1)
    beam.age = np.minimum(beam.age + 1, last + 1)
