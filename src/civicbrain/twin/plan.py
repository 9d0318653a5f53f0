"""Fixed plans as a controller runs them, and what a junction must be like to be run at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from civicbrain.city.signals import Conflict, SignalJunction
from civicbrain.core.errors import SignalProgramError

_EPS_S = 1e-6


@dataclass(frozen=True, slots=True)
class LocalPlan:
    """Stages in turn. stages, ends_s: one entry a step, ends_s counted from the start of the cycle."""

    stages: tuple[int, ...]
    ends_s: tuple[float, ...]
    offset_s: float

    @staticmethod
    def of(
        junction: SignalJunction, durations_s: Sequence[float] | None = None, offset_s: float | None = None
    ) -> LocalPlan:
        """The junction's local plan, with other durations and offset where given."""
        plan = junction.local_plan
        durations_s = durations_s or [step.duration_s for step in plan.steps]
        ends_s = tuple(math.fsum(durations_s[: row + 1]) for row in range(len(durations_s)))
        return LocalPlan(
            tuple(step.stage for step in plan.steps),
            ends_s,
            plan.offset_s if offset_s is None else offset_s,
        )

    def at(self, time_s: float) -> tuple[int, float]:
        """(stage of the step that holds at time_s, second at which the step ends)."""
        step, end_s = self.step_at(time_s)
        return self.stages[step], end_s

    def step_at(self, time_s: float) -> tuple[int, float]:
        """(row of the step that holds at time_s, second at which it ends)."""
        cycle_s = self.ends_s[-1]
        position_s = (time_s + _EPS_S - self.offset_s) % cycle_s
        for step, end_s in enumerate(self.ends_s):
            if position_s < end_s:
                return step, time_s + end_s - position_s + _EPS_S
        return 0, time_s  # rounding put the position on the very end of the cycle

    def begin_after(self, step: int, time_s: float) -> float:
        """Second from time_s on at which a step begins next."""
        begin_s = self.ends_s[step - 1] if step else 0.0
        return time_s + (begin_s + self.offset_s - time_s - _EPS_S) % self.ends_s[-1] + _EPS_S


def unsafe_stages(junction: SignalJunction) -> frozenset[int]:
    """Rows of the stages that show a prohibited pair green, or a permitted pair both 'G'."""
    rows = set()
    for row, stage in enumerate(junction.stages):
        green = [group for group, lamp in enumerate(stage.lamps) if lamp in "Gg"]
        for first in green:
            for second in green:
                kind = junction.conflict[first][second]
                both_first = stage.lamps[first] == "G" and stage.lamps[second] == "G"
                if first != second and (
                    kind == Conflict.PROHIBITED or (kind == Conflict.PERMITTED and both_first)
                ):
                    rows.add(row)
    return frozenset(rows)


def require_sound_junction(junction: SignalJunction) -> None:
    """Raise SignalProgramError, naming the junction, for tables that no controller could run safely."""
    count = len(junction.groups)
    problem = ""
    if any(len(table) != count or any(len(row) != count for row in table)
           for table in (junction.conflict, junction.intergreen_s)):  # fmt: skip
        problem = "conflict or intergreen table is not groups x groups"
    elif any(
        junction.conflict[a][b] != junction.conflict[b][a] or junction.conflict[a][b] not in (0, 1, 2)
        for a in range(count)
        for b in range(count)
    ):
        problem = "conflict table is not symmetric, or holds other values than 0, 1, 2"
    elif not all(_time(gap_s) for row in junction.intergreen_s for gap_s in row):
        problem = "an intergreen is negative or not finite"
    elif not all(_time(group.yellow_s) and _time(group.min_green_s) for group in junction.groups):
        problem = "a yellow or minimum green is negative or not finite"
    elif any(len(stage.lamps) != count or set(stage.lamps) - set("Ggrs") for stage in junction.stages):
        problem = "a stage has not one of G, g, r, s a group"
    elif not junction.local_plan.steps:
        problem = "the local plan has no steps"
    elif not all(_time(step.duration_s) and step.duration_s > 0 for step in junction.local_plan.steps):
        problem = "a step of the local plan does not last"
    elif not math.isfinite(junction.local_plan.offset_s):
        problem = "the offset of the local plan is not finite"
    elif not all(0 <= step.stage < len(junction.stages) for step in junction.local_plan.steps):
        problem = "the local plan names a stage that is not there"
    else:
        unsafe = unsafe_stages(junction)
        shown = {junction.stages[step.stage].id for step in junction.local_plan.steps if step.stage in unsafe}
        if shown:
            problem = f"the local plan shows conflicting greens in stage {', '.join(sorted(shown))}"
    if problem:
        raise SignalProgramError(
            problem,
            place=f"junction {junction.id}",
            remedy="correct the city's signal program and import again",
        )


def _time(value: float) -> bool:
    return math.isfinite(value) and value >= 0.0
