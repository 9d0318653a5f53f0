"""Fixed plans of a generated city: one cycle for all, splits by demand, offsets along the main streams.

Splits follow Webster's principle (1958, "Traffic signal settings"): equal degrees of saturation of the
critical lanes. Each second of green goes to the step in which the fullest lane discharges most. The cycle
is the one of least delay (HCM 2016, ch. 19) over the whole city, and a junction runs half of it where that
delays less, as coordinated networks do ("double cycling").
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from civicbrain.city.network import F64, Network
from civicbrain.city.signals import PlanStep, SignalJunction, SignalPlan
from civicbrain.science.fixed_time import (
    SNEAKERS_VEH,
    TARGET_SATURATION,
    TURN_FACTOR,
    control_delay_s,
    permitted_flow_veh_per_s,
)
from civicbrain.twin.generating.offsets import find_offsets
from civicbrain.twin.importing.plans import switch_over

CYCLES_S = (60, 70, 80, 90, 100, 110, 120)
SATURATION_VEH_S = 0.5
"""Of a lane straight on: 1,800 veh/h (HCM 2016, ch. 19: 1,900 in ideal conditions)."""
LEAST_GREEN_S = 1
"""Of a step in which nothing is green that was not before, or is not afterwards."""
START_LOST_S = 1.0
"""Of each lane and cycle: 2 s at the start of green, less what is used of yellow (HCM 2016, ch. 19)."""
_FEW = 0.05


@dataclass(frozen=True, eq=False)
class _Lane:
    """Demand of one approach lane and what it discharges in each step (veh/s of green). row: in Lanes."""

    row: int
    flow_veh_s: float
    rates_veh_s: tuple[float, ...]
    sneakers_veh: float = 0.0  # that turn as the opposing green ends, a cycle


@dataclass(frozen=True, eq=False)
class Timed:
    """junctions: with their plans. saturation: of the lane of each row of Movements, 0 without signals."""

    junctions: tuple[SignalJunction, ...]
    cycle_s: int
    saturation: F64


@dataclass(frozen=True, eq=False)
class _Split:
    """steps_s: length of each step, its switch-over included. saturation: of each lane. delay_s: of all
    vehicles that come in one second."""

    steps_s: list[int]
    saturation: list[float]
    delay_s: float


def time_plans(
    network: Network,
    junctions: tuple[SignalJunction, ...],
    flow_veh_h: F64,
    cycles_s: Sequence[int] = CYCLES_S,
) -> Timed:
    """Give every junction its plan. flow_veh_h: of each row of Movements. cycles_s: candidates, ascending."""
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row in np.flatnonzero(network.movements.junction >= 0).tolist():
        rows_of[int(network.movements.junction[row])].append(row)
    start = np.cumsum([0, *(len(junction.groups) for junction in junctions)])
    lanes = [
        _lanes(network, junction, rows_of[row], flow_veh_h / 3600.0, int(start[row]))
        for row, junction in enumerate(junctions)
    ]
    lost = [_transitions_s(junction) for junction in junctions]
    best: list[_Split] = []
    cycle_s, least_s = cycles_s[0], math.inf
    for candidate_s in cycles_s:
        splits = [_best_split(*entry, candidate_s) for entry in zip(junctions, lanes, lost, strict=True)]
        total_s = sum(split.delay_s for split in splits)
        if total_s < least_s:
            best, cycle_s, least_s = splits, candidate_s, total_s
    by_lane = np.zeros(len(network.lanes.ids))
    for members, split in zip(lanes, best, strict=True):
        by_lane[[lane.row for lane in members]] = split.saturation
    controlled = network.movements.junction >= 0
    planned = tuple(
        _with_steps(junction, split.steps_s) for junction, split in zip(junctions, best, strict=True)
    )
    offsets = find_offsets(network, planned, lost, flow_veh_h, float(cycle_s), start)
    return Timed(
        tuple(_with_offset(junction, offset) for junction, offset in zip(planned, offsets, strict=True)),
        cycle_s,
        np.where(controlled, by_lane[network.movements.from_lane], 0.0),
    )


def _lanes(
    network: Network, junction: SignalJunction, rows: list[int], flow_veh_s: F64, first_group: int
) -> list[_Lane]:
    """The approach lanes; drivers spread over the lanes that serve their movement."""
    movements = network.movements
    streams: dict[tuple[int, int], list[int]] = defaultdict(list)  # (from edge, to edge) -> movement rows
    for row in rows:
        edges = network.lanes.edge[movements.from_lane[row]], network.lanes.edge[movements.to_lane[row]]
        streams[int(edges[0]), int(edges[1])].append(row)
    load: dict[int, float] = defaultdict(float)
    served: dict[int, dict[int, float]] = defaultdict(dict)  # lane -> movement row -> its flow there
    for members in sorted(streams.values(), key=len):  # those with least choice first
        places = [int(movements.from_lane[row]) for row in members]
        whole = float(sum(flow_veh_s[row] for row in members))
        for row, lane, share in zip(
            members, places, _fill([load[lane] for lane in places], whole), strict=True
        ):
            load[lane] += share
            served[lane][row] = share
    steps = [junction.stages[step.stage].lamps for step in junction.local_plan.steps]
    opposing = _opposing(junction, movements.group, rows, flow_veh_s, first_group)
    result = []
    for lane, shares in sorted(served.items()):
        # who is red holds up the others of the lane, unless there is hardly any such
        members = [row for row, share in shares.items() if share > _FEW * load[lane]] or list(shares)
        rates = [min(_rate(network, row, lamps, first_group, opposing) for row in members) for lamps in steps]
        waits = any(lamps[movements.group[row] - first_group] == "g" for row in members for lamps in steps)
        alone = all(movements.turn[row] == ord("l") for row in members)
        result.append(_Lane(lane, load[lane], tuple(rates), SNEAKERS_VEH if waits and alone else 0.0))
    return result


def _fill(levels: list[float], amount: float) -> list[float]:
    """Pour an amount over lanes so that the least loaded are equal afterwards."""
    order = sorted(range(len(levels)), key=levels.__getitem__)
    result = [0.0] * len(levels)
    for count in range(len(order), 0, -1):
        level = (amount + sum(levels[i] for i in order[:count])) / count
        if count == 1 or level >= levels[order[count - 1]]:
            for i in order[:count]:
                result[i] = level - levels[i]
            break
    return result


def _opposing(
    junction: SignalJunction, group: np.ndarray, rows: list[int], flow_veh_s: F64, first_group: int
) -> list[float]:
    """(g,) flow that each group gives way to while it shows 'g': the fullest group it may yield to."""
    flow = [0.0] * len(junction.groups)
    for row in rows:
        flow[group[row] - first_group] += flow_veh_s[row]
    return [
        max((flow[b] for b, kind in enumerate(junction.conflict[a]) if kind == 1), default=0.0)
        for a in range(len(flow))
    ]


def _rate(network: Network, row: int, lamps: str, first_group: int, opposing: list[float]) -> float:
    group = int(network.movements.group[row]) - first_group
    lamp = lamps[group]
    if lamp == "G":
        return SATURATION_VEH_S * TURN_FACTOR[chr(network.movements.turn[row])]
    if lamp == "g":
        # the opposing queue discharges first: half of the green is left for gaps
        return 0.5 * float(permitted_flow_veh_per_s(opposing[group]))
    return 0.0


def _transitions_s(junction: SignalJunction) -> list[float]:
    """Length of each step's switch-over from the step before."""
    lamps = [junction.stages[step.stage].lamps for step in junction.local_plan.steps]
    return [
        sum(seconds for _, seconds in switch_over(junction, lamps[i - 1], lamps[i]))
        for i in range(len(lamps))
    ]


def _best_split(junction: SignalJunction, lanes: list[_Lane], lost_s: list[float], cycle_s: int) -> _Split:
    """Of the whole cycle, or of half of it where that fits and delays less."""
    whole, half = (_split(junction, lanes, lost_s, seconds) for seconds in (cycle_s, cycle_s // 2))
    fits = sum(half.steps_s) == cycle_s // 2 and max(half.saturation, default=0.0) <= TARGET_SATURATION
    return half if fits and half.delay_s < whole.delay_s else whole


def _split(junction: SignalJunction, lanes: list[_Lane], lost_s: list[float], cycle_s: int) -> _Split:
    """Equal saturation of the fullest lanes in a cycle of that length (or the shortest that is longer)."""
    green = _least_greens_s(junction)
    whole = [-(-round(10 * s) // 10) for s in lost_s]
    extra = [lane.sneakers_veh - START_LOST_S * max(lane.rates_veh_s) for lane in lanes]
    capacity = [
        more + sum(r * s for r, s in zip(lane.rates_veh_s, green, strict=True))
        for lane, more in zip(lanes, extra, strict=True)
    ]
    busy = [i for i, lane in enumerate(lanes) if lane.flow_veh_s > 0 and max(lane.rates_veh_s) > 0]
    for _ in range(max(0, cycle_s - sum(green) - sum(whole))):
        if busy:
            worst = max(busy, key=lambda i: lanes[i].flow_veh_s / max(capacity[i], 1e-9))
            step = max(range(len(green)), key=lanes[worst].rates_veh_s.__getitem__)
        else:
            step = min(range(len(green)), key=green.__getitem__)
        green[step] += 1
        for i in busy:
            capacity[i] += lanes[i].rates_veh_s[step]
    total_s = sum(green) + sum(whole)
    flow = np.array([lane.flow_veh_s for lane in lanes])
    fullest = np.array([max(*lane.rates_veh_s, 1e-9) for lane in lanes])
    capacity_veh_s = np.maximum(capacity, 0.0) / total_s
    delays_s = control_delay_s(flow, fullest, capacity_veh_s * total_s / fullest, total_s)
    return _Split(
        [g + w for g, w in zip(green, whole, strict=True)],
        (flow / np.maximum(capacity_veh_s, 1e-9)).tolist(),
        float(flow @ delays_s),
    )


def _least_greens_s(junction: SignalJunction) -> list[int]:
    """Shortest green of each step: the minimum of the groups that are green in it alone; others go on."""
    lamps = [junction.stages[step.stage].lamps for step in junction.local_plan.steps]
    result = []
    for i, shown in enumerate(lamps):
        before, after = lamps[i - 1], lamps[(i + 1) % len(lamps)]
        alone_s = [
            group.min_green_s
            for row, group in enumerate(junction.groups)
            if shown[row] in "Gg" and (len(lamps) == 1 or not (before[row] in "Gg" or after[row] in "Gg"))
        ]
        result.append(math.ceil(max(alone_s, default=LEAST_GREEN_S)))
    return result


def _with_steps(junction: SignalJunction, seconds: list[int]) -> SignalJunction:
    plan = junction.local_plan
    steps = tuple(PlanStep(step.stage, float(s)) for step, s in zip(plan.steps, seconds, strict=True))
    return msgspec.structs.replace(junction, local_plan=SignalPlan("fixed", steps, 0.0))


def _with_offset(junction: SignalJunction, offset_s: float) -> SignalJunction:
    plan = junction.local_plan
    offset_s = float(round(offset_s) % round(plan.cycle_s))
    return msgspec.structs.replace(junction, local_plan=SignalPlan(plan.id, plan.steps, offset_s))
