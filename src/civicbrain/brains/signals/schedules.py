"""A schedule of stages played forward on a queue model of one junction: one second at a time, compiled.

Model: each approach lane is a queue on a point at its stop line. A vehicle joins it in the second in which
it could cross were nothing in its way. A lane lets its vehicles go in their order, one each 1 / flow s; of a
lane shared by several groups the first in line may want one that shows red, or one that yields and finds
no gap: then those behind it wait too. The second of a queue follows a second after the first, the others by
headways. What a camera cannot tell, namely which group each vehicle wants, is drawn anew for each decision
from the turning shares; a head that is known to want a certain group does.
From the moment a stage is left its lanes flow for `yellow_s` more; those of the next flow once the
intergreen and the start-up are over.

Cost: a second for each vehicle that waits, times the lane's weight, and `stop_s` for each that has to stop.

The same model with all vehicles known beforehand: `civicbrain.science.foresight`, with its sources.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.network import F32, F64, I32, U8, Bool
from civicbrain.science.compiled import compiled

I64 = NDArray[np.int64]

MOST_LANES = 64
"""Approach lanes of one junction that are played; further ones (none is known) do not count."""

MOST_STREAMS = 4
"""Streams of one lane that are told apart."""

MOST_VEHICLES = 64
"""Of one lane that are looked at."""


class Lanes(NamedTuple):
    """What stages do to approach lanes. j junctions, s stages, l lanes sorted by junction. Within a junction
    c counts what was left: 0 nothing, n + 1 the n-th stage; i its lanes; tau the seconds since it was left.
    """

    lane_start: I32  # (j + 1,)
    stage_of: I32  # (j + 1,)
    usable: Bool  # (s,)
    extra: Bool  # (s,) not of the city's plan
    span: I32  # (j,) seconds after which every switch of a junction is over
    shown_of: I64  # (j + 1,) where a junction's part of `shown` begins
    shown: U8  # [c, stage, tau, i] streams of the lane, by bit: low half shown 'G', high half 'g'
    every_s: I32  # (j,) seconds between two requests that the controller takes
    ready_s: I32  # (most c, s) seconds from the decision to leave until the stage may be left
    share: F64  # (l, MOST_STREAMS) of the lane's vehicles, by bit
    yield_of: I64  # (j + 1,) where a junction's part of `rival_of` begins: [stage, i], one more at the end
    rival_of: I32  # who is shown 'g' yields to these:
    rival: I32  # (r,) lane i …
    rival_bits: U8  # (r,) … and streams of it


class Scene(NamedTuple):
    """What is expected now. h seconds ahead."""

    arrivals: F64  # (l, h) vehicles
    usual: F64  # (l,) veh/s in the long run
    head: I64  # (l,) bit of the stream that the vehicle at the line is known to want, 0 unknown
    heard_s: I32  # (j,) seconds until the controller takes a request, 0 now
    flow: F64  # (l,) veh/s that the stop line and the road behind take
    room: F64  # (l,) vehicles that may pass before the road behind is full
    weight: F64  # (l,) of a vehicle


class Weights(NamedTuple):
    """stop_s: delay that a stop costs beside the wait (slowing down, speeding up). gap_s: seconds free of
    those it yields to that a vehicle needs. change_veh_s: delay that another stage must save to be changed
    to. left_s: delay reckoned for each vehicle still waiting at the end, left_by_queue_s: and so much more
    for each with it (n vehicles wait for n (n + 1) / 2 headways in all). crowded_veh: see `search`."""

    stop_s: float
    gap_s: int
    change_veh_s: float
    left_s: float
    left_by_queue_s: float
    crowded_veh: float


class Beam(NamedTuple):
    """Room for n schedules of one junction, twice: this second's and the next one's."""

    before: I64  # (2, n) c
    now: I64  # (2, n) stage, from 0 in its junction
    age_s: I64  # (2, n) since the last stage was left
    first: I64  # (2, n) stage after the first second, from 0
    gone: I64  # (2, n, MOST_LANES) vehicles that have crossed
    saved: F64  # (2, n, MOST_LANES) of a headway since the last one
    cost: F64  # (2, n) veh s so far
    score: F64  # (2, n) with what the queues left will cost


class Street(NamedTuple):
    """What comes to one junction in whole vehicles."""

    come: I64  # (h, MOST_LANES) by the end of each second
    order: U8  # (MOST_LANES, MOST_VEHICLES) bit of the stream that each wants


@compiled()
def gather(
    stream_lane: I32, arrivals_veh: F32, rate_veh_per_s: F32, outlet: F64, room_veh: F64, weight: F64,
    flow_veh_per_s: float, scene: Scene,
) -> None:  # fmt: skip
    """Fill `scene`, its heads apart, from what is known of the streams (k,) of each lane: vehicles and rates
    add up; of outlets and rooms the least counts, of weights the greatest."""
    scene.arrivals[:] = 0.0
    scene.usual[:] = 0.0
    scene.flow[:] = flow_veh_per_s
    scene.room[:] = np.inf
    scene.weight[:] = 1.0
    for k in range(len(stream_lane)):
        lane = stream_lane[k]
        for u in range(scene.arrivals.shape[1]):
            scene.arrivals[lane, u] += arrivals_veh[k, u]
        scene.usual[lane] += rate_veh_per_s[k]
        scene.flow[lane] = min(scene.flow[lane], outlet[k] * flow_veh_per_s)
        scene.room[lane] = min(scene.room[lane], room_veh[k])
        scene.weight[lane] = max(scene.weight[lane], weight[k])


@compiled()
def noise(tick: int, lane: int, number: int) -> float:
    """A number in [0, 1) that looks random and is the same for the same arguments (splitmix64's finish:
    Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators")."""
    z = np.uint64(tick) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(lane) * np.uint64(0xBF58476D1CE4E5B9)
    z += np.uint64(number + 1) * np.uint64(0x94D049BB133111EB)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) / 9007199254740992.0


@compiled()
def expect(lanes: Lanes, scene: Scene, low: int, count: int, seconds: int, tick: int, street: Street) -> int:
    """Fill `street` with whole vehicles; how many come at all."""
    total = 0
    for i in range(count):
        lane, vehicles = low + i, 0.0
        for u in range(seconds):
            vehicles += scene.arrivals[lane, u]
            street.come[u, i] = min(int(vehicles + 0.5), MOST_VEHICLES - 1)
        last = street.come[seconds - 1, i]
        total += last
        for n in range(last + 1):
            wanted, left = 0, noise(tick, lane, n)
            for bit in range(MOST_STREAMS):
                if lanes.share[lane, bit] > 0.0:
                    wanted = bit
                    left -= lanes.share[lane, bit]
                    if left < 0.0:
                        break
            street.order[i, n] = 1 << wanted
        if scene.head[lane] != 0:
            street.order[i, 0] = scene.head[lane]
    return total


@compiled()
def play_second(
    lanes: Lanes, scene: Scene, weights: Weights, street: Street, beam: Beam, junction: int, u: int,
    seconds: int, old: int, parent: int, new: int, child: int,
) -> None:  # fmt: skip
    """One more second for the schedule in slot `parent` of side `old`, as `child` of side `new`, whose
    before, now, age_s and first are set."""
    low = lanes.lane_start[junction]
    count = min(lanes.lane_start[junction + 1] - low, MOST_LANES)
    stages = lanes.stage_of[junction + 1] - lanes.stage_of[junction]
    span = lanes.span[junction]
    now = beam.now[new, child]
    tau = min(beam.age_s[new, child], span - 1)
    width = lanes.lane_start[junction + 1] - low
    row = lanes.shown_of[junction] + ((beam.before[new, child] * stages + now) * span + tau) * width
    yields = lanes.yield_of[junction] + now * width
    soon = min(u + weights.gap_s, seconds - 1)
    cost, queues = 0.0, 0.0
    for i in range(count):
        gone, saved = beam.gone[old, parent, i], beam.saved[old, parent, i]
        come = street.come[u, i]
        waiting = come - gone
        saved += scene.flow[low + i]
        if waiting > 0:
            wants = street.order[i, gone]
            shown = lanes.shown[row + i]
            goes = False
            if saved >= 0.999 and gone + 1 <= scene.room[low + i]:
                if shown & wants:
                    goes = True
                elif (shown >> 4) & wants:
                    goes = True
                    for r in range(lanes.rival_of[yields + i], lanes.rival_of[yields + i + 1]):
                        other = lanes.rival[r]
                        ahead = beam.gone[old, parent, other]
                        comes = ahead < street.come[soon, other]
                        if comes and street.order[other, ahead] & lanes.rival_bits[r]:
                            goes = False
                            break
            if goes:
                gone += 1
                saved -= 1.0
                waiting -= 1
            if waiting > 0:
                fresh = come - (street.come[u - 1, i] if u > 0 else come)
                weight = scene.weight[low + i]
                cost += weight * (waiting + weights.stop_s * min(waiting, fresh))
                queues += weight * waiting * (weights.left_s + weights.left_by_queue_s * waiting)
        beam.gone[new, child, i] = gone
        beam.saved[new, child, i] = min(saved, 1.0)  # who stays is not readier a second later
    beam.cost[new, child] = beam.cost[old, parent] + cost
    beam.score[new, child] = beam.cost[new, child] + queues
