"""Corridors on a street without SUMO: opened in time, given back, arbitrated, and never unsafe."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from corridor_street import CITY, SPEED_MPS, Street, driver

from civicbrain.brains.priority import create
from civicbrain.brains.priority.arrival import RoadView, behind_s
from civicbrain.brains.priority.options import PriorityOptions
from civicbrain.brains.priority.switching import JunctionTable
from civicbrain.city.missions import MissionEnd, Urgency, VehiclePosition
from civicbrain.city.observations import Detections
from civicbrain.city.signals import ControllerMode
from civicbrain.city.store import Store
from civicbrain.city.waits import red_wait_s
from civicbrain.contracts.brain import BrainContext, Priority, StageRequest
from civicbrain.contracts.brain_checks import check_brain
from civicbrain.contracts.missions import PassageState
from civicbrain.contracts.sandbox import sandbox_signals
from civicbrain.core.errors import ConfigurationError

EAST = ("W", "A", "B", "E")
SOUTH_AT_A = ("NA", "A", "SA")
NORTH_AT_B = ("SB", "B", "NB")


def test_it_keeps_the_contract_of_brains():
    assert [finding for finding in check_brain(create) if not finding.ok] == []


def test_options_that_do_not_fit_are_named():
    context = BrainContext(Street().loop.city, options={"max_hold": 3})
    with pytest.raises(ConfigurationError, match="max_hold"):
        create(context)


@pytest.mark.parametrize("start_s", [30.0, 37.0, 44.0, 51.0])
def test_each_junction_is_green_before_the_vehicle_comes_and_free_after_it(start_s):
    street = Street([driver("m1", EAST, start_s)])
    at_a_s, at_b_s = start_s + 300.0 / SPEED_MPS, start_s + 600.0 / SPEED_MPS
    street.run(at_a_s - 3.0)
    assert street.green("A", "W")
    street.run(at_a_s - 0.5)
    assert street.green("A", "W")
    street.run(at_b_s - 3.0)
    assert street.green("B", "A")
    street.run(at_b_s + 12.0)
    assert {controller.mode for controller in street.roadside.controllers} == {ControllerMode.LOCAL}
    assert street.observer.count == 0


def test_cross_traffic_is_held_no_longer_than_needed():
    street = Street([driver("m1", EAST, 40.0)])
    street.run(140.0)
    opened = [e.time_s for e in street.entries("corridor") if e.body["state"] == "open"]
    gone = [e.time_s for e in street.entries("corridor") if e.body["state"] in ("released", "recovers")]
    assert len(opened) == len(gone) == 2
    assert all(end_s - begin_s <= 25.0 for begin_s, end_s in zip(opened, gone, strict=True))


def test_where_nobody_stands_a_junction_is_asked_for_with_less_to_spare():
    def opened_s(free_margin_s):
        street = Street([driver("m1", ("NA", "A", "SA"), 40.0)], options={"free_margin_s": free_margin_s})
        street.run(75.0)
        return next(e.time_s for e in street.entries("corridor") if e.body["state"] == "open")

    assert opened_s(PriorityOptions().free_margin_s) >= opened_s(PriorityOptions().margin_s) + 4.0


def test_a_junction_is_given_back_while_the_vehicle_passes_its_stop_line():
    street = Street([driver("m1", EAST, 40.0)])
    street.run(75.0)
    gone = [e.time_s for e in street.entries("corridor") if e.body["state"] in ("released", "recovers")]
    passes_s = 40.0 + 300.0 / SPEED_MPS
    assert passes_s - 1.0 <= gone[0] <= passes_s + 1.0


def test_the_time_won_changes_gradually_while_the_expected_arrival_jumps():
    street = Street([driver("m1", EAST, 40.0)])
    street.run(50.0)
    street.drivers[0].over = True
    expected_s, won_s = [], []
    for second in range(25):
        x_m, speed_mps = (140.0, 14.0) if second < 5 else (200.0, 0.0)
        street.extra.append(VehiclePosition("radio", "m1", street.now_s + 1.0, x_m, 0.0, speed_mps, 90.0))
        street.step()
        plan = street.advice.missions[0]
        expected_s.append(plan.eta_without_s - plan.eta_s)
        won_s.append(plan.won_s)
    jumps_s, steps_s = np.abs(np.diff(expected_s)), np.abs(np.diff(won_s))
    assert jumps_s.max() > 2.0
    assert steps_s.max() < 0.5 * jumps_s.max()
    assert min(expected_s) <= won_s[-1] <= max(expected_s)


def test_without_priority_the_same_vehicle_in_the_same_traffic_waits_at_red_besides():
    """Both expectations are of one driver: priority is never told to lose before anything has happened."""
    street = Street([driver("m1", EAST, 40.0)])
    street.run(42.0)
    plan = street.advice.missions[0]
    main = [group.id for group in CITY.junctions[0].groups].index("W-through")
    red_s = sum(red_wait_s(junction, [main]) for junction in CITY.junctions)
    assert plan.eta_without_s - plan.eta_s == pytest.approx(red_s, abs=1.0)


def test_where_nobody_can_overtake_the_vehicle_comes_behind_others():
    assert behind_s(20.0, 20.0, 0.1) == 0.0  # no faster than they are
    assert behind_s(20.0, 30.0, 1e-6) == pytest.approx(0.0, abs=1e-3)  # an empty street
    assert behind_s(20.0, 30.0, 10.0) == pytest.approx(10.0, abs=0.2)  # a full one
    drawn_s = np.random.default_rng(1).exponential(
        1.0 / 0.1, 100_000
    )  # by how much the one in front is ahead
    assert behind_s(20.0, 30.0, 0.1) == pytest.approx(np.maximum(10.0 - drawn_s, 0.0).mean(), abs=0.05)


def test_who_stands_at_green_gets_the_stage_that_lets_all_its_lanes_go(monkeypatch):
    # as if the second stage gave right of way to who yields in the first
    monkeypatch.setattr(JunctionTable, "freedom", lambda *_: np.array((0.7, 1.0)))
    street = Street([driver("m1", EAST, 40.0)])
    street.run(60.0)
    street.drivers[0].over = True
    asked = []
    for _ in range(12):
        street.extra.append(VehiclePosition("radio", "m1", street.now_s + 1.0, 285.0, 0.0, 0.0, 90.0))
        street.step()
        asked.append(street.advice.missions[0].passages[0].stage)
    stages = [stage.id for stage in CITY.junctions[CITY.signals.row["A"]].stages]
    changed = asked.index(stages[1])
    assert set(asked[:changed]) == {stages[0]}
    assert 3 <= changed <= 9
    assert street.observer.count == 0


def test_the_stage_that_lets_all_lanes_go_is_known_apart_from_one_where_a_neighbour_yields():
    table = JunctionTable(CITY, 0)
    lanes = table.lanes
    movements = CITY.network.movements
    found = 0
    for group in range(len(table.junction.groups)):
        own = movements.from_lane[movements.group == table.start + group]
        rows = np.unique(own).astype(np.int32)
        freedom = table.freedom(rows, np.full(len(rows), group, np.int32))
        for stage, free in enumerate(freedom):
            if free > 0.0:
                found += 1
                assert table.lamps[stage, group] == ord("G")
                assert free == table.green[stage, np.searchsorted(lanes, rows)].min()
    assert found > 0


def test_of_stages_that_serve_the_mission_alike_the_one_for_those_who_stand_is_taken():
    table = JunctionTable(CITY, 0)
    queued = np.zeros(len(CITY.network.lanes.ids), np.float32)
    snapshot = SimpleNamespace(lanes=SimpleNamespace(queued=queued))
    assert not table.served_share(snapshot).any()
    queued[table.lanes[0]] = 6.0
    queued[table.lanes[-1]] = 2.0
    wanted = 0.75 * table.green[:, 0] + 0.25 * table.green[:, -1]
    assert table.served_share(snapshot) == pytest.approx(wanted)


def test_arrivals_are_predicted_and_compared():
    street = Street([driver("m1", EAST, 40.0)], options={"speed_share": 0.67})
    street.run(50.0)
    [plan] = street.advice.missions
    assert [passage.junction for passage in plan.passages] == ["A", "B"]
    real_s = [40.0 + 300.0 / SPEED_MPS, 40.0 + 600.0 / SPEED_MPS]
    for passage, at_s in zip(plan.passages, real_s, strict=True):
        assert passage.predicted_s == pytest.approx(at_s, abs=0.15 * (at_s - 50.0) + 1.0)
    assert plan.eta_without_s is not None
    street.run(75.0)
    [plan] = street.advice.missions
    assert plan.passages[0].passed_s == pytest.approx(real_s[0], abs=2.0)


def test_a_cancelled_mission_gives_its_corridor_back_at_once():
    street = Street([driver("m1", EAST, 40.0)])
    street.run(57.0)
    assert ControllerMode.FORCED in {controller.mode for controller in street.roadside.controllers}
    street.drivers[0].over = True
    street.extra.append(MissionEnd("m1", 58.0, "cancelled"))
    street.run(61.0)
    assert {controller.mode for controller in street.roadside.controllers} == {ControllerMode.LOCAL}
    assert street.advice.missions == ()
    ends = [e.body for e in street.entries("mission") if e.body["what"] == "ended"]
    assert [(body["mission"], body["rule"]) for body in ends] == [("m1", "cancelled")]


def test_a_lost_mission_gives_its_corridor_back_and_raises_an_alert():
    street = Street([driver("m1", EAST, 40.0, silent=(55.0, 1e9), speed_mps=8.0)])
    street.run(70.0)
    assert {controller.mode for controller in street.roadside.controllers} == {ControllerMode.LOCAL}
    assert [alert.key for alert in street.loop.open_alerts.values()] == ["mission-m1"]
    assert [p.state for p in street.advice.missions] == ["lost"]


def test_a_vehicle_that_stands_holds_a_junction_for_a_limited_time():
    street = Street([driver("m1", EAST, 40.0)], options={"max_hold_s": 30.0, "pause_s": 20.0})
    street.run(57.0)  # 240 m on: the junction is open
    street.drivers[0].over = True
    for _ in range(120):
        street.extra.append(VehiclePosition("radio", "m1", street.now_s, 240.0, 0.0, 0.0, 90.0))
        street.step()
    states = [e.body["state"] for e in street.entries("corridor") if e.body["junction"] == "A"]
    assert states[:3] == ["open", "held-back", "open"]
    assert street.observer.count == 0


def bad_positions(street):
    now_s = street.now_s
    return [
        VehiclePosition("radio", "m1", now_s, 880.0, 0.0, 14.0, 90.0),  # jumps
        VehiclePosition("radio", "m1", now_s - 30.0, 200.0, 0.0, 14.0, 90.0),  # late
        VehiclePosition("radio", "m1", now_s, 200.0, 140.0, 14.0, 90.0),  # off the network
        VehiclePosition("stranger", "m1", now_s, 250.0, 0.0, 14.0, 90.0),
    ]


def test_positions_that_lie_open_nothing_and_the_corridor_ends():
    street = Street([driver("m1", EAST, 40.0, silent=(48.0, 1e9))])
    while street.now_s < 75.0:
        if street.now_s >= 48.0:
            street.extra += bad_positions(street)
        street.step()
    refused = {e.body["rule"] for e in street.entries("mission") if e.body["what"] == "position-refused"}
    assert {"jump", "late", "off-network", "unauthorised"} <= refused
    assert {controller.mode for controller in street.roadside.controllers} == {ControllerMode.LOCAL}
    opened = [e.body["junction"] for e in street.entries("corridor") if e.body["state"] == "open"]
    assert "B" not in opened
    assert street.loop.health(75.0)[0].failures == 0
    assert street.observer.count == 0


def test_the_operator_outranks_the_corridor():
    street = Street([driver("m1", EAST, 40.0)])
    street.run(52.0)
    hold = StageRequest("A", "side", 52.0, 82.0, "operator", Priority.OPERATOR, "procession")
    street.guard.handle([hold], 52.0)
    street.run(70.0)
    assert street.roadside.controllers[0].mode is ControllerMode.MANUAL
    assert not street.green("A", "W")
    assert street.guard.refused["outranked"] > 0


@pytest.mark.parametrize(("east", "south", "first"), [(3, 2, "m1"), (2, 3, "m2")])
def test_two_crossing_missions_are_both_served_the_more_urgent_first(east, south, first):
    street = Street(
        [
            driver("m1", EAST, 40.0, Urgency(east), speed_mps=10.0),
            driver("m2", SOUTH_AT_A, 41.0, Urgency(south), speed_mps=10.0),
        ]
    )
    street.run(130.0)
    crossing = [e.body for e in street.entries("request") if e.body["rule"] == "crossing-missions"]
    assert crossing
    assert all("more urgent" in body["why"] for body in crossing)
    assert first in crossing[0]["why"]
    opened = {e.body["mission"] for e in street.entries("corridor") if e.body["state"] in ("open", "waits")}
    assert opened == {"m1", "m2"}
    ended = street.loop.missions.ended
    assert all(passage.passed_s is not None for plan in ended.values() for passage in plan.passages)
    assert street.observer.count == 0


def test_three_missions_on_two_junctions_are_all_served_and_nothing_is_unsafe():
    street = Street(
        [
            driver("m1", EAST, 40.0, Urgency.URGENT, speed_mps=10.0),
            driver("m2", SOUTH_AT_A, 42.0, Urgency.URGENT, speed_mps=10.0),
            driver("m3", NORTH_AT_B, 68.0, Urgency.LIFE, speed_mps=10.0),
        ]
    )
    street.run(180.0)
    ended = street.loop.missions.ended
    assert set(ended) == {"m1", "m2", "m3"}
    states = {passage.state for plan in ended.values() for passage in plan.passages}
    assert states <= {PassageState.PASSED, PassageState.RECOVERS, PassageState.RELEASED}
    assert street.observer.count == 0
    assert {controller.mode for controller in street.roadside.controllers} == {ControllerMode.LOCAL}
    reasons = {e.body["why"] for e in street.entries("request") if e.body["rule"] == "crossing-missions"}
    assert reasons


def test_who_is_inside_the_junction_is_no_queue_of_the_edge_that_he_left() -> None:
    row = CITY.network.lanes.row["WA_0"]
    seen = Detections(
        "cameras", 1.0, 1.0, np.array([0], np.int32), np.zeros(2, np.int32), np.full(2, row, np.int32),
        np.array([12.0, -7.0], np.float32), np.zeros(2, np.float32), np.zeros(2, np.uint8),
        np.full(2, -1, np.int32),
    )  # fmt: skip
    store = Store(CITY)
    store.fold([seen, sandbox_signals(CITY, 1.0)], 1.0)
    _, to_go_m = RoadView(CITY).on_edge(store.snapshot(1.0), int(CITY.network.lanes.edge[row]))
    assert to_go_m.tolist() == [12.0]
