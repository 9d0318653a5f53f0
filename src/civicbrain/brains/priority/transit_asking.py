"""What is asked of the junctions for late buses, within bounds, and how it is given back.

At most one request a junction, for the bus that is farthest behind. Three kinds:

    extension     its stage shows: it is kept, at most `bus_extension_s` from the first second asked
    early green   its stage is the plan's next: it comes sooner
    insertion     its stage comes out of turn

The latter two last at most `bus_hold_s`, switch-over included, and begin only when the stage shown has stood
for `bus_least_green_s`. Whatever ends, the junction rests for `bus_cool_down_s`. A request is made only where
what the bus gains (`bus_weight_veh` times its seconds) is at least what those cost who wait or lose their
green. Minimum greens, intergreens and pedestrian clearances are the controller's. Ranks: operator >
emergency > transit > signals; a junction that a mission asks for is left at once.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from civicbrain.brains.priority.arrival import RoadView, clear_s, queue_ahead
from civicbrain.brains.priority.corridor import HANDOVER_S, choose_stage
from civicbrain.brains.priority.options import PriorityOptions
from civicbrain.brains.priority.pursuit import PASSED_M, Stop
from civicbrain.brains.priority.transit_course import Bus
from civicbrain.brains.priority.transit_plan import next_stage, serves_from_s, serves_until_s
from civicbrain.city.signals import ControllerMode
from civicbrain.city.snapshot import Snapshot
from civicbrain.city.waits import red_wait_s
from civicbrain.contracts.brain import Priority, StageRequest
from civicbrain.contracts.missions import Claim
from civicbrain.contracts.transit import AskEnd, AskKind, BusAsk

MARGIN_S = 2.0
"""Green before the bus is at the line, so that it need not brake."""

MAX_GAIN_S = 60.0
MAX_URGENCY = 3


@dataclass(slots=True, eq=False)
class Ask:
    """A request under way."""

    bus: Bus
    stop: Stop
    kind: AskKind
    stage: int
    since_s: float
    until_s: float
    eta_s: float
    cost_veh_s: float
    reason: str

    def show(self) -> BusAsk:
        """For people."""
        junction = self.stop.table.junction
        return BusAsk(
            junction.id, self.kind, junction.stages[self.stage].id, self.since_s, self.until_s,
            round(self.eta_s, 1), self.reason,
        )  # fmt: skip


class Asking:
    """Steps all requests once a second. name: the brain's. asks: junction row -> request under way."""

    def __init__(self, name: str, options: PriorityOptions, view: RoadView) -> None:
        self.name, self.options = name, options
        self.asks: dict[int, Ask] = {}
        self._view = view
        self._free_from_s: dict[int, float] = {}

    def clear(self) -> None:
        """Time went back."""
        self.asks.clear()
        self._free_from_s.clear()

    def step(
        self, behind: list[tuple[float, Bus]], busy: Collection[int], snapshot: Snapshot
    ) -> tuple[list[StageRequest], list[AskEnd]]:
        """behind: (seconds by which it is behind, bus) of all. busy: junctions that missions ask for."""
        requests: list[StageRequest] = []
        ended: list[AskEnd] = []
        known = {id(bus): late_s for late_s, bus in behind}
        for junction, ask in list(self.asks.items()):
            why = self._over(ask, known.get(id(ask.bus)), busy, snapshot)
            if why:
                del self.asks[junction]
                self._free_from_s[junction] = snapshot.time_s + self.options.bus_cool_down_s
                ended.append(self._end(ask, snapshot.time_s, why))
                if why != "emergency":
                    requests += self._hand_over(ask, snapshot)
        for late_s, bus in sorted(behind, key=lambda pair: (-pair[0], pair[1].trip.id)):
            if late_s >= self.options.bus_late_s and bus.state == "tracked":
                self._look_ahead(bus, late_s, busy, snapshot)
        for ask in self.asks.values():
            late_s = known[id(ask.bus)]
            requests.append(self._request(ask, late_s, snapshot.time_s))
        return requests, ended

    def find(self, bus: Bus) -> Ask | None:
        """The first request under way for a bus."""
        return next((ask for ask in self.asks.values() if ask.bus is bus), None)

    # -- beginning

    def _look_ahead(self, bus: Bus, late_s: float, busy: Collection[int], snapshot: Snapshot) -> None:
        """Ask at the next junction, or at the one behind it where the next is no obstacle."""
        for stop in bus.stops:
            if stop.crossing.stop_m + PASSED_M <= bus.progress_m:
                continue
            row = stop.crossing.junction
            if row in self.asks:
                if self.asks[row].bus is not bus:
                    return
                continue
            eta_s = bus.arrival_s(stop.crossing.stop_m, snapshot.time_s)
            if eta_s - snapshot.time_s > self.options.bus_hold_s:
                return
            ask = None
            if row not in busy and snapshot.time_s >= self._free_from_s.get(row, -math.inf):
                ask = self._consider(bus, stop, eta_s, late_s, snapshot)
            if ask is not None:
                self.asks[row] = ask
            elif not stop.table.shows(snapshot, stop.crossing.groups).any():
                return  # it will stand here first

    def _consider(self, bus: Bus, stop: Stop, eta_s: float, late_s: float, snapshot: Snapshot) -> Ask | None:
        options, now_s, row = self.options, snapshot.time_s, stop.crossing.junction
        mode = int(snapshot.signals.mode[row])
        if mode not in (ControllerMode.LOCAL, ControllerMode.CENTRAL) or not stop.table.takes_stages:
            return None
        stop.stage = choose_stage(stop, None, snapshot)
        if stop.stage < 0:
            return None
        table = stop.table
        stop.queue_veh = queue_ahead(self._view, snapshot, bus.course.way, stop.crossing, bus.progress_m)
        stop.switch_s = table.switch_s(snapshot, stop.stage)
        serving = table.serving(stop.crossing.lanes, stop.crossing.groups) > 0.0
        plan = table.junction.local_plan
        local = mode == ControllerMode.LOCAL and plan.cycle_s > 0.0
        mean_s = min(MAX_GAIN_S, 2.0 * red_wait_s(table.junction, stop.crossing.groups.tolist()))
        if stop.switch_s <= 0.0:
            eta_s = max(eta_s, now_s + options.headway_s * stop.queue_veh)
            if eta_s - now_s > options.bus_extension_s - MARGIN_S:
                return None
            gain_s = mean_s
            if local:
                over_s = serves_until_s(plan, serving, now_s)
                if over_s > eta_s + MARGIN_S:
                    return None  # it gets through anyway
                gain_s = min(MAX_GAIN_S, serves_from_s(plan, serving, over_s) - eta_s)
            held_s = eta_s + MARGIN_S - now_s
            kind, until_s = AskKind.EXTENSION, now_s + options.bus_extension_s
        else:
            ready_s = now_s + stop.switch_s + clear_s(options, stop.queue_veh)
            if eta_s - MARGIN_S > ready_s or self._young(stop, snapshot):
                return None
            gain_s = mean_s
            if local:
                opens_s = serves_from_s(plan, serving, now_s) + clear_s(options, stop.queue_veh)
                gain_s = min(MAX_GAIN_S, opens_s - max(ready_s, eta_s))
            held_s = max(ready_s, eta_s) + MARGIN_S - now_s
            if held_s > options.bus_hold_s:
                return None  # it could not be brought through in time
            kind, until_s = AskKind.EARLY_GREEN, now_s + options.bus_hold_s
            if next_stage(plan, now_s) != stop.stage:
                kind = AskKind.INSERTION
                if not options.bus_insertion:
                    return None
            eta_s = max(ready_s, eta_s)
        cost_veh_s = self._others_veh(stop, snapshot) * held_s
        if options.bus_weight_veh * gain_s < max(cost_veh_s, MARGIN_S):
            return None
        reason = (
            f"bus {bus.course.pattern.line} ({bus.trip.id}) {late_s:.0f} s behind: {kind}, at most "
            f"{until_s - now_s:.0f} s, gains about {gain_s:.0f} s, costs others {cost_veh_s:.0f} veh s"
        )
        return Ask(bus, stop, kind, stop.stage, now_s, until_s, eta_s, cost_veh_s, reason)

    def _young(self, stop: Stop, snapshot: Snapshot) -> bool:
        """The stage shown has not stood long enough to be cut, or a switch is under way."""
        row = stop.crossing.junction
        signals = snapshot.signals
        if int(signals.stage[row]) != int(signals.target[row]):
            return True
        return snapshot.time_s - float(signals.stage_since_s[row]) < self.options.bus_least_green_s

    def _others_veh(self, stop: Stop, snapshot: Snapshot) -> float:
        """Vehicles seen in lanes that the bus's stage gives no green: they wait, or lose theirs."""
        table = stop.table
        vehicles = snapshot.lanes.vehicles[table.lanes]
        return float(vehicles[table.green[stop.stage] <= 0.0].sum())

    # -- ending

    def _over(self, ask: Ask, late_s: float | None, busy: Collection[int], snapshot: Snapshot) -> str:
        """Why a request is over; "" where it goes on."""
        now_s, bus = snapshot.time_s, ask.bus
        if ask.stop.crossing.junction in busy:
            return "emergency"
        if late_s is None:
            return "gone"
        if bus.progress_m > ask.stop.crossing.stop_m + PASSED_M:
            return "passed"
        if bus.state != "tracked":
            return bus.state
        if now_s >= ask.until_s - 1e-6:
            return "bound"
        if int(snapshot.signals.mode[ask.stop.crossing.junction]) == ControllerMode.MANUAL:
            return "operator"
        if late_s < -self.options.bus_late_s:  # not at 0: it would flicker with the receiver's error
            return "on-time"
        eta_s = bus.arrival_s(ask.stop.crossing.stop_m, now_s)
        ask.eta_s = max(eta_s, now_s + ask.stop.table.switch_s(snapshot, ask.stage))
        if ask.eta_s > ask.until_s + self.options.bus_extension_s:
            return "too-late"
        return ""

    def _end(self, ask: Ask, now_s: float, why: str) -> AskEnd:
        return AskEnd(ask.bus.trip.id, ask.stop.table.junction.id, ask.kind, ask.since_s, now_s, why)

    def _hand_over(self, ask: Ask, snapshot: Snapshot) -> list[StageRequest]:
        """Step down, keeping what is shown, so that whoever decides next finds no switch begun."""
        row, now_s = ask.stop.crossing.junction, snapshot.time_s
        target = int(snapshot.signals.target[row])
        if target < 0 or int(snapshot.signals.mode[row]) == ControllerMode.MANUAL:
            return []
        junction = ask.stop.table.junction
        return [
            StageRequest(
                junction.id, junction.stages[target].id, now_s, now_s + HANDOVER_S, self.name,
                Priority.SIGNALS, "given back",
            )
        ]  # fmt: skip

    def _request(self, ask: Ask, late_s: float, now_s: float) -> StageRequest:
        junction = ask.stop.table.junction
        urgency = int(np.clip(late_s // 60.0, 0, MAX_URGENCY))
        claim = Claim(ask.bus.trip.id, urgency, round(ask.eta_s, 1), round(ask.cost_veh_s, 1))
        return StageRequest(
            junction.id, junction.stages[ask.stage].id, now_s,
            min(now_s + self.options.valid_s, ask.until_s), self.name, Priority.TRANSIT, ask.reason, claim,
        )  # fmt: skip
