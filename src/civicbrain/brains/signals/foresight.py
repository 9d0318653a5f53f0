"""Play a decision forward on a queue model of one junction: compiled, a second at a time.

Model: each approach lane is a vertical queue at its stop line (point queue). Vehicles join it in the second in
which they could cross were nothing in their way; while the lane is green it discharges at saturation flow,
from the end of the transition on, and for a moment into yellow. A lane shared by movements of several groups
discharges as its mixture does: who yields waits for gaps in the traffic against it, and who faces red stops
those behind after the run that the turning shares let expect. A head that is known to want another group waits
for that group.

The policy played: keep the stage for a given time, or change to a given one, and from then on serve greedily:
stay while the stage serves more vehicles a second than any other would, its transition included, over the time
it takes to empty its queues. This is a rollout (Bertsekas, Tsitsiklis and Wu 1997, "Rollout algorithms for
combinatorial optimization", J. Heuristics 3): the best first move, followed by the base policy, is never worse
than the base policy on the model. Phase sequences over a rolling horizon: Sen and Head (1997), "Controlled
optimization of phases at an intersection", Transportation Science 31; clusters of vehicles as jobs: Xie, Smith,
Lu and Barlow (2012), "Schedule-driven intersection control", Transportation Research C 24.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.network import F32, F64, I32, Bool
from civicbrain.science.compiled import compiled

I64 = NDArray[np.int64]

MOST_LANES = 64
"""Approach lanes of one junction that are played; further ones (none is known) do not count."""

KEEP_LOOK_S = 3
"""Seconds ahead over which the shown stage's service is reckoned before another is compared with it."""


class Lanes(NamedTuple):
    """What stages do to approach lanes. l lanes sorted by junction, s stages, e entries: (stage, lane) pairs
    that show the lane some green, grouped by stage. c: local stage that was left, + 1; 0: from none."""

    lane_start: I32  # (j + 1,)
    stage_of: I32  # (j + 1,)
    usable: Bool  # (s,)
    entry_of: I32  # (s + 1,)
    lane: I32  # (e,)
    start_s: F32  # (c, e) from the decision to leave until the lane flows; 0: flows on
    span_s: F32  # (c, s) least time from that decision until the stage may be left
    flow: F64  # (e,) veh/s while it flows
    yields: F64  # (e,) share of those served that yield
    run_veh: F64  # (e,) vehicles served before one at red blocks the lane
    full: I64  # (e,) bit mask of the lane's streams shown 'G'
    permitted: I64  # (e,) … shown 'g'
    rival_of: I32  # (e + 1,) lanes that an entry yields to:
    rival: I32  # (r,)


class Scene(NamedTuple):
    """What is expected now. h seconds ahead."""

    arrivals: F64  # (l, h) vehicles
    usual: F64  # (l,) veh/s in the long run
    head: I64  # (l,) bit of the stream that the vehicle at the line is known to want, 0 unknown
    outlet: F64  # (l,) share of the flow that the road behind takes
    room: F64  # (l,) vehicles that may pass before the road behind is full
    weight: F64  # (l,) of a vehicle


class Weights(NamedTuple):
    """stop_s: delay that a stop costs beside the wait (slowing down, speeding up). left_s: delay reckoned for a
    vehicle still there at the end of the horizon, left_by_queue_s: and so much more for each with it. stay: factor
    on what the shown stage serves when the greedy policy compares. longest_s: longest service that is reckoned for
    a stage. yellow_s: use made of yellow. gap_s: gap that who yields needs. sneak: least share of flow that who
    yields gets. harm_veh: cost of a second of green towards a link that takes no more. change_veh_s: delay that
    another stage must save to be changed to."""

    stop_s: float
    left_s: float
    left_by_queue_s: float
    stay: float
    longest_s: float
    yellow_s: float
    gap_s: float
    sneak: float
    harm_veh: float
    change_veh_s: float


@compiled()
def play(
    lanes: Lanes, scene: Scene, weights: Weights, junction: int, shown: int, wait_s: float, keep_s: float,
    then: int, bound: float, queue: F64, head_veh: F64, run_veh: F64, tail_s: F64, served: F64, record: bool,
) -> float:  # fmt: skip
    """Cost (veh s) of a policy over the horizon; inf as soon as it exceeds `bound`.

    shown: stage row now, -1 none. wait_s: until it may be left. keep_s: kept that long, then changed to `then`
    (-1: whatever the greedy policy likes). queue … tail_s: scratch, one value a lane. served: (l, h), filled if
    record is set: vehicles that leave each lane in each second.
    """
    first, last = lanes.stage_of[junction], lanes.stage_of[junction + 1]
    low = lanes.lane_start[junction]
    count = min(lanes.lane_start[junction + 1] - low, MOST_LANES)
    horizon = scene.arrivals.shape[1]
    for i in range(count):
        queue[i] = 0.0
        head_veh[i] = 1.0 if scene.head[low + i] != 0 else 0.0
        run_veh[i] = np.inf
        tail_s[i] = 0.0
    stage, since_s, least_s, came = shown, 1e3, wait_s + 1e3, -1
    forced, cost = True, 0.0
    for t in range(horizon):
        if stage < 0 or since_s >= least_s:
            target = stage
            if forced and t >= keep_s:
                forced = False
                target = then if then >= 0 else stage
            if not forced and target == stage and (t & 1) == 0:
                target = _greedy(
                    lanes, scene, weights, t, first, last, low, stage, came, since_s, queue, head_veh, run_veh
                )
            if target != stage:
                for i in range(count):
                    run_veh[i] = np.inf
                if stage >= 0:
                    for e in range(lanes.entry_of[stage], lanes.entry_of[stage + 1]):
                        if lanes.yields[e] < 0.5:
                            tail_s[lanes.lane[e] - low] = weights.yellow_s
                came = stage - first + 1 if stage >= 0 else 0
                stage, since_s = target, 0.0
                least_s = lanes.span_s[came, stage]
                for e in range(lanes.entry_of[stage], lanes.entry_of[stage + 1]):
                    if lanes.start_s[came, e] <= 0.0:
                        tail_s[lanes.lane[e] - low] = 0.0
        for i in range(count):
            come = scene.arrivals[low + i, t]
            if come > 0.0:
                cost += come * weights.stop_s * scene.weight[low + i] * min(queue[i], 1.0)
                queue[i] += come
        if stage >= 0:
            for e in range(lanes.entry_of[stage], lanes.entry_of[stage + 1]):
                lane = lanes.lane[e]
                i = lane - low
                start_s = lanes.start_s[came, e] if came >= 0 else 0.0
                if since_s + 1.0 <= start_s or queue[i] <= 0.0:
                    continue
                if scene.room[lane] < 1.0:
                    cost += weights.harm_veh
                yields = lanes.yields[e]
                if head_veh[i] > 0.0:
                    if lanes.full[e] & scene.head[lane]:
                        yields = 0.0
                    elif lanes.permitted[e] & scene.head[lane]:
                        yields = 1.0
                    else:
                        continue
                flow = lanes.flow[e] * scene.outlet[lane]
                if yields > 0.0:
                    against = 0.0
                    for r in range(lanes.rival_of[e], lanes.rival_of[e + 1]):
                        rival = lanes.rival[r]
                        against += min(queue[rival - low], 0.5) + 0.3 * scene.usual[rival]
                    flow /= 1.0 - yields + yields / max(np.exp(-weights.gap_s * against), weights.sneak)
                out = min(min(flow * min(1.0, since_s + 1.0 - start_s), queue[i]), min(run_veh[i], scene.room[lane]))
                if head_veh[i] > 0.0:
                    head_veh[i] -= out
                    if head_veh[i] < 0.05:
                        head_veh[i] = 0.0
                elif lanes.run_veh[e] < 1e6:
                    run_veh[i] = min(run_veh[i], lanes.run_veh[e]) - out
                queue[i] -= out
                if record:
                    served[lane, t] = out
        for i in range(count):
            if tail_s[i] > 0.0:
                if head_veh[i] <= 0.0:
                    out = min(0.5 * min(tail_s[i], 1.0), queue[i])
                    queue[i] -= out
                    if record:
                        served[low + i, t] += out
                tail_s[i] -= 1.0
            cost += queue[i] * scene.weight[low + i]
        since_s += 1.0
        if cost > bound:
            return np.inf
    for i in range(count):
        cost += scene.weight[low + i] * queue[i] * (weights.left_s + weights.left_by_queue_s * queue[i])
    return cost


@compiled()
def _greedy(
    lanes: Lanes, scene: Scene, weights: Weights, t: int, first: int, last: int, low: int, stage: int, came: int,
    since_s: float, queue: F64, head_veh: F64, run_veh: F64,
) -> int:  # fmt: skip
    """The stage that serves most vehicles a second, the shown one first."""
    horizon = scene.arrivals.shape[1]
    best, most = stage, 0.0
    if stage >= 0:
        for e in range(lanes.entry_of[stage], lanes.entry_of[stage + 1]):
            lane = lanes.lane[e]
            i = lane - low
            start_s = lanes.start_s[came, e] if came >= 0 else 0.0
            if since_s + KEEP_LOOK_S <= start_s:
                continue
            soon = queue[i]
            for b in range(t, min(t + KEEP_LOOK_S, horizon)):
                soon += scene.arrivals[lane, b]
            if head_veh[i] > 0.0 and not lanes.full[e] & scene.head[lane]:
                soon *= 0.1
            if scene.room[lane] >= 1.0:
                most += min(min(soon, lanes.flow[e] * scene.outlet[lane] * KEEP_LOOK_S), run_veh[i])
        most *= weights.stay / KEEP_LOOK_S
    origin = stage - first + 1 if stage >= 0 else 0
    for s in range(first, last):
        if s == stage or not lanes.usable[s]:
            continue
        span = lanes.span_s[origin, s]
        begin, end = lanes.entry_of[s], lanes.entry_of[s + 1]
        wanted = False
        for e in range(begin, end):
            lane = lanes.lane[e]
            i = lane - low
            if head_veh[i] > 0.0 and not lanes.full[e] & scene.head[lane]:
                continue
            waits = min(queue[i], lanes.run_veh[e] + head_veh[i])
            if waits > 0.05:
                wanted = True
                span = max(span, lanes.start_s[origin, e] + waits / lanes.flow[e])
        if not wanted:
            continue
        span = min(span, weights.longest_s)
        value = 0.0
        for e in range(begin, end):
            green_s = span - lanes.start_s[origin, e]
            lane = lanes.lane[e]
            i = lane - low
            if green_s <= 0.0 or scene.room[lane] < 1.0:
                continue
            if head_veh[i] > 0.0 and not lanes.full[e] & scene.head[lane]:
                continue
            there = min(queue[i] + scene.usual[lane] * span, lanes.run_veh[e] + head_veh[i])
            value += min(there, lanes.flow[e] * scene.outlet[lane] * green_s)
        value /= span
        if value > most:
            best, most = s, value
    return best


@compiled()
def foresee(
    lanes: Lanes, scene: Scene, weights: Weights, asked: Bool, shown: I32, wait_s: F64, keep_s: F64, exact: bool,
    cost: F64, chosen: I32, served: F64,
) -> None:  # fmt: skip
    """For each junction asked, the cost of keeping the stage (best of keep_s) and of changing to each other.

    Fills cost (s,) in veh s, inf for what is out of the question (or, unless `exact`, worse than the best known),
    chosen (j,) stage row, -1 where not asked, and served (l, h) of the best policy; rows of junctions that are not
    asked are left as they are.
    """
    queue, head_veh = np.empty(MOST_LANES), np.empty(MOST_LANES)
    run_veh, tail_s = np.empty(MOST_LANES), np.empty(MOST_LANES)
    for j in range(len(asked)):
        chosen[j] = -1
        first, last = lanes.stage_of[j], lanes.stage_of[j + 1]
        for s in range(first, last):
            cost[s] = np.inf
        if not asked[j]:
            continue
        stay, best, best_keep_s, pick = shown[j], np.inf, 0.0, -1
        if stay >= 0 and lanes.usable[stay]:
            for keep in keep_s:
                value = play(
                    lanes, scene, weights, j, stay, wait_s[j], keep, -1, best, queue, head_veh, run_veh, tail_s,
                    served, False,
                )  # fmt: skip
                if value < best:
                    best, best_keep_s = value, keep
            cost[stay], pick = best, stay
        limit = best - weights.change_veh_s
        best_then = -1
        for s in range(first, last):
            if s == stay or not lanes.usable[s]:
                continue
            value = play(
                lanes, scene, weights, j, stay, wait_s[j], 0.0, s, np.inf if exact else limit, queue, head_veh,
                run_veh, tail_s, served, False,
            )  # fmt: skip
            cost[s] = value
            if value < limit:
                limit, pick, best_then = value, s, s
        chosen[j] = pick
        for i in range(lanes.lane_start[j], lanes.lane_start[j + 1]):
            served[i, :] = 0.0
        if pick >= 0:
            play(
                lanes, scene, weights, j, stay, wait_s[j], 0.0 if best_then >= 0 else best_keep_s, best_then, np.inf,
                queue, head_veh, run_veh, tail_s, served, True,
            )  # fmt: skip
