"""A street without SUMO: the sandbox city, its controllers, an observer, vehicles that drive on a line."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

from civicbrain.brains.priority import create
from civicbrain.city.missions import Mission, MissionEnd, MissionKind, Urgency, VehiclePosition
from civicbrain.city.observations import Detections
from civicbrain.city.store import Store
from civicbrain.contracts.brain import Advice, BrainContext
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime.hosts import InlineHost
from civicbrain.runtime.loop import Loop
from civicbrain.twin.observer import Observer
from civicbrain.twin.roadside import Roadside

CITY = sandbox_city()
PLACES = {
    "W": (0.0, 0.0), "A": (300.0, 0.0), "B": (600.0, 0.0), "E": (900.0, 0.0),
    "NA": (300.0, 300.0), "SA": (300.0, -300.0), "NB": (600.0, 300.0), "SB": (600.0, -300.0),
}  # fmt: skip
SPEED_MPS = 14.0


class Door:
    name, dry_run = "street", False

    def __init__(self, roadside):
        self.roadside = roadside

    def apply(self, requests, now_s):
        return self.roadside.apply(requests, now_s)

    def heartbeat(self, now_s):
        self.roadside.heartbeat(now_s)

    def close(self):
        pass


@dataclass
class Driver:
    """Drives along places at a constant speed; red lights do not stop it, so that its times are known."""

    mission: Mission
    places: tuple[str, ...]
    start_s: float
    speed_mps: float = SPEED_MPS
    silent: tuple[float, float] = (math.inf, math.inf)
    driven_m: float = 0.0
    over: bool = False

    def position(self, now_s):
        legs = list(pairwise(self.places))
        leg = min(int(self.driven_m // 300.0), len(legs) - 1)
        (x0, y0), (x1, y1) = PLACES[legs[leg][0]], PLACES[legs[leg][1]]
        share = self.driven_m / 300.0 - leg
        heading = math.degrees(math.atan2(x1 - x0, y1 - y0)) % 360.0
        return VehiclePosition(
            "radio",
            self.mission.id,
            now_s,
            x0 + share * (x1 - x0),
            y0 + share * (y1 - y0),
            self.speed_mps,
            heading,
        )


def mission(name, places, created_s, urgency=Urgency.LIFE, kind=MissionKind.AMBULANCE, **values):
    edges = tuple(a + b for a, b in pairwise(places))
    return Mission(
        name, f"unit {name}", kind, urgency, edges[0], edges[-1], created_s, sources=("radio",), **values
    )


def driver(name, places, start_s, urgency=Urgency.LIFE, **values):
    return Driver(mission(name, places, start_s, urgency), places, start_s, **values)


@dataclass
class Street:
    """step() is one second. lamps: junction -> lamp of each group, second by second."""

    drivers: list[Driver] = field(default_factory=list)
    options: dict[str, object] = field(default_factory=dict)
    now_s: float = 0.0

    def __post_init__(self):
        self.roadside = Roadside(CITY.signals, 0.0, 4.0)
        self.observer = Observer(CITY.junctions)
        self.guard = Guard(CITY, Ledger(None), Door(self.roadside))
        brain = create(BrainContext(CITY, options=self.options))
        self.loop = Loop(CITY, Store(CITY), self.guard, [InlineHost(brain)])
        self.extra: list[object] = []
        self.stages: list[tuple[float, str, str]] = []
        self.advice = Advice()
        for row in range(2):
            self.observer.look(row, self.roadside.link_lamps(row), 0.0)

    def step(self):
        self.guard.heartbeat(self.now_s)
        for row, lamps in self.roadside.act(self.now_s):
            self.observer.look(row, lamps, self.now_s)
        self.now_s += 1.0
        data = [
            self.roadside.states(self.now_s),
            Detections.empty("cameras", self.now_s, CITY.cameras.junction),
        ]
        for one in self.drivers:
            data += self._drive(one)
        data += self.extra
        self.extra = []
        self.advice = self.loop.tick(data, self.now_s)
        for row, junction in enumerate(CITY.junctions):
            stage = self.roadside.controllers[row].stage
            shown = junction.stages[stage].id if stage >= 0 else ""
            self.stages.append((self.now_s, junction.id, shown))

    def run(self, until_s):
        while self.now_s < until_s:
            self.step()

    def _drive(self, one):
        if one.over or self.now_s < one.start_s:
            return []
        data = [one.mission] if self.now_s == one.start_s else []
        one.driven_m = one.speed_mps * (self.now_s - one.start_s)
        if one.driven_m >= 300.0 * (len(one.places) - 1):
            one.over = True
            return [MissionEnd(one.mission.id, self.now_s, "arrived")]
        if not one.silent[0] <= self.now_s < one.silent[1]:
            data.append(one.position(self.now_s))
        return data

    def shown(self, junction, from_s, to_s):
        """Stages shown in full at a junction in that time, repetitions left out."""
        found = [stage for at_s, name, stage in self.stages if name == junction and from_s <= at_s <= to_s]
        return [stage for place, stage in enumerate(found) if place == 0 or found[place - 1] != stage]

    def green(self, junction, approach):
        """Whether the through movement of an approach ("W" from the west) is green now."""
        row = CITY.signals.row[junction]
        groups = [group.id for group in CITY.junctions[row].groups]
        return self.roadside.controllers[row].lamps[groups.index(f"{approach}-through")] in "Gg"

    def entries(self, kind):
        return [entry for entry in self.guard.ledger.page(0, 10_000) if entry.kind == kind]
