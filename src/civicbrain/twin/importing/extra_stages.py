"""Stages that the city's plan lacks: fuller uses of what is compatible, offered to the centre.

A plan pairs approaches (north with south). Where one approach has the queue, showing it alone with its left
turn at 'G' empties lanes that both ways share; the conflict table allows it, the plan never shows it. Such a
set of groups is a maximal clique of the graph "may be green together", found by the algorithm of Bron and
Kerbosch (Algorithm 457, CACM 16(9), 1973) with the pivot of Tomita et al. (2006).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

import msgspec

from civicbrain.city.signals import Conflict, GroupKind, SignalJunction, Stage
from civicbrain.twin.plan import unsafe_stages

MOST_EXTRA_STAGES = 8
"""At one junction. More rarely help, and every control weighs each of them every second."""
_MOST_CLIQUES = 300
_MOST_CALLS = 20_000
"""Cliques grow exponentially with the groups (3^(g/3) at worst): the search ends after so many."""


def with_extra_stages(junction: SignalJunction, limit: int = MOST_EXTRA_STAGES) -> SignalJunction:
    """The junction with at most `limit` extra stages after its own, those with most groups at 'G' first.

    In an extra stage a clique of groups shows 'G', pedestrians and whoever conflicts show 'r'. A group that
    yields ('g') is added only where a stage of the junction shows it so beside the same rivals. A clique that
    is contained in the 'G' of another stage is left out. A junction that has extra stages stays as it is.
    """
    wheels = [row for row, group in enumerate(junction.groups) if group.kind is not GroupKind.PEDESTRIAN]
    if len(wheels) < 2 or limit < 1 or any(stage.extra for stage in junction.stages):
        return junction
    unsafe = unsafe_stages(junction)
    known = [stage.lamps for row, stage in enumerate(junction.stages) if row not in unsafe]
    shown = [frozenset(row for row, lamp in enumerate(lamps) if lamp == "G") for lamps in known]
    beside = {
        a: frozenset(b for b in wheels if b != a and junction.conflict[a][b] == Conflict.NONE) for a in wheels
    }
    cliques = islice(maximal_cliques(beside), _MOST_CLIQUES)
    fresh = [sorted(clique) for clique in cliques if not any(clique <= groups for groups in shown)]
    fresh.sort(key=lambda clique: (-len(clique), clique))
    ids = {stage.id for stage in junction.stages}
    stages = list(junction.stages)
    for clique in fresh[:limit]:
        stage_id = f"s{len(stages) + 1}"
        if stage_id in ids:
            break  # a source with ids of its own: nothing is mixed up with its stages
        lamps = _with_yielding(junction, clique, wheels, known)
        stages.append(Stage(stage_id, lamps, derived=True, extra=True))
    return msgspec.structs.replace(junction, stages=tuple(stages))


def maximal_cliques(beside: Mapping[int, frozenset[int]]) -> Iterator[frozenset[int]]:
    """Each largest set of nodes that are all neighbours of each other, once, in an order fixed by the graph.

    beside: neighbours of each node (symmetric, no node beside itself). Ends early, with those found so far,
    where the graph is too large to finish.
    """
    calls = 0

    def grow(
        clique: frozenset[int], candidates: frozenset[int], done: frozenset[int]
    ) -> Iterator[frozenset[int]]:
        nonlocal calls
        calls += 1
        if calls > _MOST_CALLS:
            return
        if not candidates and not done:
            yield clique
            return
        if not candidates:
            return
        pivot = max(sorted(candidates | done), key=lambda node: len(beside[node] & candidates))
        for node in sorted(candidates - beside[pivot]):
            yield from grow(clique | {node}, candidates & beside[node], done & beside[node])
            candidates, done = candidates - {node}, done | {node}

    return grow(frozenset(), frozenset(beside), frozenset()) if beside else iter(())


def _with_yielding(junction: SignalJunction, clique: list[int], wheels: list[int], known: list[str]) -> str:
    """One lamp a group: 'G' for the clique, 'g' for who may yield beside it, 'r' for the others."""
    lamps = ["G" if row in clique else "r" for row in range(len(junction.groups))]
    for row in wheels:
        if lamps[row] == "r" and all(
            _may_yield(row, other, lamps, junction.conflict[row][other], known)
            for other in range(len(lamps))
            if lamps[other] != "r"
        ):
            lamps[row] = "g"
    return "".join(lamps)


def _may_yield(row: int, other: int, lamps: list[str], kind: int, known: list[str]) -> bool:
    """Whether 'g' may stand beside the other's lamp: no conflict, or so shown by a stage of the junction."""
    if kind == Conflict.PERMITTED:
        return any(stage[row] == "g" and stage[other] == lamps[other] for stage in known)
    return kind == Conflict.NONE
