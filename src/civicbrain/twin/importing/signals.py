"""Derivation of a `SignalJunction` from a controller's paths and its program.

Groups are links of one kind and approach that the program always treats alike. Conflicts come from the
right-of-way matrices, stages and the local plan from the program, intergreens from the program where it
shows the transition and from RiLSA 2015 (science.intergreens) elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.network import RoadUse
from civicbrain.city.signals import (
    Conflict,
    GroupKind,
    PlanStep,
    SignalGroup,
    SignalJunction,
    SignalPlan,
    Stage,
)
from civicbrain.core.errors import SignalProgramError
from civicbrain.science import intergreens
from civicbrain.twin.importing.geometry import conflict_zone
from civicbrain.twin.importing.network import Controller, Path
from civicbrain.twin.importing.programs import Program

GREEN = "Gg"
_VEHICLE_WIDTH_M = 2.0
_DERIVED_STAGE_S = 15.0
"""Green of a stage that repair adds to the local plan, beside its transition."""
_CLEARING_S = 5.0
"""A phase up to this long that opens nothing new is part of a switch-over, not a stage."""


@dataclass(frozen=True, eq=False)
class _Draft:
    """A group on its way: paths are rows of Controller.paths, column its lamp in each phase."""

    kind: GroupKind
    approach: str
    links: tuple[int, ...]
    paths: tuple[int, ...]
    column: str


def derive_junction(
    controller: Controller,
    program: Program,
    *,
    names: Sequence[str] = (),
    xy_m: tuple[float, float] = (0.0, 0.0),
    repair: bool = False,
    demonstrated: bool = True,
) -> SignalJunction:
    """Everything a controller must know.

    names: streets that meet here. demonstrated: whether the program's own transitions count as intergreens
    (False for sources without yellow). Raises SignalProgramError where the program leaves an approach of
    general traffic without green and `repair` is False.
    """
    warnings: list[str] = list(program.warnings)
    drafts = _groups(controller, program)
    count = len(drafts)
    conflict, accepted = _conflicts(controller, drafts)
    if accepted:
        warnings.append(
            f"{accepted} pairs of movements meet on full green ('G') in the plan: accepted as planned"
        )
    unserved = _unserved_approaches(controller, drafts)
    if unserved and not repair:
        raise SignalProgramError(
            f"program {program.id!r} leaves approach {', '.join(unserved)} of junction {controller.id!r} "
            "without green",
            place=program.place,
            remedy="give it green in the program, or import with --repair to add a stage that serves it",
        )
    if unserved:
        warnings.append(f"the plan leaves approach {', '.join(unserved)} without green: a stage was added")
    lamps, durations_s, lead_s = _plan_stages(program, drafts)
    stages = [Stage(f"s{row + 1}", text) for row, text in enumerate(dict.fromkeys(lamps))]
    row_of = {stage.lamps: row for row, stage in enumerate(stages)}
    steps = [PlanStep(row_of[text], s) for text, s in zip(lamps, durations_s, strict=True)]
    for text in _derived_stages(drafts, conflict, [stage.lamps for stage in stages]):
        stages.append(Stage(f"d{len(stages) + 1}", text, derived=True))
        added = _approaches(controller, drafts, text)
        if (unserved and added & set(unserved)) or not steps:
            steps.append(PlanStep(len(stages) - 1, _DERIVED_STAGE_S))
    yellow = [_yellow_s(draft, program, controller) for draft in drafts]
    groups = tuple(
        SignalGroup(
            id=f"{'p' if draft.kind is GroupKind.PEDESTRIAN else 'g'}{row + 1}",
            kind=draft.kind,
            links=draft.links,
            yellow_s=yellow[row],
            min_green_s=_min_green_s(draft, program, _crossing_m(draft, controller)),
            crossing_m=_crossing_m(draft, controller),
            approach=draft.approach,
        )
        for row, draft in enumerate(drafts)
    )
    times, shown, computed = _intergreens(controller, program, drafts, conflict, yellow, demonstrated)
    return SignalJunction(
        id=controller.id,
        name=" / ".join(names) or controller.id,
        x_m=xy_m[0],
        y_m=xy_m[1],
        node_ids=controller.node_ids,
        link_count=max([program.link_count, *(path.link + 1 for path in controller.paths)]),
        groups=groups,
        conflict=tuple(tuple(int(value) for value in conflict[row]) for row in range(count)),
        intergreen_s=times,
        stages=tuple(stages),
        local_plan=SignalPlan(program.id, tuple(steps), program.offset_s - lead_s),
        intergreen_source=f"{shown} from the plan's transitions, {computed} by RiLSA 2015",
        warnings=tuple(warnings),
    )


def _kind(use: RoadUse) -> GroupKind:
    if use & (RoadUse.MOTOR | RoadUse.OTHER):
        return GroupKind.VEHICLE
    if use & (RoadUse.BUS | RoadUse.TRAM):
        return GroupKind.TRANSIT
    if use & RoadUse.BICYCLE:
        return GroupKind.BICYCLE
    return GroupKind.PEDESTRIAN if use & RoadUse.PEDESTRIAN else GroupKind.VEHICLE


def _groups(controller: Controller, program: Program) -> list[_Draft]:
    by_link: dict[int, list[int]] = {}
    for row, path in enumerate(controller.paths):
        by_link.setdefault(path.link, []).append(row)
    members: dict[tuple[GroupKind, str, str], list[int]] = {}
    for link, rows in sorted(by_link.items()):
        use = RoadUse.NONE
        for row in rows:
            use |= controller.paths[row].use
        crossing = any(controller.paths[row].is_crossing for row in rows)
        edges = (
            sorted({controller.paths[row].to_lane.rpartition("_")[0] for row in rows})
            if crossing
            else sorted({controller.paths[row].from_edge for row in rows})
        )
        key = (_kind(use), " ".join(edges), program.column(link))
        members.setdefault(key, []).append(link)
    return [
        _Draft(kind, approach, tuple(links), tuple(row for link in links for row in by_link[link]), column)
        for (kind, approach, column), links in members.items()
    ]


def _conflicts(controller: Controller, drafts: list[_Draft]) -> tuple[NDArray[np.int8], int]:
    """(g, g) Conflict values, and how many pairs of groups the plan shows on full green together."""
    owner = {row: index for index, draft in enumerate(drafts) for row in draft.paths}
    conflict = np.zeros((len(drafts), len(drafts)), dtype=np.int8)
    accepted = set()
    for a, b in sorted({(owner[x], owner[y]) for x, y in controller.foes if owner[x] != owner[y]}):
        together = {
            (x, y)
            for x, y in zip(drafts[a].column, drafts[b].column, strict=True)
            if x in GREEN and y in GREEN
        }
        if ("G", "G") in together:
            accepted.add((min(a, b), max(a, b)))
        elif together:
            conflict[a, b] = conflict[b, a] = Conflict.PERMITTED
        else:
            conflict[a, b] = conflict[b, a] = Conflict.PROHIBITED
    return conflict, len(accepted)


def _unserved_approaches(controller: Controller, drafts: list[_Draft]) -> list[str]:
    """Edges of general traffic of which no movement is ever green (nor turns right on red)."""
    served: dict[str, bool] = {}
    for draft in drafts:
        if draft.kind is GroupKind.VEHICLE:
            green = any(lamp in "Ggs" for lamp in draft.column)
            for row in draft.paths:
                edge = controller.paths[row].from_edge
                served[edge] = served.get(edge, False) or green
    return sorted(edge for edge, green in served.items() if not green)


def _approaches(controller: Controller, drafts: list[_Draft], lamps: str) -> set[str]:
    return {
        controller.paths[row].from_edge
        for draft, lamp in zip(drafts, lamps, strict=True)
        if lamp in GREEN
        for row in draft.paths
    }


def _plan_stages(program: Program, drafts: list[_Draft]) -> tuple[list[str], list[float], float]:
    """Lamps and duration of each plan step, and how long before the program's start the first one begins.

    A step lasts from the start of its switch-over to the start of the next one's. Phases with yellow, all
    red phases, and short phases that only keep what is green both before and after them, are transitions.
    """
    texts = ["".join(draft.column[i] for draft in drafts) for i in range(len(program.durations_s))]
    count = len(texts)
    candidates = [
        i for i, text in enumerate(texts) if not set(text) & set("yu") and any(lamp in GREEN for lamp in text)
    ]
    stage_phases = []
    for position, i in enumerate(candidates):
        before, after = texts[candidates[position - 1]], texts[candidates[(position + 1) % len(candidates)]]
        nothing_new = all(
            lamp not in GREEN or (x == y == "G") or (lamp == "g" and x in GREEN and y in GREEN)
            for lamp, x, y in zip(texts[i], before, after, strict=True)
        )
        clears = nothing_new and texts[i] not in (before, after) and program.durations_s[i] <= _CLEARING_S
        if not clears:
            stage_phases.append(i)
    if not stage_phases:
        return [], [], 0.0
    lamps: list[str] = []
    durations_s: list[float] = []
    for position, i in enumerate(stage_phases):
        previous = stage_phases[position - 1]
        between = (i - previous - 1) % count if len(stage_phases) > 1 else count - 1
        lead_s = sum(program.durations_s[(i - 1 - k) % count] for k in range(between))
        if lamps and lamps[-1] == texts[i] and between == 0:
            durations_s[-1] += program.durations_s[i]
            continue
        lamps.append(texts[i])
        durations_s.append(lead_s + program.durations_s[i])
    first = stage_phases[0]
    gap = (first - stage_phases[-1] - 1) % count if len(stage_phases) > 1 else count - 1
    lead_s = sum(program.durations_s[(first - 1 - k) % count] for k in range(gap))
    start_s = sum(program.durations_s[:first])
    return lamps, durations_s, lead_s - start_s


def _derived_stages(drafts: list[_Draft], conflict: NDArray[np.int8], existing: list[str]) -> list[str]:
    """Stages for the groups that are green in none: from a transition phase that shows them, else new."""
    stages: list[str] = []
    phases = range(len(drafts[0].column)) if drafts else range(0)
    for row, draft in enumerate(drafts):
        if any(text[row] in "Ggs" for text in existing + stages):
            continue
        shown = [i for i in phases if draft.column[i] in GREEN]
        if shown:
            text = "".join(other.column[shown[0]] for other in drafts)
            stages.append(text.replace("y", "r").replace("u", "r"))
            continue
        chosen = [row]
        for other in range(len(drafts)):
            if other != row and all(conflict[other, member] == Conflict.NONE for member in chosen):
                chosen.append(other)
        stages.append("".join("G" if other in chosen else "r" for other in range(len(drafts))))
    return stages


def _yellow_s(draft: _Draft, program: Program, controller: Controller) -> float:
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


def _crossing_m(draft: _Draft, controller: Controller) -> float:
    if draft.kind is not GroupKind.PEDESTRIAN:
        return 0.0
    return max(controller.paths[row].length_m for row in draft.paths)


def _min_green_s(draft: _Draft, program: Program, crossing_m: float) -> float:
    """The plan's smallest minDur, else RiLSA's minimum; never above the plan's shortest green."""
    runs = _green_runs(draft.column)
    if draft.kind is GroupKind.PEDESTRIAN:
        wanted_s = intergreens.pedestrian_min_green_s(crossing_m)
    else:
        wanted_s = intergreens.MIN_GREEN_S
    if not runs:
        return wanted_s
    shortest_s = min(sum(program.durations_s[i] for i in run) for run in runs)
    declared = [program.min_durations_s[i] for run in runs for i in run if not program.is_transition[i]]
    known = [seconds for seconds in declared if seconds is not None]
    if known:
        wanted_s = max(1.0, min(known))
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


def _demonstrated_s(a: str, b: str, program: Program, permitted: bool) -> float | None:
    """The shortest time (s) in the plan from the end of a to the next start of b, provided that no other
    stage is shown between; None where the plan shows no such transition.

    Of a permitted pair, a has ended towards b when it begins to yield, and b starts when it no longer does.
    """
    count = len(a)
    over = "g" if permitted else ""
    found: list[float] = []
    for i in range(count):
        ends = a[i] in GREEN and a[(i + 1) % count] not in GREEN
        yields = permitted and a[i] == "G" and a[(i + 1) % count] == "g"
        started = "G" if b[i] in over else GREEN
        if not (ends or yields) or b[i] in started:
            continue
        elapsed_s, k = 0.0, (i + 1) % count
        while b[k] not in started and program.is_transition[k] and elapsed_s < program.cycle_s:
            elapsed_s += program.durations_s[k]
            k = (k + 1) % count
        if b[k] in started:
            found.append(elapsed_s)
    return min(found) if found else None


def _intergreens(
    controller: Controller,
    program: Program,
    drafts: list[_Draft],
    conflict: NDArray[np.int8],
    yellow: list[float],
    demonstrated: bool,
) -> tuple[tuple[tuple[float, ...], ...], int, int]:
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
            plan_s = None
            if demonstrated:
                permitted = conflict[a, b] == Conflict.PERMITTED
                plan_s = _demonstrated_s(drafts[a].column, drafts[b].column, program, permitted)
            if plan_s is not None:
                shown += 1
            else:
                computed += 1
                waits = "g" in drafts[a].column
                plan_s = max(
                    _geometric_s(controller.paths[x], controller.paths[y], drafts[a].kind, waits)
                    for x, y in foes_between[a, b]
                )
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
