"""What the list of the worst junctions advises, when the brain has said what it knows of the junction."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from watched_street import CITY, Street, queue

from civicbrain.contracts.brain import Priority
from civicbrain.contracts.overrides import HeldFor, Holder
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.runtime.roads_ahead import RoadsAhead
from civicbrain.runtime.worst import WorstPlaces

SIDE, MAIN = 1, 0
WEST_WAITS = {"queue_veh": {"W-through": 3.0, "N-through": 1.0}, "demand_veh": {"W-through": 1.0}}


@pytest.fixture
def street():
    """Three wait at A from the west, at red; one from the north."""
    street = Street()
    for _ in range(60):
        street.second(WAITING, stage=SIDE)
    return street


WAITING = [*queue("WA_0", 3), *queue("NAA_0", 1)]


def cause_at(street, said=None, junction="A", **known):
    words = {} if said is None else {junction: said}
    place = next(p for p in street.list(words=words, **known) if p.junction == junction)
    return place.causes[0]


def weighed(chosen, **costs):
    return WEST_WAITS | {"chosen": chosen, "expected_delay_veh_s": costs, "full_outlets": []}


def after(street, seconds, said):
    """The cause at A after so many seconds in which the brain says that, while somebody looks."""
    for _ in range(seconds):
        street.second(WAITING, stage=SIDE, words={"A": said})
        cause = cause_at(street, said)
    return cause


FULL = weighed("side", side=40.0, main=90.0) | {"full_outlets": ["W-through"]}
OPEN = weighed("side", side=40.0, main=90.0)


def test_where_the_brain_says_nothing_the_stage_that_serves_most_is_named(street):
    cause = cause_at(street)
    assert (cause.kind, cause.remedy, cause.stage) == ("unknown", "show-stage", "main")


def test_a_full_road_ahead_is_the_cause_and_no_stage_here_is_its_remedy(street):
    cause = after(street, 60, FULL)
    assert (cause.kind, cause.stage) == ("spill-back", "")
    assert (cause.approach, cause.road, cause.about) == ("WA", "AB", "B")
    assert "Nothing is known to be wrong" not in cause.says
    assert "AB" in cause.says
    assert cause.figures["queue_veh"] == pytest.approx(3.0)


def test_two_junctions_that_wait_for_each_other_to_empty_are_said_to():
    """Who is sent from the one to the other and back again has been told nothing."""
    street = Street()
    full = {"queue_veh": {"W-through": 3.0, "E-through": 3.0}, "full_outlets": ["W-through", "E-through"]}
    words = {"A": full, "B": full}
    for _ in range(60):
        street.second([*queue("WA_0", 3), *queue("EB_0", 3)], stage=SIDE, words=words)
    causes = {place.junction: place.causes[0] for place in street.list(words=words)}
    assert {name: cause.about for name, cause in causes.items()} == {"A": "B", "B": "A"}
    assert all("hold each other up" in cause.says and cause.figures["mutual"] for cause in causes.values())


def test_a_road_that_fills_for_a_few_seconds_is_not_full(street):
    assert after(street, 20, FULL).kind == "unknown"
    assert street.worst.count_spill_backs() == 0


def test_a_full_road_is_told_once_it_has_stood_and_is_counted_by_the_vital_sign(street):
    """It was told as full while the vital sign said none: two definitions."""
    for _ in range(140):
        street.second(WAITING, stage=SIDE, words={"A": FULL})
        told = any(c.kind == "spill-back" for place in street.list(words={"A": FULL}) for c in place.causes)
        assert street.worst.count_spill_backs() or not told
    assert told
    assert street.worst.count_spill_backs() == 1


def test_each_road_that_the_vital_sign_counts_is_named_though_nobody_waits_before_it():
    """The list of the worst said that no road was full beside a sign that counted one."""
    street = Street()
    for _ in range(60):
        street.second(queue("AB_0", 40), stage=SIDE)
        assert street.worst.count_spill_backs() == len(street.list_full())
    (full,) = street.list_full()
    cause = full.cause
    assert (full.junction, cause.road, cause.about) == ("A", "AB", "B")
    assert (cause.kind, cause.remedy, cause.drain.junction) == ("spill-back", "request-drain", "B")
    assert not any(c.kind == "spill-back" for p in street.list() for c in p.causes if p.junction == "A")


def test_a_cause_stands_until_another_has_held_for_some_seconds():
    """Full road and demand took turns every few seconds before a road that let a vehicle in now and then."""
    street, kinds = Street(), []
    full = FULL | {"full_outlets": ["W-through", "W-left"]}
    for second in range(500):
        words = {"A": full if second % 10 < 3 else OPEN}
        street.second([*queue("WA_0", min(19, second // 12)), *queue("EB_0", 3)], stage=SIDE, words=words)
        if second > 250:
            kinds.append(next(str(p.causes[0].kind) for p in street.list(words=words) if p.junction == "A"))
    changes = sum(a != b for a, b in pairwise(kinds))
    assert changes <= 1, kinds


def test_a_road_that_was_full_in_much_of_the_last_two_minutes_is_the_cause_between_times(street):
    for second in range(120):
        street.second(WAITING, stage=SIDE, words={"A": FULL} if second % 40 < 15 else {})
    cause = cause_at(street, OPEN)
    assert (cause.kind, cause.about, cause.stage) == ("spill-back", "B", "")
    assert cause.figures["full_share"] == pytest.approx(45 / 120, abs=0.02)
    assert "38 % of two minutes" in cause.says
    for _ in range(100):
        street.second(WAITING, stage=SIDE)
    assert after(street, 20, OPEN).kind == "unknown"


def test_a_full_road_before_a_few_of_those_who_wait_holds_nobody_back_whom_it_names(street):
    said = weighed("main", side=90.0, main=40.0) | {"full_outlets": ["W-left"]}
    assert after(street, 60, said).approach == ""  # a road is full, but not the one most wait for


def test_a_growing_queue_before_a_full_road_is_no_demand_beyond_capacity():
    street = Street()
    said = weighed("side", side=1.0) | {"full_outlets": ["W-through", "W-left"]}
    for second in range(260):
        street.second([*queue("WA_0", min(19, second // 12)), *queue("EB_0", 3)], stage=SIDE)
    assert cause_at(street).kind == "demand"
    for _ in range(70):
        street.second([*queue("WA_0", 19), *queue("EB_0", 3)], stage=SIDE, words={"A": said})
        cause = cause_at(street, said)
    assert (cause.kind, cause.road) == ("spill-back", "AB")


def test_a_stage_that_is_shown_is_not_asked_for(street):
    street.second(WAITING, stage=MAIN)
    cause = cause_at(street, weighed("main", side=90.0, main=40.0))
    assert (cause.remedy, cause.stage, cause.stage_state) == ("see-reasons", "main", "shown")
    assert "is shown now" in cause.says


def test_a_stage_that_the_brain_shows_next_is_not_asked_for(street):
    soon = {"schedule": [
        {"stage": "side", "from_s": street.now_s, "until_s": street.now_s + 7.0},
        {"stage": "main", "from_s": street.now_s + 7.0, "until_s": street.now_s + 18.0},
    ]}  # fmt: skip
    cause = cause_at(street, weighed("side", side=40.0, main=90.0) | soon)
    assert (cause.remedy, cause.stage_state) == ("see-reasons", "next")
    assert cause.figures["from_s"] == street.now_s + 7.0
    chosen = cause_at(street, weighed("main", side=90.0, main=40.0))
    assert (chosen.remedy, chosen.stage_state) == ("see-reasons", "next")


def test_what_costs_more_than_the_brains_choice_is_said_to_cost_so_much(street):
    cause = cause_at(street, weighed("side", side=40.0, main=185.0))
    assert (cause.remedy, cause.stage, cause.chosen) == ("see-reasons", "main", "side")
    assert (cause.stage_state, cause.figures["more_veh_s"]) == ("costs-more", 145.0)
    assert "145 veh s more of stage main than of side" in cause.says
    # a stage that has just begun is not weighed for some seconds: what was known of it holds as long
    street.second(WAITING, stage=SIDE)
    assert cause_at(street, weighed("side")).figures["more_veh_s"] == 145.0


def test_a_stage_that_the_brain_leaves_out_is_never_named(street):
    cause = cause_at(street, weighed("side", side=40.0))
    assert (cause.remedy, cause.stage, cause.stage_state) == ("see-reasons", "", "left-out")
    pressure = {"chosen": "side", "stages": {"main": {"worth": 0.0}, "side": {"worth": 0.4}}}
    assert cause_at(street, pressure).stage == ""


def test_while_the_brain_has_just_changed_no_other_stage_is_asked_for(street):
    cause = cause_at(street, weighed("side"))
    assert (cause.remedy, cause.stage_state, cause.chosen) == ("see-reasons", "other", "side")
    as_good = cause_at(street, weighed("side", side=40.0, main=39.5))  # it stays for so little
    assert (as_good.remedy, as_good.stage_state) == ("see-reasons", "other")


def test_a_controller_that_takes_plans_only_is_not_asked_for_a_stage():
    street = Street()
    street.worst = WorstPlaces(sandbox_city(plan_only=("A",)), street.recent)
    for _ in range(60):
        street.second(queue("WA_0", 3), stage=SIDE)
    cause = cause_at(street)
    assert (cause.remedy, cause.stage) == ("look-at-junction", "")


def test_words_that_cannot_be_read_are_no_words(street):
    cause = cause_at(street, {"full_outlets": 3, "chosen": ["?"]})
    assert cause.remedy in ("show-stage", "see-reasons")


def test_an_ambulance_is_told_by_its_call_sign_and_a_bus_by_its_line(street):
    mission = Holder("priority", Priority.EMERGENCY, "side", 90.0, 200.0, "m-c1c37bba")
    ambulance = HeldFor("m-c1c37bba", "ambulance", "Ambulance 7", "BE", "side", street.now_s + 12.0)
    [place] = [p for p in street.list(holders={"A": mission}, held_for={"A": ambulance}) if p.junction == "A"]
    assert place.held_for == ambulance  # told up front, whatever the first cause is
    cause = next(c for c in place.causes if c.kind == "priority")
    assert (cause.remedy, cause.about, cause.name) == ("follow-mission", "m-c1c37bba", "Ambulance 7")
    assert (cause.says, cause.figures) == ("It is held for Ambulance 7.", {"left_s": 12.0})
    bus = Holder("priority", Priority.TRANSIT, "side", 90.0, 200.0, trip="10_frequency1.43")
    vehicle = HeldFor("10_frequency1.43", "bus", "10", stage="side")
    [place] = [p for p in street.list(holders={"A": bus}, held_for={"A": vehicle}) if p.junction == "A"]
    cause = next(c for c in place.causes if c.kind == "priority")
    assert (cause.remedy, cause.says) == ("look-at-junction", "It is held for bus 10.")


def test_the_junction_ahead_is_found_behind_nodes_without_a_signal():
    network, movements = CITY.network, CITY.network.movements
    node_junction, ids = network.nodes.junction.copy(), network.nodes.ids
    node_junction[[ids.index("B"), ids.index("E")]] = -1, 1  # the second signal stands at the far end
    free = np.where(movements.junction == 1, -1, movements.junction).astype(np.int32)
    nodes, moves = replace(network.nodes, junction=node_junction), replace(movements, junction=free)
    city = replace(CITY, network=replace(network, nodes=nodes, movements=moves))
    roads = {road.edge_id: road.ahead for road in RoadsAhead(city).of_junction[0]}
    assert roads == {"AB": CITY.junctions[1].id, "AW": "", "ANA": "", "ASA": ""}
