"""Each rule of the safety envelope, and what must hold whatever is asked."""

from __future__ import annotations

import math
import typing

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import PlanRequest, Priority, StageRequest
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.guard import Guard, GuardOptions
from civicbrain.guard.rules import RULES, Envelope, check
from civicbrain.ledger import Ledger

CITY = sandbox_city(plan_only=("B",))
NOW_S = 100.0
OPTIONS = GuardOptions(priorities={"operator": 40, "buses": 20, "ambulance": 30})
ENVELOPE = Envelope(
    NOW_S,
    {j.id: j for j in CITY.junctions},
    {j.id: frozenset(s.id for s in j.stages) for j in CITY.junctions},
    {"sleeper"},
    OPTIONS,
)


def stage(**changes):
    return msgspec.structs.replace(StageRequest("A", "side", NOW_S, NOW_S + 10, "signals"), **changes)


def plan(**changes):
    return msgspec.structs.replace(
        PlanRequest("B", (45.0, 30.0), 0.0, NOW_S, NOW_S + 300, "signals"), **changes
    )


class Door:
    """An actuator that keeps what reached it."""

    name = "door"
    dry_run = False

    def __init__(self):
        self.requests = []

    def apply(self, requests, now_s):
        self.requests += [(request, now_s) for request in requests]
        return [Verdict(Outcome.ACCEPTED, "controller", "accepted", "", now_s) for _ in requests]

    def heartbeat(self, now_s):
        pass

    def close(self):
        pass


def test_good_requests_pass_every_rule():
    for request in (
        stage(),
        plan(),
        plan(junction="A"),
        stage(brain="ambulance", priority=Priority.EMERGENCY),
    ):
        assert check(request, ENVELOPE) is None


@pytest.mark.parametrize(
    ("request_", "slug"),
    [
        ("a text", "malformed"),
        (None, "malformed"),
        (stage(stage=7), "malformed"),
        (stage(junction=["A"]), "malformed"),
        (stage(junction=""), "malformed"),
        (stage(junction="A" * 201), "malformed"),
        (stage(reason="x" * 1001), "malformed"),
        (stage(expires_s="soon"), "malformed"),
        (stage(expires_s=None), "malformed"),
        (stage(expires_s=True), "malformed"),
        (stage(priority=10.5), "malformed"),
        (stage(priority=10**6000), "malformed"),
        (plan(durations_s=3.0), "malformed"),
        (plan(durations_s=(1.0,) * 101), "malformed"),
        (plan(durations_s=("a", "b")), "malformed"),
        (stage(expires_s=math.nan), "not-finite"),
        (stage(expires_s=math.inf), "not-finite"),
        (stage(not_before_s=-math.inf), "not-finite"),
        (stage(expires_s=10**400), "not-finite"),
        (plan(offset_s=math.nan), "not-finite"),
        (plan(durations_s=(45.0, math.nan)), "not-finite"),
        (stage(brain="sleeper"), "brain-off"),
        (stage(priority=Priority.TRANSIT), "priority"),
        (stage(priority=Priority.OPERATOR), "priority"),
        (stage(priority=15), "priority"),
        (stage(brain="buses", priority=Priority.EMERGENCY), "priority"),
        (stage(junction="Z"), "unknown-junction"),
        (stage(stage="none"), "unknown-stage"),
        (stage(junction="B"), "capability"),
        (plan(durations_s=(45.0,)), "plan-shape"),
        (plan(durations_s=(45.0, 4.9)), "plan-shape"),
        (plan(durations_s=(45.0, -30.0)), "plan-shape"),
        (plan(durations_s=(45.0, 601.0)), "plan-shape"),
        (stage(expires_s=NOW_S), "expired"),
        (stage(expires_s=NOW_S - 1), "expired"),
        (stage(not_before_s=NOW_S + 20), "expired"),
        (stage(expires_s=NOW_S + 30.1), "expiry-cap"),
        (stage(expires_s=1e308), "expiry-cap"),
        (plan(expires_s=NOW_S + 901), "expiry-cap"),
    ],
)
def test_each_rule_objects_to_what_it_is_for(request_, slug):
    objection = check(request_, ENVELOPE)
    assert objection is not None
    assert objection[0] == slug
    assert objection[1]
    door = Door()
    guard = Guard(CITY, Ledger(None), door, OPTIONS)
    guard.switch_brain("sleeper", False, actor="test", reason="", now_s=NOW_S)
    [verdict] = guard.handle([request_], NOW_S)
    assert (verdict.outcome, verdict.rule, verdict.by) == (Outcome.REFUSED, slug, "guard")
    assert door.requests == []
    entry = guard.ledger.page(-1)[0]
    assert (entry.kind, entry.body["outcome"], entry.body["rule"]) == ("request", "refused", slug)


def test_every_rule_has_a_case_here():
    marks = test_each_rule_objects_to_what_it_is_for.pytestmark
    shown = {case[1] for mark in marks for case in mark.args[1]}
    assert shown == {slug for slug, _ in RULES}


# -- whatever is asked

scalars = (
    st.none() | st.booleans() | st.integers() | st.integers(-(10**500), 10**500) | st.floats()
    | st.text(max_size=8) | st.binary(max_size=4) | st.lists(st.integers(), max_size=2)
)  # fmt: skip
names = st.sampled_from(["A", "B", "main", "side", "signals", "operator", "buses", "sleeper"]) | scalars
near = st.floats(NOW_S - 60, NOW_S + 60) | st.floats(NOW_S, NOW_S + 40) | scalars
levels = st.sampled_from([10, 20, 30, 40]) | scalars
stage_requests = st.builds(
    StageRequest, names, names, near, near, names, levels, st.text(max_size=5) | scalars
)
durations = st.lists(st.floats(0, 700) | scalars, max_size=4).map(tuple) | st.just((45.0, 30.0)) | scalars
plan_requests = st.builds(
    PlanRequest, names, durations, near, near, near, names, levels, st.just("") | scalars
)
garbage = st.lists(stage_requests | plan_requests | scalars, max_size=12)


def fits(request, now_s, off):
    """The envelope written a second time, independently of the rules."""
    ids = {j.id: j for j in CITY.junctions}
    junction = ids[request.junction]
    times = [request.not_before_s, request.expires_s]
    assert request.brain not in off
    assert request.priority <= OPTIONS.priorities.get(request.brain, 10)
    assert request.not_before_s < request.expires_s
    assert now_s < request.expires_s
    if isinstance(request, StageRequest):
        assert request.expires_s <= now_s + 30.0
        assert request.junction == "A"  # B takes only plans
        assert request.stage in [s.id for s in junction.stages]
    else:
        assert request.expires_s <= now_s + 900.0
        assert len(request.durations_s) == 2
        assert min(request.durations_s) >= 5.0
        times += [request.offset_s, *request.durations_s]
    assert all(math.isfinite(time) for time in times)


@settings(max_examples=200, deadline=None)
@given(st.lists(garbage, min_size=1, max_size=4))
def test_garbage_never_reaches_the_actuator_and_never_raises(batches):
    door = Door()
    ledger = Ledger(None)
    guard = Guard(CITY, ledger, door, OPTIONS)
    guard.switch_brain("sleeper", False, actor="test", reason="", now_s=NOW_S)
    now_s = NOW_S
    for batch in batches:
        verdicts = guard.handle(batch, now_s)
        assert len(verdicts) == len(batch)
        now_s += 1.0
    for request, at_s in door.requests:
        fits(request, at_s, {"sleeper"})
    assert ledger.verify().ok


near_renewals = st.builds(
    StageRequest,
    st.sampled_from(["A", "B"]) | scalars,
    st.sampled_from(["side", "main"]) | scalars,
    near,
    near,
    st.sampled_from(["signals", "sleeper"]) | scalars,
    st.sampled_from([10, 40]) | scalars,
    st.just("") | st.just("x" * 1001) | scalars,
)


@settings(max_examples=200, deadline=None)
@given(near_renewals)
def test_the_short_cut_for_renewals_lets_nothing_through_that_a_rule_refuses(request_):
    guard = Guard(CITY, Ledger(None), Door(), OPTIONS)
    guard.handle([stage(expires_s=NOW_S + 25.0), stage(brain="sleeper", junction="A")], NOW_S)
    guard.switch_brain("sleeper", False, actor="test", reason="", now_s=NOW_S)
    if guard._only_renews(request_, NOW_S + 1):
        later = Envelope(NOW_S + 1, ENVELOPE.junctions, ENVELOPE.stages, ENVELOPE.off, OPTIONS)
        assert check(request_, later) is None


well_formed = st.builds(
    StageRequest,
    st.just("A"),
    st.sampled_from(["main", "side"]),
    st.just(0.0),
    st.floats(0.1, 30.0),
    st.sampled_from(["signals", "second", "buses", "ambulance", "operator"]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.lists(well_formed, max_size=4), st.floats(0.0, 20.0)), min_size=1, max_size=15))
def test_a_lower_priority_never_takes_a_junction_that_is_held(steps):
    rank = {"signals": 10, "second": 10, "buses": 20, "ambulance": 30, "operator": 40}
    door = Door()
    guard = Guard(CITY, Ledger(None), door, GuardOptions(priorities=rank, max_changes=10_000))
    now_s = NOW_S
    holder: tuple[int, str, float] | None = None
    for batch, wait_s in steps:
        batch = [
            msgspec.structs.replace(r, expires_s=now_s + r.expires_s, priority=rank[r.brain]) for r in batch
        ]
        seen = len(door.requests)
        guard.handle(batch, now_s)
        for request, _ in door.requests[seen:]:
            if holder is not None and holder[2] > now_s and holder[1] != request.brain:
                assert request.priority > holder[0]
            holder = (request.priority, request.brain, request.expires_s)
        now_s += wait_s


@settings(max_examples=24, deadline=None)  # there are no more
@given(st.permutations(["signals", "buses", "ambulance", "operator"]))
def test_within_one_batch_the_highest_priority_wins_in_any_order(order):
    rank = {"signals": 10, "buses": 20, "ambulance": 30, "operator": 40}
    door = Door()
    guard = Guard(CITY, Ledger(None), door, GuardOptions(priorities=rank))
    verdicts = guard.handle([stage(brain=name, priority=rank[name]) for name in order], NOW_S)
    assert [r.brain for r, _ in door.requests] == ["operator"]
    assert {name: v.rule for name, v in zip(order, verdicts, strict=True)} == {
        "operator": "accepted", "ambulance": "outranked", "buses": "outranked", "signals": "outranked",
    }  # fmt: skip


def test_request_is_the_union_the_rules_know():
    from civicbrain.contracts.brain import Request

    assert set(typing.get_args(Request)) == {StageRequest, PlanRequest}
