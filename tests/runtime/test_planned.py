"""What is told of the coming seconds of a junction, and whose intention it is."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from civicbrain.contracts.brain import Priority
from civicbrain.contracts.missions import MissionPlan, Passage, PassageState
from civicbrain.contracts.overrides import Holder, Override, OverrideAction
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.runtime.planned import AHEAD_S, MOST, Claims, planned_at

PLACE = sandbox_city().junctions[0]  # stages main and side
NOW_S = 1000.0
SCHEDULE = {
    "schedule": [
        {"stage": "main", "from_s": 998.0, "until_s": 1007.0},
        {"stage": "side", "from_s": 1007.0, "until_s": 1018.0},
    ]
}


def holder(what="main", brain="signals", priority=Priority.SIGNALS, mission=""):
    return Holder(brain, priority, what, 990.0, 1009.0, mission)


def told(mode="central", **claims):
    return [
        (p.from_s, p.until_s, p.stage, p.by.value, p.who)
        for p in planned_at(PLACE, Claims(mode, **claims), NOW_S)
    ]


def mission(name, state=PassageState.AHEAD, predicted_s=1040.0, stage="side", junction=PLACE.id):
    passage = Passage(junction, 300.0, state, stage=stage, predicted_s=predicted_s)
    return MissionPlan(name, "priority", NOW_S, "tracked", passages=(passage,))


def test_the_schedule_of_the_brain_from_now_on():
    assert told(holder=holder(), explanation=SCHEDULE) == [
        (1000.0, 1007.0, "main", "brain", "signals"), (1007.0, 1018.0, "side", "brain", "signals"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "explanation",
    [{}, {"schedule": []}, {"schedule": "what?"}, {"schedule": [{"stage": 4}]},
     {"schedule": [{"stage": "main", "from_s": 900.0, "until_s": 999.0}]},
     {"schedule": [{"stage": "side", "from_s": 1000.0, "until_s": 1010.0}]}],
)  # fmt: skip
def test_without_a_schedule_that_fits_the_stage_asked_for_is_told(explanation):
    """None, one that cannot be read, one that is over, one of which another rule thought otherwise."""
    assert told(holder=holder(), explanation=explanation) == [(1000.0, 1009.0, "main", "brain", "signals")]


def test_a_stage_that_the_junction_does_not_have_is_not_told():
    schedule = [
        {"stage": "main", "from_s": 1000.0, "until_s": 1004.0},
        {"stage": "moon", "from_s": 1004.0, "until_s": 1009.0},
    ]
    assert told(holder=holder(), explanation={"schedule": schedule}) == [
        (1000.0, 1004.0, "main", "brain", "signals")
    ]


def test_the_local_plan_where_the_controller_follows_nobody():
    plan = PLACE.local_plan
    parts = planned_at(PLACE, Claims("local", holder=holder()), NOW_S)
    assert {(p.by.value, p.who) for p in parts} == {("local", "")}
    assert (parts[0].from_s, parts[-1].until_s) == (NOW_S, NOW_S + AHEAD_S)
    for part in parts:
        at_s, sought = (part.from_s - plan.offset_s) % plan.cycle_s, ""
        for step in plan.steps:
            if 0.0 <= at_s < step.duration_s:
                sought = PLACE.stages[step.stage].id
            at_s -= step.duration_s
        assert part.stage == sought
    assert all(a.until_s == b.from_s and a.stage != b.stage for a, b in pairwise(parts))


def test_an_override_goes_before_all_and_is_told_until_it_ends():
    override = Override(PLACE.id, OverrideAction.STAGE, "side", "anna", "why", 990.0, 1050.0, True)
    claims = {
        "override": override,
        "holder": holder("side", "operator", Priority.OPERATOR),
        "explanation": SCHEDULE,
    }
    assert told("manual", **claims) == [(1000.0, 1050.0, "side", "override", "anna")]
    local = msgspec.structs.replace(override, action=OverrideAction.LOCAL, stage="", expires_s=1030.0)
    parts = planned_at(PLACE, Claims("central", override=local), NOW_S)
    assert {(p.by.value, p.who) for p in parts} == {("override", "anna")}
    assert parts[-1].until_s == 1030.0


def test_a_mission_that_holds_the_junction_and_one_that_is_expected():
    held = holder("side", "priority", Priority.EMERGENCY, "M-1")
    missions = [mission("M-2"), mission("M-1", PassageState.OPEN, 1012.0), mission("M-3", junction="B")]
    assert told("forced", holder=held, missions=missions, explanation=SCHEDULE) == [
        (1000.0, 1012.0, "side", "mission", "M-1"), (1040.0, 1040.0, "side", "mission", "M-2"),
    ]  # fmt: skip
    late = [mission("M-1", PassageState.OPEN, 995.0)]  # it should be here by now
    assert told("forced", holder=held, missions=late) == [(1000.0, 1009.0, "side", "mission", "M-1")]
    coming = told(
        holder=holder(), explanation=SCHEDULE, missions=[mission("M-2"), mission("M-4", predicted_s=None)]
    )
    assert coming[-1] == (1040.0, 1040.0, "side", "mission", "M-2")
    assert len(coming) == 3


def test_a_bus_is_named_by_its_line():
    held = holder("main", "priority", Priority.TRANSIT)
    assert told(holder=held, explanation={"bus": "T7", "line": "4", "why": "late"}) == [
        (1000.0, 1009.0, "main", "bus", "4")
    ]


def test_a_plan_that_a_brain_asks_for_is_told_as_it_explains_it():
    durations = [10.0 + k for k in range(len(PLACE.local_plan.steps))]
    explained = {"durations_s": durations, "offset_s": 3.0}
    parts = told(holder=holder("plan"), explanation=explained)
    assert {part[3:] for part in parts} == {("plan", "signals")}
    assert parts[0][1] == min(
        3.0 + k * sum(durations) + end
        for k in range(200)
        for end in [sum(durations[: n + 1]) for n in range(len(durations))]
        if 3.0 + k * sum(durations) + end > NOW_S
    )
    assert told(holder=holder("plan"), explanation={"durations_s": [5.0]}) == []
    assert told(holder=holder("plan")) == []


@pytest.mark.parametrize("mode", ["startup", "flashing", "program", ""])
def test_where_nobody_says_nothing_is_made_up(mode):
    assert told(mode, holder=holder(), explanation=SCHEDULE) == []
    assert told("central") == []


def test_the_answer_is_bounded():
    missions = [mission(f"M-{k}") for k in range(200)]
    assert len(told("local", missions=missions)) == MOST
