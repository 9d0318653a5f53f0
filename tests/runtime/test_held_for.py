"""For whom a junction is held, as people call it."""

from __future__ import annotations

import pytest

from civicbrain.city.missions import Mission, MissionKind, Urgency
from civicbrain.city.store import Store
from civicbrain.contracts.brain import Priority
from civicbrain.contracts.missions import MissionPlan, Passage, PassageState
from civicbrain.contracts.overrides import HeldFor, Holder
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.contracts.transit import AskKind, BusAsk, BusMode, BusPlan
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime.held_for import held_for
from civicbrain.runtime.loop import Loop

CITY = sandbox_city()
MISSION = Holder("priority", Priority.EMERGENCY, "side", 90.0, 109.0, "m-c1c37bba")
BUS = Holder("priority", Priority.TRANSIT, "main", 90.0, 109.0, trip="10_frequency1.43")


@pytest.fixture
def loop():
    loop = Loop(CITY, Store(CITY), Guard(CITY, Ledger(None), None), [])
    order = Mission("m-c1c37bba", "Ambulance 7", MissionKind.AMBULANCE, Urgency(3), "WA", "BE", 100.0)
    loop.tick([order], 101.0)
    loop.last_snapshot = loop.snapshot(101.0)
    return loop


def plan(predicted_s, passed_s=None):
    passage = Passage("A", 300.0, PassageState.OPEN, stage="side", predicted_s=predicted_s, passed_s=passed_s)
    return MissionPlan("m-c1c37bba", "priority", 101.0, "tracked", passages=(passage,))


def test_a_mission_is_told_by_call_sign_kind_and_whereto(loop):
    told = HeldFor("m-c1c37bba", "ambulance", "Ambulance 7", "BE", "side")
    assert held_for(MISSION, "A", loop) == told
    loop.missions.plans["m-c1c37bba"] = plan(112.0)
    assert held_for(MISSION, "A", loop).until_s == 112.0
    assert held_for(MISSION, "B", loop).until_s is None
    loop.missions.plans["m-c1c37bba"] = plan(112.0, passed_s=111.0)
    assert held_for(MISSION, "A", loop).until_s is None


def test_a_bus_is_told_by_its_line_and_never_as_a_mission(loop):
    assert held_for(BUS, "A", loop) == HeldFor("10_frequency1.43", "bus", stage="main")
    ask = BusAsk("A", AskKind.EXTENSION, "main", 90.0, 110.0, 107.0)
    bus = BusPlan(
        "10_frequency1.43", "10", "v", "priority", 101.0, "tracked", 0.0, 0.0, 0.0, 1.0, 90.0,
        BusMode.TIMETABLE, 90.0, ask=ask,
    )  # fmt: skip
    loop.transit.buses[bus.trip] = bus
    assert held_for(BUS, "A", loop) == HeldFor("10_frequency1.43", "bus", "10", "", "main", 107.0)


def test_held_by_a_brain_for_nobody(loop):
    assert held_for(Holder("signals", Priority.SIGNALS, "main", 90.0, 109.0), "A", loop) is None
    assert held_for(None, "A", loop) is None
