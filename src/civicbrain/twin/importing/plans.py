"""A program for SUMO from stages and intergreens, where the city's own has none that could be run as it is
(CityFlow has no yellow; a repaired plan has a stage more)."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType

from civicbrain.city.signals import SignalJunction

_GREEN = "Gg"


def plan_phases(junction: SignalJunction) -> list[tuple[str, float]]:
    """(state a link, seconds) of the local plan, each step with its switch-over first.

    A switch-over that is longer than its step is shown whole, and the step's stage for 1 s, or as long as a
    group that starts in it needs for its minimum green. Who ended some steps before is waited for, too.
    """
    steps = junction.local_plan.steps
    phases: list[tuple[str, float]] = []
    now_s, ended_s = 0.0, dict[int, float]()  # group -> second in which it ended
    for _ in range(2):  # the first round is what the second finds behind it
        phases = []
        for number, step in enumerate(steps):
            before = junction.stages[steps[number - 1].stage].lamps
            target = junction.stages[step.stage].lamps
            transition = switch_over(junction, before, target, {a: now_s - s for a, s in ended_s.items()})
            for row, (old, new) in enumerate(zip(before, target, strict=True)):
                if new in _GREEN:
                    ended_s.pop(row, None)
                elif old in _GREEN:
                    ended_s[row] = now_s
            over_s = sum(seconds for _, seconds in transition)
            green_s = max(1.0, step.duration_s - over_s, _least_s(junction, before, target, transition))
            now_s += over_s + green_s
            for lamps, seconds in [*transition, (target, green_s)]:
                state = _links(junction, lamps)
                if phases and phases[-1][0] == state:
                    phases[-1] = (state, phases[-1][1] + seconds)
                else:
                    phases.append((state, seconds))
    return phases


def _least_s(
    junction: SignalJunction, before: str, target: str, transition: list[tuple[str, float]]
) -> float:
    """How long the stage must stand so that each group that started has its minimum green."""
    least_s = 0.0
    for row, group in enumerate(junction.groups):
        if target[row] in _GREEN and before[row] not in _GREEN:
            shown_s = sum(seconds for lamps, seconds in transition if lamps[row] in _GREEN)
            least_s = max(least_s, group.min_green_s - shown_s)
    return least_s


def switch_over(
    junction: SignalJunction, before: str, target: str, dark_s: Mapping[int, float] = MappingProxyType({})
) -> list[tuple[str, float]]:
    """(lamps a group, seconds) from one stage to another by yellow times and intergreens. dark_s: groups that
    ended before this switch, and how many seconds ago."""
    rows = range(len(junction.groups))
    ends = [row for row in rows if before[row] in _GREEN and target[row] not in _GREEN]
    yields = [row for row in rows if before[row] == "G" and target[row] == "g"]
    starts_s = {}
    for row in rows:
        gains = (target[row] in _GREEN and before[row] not in _GREEN) or (before[row], target[row]) == (
            "g",
            "G",
        )
        if gains:
            gaps_s = [junction.intergreen_s[end][row] for end in [*ends, *yields]]
            gaps_s += [junction.intergreen_s[end][row] - ago_s for end, ago_s in dark_s.items() if end != row]
            starts_s[row] = max([0.0, *gaps_s])
    off_s = {row: junction.groups[row].yellow_s for row in ends}
    moments = sorted({0.0, *starts_s.values(), *off_s.values()})
    result = []
    for moment_s, next_s in pairwise(moments):
        lamps = "".join(
            _lamp(before[row], target[row], moment_s, off_s.get(row), starts_s.get(row)) for row in rows
        )
        result.append((lamps, next_s - moment_s))
    return result


def _lamp(before: str, target: str, moment_s: float, off_s: float | None, start_s: float | None) -> str:
    if off_s is not None:
        return "y" if moment_s < off_s else target
    if start_s is not None and moment_s < start_s:
        return before
    return target


def _links(junction: SignalJunction, lamps: str) -> str:
    return "".join(lamps[group] if group >= 0 else "r" for group in junction.group_of_link)


def program_xml(junctions: list[SignalJunction], program_id: str) -> bytes:
    """An additional file with the local plans of some junctions as static programs."""
    root = ElementTree.Element("additional")
    for junction in junctions:
        logic = ElementTree.SubElement(
            root, "tlLogic", id=junction.id, type="static", programID=program_id,
            offset=f"{junction.local_plan.offset_s:g}",
        )  # fmt: skip
        for state, seconds in plan_phases(junction):
            ElementTree.SubElement(logic, "phase", duration=f"{seconds:g}", state=state)
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content
