"""Play a decision forward on a queue model of one junction: compiled, a second at a time.

Model: each approach lane is a vertical queue at its stop line (point queue). Vehicles join it in the second
in which they could cross were nothing in their way; while the lane is green it discharges at saturation
flow, from the end of the transition on, and for a moment into yellow. The vehicles of a lane leave in their
order: of a lane shared by movements of several groups each vehicle wants one of them, in a pattern that
follows the turning shares, and one that faces red, or yields and finds no gap, stops those behind it. As
nobody knows where in the pattern a lane stands, each candidate is played on MIXES patterns and the mean
counts. A head that is known to want a certain group comes first in all of them.

The policy played: keep the stage for a given time, or change to a given one, and from then on serve
greedily: stay while the stage serves more vehicles a second than any other would, its transition included,
over the time it takes to empty its queues. This is a rollout (Bertsekas, Tsitsiklis and Wu 1997, "Rollout
algorithms for combinatorial optimization", J. Heuristics 3): the best first move, followed by the base
policy, is never worse than the base policy on the model. Which candidates are tried: see `search`. Phase
sequences over a rolling horizon: Sen and Head (1997), "Controlled optimization of phases at an
intersection", Transportation Science 31; clusters of vehicles as jobs: Xie, Smith, Lu and Barlow (2012),
"Schedule-driven intersection control", Transportation Research C 24.
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

MOST_STREAMS = 4
"""Streams of one lane that are told apart."""

KEEP_LOOK_S = 3
"""Seconds ahead over which the shown stage's service is reckoned before another is compared with it."""

MIXES = 3
SPREAD = np.array([0.3, 1.0, 1.9])
"""How early the first vehicle of a lesser stream of a lane comes, as a factor on its mean place in the queue:
about the thirds of the geometric distribution that independent drivers follow."""

WHOLE = 0.95
"""Of a vehicle: what is left when fractions are summed up is no vehicle."""


class Lanes(NamedTuple):
    """What stages do to approach lanes. l lanes sorted by junction, s stages, e entries: (stage, lane) pairs
    that show the lane some green, grouped by stage. c: local stage that was left, + 1; 0: from none."""

    lane_start: I32  # (j + 1,)
    stage_of: I32  # (j + 1,)
    usable: Bool  # (s,)
    mixed: Bool  # (j,) some lane is shared by streams of which a stage lets only some go
    entry_of: I32  # (s + 1,)
    lane: I32  # (e,)
    start_s: F32  # (c, e) from the decision to leave until the lane flows; 0: flows on
    span_s: F32  # (c, s) least time from that decision until the stage may be left
    flow: F64  # (e,) veh/s while it flows
    run_veh: F64  # (e,) vehicles served, in the mean, before one that has no right of way stops the lane
    full: I64  # (e,) bit mask of the lane's streams shown 'G'
    permitted: I64  # (e,) … shown 'g'
    share: F64  # (l, MOST_STREAMS) of the lane's vehicles, by bit
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
    """stop_s: delay that a stop costs beside the wait (slowing down, speeding up). left_s: delay reckoned
    for a vehicle still there at the end of the horizon, left_by_queue_s: and so much more for each with it.
    longest_s: longest service that is reckoned for a stage. yellow_s: use made of yellow. gap_s: gap that
    who yields needs. sneak: least share of flow that who yields gets. harm_veh: cost of a second of green
    towards a link that takes no more. change_veh_s: delay that another stage must save to be changed to."""

    stop_s: float
    left_s: float
    left_by_queue_s: float
    longest_s: float
    yellow_s: float
    gap_s: int
    sneak: float
    harm_veh: float
    change_veh_s: float


class Policy(NamedTuple):
    """Keep the stage for keep_s, then change to `then` (-1: to what is best by then), after it to `after`
    (-1 as well), and on greedily. stay: factor on what the shown stage serves when the greedy policy
    compares."""

    keep_s: float
    then: int
    after: int
    stay: float


class Play(NamedTuple):
    """Room for one play: one row a lane of the junction."""

    queue: F64  # vehicles at the line
    head: I64  # bit of the stream that the first of them wants
    part: F64  # of the first that has left already
    due: F64  # (lanes, MOST_STREAMS) how overdue each stream is in the lane's pattern
    ready: F64  # vehicles that may leave now: saturation flow, saved up to one vehicle
    tail_s: F64  # use of yellow left …
    tail: I64  # … to these streams


@compiled()
def new_play() -> Play:
    """Room for a junction of MOST_LANES."""
    return Play(
        np.empty(MOST_LANES), np.empty(MOST_LANES, np.int64), np.empty(MOST_LANES),
        np.empty((MOST_LANES, MOST_STREAMS)), np.empty(MOST_LANES), np.empty(MOST_LANES),
        np.empty(MOST_LANES, np.int64),
    )  # fmt: skip


@compiled()
def _begin(lanes: Lanes, scene: Scene, low: int, count: int, mix: int, play: Play) -> None:
    """Nobody there yet, each lane at the start of its pattern. mix: which pattern, -1 the mean one."""
    for i in range(count):
        play.queue[i] = 0.0
        play.ready[i] = 1.0
        play.tail_s[i] = 0.0
        play.part[i] = 0.0
        most = 0
        for n in range(1, MOST_STREAMS):
            if lanes.share[low + i, n] > lanes.share[low + i, most]:
                most = n
        spread = 1.0 if mix < 0 else SPREAD[(mix + i) % MIXES]
        for n in range(MOST_STREAMS):
            share = lanes.share[low + i, n]
            # the first of a lesser stream comes after about (1 - share) / share others
            play.due[i, n] = 0.0 if n == most else -2.0 * (1.0 - share) * spread if share > 0.0 else -1e9
        known = scene.head[low + i]
        play.head[i] = known if known != 0 else 1 << most


@compiled()
def _next_head(share: F64, lane: int, i: int, head: I64, due: F64) -> None:
    """The first of a queue has left: the next one's stream is the most overdue."""
    best = 0
    for n in range(MOST_STREAMS):
        if head[i] == 1 << n:
            due[i, n] -= 1.0
    for n in range(MOST_STREAMS):
        due[i, n] += share[lane, n]
        if due[i, n] > due[i, best]:
            best = n
    head[i] = 1 << best


@compiled()
def cost_of(
    lanes: Lanes, scene: Scene, weights: Weights, junction: int, shown: int, policy: Policy, mix: int,
    bound: float, play: Play, served: F64, record: bool,
) -> float:  # fmt: skip
    """Cost (veh s) of a policy over the horizon; inf as soon as it exceeds `bound`.

    shown: stage row now, -1 none. mix: pattern of the shared lanes, -1 the mean one. served: (l, h), filled
    if record is set: vehicles that leave each lane in each second.
    """
    first, last = lanes.stage_of[junction], lanes.stage_of[junction + 1]
    low = lanes.lane_start[junction]
    count = min(lanes.lane_start[junction + 1] - low, MOST_LANES)
    _begin(lanes, scene, low, count, mix, play)
    # a call that hands over all these arrays costs more than a second of a lane: so they are taken out here
    queue, head, part, due, ready_veh = play.queue, play.head, play.part, play.due, play.ready
    entry_of, lane_of, rival_of, rivals = lanes.entry_of, lanes.lane, lanes.rival_of, lanes.rival
    full, permitted, flows, share = lanes.full, lanes.permitted, lanes.flow, lanes.share
    arrivals, outlet, room, weight = scene.arrivals, scene.outlet, scene.room, scene.weight
    horizon = arrivals.shape[1]
    stage, came, since_s, least_s = shown, -1, 1e3, 1e3
    forced, after, cost = True, policy.after, 0.0
    for t in range(horizon):
        if stage < 0 or since_s >= least_s:
            target = stage
            if forced and t >= policy.keep_s:
                forced = False
                target = policy.then if policy.then >= 0 else stage
            if not forced and target == stage and (t & 1) == 0:
                target = _greedy(
                    lanes, scene, weights, policy.stay, t, first, last, low, stage, came, since_s, play
                )
                if target != stage and after >= 0 and policy.then >= 0:
                    target, after = after, -1
            if target != stage:
                came = stage - first + 1 if stage >= 0 else 0
                if stage >= 0:
                    for e in range(lanes.entry_of[stage], lanes.entry_of[stage + 1]):
                        play.tail_s[lanes.lane[e] - low] = weights.yellow_s
                        play.tail[lanes.lane[e] - low] = lanes.full[e]
                stage, since_s = target, 0.0
                least_s = lanes.span_s[came, stage]
                for e in range(lanes.entry_of[stage], lanes.entry_of[stage + 1]):
                    if lanes.start_s[came, e] <= 0.0:
                        play.tail_s[lanes.lane[e] - low] = 0.0
        for i in range(count):
            come = arrivals[low + i, t]
            if come > 0.0:
                cost += come * weights.stop_s * weight[low + i] * min(queue[i], 1.0)
                queue[i] += come
        if stage >= 0:
            for e in range(entry_of[stage], entry_of[stage + 1]):
                lane = lane_of[e]
                i = lane - low
                start_s = lanes.start_s[came, e] if came >= 0 else 0.0
                if since_s < start_s - 0.5 or queue[i] <= 0.0:
                    ready_veh[i] = 1.0
                    continue
                if room[lane] < 1.0:
                    cost += weights.harm_veh
                flow, ready = flows[e] * outlet[lane], ready_veh[i]
                if not full[e] & head[i]:
                    if not permitted[e] & head[i]:
                        continue
                    against = 0.0  # vehicles that use the gap
                    for r in range(rival_of[e], rival_of[e + 1]):
                        rival = rivals[r]
                        against += 2.0 * queue[rival - low]
                        for b in range(t + 1, min(t + 1 + weights.gap_s, horizon)):
                            against += arrivals[rival, b]
                    flow *= max(1.0 - against, weights.sneak)
                    if against > 0.3:
                        ready = min(ready, flow)
                out = min(min(ready, queue[i]), room[lane])
                ready_veh[i] = min(ready - out + flow, 1.0)
                queue[i] -= out
                part[i] += out
                if part[i] >= WHOLE:
                    part[i] -= 1.0
                    _next_head(share, lane, i, head, due)
                if record:
                    served[lane, t] = out
        for i in range(count):
            if play.tail_s[i] > 0.0:
                if play.tail[i] & head[i]:
                    out = min(min(ready_veh[i], queue[i]), play.tail_s[i])
                    ready_veh[i] = min(ready_veh[i] - out + 0.5, 1.0)
                    queue[i] -= out
                    part[i] += out
                    if part[i] >= WHOLE:
                        part[i] -= 1.0
                        _next_head(share, low + i, i, head, due)
                    if record:
                        served[low + i, t] += out
                play.tail_s[i] -= 1.0
            cost += queue[i] * weight[low + i]
        since_s += 1.0
        if cost > bound:
            return np.inf
    for i in range(count):
        left_s = weights.left_s + weights.left_by_queue_s * play.queue[i]
        cost += scene.weight[low + i] * play.queue[i] * left_s
    return cost


@compiled()
def _greedy(
    lanes: Lanes, scene: Scene, weights: Weights, stay: float, t: int, first: int, last: int, low: int,
    stage: int, came: int, since_s: float, play: Play,
) -> int:  # fmt: skip
    """The stage that serves most vehicles a second, the shown one first."""
    horizon = scene.arrivals.shape[1]
    best, most = stage, 0.0
    if stage >= 0:
        for e in range(lanes.entry_of[stage], lanes.entry_of[stage + 1]):
            lane = lanes.lane[e]
            i = lane - low
            start_s = lanes.start_s[came, e] if came >= 0 else 0.0
            if since_s + KEEP_LOOK_S <= start_s or scene.room[lane] < 1.0:
                continue
            soon = play.queue[i]
            for b in range(t, min(t + KEEP_LOOK_S, horizon)):
                soon += scene.arrivals[lane, b]
            if not lanes.full[e] & play.head[i]:
                soon *= 0.2
            most += min(soon, lanes.flow[e] * scene.outlet[lane] * KEEP_LOOK_S)
        most *= stay / KEEP_LOOK_S
    origin = stage - first + 1 if stage >= 0 else 0
    for s in range(first, last):
        if s == stage or not lanes.usable[s]:
            continue
        span = lanes.span_s[origin, s]
        begin, end = lanes.entry_of[s], lanes.entry_of[s + 1]
        wanted = False
        for e in range(begin, end):
            i = lanes.lane[e] - low
            waits = min(play.queue[i], lanes.run_veh[e] + 1.0)
            if waits > 0.05 and lanes.full[e] & play.head[i]:
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
            if green_s <= 0.0 or scene.room[lane] < 1.0 or not lanes.full[e] & play.head[i]:
                continue
            there = min(play.queue[i] + scene.usual[lane] * span, lanes.run_veh[e] + 1.0)
            value += min(there, lanes.flow[e] * scene.outlet[lane] * green_s)
        value /= span
        if value > most:
            best, most = s, value
    return best
