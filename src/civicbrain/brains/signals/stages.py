"""What each stage serves and what switching to it costs: the static part, made once from the city.

An *entry* is a stage and a stream (see `approach`) that it shows green. Entries stand grouped by stage,
stages by junction, so that a decision for the whole city is a handful of array operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civicbrain.brains.signals.approach import Streams
from civicbrain.city.model import City
from civicbrain.city.network import F64, I32, Bool
from civicbrain.city.signals import Conflict, GroupKind, SignalJunction
from civicbrain.science.queues import STARTUP_LOSS_S

GREEN = ("G", "g")


@dataclass(frozen=True, eq=False)
class StageTable:
    """j junctions, s stages in all, e entries. Every stage has an entry; one without vehicles has one that
    points at stream k, the bin of no account."""

    stage_of: I32  # (j + 1,) stages of junction i are rows stage_of[i]:stage_of[i + 1]
    junction: I32  # (s,)
    entry_of: I32  # (s,) first entry of each stage
    stream: I32  # (e,)
    stage: I32  # (e,) stage row
    entry_junction: I32  # (e,)
    permitted: Bool  # (e,) shown 'g': yields to what crosses it
    whole_lane: Bool  # (e,) all groups of that lane are green in this stage
    green_share: F64  # (e,) share of that lane's vehicles that are green in this stage
    start_s: (
        F64  # (c + 1, e) seconds until the stream flows when coming from local stage c - 1 (0: from none)
    )
    shortest_s: F64  # (c + 1, s) shortest sensible span of a stage: transition and minimum green
    opposing_entry: I32  # (o,) entry that yields …
    opposing_stream: I32  # (o,) … to this stream, green in the same stage
    opposing_lanes: F64  # (e,) number of those streams, at least 1
    group_start: I32  # (j + 1,) city-wide groups
    stage_greens: Bool  # (s, widest junction's groups) group (local row) green in the stage
    stage_full: Bool  # same shape: shown 'G'
    usable: Bool  # (s,) it may be asked for: no conflicting greens, and extra ones only where wanted
    extra: Bool  # (s,) not of the city's plan
    walking: Bool  # (s,) pedestrians have green
    after_walk: I32  # (s,) stage row that is the same for vehicles with all pedestrians at red, -1 for none
    order_bonus: Bool  # (c + 1, s) the next stage of the city's plan when coming from c - 1

    @property
    def count(self) -> int:
        return len(self.junction)


class Switches(NamedTuple):
    """All switches of one junction, from each of its stages (c - 1; 0: all red) to each (s), by group g."""

    old: NDArray[np.str_]  # (c, 1, g) lamps
    new: NDArray[np.str_]  # (s, g)
    before: Bool  # (c, 1, g) green
    after: Bool  # (s, g)
    wait_s: F64  # (c, s, g) intergreen until the group may start


def list_switches(junction: SignalJunction) -> Switches:
    """Whatever a switch between two stages asks of the groups."""
    groups = len(junction.groups)
    lamps = [list(stage.lamps) for stage in junction.stages]
    new = np.array(lamps, dtype="<U1").reshape(-1, groups)
    old = np.concatenate((np.full((1, groups), "r"), new))[:, None, :]
    before, after = np.isin(old, GREEN), np.isin(new, GREEN)
    # who keeps 'g' but gives up 'G' counts as ended towards those it then yields to
    ends = before & (~after | ((old == "G") & (new == "g")))
    gap_s = np.where(junction.conflict_array != Conflict.NONE, junction.intergreen_array_s, 0.0)
    wait_s = np.zeros(ends.shape)
    for group in range(groups):  # that ends
        np.maximum(wait_s, np.where(ends[:, :, group, None], gap_s[group], 0.0), out=wait_s)
    return Switches(old, new, before, after, wait_s)


def start_delays(switches: Switches) -> F64:
    """(c, s, g) seconds until each group of stage s is effectively green when stage c - 1 (0: none) is left
    now; 0 for a group that stays green, inf for one that is red in the stage."""
    starts = np.where(switches.before, 0.0, switches.wait_s + STARTUP_LOSS_S)
    return np.where(switches.after, starts, np.inf)


def build_stages(city: City, streams: Streams, *, extra: bool = False) -> StageTable:
    """Stages of all junctions of a city. extra: extra stages (see `Stage`) that free a shared lane may be
    asked for. The others have rows, so that a controller that shows one is understood, but count as serving
    nobody."""
    junctions = city.junctions
    counts = np.array([len(junction.stages) for junction in junctions], dtype=np.int32)
    stage_of = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    widest = int(counts.max(initial=0))
    groups_widest = max((len(junction.groups) for junction in junctions), default=0)
    total = int(stage_of[-1])
    group_start = city.signals.group_start
    greens = np.zeros((total, groups_widest), dtype=bool)
    full = np.zeros_like(greens)
    usable = np.ones(total, dtype=bool)
    walking = np.zeros(total, dtype=bool)
    after_walk = np.full(total, -1, dtype=np.int32)
    shortest = np.zeros((widest + 1, total))
    bonus = np.zeros((widest + 1, total), dtype=bool)
    rows: list[tuple[int, int, bool, bool, float]] = []
    entry_of = np.zeros(total, dtype=np.int32)
    starts: list[NDArray[np.float64]] = []
    opposing: list[tuple[int, int]] = []
    of_junction = np.searchsorted(streams.junction, np.arange(len(junctions) + 1))

    for j, junction in enumerate(junctions):
        span = slice(int(stage_of[j]), int(stage_of[j + 1]))
        walking[span], after_walk[span] = _walks(junction, int(stage_of[j]))
        own = np.arange(of_junction[j], of_junction[j + 1])
        local_group = streams.group[own] - group_start[j]
        wanted = _freeing_stages(junction, streams.lane[own], local_group) if extra else set()
        all_delays = start_delays(list_switches(junction))
        for s in range(len(junction.stages)):
            row = int(stage_of[j]) + s
            lamps = junction.stages[s].lamps
            offered = not junction.stages[s].extra or s in wanted
            greens[row, : len(lamps)] = [lamp in GREEN for lamp in lamps]
            full[row, : len(lamps)] = [lamp == "G" for lamp in lamps]
            usable[row] = offered and _is_safe(junction, greens[row, : len(lamps)], full[row, : len(lamps)])
            delays = all_delays[:, s]
            shortest[: len(delays), row] = _shortest(junction, delays)
            entry_of[row] = len(rows)
            green = [
                k
                for k, g in zip(own.tolist(), local_group.tolist(), strict=True)
                if offered and lamps[g] in GREEN
            ]
            lane_share: dict[int, float] = {}
            for k in green:
                lane = int(streams.lane[k])
                lane_share[lane] = lane_share.get(lane, 0.0) + float(streams.share[k])
            for k in green:
                group = int(streams.group[k] - group_start[j])
                share = lane_share[int(streams.lane[k])]
                if lamps[group] == "g":
                    rivals = junction.conflict_array[group] == Conflict.PERMITTED
                    opposing += [
                        (len(rows), other)
                        for other in green
                        if rivals[streams.group[other] - group_start[j]]
                        and lamps[streams.group[other] - group_start[j]] == "G"
                    ]
                rows.append((k, row, lamps[group] == "g", share > 0.999, share))
                starts.append(_padded(delays[:, group], widest + 1))
            if not green:
                rows.append((streams.count, row, False, True, 1.0))
                starts.append(np.zeros(widest + 1))
        for c, s in _plan_order(junction):
            bonus[c + 1, stage_of[j] + s] = True

    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    pairs = np.array(opposing, dtype=np.int32).reshape(-1, 2)
    stage = table[:, 1].astype(np.int32)
    stage_junction = np.repeat(np.arange(len(junctions)), counts).astype(np.int32)
    return StageTable(
        stage_of=stage_of,
        junction=stage_junction,
        entry_of=entry_of,
        stream=table[:, 0].astype(np.int32),
        stage=stage,
        entry_junction=stage_junction[stage] if total else stage,
        permitted=table[:, 2] > 0,
        whole_lane=table[:, 3] > 0,
        green_share=table[:, 4],
        start_s=np.stack(starts, axis=1) if starts else np.zeros((1, 0)),
        shortest_s=shortest,
        opposing_entry=pairs[:, 0],
        opposing_stream=pairs[:, 1],
        opposing_lanes=np.maximum(np.bincount(pairs[:, 0], minlength=len(rows)), 1).astype(np.float64),
        group_start=group_start,
        stage_greens=greens,
        stage_full=full,
        usable=usable,
        extra=np.array([stage.extra for junction in junctions for stage in junction.stages], dtype=np.bool_),
        walking=walking,
        after_walk=after_walk,
        order_bonus=bonus,
    )


def _freeing_stages(junction: SignalJunction, lane: I32, group: I32) -> set[int]:
    """Extra stages that show 'G' to all groups of a lane which no stage of the plan does: there alone a
    vehicle that must wait never stops those behind it. Other new combinations only add switching.
    lane, group: (k,)."""
    groups_of: dict[int, set[int]] = {}
    for one, its_group in zip(lane.tolist(), group.tolist(), strict=True):
        groups_of.setdefault(one, set()).add(its_group)
    shared = [groups for groups in groups_of.values() if len(groups) > 1]
    full = [{g for g, lamp in enumerate(stage.lamps) if lamp == "G"} for stage in junction.stages]
    plan = [lamps for lamps, stage in zip(full, junction.stages, strict=True) if not stage.extra]
    blocked = [groups for groups in shared if not any(groups <= lamps for lamps in plan)]
    return {
        s
        for s, stage in enumerate(junction.stages)
        if stage.extra and any(groups <= full[s] for groups in blocked)
    }


def never_full(table: StageTable) -> Bool:
    """(g,) city-wide groups that no usable stage shows 'G'."""
    result = np.ones(int(table.group_start[-1]), dtype=bool)
    for j in range(len(table.stage_of) - 1):
        first, last = int(table.group_start[j]), int(table.group_start[j + 1])
        span = slice(int(table.stage_of[j]), int(table.stage_of[j + 1]))
        own = table.stage_full[span, : last - first] & table.usable[span, None]
        result[first:last] = ~own.any(axis=0)
    return result


def _walks(junction: SignalJunction, first_row: int) -> tuple[list[bool], list[int]]:
    """For each stage: do pedestrians have green, and which stage (row) is the same without them."""
    kinds = [group.kind is GroupKind.PEDESTRIAN for group in junction.groups]
    rides, walks = [], []
    for stage in junction.stages:
        rides.append("".join(lamp for lamp, foot in zip(stage.lamps, kinds, strict=True) if not foot))
        walks.append(any(lamp in GREEN for lamp, foot in zip(stage.lamps, kinds, strict=True) if foot))
    after = [
        next(
            (first_row + r for r, other in enumerate(rides) if walks[s] and not walks[r] and other == ride),
            -1,
        )
        for s, ride in enumerate(rides)
    ]
    return walks, after


def _is_safe(junction: SignalJunction, green: Bool, full: Bool) -> bool:
    """A controller refuses what shows conflicting greens; asking for it would only waste the turn."""
    conflict = junction.conflict_array
    clash = conflict[np.ix_(green, green)] == Conflict.PROHIBITED
    both_full = conflict[np.ix_(full, full)] == Conflict.PERMITTED
    return not (clash.any() or both_full.any())


def _shortest(junction: SignalJunction, delays: F64) -> F64:
    """(c,) longest start delay of a group that starts, plus its minimum green. Pedestrians walk beside the
    vehicles and do not lengthen what those need."""
    minimum = np.array([group.min_green_s for group in junction.groups])
    rides = np.array([group.kind is not GroupKind.PEDESTRIAN for group in junction.groups], dtype=bool)
    starting = np.isfinite(delays) & (delays > 0) & rides
    shortest: F64 = np.where(starting, delays + minimum, 0.0).max(axis=1, initial=0.0)
    return shortest


def _padded(column: F64, size: int) -> F64:
    result = np.zeros(size)
    result[: len(column)] = column
    return result


def _plan_order(junction: SignalJunction) -> list[tuple[int, int]]:
    steps = [step.stage for step in junction.local_plan.steps]
    return [(stage, steps[(i + 1) % len(steps)]) for i, stage in enumerate(steps)]
