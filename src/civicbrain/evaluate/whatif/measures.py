"""Measures to try about a closure: detours along the next best way, and gating at the feeders."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import msgspec

from civicbrain.city.model import City
from civicbrain.city.plan_bounds import find_broken_bound, list_plan_bounds
from civicbrain.city.proposals import ProposalKind
from civicbrain.city.whatif import Change, Closure, Detour, PlanSetting, closed_whole
from civicbrain.twin.whatif.branch import Traffic
from civicbrain.twin.whatif.detours import Detours

SHARES = (0.3, 0.6)
"""Shares of drivers that follow a sign or their navigation, as tried."""

LONGEST_LOOK = 3
"""Sections before and behind the closure among which leaving and coming back are looked for."""

MOST_EXTRA_S = 600.0
GATED = (0.6, 0.75, 0.9)
"""Factors on the green of who feeds the closure; the least that the junction's bounds allow is taken."""

MOST_FEEDERS = 3


@dataclass(frozen=True)
class Way:
    """A detour: sections from where drivers leave to where they come back, both included."""

    edges: tuple[str, ...]
    extra_s: float


@dataclass(frozen=True)
class Measure:
    """Something to try; change includes the closure."""

    kind: ProposalKind
    change: Change
    way: Way | None = None
    share: float = 0.0
    held: tuple[str, ...] = ()


def count_users(traffic: Traffic, edge: str) -> int:
    """Vehicles with the edge still ahead."""
    return sum(edge in one.edges[1:] for one in traffic.vehicles)


def find_way(city: City, traffic: Traffic, closure: Closure) -> Way | None:
    """The best way around: of the usual ways in and out, the one that most drivers can take for the least
    time more, at the travel times of now. None where there is no way within `MOST_EXTRA_S`."""
    detours = Detours(city, Change(), traffic.edge_time_s, seed=0)
    found: list[tuple[float, Way]] = []
    ends: Counter[tuple[str, str]] = Counter()
    spans: dict[tuple[str, str], tuple[str, ...]] = {}
    for one in traffic.vehicles:
        if closure.edge not in one.edges[1:]:
            continue
        at = one.edges.index(closure.edge, 1)
        for before in range(max(0, at - LONGEST_LOOK), at):
            for behind in range(at + 1, min(at + 1 + LONGEST_LOOK, len(one.edges))):
                pair = (one.edges[before], one.edges[behind])
                ends[pair] += 1
                spans[pair] = one.edges[before : behind + 1]
    for pair, count in ends.most_common(30):
        way = detours.find_way(*pair, frozenset([closure.edge]))
        if way is None:
            continue
        extra_s = detours.time_s(way) - detours.time_s(spans[pair])
        if extra_s <= MOST_EXTRA_S:
            found.append((count / (1.0 + max(extra_s, 0.0) / 60.0), Way(way, round(extra_s, 1))))
    return max(found, key=lambda one: (one[0], one[1].edges))[1] if found else None


def list_measures(city: City, traffic: Traffic, closure: Closure) -> list[Measure]:
    """What to try: none where nobody is concerned."""
    base = Change(closures=(closure,))
    measures: list[Measure] = []
    way = find_way(city, traffic, closure)
    if way is not None and not closed_whole(base, city):  # else everybody has gone round already
        for share in SHARES:
            change = msgspec.structs.replace(base, detours=(Detour(closure.edge, share),))
            measures.append(Measure(ProposalKind.DETOUR, change, way, share))
    plans = gating_plans(city, closure.edge)
    if plans:
        change = msgspec.structs.replace(base, plans=plans)
        held = tuple(plan.junction for plan in plans)
        measures.append(Measure(ProposalKind.GATING, change, way=None, held=held))
    return measures


def gating_plans(city: City, edge: str) -> tuple[PlanSetting, ...]:
    """Plans for the junctions from which traffic comes onto the edge: those steps of the local plan that let
    it in are shorter, the others longer, the cycle as it was. () where no plan allows it."""
    network = city.network
    moves, lanes = network.movements, network.lanes
    row = network.edges.row[edge]
    plans = []
    targets: list[int] = [row]
    seen: set[int] = set()
    for target in targets:
        into = (lanes.edge[moves.to_lane] == target) & (moves.junction >= 0)
        for junction in sorted(set(moves.junction[into].tolist()) - seen):
            seen.add(junction)
            plan = _held(city, junction, set(moves.group[into & (moves.junction == junction)].tolist()))
            if plan is not None:
                plans.append(plan)
        if len(seen) >= MOST_FEEDERS or len(targets) > LONGEST_LOOK:
            break
        targets += sorted(set(lanes.edge[moves.from_lane[lanes.edge[moves.to_lane] == target]].tolist()))
    return tuple(plans[:MOST_FEEDERS])


def _held(city: City, row: int, groups: set[int]) -> PlanSetting | None:
    """The local plan with less green for these (city-wide) groups."""
    junction = city.junctions[row]
    first = int(city.signals.group_start[row])
    own = {group - first for group in groups if group >= first}
    steps = junction.local_plan.steps
    feeds = [any(junction.stages[step.stage].lamps[group] in "Gg" for group in own) for step in steps]
    bounds = list_plan_bounds(junction)
    durations_s = [step.duration_s for step in steps]
    for row, feeding in enumerate(feeds):  # step by step: transitions cannot be shorter, greens can
        for factor in GATED if feeding else ():
            tried = [*durations_s]
            tried[row] = round(steps[row].duration_s * factor, 1)
            if find_broken_bound(bounds, tried) is None:
                durations_s = tried
                break
    won_s = sum(step.duration_s for step in steps) - sum(durations_s)
    others = [row for row, feeding in enumerate(feeds) if not feeding]
    if won_s <= 0.0 or not others:
        return None
    durations_s[max(others, key=lambda row: steps[row].duration_s)] += round(won_s, 1)
    return PlanSetting(junction.id, tuple(durations_s), junction.local_plan.offset_s)
