"""Yellow, minimum green and intergreens of groups: from the plan where it shows them, else RiLSA 2015."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.signals import Conflict, GroupKind
from civicbrain.science import intergreens
from civicbrain.twin.importing.geometry import conflict_zone
from civicbrain.twin.importing.groups import GREEN, Draft
from civicbrain.twin.importing.network import Controller, Path
from civicbrain.twin.importing.programs import Program

_VEHICLE_WIDTH_M = 2.0


def yellow_s(draft: Draft, program: Program, controller: Controller) -> float:
    """The longest yellow the plan shows after green; else by kind and speed limit."""
    column, count = draft.column, len(draft.column)
    shown = 0.0
    for i in range(count):
        if column[i] in GREEN and column[(i + 1) % count] == "y":
            total, k = 0.0, (i + 1) % count
            while column[k] == "y" and total < program.cycle_s:
                total += program.durations_s[k]
                k = (k + 1) % count
            shown = max(shown, total)
    if shown or draft.kind is GroupKind.PEDESTRIAN:
        return shown
    return intergreens.yellow_s(max(controller.paths[row].speed_mps for row in draft.paths))


def crossing_m(draft: Draft, controller: Controller) -> float:
    if draft.kind is not GroupKind.PEDESTRIAN:
        return 0.0
    return max(controller.paths[row].length_m for row in draft.paths)


def min_green_s(draft: Draft, program: Program, crossing_m: float) -> float:
    """Minimum green (s): the smallest minDur of a phase whose length varies, at most
    intergreens.LONGEST_MIN_GREEN_S; else RiLSA's. Never above the plan's shortest green of the group.

    A phase with minDur = maxDur is fixed time and says nothing about a minimum.
    """
    runs = _green_runs(draft.column)
    if draft.kind is GroupKind.PEDESTRIAN:
        wanted_s = intergreens.pedestrian_min_green_s(crossing_m)
    else:
        wanted_s = intergreens.MIN_GREEN_S
    if not runs:
        return wanted_s
    shortest_s = min(sum(program.durations_s[i] for i in run) for run in runs)
    declared_s = [
        least_s
        for run in runs
        for i in run
        if not program.is_transition[i] and (least_s := program.min_durations_s[i]) is not None
    ]
    if declared_s:
        wanted_s = min(max(min(declared_s), intergreens.MIN_GREEN_S), intergreens.LONGEST_MIN_GREEN_S)
    return min(wanted_s, shortest_s)


def _green_runs(column: str) -> list[list[int]]:
    """Phases of each uninterrupted green of a cyclic column; [] where it is never or always green."""
    count = len(column)
    starts = [i for i in range(count) if column[i] in GREEN and column[i - 1] not in GREEN]
    runs = []
    for start in starts:
        run, k = [], start
        while column[k % count] in GREEN:
            run.append(k % count)
            k += 1
        runs.append(run)
    return runs


def _demonstrated_s(a: str, b: str, program: Program, permitted: bool, next_only: bool) -> float | None:
    """The shortest time (s) in the plan from the end of a to the next start of b; None where it shows none.

    Of a permitted pair, a has ended towards b when it begins to yield, and b starts when it no longer does.
    next_only: only where no other stage is shown between the two.
    """
    count = len(a)
    over = "g" if permitted else ""
    found: list[float] = []
    for i in range(count):
        ends = a[i] in GREEN and a[(i + 1) % count] not in GREEN
        yields = permitted and a[i] == "G" and a[(i + 1) % count] == "g"
        started = "G" if b[i] in over and b[(i + 1) % count] in GREEN else GREEN
        goes_on = b[i] in started and b[(i + 1) % count] in started
        if not (ends or yields) or goes_on:
            continue
        elapsed_s, k = 0.0, (i + 1) % count
        while (
            b[k] not in started
            and a[k] not in ("G" if yields else GREEN)
            and (program.is_transition[k] or not next_only)
            and elapsed_s < program.cycle_s
        ):
            elapsed_s += program.durations_s[k]
            k = (k + 1) % count
        if b[k] in started:
            found.append(elapsed_s)
    return min(found) if found else None


def intergreen_table(
    controller: Controller,
    program: Program,
    drafts: list[Draft],
    conflict: NDArray[np.int8],
    yellow: list[float],
    demonstrated: bool,
) -> tuple[tuple[tuple[float, ...], ...], int, int]:
    """(g, g) intergreens (s) [ending][starting], how many the plan shows, and how many are computed.

    What the plan shows of a transition is taken, longer or shorter. RiLSA 2015 (science.intergreens) supplies
    the others, but no more than the plan leaves between the two anywhere in its cycle. Never below yellow.
    """
    shown = computed = 0
    foes_between: dict[tuple[int, int], list[tuple[int, int]]] = {}
    owner = {row: index for index, draft in enumerate(drafts) for row in draft.paths}
    for x, y in sorted(controller.foes):
        foes_between.setdefault((owner[x], owner[y]), []).append((x, y))
    table = []
    for a in range(len(drafts)):
        row = []
        for b in range(len(drafts)):
            if conflict[a, b] == Conflict.NONE:
                row.append(0.0)
                continue
            plan_s = bound_s = None
            if demonstrated:
                permitted = bool(conflict[a, b] == Conflict.PERMITTED)
                columns = drafts[a].column, drafts[b].column
                plan_s = _demonstrated_s(*columns, program, permitted, next_only=True)
                bound_s = _demonstrated_s(*columns, program, permitted, next_only=False)
            if plan_s is not None:
                shown += 1
            else:
                computed += 1
                waits = "g" in drafts[a].column
                plan_s = max(
                    _geometric_s(controller.paths[x], controller.paths[y], drafts[a].kind, waits)
                    for x, y in foes_between[a, b]
                )
                # with stages in between the plan may leave less: its engineers found less to be enough
                plan_s = plan_s if bound_s is None else min(plan_s, bound_s)
            row.append(max(float(plan_s), yellow[a]))
        table.append(tuple(row))
    return tuple(table), shown, computed


def _geometric_s(a: Path, b: Path, kind: GroupKind, waits_inside: bool) -> float:
    """RiLSA intergreen (s, rounded up) from path a (clearing) to path b (entering)."""
    if kind is GroupKind.PEDESTRIAN:
        return float(math.ceil(intergreens.intergreen_s(intergreens.PEDESTRIAN, a.length_m, 0.0) - 1e-6))
    a_width_m = _VEHICLE_WIDTH_M
    b_width_m = b.width_m if b.is_crossing else _VEHICLE_WIDTH_M
    clearing_m, entering_m = conflict_zone(a.shape_xy, b.shape_xy, a_width_m, b_width_m)
    if b.is_crossing:
        entering_m = 0.0
    clearing = _clearing(a, kind)
    result_s = intergreens.intergreen_s(clearing, clearing_m, entering_m)
    if waits_inside and a.turn in "lt":
        result_s = max(result_s, intergreens.box_clearing_s(clearing_m))
    return float(math.ceil(result_s - 1e-6))


def _clearing(path: Path, kind: GroupKind) -> intergreens.Clearing:
    if kind is GroupKind.BICYCLE:
        return intergreens.BICYCLE
    if kind is GroupKind.TRANSIT:
        return intergreens.TRANSIT
    if path.turn == "s":
        return intergreens.STRAIGHT
    # a quarter circle of length l has the radius 2 l / pi
    quarter = 2.0 if path.turn == "t" else 1.0
    radius_m = 2.0 * path.length_m / math.pi / quarter
    return intergreens.TIGHT_TURN if radius_m < 10.0 else intergreens.TURNING
