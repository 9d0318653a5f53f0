"""What a killed brain process leaves open in the ledger, and what the next one makes of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from override_street import CITY, Centre

from civicbrain.guard import Guard
from civicbrain.runtime.overrides import Overrides
from civicbrain.runtime.overrides_left import list_open


def restarted(centre: Centre) -> Overrides:
    """The overrides of a new brain process over the same record and street."""
    return Overrides(CITY, Guard(CITY, centre.ledger, centre))


def left_in(centre: Centre):
    return list_open(centre.ledger.page(0, 1000))


def test_an_override_goes_on_for_the_rest_of_its_time_and_not_longer():
    centre = Centre()
    centre.tick(2)
    begun = centre.take(duration_s=60)
    centre.tick(20)
    after = restarted(centre)
    assert [why for _, why in after.take_up(left_in(centre), True, centre.now_s)] == [""]
    [override] = after.list_now()
    end_s = centre.overrides.find("A").expires_s
    assert end_s > begun.expires_s  # its time began when the stage was shown
    assert (override.stage, override.actor, override.expires_s) == ("side", "operator:kim", end_s)
    assert override.shown_s == end_s - 60
    assert centre.told()[-1] == ("runtime", "resumed")
    assert after.requests(end_s - 1.0)[0].expires_s == end_s
    assert after.requests(end_s) == []
    assert left_in(centre) == []


def test_one_that_was_shown_at_once_does_not_begin_anew_after_a_restart():
    centre = Centre()
    centre.tick(12)
    begun = centre.take(action="hold", duration_s=60)
    assert begun.shown_s == centre.now_s
    after = restarted(centre)
    after.take_up(left_in(centre), True, centre.now_s + 30.0)
    assert (after.find("A").shown_s, after.find("A").expires_s) == (begun.shown_s, begun.expires_s)
    after.requests(centre.now_s + 31.0, centre.road.states(centre.now_s))
    assert after.find("A").expires_s == begun.expires_s


def test_a_hold_comes_back_as_the_stage_that_was_held_and_survives_a_second_restart():
    centre = Centre()
    centre.tick(12)
    centre.take(action="hold", duration_s=300)
    for _ in range(2):
        after = restarted(centre)
        after.take_up(left_in(centre), True, centre.now_s + 30.0)
        assert [one.stage for one in after.list_now()] == ["main"]


@pytest.mark.parametrize(
    ("same_start", "run", "later_s", "said"),
    [
        (False, 0, 20.0, "the city was started anew"),
        (True, 1, 20.0, "the city's clock went back"),
        (True, 0, -20.0, "the city's clock went back"),
    ],
)
def test_what_its_operator_would_not_expect_ends_with_a_record(same_start, run, later_s, said):
    centre = Centre()
    centre.tick(2)
    centre.take(duration_s=60)
    after = restarted(centre)
    after.run = run
    assert [why for _, why in after.take_up(left_in(centre), same_start, centre.now_s + later_s)] == [said]
    assert not after
    assert centre.ledger.page(-1, 1)[0].body["why"] == said
    assert left_in(centre) == []


def test_one_whose_time_is_over_has_ended_by_itself():
    centre = Centre()
    centre.tick(2)
    centre.take(duration_s=60)
    assert restarted(centre).take_up(left_in(centre), True, centre.now_s + 61.0) == []
    assert centre.told()[-1] == ("runtime", "expired")


def test_given_back_refused_and_unreadable_ones_stay_over():
    centre = Centre()
    centre.tick(2)
    centre.take(duration_s=60)
    centre.overrides.give_back("A", "operator:kim", "", centre.now_s)
    assert left_in(centre) == []
    centre.ledger.append("override", "x", {"what": "begin", "junction": "B"}, centre.now_s)
    assert left_in(centre) == []
    centre.take(duration_s=60)
    another = {
        "what": "begin", "junction": "A", "action": "stage", "stage": "main", "set_by": "lee",
        "reason": "why", "expires_s": 400.0,
    }  # fmt: skip
    centre.ledger.append("override", "lee", another, centre.now_s)
    assert [one.override.actor for one in left_in(centre)] == ["lee"]
    centre.ledger.append("override", "lee", {"what": "refused", "junction": "A"}, centre.now_s)
    assert [one.override.actor for one in left_in(centre)] == ["operator:kim"], "the one before goes on"
