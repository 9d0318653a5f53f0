"""Which stage would serve an approach, and what the brain that controls the junction has in mind with it.

A stage that the brain knows to be of no use is not named: one whose road ahead is full, one that it leaves
out or that would serve nobody. What the brain does anyway is said to be so, and what it expects to cost more
is told with how much.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from civicbrain.city.approaches import Approach
from civicbrain.city.model import City
from civicbrain.city.observations import SignalStates
from civicbrain.city.signals import SignalJunction
from civicbrain.contracts.worst import StageState
from civicbrain.runtime.explanations import Explained

BLOCKED_SHARE = 0.5
"""Of those who wait on an approach or come within 10 s; so many before a full road, and green there is of no
use."""

AS_GOOD = 0.999

COSTS_LAST_S = 10.0
"""A stage that has just begun is not weighed against others for its least green."""


@dataclass(frozen=True, slots=True)
class StageWord:
    """stage: that serves the approach best, "" where none is of use. chosen: the brain's choice, "" unknown.
    from_s: second in which it comes; more_veh_s: delay expected from it beyond that of the brain's choice."""

    stage: str = ""
    state: StageState = StageState.UNKNOWN
    chosen: str = ""
    from_s: float | None = None
    more_veh_s: float | None = None


class Serving:
    """Asks of single approaches. Of the costs the last that were told count: a stage that has just begun has
    none for some seconds."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._costs: dict[int, tuple[float, dict[str, float]]] = {}
        self._named: dict[Approach, Mapping[int, str]] = {}

    def full_groups(self, approach: Approach, said: Explained) -> tuple[int, ...]:
        """City-wide rows of the groups before a full road, where most of those who wait on the approach want
        to go there; else none."""
        names = self._names(approach)
        full = {group for group, name in names.items() if name in said.full_outlets}
        if not full:
            return ()

        def waiting_veh(name: str) -> float:
            return said.queue_veh.get(name, 0.0) + said.demand_veh.get(name, 0.0)

        total = sum(map(waiting_veh, names.values()))
        blocked = sum(waiting_veh(names[group]) for group in full)
        if blocked < BLOCKED_SHARE * total or (total == 0.0 and len(full) < len(names)):
            return ()
        return tuple(sorted(full))

    def list_groups(self, junction: str, names: Collection[str]) -> list[int]:
        """City-wide rows of a junction's groups."""
        row = self._city.signals.row[junction]
        first = int(self._city.signals.group_start[row])
        return [first + k for k, one in enumerate(self._city.junctions[row].groups) if one.id in names]

    def word(
        self, row: int, approach: Approach, said: Explained | None, signals: SignalStates, now_s: float
    ) -> StageWord:
        """said: what the junction's brain says now, None where it says nothing."""
        return self.weigh(row, self._worth(self._city.junctions[row], approach, said), said, signals, now_s)

    def weigh(
        self, row: int, worth: Mapping[str, float], said: Explained | None, signals: SignalStates,
        now_s: float,
    ) -> StageWord:  # fmt: skip
        """Of stages that are worth something. Among those that are worth as much, what the brain does anyway
        goes first, then what it expects to cost least."""
        junction = self._city.junctions[row]
        if said is None:
            return StageWord(_best(worth))
        costs = self._costs_of(row, said, now_s)
        left_out = _left_out(junction, said, costs)
        useful = {stage: value for stage, value in worth.items() if stage not in left_out}
        word = StageWord(chosen=said.chosen)
        if not useful:
            return replace(word, state=StageState.LEFT_OUT) if worth else word
        most = max(useful.values())
        best = [stage for stage, value in useful.items() if value >= AS_GOOD * most]
        shown, target = int(signals.stage[row]), int(signals.target[row])
        steady = not 0 <= target < len(junction.stages) or target == shown
        on = junction.stages[shown].id if 0 <= shown < len(junction.stages) else ""
        if steady and on in best:
            return replace(word, stage=on, state=StageState.SHOWN)
        coming = next((part for part in said.schedule if part.stage in best and part.from_s >= now_s), None)
        if not steady and junction.stages[target].id in best:
            return replace(word, stage=junction.stages[target].id, state=StageState.NEXT)
        if said.chosen in best:
            return replace(word, stage=said.chosen, state=StageState.NEXT)
        if coming is not None:
            return replace(word, stage=coming.stage, state=StageState.NEXT, from_s=coming.from_s)
        stage = min(best, key=lambda one: costs.get(one, 0.0))
        if stage in costs and said.chosen in costs and costs[stage] >= costs[said.chosen]:
            more_veh_s = costs[stage] - costs[said.chosen]
            return replace(word, stage=stage, state=StageState.COSTS_MORE, more_veh_s=more_veh_s)
        return replace(word, stage=stage, state=StageState.OTHER if said.chosen else StageState.UNKNOWN)

    def _names(self, approach: Approach) -> Mapping[int, str]:
        """City-wide row of each of its groups -> the group's id."""
        if approach not in self._named:
            first = int(self._city.signals.group_start[approach.junction])
            groups = self._city.junctions[approach.junction].groups
            self._named[approach] = {group: groups[group - first].id for group in approach.groups}
        return self._named[approach]

    def _worth(
        self, junction: SignalJunction, approach: Approach, said: Explained | None
    ) -> dict[str, float]:
        """Stage -> how much right of way it gives to those of the approach's groups that can drive on."""
        first = int(self._city.signals.group_start[approach.junction])
        names = self._names(approach)
        open_groups = [g for g, name in names.items() if said is None or name not in said.full_outlets]
        found = {}
        for stage in junction.stages:
            value = sum({"G": 1.0, "g": 0.5}.get(stage.lamps[g - first], 0.0) for g in open_groups)
            if value > 0.0:
                found[stage.id] = value
        return found

    def _costs_of(self, row: int, said: Explained, now_s: float) -> Mapping[str, float]:
        if said.expected_delay_veh_s:
            self._costs[row] = now_s, said.expected_delay_veh_s
        at_s, costs = self._costs.get(row, (now_s, {}))
        return costs if 0.0 <= now_s - at_s <= COSTS_LAST_S else {}


def _best(worth: Mapping[str, float]) -> str:
    return max(worth, key=lambda stage: worth[stage], default="")


def _left_out(junction: SignalJunction, said: Explained, costs: Mapping[str, float]) -> set[str]:
    """Stages that the brain weighed and found of no use: it expects nothing of them."""
    stages = {stage.id for stage in junction.stages}
    if costs:
        return stages - costs.keys() - {said.chosen}
    return {stage for stage, value in said.stages.items() if value.worth <= 0.0} - {said.chosen}
