"""Alarms: raised, noted, shelved, over; a flood is a handful of groups and none is lost."""

from __future__ import annotations

import pytest
from case_desks import OnTrial, incident
from hypothesis import given
from hypothesis import strategies as st

from civicbrain.city.alarms import AlarmState
from civicbrain.city.cases import Urgency
from civicbrain.contracts.brain import Alert, Severity
from civicbrain.core.errors import NotFoundError, RequestRefusedError
from civicbrain.core.sentences import say as sentence
from civicbrain.runtime.cases import alarms
from civicbrain.runtime.cases.alarm_list import MOST_GROUPS, get_alarm, list_alarms
from civicbrain.runtime.cases.status import status_of

ANNA = "operator:anna"


def say(
    trial: OnTrial, key: str, severity: Severity = Severity.WARNING, title: str = "Camera cam_1 is silent",
    junction: str = "", session: str = "s",
) -> None:  # fmt: skip
    with trial.store.change() as change:
        alert = Alert(key, severity, title, "", 0.0, "signals", junction)
        alarms.take_alert(change, alert, trial.clock.now_s, session)


def act(trial: OnTrial, what, *given) -> int:
    with trial.store.change(ANNA) as change:
        return what(change, *given)


def listed(trial: OnTrial, **how):
    return list_alarms(trial.store.db, trial.clock.now_s, **how)


def test_an_alarm_goes_its_way(trial: OnTrial) -> None:
    say(trial, "a")
    assert listed(trial).alarms[0].state is AlarmState.UNACKNOWLEDGED
    assert act(trial, alarms.acknowledge, [1], "seen") == 1
    assert listed(trial).alarms[0].state is AlarmState.ACKNOWLEDGED
    assert listed(trial).alarms[0].acknowledged_by == ANNA
    say(trial, "a", Severity.INFO)
    assert listed(trial).alarms == []
    assert listed(trial, which="all").alarms[0].state is AlarmState.NORMAL


def test_an_alarm_keeps_its_sentences_and_its_group_says_where_it_is(trial: OnTrial) -> None:
    title, detail = sentence("brain-failed", "Brain x failed", brain="x"), sentence("stands", "it stands")
    with trial.store.change() as change:
        alert = Alert.of("a", Severity.CRITICAL, title, detail, 0.0, "signals", "J1")
        alarms.take_alert(change, alert, trial.clock.now_s, "s")
    found = listed(trial)
    assert found.alarms[0].said == [title, detail]
    assert (found.groups[0].junction, found.groups[0].said) == ("J1", [title])
    with trial.store.change() as change:
        alert = Alert.of("b", Severity.CRITICAL, title, detail, 0.0, "signals", "J2")
        alarms.take_alert(change, alert, trial.clock.now_s, "s")
    [group] = listed(trial).groups
    assert (group.junction, group.said[0].key, group.said[0].values) == ("", "brain-failed", {})
    works = Alert.of("a", Severity.INFO, sentence("brain-works", "Brain x works again"), "", 0.0, "signals")
    with trial.store.change() as change:
        alarms.take_alert(change, works, trial.clock.now_s, "s")
    over = next(one for one in listed(trial).alarms if one.key == "a")
    assert [one.key for one in over.said] == ["brain-failed", "brain-works"]
    assert over.detail == "Brain x works again"
    act(trial, alarms.clear_by_hand, [2], "I saw it myself")
    by_hand = next(one for one in listed(trial, which="all").alarms if one.key == "b")
    assert (by_hand.detail, [one.key for one in by_hand.said]) == ("I saw it myself", ["brain-failed"])


def test_an_alarm_and_the_case_that_it_is_about_are_one_thing_to_do(trial: OnTrial) -> None:
    """The rail counted a stopped vehicle twice: its alarm and its case."""
    trial.desk.take([incident("incidents-1")], 140.0, "s")
    say(trial, "incidents-1")
    assert status_of(trial.store.db, 0, "").to_do == 1
    say(trial, "camera")
    say(trial, "incidents-1", session="another")
    assert status_of(trial.store.db, 0, "").to_do == 3


def test_one_that_is_over_stays_until_somebody_has_seen_it(trial: OnTrial) -> None:
    say(trial, "a")
    say(trial, "a", Severity.INFO)
    assert listed(trial).alarms[0].state is AlarmState.RETURNED
    act(trial, alarms.acknowledge, [1], "")
    assert listed(trial).standing == 0


def test_said_again_it_is_one_alarm_and_worse_it_asks_again(trial: OnTrial) -> None:
    for _ in range(3):
        say(trial, "a")
    act(trial, alarms.acknowledge, [1], "")
    say(trial, "a")
    assert listed(trial).unacknowledged == 0
    say(trial, "a", Severity.CRITICAL)
    found = listed(trial)
    assert (found.standing, found.unacknowledged, found.alarms[0].count) == (1, 1, 1)
    say(trial, "a", Severity.INFO)
    say(trial, "a")
    assert listed(trial).alarms[0].count == 2


def test_a_shelf_ends_by_itself_and_hides_nothing_for_good(trial: OnTrial) -> None:
    say(trial, "a")
    with pytest.raises(RequestRefusedError, match="reason"):
        act(trial, alarms.shelve, [1], 60.0, " ")
    with pytest.raises(RequestRefusedError, match="for 90000 s"):
        act(trial, alarms.shelve, [1], 90_000.0, "works")
    act(trial, alarms.shelve, [1], 600.0, "works")
    say(trial, "a", Severity.INFO)
    say(trial, "a", Severity.CRITICAL)
    assert (listed(trial).standing, listed(trial).shelved) == (0, 1)
    trial.wait(599)
    assert listed(trial).standing == 0
    trial.wait(1)
    found = listed(trial)
    assert (found.standing, found.shelved, found.unacknowledged) == (1, 0, 1)
    entry = trial.rows("SELECT kind, body FROM entry ORDER BY seq DESC LIMIT 1")[0]
    assert entry["kind"] == "alarms-unshelved"


def test_shelved_alarms_come_back_when_asked_for(trial: OnTrial) -> None:
    say(trial, "a")
    act(trial, alarms.shelve, [1], 600.0, "works")
    assert [one.state for one in listed(trial, which="shelved").alarms] == [AlarmState.SHELVED]
    assert act(trial, alarms.unshelve, [1], "done") == 1
    assert listed(trial).standing == 1


def test_a_flood_is_a_handful_of_groups_and_every_alarm_is_in_one(trial: OnTrial) -> None:
    with trial.store.change() as change:
        for number in range(3000):
            matter = number % 3
            title = ("Camera cam_%d is silent", "Signals at J%d are dark", "Loop 'd %d' jumps")[
                matter
            ] % number
            severity = Severity.CRITICAL if matter == 1 else Severity.WARNING
            alert = Alert(f"k{number}", severity, title, "", 0.0, "signals", f"J{number}")
            alarms.take_alert(change, alert, trial.clock.now_s, "s")
    found = listed(trial, limit=5)
    assert [(group.alarms, group.junctions) for group in found.groups] == [(1000, 1000)] * 3
    assert found.groups[0].urgency is Urgency.HIGH
    assert found.groups[0].matter == "signals: Signals at … are dark"
    assert (found.flood, found.rate, found.standing, len(found.alarms)) == (True, 3000, 3000, 5)
    numbers = alarms.numbers_of_group(trial.store.db, found.groups[0].id)
    assert act(trial, alarms.acknowledge, numbers, "power cut") == 1000
    assert listed(trial).unacknowledged == 2000
    with pytest.raises(NotFoundError):
        alarms.numbers_of_group(trial.store.db, "nothing")


def test_more_matters_than_a_person_takes_in_are_shown_as_one(trial: OnTrial) -> None:
    names = [chr(ord("a") + n) * 4 for n in range(20)]
    for name in names:
        say(trial, name, title=f"Matter {name}")
    say(trial, "worst", Severity.CRITICAL, title="The worst")
    found = listed(trial)
    assert len(found.groups) == MOST_GROUPS
    assert found.groups[0].matter == "signals: The worst"
    assert (found.groups[-1].id, found.groups[-1].alarms) == ("rest", 21 - (MOST_GROUPS - 1))
    assert sum(group.alarms for group in found.groups) == found.standing == 21
    assert len(listed(trial, group="rest").alarms) == 21 - (MOST_GROUPS - 1)


def test_alarms_of_a_brain_that_is_no_more_are_over(trial: OnTrial) -> None:
    say(trial, "old", session="first")
    say(trial, "new", session="second")
    with trial.store.change() as change:
        alarms.raise_alarm(change, "cases", "own", Urgency.LOW, "own", "")
        assert alarms.end_session(change, ("second",), "it started again") == 1
    states = {one.key: one.state for one in listed(trial).alarms}
    assert states == {
        "old": AlarmState.RETURNED, "new": AlarmState.UNACKNOWLEDGED, "own": AlarmState.UNACKNOWLEDGED
    }  # fmt: skip


def test_cleared_by_hand_it_stands_again_when_raised_again(trial: OnTrial) -> None:
    say(trial, "a")
    act(trial, alarms.clear_by_hand, [1], "I stand beside it")
    assert listed(trial).standing == 0
    say(trial, "a")
    assert listed(trial).unacknowledged == 1


def test_an_event_asks_nothing_of_anybody_and_is_kept(trial: OnTrial) -> None:
    say(trial, "e", Severity.INFO, title="Brain works again")
    assert listed(trial).standing == 0
    assert listed(trial, which="all").alarms[0].title == "Brain works again"


@given(title=st.text(max_size=80), junction=st.text(max_size=20))
def test_any_title_has_a_matter_and_numbers_do_not_tell_matters_apart(title: str, junction: str) -> None:
    assert alarms.matter_of("brain", title, junction)
    first = alarms.matter_of("b", f"Camera cam_{1} at J1 is silent", "J1")
    assert first == alarms.matter_of("b", f"Camera cam_{22} at J44 is silent", "J44")


def test_an_alarm_names_its_case_and_keeps_the_times_that_it_stood(trial: OnTrial) -> None:
    trial.desk.take([incident("incidents-9")], 140.0, "s")
    say(trial, "incidents-9", title="Crash")
    trial.clock.now_s += 60
    act(trial, alarms.acknowledge, [1], "")
    say(trial, "incidents-9", Severity.INFO)
    trial.clock.now_s += 60
    say(trial, "incidents-9", title="Crash", severity=Severity.CRITICAL)
    found = get_alarm(trial.store.db, 1)
    assert (found.alarm.case, found.alarm.count) == ("case-1", 2)
    assert [(one.urgency, one.cleared is None) for one in found.times] == [
        (Urgency.HIGH, True), (Urgency.MEDIUM, False)
    ]  # fmt: skip
    assert (found.times[1].acknowledged - found.times[1].raised).total_seconds() == 60.0
    trial.wait(300.0)  # its case is overdue in reception: an alarm of its own, about the same case
    assert {one.case for one in listed(trial).alarms} == {"case-1"}
    say(trial, "camera-1")
    assert [one.case for one in listed(trial).alarms if one.key == "camera-1"] == [""]
    with pytest.raises(NotFoundError, match="no alarm"):
        get_alarm(trial.store.db, 99)
