"""Bringing incidents about in SUMO: vehicles that stand, obstacles, and lamps that do not do as told.

Asked before every step; costs nothing while nothing is due. Vehicles of the demand stand for an incident, so
that nothing is added to the traffic that is counted; only an obstacle is put in, and taken out again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import libsumo
import numpy as np

from civicbrain.city.incidents import IncidentKind
from civicbrain.city.model import City
from civicbrain.city.network import F32
from civicbrain.city.observations import SignalStates
from civicbrain.city.signals import SignalIndex
from civicbrain.twin.incidents import HELD_IN_JUNCTION, OBSTACLE, RoadIncident, Truth
from civicbrain.twin.lane_blocks import stop_one
from civicbrain.twin.observer import Observer
from civicbrain.twin.roadside import Roadside

_STANDS_MPS = 0.1
_MARGIN_M = 1.0
_OBSTACLE_M = 2.0
_NO_LANE_CHANGE = 0
"""SUMO has whoever drives keep to the right, at 0 m/s as well: an obstacle would move to another lane."""
_ROAD_KINDS = (IncidentKind.STOPPED_VEHICLE, IncidentKind.CRASH)


class IncidentRoad:
    """Call `act` before every step. step_s: its length. truths: what became of each incident, by id."""

    def __init__(self, city: City, incidents: Sequence[RoadIncident], step_s: float) -> None:
        self._step_s = step_s
        self.truths = {one.id: Truth(one) for one in incidents}
        self._waiting = sorted(incidents, key=lambda one: (one.begin_s, one.id))
        self._live: list[Truth] = []
        self._row = city.signals.row
        self._via: dict[str, list[tuple[str, str]]] = {}
        self._stuck: dict[int, tuple[str, Truth]] = {}  # junction row -> lamps that it shows instead
        self._before: dict[int, tuple[F32, int, float]] = {}  # what a stuck controller goes on reporting

    @property
    def busy(self) -> bool:
        """Whether anything is due or under way, or will be."""
        return bool(self._waiting or self._live or self._stuck)

    def act(self, now_s: float) -> None:
        """Begin what is due, look how far it has come, end what is over."""
        while self._waiting and self._waiting[0].begin_s <= now_s:
            self._live.append(self.truths[self._waiting.pop(0).id])
        for truth in list(self._live):
            kind = truth.incident.kind
            if kind in _ROAD_KINDS:
                self._stand(truth, now_s)
            elif kind is IncidentKind.BLOCKED_JUNCTION:
                self._block(truth, now_s)
            elif kind is IncidentKind.CLOSED_LANE:
                self._obstruct(truth, now_s)
            elif truth.began_s < 0 and kind is not IncidentKind.SIGNAL_FAULT:
                truth.began_s = now_s  # a matter of what cameras say
            if self._over(truth, now_s):
                self._live.remove(truth)
                if truth.began_s >= 0:
                    truth.ended_s = now_s
                self._release(truth)

    # -- lamps

    def changes(
        self, asked: list[tuple[int, str]], now_s: float, roadside: Roadside | None, observer: Observer
    ) -> list[tuple[int, str]]:
        """Let incidents happen. asked: the lamps that controllers change to; returned: what junctions show
        instead. An observer forgets what it saw of lamps that begin or cease to disobey.

        Lamps that are stuck in what they should show are no fault yet: it begins when they should change.
        """
        self.act(now_s)
        if roadside is None:
            return asked
        for row in (*self._begin_stuck(roadside.link_lamps), *self._end_stuck()):
            observer.forget(row)
            asked = [*asked, (row, roadside.link_lamps(row))]
        for row, (shown, truth) in self._stuck.items():
            if truth.began_s < 0 and roadside.link_lamps(row) != shown:
                truth.began_s = now_s
        return [(row, self._stuck[row][0] if row in self._stuck else lamps) for row, lamps in asked]

    def _begin_stuck(self, asked: Callable[[int], str]) -> list[int]:
        begun = []
        for truth in self._live:
            row = self._row.get(truth.incident.junction, -1)
            if truth.incident.kind is IncidentKind.SIGNAL_FAULT and row not in self._stuck:
                wanted, dark = asked(row), truth.incident.mode == "dark"
                if not (dark or ("y" not in wanted and "G" in wanted.upper())):
                    continue  # lamps get stuck in a stage, not on the way to one
                self._stuck[row] = ("o" * len(wanted) if dark else wanted, truth)
                begun.append(row)
        return begun

    def _end_stuck(self) -> list[int]:
        live = {truth.incident.id for truth in self._live}
        ended = [row for row, (_, truth) in self._stuck.items() if truth.incident.id not in live]
        for row in ended:
            del self._stuck[row]
            self._before.pop(row, None)
        return ended

    def reported(self, states: SignalStates, signals: SignalIndex) -> SignalStates:
        """What the controllers report: one whose lamps are stuck, and that knows it, says what they show."""
        rows = [row for row, (_, truth) in self._stuck.items() if truth.incident.mode == "stuck"]
        if not rows:
            return states
        lamps, since_s = states.lamps.copy(), states.lamps_since_s.copy()
        stage, stage_s, target = states.stage.copy(), states.stage_since_s.copy(), states.target.copy()
        for row in rows:
            shown, truth = self._stuck[row]
            here = slice(int(signals.group_start[row]), int(signals.group_start[row + 1]))
            now = states.lamps_since_s[here].copy(), int(stage[row]), float(stage_s[row])
            if truth.began_s < 0:
                self._before[row] = now
                continue
            kept = self._before.setdefault(row, now)
            of_link = signals.junctions[row].group_of_link
            for link, group in enumerate(of_link.tolist()):
                if group >= 0:
                    lamps[here.start + group] = ord(shown[link])
            since_s[here] = np.minimum(kept[0], truth.began_s)
            stage[row] = target[row] = kept[1]
            stage_s[row] = kept[2]
        return replace(
            states, lamps=lamps, lamps_since_s=since_s, stage=stage, stage_since_s=stage_s, target=target
        )

    # -- the road

    def _stand(self, truth: Truth, now_s: float) -> None:
        one, vehicle = truth.incident, libsumo.vehicle
        taken = {name.split("@")[1] for name in truth.vehicles}
        for lane in one.lanes if truth.began_s < 0 or one.kind is IncidentKind.CRASH else ():
            left_s = one.lasts_s if truth.began_s < 0 else truth.began_s + one.lasts_s - now_s
            if lane not in taken and left_s > 1.0:
                name = stop_one(lane, one.position_m, self._step_s, duration_s=left_s)
                if name:
                    truth.vehicles = (*truth.vehicles, f"{name}@{lane}")
        if truth.began_s < 0:
            names = [held.split("@")[0] for held in truth.vehicles]
            if any(name in vehicle.getIDList() and vehicle.isStopped(name) for name in names):
                truth.began_s = now_s

    def _block(self, truth: Truth, now_s: float) -> None:
        """Hold the next vehicle of each approach that is inside the junction and can stop there."""
        vehicle, lane_of = libsumo.vehicle, libsumo.lane
        if len(truth.vehicles) < HELD_IN_JUNCTION and (truth.began_s < 0 or now_s < truth.began_s + 60.0):
            taken = {held.split("@")[1] for held in truth.vehicles}
            for via, approach in self._via_of(truth.incident.junction):
                if approach in taken or len(truth.vehicles) >= HELD_IN_JUNCTION:
                    continue
                for name in lane_of.getLastStepVehicleIDs(via):
                    speed_mps = vehicle.getSpeed(name)
                    braking_m = speed_mps + speed_mps**2 / (2.0 * vehicle.getDecel(name)) + _MARGIN_M
                    if vehicle.getLanePosition(name) + braking_m < lane_of.getLength(via):
                        vehicle.setSpeed(name, 0.0)
                        truth.vehicles = (*truth.vehicles, f"{name}@{approach}")
                        taken.add(approach)
                        break
        if truth.began_s < 0 and any(
            vehicle.getSpeed(held.split("@")[0]) < _STANDS_MPS for held in truth.vehicles
        ):
            truth.began_s = now_s

    def _obstruct(self, truth: Truth, now_s: float) -> None:
        if not truth.vehicles:
            truth.vehicles = tuple(self._put(lane, truth.incident) for lane in truth.incident.lanes)
        elif truth.began_s < 0 and any(name in libsumo.vehicle.getIDList() for name in truth.vehicles):
            truth.began_s = now_s

    def _put(self, lane: str, one: RoadIncident) -> str:
        edge, _, index = lane.rpartition("_")
        name = f"{OBSTACLE}{one.id}-{index}"
        if OBSTACLE not in libsumo.vehicletype.getIDList():
            libsumo.vehicletype.copy("DEFAULT_VEHTYPE", OBSTACLE)
            libsumo.vehicletype.setLength(OBSTACLE, _OBSTACLE_M)
            libsumo.vehicletype.setMinGap(OBSTACLE, 0.5)
        libsumo.route.add(name, [edge])
        libsumo.vehicle.add(
            name, name, OBSTACLE, depart="now", departLane=index, departPos=f"{one.position_m:g}",
            departSpeed="0",
        )  # fmt: skip
        libsumo.vehicle.setSpeed(name, 0.0)
        libsumo.vehicle.setLaneChangeMode(name, _NO_LANE_CHANGE)
        return name

    def _over(self, truth: Truth, now_s: float) -> bool:
        one = truth.incident
        if truth.began_s < 0:
            return now_s >= one.begin_s + 2.0 * one.lasts_s  # nobody came
        return now_s >= truth.began_s + one.lasts_s

    def _release(self, truth: Truth) -> None:
        if truth.incident.kind not in (IncidentKind.BLOCKED_JUNCTION, IncidentKind.CLOSED_LANE):
            return
        known = set(libsumo.vehicle.getIDList())
        for held in truth.vehicles:
            name = held.split("@")[0]
            if name.startswith(OBSTACLE):
                libsumo.vehicle.remove(name)
            elif name in known:
                libsumo.vehicle.setSpeed(name, -1.0)

    def _via_of(self, junction: str) -> list[tuple[str, str]]:
        """(lane inside the junction, approach edge) of its vehicle links."""
        if junction not in self._via:
            links = libsumo.trafficlight.getControlledLinks(junction)
            self._via[junction] = [
                (via, start.rpartition("_")[0]) for link in links for start, _, via in link if via
            ]
        return self._via[junction]
