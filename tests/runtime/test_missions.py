"""The desk for missions: orders, keys, positions, cancellations, views; and the dispatcher's question."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from civicbrain.brains.priority import create
from civicbrain.city.observations import Detections, SignalStates
from civicbrain.city.store import Store
from civicbrain.contracts.brain import BrainContext
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.contracts.wire import Reply
from civicbrain.core.errors import ConfigurationError, NotFoundError, RequestRefusedError
from civicbrain.evaluate.run import TwinDoor
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime.hosts import InlineHost
from civicbrain.runtime.loop import Loop
from civicbrain.runtime.missions import MissionDesk

CITY = sandbox_city()
ORDER = {"id": "m1", "vehicle": "ambulance 7", "from_edge": "WA", "to_edge": "BE", "urgency": 3}


class Street:
    twin = None

    def apply(self, requests):
        from civicbrain.contracts.actuator import Outcome, Verdict

        return [Verdict(Outcome.ACCEPTED, "controller", "accepted", "", 0.0) for _ in requests]

    def heartbeat(self):
        pass


class Twin:
    """Stands for the twin's process."""

    def __init__(self):
        self.heard = []
        self.ok = True

    def ask(self, command, timeout_s):
        self.heard.append(command)
        return Reply(ok=self.ok, error="" if self.ok else "no such road")

    def send(self, command):
        self.heard.append(command)


class Centre:
    """The loop and the desk, ticked by hand."""

    def __init__(self):
        door = TwinDoor()
        door.twin = Street()
        self.ledger = Ledger(None)
        host = InlineHost(create(BrainContext(CITY)))
        self.loop = Loop(CITY, Store(CITY), Guard(CITY, self.ledger, door), [host])
        self.twin = Twin()
        self.desk = MissionDesk(CITY, self.loop, self.ledger, self.twin)
        self.now_s = 100.0
        self.tick()

    def tick(self, *data):
        self.now_s += 1.0
        seen = Detections.empty("cameras", self.now_s, CITY.cameras.junction)
        self.loop.tick([seen, *data, *self.desk.drain()], self.now_s)

    def report(self, key, x_m, **values):
        body = {"key": key, "x_m": x_m, "y_m": 0.0, "speed_mps": 14.0, **values}
        return self.desk.take_position("m1", body, self.now_s)


def showing(now_s, row, stage, target):
    """What controllers report when one shows a stage and the others say nothing."""
    junctions, groups = len(CITY.junctions), CITY.signals.group_count
    stages, targets = np.full(junctions, -1, np.int32), np.full(junctions, -1, np.int32)
    stages[row], targets[row] = stage, target
    return SignalStates(
        "twin", now_s, np.full(groups, ord("r"), np.uint8), np.zeros(groups, np.float32), stages,
        np.zeros(junctions, np.float32), targets, np.zeros(junctions, np.uint8),
    )  # fmt: skip


@pytest.fixture
def centre():
    return Centre()


def test_an_order_is_recorded_planned_and_followed(centre):
    made = centre.desk.take_order(ORDER, "operator", "cardiac arrest", 101.0)
    assert made.mission.state == "expected"
    [order] = [e for e in centre.ledger.page(0, 99) if e.kind == "mission"]
    assert (order.actor, order.body["reason"], order.body["urgency"]) == ("operator", "cardiac arrest", 3)
    centre.tick()
    for second in range(5):
        centre.report(made.key, 10.0 + 14.0 * second, heading_deg=90.0)
        centre.tick()
    view = centre.desk.view("m1")
    assert view.state == "tracked"
    assert view.edges == ("WA", "AB", "BE")
    assert [passage.junction for passage in view.passages] == ["A", "B"]
    assert view.progress_m == pytest.approx(10.0 + 14.0 * 4, abs=20.0)
    assert view.eta_s is not None
    assert view.eta_margin_s is not None
    assert view.eta_s > centre.now_s


def test_a_junction_counts_as_green_when_its_stage_shows(centre):
    made = centre.desk.take_order(ORDER, "operator", "", 101.0)
    centre.tick()
    centre.report(made.key, 200.0, heading_deg=90.0)
    centre.tick()
    first = centre.desk.view("m1").passages[0]
    assert first.stage
    assert not first.shown  # nothing is known of the lamps yet
    row = CITY.signals.row[first.junction]
    wanted = [stage.id for stage in CITY.junctions[row].stages].index(first.stage)
    centre.tick(showing(centre.now_s + 1.0, row, wanted, wanted))
    assert [passage.shown for passage in centre.desk.view("m1").passages] == [True, False]
    centre.tick(showing(centre.now_s + 1.0, row, wanted, wanted + 1))  # it is being left
    assert not centre.desk.view("m1").passages[0].shown


def test_a_position_without_the_key_is_refused_and_recorded(centre):
    centre.desk.take_order(ORDER, "operator", "", 101.0)
    centre.tick()
    with pytest.raises(RequestRefusedError, match="key"):
        centre.report("guessed", 10.0)
    centre.tick()
    assert centre.desk.view("m1").refused == {"unauthorised": 1}
    assert centre.desk.view("m1").state == "expected"
    assert "unauthorised" in [e.body.get("rule") for e in centre.ledger.page(0, 99)]


def test_a_cancellation_ends_it_once(centre):
    centre.desk.take_order(ORDER, "operator", "", 101.0)
    centre.tick()
    assert centre.desk.take_cancellation("m1", "operator", "false alarm", 102.0).state == "cancelled"
    centre.tick()
    view = centre.desk.view("m1")
    assert (view.state, view.end) == ("ended", "cancelled")
    with pytest.raises(RequestRefusedError, match="over"):
        centre.desk.take_cancellation("m1", "operator", "", 103.0)
    assert [brief.id for brief in centre.desk.list_briefs()] == ["m1"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"to_edge": "nowhere"}, NotFoundError),
        ({"route": ["WA", "no-such"]}, NotFoundError),
        ({"urgency": 9}, ConfigurationError),
        ({"kind": "parade"}, ConfigurationError),
    ],
)
def test_an_order_that_cannot_be_carried_out_leaves_no_trace(centre, change, error):
    with pytest.raises(error):
        centre.desk.take_order({**ORDER, **change}, "operator", "", 101.0)
    assert centre.desk.list_briefs() == []
    assert centre.ledger.count == 0


def test_an_id_is_taken_once_and_an_unknown_one_is_not_found(centre):
    centre.desk.take_order(ORDER, "operator", "", 101.0)
    with pytest.raises(RequestRefusedError, match="m1"):
        centre.desk.take_order(ORDER, "operator", "", 101.0)
    with pytest.raises(NotFoundError):
        centre.desk.view("m2")


def test_a_simulated_mission_is_driven_by_the_twin_along_a_route(centre):
    centre.desk.take_order({**ORDER, "simulate": True}, "operator", "", 101.0)
    [start] = centre.twin.heard
    assert start.action == "mission-start"
    assert start.mission.route == ("WA", "AB", "BE")
    centre.desk.take_cancellation("m1", "operator", "", 102.0)
    assert centre.twin.heard[-1].action == "mission-cancel"


def test_a_twin_that_cannot_drive_it_refuses_the_order(centre):
    centre.twin.ok = False
    with pytest.raises(RequestRefusedError, match="no such road"):
        centre.desk.take_order({**ORDER, "simulate": True}, "operator", "", 101.0)
    assert centre.desk.list_briefs() == []


def test_the_dispatcher_is_told_who_is_first_with_time_and_spread(centre):
    question = {"address": "BE", "places": {"near": "AB", "far": "WA", "nowhere": "EB"}}
    answer = centre.desk.answer(question, 101.0)
    assert [choice.name for choice in answer.choices][:2] == ["near", "far"]
    near, far = answer.choices[:2]
    # 600 m and 900 m at 50 km/h times 1.5 times 0.9, 15 m and 3 s at each signal
    assert near.time_s == pytest.approx(600 / (13.89 * 1.35) + 15 / 13.89 + 3, abs=0.2)
    assert far.time_s == pytest.approx(900 / (13.89 * 1.35) + 2 * (15 / 13.89 + 3), abs=0.2)
    assert near.chance_first > 0.6
    assert sum(choice.chance_first for choice in answer.choices) == pytest.approx(1.0, abs=0.01)
    assert near.margin_s > 0.0


def test_a_way_is_as_long_for_the_dispatcher_as_for_the_mission_that_drives_it(monkeypatch):
    lanes = CITY.network.lanes
    ends = lanes.shape_xy.reshape(-1, 2, 2)
    apart = (ends + 0.1 * (ends.mean(axis=1, keepdims=True) - ends)).reshape(-1, 2)  # lanes end before nodes
    network = replace(CITY.network, lanes=replace(lanes, shape_xy=apart.astype(np.float32)))
    monkeypatch.setitem(globals(), "CITY", replace(CITY, network=network))
    centre = Centre()
    [choice] = centre.desk.answer({"address": "BE", "places": {"here": "WA"}}, 101.0).choices
    centre.desk.take_order(ORDER, "operator", "", 101.0)
    centre.tick()
    mission = centre.desk.view("m1")
    assert mission.edges == choice.edges
    # three sections of 300 m, of which 15 m at each end lie inside nodes
    assert mission.length_m == pytest.approx(900.0 - 2 * 15.0, abs=0.5)
    assert mission.length_m == pytest.approx(choice.length_m, abs=0.1)


def test_the_nearest_of_several_hospitals_is_asked_from_the_patient(centre):
    question = {"address": "WA", "first": "hospital", "places": {"east": "BE", "north": "ANA"}}
    answer = centre.desk.answer(question, 101.0)
    assert [choice.name for choice in answer.choices] == ["north", "east"]
    with pytest.raises(NotFoundError, match="hospital"):
        centre.desk.answer({"address": "WA", "first": "hospital"}, 101.0)
