"""Signal programs as their files have them: which one SUMO would run, and its phases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

_LAMPS = str.maketrans({"o": "g", "O": "G", "Y": "y", "R": "r", "U": "u"})
"""Dark or blinking links are given way by priority rules: for us a green that yields ('o') or not ('O')."""

NOT_OURS = frozenset({"rail_signal", "rail_crossing", "off"})
"""Types of tlLogic that are no road junction's program."""


@dataclass(frozen=True, eq=False)
class Program:
    """One tlLogic. states: lamps a link, one a phase. place: where it stands, for messages."""

    tl: str
    id: str
    type: str
    offset_s: float
    states: tuple[str, ...]
    durations_s: tuple[float, ...]
    min_durations_s: tuple[float | None, ...]
    place: str
    warnings: tuple[str, ...] = field(default=())

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
    if kind == "NEMA":
        warnings.append("a NEMA program: its phases are taken one after the other as the local plan")
    return Program(
        tl, program_id, kind, offset_s,
        tuple(row[0] for row in rows), tuple(row[1] for row in rows), tuple(row[2] for row in rows),
        place, tuple(warnings),
    )  # fmt: skip


def network_programs(net: Any, net_name: str) -> dict[str, Program]:
    """The program of each traffic light that SUMO would run: the last one in the network."""
    result: dict[str, Program] = {}
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
                f"{net_name}, tlLogic {light.getID()!r}",
            )  # fmt: skip
    return result
