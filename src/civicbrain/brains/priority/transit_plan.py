"""What the local plan is about to show: whether a bus needs help at all, and what it would wait without.

Only where the controller runs its local plan is the future known. Where another brain decides, a green may
end any second and a red may last; both are reckoned by the plan's mean.
"""

from __future__ import annotations

import math

from civicbrain.city.network import Bool
from civicbrain.city.signals import SignalPlan


def serves_until_s(plan: SignalPlan, serving: Bool, now_s: float) -> float:
    """Second until which the plan shows stages that serve (`serving`: (stages,)) without a break from now on;
    now_s where it does not."""
    return _until(plan, serving, now_s, wanted=True)


def serves_from_s(plan: SignalPlan, serving: Bool, from_s: float) -> float:
    """First second from `from_s` on at which the plan shows a stage that serves; inf where it never does."""
    if not any(bool(serving[step.stage]) for step in plan.steps):
        return math.inf
    return _until(plan, serving, from_s, wanted=False)


def next_stage(plan: SignalPlan, now_s: float) -> int:
    """The stage that the plan shows after the present one; -1 where there is no other."""
    place, _ = _step_at(plan, now_s)
    here = plan.steps[place].stage
    for ahead in range(1, len(plan.steps)):
        stage = plan.steps[(place + ahead) % len(plan.steps)].stage
        if stage != here:
            return stage
    return -1


def _until(plan: SignalPlan, serving: Bool, from_s: float, *, wanted: bool) -> float:
    """Second at which the steps stop being served (wanted) or not served."""
    if plan.cycle_s <= 0.0:
        return from_s
    place, end_s = _step_at(plan, from_s)
    if bool(serving[plan.steps[place].stage]) is not wanted:
        return from_s
    for ahead in range(1, len(plan.steps) + 1):
        step = plan.steps[(place + ahead) % len(plan.steps)]
        if bool(serving[step.stage]) is not wanted:
            return end_s
        end_s += step.duration_s
    return math.inf


def _step_at(plan: SignalPlan, now_s: float) -> tuple[int, float]:
    """(place of the step shown, second at which it ends)."""
    rest_s = (now_s - plan.offset_s) % plan.cycle_s
    for place, step in enumerate(plan.steps):
        if rest_s < step.duration_s:
            return place, now_s + step.duration_s - rest_s
        rest_s -= step.duration_s
    return len(plan.steps) - 1, now_s
