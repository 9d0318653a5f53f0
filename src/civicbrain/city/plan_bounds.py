"""What the durations of a junction's fixed plan must hold, so that it is shown as it is meant.

A step lasts from the start of its stage's switch-over to the start of the next one's. A plan whose steps are
shorter than these bounds is still shown safely (the controller waits for minimum greens and intergreens), but
late: it would run out of step with its cycle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from civicbrain.city.network import F64
from civicbrain.city.signals import Conflict, SignalJunction

_GREEN = "Gg"
_EPS_S = 1e-6


@dataclass(frozen=True, slots=True)
class PlanBound:
    """The durations of these steps together must reach least_s; why: for people."""

    steps: tuple[int, ...]
    least_s: float
    why: str


def switch_waits_s(junction: SignalJunction, before: str, after: str) -> F64:
    """(g,) seconds after a switch from lamps `before` to `after` until each group may show its new green, by
    the intergreens to the groups that end in this switch; 0 for groups that do not start."""
    waits = np.zeros(len(junction.groups))
    ends = [
        a for a, (old, new) in enumerate(zip(before, after, strict=True))
        if old in _GREEN and (new not in _GREEN or (old, new) == ("G", "g"))
    ]  # fmt: skip
    for b, (old, new) in enumerate(zip(before, after, strict=True)):
        if new in _GREEN and (old not in _GREEN or (old, new) == ("g", "G")):
            waits[b] = max((_gap_s(junction, a, b) for a in ends if a != b), default=0.0)
    return waits


def list_plan_bounds(junction: SignalJunction) -> tuple[PlanBound, ...]:
    """The bounds on the durations of the junction's local plan. The local plan itself always holds them: a
    bound that the city's engineers went below is lowered to what they have.

    Switch-overs have to end before the next begins; minimum greens have to be reached by the end of the last
    step that shows the group; and who ended some steps before has its intergreen behind it.
    """
    plan = junction.local_plan
    count = len(plan.steps)
    if count < 2:
        return (PlanBound((0,), 1.0, "a second"),) if count else ()
    lamps = [junction.stages[step.stage].lamps for step in plan.steps]
    found: dict[tuple[int, ...], PlanBound] = {}

    def add(steps: Sequence[int], least_s: float, why: str) -> None:
        key = tuple(steps)
        had_s = sum(plan.steps[step].duration_s for step in key)
        least_s = min(least_s, had_s)
        if key not in found or found[key].least_s < least_s:
            found[key] = PlanBound(key, least_s, why)

    waits = [switch_waits_s(junction, lamps[step - 1], lamps[step]) for step in range(count)]
    for step in range(count):
        before, after = lamps[step - 1], lamps[step]
        switch_s = float(waits[step].max(initial=0.0))
        for group, (old, new) in enumerate(zip(before, after, strict=True)):
            if old in _GREEN and new not in _GREEN:
                switch_s = max(switch_s, junction.groups[group].yellow_s)
                for start, between in _next_starts(lamps, junction, group, step):
                    gap_s = _gap_s(junction, group, start) - float(waits[(between[-1] + 1) % count][start])
                    add(between, gap_s, f"intergreen {junction.groups[group].id}-{junction.groups[start].id}")
            if old not in _GREEN and new in _GREEN:
                run = [step]
                while lamps[(run[-1] + 1) % count][group] in _GREEN:
                    run.append((run[-1] + 1) % count)
                green = junction.groups[group]
                add(run, float(waits[step][group]) + green.min_green_s, f"minimum green of {green.id}")
        add((step,), switch_s + 1.0, "switch-over")
    return tuple(found.values())


def find_broken_bound(bounds: Sequence[PlanBound], durations_s: Sequence[float]) -> PlanBound | None:
    """The first bound that these durations (one a step) do not reach, or None."""
    for bound in bounds:
        if sum(durations_s[step] for step in bound.steps) < bound.least_s - _EPS_S:
            return bound
    return None


def _gap_s(junction: SignalJunction, ending: int, starting: int) -> float:
    if junction.conflict[ending][starting] == Conflict.NONE:
        return 0.0
    return max(junction.intergreen_s[ending][starting], junction.groups[ending].yellow_s)


def _next_starts(
    lamps: Sequence[str], junction: SignalJunction, ended: int, step: int
) -> list[tuple[int, tuple[int, ...]]]:
    """(group that starts after the switch at `step`, the steps in between) for rivals of a group that
    ended."""
    count, found, between = len(lamps), [], [step]
    while len(between) < count and lamps[between[-1]][ended] not in _GREEN:
        onward = (between[-1] + 1) % count
        for group, (old, new) in enumerate(zip(lamps[between[-1]], lamps[onward], strict=True)):
            if old not in _GREEN and new in _GREEN and junction.conflict[ended][group] != Conflict.NONE:
                found.append((group, tuple(between)))
        between.append(onward)
    return found
