"""What could be changed in a city, as a what-if asks it: closures, control, plans, demand, detours, events.

Plain records that say nothing of how a change is simulated: `twin/whatif` makes it happen, `evaluate/whatif`
compares with the same future without it.
"""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec

from civicbrain.city.model import City
from civicbrain.city.plan_bounds import find_broken_bound, list_plan_bounds
from civicbrain.city.signals import SignalJunction
from civicbrain.core.errors import ConfigurationError, NotFoundError

SHORTEST_S, LONGEST_S = 60.0, 3600.0
MOST_SEEDS = 20
MOST_CHANGES = 200
MOST_EVENT_VEH_PER_H = 5000.0
_PLACE = "what-if"


class TrafficModel(StrEnum):
    """How the future is simulated."""

    AUTO = "auto"  # microscopic where that is quick enough, else mesoscopic
    MICRO = "micro"  # every vehicle's driving
    MESO = "meso"  # queues: 20 to 50 times faster, coarser (docs/decisions/what-if.md)


class Closure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An edge, or some of its lanes (indexes from the right), closed for the whole horizon; lanes () closes
    the edge. Everybody knows: who had it on the way goes round, or ends the trip before it."""

    edge: str
    lanes: tuple[int, ...] = ()


class PlanSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fixed plan for one junction: seconds of each step of its local plan, and its offset, which counts
    modulo the cycle. The junction follows it as an operator's: no brain decides there meanwhile."""

    junction: str
    durations_s: tuple[float, ...]
    offset_s: float = 0.0


class Detour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """This share (0 to 1) of the drivers with the edge still ahead takes the quickest way without it."""

    edge: str
    share: float


class EventDemand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cars from the start of one edge to the end of another, evenly spread."""

    from_edge: str
    to_edge: str
    veh_per_h: float


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is other than it is. demand_factor: of all departures to come. control: name of a control, ""
    for the one that the city has."""

    closures: tuple[Closure, ...] = ()
    control: str = ""
    plans: tuple[PlanSetting, ...] = ()
    demand_factor: float = 1.0
    detours: tuple[Detour, ...] = ()
    events: tuple[EventDemand, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is changed."""
        return self == Change()


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A what-if: `change` against `against`, both from the same moment. against: by default nothing changed;
    a detour around a closed road is asked with the closure on both sides. seeds: pairs of runs, each with
    its own drivers and departures; bands need two. moment: name of a kept moment of the running city, ""
    for now."""

    change: Change
    against: Change = Change()
    minutes: float = 15.0
    seeds: int = 3
    model: TrafficModel = TrafficModel.AUTO
    moment: str = ""

    @property
    def horizon_s(self) -> float:
        return 60.0 * self.minutes

    def check(self, city: City) -> None:
        """Raise NotFoundError or ConfigurationError at the first thing that does not fit the city."""
        _require("minutes", self.horizon_s, SHORTEST_S, LONGEST_S, 1.0 / 60.0)
        _require("seeds", self.seeds, 1, MOST_SEEDS)
        if self.change == self.against:
            raise ConfigurationError(
                "nothing is changed", place=_PLACE, remedy="close, divert, re-time or add something"
            )
        for change in (self.change, self.against):
            _check_change(change, city)


def _check_change(change: Change, city: City) -> None:
    _require("demand_factor", change.demand_factor, 0.1, 3.0)
    size = len(change.closures) + len(change.plans) + len(change.detours) + len(change.events)
    _require("number of changes", size, 0, MOST_CHANGES)
    for closure in change.closures:
        edge = _find_edge(city, closure.edge)
        start = city.network.edges.lane_start
        count = int(start[edge + 1] - start[edge])
        for lane in closure.lanes:
            if not 0 <= lane < count:
                raise NotFoundError(
                    f"edge {closure.edge!r} has no lane {lane}",
                    place=_PLACE,
                    remedy=f"use 0 (rightmost) to {count - 1}",
                )
    for detour in change.detours:
        _find_edge(city, detour.edge)
        _require("share of a detour", detour.share, 0.0, 1.0)
    for event in change.events:
        _find_edge(city, event.from_edge)
        _find_edge(city, event.to_edge)
        _require("veh_per_h", event.veh_per_h, 1.0, MOST_EVENT_VEH_PER_H)
    for plan in change.plans:
        row = city.signals.row.get(plan.junction)
        if row is None:
            raise NotFoundError(
                f"no junction {plan.junction!r}", place=_PLACE, remedy="`civicbrain city show` lists them"
            )
        steps = len(city.junctions[row].local_plan.steps)
        if len(plan.durations_s) != steps:
            raise ConfigurationError(
                f"the plan of {plan.junction!r} has {steps} steps, not {len(plan.durations_s)}",
                place=_PLACE,
                remedy="give the seconds of each step",
            )
        _require("offset_s of a plan", plan.offset_s, -LONGEST_S, LONGEST_S)
        _check_greens(city.junctions[row], plan)


def _check_greens(junction: SignalJunction, plan: PlanSetting) -> None:
    """Its controller would refuse it, and the answer would be about nothing."""
    broken = find_broken_bound(list_plan_bounds(junction), plan.durations_s)
    if broken is None:
        return
    steps = junction.local_plan.steps
    stages = list(dict.fromkeys(junction.stages[steps[step].stage].id for step in broken.steps))
    raise ConfigurationError(
        f"the plan of {plan.junction!r} gives stage {', '.join(map(repr, stages))} too little time",
        place=_PLACE,
        remedy=f"it needs {broken.least_s:g} s for {broken.why}",
    )


def _find_edge(city: City, edge: str) -> int:
    row = city.network.edges.row.get(edge)
    if row is None:
        raise NotFoundError(
            f"no street section {edge[:80]!r}", place=_PLACE, remedy="use the id of an edge of the city"
        )
    return row


def closed_whole(change: Change, city: City) -> frozenset[str]:
    """Edges of which no lane for cars is left."""
    start = city.network.edges.lane_start
    closed: dict[str, set[int]] = {}
    for closure in change.closures:
        row = city.network.edges.row[closure.edge]
        count = int(start[row + 1] - start[row])
        closed.setdefault(closure.edge, set()).update(closure.lanes or range(count))
    whole = set()
    for edge, lanes in closed.items():
        row = city.network.edges.row[edge]
        use = city.network.lanes.use[int(start[row]) : int(start[row + 1])]
        if all(index in lanes or not use[index] & 1 for index in range(len(use))):
            whole.add(edge)
    return frozenset(whole)


def _require(name: str, value: float, low: float, high: float, shown: float = 1.0) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise ConfigurationError(
            f"{name} is {value * shown:g}",
            place=_PLACE,
            remedy=f"use a value from {low * shown:g} to {high * shown:g}",
        )
