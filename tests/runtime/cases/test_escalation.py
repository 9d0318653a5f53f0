"""Deadlines and escalations at times worked out by hand, from a procedure written for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_desks import OnTrial, incident, place

from civicbrain.city.cases import CaseState, Outcome, StepState, Urgency
from civicbrain.city.incidents import IncidentKind
from civicbrain.runtime.cases.alarm_list import list_alarms
from civicbrain.runtime.cases.rows import get_file

CRASH = """
kind: crash
title: Crash
urgency:
  - {set: medium}
states:
  reception:
    deadline: 60 s
    escalation:
      - after: 0 s
        do: [{notify: supervisor}]
      - after: 2 min
        do: [{notify: duty_officer}, {urgency: urgent}, {propose: what_if}]
    steps:
      - {id: look, title: Look, deadline: 30 s, late: [{notify: police}]}
  triage:
    deadline: 5 min
    enter:
      - {notify: [police], when: {capacity_left: {at_most: 0.5}}}
      - {notify: tow, when: {capacity_left: {at_most: 0.1}}}
      - {assign: patrol}
"""


@pytest.fixture
def trial(tmp_path: Path) -> OnTrial:
    (tmp_path / "city/procedures").mkdir(parents=True)
    (tmp_path / "city/procedures/crash.yaml").write_text(CRASH)
    return OnTrial(tmp_path / "cases", tmp_path / "city")


def notices(trial: OnTrial) -> list[tuple[object, object]]:
    return [(r["recipient"], r["why"]) for r in trial.rows("SELECT * FROM notice ORDER BY number")]


def test_deadlines_pass_at_their_second(trial: OnTrial) -> None:
    """Opened at t. Step late at t+30, deadline t+60 with its first level, second level at t+60+120."""
    trial.desk.take([incident()], 140.0, "s")
    assert trial.wait(29.9) == 0
    assert trial.wait(0.1) == 1
    assert trial.events("case-1")[-2:] == ["step-late", "notice"]
    assert notices(trial) == [("police", "step look")]
    assert trial.wait(29.9) == 0
    assert trial.wait(0.1) == 2
    assert notices(trial)[1:] == [("supervisor", "escalation reception:1")]
    assert trial.wait(119.9) == 0
    assert trial.wait(0.1) == 1
    told = get_file(trial.store.db, 1)
    assert (told.case.escalation, told.case.late, told.case.urgency) == (2, True, Urgency.URGENT)
    assert told.proposals == ["what_if"]
    assert notices(trial)[-1][0] == "duty_officer"
    assert trial.wait(86_400) == 0


def test_who_moves_in_time_is_left_alone(trial: OnTrial) -> None:
    trial.desk.take([incident()], 140.0, "s")
    trial.wait(20)
    trial.desk.step("case-1", "look", StepState.DONE, "operator:anna")
    trial.wait(39)
    trial.desk.move("case-1", CaseState.TRIAGE, "operator:anna")
    assert trial.wait(299.9) == 0  # the new state's deadline counts from entering it: t+59+300
    assert notices(trial) == [("police", "entered triage")]  # half of the capacity is left: no tow truck
    assert trial.wait(0.1) == 1
    assert get_file(trial.store.db, 1).case.assigned_to == "patrol"


def test_an_overdue_case_is_an_alarm_until_it_moves(trial: OnTrial) -> None:
    trial.desk.take([incident()], 140.0, "s")
    trial.wait(61)
    standing = list_alarms(trial.store.db, trial.clock.now_s)
    assert [alarm.title for alarm in standing.alarms] == ["case-1 is overdue in reception"]
    trial.desk.move("case-1", CaseState.TRIAGE, "operator:anna")
    assert [alarm.state for alarm in list_alarms(trial.store.db, trial.clock.now_s).alarms] == ["returned"]
    trial.desk.move("case-1", CaseState.CLOSED, "operator:anna", outcome=Outcome.FALSE_ALARM)
    assert list_alarms(trial.store.db, trial.clock.now_s).alarms == []  # noted by whoever closed the case
    assert trial.wait(1000) == 0


def test_deadlines_survive_a_restart_and_those_missed_meanwhile_pass_once(trial: OnTrial) -> None:
    trial.desk.take([incident()], 140.0, "s")
    trial.clock.now_s += 100
    again = trial.again()
    assert again.desk.due() == 3  # step, deadline, first level
    assert again.desk.due() == 0
    assert again.events("case-1").count("escalated") == 1
    again.store.close()


def test_a_case_opened_by_hand_has_the_same_deadlines(trial: OnTrial) -> None:
    trial.desk.open(IncidentKind.CRASH, place(), "operator:anna")
    trial.wait(60)
    assert "late" in trial.events("case-1")
