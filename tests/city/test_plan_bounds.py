"""What durations a plan must hold."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicbrain.city.plan_bounds import find_broken_bound, list_plan_bounds
from civicbrain.city.signals import (
    GroupKind,
    PlanStep,
    SignalGroup,
    SignalJunction,
    SignalPlan,
    Stage,
)


def junction(durations_s: tuple[float, float, float] = (30.0, 20.0, 25.0), walk_gap_s: float = 5.0):
    """Three stages with a group each; group c starts walk_gap_s after a ends, 4 s after b."""
    groups = tuple(SignalGroup(name, GroupKind.VEHICLE, (row,), 3.0, 6.0) for row, name in enumerate("abc"))
    conflict = ((0, 2, 2), (2, 0, 2), (2, 2, 0))
    gaps = ((0.0, 5.0, walk_gap_s), (5.0, 0.0, 4.0), (5.0, 5.0, 0.0))
    stages = (Stage("A", "Grr"), Stage("B", "rGr"), Stage("C", "rrG"))
    plan = SignalPlan("p", tuple(PlanStep(row, seconds) for row, seconds in enumerate(durations_s)))
    return SignalJunction("x", "x", 0.0, 0.0, ("x",), 3, groups, conflict, gaps, stages, plan)


def least(bounds, *steps):
    return next((bound.least_s for bound in bounds if bound.steps == steps), 0.0)


def test_a_step_holds_its_switch_over_and_minimum_green() -> None:
    bounds = list_plan_bounds(junction())
    assert [least(bounds, row) for row in range(3)] == [11.0, 11.0, 10.0]  # 5 + 6, 5 + 6, 4 + 6
    assert find_broken_bound(bounds, (11.0, 11.0, 10.0)) is None
    broken = find_broken_bound(bounds, (11.0, 10.0, 10.0))
    assert broken is not None
    assert broken.steps == (1,)
    assert "minimum green of b" in broken.why


def test_an_intergreen_over_a_short_stage_is_held() -> None:
    # a ended a stage before c starts: 20 s of intergreen, 4 of them in the switch to C itself
    bounds = list_plan_bounds(junction(walk_gap_s=20.0))
    assert least(bounds, 1) == 16.0
    assert find_broken_bound(bounds, (30.0, 15.0, 25.0)) is not None


def test_a_group_green_in_two_steps_needs_its_minimum_in_both_together() -> None:
    stages = (Stage("A", "Grr"), Stage("AB", "GGr"), Stage("C", "rrG"))
    both = msgspec.structs.replace(junction(), stages=stages, conflict=((0, 0, 2), (0, 0, 2), (2, 2, 0)))
    bounds = list_plan_bounds(both)
    assert least(bounds, 0, 1) == 11.0
    assert least(bounds, 0) == 6.0  # the switch-over and a second
    assert least(bounds, 1) == 6.0


@given(st.tuples(*[st.floats(1.0, 60.0)] * 3), st.floats(0.0, 40.0))
def test_the_citys_own_plan_always_holds(durations_s, gap_s) -> None:
    assert find_broken_bound(list_plan_bounds(junction(durations_s, gap_s)), durations_s) is None


@pytest.mark.parametrize("steps", [0, 1])
def test_plans_of_less_than_two_steps(steps: int) -> None:
    plan = SignalPlan("p", (PlanStep(0, 30.0),) * steps)
    assert len(list_plan_bounds(msgspec.structs.replace(junction(), local_plan=plan))) == steps
