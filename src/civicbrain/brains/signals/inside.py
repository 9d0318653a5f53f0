"""Who waits inside a junction is let out before anybody who crosses their way gets green.

A driver who turns across oncoming traffic on 'g' enters the junction and waits there for a gap. At most
controllers the intergreen covers their way out, and nothing is changed there (`clears_the_box`). Where it
does not (3 s of yellow and no all-red, as under the rules of `benchmarks/resco`), a stage for the cross
street finds them in the box, its own turners stop behind them, and each waits for the other for good. So
while more stand there than leave in yellow, a stage that starts what conflicts with their group gives way to
one that shows them 'G'.

Who comes from a short link between two signals (SHORT_LINK_CARS) stops those behind across the junction
upstream: of them already the first is let out, and the stage shown is left for that.

Known only from cameras that see the box: rows of `Detections` past the stop line (INSIDE_M). Who moves on is
no reason to wait, nor who is shown 'G' already. Where no stage lets anybody out the choice stays as it was.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from civicbrain.brains.signals.approach import SHORT_LINK_CARS, Streams
from civicbrain.brains.signals.demand import HEAD_SPEED_MPS
from civicbrain.brains.signals.stages import GREEN, StageTable
from civicbrain.city.model import City
from civicbrain.city.network import F64, I32, Bool
from civicbrain.city.observations import INSIDE_M
from civicbrain.city.signals import Conflict, GroupKind, SignalJunction
from civicbrain.city.snapshot import Snapshot
from civicbrain.science.queues import JAM_SPACING_M

SNEAKERS = 1
"""So many of one group leave in 3 s of yellow, once oncoming traffic stops. HCM 2016, ch. 31 has 2.0 a cycle,
with an all-red; the second on a shared lane may have the whole way through before it."""

LEAST_SHOWN_S = 7.0
"""A stage that lets nobody out is left for one that does after its least green."""

_G = ord("G")


def before_the_line(snapshot: Snapshot) -> tuple[Snapshot, I32]:
    """The snapshot without vehicles inside junctions, and the lane (row) that each of them that stands came
    from. The same object where there is none."""
    seen = snapshot.detections
    inside = seen.distance_m < -INSIDE_M
    if not inside.any():
        return snapshot, np.zeros(0, np.int32)
    standing = seen.lane[inside & (seen.speed_mps < HEAD_SPEED_MPS)]
    return replace(snapshot, detections=seen.only(~inside)), standing


def short_links(city: City) -> Bool:
    """(n,) lanes between two signals that hold fewer than SHORT_LINK_CARS."""
    lanes, moves = city.network.lanes, city.network.movements
    fed, led = np.zeros(len(lanes.ids), dtype=np.bool_), np.zeros(len(lanes.ids), dtype=np.bool_)
    fed[moves.to_lane[moves.junction >= 0]] = True
    led[moves.from_lane[moves.junction >= 0]] = True
    short: Bool = fed & led & (lanes.length_m < SHORT_LINK_CARS * JAM_SPACING_M)
    return short


def clears_the_box(junction: SignalJunction) -> bool:
    """Whether its intergreens are more than yellow somewhere: they were worked out pair by pair then, with
    the way out of the box (RiLSA 2015, or the city's own plan), and a pair that needs no more has no more."""
    apart = junction.conflict_array != Conflict.NONE
    yellow_s = np.array([[group.yellow_s] for group in junction.groups])
    walks = np.array([group.kind is GroupKind.PEDESTRIAN for group in junction.groups])
    return bool((apart & ~walks[:, None] & (junction.intergreen_array_s > yellow_s)).any())


class LettingOut:
    """Changes choices that would cross who waits inside, where the intergreen does not let them out."""

    def __init__(self, city: City, streams: Streams, table: StageTable) -> None:
        self._junctions, self._table, self._streams = city.junctions, table, streams
        self._start: I32 = city.signals.group_start
        order = np.argsort(streams.lane, kind="stable")
        self._order, self._lane = order, streams.lane[order]
        yielding = np.zeros(streams.count, dtype=np.bool_)  # shown 'g' by some stage
        known = table.stream < streams.count
        yielding[table.stream[known & table.permitted]] = True
        self._yielding = yielding
        self._short = short_links(city)
        self._clears = [clears_the_box(junction) for junction in city.junctions]

    def revise(
        self, standing: I32, snapshot: Snapshot, worth: F64, current: I32, chosen: I32, overdue: I32
    ) -> frozenset[int]:
        """Put another stage in `chosen` (j,) where needed, and -1 in `overdue` (j,) there; the rows of these
        junctions. standing: as `before_the_line` says. worth: (s,) of each stage, the best of equals is
        taken. current: (j,)."""
        revised = set()
        lamps, signals = snapshot.signals.lamps, snapshot.signals
        waiting: dict[int, dict[int, int]] = {}  # junction -> its groups (local) -> vehicles
        pressing: set[tuple[int, int]] = set()  # of these, with vehicles from short links
        for lane in standing.tolist():
            low, high = np.searchsorted(self._lane, (lane, lane + 1))
            for k in self._order[low:high].tolist():
                j, group = int(self._streams.junction[k]), int(self._streams.group[k])
                if self._yielding[k] and lamps[group] != _G and not self._clears[j]:
                    groups = waiting.setdefault(j, {})
                    local = group - int(self._start[j])
                    groups[local] = groups.get(local, 0) + 1
                    if self._short[lane]:
                        pressing.add((j, local))
        for j, all_groups in waiting.items():
            at_once = any((j, group) in pressing for group in all_groups)
            groups = {
                group: count
                for group, count in all_groups.items()
                if count > SNEAKERS or (j, group) in pressing
            }
            first = int(self._table.stage_of[j])
            new, old = int(chosen[j]) - first, int(current[j]) - first
            steady = signals.target[j] < 0 or signals.target[j] == signals.stage[j]
            if chosen[j] < 0 or current[j] < 0 or not groups or not steady:
                continue
            if new == old and not (at_once and snapshot.time_s - signals.stage_since_s[j] >= LEAST_SHOWN_S):
                continue
            shown = bytes(lamps[self._start[j] : self._start[j + 1]]).decode()
            if new != old and not _crosses(self._junctions[j], new, shown, groups):
                continue
            best, most = -1, (0, 0.0)
            for s, stage in enumerate(self._junctions[j].stages):
                if s == old or not self._table.usable[first + s]:
                    continue
                out = sum(count for group, count in groups.items() if stage.lamps[group] == "G")
                score = (out, float(worth[first + s]))
                if out and score > most and not _crosses(self._junctions[j], s, shown, groups):
                    best, most = s, score
            if best >= 0:
                chosen[j], overdue[j] = first + best, -1
                revised.add(j)
        return frozenset(revised)


def _crosses(junction: SignalJunction, stage: int, shown: str, groups: dict[int, int]) -> bool:
    """Would the stage start anything that crosses these groups and leave them without 'G'?"""
    lamps = junction.stages[stage].lamps
    starts = [
        (new == "G" and old != "G") or (new == "g" and old not in GREEN)
        for old, new in zip(shown, lamps, strict=True)
    ]
    conflict = junction.conflict
    return any(
        lamps[group] != "G"
        and any(start and conflict[group][other] != Conflict.NONE for other, start in enumerate(starts))
        for group in groups
    )
