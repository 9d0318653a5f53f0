"""Streams that are never green together, and the least waiting that this alone costs a network."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from civicbrain.city.model import City
from civicbrain.city.signals import Conflict, SignalJunction
from civicbrain.evaluate.stop_lines import Passing, StopLines
from civicbrain.science.clairvoyant import (
    arrivals_by_step,
    least_delay_s,
    least_delay_without_switching_s,
)

HEADWAY_S = 1.3
"""Never less between two vehicles of a lane: the smallest cars of the scenarios (4.3 m and 1.5 m of gap), 1 s
behind the one ahead, at 60 km/h and a fast driver: 1 s + 5.8 m / (18.4 m/s)."""
YELLOW_USED_S = 2.5  # as in junction_model
_MOST_MEMBERS = 4
_MOST_STATES = 6_000
_LEAST_VEHICLES = 5


@dataclass(frozen=True, slots=True)
class Stream:
    """What one signal group serves."""

    group: int
    lanes: frozenset[int]
    passings: tuple[Passing, ...]


def least_waiting_s(city: City, lines: Sequence[StopLines], begin_s: float, end_s: float) -> float:
    """Waiting (veh·s) that no control of this network can save.

    Each vehicle counts at one stop line of its way. Its free-road time r there is the earliest it could be
    there; whatever held it up before, it crosses at C >= r and is late by at least C - r in the end. Letting
    everybody arrive at r, and leaving the others out, can only lower the least sum of C - r. Were a vehicle
    counted at two stop lines, waiting at the first would count again as being late at the second.
    Junctions with most traffic come first: there waiting is dearest.
    """
    charged: set[str] = set()
    total_s = 0.0
    for row in sorted(range(len(lines)), key=lambda each: -sum(map(len, lines[each].lanes.values()))):
        streams = []
        for group, passings in sorted(lines[row].groups().items(), key=lambda item: -len(item[1])):
            mine: dict[str, Passing] = {}
            for passing in passings:
                if passing.vehicle not in charged:
                    mine.setdefault(passing.vehicle, passing)
            charged.update(mine)
            streams.append(Stream(group, frozenset(lines[row].lanes_of[group]), tuple(mine.values())))
        total_s += junction_waiting_s(city.junctions[row], streams, begin_s, end_s)
    return total_s


def junction_waiting_s(
    junction: SignalJunction, streams: Sequence[Stream], begin_s: float, end_s: float
) -> float:
    """Least waiting at one junction (veh·s): cliques that share no stream add up; of two ways to choose them
    the one that says more counts."""
    return max(
        sum(
            _clique_waiting_s(junction, clique, begin_s, end_s)
            for clique in disjoint_cliques(junction, streams, merge=merge)
        )
        for merge in (True, False)
    )


def disjoint_cliques(
    junction: SignalJunction, streams: Sequence[Stream], *, merge: bool
) -> list[list[list[Stream]]]:
    """Cliques, heaviest first; no stream is in two. A member is a list of streams: one, or with `merge` all
    that exclude every other member, whose lanes then serve them all."""
    rest = [stream for stream in streams if len(stream.passings) >= _LEAST_VEHICLES]
    result = []
    while best := _heaviest(junction, rest):
        members = [[stream] for stream in best]
        rest = [stream for stream in rest if stream not in best]
        if merge:
            for stream in list(rest):
                for member in members:
                    others = [one for each in members if each is not member for one in each]
                    if all(_exclude(junction, stream, one) for one in others):
                        member.append(stream)
                        rest.remove(stream)
                        break
        result.append(members)
    return result


def _heaviest(junction: SignalJunction, streams: Sequence[Stream]) -> tuple[Stream, ...]:
    best: tuple[Stream, ...] = ()
    most = 0.0
    for size in range(2, min(_MOST_MEMBERS, len(streams)) + 1):
        for candidate in itertools.combinations(streams, size):
            load = sum(len(stream.passings) / max(len(stream.lanes), 1) for stream in candidate)
            if load > most and all(_exclude(junction, a, b) for a, b in itertools.combinations(candidate, 2)):
                best, most = candidate, load
    return best


def _clique_waiting_s(
    junction: SignalJunction, members: Sequence[Sequence[Stream]], begin_s: float, end_s: float
) -> float:
    steps = math.ceil((end_s - begin_s) / HEADWAY_S)
    times_s = [[passing.time_s for stream in member for passing in stream.passings] for member in members]
    lanes = [len(frozenset().union(*(stream.lanes for stream in member))) for member in members]
    switch = [[0 if a is b else _switch_steps(junction, a, b) for b in members] for a in members]
    scale = (_MOST_STATES / math.prod(max(len(times), 1) for times in times_s)) ** (1.0 / len(members))
    caps = [min(max(int(scale * len(times)), 2 * n), 200) for times, n in zip(times_s, lanes, strict=True)]
    arrivals = [arrivals_by_step(times, begin_s, HEADWAY_S, steps) for times in times_s]
    return max(
        least_delay_s(arrivals, lanes, switch, HEADWAY_S, caps),
        least_delay_without_switching_s(arrivals, lanes, HEADWAY_S),
    )


def _switch_steps(junction: SignalJunction, a: Sequence[Stream], b: Sequence[Stream]) -> int:
    least_s = min(junction.intergreen_s[x.group][y.group] for x in a for y in b)
    return max(0, int((least_s - YELLOW_USED_S) / HEADWAY_S + 1e-9))


def _exclude(junction: SignalJunction, a: Stream, b: Stream) -> bool:
    return junction.conflict[a.group][b.group] == Conflict.PROHIBITED
