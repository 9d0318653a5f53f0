"""The sandbox street with a bus that obeys its lights: late, on time, or in the way of an ambulance."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "city" / "transit"))
from corridor_street import Door
from sandbox_line import line_through

from civicbrain.brains.priority import create
from civicbrain.city.observations import Detections
from civicbrain.city.store import Store
from civicbrain.city.transit.buses import BusPosition
from civicbrain.contracts.brain import Advice, BrainContext, StageRequest
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.contracts.transit import AskEnd
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime.hosts import InlineHost
from civicbrain.runtime.loop import Loop
from civicbrain.twin.observer import Observer
from civicbrain.twin.roadside import Roadside

LINES_M = {"A": 300.0, "B": 600.0}
SPEED_MPS = 12.0


@dataclass
class Driver:
    """Drives from the west to the east at a constant speed; stands where its light is red."""

    trip: str
    start_s: float
    m: float = 0.0
    speed_mps: float = 0.0
    passed_s: dict[str, float] = field(default_factory=dict)

    def drive(self, now_s, green):
        if now_s < self.start_s or self.m >= 880.0:
            return
        goal_m = self.m + SPEED_MPS
        for junction, line_m in LINES_M.items():
            if self.m < line_m <= goal_m:
                if green(junction):
                    self.passed_s[junction] = now_s
                else:
                    goal_m = line_m - 1.0
                break
        self.speed_mps, self.m = max(0.0, goal_m - self.m), goal_m

    def position(self, now_s):
        return BusPosition("avl", self.trip, self.trip, now_s, self.m, 0.0, self.speed_mps, 90.0)


class BusStreet:
    """step() is one second. asked: (second, request) of every request of rank TRANSIT."""

    def __init__(self, drivers, *, starts_s=(0.0,), options=None, seen=None, now_s=0.0):
        self.city = line_through(sandbox_city(), starts_s)
        self.drivers = list(drivers)
        self.now_s = now_s
        self.roadside = Roadside(self.city.signals, now_s, 4.0)
        self.observer = Observer(self.city.junctions)
        self.guard = Guard(self.city, Ledger(None), Door(self.roadside))
        brain = create(BrainContext(self.city, options=options or {}))
        self.loop = Loop(self.city, Store(self.city), self.guard, [InlineHost(brain)])
        self.seen = seen or (lambda position: [position])
        self.extra: list[object] = []
        self.asked: list[tuple[float, StageRequest]] = []
        self.ended: list[AskEnd] = []
        self.advice = Advice()
        for row in range(2):
            self.observer.look(row, self.roadside.link_lamps(row), now_s)

    def green(self, junction, approach=None):
        row = self.city.signals.row[junction]
        groups = [group.id for group in self.city.junctions[row].groups]
        name = approach or {"A": "W", "B": "A"}[junction]
        return self.roadside.controllers[row].lamps[groups.index(f"{name}-through")] in "Gg"

    def step(self):
        self.guard.heartbeat(self.now_s)
        for row, lamps in self.roadside.act(self.now_s):
            self.observer.look(row, lamps, self.now_s)
        self.now_s += 1.0
        data: list[object] = [
            self.roadside.states(self.now_s),
            Detections.empty("cameras", self.now_s, self.city.cameras.junction),
        ]
        for driver in self.drivers:
            driver.drive(self.now_s, self.green)
            if self.now_s >= driver.start_s and driver.m < 880.0:
                data += self.seen(driver.position(self.now_s))
        data += self.extra
        self.extra = []
        self.advice = self.loop.tick(data, self.now_s)
        self.asked += [
            (self.now_s, request)
            for request in self.advice.requests
            if request.priority == 20 and request.claim is not None
        ]
        if self.advice.transit is not None:
            self.ended += self.advice.transit.ended

    def run(self, until_s):
        while self.now_s < until_s:
            self.step()
        return self

    def entries(self, kind):
        return [entry for entry in self.guard.ledger.page(0, 10_000) if entry.kind == kind]
