"""A stand-in for the twin and brain processes: made-up traffic on a grid, over the real sockets.

For tests, and to look at the control room without SUMO:

    python tests/api/stand_in.py --run-dir /tmp/run --vehicles 10000 --port 8080

With --port it also serves the API in front of itself; without it only the sockets are there.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import zmq

sys.path.insert(0, str(Path(__file__).parent))
from bus_line import TRIP, bus_position, grid_timetable
from grid_city import grid_city

from civicbrain.brains.priority import create as create_priority
from civicbrain.city.incidents import Incident, IncidentKind, Place
from civicbrain.city.intake import Intake, Keys, Sources, get_source_status, list_source_statuses
from civicbrain.city.model import City
from civicbrain.city.observations import Detections, SignalStates
from civicbrain.city.signals import ControllerMode, SignalJunction
from civicbrain.city.store import Store
from civicbrain.contracts import transport, wire
from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import Alert, BrainContext, Priority, Severity
from civicbrain.contracts.junction_recent import JunctionRecent
from civicbrain.contracts.overrides import Holder
from civicbrain.contracts.transit import AskKind, BusAsk
from civicbrain.core.errors import ConfigurationError, NotFoundError, RequestRefusedError
from civicbrain.feeds.http import HttpFeed
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime.commands import MISSION_ACTIONS, TRANSIT_ACTIONS
from civicbrain.runtime.hosts import InlineHost
from civicbrain.runtime.loop import Loop
from civicbrain.runtime.missions import MissionDesk
from civicbrain.runtime.planned import Claims, planned_at
from civicbrain.runtime.recent import Recent
from civicbrain.runtime.rundir import LEDGER_FILE
from civicbrain.runtime.transit import TransitDesk
from civicbrain.runtime.transit_log import AskRecord
from civicbrain.runtime.worst import Known, WorstPlaces

YELLOW_S = 3.0
INTAKE_KEY = "key-of-the-stand-in's-cameras"
CONTROLS = [
    {"name": "fixed", "summary": "the city's own plan", "source": "", "program": "fixed", "brain": ""},
    {
        "name": "max-pressure",
        "summary": "serves the stage with the greatest pressure",
        "source": "Varaiya 2013",
        "program": "central",
        "brain": "signals",
    },
]


class NoStreet:
    """Controllers that obey at once, whatever they are asked."""

    name, dry_run = "none", True

    def apply(self, requests, now_s):
        return [Verdict(Outcome.ACCEPTED, "controller", "accepted", "", now_s) for _ in requests]

    def heartbeat(self, now_s):
        pass

    def close(self):
        pass


class NoTwin:
    """Drives every mission, in silence."""

    def ask(self, command, timeout_s):
        return wire.Reply(True)

    def send(self, command):
        pass


class StandIn:
    """Made-up traffic on a real `City`. Vehicles run along lanes, stop at red and turn at random."""

    def __init__(self, city: City, vehicles: int, seed: int = 0) -> None:
        self.city = city
        self.rng = np.random.default_rng(seed)
        lanes = city.network.lanes
        first, last = lanes.shape_start[:-1], lanes.shape_start[1:] - 1
        self.lane_start = lanes.shape_xy[first]
        self.lane_vector = lanes.shape_xy[last] - lanes.shape_xy[first]
        self.lane_heading = self.lane_vector / np.linalg.norm(self.lane_vector, axis=1, keepdims=True)
        self.order, self.start = city.network.movements_from
        self.ways_out = np.diff(self.start)
        self.number = np.arange(vehicles, dtype=np.uint32)
        self.lane = self.rng.integers(0, len(lanes.ids), vehicles)
        self.distance_m = self.rng.uniform(0, lanes.length_m[self.lane])
        self.wish_mps = self.rng.uniform(8, 14, vehicles)
        self.speed_mps = np.zeros(vehicles)
        self.stop_gap_m = self.rng.uniform(2, 60, vehicles)  # a queue of sorts
        self.vehicle_class = self.rng.choice([0, 0, 0, 0, 0, 0, 1, 2, 5], vehicles).astype(np.uint8)
        self.stage = np.zeros(len(city.junctions), np.int32)
        self.lamps = np.full(city.signals.group_count, ord("r"), np.uint8)
        self.time_s = city.demand.begin_s
        self.sequence = 0
        self.run = 0
        self.paused = False
        self.speed = 1.0
        self.control = "max-pressure"
        self.brain_on = True
        self.alerts: list[Alert] = []
        self.ledger: list[dict[str, Any]] = []
        self.book: Ledger | None = None  # on disk, as other processes read it
        self.before = ""
        self.intake = Intake(Sources(city), Keys(INTAKE_KEY))
        ledger = Ledger(None)
        brain = InlineHost(create_priority(BrainContext(city, options={"corridors": False})))
        loop = Loop(city, Store(city), Guard(city, ledger, NoStreet()), [brain])
        self.loop, self.recent = loop, Recent(city)
        self.worst = WorstPlaces(city, self.recent)
        self.camera_of = np.full(len(lanes.ids), -1, np.int32)
        self.camera_of[city.cameras.lane] = city.cameras.junction
        self.missions = MissionDesk(city, loop, ledger, NoTwin())
        self.transit = TransitDesk(city, loop)
        ask = BusAsk(city.junctions[0].id, AskKind.EXTENSION, "east-west", 10.0, 25.0, 20.0, "made up")
        loop.transit.asks.append(AskRecord(TRIP, "1", "priority", ask, 40.0, "accepted", "guard", "accepted"))
        self._light()

    def step(self) -> None:
        """One simulated second."""
        self.time_s += 1.0
        if self.city.timetable is not None:
            self.missions.waiting.append(bus_position(self.city, self.time_s))
        self.loop.tick([self.detections(), self.signals(), *self.missions.drain()], self.time_s)
        if self.loop.last_snapshot is None or self.loop.last_snapshot.time_s < self.time_s:
            self.loop.last_snapshot = self.loop.snapshot(self.time_s)
        self.recent.take(self.loop.last_snapshot)
        self.worst.take(self.loop.last_snapshot, {})
        if self.time_s >= self.city.demand.end_s:
            self.time_s, self.run = self.city.demand.begin_s, self.run + 1
        self._light()
        lanes, movements = self.city.network.lanes, self.city.network.movements
        length = lanes.length_m[self.lane]
        first = self.order[np.minimum(self.start[self.lane], len(self.order) - 1)]
        group = np.where(self.ways_out[self.lane] > 0, movements.group[first], -1)
        red = (group >= 0) & (self.lamps[group] != ord("G"))
        to_go = length - self.distance_m
        stopping = red & (to_go < self.stop_gap_m + self.wish_mps) & (to_go > 0)
        target = np.where(stopping, np.clip(to_go - self.stop_gap_m, 0, self.wish_mps), self.wish_mps)
        self.speed_mps += np.clip(target - self.speed_mps, -4.5, 2.0)
        self.distance_m += self.speed_mps
        over = np.flatnonzero(self.distance_m > length)
        ways = self.ways_out[self.lane[over]]
        pick = self.start[self.lane[over]] + (self.rng.random(len(over)) * np.maximum(ways, 1)).astype(int)
        onward = movements.to_lane[self.order[np.minimum(pick, len(self.order) - 1)]]
        fresh = self.rng.integers(0, len(lanes.ids), len(over))
        self.distance_m[over] -= length[over]
        self.lane[over] = np.where(ways > 0, onward, fresh)
        left = over[ways == 0]  # out of the city: somebody else comes in
        self.number[left] = self.number.max() + 1 + np.arange(len(left), dtype=np.uint32)

    def _light(self) -> None:
        start = self.city.signals.group_start
        for row, junction in enumerate(self.city.junctions):
            cycle = junction.local_plan.cycle_s
            at = (self.time_s + 7 * row) % cycle
            self.stage[row] = int(at >= cycle / 2)
            override = self.loop.overrides.find(junction.id)
            if override is not None and override.stage:
                self.stage[row], at = junction.get_stage(override.stage), 0.0
            lamps = junction.stages[self.stage[row]].lamps
            if at % (cycle / 2) > cycle / 2 - YELLOW_S:
                lamps = lamps.replace("G", "y")
            self.lamps[start[row] : start[row + 1]] = np.frombuffer(lamps.encode(), np.uint8)

    def detections(self) -> Detections:
        """What the cameras see: all that is within their range."""
        to_go_m = np.maximum(self.city.network.lanes.length_m[self.lane] - self.distance_m, 0.0)
        seen = (self.camera_of[self.lane] >= 0) & (to_go_m <= self.city.cameras.range_m)
        return Detections(
            "cameras", self.time_s, self.time_s, np.arange(len(self.city.junctions), dtype=np.int32),
            self.camera_of[self.lane[seen]], self.lane[seen].astype(np.int32),
            to_go_m[seen].astype(np.float32), self.speed_mps[seen].astype(np.float32),
            self.vehicle_class[seen], np.full(int(seen.sum()), -1, np.int32),
        )  # fmt: skip

    def modes(self) -> np.ndarray:
        mode = ControllerMode.CENTRAL if self.brain_on else ControllerMode.LOCAL
        modes = np.full(len(self.city.junctions), mode, np.uint8)
        for override in self.loop.overrides.list_now():
            modes[self.city.signals.row[override.junction]] = ControllerMode.MANUAL
        return modes

    def signals(self) -> SignalStates:
        count = len(self.city.junctions)
        return SignalStates(
            "controllers", self.time_s, self.lamps.copy(), np.full(len(self.lamps), self.time_s, np.float32),
            self.stage.copy(), np.full(count, self.time_s, np.float32), self.stage.copy(), self.modes(),
        )  # fmt: skip

    def vehicle_frame(self) -> wire.VehicleFrame:
        share = (self.distance_m / self.city.network.lanes.length_m[self.lane])[:, None]
        xy = (self.lane_start[self.lane] + share * self.lane_vector[self.lane]).astype(np.float32)
        heading = self.lane_heading[self.lane]
        angle = np.degrees(np.arctan2(heading[:, 0], heading[:, 1])) % 360
        return wire.VehicleFrame(
            self.time_s,
            wire.pack_array(self.number),
            wire.pack_array(xy[:, 0]),
            wire.pack_array(xy[:, 1]),
            wire.pack_array(angle.astype(np.float32)),
            wire.pack_array(self.speed_mps.astype(np.float32)),
            wire.pack_array(self.vehicle_class),
        )

    def twin_status(self) -> wire.TwinStatus:
        stopped = int(np.count_nonzero(self.speed_mps < 0.1))
        return wire.TwinStatus(
            time_s=self.time_s, begin_s=self.city.demand.begin_s, end_s=self.city.demand.end_s, run=self.run,
            paused=self.paused, speed=self.speed, measured_speed=0.0 if self.paused else self.speed or 10.0,
            program="central" if self.control == "max-pressure" else "fixed",
            running=len(self.number), departed=int(self.number.max()) + 1, arrived=int(self.number.max()),
            waiting_to_depart=3, delay_veh_s=31.0 * len(self.number), stopped=stopped,
            last_heartbeat_s=self.time_s, local_junctions=0, refused_requests=0, unsafe_states=0,
        )  # fmt: skip

    def city_state(self) -> wire.CityState:
        count = len(self.city.junctions)
        self.sequence += 1
        delay = 25 + 20 * np.sin(np.arange(count) + self.time_s / 60)
        delay[1::17] = np.nan  # junctions that served nobody lately
        snapshot = self.loop.last_snapshot or self.loop.snapshot(self.time_s)
        return wire.CityState(
            time_s=self.time_s, sequence=self.sequence, control=self.control, brain_on=self.brain_on,
            indicators=wire.Indicators(
                vehicles=len(self.number), mean_delay_s=float(26.0 + 3 * np.sin(self.time_s / 30)),
                throughput_veh_per_h=5200.0, stopped=int(np.count_nonzero(self.speed_mps < 0.1)),
                fixed_vehicles=1.2 * len(self.number), fixed_mean_delay_s=49.0,
                fixed_throughput_veh_per_h=4700.0,
            ),
            brains=(self.health(),),
            staleness_s={"twin": 0.4},
            junction_delay_s=wire.pack_array(delay.astype(np.float32)),
            junction_queue_veh=wire.pack_array(self.rng.uniform(0, 12, count).astype(np.float32)),
            junction_standing_veh=wire.pack_array(self.recent.standing_at_junctions().astype(np.float32)),
            junction_mode=wire.pack_array(self.modes()),
            junction_stage=wire.pack_array(self.stage),
            group_lamp=wire.pack_array(self.lamps),
            twin=self.twin_status(), alerts_open=len(self.alerts), ledger_entries=len(self.ledger),
            baseline_progress=1.0, intake=self.intake.summary(self.time_s),
            missions=self.missions.list_under_way(), overrides=self.loop.overrides.list_now(),
            spill_backs=self.worst.count_spill_backs(),
            cameras_silent=self.worst.count_silent(snapshot), incidents_open=1,
        )  # fmt: skip

    def health(self) -> wire.BrainHealth:
        state = "running" if self.brain_on else "off"
        return wire.BrainHealth("signals", state, 1.0, 0.2, self.time_s, 0.7, 1.9, int(self.time_s), 0)

    def raise_alert(self, text: str) -> Alert:
        key = f"stand-in-{len(self.alerts)}"
        self.alerts.append(Alert(key, Severity.WARNING, text, "made up", self.time_s, "signals"))
        return self.alerts[-1]

    def reply(self, command: wire.BrainCommand) -> wire.Reply:
        match command.action:
            case "status" | "snapshot":
                return wire.Reply(True, self.city_state())
            case "junction":
                if command.text not in self.city.signals.row:
                    return wire.Reply(False, error=f"no junction {command.text!r}", kind="not-found")
                return wire.Reply(True, self.detail(command.text))
            case "controls":
                return wire.Reply(True, {"current": self.control, "available": CONTROLS})
            case "control":
                if command.text not in [c["name"] for c in CONTROLS]:
                    return wire.Reply(
                        False,
                        error=f"no control {command.text!r}; try fixed",
                        kind="not-found",
                    )
                self.before, self.control = self.control, command.text
                self.brain_on = command.text != "fixed"
                self._record("control", command)
                return wire.Reply(True, {"current": self.control, "available": CONTROLS})
            case "brain-on" | "brain-off":
                if command.text != "signals":
                    return wire.Reply(
                        False, error=f"no brain {command.text!r}; there is signals", kind="not-found"
                    )
                self.brain_on = command.action == "brain-on"
                self._record(command.action, command)
                return wire.Reply(True, self.health())
            case "decision" | "what-if":
                self._note(command.action, command.actor, {"reason": command.reason, **dict(command.body)})
                return wire.Reply(True)
            case "sources" | "source":
                try:
                    if command.action == "source":
                        return wire.Reply(True, get_source_status(self.intake, command.text, self.time_s))
                    choice, page = command.text, (command.offset, command.limit)
                    return wire.Reply(True, list_source_statuses(self.intake, choice, *page, self.time_s))
                except NotFoundError as error:
                    return wire.Reply(False, error=str(error), kind="not-found")
                except ConfigurationError as error:
                    return wire.Reply(False, error=str(error), kind="invalid")
            case "alerts":
                return wire.Reply(True, self.alerts[::-1][: command.limit])
            case "incidents":
                place = Place(50.0, 60.0, edge=self.city.network.edges.ids[0], lanes=(0,))
                return wire.Reply(True, [Incident("i-1", IncidentKind.CRASH, place, 0.9, 10.0, 20.0, 30.0)])
            case "record":
                own = [one for one in self.ledger if one["body"].get("junction") == command.text]
                told = [one for one in own if one["kind"] == "override"]
                return wire.Reply(True, told[::-1][: command.limit])
            case "ledger":
                part = self.ledger[command.offset : command.offset + command.limit]
                return wire.Reply(True, {"entries": part, "count": len(self.ledger)})
            case "verify":
                body = {"ok": True, "entries": len(self.ledger), "head": "0" * 64, "first_broken": None}
                return wire.Reply(True, body)
            case "recent" | "planned" | "worst" | "full-roads" | "queues":
                return self._ask(self, command)
            case "override" | "override-end" | "overrides":
                return self._ask(self, command)
            case name if name in MISSION_ACTIONS:
                return self._ask(self.missions, command)
            case name if name in TRANSIT_ACTIONS:
                return self._ask(self.transit, command)
            case "twin":
                if command.text == "speed":
                    self.speed = command.value
                elif command.text in ("pause", "resume"):
                    self.paused = command.text == "pause"
                else:
                    return wire.Reply(False, error=f"the twin does not know {command.text!r}", kind="invalid")
                self._record("twin", command)
                return wire.Reply(True, self.twin_status())
        return wire.Reply(False, error=f"unknown action {command.action!r}", kind="invalid")

    def detail(self, name: str) -> dict[str, Any]:
        """As `runtime/junctions.py` tells it."""
        row, start = self.city.signals.row[name], self.city.signals.group_start
        return {
            "explanation": self.explain(name), "explained_s": self.time_s, "mode": int(self.modes()[row]),
            "stage": int(self.stage[row]), "lamps": bytes(self.lamps[start[row] : start[row + 1]]).decode(),
        }  # fmt: skip

    def explain(self, name: str) -> dict[str, Any]:
        """As brains/signals explains its choice."""
        junction = self.city.signals.get_junction(name)
        shown = junction.stages[self.stage[self.city.signals.row[name]]].id
        costs = {stage.id: 310 if stage.id == shown else 455 for stage in junction.stages}
        return {
            "chosen": shown, "why": f"staying with {shown} promises the least delay",
            "expected_delay_veh_s": costs,
            "demand_veh": {group.id: 2.0 + k for k, group in enumerate(junction.groups)},
            "queue_veh": {group.id: 1.0 + k for k, group in enumerate(junction.groups)},
            "full_outlets": [], "reckoned_groups": [junction.groups[0].id],
            "schedule": self.schedule(junction, self.city.signals.row[name]),
        }  # fmt: skip

    def recent_of(self, place: SignalJunction, now_s: float) -> JunctionRecent:
        """As `runtime/junctions.py` tells it, held by a signals brain that follows the local plan's clock."""
        recent, override = self.recent.of(place.id), self.loop.overrides.find(place.id)
        said, holder = self.explain(place.id), self.loop.guard.find_holder(place.id, now_s)
        if holder is None and self.brain_on:
            holder = Holder("signals", Priority.SIGNALS, said["chosen"], now_s - 40.0, now_s + 9.0)
        mode = recent.modes[-1].value if recent.modes else ""
        claims = Claims(mode, holder, override, said, self.loop.missions.plans.values())
        planned = planned_at(place, claims, now_s)
        return msgspec.structs.replace(recent, holder=holder, override=override, planned=planned)

    def schedule(self, junction: SignalJunction, row: int) -> list[dict[str, Any]]:
        """Its two stages by its clock, 20 s ahead."""
        half_s = junction.local_plan.cycle_s / 2
        left_s = half_s - (self.time_s + 7 * row) % half_s
        change_s, end_s, shown = self.time_s + min(left_s, 20.0), self.time_s + 20.0, self.stage[row]
        parts = [{"stage": junction.stages[shown].id, "from_s": self.time_s, "until_s": change_s}]
        if change_s < end_s:
            other = junction.stages[1 - shown].id
            parts.append({"stage": other, "from_s": change_s, "until_s": end_s})
        return parts

    def obey(self, command: wire.BrainCommand, now_s: float) -> Any:
        """Single junctions, as `runtime/junctions.py` does."""
        overrides = self.loop.overrides
        if command.action == "queues":
            return self.worst.list_queues(self.loop.last_snapshot)
        if command.action in ("worst", "full-roads"):
            delay_s = np.full(len(self.city.junctions), 40.0)
            held = {override.junction: override for override in overrides.list_now()}
            now = self.recent.standing_at_junctions()
            words = {junction.id: self.explain(junction.id) for junction in self.city.junctions}
            known = Known(delay_s, now, "running" if self.brain_on else "off", held, {}, words=words)
            told = self.worst.list_now if command.action == "worst" else self.worst.list_full
            return told(self.loop.last_snapshot, known, command.limit)
        if command.action == "planned":
            places = map(self.city.signals.get_junction, command.body["junctions"])
            return {place.id: self.recent_of(place, now_s).planned for place in places}
        if command.action == "recent":
            return self.recent_of(self.city.signals.get_junction(command.text), now_s)
        count = self.loop.guard.ledger.count
        try:
            return overrides.obey(command, self.loop.last_snapshot, now_s)
        finally:
            for entry in self.loop.guard.ledger.page(count, 100):
                self._note(entry.kind, entry.actor, dict(entry.body))

    def _ask(self, desk: Any, command: wire.BrainCommand) -> wire.Reply:
        try:
            return wire.Reply(True, desk.obey(command, self.time_s))
        except NotFoundError as error:
            return wire.Reply(False, error=str(error), kind="not-found")
        except ConfigurationError as error:
            return wire.Reply(False, error=str(error), kind="invalid")
        except RequestRefusedError as error:
            return wire.Reply(False, error=str(error), kind="refused")

    def _record(self, kind: str, command: wire.BrainCommand) -> None:
        body: dict[str, Any] = {"action": command.text, "value": command.value, "reason": command.reason}
        if kind == "control":
            body = {"from": self.before, "to": command.text, "reason": command.reason}
        elif kind != "twin":
            kind = "brain-switch"
            body = {"brain": command.text, "enabled": self.brain_on, "reason": command.reason}
        self._note(kind, command.actor, body)

    def _note(self, kind: str, actor: str, body: dict[str, Any]) -> None:
        if self.book is not None:
            self.book.append(kind, actor, body, self.time_s)
        self.ledger.append(
            {"seq": len(self.ledger) + 1, "time_s": self.time_s, "at": "2026-01-05T00:00:00Z",
             "kind": kind, "actor": actor,
             "body": body, "previous": "0" * 64, "hash": f"{len(self.ledger):064x}"}
        )  # fmt: skip


def run(run_dir: Path, vehicles: int, size: int, alert_every_s: float = 60.0, awkward_id: str = "") -> None:
    """Speak on the four sockets until a signal ends the process."""
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    city = grid_city(size, awkward_id=awkward_id)
    stand_in = StandIn(replace(city, given_timetable=grid_timetable(city)), vehicles)
    stand_in.book = Ledger(run_dir / LEDGER_FILE)
    stand_in._note("start", "runtime", {"city": city.name, "control": stand_in.control})
    context = zmq.Context()
    sockets = {}
    for name, kind in (("twin.pub", zmq.PUB), ("brain.pub", zmq.PUB), ("brain.cmd", zmq.ROUTER)):
        sockets[name] = context.socket(kind)
        sockets[name].setsockopt(zmq.LINGER, 0)
        sockets[name].bind(f"ipc://{run_dir / name}")
    field = HttpFeed(run_dir, stand_in.intake, shared=True)
    encode = msgspec.msgpack.Encoder().encode
    decoder = msgspec.msgpack.Decoder(wire.BrainCommand)
    next_step = next_state = next_alert = time.monotonic()
    while True:
        now = time.monotonic()
        if now >= next_step:
            if not stand_in.paused:
                stand_in.step()
            next_step = max(next_step + 1.0 / (stand_in.speed or 10.0), now - 1.0)
            sockets["twin.pub"].send_multipart([wire.SIGNALS_TOPIC, transport.encode(stand_in.signals())])
            sockets["twin.pub"].send_multipart([wire.VEHICLES_TOPIC, encode(stand_in.vehicle_frame())])
            sockets["twin.pub"].send_multipart([wire.STATUS_TOPIC, encode(stand_in.twin_status())])
        if now >= next_state:
            next_state = now + 1.0
            sockets["brain.pub"].send_multipart([wire.STATE_TOPIC, encode(stand_in.city_state())])
        if now >= next_alert:
            next_alert = now + alert_every_s
            alert = stand_in.raise_alert(f"made-up alert at {stand_in.time_s:.0f} s")
            sockets["brain.pub"].send_multipart([wire.ALERT_TOPIC, encode(alert)])
        wait_ms = max(1, int(1000 * (min(next_step, next_state, next_alert) - time.monotonic())))
        field.poll(stand_in.time_s)
        stand_in.intake.take(stand_in.time_s)
        if sockets["brain.cmd"].poll(min(wait_ms, 100)):
            *envelope, body = sockets["brain.cmd"].recv_multipart()
            sockets["brain.cmd"].send_multipart([*envelope, encode(stand_in.reply(decoder.decode(body)))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--vehicles", type=int, default=500)
    parser.add_argument("--size", type=int, default=6, help="junctions a side")
    parser.add_argument("--alert-every", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--port", type=int, help="serve the API too")
    parser.add_argument("--awkward-id", default="", help="id of the first junction")
    parser.add_argument("--no-limits", action="store_true", help="no rate limits")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if options.port is None:
        return run(options.run_dir, options.vehicles, options.size, options.alert_every, options.awkward_id)
    backend = subprocess.Popen(
        [sys.executable, __file__, "--run-dir", str(options.run_dir), "--vehicles", str(options.vehicles),
         "--size", str(options.size), "--alert-every", str(options.alert_every)]
    )  # fmt: skip
    from civicbrain.api.server import serve
    from civicbrain.api.settings import Settings

    try:
        options.run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        rate_hz = 1e9 if options.no_limits else Settings.read_rate_hz
        settings = Settings(
            run_dir=options.run_dir, port=options.port, read_rate_hz=rate_hz, write_rate_hz=rate_hz
        )
        serve(grid_city(options.size), settings)
    finally:
        backend.terminate()
    return None


if __name__ == "__main__":
    main()
