"""What is offered at a full road: a stage that empties it, into roads with room, else the next best."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "api"))
from grid_city import grid_city
from watched_street import CITY, Street, queue

from civicbrain.city.approaches import list_approaches
from civicbrain.contracts.overrides import HeldFor, Override, OverrideAction
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.runtime.drains import Drains, Scene
from civicbrain.runtime.full_roads import FullRoads
from civicbrain.runtime.stage_words import Serving
from civicbrain.runtime.worst import WorstPlaces
from civicbrain.twin.importing import resolve_scenario

MAIN, SIDE = 0, 1
ROOM = 40
"""Vehicles that stand on a road of 300 m."""


def full(*edges):
    """Vehicles that fill roads of the street."""
    return [one for edge in edges for one in queue(f"{edge}_0", ROOM)]


def drain_of(street, vehicles, words=None, stage=SIDE, seconds=60, **known):
    """What is told of the full road AB at A, where three wait to get in."""
    for _ in range(seconds):
        street.second([*queue("WA_0", 3), *queue("NAA_0", 2), *vehicles], stage=stage, words=words)
    place = next(p for p in street.list(words=words or {}, **known) if p.junction == "A")
    cause = next(c for c in place.causes if c.kind == "spill-back" and c.road == "AB")
    return cause, cause.drain


def green_groups(junction, stage):
    place = CITY.signals.get_junction(junction)
    lamps = next(one.lamps for one in place.stages if one.id == stage)
    return {group.id for group, lamp in zip(place.groups, lamps, strict=True) if lamp in "Gg"}


@pytest.fixture
def street():
    return Street()


def test_the_stage_that_lets_out_who_stands_on_the_full_road_is_offered_at_the_junction_that_ends_it(street):
    cause, drain = drain_of(street, full("AB"))
    assert (cause.remedy, drain.kind, drain.junction, drain.stage) == ("request-drain", "empty", "B", "main")
    assert drain.serves == pytest.approx(1.0)
    assert {"A-through", "A-left"} <= green_groups(drain.junction, drain.stage)
    assert "Stage main at B empties it." in cause.says


def test_what_is_shown_there_now_is_said_to_be(street):
    cause, drain = drain_of(street, full("AB"), stage=MAIN)
    assert (drain.stage, drain.stage_state) == ("main", "") or drain.stage_state == "shown"
    said = {"B": {"chosen": "main", "expected_delay_veh_s": {"main": 3.0, "side": 9.0}}}
    cause, drain = drain_of(street, full("AB"), said, stage=MAIN, seconds=5)
    assert (drain.stage, drain.stage_state) == ("main", "shown")
    assert "It is shown now." in cause.says


def test_what_the_brain_there_expects_to_cost_more_is_offered_with_how_much(street):
    said = {"B": {"chosen": "side", "expected_delay_veh_s": {"main": 50.0, "side": 9.0}}}
    cause, drain = drain_of(street, full("AB"), said)
    assert (cause.remedy, drain.stage, drain.stage_state) == ("request-drain", "main", "costs-more")
    assert drain.more_veh_s == 41.0
    assert "41 veh s more of it than of side" in cause.says


def test_a_stage_whose_exits_are_full_is_never_offered_and_what_is_shut_is_said(street):
    """Those who turn left off the full road have room, those who go straight on have none."""
    said = {
        "B": {"chosen": "side", "queue_veh": {"A-through": 9.0, "A-left": 3.0}, "full_outlets": ["A-through"]}
    }
    cause, drain = drain_of(street, full("AB"), said)
    assert (drain.kind, drain.stage) == ("empty", "main")
    assert drain.serves == pytest.approx(0.25, abs=0.02)
    assert "but for those who go on" in cause.says


def test_where_no_exit_has_room_the_feeder_is_held_back_by_a_stage_that_sends_nobody_in(street):
    said = {"B": {"chosen": "side", "queue_veh": {"A-through": 9.0}, "full_outlets": ["A-through", "A-left"]}}
    cause, drain = drain_of(street, full("AB"), said)
    # both stages of A send somebody into AB: west straight on, the sides by turning
    assert (cause.remedy, drain.kind, drain.stage) == ("look-downstream", "none", "")
    assert "No stage is known that empties it." in cause.says


def test_an_operator_or_an_ambulance_that_has_the_junction_ahead_goes_first(street):
    override = Override("B", OverrideAction.HOLD, "side", "operator:kim", "test", 100.0, 999.0)
    cause, drain = drain_of(street, full("AB"), overrides={"B": override})
    assert (cause.remedy, drain.kind, drain.held_by) == ("look-downstream", "held", "operator:kim")
    ambulance = HeldFor("m-1", "ambulance", "Ambulance 7", "BE", "side")
    _, drain = drain_of(street, full("AB"), seconds=3, held_for={"B": ambulance})
    assert (drain.kind, drain.held_by, drain.stage) == ("held", "Ambulance 7", "")


def test_a_controller_that_shows_no_stage_on_request_is_offered_none():
    street = Street()
    street.worst = WorstPlaces(sandbox_city(plan_only=("B",)), street.recent)
    _, drain = drain_of(street, full("AB"))
    assert drain.junction != "B" or drain.stage == ""


def test_the_offer_does_not_change_with_every_vehicle(street):
    """Somebody reads it, and presses."""
    offered = set()
    for second in range(60):
        turns = {"A-through": 2.0 + second % 5, "A-left": 3.0}
        said = {"B": {"chosen": "side", "queue_veh": turns}}
        try:
            offered.add(drain_of(street, full("AB"), said, seconds=40 if second == 0 else 1)[1].stage)
        except StopIteration:
            continue
    assert len(offered) == 1


def test_of_stages_that_empty_it_the_one_that_feeds_no_other_full_road_is_offered():
    """Two that hold each other up: the main stage would let the queue out, and more back in to A."""
    street = Street()
    east = CITY.junctions[1]
    alone = msgspec.structs.replace(east.stages[0], id="alone", lamps="Ggrrrrrr")
    junction = msgspec.structs.replace(east, stages=(*east.stages, alone))
    street.worst = WorstPlaces(replace(CITY, junctions=(CITY.junctions[0], junction)), street.recent)
    _, drain = drain_of(street, [*full("AB"), *full("BA"), *queue("EB_0", 4)])
    assert (drain.kind, drain.stage, drain.feeds) == ("empty", "alone", "")


def test_where_every_stage_that_empties_it_feeds_another_full_road_that_is_said(street):
    cause, drain = drain_of(street, [*full("AB"), *full("BA"), *queue("EB_0", 4)])
    assert (drain.stage, drain.feeds) == ("main", "A")
    assert "It also lets vehicles into the full road to A." in cause.says


def apart_city():
    """As the street, but A has a stage more, for those from B alone: it sends nobody into AB."""
    west = CITY.junctions[0]
    apart = msgspec.structs.replace(west.stages[0], id="apart", lamps="rrGgrrrr")
    junction = msgspec.structs.replace(west, stages=(*west.stages, apart))
    return replace(CITY, junctions=(junction, *CITY.junctions[1:]))


def test_where_no_exit_has_room_a_stage_that_sends_nobody_in_holds_the_feeder_back():
    street = Street()
    street.worst = WorstPlaces(apart_city(), street.recent)
    said = {"B": {"chosen": "side", "full_outlets": ["A-through", "A-left"]}}
    cause, drain = drain_of(street, [*full("AB"), *queue("BA_0", 5)], said)
    assert (cause.remedy, drain.kind) == ("request-drain", "hold-back")
    assert (drain.junction, drain.stage, drain.feeder) == ("A", "apart", "WA")
    assert "sends nobody more into it" in cause.says


def test_a_full_road_behind_a_full_road_is_emptied_where_the_last_of_them_ends(tmp_path):
    """Three junctions in a row: the way to the second is full, and so is its only way on, to the third."""
    city = grid_city(3, tmp_path)
    full_roads = FullRoads(city)
    drains = Drains(city, list_approaches(city), full_roads, Serving(city))
    roads = {road.edge_id: road for road in full_roads.ahead.roads}
    first, second = roads["E1_2-2_2"], roads["E2_2-3_2"]
    others = [roads[one] for one in ("E2_2-2_3", "E2_2-2_1", "E2_2-1_2")]
    full_roads.is_shut = lambda road: road in (first, second, *others)
    full_roads.full_time = lambda road: 1.0 if road is second else 0.4
    stage = np.zeros(len(city.junctions), np.int8)
    signals = SimpleNamespace(stage=stage, target=stage, mode=np.full(len(stage), 2, np.uint8))
    scene = Scene(signals, np.zeros(len(city.network.lanes.ids)), lambda _: None, {}, 10.0)
    drain = drains.advise(first, city.signals.row["J1_2"], scene)
    assert (drain.kind, drain.junction, drain.road) == ("beyond", second.ahead, second.edge_id)
    place = city.signals.get_junction(second.ahead)
    lamps = next(one.lamps for one in place.stages if one.id == drain.stage)
    approach = next(
        a for a in list_approaches(city) if (a.edge, a.junction) == (second.last, second.ahead_row)
    )
    first_group = int(city.signals.group_start[second.ahead_row])
    assert {lamps[group - first_group] for group in approach.groups} <= {"G", "g"}


@pytest.fixture(scope="module")
def ingolstadt():
    return resolve_scenario("ingolstadt21")


@pytest.mark.parametrize("seed", range(6))
def test_on_a_real_network_an_offer_keeps_what_it_promises(ingolstadt, seed):
    """Checked against the network's movements alone, for roads that are full at random."""
    city, rng = ingolstadt, np.random.default_rng(seed)
    moves, lanes, edges = city.network.movements, city.network.lanes, city.network.edges
    edge_of, row_of = lanes.edge, {name: k for k, name in enumerate(edges.ids)}
    full_roads = FullRoads(city)
    roads = full_roads.ahead.roads
    shut = {road.edge for road in roads if rng.random() < 0.15 + 0.1 * seed}
    full_roads.is_shut = lambda road: road.edge in shut
    stage = np.zeros(len(city.junctions), np.int8)
    signals = SimpleNamespace(stage=stage, target=stage, mode=np.full(len(stage), 2, np.uint8))
    scene = Scene(signals, rng.uniform(0, 5, len(lanes.ids)), lambda _: None, {}, 10.0)
    drains = Drains(city, list_approaches(city), full_roads, Serving(city))

    def led(junction, stage):
        """(edge from, edge to) of the movements to which the stage gives right of way."""
        row = city.signals.row[junction]
        first = int(city.signals.group_start[row])
        lamps = next(one.lamps for one in city.junctions[row].stages if one.id == stage)
        return {
            (int(edge_of[moves.from_lane[k]]), int(edge_of[moves.to_lane[k]]))
            for k in np.flatnonzero((moves.junction == row) & (moves.group >= 0))
            if lamps[moves.group[k] - first] in "Gg"
        }

    kinds = set()
    for here, ways in full_roads.ahead.of_junction.items():
        for road in ways:
            if road.edge not in shut:
                continue
            drain = drains.advise(road, here, scene)
            kinds.add(str(drain.kind))
            if drain.kind in ("empty", "beyond"):
                emptied = next(one for one in roads if one.edge_id == drain.road)
                assert drain.junction == emptied.ahead
                assert (emptied is road) == (drain.kind == "empty")
                assert emptied.edge in shut
                out = {to for frm, to in led(drain.junction, drain.stage) if frm == row_of[emptied.last]}
                assert out - shut, "nobody who stands on the road gets out of it"
                assert 0.0 < drain.serves <= 1.0
            elif drain.kind == "hold-back":
                assert drain.junction == city.junctions[here].id
                assert road.edge not in {to for _, to in led(drain.junction, drain.stage)}
            else:
                assert (drain.kind, drain.stage) == ("none", "")
    assert "empty" in kinds
