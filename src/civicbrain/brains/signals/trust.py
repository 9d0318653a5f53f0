"""Which cameras may be believed now: from what each of them has said so far, nothing else.

A camera in the street fails in ways that its frames alone betray. Three rules, each about something that
cannot be, or is as good as impossible:

Blind. It goes on delivering, and sees nobody.
    By vanishing: vehicles that could not have reached the stop line yet are gone, all at once, and
    nobody else comes into view. By arm, too: one arm may be out of view while the others are not.
    By rate: nobody in view for a time in which, going by what it saw before, somebody would have come. The
    vehicles that passed are reckoned from the distance travelled in view (flow = distance travelled / (length
    of road × time), Edie 1963, "Discussion of traffic stream measurements and definitions"): no vehicle has
    to be followed, and overlooking some only makes the rule slower. With n vehicles in a time T (exponential
    memory), the chance of nobody in a further time t is (1 + t/T)^-n: Poisson arrivals of a rate that is
    itself only known from those n (gamma-Poisson; Gelman et al. 2013, "Bayesian Data Analysis", 2.6). So few
    vehicles prove little, and a quiet night is no fault: traffic may halve each twenty minutes (should it
    fall to a quarter at once, that looks blind for a minute or two). Signals upstream send platoons, not
    Poisson: the spell must be longer than those that this camera has known, too. Not by arm: a road closed
    upstream looks the same, and on real demand (cologne8) three of eight sound cameras had an arm with 90
    vehicles in ten minutes and none in the next four.
    Both are chances of the same event, and are multiplied.
Frozen. Exactly the same vehicles at exactly the same places, frame after frame, although one of them is said
    to move; or although a head of queue has had green for long. The whole picture must stand still: a single
    blocked lane stands among others that change. A standstill on all arms through several greens looks
    frozen, too; in it the local plan does no harm.
A phantom queue has no rule: to a camera it is what a blocked lane is, and the picture around it is true. What
    the control does about blocked lanes serves here (limits on green without discharge: `worth`, `stalled`;
    bounded waits).

Doubt lasts at least a minute and ends when the picture has been sound for a while. A camera that is silent is
not judged (its age is known), nor is a junction that never had a frame: both are returned as they stood,
believed at first.
"""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np
from numba import boolean, float32, float64, int32, uint8, uint32, uint64, void
from numpy.typing import NDArray

from civicbrain.brains.signals.ages import CameraAges
from civicbrain.brains.signals.approach import Streams
from civicbrain.city.model import City
from civicbrain.city.network import F32, F64, I32, U8, Bool
from civicbrain.city.snapshot import Snapshot
from civicbrain.science.compiled import array_in, compiled

BLIND_LOG_ODDS = 12.0
"""Nobody in view is blindness when its chance is below e^-12 (1 in 160,000). e^-8 would do for
Poisson arrivals; with it, bunched and declining demand (cologne8, grid4x4) gave one false alarm in ten
hours of a camera."""

BLIND_LEAST_S = 10.0
"""Shorter spells prove nothing, however busy the junction: a platoon has passed."""

GAP_FACTOR = 1.5
"""How much longer than the longest spell known a spell must be."""

GAP_MEMORY_S, RATE_MEMORY_S = 3600.0, 600.0
"""Time constants: longest spells are kept for about an hour, rates follow the rise and fall of
a peak in ten minutes."""

LEARN_S = 300.0
"""Frames of so long before rates are relied on: three cycles of a slow plan."""

FOLD_S = 300.0
"""At most so much of a blind spell is taken into the rate afterwards: if it was a lull and no fault, the rate
adapts; if it was a fault, little is lost."""

VANISH_S, VANISH_FRAMES = 4.0, 3
"""Who cannot have reached the stop line within this time, and is in none of the frames of it (so many at
least), speaks for blindness …"""

GONE_LOG_ODDS = 4.0
"""… each with a chance of e^-4 (1 in 50) of being gone all the same: overlooked in all those frames
(0.2^4 at a miss rate of 0.2 is less), or turned off on the way, or parked. Three together are enough; one
alone says nothing. By misses alone two would be enough: on cologne8, whose arms have side roads in view, that
gave a false alarm in two hours of a camera."""

ACCELERATION_MPS2, OVER_LIMIT = 3.0, 1.2
"""How far a vehicle may get: more than cars accelerate in ordinary traffic (SUMO's default car: 2.6), and a
fifth above the speed limit."""

FROZEN_REPEATS = 3
MOVING_MPS, MOVING_M = 1.0, 1.0
"""Who is said to be this fast, and not yet at the line, cannot be in the same place a frame later."""

IDLE_GREEN_S = 20.0
"""Green, over all its greens, in which a head of queue in an unchanged picture did not move. A queue of ten
would have gone; 20 s leave room for a turn that waits for pedestrians."""

START_S = 3.0
"""Of each green, in which nobody need have moved yet (start-up lost time 2 s: HCM 2010, and reaction)."""

HEAD_M, STANDING_MPS = 14.0, 0.5
"""As for heads of queue elsewhere: see `demand`."""

DOUBT_S, SOUND_S = 60.0, 10.0
"""Doubt lasts at least so long, and ends when the picture has been sound for so long: no flicker between
control and local plan, whose own cycle is about a minute."""

AWAY_S = 30.0
"""Who saw vehicles again, and then nobody for this long, begins anew to be sound."""

LOST_S = 10.0
"""After a gap between frames longer than this nothing is concluded from before the gap."""

_NEVER = -1e12


class Doubt(IntEnum):
    """Why a camera is not believed."""

    NONE = 0
    BLIND = 1
    BLIND_ARM = 2
    FROZEN = 3


class CameraTrust:
    """Keeps its state between updates; starts afresh when time goes back. Deterministic.

    reason: (j,) `Doubt` of each junction after the last update.
    """

    def __init__(self, city: City, streams: Streams) -> None:
        lanes, cameras, count = city.network.lanes, city.cameras, len(city.junctions)
        self._ages = CameraAges(city)
        # arms: the roads that end at a junction's stop lines; lanes further up belong to the one they feed
        arm_key, arm_of = np.unique(
            np.stack((streams.junction, lanes.edge[streams.lane]), axis=1), axis=0, return_inverse=True
        )
        arms, arm_of = len(arm_key), arm_of.reshape(-1)
        arm_of_stream = np.append(arm_of, -1)  # the last: the bin of no account
        self._lane_arm: I32 = arm_of_stream[streams.lane_stream[:, 0]].astype(np.int32)
        self._lane_arm[streams.lane] = arm_of
        # scopes: junctions, then arms
        self._owner = np.concatenate((np.arange(count), arm_key[:, 0])).astype(np.int32)
        in_view_m = np.minimum(cameras.beyond_m + lanes.length_m[cameras.lane], cameras.range_m)
        arm_m = np.full(arms + 1, 1.0)
        np.maximum.at(arm_m, self._lane_arm[cameras.lane], in_view_m)  # -1: no arm
        self._per_m: F64 = 1.0 / arm_m[:arms]
        # approach lanes and the streams that start on each: rows line_start[i]:line_start[i + 1]
        line, begin = np.unique(streams.lane, return_index=True)
        order = np.argsort(begin)
        self._line_start: I32 = np.append(begin[order], streams.count).astype(np.int32)
        self._line_junction: I32 = streams.junction[begin[order]].astype(np.int32)
        self._lane_line: I32 = np.full(len(lanes.ids), -1, np.int32)
        self._lane_line[line[order]] = np.arange(len(line))
        self._group = streams.group
        self._limit_mps = lanes.speed_mps
        self._count = count
        self._reset()

    def _reset(self) -> None:
        """Forget everything: all are believed."""
        count, scopes, lines = self._count, len(self._owner), len(self._line_junction)
        self.reason: U8 = np.zeros(count, np.uint8)
        self._now_s = -math.inf
        self._frame_s = np.full(count, _NEVER)
        self._first_s = np.full(count, _NEVER)
        self._print: NDArray[np.uint64] = np.zeros(count, np.uint64)
        self._repeats: I32 = np.zeros(count, np.int32)
        self._frozen_s, self._doubt_s = np.full(count, _NEVER), np.full(count, _NEVER)
        self._veh, self._memory_s, self._longest_s = np.zeros(count), np.zeros(count), np.zeros(count)
        self._idle_s = np.zeros(lines)
        self._seen_s, self._again_s = np.full(scopes, _NEVER), np.zeros(scopes)
        self._bound: I32 = np.zeros(scopes, np.int32)
        self._blind: Bool = np.zeros(scopes, np.bool_)

    def update(self, snapshot: Snapshot) -> Bool:
        """(j,) whose camera may be believed. Only frames newer than those of the last call are judged."""
        now_s = snapshot.time_s
        if now_s < self._now_s:  # the window began again
            self._reset()
        self._now_s = now_s
        count, scopes, lines = self._count, len(self._owner), len(self._line_junction)
        frame_s = now_s - self._ages.of(snapshot)
        fresh = frame_s > self._frame_s + 1e-3
        seen, signals = snapshot.detections, snapshot.signals
        prints, moving = np.zeros(count, np.uint64), np.zeros(count, np.bool_)
        in_view, bound = np.zeros(scopes, np.bool_), np.zeros(scopes, np.int32)
        flow, head, green = np.zeros(count), np.zeros(lines, np.bool_), np.zeros(lines, np.bool_)
        _look(
            fresh, seen.camera, seen.lane, seen.distance_m, seen.speed_mps,
            seen.distance_m.view(np.uint32), seen.speed_mps.view(np.uint32),
            self._lane_arm, self._lane_line, self._limit_mps, self._per_m,
            prints, moving, bound, in_view, flow, head,
        )  # fmt: skip
        _find_green(now_s, signals.lamps, signals.lamps_since_s, self._group, self._line_start, green)
        passed_s = np.zeros(count)
        _find_frozen(
            fresh, frame_s, prints, moving, in_view, head, green, self._line_junction,
            self._frame_s, self._first_s, self._print, self._repeats, self._idle_s, self._frozen_s, passed_s,
        )  # fmt: skip
        _find_blind(
            fresh, frame_s, passed_s, bound, in_view, flow, self.reason, self._first_s, self._owner,
            self._seen_s, self._bound, self._again_s, self._blind, self._veh, self._memory_s, self._longest_s,
        )  # fmt: skip
        _decide(fresh, frame_s, self._frozen_s, self._blind, self._owner, self._doubt_s, self.reason)
        believed: Bool = self.reason == Doubt.NONE
        return believed


@compiled(
    void(
        array_in(boolean), array_in(int32), array_in(int32), array_in(float32), array_in(float32),
        array_in(uint32), array_in(uint32), array_in(int32), array_in(int32), array_in(float32),
        array_in(float64),
        uint64[::1], boolean[::1], int32[::1], boolean[::1], float64[::1], boolean[::1],
    )
)  # fmt: skip
def _look(
    fresh: Bool, camera: I32, lane: I32, distance_m: F32, speed_mps: F32, distance_bits: NDArray[np.uint32],
    speed_bits: NDArray[np.uint32], lane_arm: I32, lane_line: I32, limit_mps: F32, per_m: F64,
    prints: NDArray[np.uint64], moving: Bool, bound: I32, in_view: Bool, flow: F64, head: Bool,
) -> None:  # fmt: skip
    """Sum up the new frames; the last six are filled (zeros before).

    prints: a number that two frames share only if they show the same (a sum, so in whatever order, of
    multiplicatively mixed bits; Steele et al. 2014, "Fast splittable pseudorandom number generators").
    bound: vehicles that cannot reach the stop line within VANISH_S. flow: vehicles per second.
    """
    count = len(fresh)
    span, gain_m = np.float32(VANISH_S), np.float32(0.5 * ACCELERATION_MPS2 * VANISH_S * VANISH_S)
    for v in range(len(camera)):
        j = camera[v]
        if not fresh[j]:
            continue
        mixed = (uint64(lane[v]) << uint64(32)) ^ uint64(distance_bits[v])
        mixed = (mixed ^ (mixed >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ uint64(speed_bits[v]) ^ (mixed >> uint64(27))) * uint64(0x94D049BB133111EB)
        prints[j] += mixed ^ (mixed >> uint64(31))
        in_view[j] = True
        speed = speed_mps[v]
        if speed >= MOVING_MPS and distance_m[v] > MOVING_M:
            moving[j] = True
        arm = lane_arm[lane[v]]
        travel_m = min(speed * span + gain_m, np.float32(OVER_LIMIT) * span * limit_mps[lane[v]])
        if distance_m[v] > travel_m:
            bound[j] += 1
            if arm >= 0:
                bound[count + arm] += 1
        if arm >= 0:
            in_view[count + arm] = True
            flow[j] += speed * per_m[arm]
        line = lane_line[lane[v]]
        if line >= 0 and distance_m[v] <= HEAD_M and speed < STANDING_MPS:
            head[line] = True


@compiled(
    void(
        float64, array_in(uint8), array_in(float32), array_in(int32), array_in(int32), boolean[::1]
    )
)  # fmt: skip
def _find_green(now_s: float, lamps: U8, since_s: F32, group: I32, line_start: I32, green: Bool) -> None:
    """Fill green: approach lanes on which nobody waits for a red, and somebody has the right of way. Who
    yields could go as well where all stand still."""
    for line in range(len(green)):
        right, held = False, False
        for k in range(line_start[line], line_start[line + 1]):
            lamp = lamps[group[k]]
            if (lamp == 71 or lamp == 103) and now_s - since_s[group[k]] > START_S:  # 'G', 'g'
                right |= lamp == 71
            else:
                held = True
        green[line] = right and not held


@compiled(
    void(
        array_in(boolean), array_in(float64), array_in(uint64), array_in(boolean), array_in(boolean),
        array_in(boolean), array_in(boolean), array_in(int32),
        float64[::1], float64[::1], uint64[::1], int32[::1], float64[::1], float64[::1], float64[::1],
    )
)  # fmt: skip
def _find_frozen(
    fresh: Bool, frame_s: F64, prints: NDArray[np.uint64], moving: Bool, in_view: Bool,
    head: Bool, green: Bool, line_junction: I32,
    last_s: F64, first_s: F64, last_print: NDArray[np.uint64], repeats: I32, idle_s: F64, frozen_s: F64,
    passed_s: F64,
) -> None:  # fmt: skip
    """Compare new frames with those before. From last_s on: state; by junction: the newest and the first
    frame, how often the newest was repeated, when it last looked frozen; by line: green that nobody used
    while the picture stood still. passed_s is filled: since the frame before, 0 where that proves nothing.
    """
    for j in range(len(fresh)):
        if not fresh[j]:
            continue
        passed_s[j] = frame_s[j] - last_s[j]
        if passed_s[j] > LOST_S:  # the first frame, or the first after a gap
            passed_s[j] = 0.0
            if first_s[j] == _NEVER:
                first_s[j] = frame_s[j]
        same = passed_s[j] > 0.0 and in_view[j] and prints[j] == last_print[j]
        repeats[j] = repeats[j] + 1 if same else 0
        last_print[j], last_s[j] = prints[j], frame_s[j]
        if repeats[j] >= FROZEN_REPEATS and moving[j]:
            frozen_s[j] = frame_s[j]
    for line in range(len(idle_s)):
        j = line_junction[line]
        if fresh[j]:
            if repeats[j] == 0:
                idle_s[line] = 0.0
            elif head[line] and green[line]:
                idle_s[line] += passed_s[j]
            if idle_s[line] >= IDLE_GREEN_S:
                frozen_s[j] = frame_s[j]


@compiled(
    void(
        array_in(boolean), array_in(float64), array_in(float64), array_in(int32), array_in(boolean),
        array_in(float64), array_in(uint8), array_in(float64), array_in(int32),
        float64[::1], int32[::1], float64[::1], boolean[::1], float64[::1], float64[::1], float64[::1],
    )
)  # fmt: skip
def _find_blind(
    fresh: Bool, frame_s: F64, passed_s: F64, bound: I32, in_view: Bool,
    flow: F64, reason: U8, first_s: F64, owner: I32,
    seen_s: F64, last_bound: I32, again_s: F64, blind: Bool, veh: F64, memory_s: F64, longest_s: F64,
) -> None:  # fmt: skip
    """Look for vehicles that should be there. From seen_s on: state; by scope: when somebody was in view
    last, how many of them were bound to stay, found blind, for how long seen again; by junction: n and T of
    its rate, its longest spell without vehicles.
    """
    count = len(fresh)
    for s in range(len(owner)):
        j = owner[s]
        if not fresh[j]:
            continue
        if passed_s[j] == 0.0:
            seen_s[s], last_bound[s] = frame_s[j], 0
        spell = frame_s[j] - seen_s[s]
        believed = reason[j] == 0
        if in_view[s]:
            if s < count and (believed or blind[s]):
                fold = spell if believed else min(spell, FOLD_S)
                kept = math.exp(-fold / RATE_MEMORY_S)
                memory_s[s] = memory_s[s] * kept + RATE_MEMORY_S * (1.0 - kept)
                veh[s] = veh[s] * kept + flow[s] * passed_s[j]
            if s < count and believed:
                longest_s[s] = max(longest_s[s] * math.exp(-spell / GAP_MEMORY_S), spell)
            seen_s[s], last_bound[s] = frame_s[j], bound[s]
            again_s[s] += passed_s[j]
            if again_s[s] >= SOUND_S:
                blind[s] = False
            continue
        if spell >= AWAY_S:
            again_s[s] = 0.0
        if not believed or blind[s]:
            continue
        odds = 0.0
        if spell >= VANISH_S and passed_s[j] * VANISH_FRAMES <= VANISH_S:
            odds = GONE_LOG_ODDS * last_bound[s] if last_bound[s] > 1 else 0.0
        if s >= count:  # once, and not when all arms are out of view
            odds *= in_view[j] and spell < VANISH_S + passed_s[j]
        elif frame_s[j] - first_s[j] >= LEARN_S and spell >= max(BLIND_LEAST_S, GAP_FACTOR * longest_s[s]):
            odds += veh[s] * math.log1p(spell / max(memory_s[s], 1.0))
        if odds >= BLIND_LOG_ODDS:
            blind[s], again_s[s] = True, 0.0


@compiled(
    void(
        array_in(boolean), array_in(float64), array_in(float64), array_in(boolean), array_in(int32),
        float64[::1], uint8[::1],
    )
)  # fmt: skip
def _decide(
    fresh: Bool, frame_s: F64, frozen_s: F64, blind: Bool, owner: I32, doubt_s: F64, reason: U8
) -> None:  # fmt: skip
    """Begin and end doubt: doubt_s (when it began) and reason, by junction."""
    count = len(fresh)
    ill = np.zeros(count, np.uint8)
    for s in range(len(owner)):
        if blind[s] and ill[owner[s]] == 0:
            ill[owner[s]] = 1 if s < count else 2
    for j in range(count):
        if not fresh[j]:
            continue
        if ill[j] == 0 and frame_s[j] - frozen_s[j] < SOUND_S:
            ill[j] = 3
        if reason[j] == 0 and ill[j] != 0:
            reason[j], doubt_s[j] = ill[j], frame_s[j]
        elif ill[j] == 0 and frame_s[j] - doubt_s[j] >= DOUBT_S:
            reason[j] = 0
