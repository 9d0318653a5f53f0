"""A controller that is given plans: order of stages kept, in step before long, nothing cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from civicbrain.city.signals import ControllerMode
from civicbrain.contracts.actuator import Outcome
from civicbrain.contracts.brain import PlanRequest
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.twin.controller import Controller
from civicbrain.twin.observer import Observer
from civicbrain.twin.plan import LocalPlan

JUNCTION = sandbox_city(plan_only=("A",)).junctions[0]
STEPS = [step.stage for step in JUNCTION.local_plan.steps]


def drive(plans: list[tuple[tuple[float, ...], float]], each_s: int = 300):
    """Local plan for 100 s, then each plan for `each_s`, asked for again each minute."""
    controller, observer = Controller(JUNCTION, 0.0), Observer((JUNCTION,))
    shown, verdicts = [], []
    lamps = ""
    for now_s in range(100 + each_s * len(plans)):
        if now_s >= 100 and (now_s - 100) % 60 == 0:
            durations_s, offset_s = plans[(now_s - 100) // each_s]
            request = PlanRequest(JUNCTION.id, durations_s, offset_s, now_s, now_s + 200.0, "signals")
            verdicts.append(controller.request(request, float(now_s)))
        while controller.wake_s <= now_s:
            controller.act(float(now_s))
        if controller.lamps != lamps:
            lamps = controller.lamps
            observer.look(
                0, "".join(lamps[g] if g >= 0 else "r" for g in JUNCTION.group_of_link), float(now_s)
            )
        shown.append(controller.stage)
    return shown, verdicts, controller, observer


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.tuples(*[st.integers(12, 60).map(float)] * len(STEPS)), st.integers(0, 120).map(float)),
        min_size=1, max_size=4,
    )
)  # fmt: skip
def test_changes_of_plan_keep_the_order_and_come_into_step(plans) -> None:
    shown, verdicts, controller, observer = drive(plans)
    assert all(verdict.outcome is Outcome.ACCEPTED for verdict in verdicts)
    assert observer.count == 0
    assert controller.mode is ControllerMode.CENTRAL
    stages = [stage for stage, before in zip(shown[40:], shown[39:], strict=False) if stage != before]
    onward = {stage: STEPS[(row + 1) % len(STEPS)] for row, stage in enumerate(STEPS)}
    assert all(onward[a] == b for a, b in pairwise(stages)), "a stage was left out"
    durations_s, offset_s = plans[-1]
    plan = LocalPlan.of(JUNCTION, durations_s, offset_s)
    # the last cycle is as the plan has it, but for the seconds of switch-overs
    last = range(len(shown) - int(sum(durations_s)), len(shown))
    if sum(durations_s) <= 120:
        assert sum(plan.at(float(s))[0] != shown[s] for s in last) <= 10 * len(STEPS)


def test_a_plan_too_short_for_its_greens_is_refused_with_the_reason() -> None:
    controller = Controller(JUNCTION, 0.0)
    while controller.mode is ControllerMode.STARTUP:
        controller.act(controller.wake_s)
    short = (2.0, *(30.0 for _ in STEPS[1:]))
    verdict = controller.request(PlanRequest(JUNCTION.id, short, 0.0, 50.0, 200.0, "signals"), 50.0)
    assert verdict.rule == "min-green"
    assert "needs" in verdict.reason
