"""Crossing missions at the guard: who goes first, why, and that the record says so."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import Priority, StageRequest
from civicbrain.contracts.missions import Claim, goes_before
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.guard import Guard
from civicbrain.guard.claims import settle
from civicbrain.ledger import Ledger

CITY = sandbox_city()


class Door:
    name = "door"
    dry_run = False

    def apply(self, requests, now_s):
        return [Verdict(Outcome.ACCEPTED, "controller", "accepted", "", now_s) for _ in requests]

    def heartbeat(self, now_s):
        pass

    def close(self):
        pass


@pytest.fixture
def guard():
    return Guard(CITY, Ledger(None), Door())


def ask(now_s, stage, claim, brain="priority", rank=Priority.EMERGENCY, life_s=4.0):
    return StageRequest("A", stage, now_s, now_s + life_s, brain, rank, "corridor", claim)


def rules(verdicts):
    return [verdict.rule for verdict in verdicts]


FIRE = Claim("fire-1", 3, 120.0, 8.0)
AMBULANCE = Claim("ambulance-1", 2, 110.0, 2.0)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_more_urgent_mission_goes_first_whatever_the_order_of_the_requests(guard, order):
    requests = [ask(100.0, "main", FIRE), ask(100.0, "side", AMBULANCE)]
    verdicts = guard.handle([requests[row] for row in order], 100.0)
    by_stage = {requests[row].stage: verdict for row, verdict in zip(order, verdicts, strict=True)}
    assert by_stage["main"].outcome is Outcome.ACCEPTED
    assert by_stage["side"].rule == "crossing-missions"
    assert "more urgent" in by_stage["side"].reason


def test_a_more_urgent_mission_takes_a_junction_over(guard):
    assert rules(guard.handle([ask(100.0, "side", AMBULANCE)], 100.0)) == ["accepted"]
    verdict = guard.handle([ask(101.0, "main", FIRE)], 101.0)[0]
    assert (verdict.outcome, verdict.rule) == (Outcome.ACCEPTED, "crossing-missions")
    assert rules(guard.handle([ask(102.0, "side", AMBULANCE)], 102.0)) == ["crossing-missions"]


def test_as_urgent_a_mission_keeps_what_it_holds_unless_that_costs_much(guard):
    held = Claim("a", 2, 130.0, 10.0)
    guard.handle([ask(100.0, "side", held)], 100.0)
    little, much = Claim("b", 2, 120.0, 6.0), Claim("b", 2, 120.0, 4.0)
    assert rules(guard.handle([ask(101.0, "main", little)], 101.0)) == ["crossing-missions"]
    assert guard.handle([ask(102.0, "main", much)], 102.0)[0].outcome is Outcome.ACCEPTED


def test_two_missions_that_want_the_same_stage_are_both_served(guard):
    verdicts = guard.handle([ask(100.0, "main", FIRE), ask(100.0, "main", AMBULANCE)], 100.0)
    assert [verdict.outcome for verdict in verdicts] == [Outcome.ACCEPTED] * 2


def test_the_operator_outranks_every_mission_and_missions_outrank_signals(guard):
    guard.handle([ask(100.0, "main", None, "operator", Priority.OPERATOR, 10.0)], 100.0)
    assert rules(guard.handle([ask(101.0, "side", FIRE)], 101.0)) == ["outranked"]
    assert guard.handle([ask(111.0, "side", FIRE)], 111.0)[0].outcome is Outcome.ACCEPTED
    signals = ask(112.0, "main", None, "signals", Priority.SIGNALS)
    assert rules(guard.handle([signals], 112.0)) == ["outranked"]


def test_a_junction_held_for_a_bus_is_held_for_no_mission(guard):
    guard.handle([ask(100.0, "side", Claim("10_frequency1.43", 1, 110.0), rank=Priority.TRANSIT)], 100.0)
    holder = guard.find_holder("A", 101.0)
    assert (holder.mission, holder.trip) == ("", "10_frequency1.43")
    guard.handle([ask(102.0, "main", FIRE)], 102.0)
    holder = guard.find_holder("A", 103.0)
    assert (holder.mission, holder.trip) == ("fire-1", "")


def test_only_the_priority_brain_may_claim_emergency_rank(guard):
    assert rules(guard.handle([ask(100.0, "side", FIRE, brain="signals")], 100.0)) == ["priority"]


def test_the_ledger_names_both_missions_and_the_reason_once(guard):
    for second in range(5):
        now_s = 100.0 + second
        guard.handle([ask(now_s, "main", FIRE), ask(now_s, "side", AMBULANCE)], now_s)
    entries = [entry.body for entry in guard.ledger.page(0, 99)]
    assert [(entry["mission"], entry["rule"]) for entry in entries] == [
        ("fire-1", "accepted"), ("ambulance-1", "crossing-missions"),
    ]  # fmt: skip
    assert "fire-1" in entries[1]["why"]
    assert "more urgent" in entries[1]["why"]


@pytest.mark.parametrize(
    "claim",
    [
        Claim("", 1, 1.0), Claim("a" * 300, 1, 1.0), Claim("a", -1, 1.0), Claim("a", 1, math.nan),
        Claim("a", 1, 1.0, math.inf), Claim(7, 1, 1.0), "a",
    ],
)  # fmt: skip
def test_a_claim_that_cannot_be_ruled_on_is_malformed(guard, claim):
    assert rules(guard.handle([ask(100.0, "side", claim)], 100.0)) == ["malformed"]


claims = st.builds(
    Claim, st.sampled_from("abc"), st.integers(0, 3), st.sampled_from([1.0, 2.0]), st.floats(0, 20)
)


@given(claims, claims)
def test_of_two_missions_exactly_one_goes_first(first, other):
    if first.mission != other.mission:
        assert bool(goes_before(first, other)) != bool(goes_before(other, first))
        assert not (settle(first, other)[0] and settle(other, first)[0])
