"""The best schedule of stages of a junction for the coming seconds, by beam search: compiled.

Each second every schedule kept is played on, as it is and, where its stage may be left, changing to each
other stage. Of those alike (same stage, same time until it may be left) only the WIDTH best go on. The
first move of the best one is the decision; the next second everything is searched anew.

Sources: forward search over stage sequences on a rolling horizon: PRODYN (Henry, Farges and Tuffal 1983),
COP (Sen and Head 1997, "Controlled optimization of phases at an intersection", Transportation Science 31),
schedule-driven control (Xie, Smith, Lu and Barlow 2012, "Schedule-driven intersection control",
Transportation Research C 24). Beam: the search keeps a bounded number of the most promising partial
solutions (Ow and Morton 1988, "Filtered beam search in scheduling", Int. J. Production Research 26).
"""

from __future__ import annotations

import numpy as np

from civicbrain.brains.signals.schedules import (
    I64,
    MOST_LANES,
    MOST_VEHICLES,
    Beam,
    Lanes,
    Scene,
    Street,
    Weights,
    expect,
    play_second,
)
from civicbrain.city.network import F64, I32, Bool
from civicbrain.science.compiled import compiled

REQUESTS_AHEAD = 4
"""At a controller that takes a request only in some seconds the search looks at least this many of them
ahead: with two there is nothing to weigh. One each 10 s in SUMO 1.9.2 (benchmarks/resco), 40 s instead of
20 s: ingolstadt1 23.0 to 21.4 s, cologne8 20.3 to 19.8."""

_EQUAL = 1e-9


@compiled()
def _new_beam(room: int) -> Beam:
    return Beam(
        np.zeros((2, room), np.int64), np.zeros((2, room), np.int64), np.zeros((2, room), np.int64),
        np.zeros((2, room), np.int64), np.zeros((2, room, MOST_LANES), np.int64),
        np.ones((2, room, MOST_LANES)), np.zeros((2, room)), np.zeros((2, room)),
    )  # fmt: skip


@compiled()
def _begin(beam: Beam, stage: int, span: int) -> None:
    """The schedule that all others start from: the stage shown (-1: none), all its transitions over."""
    beam.before[0, 0], beam.now[0, 0], beam.age_s[0, 0] = 0, stage, span
    beam.gone[0, 0, :] = 0
    beam.saved[0, 0, :] = 1.0
    beam.cost[0, 0] = 0.0


@compiled()
def _show(beam: Beam, old: int, parent: int, new: int, child: int, stage: int, span: int) -> None:
    """Let the child go on with the stage of its parent, or leave that for another."""
    now = beam.now[old, parent]
    beam.now[new, child] = stage
    if stage == now:
        beam.before[new, child] = beam.before[old, parent]
        beam.age_s[new, child] = min(beam.age_s[old, parent], span)
    else:
        beam.before[new, child] = now + 1
        beam.age_s[new, child] = 0


@compiled()
def _same_gone(beam: Beam, side: int, one: int, other: int, count: int) -> bool:
    """Have as many crossed on each lane? Schedules that cost the same may have let others go."""
    same = True
    for i in range(count):
        same &= beam.gone[side, one, i] == beam.gone[side, other, i]
    return same


@compiled()
def _fill_usual(lanes: Lanes, scene: Scene, j: int, seconds: int, served: F64) -> None:
    """Beyond the schedule: what the lanes let go in the mean."""
    for lane in range(lanes.lane_start[j], lanes.lane_start[j + 1]):
        for u in range(seconds, served.shape[1]):
            served[lane, u] = scene.usual[lane]


@compiled()
def search(
    lanes: Lanes, scene: Scene, weights: Weights, asked: Bool, shown: I32, width: int, seconds: int,
    tick: int, cost: F64, chosen: I32, served: F64, plan: I64,
) -> None:  # fmt: skip
    """Decide for each junction asked. Where more than `crowded_veh` vehicles a lane come in `seconds`,
    stages that are not of the city's plan are left out: what they free in one lane, the junction as a whole
    lacks. A stage is left only in seconds in which the controller takes a request.

    shown: (j,) stage row now, -1 none. width: schedules kept of those alike. seconds: looked ahead, h at
    most; further where requests are rare. tick: what nobody can know is drawn anew for each.
    Fills cost (s,): delay in veh s of the best schedule that shows the stage next, inf where there is none
    or where it fell behind all others; chosen (j,): stage row, -1 where not asked; served (l, h): vehicles
    that the best schedule lets go in each second; plan (j, as far as any looks or more): its stage in each
    second, from 0 in its junction, transition included, -1 where there is none. Rows of junctions not asked
    stay as they are.
    """
    seconds = longest = max(1, min(seconds, served.shape[1]))
    for j in range(len(asked)):
        if lanes.every_s[j] > 1:
            longest = max(longest, min(REQUESTS_AHEAD * lanes.every_s[j], served.shape[1]))
    alike = 0
    for j in range(len(asked)):
        alike = max(alike, (lanes.stage_of[j + 1] - lanes.stage_of[j]) * (lanes.span[j] + 1))
    room = alike * width + 1
    beam = _new_beam(room)
    street = Street(
        np.zeros((longest, MOST_LANES), np.int64), np.zeros((MOST_LANES, MOST_VEHICLES), np.uint8)
    )
    live = np.zeros((2, room), np.int64)
    held = np.zeros((alike, width), np.int64)  # slots of each kind, best first
    count_of = np.zeros(alike, np.int64)
    touched = np.zeros(alike, np.int64)
    parent = np.zeros((longest, room), np.int64)
    stage_at = np.zeros((longest, room), np.int64)
    ends = np.zeros(alike, np.int64)  # slot of the best schedule for each first move
    for j in range(len(asked)):
        chosen[j] = -1
        first, last = lanes.stage_of[j], lanes.stage_of[j + 1]
        cost[first:last] = np.inf
        if not asked[j]:
            continue
        plan[j, 0] = -1
        low, high = lanes.lane_start[j], lanes.lane_start[j + 1]
        every_s, heard_s = lanes.every_s[j], scene.heard_s[j]
        look_s = min(max(seconds, REQUESTS_AHEAD * every_s), longest) if every_s > 1 else seconds
        lanes_here, stages, span = min(high - low, MOST_LANES), last - first, lanes.span[j]
        for i in range(low, high):
            served[i, :] = 0.0
        total = expect(lanes, scene, low, lanes_here, look_s, tick, street)
        crowded = total * seconds > weights.crowded_veh * lanes_here * look_s
        stay = shown[j] - first if shown[j] >= 0 and lanes.usable[shown[j]] else -1
        if total == 0 and stay >= 0:
            chosen[j] = shown[j]
            cost[shown[j]] = 0.0
            plan[j, :] = stay
            _fill_usual(lanes, scene, j, look_s, served)
            continue
        _begin(beam, shown[j] - first if shown[j] >= 0 else -1, span)
        live[0, 0] = 0
        alive, old = 1, 0
        for u in range(look_s):
            new, kinds = 1 - old, 0
            spare, slots = 0, 1  # where the next schedule is tried out; slots in use
            for p in range(alive):
                one = live[old, p]
                now = beam.now[old, one]
                free = u == 0 or beam.age_s[old, one] >= lanes.ready_s[beam.before[old, one], first + now]
                free &= (u - heard_s) % every_s == 0
                for move in range(-1, stages if free else 0):  # -1: the stage as it is
                    if move < 0:
                        if u == 0 and stay < 0:
                            continue
                    elif (
                        move == now
                        or not lanes.usable[first + move]
                        or (crowded and lanes.extra[first + move])
                    ):
                        continue
                    _show(beam, old, one, new, spare, now if move < 0 else move, span)
                    beam.first[new, spare] = beam.now[new, spare] if u == 0 else beam.first[old, one]
                    play_second(lanes, scene, weights, street, beam, j, u, look_s, old, one, new, spare)
                    beam.age_s[new, spare] += 1
                    # its place among those alike
                    left = lanes.ready_s[beam.before[new, spare], first + beam.now[new, spare]]
                    left = min(max(left - beam.age_s[new, spare], 0), span)
                    kind = beam.now[new, spare] * (span + 1) + left
                    kept = count_of[kind]
                    score = beam.score[new, spare]
                    place = kept
                    while place > 0 and beam.score[new, held[kind, place - 1]] > score + _EQUAL:
                        place -= 1
                    twin, probe = False, place - 1
                    while not twin and probe >= 0 and beam.score[new, held[kind, probe]] > score - _EQUAL:
                        twin = _same_gone(beam, new, held[kind, probe], spare, lanes_here)
                        probe -= 1
                    if twin or place >= width:
                        continue
                    if kept == 0:
                        touched[kinds] = kind
                        kinds += 1
                    parent[u, spare] = one
                    stage_at[u, spare] = beam.now[new, spare]
                    taken = spare
                    if kept < width:
                        count_of[kind] = kept + 1
                        spare = slots
                        slots += 1
                    else:
                        spare = held[kind, width - 1]
                        kept -= 1
                    for other in range(kept, place, -1):
                        held[kind, other] = held[kind, other - 1]
                    held[kind, place] = taken
            alive = 0
            for t in range(kinds):
                kind = touched[t]
                for n in range(count_of[kind]):
                    live[new, alive] = held[kind, n]
                    alive += 1
                count_of[kind] = 0
            old = new
        ends[:] = -1
        for p in range(alive):
            one = live[old, p]
            move = beam.first[old, one]
            if beam.score[old, one] < cost[first + move]:
                cost[first + move] = beam.score[old, one]
                ends[move] = one
        best, least = stay, np.inf
        if stay >= 0:
            least = cost[first + stay] - weights.change_veh_s
        for move in range(stages):
            if move != stay and cost[first + move] < least:
                best, least = move, cost[first + move]
        if best < 0 or ends[best] < 0:  # no stage may be shown
            continue
        chosen[j] = first + best
        _serve(
            lanes, scene, weights, street, beam, j, look_s, shown[j], ends[best], parent, stage_at, served,
            plan,
        )  # fmt: skip


@compiled()
def _serve(
    lanes: Lanes, scene: Scene, weights: Weights, street: Street, beam: Beam, j: int, seconds: int,
    shown: int, end: int, parent: I64, stage_at: I64, served: F64, plan: I64,
) -> None:  # fmt: skip
    """Play the schedule that ends in slot `end` once more, for what it lets go."""
    order = plan[j]
    order[seconds:] = -1  # other junctions look further
    for u in range(seconds - 1, -1, -1):
        order[u] = stage_at[u, end]
        end = parent[u, end]
    low = lanes.lane_start[j]
    count = min(lanes.lane_start[j + 1] - low, MOST_LANES)
    old = 0
    _begin(beam, shown - lanes.stage_of[j] if shown >= 0 else -1, lanes.span[j])
    for u in range(seconds):
        new = 1 - old
        _show(beam, old, 0, new, 0, order[u], lanes.span[j])
        play_second(lanes, scene, weights, street, beam, j, u, seconds, old, 0, new, 0)
        beam.age_s[new, 0] += 1
        for i in range(count):
            served[low + i, u] = beam.gone[new, 0, i] - beam.gone[old, 0, i]
        old = new
    _fill_usual(lanes, scene, j, seconds, served)
