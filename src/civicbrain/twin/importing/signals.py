"""Derivation of a `SignalJunction` from a controller's paths and its program.

Groups are links of one kind and approach that the program always treats alike. Conflicts come from the
right-of-way matrices, stages and the local plan from the program, intergreens from the program where it
shows the transition and from RiLSA 2015 (science.intergreens) elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

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
from civicbrain.twin.importing import times
from civicbrain.twin.importing.groups import GREEN, Draft, draft_groups
from civicbrain.twin.importing.network import Controller
from civicbrain.twin.importing.programs import Program
from civicbrain.twin.plan import unsafe_stages

_DERIVED_STAGE_S = 15.0
"""Green of a stage that repair adds to the local plan, beside its transition."""
_CLEARING_S = 5.0
"""A phase up to this long that opens nothing new is part of a switch-over, not a stage."""


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
    drafts = draft_groups(controller, program)
    count = len(drafts)
    conflict, accepted = _conflicts(controller, drafts, program.beside)
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
    yellow = [times.yellow_s(draft, program, controller) for draft in drafts]
    groups = tuple(
        SignalGroup(
            id=f"{'p' if draft.kind is GroupKind.PEDESTRIAN else 'g'}{row + 1}",
            kind=draft.kind,
            links=draft.links,
            yellow_s=yellow[row],
            min_green_s=times.min_green_s(draft, program, times.crossing_m(draft, controller)),
            crossing_m=times.crossing_m(draft, controller),
            approach=draft.approach,
        )
        for row, draft in enumerate(drafts)
    )
    intergreens, shown, computed = times.intergreen_table(
        controller, program, drafts, conflict, yellow, demonstrated
    )
    return SignalJunction(
        id=controller.id,
        name=" / ".join(names) or controller.id,
        x_m=xy_m[0],
        y_m=xy_m[1],
        node_ids=controller.node_ids,
        link_count=max([program.link_count, *(path.link + 1 for path in controller.paths)]),
        groups=groups,
        conflict=tuple(tuple(int(value) for value in conflict[row]) for row in range(count)),
        intergreen_s=intergreens,
        stages=tuple(stages),
        local_plan=SignalPlan(program.id, tuple(steps), program.offset_s - lead_s),
        intergreen_source=f"{shown} from the plan's transitions, {computed} by RiLSA 2015",
        warnings=tuple(warnings),
    )


def with_stages(junction: SignalJunction, states: Sequence[str]) -> SignalJunction:
    """The junction with the stages that a source has beside its plan, for every control to ask for.

    states: lamps, one a link. Stages that the junction has are not added again, nor are those that its
    conflicts forbid or that show links of one group differently.
    """
    if not states:
        return junction
    stages = list(junction.stages)
    for state in states:
        lamps = "".join(state[group.links[0]] for group in junction.groups)
        one = all(state[link] == state[group.links[0]] for group in junction.groups for link in group.links)
        if one and all(stage.lamps != lamps for stage in stages):
            stages.append(Stage(f"d{len(stages) + 1}", lamps, derived=True))
    result = msgspec.structs.replace(junction, stages=tuple(stages))
    unsafe = unsafe_stages(result)
    kept = [s for row, s in enumerate(stages) if row < len(junction.stages) or row not in unsafe]
    return msgspec.structs.replace(junction, stages=tuple(kept))


def _conflicts(
    controller: Controller, drafts: list[Draft], beside: Sequence[str]
) -> tuple[NDArray[np.int8], int]:
    """(g, g) Conflict values, and how many pairs of groups the program shows on full green together. beside:
    lamps a link that it shows beside its plan."""
    columns = [
        draft.column + "".join(state[draft.links[0] : draft.links[0] + 1] or "r" for state in beside)
        for draft in drafts
    ]
    owner = {row: index for index, draft in enumerate(drafts) for row in draft.paths}
    conflict = np.zeros((len(drafts), len(drafts)), dtype=np.int8)
    accepted = set()
    for a, b in sorted({(owner[x], owner[y]) for x, y in controller.foes if owner[x] != owner[y]}):
        together = {(x, y) for x, y in zip(columns[a], columns[b], strict=True) if x in GREEN and y in GREEN}
        if ("G", "G") in together:
            accepted.add((min(a, b), max(a, b)))
        elif together:
            conflict[a, b] = conflict[b, a] = Conflict.PERMITTED
        else:
            conflict[a, b] = conflict[b, a] = Conflict.PROHIBITED
    return conflict, len(accepted)


def _unserved_approaches(controller: Controller, drafts: list[Draft]) -> list[str]:
    """Edges of general traffic of which no movement is ever green (nor turns right on red)."""
    served: dict[str, bool] = {}
    for draft in drafts:
        if draft.kind is GroupKind.VEHICLE:
            green = any(lamp in "Ggs" for lamp in draft.column)
            for row in draft.paths:
                edge = controller.paths[row].from_edge
                served[edge] = served.get(edge, False) or green
    return sorted(edge for edge, green in served.items() if not green)


def _approaches(controller: Controller, drafts: list[Draft], lamps: str) -> set[str]:
    return {
        controller.paths[row].from_edge
        for draft, lamp in zip(drafts, lamps, strict=True)
        if lamp in GREEN
        for row in draft.paths
    }


def _plan_stages(program: Program, drafts: list[Draft]) -> tuple[list[str], list[float], float]:
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


def _derived_stages(drafts: list[Draft], conflict: NDArray[np.int8], existing: list[str]) -> list[str]:
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
