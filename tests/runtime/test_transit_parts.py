"""Buses between the processes: what the twin says, the snapshot, the brain's answer, the desk."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "city" / "transit"))
from sandbox_line import line_through

from civicbrain.api.models.transit import BusPage, BusView, LinesView, TransitAskPage
from civicbrain.brains.priority import create
from civicbrain.city.observations import Detections
from civicbrain.city.store import Store
from civicbrain.city.transit.buses import BusDelay, BusPosition
from civicbrain.contracts.brain import BrainContext
from civicbrain.contracts.sandbox import sandbox_city, sandbox_signals
from civicbrain.contracts.snapshot_wire import pack_snapshot, unpack_snapshot
from civicbrain.contracts.transport import RECORD_OF_TOPIC, decode, encode
from civicbrain.contracts.wire import BUSES_TOPIC, BrainCommand
from civicbrain.core.errors import NotFoundError
from civicbrain.evaluate.run import TwinDoor
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime import brain_messages
from civicbrain.runtime.hosts import InlineHost
from civicbrain.runtime.loop import Loop
from civicbrain.runtime.transit import TransitDesk

CITY = line_through(sandbox_city(), (0.0, 900.0))


class Street:
    def apply(self, requests):
        from civicbrain.contracts.actuator import Outcome, Verdict

        return [Verdict(Outcome.ACCEPTED, "controller", "accepted", "", 0.0) for _ in requests]

    def heartbeat(self):
        pass


class Centre:
    """A loop with the priority brain, and the desk; ticked by hand. The signals stay in their side stage."""

    def __init__(self, city=CITY):
        door = TwinDoor()
        door.twin = Street()
        self.loop = Loop(
            city,
            Store(city),
            Guard(city, Ledger(None), door),
            [InlineHost(create(BrainContext(city)))],
        )
        self.desk = TransitDesk(city, self.loop)
        self.city, self.now_s = city, 100.0

    def tick(self, *data):
        self.now_s += 1.0
        seen = Detections.empty("cameras", self.now_s, self.city.cameras.junction)
        signals = sandbox_signals(self.city, self.now_s, stage=1, since_s=50.0)
        return self.loop.tick([seen, signals, *data], self.now_s)

    def ask(self, action, **values):
        return self.desk.obey(BrainCommand(action, **values), self.now_s)


def bus(now_s, x_m, trip="t1"):
    return BusPosition("avl", trip, "bus 1", now_s, x_m, 0.0, 10.0, 90.0)


def test_a_position_travels_over_the_twins_door():
    position = bus(101.0, 40.0)
    assert decode(RECORD_OF_TOPIC[BUSES_TOPIC], encode(position)) == position


def test_a_snapshot_with_buses_and_a_brains_answer_survive_the_wire():
    centre = Centre()
    advice = centre.tick(bus(101.0, 240.0), BusDelay("ops", "t1", 101.0, "stop-AB", 60.0))
    snapshot = centre.loop.last_snapshot
    assert unpack_snapshot(pack_snapshot(snapshot)).buses == snapshot.buses != ()
    back = brain_messages.decode(brain_messages.encode(brain_messages.answered(advice, 1.0)))
    assert back.advice().transit == advice.transit
    assert advice.transit.buses[0].trip == "t1"


def test_the_desk_says_what_the_api_shows():
    centre = Centre()
    for second in range(102, 112):
        centre.tick(bus(float(second - 1), 200.0 + 8.0 * (second - 102)))
    lines = msgspec.convert(centre.ask("transit-lines"), LinesView)
    assert (lines.lines[0].id, lines.lines[0].buses, lines.lines[0].headway_s) == ("7", 1, 900.0)
    page = msgspec.convert(centre.ask("transit-buses"), BusPage)
    assert page.items[0].late_s > 60.0
    view = msgspec.convert(centre.ask("transit-bus", text="t1"), BusView)
    assert view.ask is not None  # it is late, and its stage does not show
    asks = msgspec.convert(centre.ask("transit-asks"), TransitAskPage)
    assert (asks.count, asks.items[0].outcome) == (1, "accepted")
    assert centre.ask("transit-asks", text="no such line")["count"] == 0
    assert centre.ask("transit-buses", offset=5)["items"] == []


def test_what_is_not_there_is_said_with_a_remedy():
    centre = Centre()
    with pytest.raises(NotFoundError, match="no bus of trip"):
        centre.ask("transit-bus", text="t1")
    with pytest.raises(NotFoundError, match="no timetable"):
        Centre(sandbox_city()).ask("transit-lines")


def test_time_that_goes_back_forgets_buses_and_requests():
    centre = Centre()
    for second in range(102, 112):
        centre.tick(bus(float(second - 1), 200.0 + 8.0 * (second - 102)))
    assert centre.loop.transit.asks
    centre.now_s = 50.0
    centre.tick()
    assert not centre.loop.transit.asks
    assert centre.ask("transit-buses")["count"] == 0


def test_the_timetable_is_read_before_the_first_bus_and_not_within_the_loop(monkeypatch):
    """It takes seconds at 1,300 junctions: the loop stood still longer than the controllers wait for it, and
    the brain was killed for its silence, again and again."""
    read = []
    monkeypatch.setattr("civicbrain.city.transit.assembly.read_timetable", lambda city: read.append(city))
    of_brain, of_loop = sandbox_city(), sandbox_city()
    create(BrainContext(of_brain))
    assert read == [of_brain]
    create(BrainContext(sandbox_city(), options={"buses": False}))
    assert read == [of_brain]
    TransitDesk(of_loop, Centre().loop)
    assert read == [of_brain, of_loop]
