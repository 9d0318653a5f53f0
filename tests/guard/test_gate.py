"""Arbitration, the record, the actuator: what the guard does beyond single rules."""

from __future__ import annotations

import msgspec
import pytest

from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import Priority, StageRequest
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import LedgerError
from civicbrain.guard import Guard, GuardOptions
from civicbrain.ledger import Ledger

CITY = sandbox_city()
RANK = {"operator": 40, "buses": 20}


class Door:
    name = "door"
    dry_run = False

    def __init__(self):
        self.requests = []
        self.beats = []
        self.answer = None

    def apply(self, requests, now_s):
        self.requests += requests
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return self.answer
        return [Verdict(Outcome.ACCEPTED, "controller", "accepted", "", now_s) for _ in requests]

    def heartbeat(self, now_s):
        self.beats.append(now_s)

    def close(self):
        pass


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def guard(door):
    return Guard(CITY, Ledger(None), door, GuardOptions(priorities=RANK, max_changes=5))


def ask(now_s, stage="side", junction="A", brain="signals", life_s=10.0):
    priority = Priority(RANK.get(brain, 10))
    return StageRequest(junction, stage, now_s, now_s + life_s, brain, priority, "because")


def rules(verdicts):
    return [verdict.rule for verdict in verdicts]


def recorded(guard):
    return [(entry.actor, entry.body.get("rule")) for entry in guard.ledger.page(0, 1000)]


def test_renewals_pass_without_a_new_entry_and_are_counted(guard, door):
    for second in range(10):
        guard.handle([ask(100.0 + second)], 100.0 + second)
    assert len(door.requests) == 10
    assert door.requests[-1].expires_s == 119.0
    assert recorded(guard) == [("signals", "accepted")]
    assert guard.renewals == 9


def test_a_change_of_stage_is_a_new_entry(guard):
    guard.handle([ask(100.0)], 100.0)
    guard.handle([ask(105.0, "main")], 105.0)
    guard.handle([ask(110.0)], 110.0)
    assert len(recorded(guard)) == 3
    entry = guard.ledger.page(0, 1)[0]
    assert entry.time_s == 100.0
    assert entry.body == {
        "junction": "A", "stage": "side", "outcome": "accepted", "by": "guard", "rule": "accepted", "why": "",
        "priority": 10.0, "expires_s": 110.0, "reason": "because",
    }  # fmt: skip


def test_the_operator_takes_over_and_holds_until_expiry(guard, door):
    guard.handle([ask(100.0)], 100.0)
    assert rules(guard.handle([ask(101.0, "main", brain="operator", life_s=20)], 101.0)) == ["accepted"]
    for second in range(102, 121):
        assert rules(guard.handle([ask(float(second))], float(second))) == ["outranked"]
    assert rules(guard.handle([ask(121.0)], 121.0)) == ["accepted"]
    assert recorded(guard) == [
        ("signals", "accepted"), ("operator", "accepted"), ("signals", "outranked"), ("signals", "accepted"),
    ]  # fmt: skip
    assert guard.refused["outranked"] == 19


def test_release_gives_the_junction_back(guard):
    guard.handle([ask(100.0, brain="operator", life_s=30)], 100.0)
    guard.release("A", "signals")  # not its to give
    assert rules(guard.handle([ask(101.0)], 101.0)) == ["outranked"]
    guard.release("A", "operator")
    assert rules(guard.handle([ask(102.0)], 102.0)) == ["accepted"]


def test_junctions_are_held_one_by_one(guard):
    guard.handle([ask(100.0, brain="operator")], 100.0)
    assert rules(guard.handle([ask(101.0), ask(101.0, junction="B")], 101.0)) == ["outranked", "accepted"]


def test_switched_off_brain_is_not_heard_and_holds_nothing(guard, door):
    guard.handle([ask(100.0, brain="buses")], 100.0)
    guard.switch_brain("buses", False, actor="maria", reason="wrong line", now_s=101.0)
    assert rules(guard.handle([ask(101.0, brain="buses"), ask(101.0)], 101.0)) == ["brain-off", "accepted"]
    guard.switch_brain("buses", True, actor="maria", reason="", now_s=102.0)
    assert rules(guard.handle([ask(102.0, brain="buses")], 102.0)) == ["accepted"]
    switches = [entry for entry in guard.ledger.page(0, 99) if entry.kind == "brain-switch"]
    assert [(s.actor, s.body["enabled"]) for s in switches] == [("maria", False), ("maria", True)]


def test_rate_limit_counts_changes_not_renewals(guard):
    found = []
    for second in range(8):
        stage = "side" if second % 2 else "main"
        found += rules(guard.handle([ask(100.0 + second, stage)], 100.0 + second))
    assert found[:5] == ["accepted"] * 5
    assert found[5:] == ["rate-limit", "renewal", "rate-limit"]
    assert rules(guard.handle([ask(161.0, "main")], 161.0)) == ["accepted"]


def test_refusals_of_the_controller_are_recorded_once_and_free_the_junction(guard, door):
    refusal = Verdict(Outcome.REFUSED, "controller", "not-central", "manual since 90 s", 100.0)
    door.answer = [refusal]
    for second in range(5):
        assert guard.handle([ask(100.0 + second)], 100.0 + second) == [refusal]
    assert recorded(guard) == [("signals", "accepted"), ("signals", "not-central")]
    assert guard.refused["not-central"] == 5
    door.answer = None
    assert rules(guard.handle([ask(106.0)], 106.0)) == ["accepted"]
    assert [entry.body["by"] for entry in guard.ledger.page(0, 9)] == ["guard", "controller", "controller"]


@pytest.mark.parametrize("answer", [RuntimeError("link down"), [], "nonsense"])
def test_a_broken_actuator_is_a_refusal_not_a_crash(guard, door, answer):
    door.answer = answer
    [verdict] = guard.handle([ask(100.0)], 100.0)
    assert (verdict.outcome, verdict.rule) == (Outcome.REFUSED, "actuator-failed")
    door.answer = None
    assert rules(guard.handle([ask(101.0)], 101.0)) == ["accepted"]


def test_heartbeat_reaches_the_actuator_and_survives_its_failure(guard, door):
    guard.heartbeat(5.0)
    assert door.beats == [5.0]
    door.heartbeat = None
    guard.heartbeat(6.0)


class FullDisk(Ledger):
    full = False

    def append_many(self, entries):
        if self.full:
            raise LedgerError("nothing can be recorded: disk is full", remedy="free space")
        return super().append_many(entries)


def test_what_cannot_be_recorded_is_refused_until_it_can(door):
    ledger = FullDisk(None)
    guard = Guard(CITY, ledger, door, GuardOptions(priorities=RANK))
    assert rules(guard.handle([ask(100.0)], 100.0)) == ["accepted"]
    ledger.full = True
    assert rules(guard.handle([ask(101.0)], 101.0)) == ["renewal"]  # nothing new to record
    assert rules(guard.handle([ask(102.0, "main")], 102.0)) == ["unrecorded"]
    assert guard.ledger_error
    # while it lasts, nothing passes: not renewals, not the operator; the controllers go local by themselves
    sent = len(door.requests)
    verdicts = guard.handle([ask(104.0), ask(104.0, "main", junction="B", brain="operator")], 104.0)
    assert rules(verdicts) == ["unrecorded", "unrecorded"]
    assert len(door.requests) == sent == 2
    # switching off must always work
    guard.switch_brain("signals", False, actor="maria", reason="", now_s=105.0)
    assert "signals" in guard.brains_off
    with pytest.raises(LedgerError):
        guard.switch_brain("signals", True, actor="maria", reason="", now_s=105.0)
    assert "signals" in guard.brains_off
    ledger.full = False
    guard.switch_brain("signals", True, actor="maria", reason="", now_s=106.0)
    assert rules(guard.handle([ask(107.0)], 107.0)) == ["accepted"]
    assert guard.ledger_error == ""
    [note] = [entry for entry in ledger.page(0, 99) if entry.kind == "ledger-recovered"]
    assert note.body["entries_lost"] > 0
    assert ledger.verify().ok


def test_reset_forgets_holds_but_not_switches(guard):
    guard.handle([ask(100.0, brain="operator", life_s=30)], 100.0)
    guard.switch_brain("buses", False, actor="maria", reason="", now_s=100.0)
    guard.reset()
    assert rules(guard.handle([ask(10.0), ask(10.0, brain="buses")], 10.0)) == ["accepted", "brain-off"]


def test_made_up_names_do_not_fill_the_record(guard):
    for number in range(200):
        guard.handle([ask(100.0, junction=f"made-up-{number}")], 100.0)
    assert guard.ledger.count == 1


def test_text_that_no_encoding_knows_is_still_recorded(guard):
    odd = msgspec.structs.replace(ask(100.0), brain="\ud800", reason="\udfff", junction="\udc00")
    assert rules(guard.handle([odd, ask(100.0)], 100.0)) == ["unknown-junction", "accepted"]
    assert guard.ledger.verify().ok
