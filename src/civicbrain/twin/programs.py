"""SUMO's own signal control, made from the city's plan: actuated (gap-based) and delay-based.

Both keep the phases of the plan that SUMO really runs (additional files that override the network's
included); green phases last 5 s to 50 s, the others as in the plan. SUMO makes the detectors itself.
Source: SUMO user documentation, "Traffic Lights", types `actuated` and `delay_based`.
"""

from __future__ import annotations

import gzip
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libsumo

from civicbrain.city.signals import SignalJunction

MIN_GREEN_S = 5.0
MAX_GREEN_S = 50.0
SUMO_TYPES = {"actuated": "actuated", "delay-based": "delay_based"}
_SWITCHERS = ("WAUT", "wautJunction")


def read_active_programs() -> dict[str, Any]:
    """Traffic light id -> program (libsumo Logic) that the running simulation shows now."""
    programs = {}
    for tls_id in libsumo.trafficlight.getIDList():
        active = libsumo.trafficlight.getProgram(tls_id)
        for logic in libsumo.trafficlight.getAllProgramLogics(tls_id):
            if logic.programID == active:
                programs[tls_id] = logic
    return programs


def write_programs(
    programs: dict[str, Any], junctions: Iterable[SignalJunction], kind: str, file: Path
) -> None:
    """Write an additional file with the programs as `kind` ("actuated" or "delay-based").

    The phases that show a stage of the junction may stretch; neighbours that show the same lamps are one
    phase. The others (yellow, all red, a group that leads or lags) stay as the plan has them. Traffic
    lights with nothing to choose (fewer than two stages) keep their own program.
    """
    shown = {junction.id: _stage_states(junction) for junction in junctions}
    root = ElementTree.Element("additional")
    for tls_id, logic in programs.items():
        stages = shown.get(tls_id, frozenset())
        phases = logic.phases if any(phase.next for phase in logic.phases) else _merged(logic.phases)
        if sum(_is_stage(phase.state, stages) for phase in phases) < 2:
            continue
        program = ElementTree.SubElement(
            root, "tlLogic", id=tls_id, type=SUMO_TYPES[kind], programID=f"civicbrain-{kind}", offset="0"
        )
        for phase in phases:
            attributes = {"duration": _seconds(phase.duration), "state": phase.state}
            if _is_stage(phase.state, stages):
                attributes |= {"minDur": _seconds(MIN_GREEN_S), "maxDur": _seconds(MAX_GREEN_S)}
            if phase.next:
                attributes["next"] = " ".join(str(row) for row in phase.next)
            ElementTree.SubElement(program, "phase", attributes)
    ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


@dataclass(frozen=True, slots=True)
class _Phase:
    duration: float
    state: str
    next: tuple[int, ...] = ()


def _merged(phases: Iterable[Any]) -> list[_Phase]:
    result: list[_Phase] = []
    for phase in phases:
        if result and result[-1].state == phase.state:
            result[-1] = _Phase(result[-1].duration + phase.duration, phase.state)
        else:
            result.append(_Phase(phase.duration, phase.state))
    return result


def _stage_states(junction: SignalJunction) -> frozenset[str]:
    """Lamps a link ('G', 'g' or 'r') of each stage that the city's own plan has."""
    return frozenset(
        "".join(_green(stage.lamps[group]) if group >= 0 else "r" for group in junction.group_of_link)
        for stage in junction.stages
        if not stage.derived
    )


def _is_stage(state: str, stages: frozenset[str]) -> bool:
    return "".join(_green(lamp) for lamp in state) in stages


def _green(lamp: str) -> str:
    """What counts of a lamp: 'G', 'g', or 'r' for everything that is no green. 'O' and 'o' are SUMO's lamps
    of a light that is off, with and without right of way."""
    return {"G": "G", "O": "G", "g": "g", "o": "g"}.get(lamp, "r")


def without_switching(file: Path, folder: Path) -> Path:
    """The additional file without time-of-day switching (WAUT), which would take the signals away from
    whoever controls them; a copy in `folder` where there is any, else the file itself."""
    text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    if not re.search(rb"<\s*(WAUT|wautJunction)\b", text):
        return file
    root = ElementTree.fromstring(text)  # noqa: S314  (SUMO reads the same file next)
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag in _SWITCHERS]:
            parent.remove(child)
        for name, value in parent.attrib.items():
            # paths are relative to the file that names them
            if name in ("file", "href", "output") and (file.parent / value).exists():
                parent.set(name, str((file.parent / value).resolve()))
    copy = folder / f"{file.name.removesuffix('.gz')}.still.xml"
    ElementTree.ElementTree(root).write(copy, encoding="utf-8", xml_declaration=True)
    return copy


def _seconds(value: float) -> str:
    return f"{value:g}"
