"""RESCO's street for a control of ours: SUMO 1.9.2 over TraCI, cameras, lamps by RESCO's rules.

The control sees what cameras see (150 m and the box of the junction, 1 s late, 5 % of the vehicles missed in
each frame, next movement unknown) and the state of the signals, through the same store and snapshot as
everywhere. Its stage requests count only every 10 s; in between nothing can be changed.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec
import numpy as np
import rules

from civicbrain.city.model import City
from civicbrain.city.observations import INSIDE_M, Detections, SignalStates, VehicleClass
from civicbrain.city.signals import ControllerMode, PlanStep, SignalJunction, SignalPlan
from civicbrain.city.store import Store
from civicbrain.contracts.brain import Brain, StageRequest
from civicbrain.twin.reach import reach_of

RANGE_M, MISS_RATE, LATENCY_S = 150.0, 0.05, 1
INSIDE_RANGE_M = 100.0  # behind the stop line; nearer than INSIDE_M one would count as standing at it
RULES_SPEED_MODE = 1 + 2 + 4 + 8 + 16
FREE_SPEED_MODE = 1 + 2 + 4  # as in civicbrain.twin.free_road; foes inside junctions: see `rules.reckless`


def under_resco_rules(city: City, phases: dict[str, list[str]]) -> City:
    """The city as RESCO's agents have it: only the green phases of the network's programs, 3 s from one to
    the next, shown for at least the 7 s that are left of an action. phases: junction id -> its choices."""
    begin_s = city.demand.begin_s
    junctions = tuple(_restricted(junction, phases[junction.id], begin_s) for junction in city.junctions)
    return City(
        name=city.name, network=city.network, junctions=junctions, cameras=city.cameras, demand=city.demand,
        folder=city.folder, source=city.source, epoch=city.epoch,
    )  # fmt: skip


def _restricted(junction: SignalJunction, phases: list[str], begin_s: float) -> SignalJunction:
    links = junction.group_of_link
    first = [int(np.flatnonzero(links == group)[0]) for group in range(len(junction.groups))]
    shown = {"".join(phase[link] for link in first) for phase in phases}
    kept = [row for row, stage in enumerate(junction.stages) if stage.lamps in shown and not stage.derived]
    if not kept:
        raise ValueError(f"junction {junction.id}: none of its stages is a phase of the network's program")
    new_row = {row: index for index, row in enumerate(kept)}
    steps = tuple(
        PlanStep(new_row[step.stage], step.duration_s)
        for step in junction.local_plan.steps
        if step.stage in new_row
    )
    count = range(len(junction.groups))
    return msgspec.structs.replace(
        junction,
        groups=tuple(
            msgspec.structs.replace(
                group, yellow_s=float(rules.YELLOW_S), min_green_s=float(rules.ACTION_S - rules.YELLOW_S)
            )
            for group in junction.groups
        ),
        intergreen_s=tuple(
            tuple(float(rules.YELLOW_S) if junction.conflict[a][b] else 0.0 for b in count) for a in count
        ),
        stages=tuple(junction.stages[row] for row in kept),
        request_every_s=float(rules.ACTION_S),
        request_phase_s=begin_s,
        local_plan=SignalPlan(junction.local_plan.id, steps, junction.local_plan.offset_s),
    )


class Street:
    """One run. `signals` is False for the fixed plans: SUMO then shows them by itself."""

    def __init__(self, traci: Any, city: City, seed: int) -> None:
        self.traci, self.city = traci, city
        self.time_s = float(traci.simulation.getTime())
        self._vehicles: set[str] = set()
        self._draws = np.random.default_rng(seed)
        self._draws_inside = np.random.default_rng((seed, 1))  # approaches are seen alike with and without
        self._late: deque[Detections] = deque()
        reach = reach_of(city, RANGE_M)
        lanes = city.network.lanes
        stop_line_m = lanes.length_m[reach.lane] + reach.beyond_m
        self._seen = {
            lanes.ids[lane]: (int(junction), int(lane), float(end_m))
            for lane, junction, end_m in zip(reach.lane, reach.junction, stop_line_m, strict=True)
        }
        self._inside = lanes_inside(traci, city)
        constants = traci.constants
        self._wanted = (constants.VAR_LANE_ID, constants.VAR_LANEPOSITION, constants.VAR_SPEED)

    def step(self) -> list[str]:
        """Advance a second; ids of those that entered."""
        self.traci.simulationStep()
        self.time_s = float(self.traci.simulation.getTime())
        entered = list(self.traci.simulation.getDepartedIDList())
        for name in entered:
            self.traci.vehicle.subscribe(name, self._wanted)
        return entered

    def frame(self) -> Detections | None:
        """The frame of a second ago; None before there is one."""
        lane_key, position_key, speed_key = self._wanted
        rows, inside = [], []
        for values in self.traci.vehicle.getAllSubscriptionResults().values():
            seen = self._seen.get(values[lane_key])
            if seen is not None:
                distance_m = seen[2] - values[position_key]
                if distance_m <= RANGE_M:
                    rows.append((seen[0], seen[1], max(distance_m, 0.0), values[speed_key]))
                continue
            box = self._inside.get(values[lane_key])
            if box is not None and INSIDE_M < box[2] + values[position_key] <= INSIDE_RANGE_M:
                inside.append((box[0], box[1], -box[2] - values[position_key], values[speed_key]))
        kept = self._draws.random(len(rows)) >= MISS_RATE
        kept_inside = self._draws_inside.random(len(inside)) >= MISS_RATE
        rows = sorted(row for row, keep in zip(rows + inside, [*kept, *kept_inside], strict=True) if keep)
        table = np.array(rows, np.float64).reshape(len(rows), 4)
        self._late.append(
            Detections(
                source="cameras", start_s=self.time_s, end_s=self.time_s,
                cameras=np.arange(len(self.city.junctions), dtype=np.int32),
                camera=table[:, 0].astype(np.int32),
                lane=table[:, 1].astype(np.int32),
                distance_m=table[:, 2].astype(np.float32),
                speed_mps=table[:, 3].astype(np.float32),
                vehicle_class=np.full(len(rows), VehicleClass.CAR, np.uint8),
                next_movement=np.full(len(rows), -1, np.int32),
            )
        )  # fmt: skip
        return self._late.popleft() if len(self._late) > LATENCY_S else None


def lanes_inside(traci: Any, city: City) -> dict[str, tuple[int, int, float]]:
    """Lane inside a junction -> junction row, row of the lane that leads in, metres from the stop line to
    where it begins. Source: SUMO documentation, TraCI "Lane Value Retrieval", `getLinks` (the fifth entry is
    the lane inside; a waiting place splits the way through in two)."""
    moves, ids = city.network.movements, city.network.lanes.ids
    found: dict[str, tuple[int, int, float]] = {}
    for row in np.unique(moves.from_lane[moves.junction >= 0]).tolist():
        junction = int(moves.junction[moves.from_lane == row].max())
        ways = [(link[4], 0.0) for link in traci.lane.getLinks(ids[row])]
        while ways:
            lane, begin_m = ways.pop()
            if lane and lane not in found:
                found[lane] = (junction, row, begin_m)
                end_m = begin_m + float(traci.lane.getLength(lane))
                ways += [(link[4], end_m) for link in traci.lane.getLinks(lane)]
    return found


class Lamps:
    """Signals by RESCO's rules: every 10 s a phase is chosen, the 3 s until it shows are yellow."""

    def __init__(self, traci: Any, city: City, phases: dict[str, list[str]], now_s: float) -> None:
        self._traci, self._city = traci, city
        self._links = [_stage_links(junction, phases[junction.id]) for junction in city.junctions]
        count = len(city.junctions)
        self.stage = np.zeros(count, np.int32)
        self.target = np.zeros(count, np.int32)
        self._since_s = np.full(count, now_s, np.float32)
        self._lamps = np.zeros(city.signals.group_count, np.uint8)
        self._lamps_since_s = np.full(city.signals.group_count, now_s, np.float32)
        for row in range(count):
            self._show(row, self._links[row][0], now_s)

    def choose(self, wanted: dict[str, str], now_s: float) -> None:
        """wanted: junction id -> stage id; who is not named keeps its stage."""
        for row, junction in enumerate(self._city.junctions):
            if junction.id in wanted:
                self.target[row] = junction.get_stage(wanted[junction.id])
            if self.target[row] != self.stage[row]:
                links = self._links[row]
                yellow = rules.yellow_between(links[self.stage[row]], links[self.target[row]])
                if yellow is not None:
                    self._show(row, yellow, now_s)

    def complete(self, now_s: float) -> None:
        """The 3 s are over: what was chosen shows."""
        for row in np.flatnonzero(self.stage != self.target).tolist():
            self.stage[row] = self.target[row]
            self._since_s[row] = now_s
            self._show(row, self._links[row][self.stage[row]], now_s)

    def states(self, now_s: float) -> SignalStates:
        """What controllers would report."""
        count = len(self._city.junctions)
        return SignalStates(
            "controllers", now_s, self._lamps.copy(), self._lamps_since_s.copy(), self.stage.copy(),
            self._since_s.copy(), self.target.copy(), np.full(count, int(ControllerMode.CENTRAL), np.uint8),
        )  # fmt: skip

    def _show(self, row: int, links: str, now_s: float) -> None:
        junction = self._city.junctions[row]
        self._traci.trafficlight.setRedYellowGreenState(junction.id, links)
        start = int(self._city.signals.group_start[row])
        for group, member in enumerate(junction.groups):
            lamp = ord(links[member.links[0]])
            if self._lamps[start + group] != lamp:
                self._lamps[start + group] = lamp
                self._lamps_since_s[start + group] = now_s


def _stage_links(junction: SignalJunction, phases: list[str]) -> list[str]:
    """The phase of the network's program that each stage stands for."""
    first = [member.links[0] for member in junction.groups]
    by_groups = {"".join(phase[link] for link in first): phase for phase in phases}
    return [by_groups[stage.lamps] for stage in junction.stages]


def run_control(traci: Any, city: City, brain: Brain, phases: dict[str, list[str]], seed: int) -> None:
    """One episode: begin to end of the window, an action each 10 s."""
    street = Street(traci, city, seed)
    lamps = Lamps(traci, city, phases, street.time_s)
    store = Store(city)
    wanted: dict[str, str] = {}
    second = 0
    while street.time_s < city.demand.end_s:
        if second % rules.ACTION_S == 0:
            lamps.choose(wanted, street.time_s)
        elif second % rules.ACTION_S == rules.YELLOW_S:
            lamps.complete(street.time_s)
        street.step()
        second += 1
        frame = street.frame()
        store.fold([*([frame] if frame else []), lamps.states(street.time_s)], street.time_s)
        advice = brain.advise(store.snapshot(street.time_s))
        wanted = {r.junction: r.stage for r in advice.requests if isinstance(r, StageRequest)}


def run_fixed(traci: Any, end_s: float) -> None:
    """The network's own plans."""
    while traci.simulation.getTime() < end_s:
        traci.simulationStep()


def run_free_road(traci: Any, end_s: float) -> None:
    """Nobody ever stops for a lamp or for another stream: no control can do better."""
    while traci.simulation.getTime() < end_s:
        traci.simulationStep()
        for vehicle in traci.simulation.getDepartedIDList():
            traci.vehicle.setSpeedMode(vehicle, FREE_SPEED_MODE)


def run_open_signals(traci: Any, city: City, end_s: float) -> None:
    """Nobody ever stops for a lamp; right of way holds where there is no signal. Foes inside junctions are
    heeded everywhere: SUMO 1.9.2 has no speed mode for that."""
    edges, nodes = city.network.edges, city.network.nodes
    free = {name for row, name in enumerate(edges.ids) if nodes.junction[edges.to_node[row]] >= 0}
    inside = tuple(f":{node}_" for row, node in enumerate(nodes.ids) if nodes.junction[row] >= 0)
    mode: dict[str, int] = {}
    road_key = traci.constants.VAR_ROAD_ID
    while traci.simulation.getTime() < end_s:
        traci.simulationStep()
        for vehicle in traci.simulation.getDepartedIDList():
            traci.vehicle.subscribe(vehicle, (road_key,))
        for vehicle, values in traci.vehicle.getAllSubscriptionResults().items():
            road = values[road_key]
            wanted = FREE_SPEED_MODE if road in free or road.startswith(inside) else RULES_SPEED_MODE
            if mode.get(vehicle) != wanted:
                traci.vehicle.setSpeedMode(vehicle, wanted)
                mode[vehicle] = wanted
