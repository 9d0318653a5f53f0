"""What each step of a junction's local plan serves: the static part, made once from the city."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from civicbrain.brains.signals.approach import Streams
from civicbrain.brains.signals.stages import list_switches, start_delays
from civicbrain.city.model import City
from civicbrain.city.network import F64, I32
from civicbrain.city.plan_bounds import PlanBound, list_plan_bounds
from civicbrain.city.signals import Conflict
from civicbrain.science.cyclic_flow import I8, I64, RED, RIGHT_OF_WAY, YIELDS
from civicbrain.science.fixed_time import TURN_FACTOR

_SHOWS = {"G": RIGHT_OF_WAY, "g": YIELDS}

END_LOSS_S = 1.0
"""Green lost at its end: drivers who can still stop when yellow comes do so, and no yellow is used. With
STARTUP_LOSS_S 2.5 s a green in all, against 2 s + 2 s less the yellow used in HCM 2016 ch. 19. Of 0, 1 and
1.5 s, 0 was worse in the twin and the others alike (chosen on the scenarios of benchmarks/plans)."""

STUB_M = 12.0
"""A lane shorter than this holds a vehicle at most: what feeds it decides how much it passes."""


@dataclass(frozen=True, eq=False)
class PlanTable:
    """One junction: n steps of its local plan, k streams.

    streams: (k,) city-wide rows. shows: (n, k). start_s: (n, k) from the start of a step to effective green
    of a stream that starts in it. rival_start, rivals: whom a stream gives way to where it yields.
    turn_factor: (k,). durations_s: (n,) the local plan's, whole seconds. roots: lanes that feed each stream.
    """

    junction: int
    id: str
    streams: I32
    shows: I8
    start_s: F64
    rival_start: I64
    rivals: I64
    turn_factor: F64
    bounds: tuple[PlanBound, ...]
    durations_s: I64
    offset_s: float
    roots: tuple[tuple[int, ...], ...]

    @property
    def least_s(self) -> I64:
        """(n,) shortest durations that hold the bounds."""
        return extended(np.ones(len(self.durations_s), dtype=np.int64), self.bounds)


def extended(durations_s: I64, bounds: tuple[PlanBound, ...]) -> I64:
    """Durations lengthened until every bound holds: within a run of steps, the last ones first."""
    result = durations_s.copy()
    for bound in sorted(bounds, key=lambda bound: len(bound.steps)):
        missing = int(np.ceil(bound.least_s - 1e-6)) - int(sum(result[step] for step in bound.steps))
        if missing > 0:
            result[bound.steps[-1]] += missing
    return result


def build_tables(city: City, streams: Streams) -> list[PlanTable]:
    """One table a junction, in the city's order."""
    return list(make_tables(city, streams))


def make_tables(city: City, streams: Streams) -> Iterator[PlanTable]:
    """The same, one after the other, for who has little time at once."""
    of_junction = np.searchsorted(streams.junction, np.arange(len(city.junctions) + 1))
    moves = city.network.movements
    factor = np.array([TURN_FACTOR.get(chr(turn), 1.0) for turn in moves.turn])
    known = streams.movement_stream >= 0
    sums = np.bincount(streams.movement_stream[known], factor[known], streams.count)
    counts = np.bincount(streams.movement_stream[known], minlength=streams.count)
    turn_factor = sums / np.maximum(counts, 1)
    for row, junction in enumerate(city.junctions):
        own = np.arange(of_junction[row], of_junction[row + 1]).astype(np.int32)
        group = streams.group[own] - city.signals.group_start[row]
        steps = junction.local_plan.steps
        delays_s = start_delays(list_switches(junction))
        shows = np.zeros((len(steps), len(own)), dtype=np.int8)
        start_s = np.zeros((len(steps), len(own)))
        for number, step in enumerate(steps):
            lamps = junction.stages[step.stage].lamps
            shows[number] = [_SHOWS.get(lamps[g], RED) for g in group]
            if len(steps) > 1:
                delays = delays_s[steps[number - 1].stage + 1, step.stage, group]
                starts = np.isfinite(delays) & (delays > 0.0)
                start_s[number] = np.where(starts, delays + END_LOSS_S, 0.0)
        permitted = junction.conflict_array[np.ix_(group, group)] == Conflict.PERMITTED
        pairs = [np.flatnonzero(line) for line in permitted]
        bounds = list_plan_bounds(junction)
        durations = np.maximum(np.round([step.duration_s for step in steps]), 1).astype(np.int64)
        yield PlanTable(
            junction=row,
            id=junction.id,
            streams=own,
            shows=shows,
            start_s=start_s,
            rival_start=np.concatenate(([0], np.cumsum([len(p) for p in pairs]))).astype(np.int64),
            rivals=np.concatenate([*pairs, np.zeros(0, dtype=np.int64)]).astype(np.int64),
            turn_factor=turn_factor[own],
            bounds=bounds,
            durations_s=extended(durations, bounds),
            offset_s=junction.local_plan.offset_s,
            roots=tuple(_roots(city, int(streams.lane[k])) for k in own),
        )


def _roots(city: City, lane: int) -> tuple[int, ...]:
    """The lanes that really hold the queue of an approach lane: itself, or what feeds a stub lane."""
    moves = city.network.movements
    order, start = city.network.movements_to
    found, frontier, seen = [], [lane], {lane}
    while frontier:
        here = frontier.pop()
        feeders = order[start[here] : start[here + 1]]
        if (
            city.network.lanes.length_m[here] >= STUB_M
            or not len(feeders)
            or (moves.junction[feeders] >= 0).any()
        ):
            found.append(here)
            continue
        for feeder in moves.from_lane[feeders].tolist():
            if feeder not in seen:
                seen.add(feeder)
                frontier.append(feeder)
    return tuple(sorted(found)) or (lane,)
