"""A centre and a street for overrides: real loop, guard and controllers, a brain that asks as it is told, and
the observer that shares no code with the controllers."""

from __future__ import annotations

from dataclasses import replace

from civicbrain.city.signals import (
    ControllerMode,
    GroupKind,
    PlanStep,
    SignalGroup,
    SignalJunction,
    SignalPlan,
    Stage,
)
from civicbrain.city.store import Store
from civicbrain.contracts.brain import Advice, BrainContext, Priority, StageRequest
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime.hosts import InlineHost
from civicbrain.runtime.loop import Loop
from civicbrain.twin.observer import JunctionObserver
from civicbrain.twin.roadside import Roadside


def crossing(name: str) -> SignalJunction:
    """Main street, side street, and pedestrians over the main street (9 m: 8 s to clear)."""
    groups = (
        SignalGroup("main", GroupKind.VEHICLE, (0,), 3.0, 5.0),
        SignalGroup("side", GroupKind.VEHICLE, (1,), 3.0, 5.0),
        SignalGroup("walk", GroupKind.PEDESTRIAN, (2,), 0.0, 7.0, crossing_m=9.0),
    )
    conflict = ((0, 2, 2), (2, 0, 0), (2, 0, 0))
    gaps = ((0.0, 5.0, 6.0), (5.0, 0.0, 0.0), (8.0, 0.0, 0.0))
    stages = (Stage("main", "Grr"), Stage("side", "rGG"))
    plan = SignalPlan("local", (PlanStep(0, 40.0), PlanStep(1, 30.0)))
    return SignalJunction(name, name, 0.0, 0.0, (name,), 3, groups, conflict, gaps, stages, plan)


_SANDBOX = sandbox_city(plan_only=("B",))
CITY = replace(
    _SANDBOX,
    junctions=(crossing("A"), _SANDBOX.junctions[1]),
    network=replace(
        _SANDBOX.network,
        movements=replace(_SANDBOX.network.movements, group=_SANDBOX.network.movements.group * 0 - 1),
    ),
)


class Asking:
    """A brain that asks for one stage at A. rank: Priority of its requests. polite: asks nothing of a
    junction that an operator holds."""

    cadence_s, budget_s = 1.0, 1.0

    def __init__(self, name: str, rank: Priority) -> None:
        self.name, self.rank, self.stage, self.polite = name, rank, "main", False

    def advise(self, snapshot):
        now_s = snapshot.time_s
        held = self.polite and snapshot.signals.mode[0] == ControllerMode.MANUAL
        if not self.stage or held:
            return Advice()
        return Advice((StageRequest("A", self.stage, now_s, now_s + 5.0, self.name, self.rank, "wants it"),))


class Centre:
    """Ticked by hand, a second each. centre_alive False: nothing reaches the street any more."""

    name, dry_run = "street", False

    def __init__(self) -> None:
        self.now_s = 100.0
        self.road = Roadside(CITY.signals, self.now_s, watchdog_s=4.0)
        self.observers = [JunctionObserver(junction) for junction in CITY.junctions]
        self.unsafe: list[object] = []
        self.alive = True
        self.ledger = Ledger(None)
        self.guard = Guard(CITY, self.ledger, self)
        self.signals = Asking("signals", Priority.SIGNALS)
        self.ambulance = Asking("priority", Priority.EMERGENCY)
        self.ambulance.stage = ""
        context = BrainContext(CITY)
        assert context.city is CITY
        hosts = [InlineHost(self.signals), InlineHost(self.ambulance)]
        self.loop = Loop(CITY, Store(CITY), self.guard, hosts)
        self.overrides = self.loop.overrides

    # the Actuator's side

    def apply(self, requests, now_s):
        return self.road.apply(requests, now_s)

    def heartbeat(self, now_s):
        self.road.heartbeat(now_s)

    def close(self):
        pass

    # by hand

    def tick(self, seconds: int = 1) -> None:
        for _ in range(seconds):
            self.now_s += 1.0
            if self.alive:
                self.loop.tick([self.road.states(self.now_s)], self.now_s)
            for part in range(4):
                at_s = self.now_s + part / 4
                self.road.act(at_s)
                for row, observer in enumerate(self.observers):
                    self.unsafe += observer.look(self.road.link_lamps(row), at_s)

    def take(self, action="stage", stage="side", duration_s=60.0, junction="A", who="operator:kim"):
        body = {"action": action, "stage": stage, "duration_s": duration_s}
        return self.overrides.take(
            junction, body, who, "queue on the side street", self.loop.last_snapshot, self.now_s
        )

    @property
    def a(self):
        return self.road.controllers[0]

    def shown(self) -> str:
        """Stage at A, "" between stages."""
        return CITY.junctions[0].stages[self.a.stage].id if self.a.stage == self.a.target else ""

    def told(self, kind="override"):
        return [(e.actor, e.body["what"]) for e in self.ledger.page(0, 1000) if e.kind == kind]
