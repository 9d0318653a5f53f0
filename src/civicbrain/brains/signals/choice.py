"""Which stage each junction is asked for, once its stages are weighed: a compiled loop over the junctions.

In this order: who may be asked at all; the stage worth most, the shown one kept unless beaten by a margin;
who has waited nearly as long as allowed goes first; pedestrians clear the crossing early; what has just begun
is finished. See `max_pressure`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import boolean, float32, float64, int32, int64, types, uint8

from civicbrain.brains.signals.ages import CameraAges
from civicbrain.brains.signals.approach import SHORT_LINK_CARS, Streams
from civicbrain.brains.signals.demand import Demand
from civicbrain.brains.signals.stages import StageTable
from civicbrain.brains.signals.trust import CameraTrust
from civicbrain.brains.signals.waiting import Waiting
from civicbrain.city.model import City
from civicbrain.city.network import F32, F64, I32, U8, Bool
from civicbrain.city.signals import Capability, ControllerMode
from civicbrain.city.snapshot import Snapshot
from civicbrain.science.compiled import array_in, compiled
from civicbrain.science.queues import JAM_SPACING_M

OVERDUE_SHARE = 0.7
"""A stream is served first from this share of the maximum red on: the rest is for finishing what is shown
and for others just as overdue."""

GIVE_UP_S = 45.0
"""A stage that could not serve an overdue group in this time will not: its road is blocked, or its
controller does not follow. The group starts to wait anew."""

SHORT_LINK_RED_S = 15.0
"""Wait after which a full short link is let out: about one minimum green and one intergreen."""

WALK_S = 7.0
"""Green for pedestrians after which they may be stopped while vehicles go on: time to start walking (RiLSA
2015 and MUTCD 2009 4E.06: 7 s; the crossing itself is the controller's clearance time)."""

WALKING_BONUS = 1.001
"""Of stages alike for vehicles, the one with pedestrians."""

_LOCAL, _CENTRAL, _MANUAL = int(ControllerMode.LOCAL), int(ControllerMode.CENTRAL), int(ControllerMode.MANUAL)
_JAM_SPACING_M = np.float32(JAM_SPACING_M)


class Choice:
    """Chooses for all junctions of a city. Remembers which overdue group each one is serving.

    max_red_s, margin, min_stage_s, stale_s, order_bonus: see `MaxPressureOptions`.
    """

    def __init__(
        self, city: City, streams: Streams, stages: StageTable, waiting: Waiting, *,
        max_red_s: float, margin: float, min_stage_s: float, stale_s: float, order_bonus: float,
    ) -> None:  # fmt: skip
        junctions, lanes = len(city.junctions), city.network.lanes
        accepts = np.array([j.capability is Capability.STAGE for j in city.junctions], dtype=np.bool_)
        self._stale_s = stale_s
        self._trust = CameraTrust(city, streams)
        self._accepts = accepts
        self._ages = CameraAges(city)
        length = lanes.length_m[streams.lane]
        behind = np.zeros(len(lanes.ids), dtype=bool)  # lanes that a signal lets traffic into
        moves = city.network.movements
        behind[moves.to_lane[moves.junction >= 0]] = True
        short = behind[streams.lane] & (length < SHORT_LINK_CARS * JAM_SPACING_M)
        limit_s = OVERDUE_SHARE * max_red_s
        self._options = (limit_s, max(limit_s / SHORT_LINK_RED_S, 1.0), margin, min_stage_s, order_bonus)
        self._table: tuple[Any, ...] = (
            streams.lane, streams.group, length, short, stages.stage_of, stages.group_start,
            stages.stage_greens, stages.stage_full, stages.usable, stages.walking, stages.after_walk,
            np.ascontiguousarray(stages.order_bonus),
        )  # fmt: skip
        self._clocks = (waiting.stream_s, waiting.group_s)
        self._forced = np.full(junctions, -1, dtype=np.int32)  # group being served as overdue
        self._forced_since_s = np.zeros(junctions)
        self._stage_of = stages.stage_of

    def look(self, snapshot: Snapshot, *, held_too: bool = False) -> tuple[Bool, I32]:
        """(ready, current), each (j,): who follows the centre and has a camera that is alive and to be
        believed; the stage row shown there, -1 for none. held_too: also whom an operator holds
        (`held_by_hand`), who is not to be asked but to be told of."""
        count = len(self._forced)
        ready, current = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.int32)
        signals = snapshot.signals
        mode = (
            np.where(held_by_hand(snapshot), np.uint8(_CENTRAL), signals.mode) if held_too else signals.mode
        )
        _look(
            mode, signals.stage, self._accepts, self._stage_of,
            self._trust.update(snapshot) & (self._ages.of(snapshot) <= self._stale_s), ready, current,
        )  # fmt: skip
        return ready, current

    def choose(
        self, snapshot: Snapshot, demand: Demand, worth: F64, ready: Bool, current: I32
    ) -> tuple[I32, I32]:
        """(chosen, overdue), each (j,): stage row to ask for, and city-wide group served first; -1 none."""
        chosen, overdue = np.empty(len(ready), dtype=np.int32), np.empty(len(ready), dtype=np.int32)
        signals = snapshot.signals
        _choose(  # type: ignore[call-arg]
            snapshot.time_s, worth, ready, current, signals.stage, signals.target, signals.stage_since_s,
            snapshot.lanes.queued, demand.run_veh, *self._options, *self._table,
            *self._clocks, self._forced, self._forced_since_s, chosen, overdue,
        )  # fmt: skip
        return chosen, overdue


def held_by_hand(snapshot: Snapshot) -> Bool:
    """(j,) whom an operator holds."""
    held: Bool = snapshot.signals.mode == _MANUAL
    return held


_I32_IN, _F32_IN, _F64_IN = array_in(int32), array_in(float32), array_in(float64)
_BOOL_IN, _BOOL_2D_IN = array_in(boolean), array_in(boolean, 2)


@compiled(
    types.void(
        array_in(uint8), _I32_IN, _BOOL_IN, _I32_IN, _BOOL_IN, boolean[::1], int32[::1],
    )
)  # fmt: skip
def _look(
    mode: U8, stage: I32, accepts: Bool, stage_of: I32, believed: Bool, ready: Bool, current: I32,
) -> None:  # fmt: skip
    """Fill ready and current."""
    for j in range(len(ready)):
        follows = mode[j] == _LOCAL or mode[j] == _CENTRAL
        ready[j] = believed[j] and follows and accepts[j]
        known = 0 <= stage[j] < stage_of[j + 1] - stage_of[j]
        current[j] = stage_of[j] + stage[j] if ready[j] and known else -1


@compiled(types.void(int64, _I32_IN, float64[::1], float64[::1]))
def _forgive(late: int, group: I32, stream_s: F64, group_s: F64) -> None:
    """Set back the clocks of one city-wide group: see `Waiting.forgive`."""
    for k in range(len(group)):
        if group[k] == late:
            stream_s[k] = 0.0
    group_s[late] = 0.0


@compiled(
    types.void(
        float64, _F64_IN, _BOOL_IN, _I32_IN, _I32_IN, _I32_IN, _F32_IN, _F32_IN, _F64_IN,
        float64, float64, float64, float64, float64,
        _I32_IN, _I32_IN, _F32_IN, _BOOL_IN, _I32_IN, _I32_IN, _BOOL_2D_IN,
        _BOOL_2D_IN, _BOOL_IN, _BOOL_IN, _I32_IN, _BOOL_2D_IN,
        float64[::1], float64[::1], int32[::1], float64[::1], int32[::1], int32[::1],
    )
)  # fmt: skip
def _choose(
    now_s: float, worth: F64, ready: Bool, current: I32, stage: I32, target: I32, since_s: F32,
    queued_veh: F32, run_veh: F64, limit_s: float, short_factor: float, margin: float, min_stage_s: float,
    order_bonus: float,
    lane: I32, group: I32, length_m: F32, short: Bool, stage_of: I32, group_start: I32, stage_greens: Bool,
    stage_full: Bool, usable: Bool, walking: Bool, after_walk: I32, in_order: Bool,
    stream_s: F64, group_s: F64, forced: I32, forced_since_s: F64, chosen: I32, overdue: I32,
) -> None:  # fmt: skip
    """Fill chosen and overdue. stream_s, group_s: the clocks of `Waiting`; forced: local group, -1 none."""
    now = np.float32(now_s)
    clock = group_s.copy()  # how long each group has waited
    for k in range(len(group)):
        wait = stream_s[k]
        # on a full short link the wait counts for more
        if short[k] and length_m[k] - queued_veh[lane[k]] * _JAM_SPACING_M < _JAM_SPACING_M:
            wait *= short_factor
        if run_veh[k] >= 1.0 and wait > clock[group[k]]:  # green is of no use to who cannot leave
            clock[group[k]] = wait

    for j in range(len(chosen)):
        first, last, shown = stage_of[j], stage_of[j + 1], current[j]
        came_from = shown - first + 1 if shown >= 0 else 0
        best, most = -1, -np.inf
        for s in range(first, last):
            value = worth[s]
            if in_order[came_from, s]:
                value *= order_bonus
            if walking[s]:
                value *= WALKING_BONUS
            if s == shown:
                value = worth[s] * margin + 1e-9
            if not usable[s]:
                value = -2.0
            if value > most:
                best, most = s, value

        # a stream or an unseen group that has waited too long
        overdue[j] = -1
        start, end = group_start[j], group_start[j + 1]
        late = forced[j]
        if late >= 0 and (clock[start + late] == 0.0 or not 0.0 <= now_s - forced_since_s[j] <= GIVE_UP_S):
            _forgive(start + late, group, stream_s, group_s)
            clock[start + late] = 0.0
            late = -1
        if late < 0:
            oldest = 0.0
            for g in range(start, end):
                if clock[g] >= limit_s and clock[g] > oldest:
                    late, oldest = g - start, clock[g]
            if late >= 0:
                forced_since_s[j] = now_s
        if late >= 0:
            by_right, able = -1, -1  # the best stage that gives it 'G', and any green
            shown_by_right = shown_able = False
            for s in range(first, last):
                if not usable[s]:
                    continue
                if stage_full[s, late]:
                    shown_by_right |= s == shown
                    if by_right < 0 or worth[s] > worth[by_right]:
                        by_right = s
                if stage_greens[s, late]:
                    shown_able |= s == shown
                    if able < 0 or worth[s] > worth[able]:
                        able = s
            if by_right >= 0:
                able, shown_able = by_right, shown_by_right
            if able >= 0:
                overdue[j] = start + late
                best = shown if shown_able else able
            else:
                _forgive(start + late, group, stream_s, group_s)
                late = -1
        forced[j] = late

        # pedestrians who have started to walk clear the crossing while the vehicles beside them still go:
        # a later change then does not wait for them
        shown_for_s = now - since_s[j]
        walked = shown >= 0 and shown_for_s >= WALK_S and after_walk[shown] >= 0
        if walked and best == shown and overdue[j] < 0:
            best = after_walk[shown]
        # a stage just shown is given its minimum; a transition under way is completed
        if shown >= 0 and shown_for_s < min_stage_s:
            best = shown
        if target[j] != stage[j] and 0 <= target[j] < last - first:
            best = first + target[j]
        chosen[j] = best if ready[j] else -1
