"""Signal programs as their files have them: which one SUMO would run, and its phases."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from civicbrain.core.errors import SignalProgramError
from civicbrain.twin.importing.nema import RED_S, YELLOW_S, RingPhase, write_out
from civicbrain.twin.importing.sumo import iterate_xml, number_of

_LAMPS = str.maketrans({"o": "g", "O": "G", "Y": "y", "R": "r", "U": "u"})
"""Dark or blinking links are given way by priority rules: for us a green that yields ('o') or not ('O')."""

NOT_OURS = frozenset({"rail_signal", "rail_crossing", "off"})
"""Types of tlLogic that are no road junction's program."""


@dataclass(frozen=True, eq=False)
class Program:
    """One tlLogic. states: lamps a link, one a phase. place: where it stands, for messages. beside: lamps a
    link that the controller shows as well, in no fixed order."""

    tl: str
    id: str
    type: str
    offset_s: float
    states: tuple[str, ...]
    durations_s: tuple[float, ...]
    min_durations_s: tuple[float | None, ...]
    place: str
    warnings: tuple[str, ...] = field(default=())
    beside: tuple[str, ...] = field(default=())

    @cached_property
    def cycle_s(self) -> float:
        return sum(self.durations_s)

    @cached_property
    def link_count(self) -> int:
        return max((len(state) for state in self.states), default=0)

    @cached_property
    def is_transition(self) -> tuple[bool, ...]:
        """Of each phase: whether it is no stage (shows yellow or red-yellow, or no green at all)."""
        return tuple("y" in s or "u" in s or not ("G" in s or "g" in s) for s in self.states)

    def column(self, link: int) -> str:
        """The lamp of one link in each phase; red where the states are too short."""
        return "".join(state[link] if link < len(state) else "r" for state in self.states)


def make_program(
    tl: str,
    program_id: str,
    kind: str,
    offset_s: float,
    phases: Iterable[tuple[str, float, float | None]],
    place: str,
) -> Program:
    """A Program from (state, duration, minDur or None) triples, with lamps normalised."""
    warnings = []
    rows = [
        (state.translate(_LAMPS), duration, minimum) for state, duration, minimum in phases if duration > 0
    ]
    if len({len(state) for state, _, _ in rows}) > 1:
        warnings.append("phases of different length: missing lamps count as red")
    return Program(
        tl, program_id, kind, offset_s,
        tuple(row[0] for row in rows), tuple(row[1] for row in rows), tuple(row[2] for row in rows),
        place, tuple(warnings),
    )  # fmt: skip


def read_program(element: ElementTree.Element, source: Path | str, begin_s: float = 0.0) -> Program | None:
    """The program of a tlLogic element; None where it is no road junction's. begin_s: of the window.

    Raises SignalProgramError with the phase that is wrong.
    """
    kind, light = element.get("type", "static"), element.get("id", "")
    if kind in NOT_OURS:
        return None
    place = f"{source}, tlLogic {light!r} programID {element.get('programID', '')!r}"
    offset = element.get("offset", "0")
    offset_s = begin_s if offset == "begin" else number_of(offset) or 0.0
    phases = []
    rings = []
    for number, phase in enumerate(element.iter("phase"), start=1):
        duration_s = number_of(phase.get("duration", phase.get("minDur")))
        if duration_s is None or duration_s < 0 or not phase.get("state"):
            raise SignalProgramError(
                f"phase {number} has no valid state and duration", place=place, remedy="correct the phase"
            )
        least_s, most_s = number_of(phase.get("minDur")), number_of(phase.get("maxDur"))
        phases.append((phase.get("state", ""), duration_s, least_s))
        green_s = duration_s if most_s is None else min(duration_s, most_s)
        clears_s = [number_of(phase.get(name)) for name in ("yellow", "red")]
        rings.append(
            RingPhase(
                phase.get("name", ""), phase.get("state", "").translate(_LAMPS), green_s, least_s,
                *(usual if s is None else s for s, usual in zip(clears_s, (YELLOW_S, RED_S), strict=True)),
            )
        )  # fmt: skip
    program_id = element.get("programID", "")
    if kind != "NEMA":
        return make_program(light, program_id, kind, offset_s, phases, place)
    params = {param.get("key", ""): param.get("value", "") for param in element.iter("param")}
    cycle = write_out(rings, params, place)
    program = make_program(light, program_id, kind, offset_s, cycle.phases, place)
    note = "a NEMA program: the local plan has each phase for its longest green, both rings side by side"
    return replace(program, beside=cycle.beside, warnings=(*program.warnings, note))


def network_programs(net: Any, net_file: Path | None = None) -> dict[str, Program]:
    """The program of each traffic light that SUMO would run: the last one in the network. net_file: where it
    was read from; None for a network of our own."""
    result: dict[str, Program] = {}
    rings = set()
    name = "the generated network" if net_file is None else str(net_file)
    for light in net.getTrafficLights():
        for program_id, logic in light.getPrograms().items():
            if logic.getType() in NOT_OURS or not logic.getPhases():
                result.pop(light.getID(), None)
                continue
            phases = [
                (phase.state, float(phase.duration), float(phase.minDur) if phase.minDur >= 0 else None)
                for phase in logic.getPhases()
            ]
            result[light.getID()] = make_program(
                light.getID(), program_id, logic.getType(), float(logic.getOffset()), phases,
                f"{name}, tlLogic {light.getID()!r}",
            )  # fmt: skip
            if logic.getType() == "NEMA":
                rings.add((light.getID(), program_id))
    if net_file is not None and any((light, one.id) in rings for light, one in result.items()):
        # sumolib leaves out what only these have: names, yellow and red of their phases
        for event, element, depth in iterate_xml(net_file):
            key = (element.get("id", ""), element.get("programID", ""))
            wanted = event == "end" and depth == 1 and element.tag == "tlLogic" and key in rings
            if wanted and result[key[0]].id == key[1] and (program := read_program(element, net_file)):
                result[key[0]] = program
    return result
