"""An operator's override with the real guard and controllers: who wins, how it ends, that it stays safe."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from override_street import Centre

from civicbrain.city.signals import ControllerMode
from civicbrain.contracts.overrides import CLEARING_MOST_S, LONGEST_S, OverrideAction
from civicbrain.core.errors import ConfigurationError, LedgerError, NotFoundError, RequestRefusedError


@pytest.fixture
def centre():
    centre = Centre()
    centre.tick(20)
    assert centre.a.mode is ControllerMode.CENTRAL
    assert centre.shown() == "main"
    return centre


def test_a_stage_is_shown_until_it_expires_and_the_brain_takes_over_again(centre):
    override = centre.take(duration_s=30)
    assert override.accepted
    assert override.expires_s == centre.now_s + 30
    centre.tick(12)
    assert centre.a.mode is ControllerMode.MANUAL
    assert centre.shown() == "side"
    assert centre.guard.find_holder("A", centre.now_s).brain == "operator"
    centre.tick(16)
    assert centre.shown() == "side"
    centre.tick(26)
    assert not centre.overrides
    assert centre.a.mode is ControllerMode.CENTRAL
    assert centre.shown() == "main"
    assert centre.told() == [("operator:kim", "begin"), ("runtime", "shown"), ("runtime", "expired")]
    assert centre.unsafe == []


def test_its_time_runs_from_when_the_stage_is_shown_not_while_the_junction_is_cleared(centre):
    begun = centre.take(duration_s=30)
    assert begun.shown_s is None
    cleared_s = 0
    while centre.shown() != "side":
        centre.tick()
        cleared_s += 1
        now = centre.overrides.find("A")
        if centre.shown() != "side":
            assert (now.shown_s, now.expires_s) == (None, centre.now_s + 30)  # the end moves on
    assert cleared_s >= 5  # the intergreen
    centre.tick()
    now = centre.overrides.find("A")
    assert begun.since_s + cleared_s - 1 <= now.shown_s <= begun.since_s + cleared_s
    assert now.expires_s == now.shown_s + 30
    shown = 1
    while centre.shown() == "side":
        centre.tick()
        shown += 1
    assert 30 <= shown <= 40  # as long as was asked for; then the brain's stage follows
    assert centre.unsafe == []


def test_a_stage_that_is_shown_already_runs_its_time_at_once(centre):
    for order in ({"action": "hold", "stage": ""}, {"action": "stage", "stage": "main"}):
        override = centre.take(**order, duration_s=40)
        assert (override.shown_s, override.expires_s) == (centre.now_s, centre.now_s + 40)
        assert centre.told()[-1] == ("operator:kim", "begin")


@pytest.mark.parametrize("wait", range(0, 70, 10))
def test_when_its_time_is_over_the_brain_takes_the_junction_up_without_a_step_into_the_local_plan(wait):
    """A brain that, as the signals brain does, asks nothing of a junction that an operator holds."""
    centre = Centre()
    centre.signals.polite = True
    centre.tick(20 + wait)
    centre.take(action="hold", duration_s=20)
    held = centre.overrides.find("A").stage
    centre.signals.stage = held  # it means to go on with what the operator holds
    lamps, seen = centre.a.lamps, set()
    for _ in range(40):
        centre.tick()
        seen.add((centre.a.lamps, centre.a.mode))
    assert not centre.overrides
    assert seen == {(lamps, ControllerMode.MANUAL), (lamps, ControllerMode.CENTRAL)}
    assert centre.told()[-1] == ("runtime", "expired")
    assert centre.unsafe == []


def test_the_last_second_of_an_override_is_the_operators_too(centre):
    centre.take(action="hold", duration_s=20)
    centre.ambulance.stage = "side"
    centre.tick(19)
    assert centre.a.mode is ControllerMode.MANUAL
    assert centre.shown() == "main"
    centre.tick(2)
    assert centre.a.mode is ControllerMode.FORCED
    assert centre.unsafe == []


def test_one_that_the_controller_does_not_follow_ends_all_the_same(centre):
    begun = centre.take(duration_s=30)
    centre.road.local_only = True
    while centre.overrides:
        assert centre.overrides.find("A").shown_s is None  # the local plan shows the stage now and then
        centre.tick()
        assert centre.now_s <= begun.since_s + CLEARING_MOST_S + 31
    assert centre.now_s >= begun.since_s + CLEARING_MOST_S


def test_an_ambulance_waits_for_the_operator_and_the_brain_too(centre):
    centre.take(stage="side", duration_s=40)
    centre.ambulance.stage = "main"
    centre.tick(25)
    assert centre.shown() == "side"
    assert centre.guard.refused["outranked"] > 20
    centre.tick(28)  # its 40 s run from when the stage was shown
    assert centre.a.mode is ControllerMode.FORCED  # the mission is heard as soon as the override is over
    assert centre.unsafe == []


def test_hold_keeps_what_is_shown_though_the_brain_asks_for_another(centre):
    held = centre.take(action="hold", stage="", duration_s=40)
    assert held.stage == "main"
    centre.signals.stage = "side"
    centre.tick(30)
    assert centre.shown() == "main"
    assert centre.a.mode is ControllerMode.MANUAL


def test_the_local_plan_runs_by_its_clock_while_a_junction_is_left_to_it(centre):
    centre.take(action="local", stage="", duration_s=300)
    shown = []
    for _ in range(200):
        centre.tick()
        shown.append(centre.shown())
    assert {"main", "side"} <= set(shown[-70:])  # a cycle of 70 s serves both, though the brain asks for one
    assert centre.unsafe == []


def test_a_controller_that_takes_plans_only_can_be_left_to_its_local_plan_but_shows_no_stage(centre):
    with pytest.raises(RequestRefusedError, match="only plan changes"):
        centre.take(junction="B", stage="main")
    assert centre.told()[-1] == ("operator:kim", "refused")
    assert not centre.overrides
    assert centre.take(action="local", stage="", junction="B").accepted


def test_given_back_the_brain_has_the_junction_within_two_seconds(centre):
    centre.take(duration_s=300)
    centre.tick(15)
    ended = centre.overrides.give_back("A", "operator:lee", "the queue is gone", centre.now_s)
    assert ended.actor == "operator:kim"
    centre.tick(2)
    assert centre.a.mode is ControllerMode.CENTRAL
    centre.tick(15)
    assert centre.shown() == "main"
    assert centre.told()[-1] == ("operator:lee", "give back")
    with pytest.raises(NotFoundError):
        centre.overrides.give_back("A", "operator:lee", "", centre.now_s)


def test_another_operator_takes_over_and_the_record_says_from_whom(centre):
    centre.take(duration_s=300)
    centre.tick(10)
    centre.take(stage="main", who="operator:lee")
    entry = centre.ledger.page(0, 1000)[-2]
    assert entry.body["replaces"] == "stage side of operator:kim"
    centre.tick(20)
    assert centre.shown() == "main"
    assert [one.actor for one in centre.overrides.list_now()] == ["operator:lee"]


def test_when_the_centre_dies_the_controller_is_in_its_local_plan_before_the_override_would_end(centre):
    centre.take(duration_s=300)
    centre.tick(10)
    centre.alive = False
    centre.tick(6)
    assert centre.a.mode is ControllerMode.LOCAL
    centre.tick(60)
    assert centre.unsafe == []


@pytest.mark.parametrize("action", list(OverrideAction))
@pytest.mark.parametrize("duration_s", [0.0, 9.9, -5.0, float("nan"), float("inf"), 3601.0])
def test_no_override_without_an_end_within_bounds(centre, action, duration_s):
    with pytest.raises(RequestRefusedError, match="duration_s"):
        centre.take(action=action, duration_s=duration_s)
    assert not centre.overrides


def test_what_makes_no_sense_is_refused_and_changes_nothing(centre):
    before = centre.ledger.count
    with pytest.raises(NotFoundError, match="no stage"):
        centre.take(stage="nowhere")
    with pytest.raises(NotFoundError, match="no junction"):
        centre.take(junction="Z")
    with pytest.raises(ConfigurationError):
        centre.take(action="explode")
    body = {"action": "local", "duration_s": 60}
    with pytest.raises(ConfigurationError, match="reason"):
        centre.overrides.take("A", body, "operator:kim", "  ", None, centre.now_s)
    with pytest.raises(RequestRefusedError, match="not known"):
        centre.overrides.take("A", body | {"action": "hold"}, "operator:kim", "why", None, centre.now_s)
    assert centre.ledger.count == before


def test_what_cannot_be_recorded_does_not_happen_but_giving_back_does(centre, monkeypatch):
    centre.take(duration_s=300)
    centre.tick(12)

    def broken(*_args, **_values):
        raise LedgerError("the disk is full")

    monkeypatch.setattr(centre.ledger, "append", broken)
    with pytest.raises(LedgerError):
        centre.take(stage="main")
    assert centre.overrides.find("A").stage == "side"
    centre.overrides.give_back("A", "operator:kim", "", centre.now_s)
    centre.tick(2)
    assert centre.a.mode is ControllerMode.CENTRAL


def test_time_that_goes_back_ends_them(centre):
    centre.take(duration_s=300)
    centre.now_s = 50.0
    centre.loop.tick([], centre.now_s)
    assert not centre.overrides
    assert centre.told()[-1] == ("runtime", "time went back")


COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(["stage main", "stage side", "hold", "local", "back", "brain main", "brain side",
                         "ambulance main", "ambulance side", "ambulance off", "dead", "alive"]),
        st.integers(1, 15),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(commands=COMMANDS, durations=st.lists(st.floats(10.0, 60.0), min_size=1, max_size=12))
def test_whatever_operators_brains_and_ambulances_ask_lamps_stay_safe_and_overrides_end(commands, durations):
    centre = Centre()
    for (command, seconds), duration_s in zip(commands, durations * 12, strict=False):
        what, _, stage = command.partition(" ")
        if what in ("stage", "hold", "local"):
            try:
                override = centre.take(action=what, stage=stage, duration_s=duration_s)
                assert override.expires_s - centre.now_s <= LONGEST_S[override.action]
            except RequestRefusedError:
                assert what == "hold"  # before the first report of the controllers
        elif what == "back" and centre.overrides:
            centre.overrides.give_back("A", "operator:kim", "", centre.now_s)
        elif what == "brain":
            centre.signals.stage = stage
        elif what == "ambulance":
            centre.ambulance.stage = "" if stage == "off" else stage
        elif what in ("dead", "alive"):
            centre.alive = what == "alive"
        centre.tick(seconds)
    centre.alive = True
    centre.ambulance.stage = ""
    centre.tick(75 + int(CLEARING_MOST_S))
    assert centre.unsafe == []
    assert not centre.overrides
    assert centre.a.mode is ControllerMode.CENTRAL
