"""Route and additional files of a SUMO scenario, carried into the city so that a run writes nothing.

What only writes or only decorates is left out (shapes, edge and lane statistics, detectors that no program
reads); what is left writes to nowhere. Programs are kept where SUMO would run them: the one that was
loaded last, or the one that a WAUT shows at the begin.
"""

from __future__ import annotations

import gzip
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from civicbrain.core.errors import ImportFailedError
from civicbrain.twin.importing.programs import Program, read_program
from civicbrain.twin.importing.sumo import iterate_xml, number_of

_DECORATION = frozenset({"poly", "polygon", "poi", "location"})
_STATISTICS = frozenset(
    {"edgeData", "laneData", "edgedata", "lanedata", "vTypeProbe", "timedEvent", "routeProbe3D"}
)
_DETECTORS = frozenset(
    {
        "inductionLoop", "e1Detector", "instantInductionLoop", "e1I", "laneAreaDetector", "e2Detector",
        "e2detector", "entryExitDetector", "e3Detector", "e3detector", "routeProbe",
    }
)  # fmt: skip
_WAUT = frozenset({"WAUT", "wautJunction"})
_DEMAND = frozenset({"vehicle", "trip", "flow", "person", "personFlow", "container", "containerFlow"})
NOWHERE = "NUL"
"""The file name that SUMO takes for no file, on any system."""


@dataclass
class Carried:
    """What was found on the way. programs: by traffic light, the one SUMO runs, or None where it is off."""

    programs: dict[str, Program | None] = field(default_factory=dict)
    last_depart_s: float | None = None
    demand_count: int = 0
    warnings: list[str] = field(default_factory=list)


def carry(
    sources: Iterable[Path],
    targets: Iterable[Path],
    begin_s: float,
    known: set[tuple[str, str]],
    *,
    root: str = "additional",
) -> Carried:
    """Write each source, cleaned, to its target (.gz) and return what they hold.

    known: (traffic light, program id) loaded so far; those found are added. root: tag of the files'
    root. Raises ImportFailedError with file and line.
    """
    pairs = list(zip(sources, targets, strict=True))
    carried = Carried()
    referenced, waut = _survey([source for source, _ in pairs], begin_s)
    for source, target in pairs:
        with gzip.open(target, "wb", 6) as stream:
            stream.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>\n'.encode())
            for element in _elements(source, ()):
                if _clean(element, referenced) and _note(element, source, carried, known, waut, begin_s):
                    stream.write(ElementTree.tostring(element))
            stream.write(f"</{root}>\n".encode())
    return carried


def _elements(file: Path, within: tuple[Path, ...]) -> Iterator[ElementTree.Element]:
    """The elements below the root, with those of included files in their place."""
    if file in within:
        raise ImportFailedError("the file includes itself", place=str(file), remedy="remove the <include>")
    for event, element, depth in iterate_xml(file):
        if event != "end" or depth != 1:
            continue
        if element.tag == "include":
            inner = (file.parent / element.get("href", "")).absolute()
            if not inner.is_file():
                raise ImportFailedError(
                    f"the included file {element.get('href')!r} is missing",
                    place=str(file),
                    remedy=f"put it at {inner}",
                )
            yield from _elements(inner, (*within, file))
        else:
            yield element


def _survey(sources: list[Path], begin_s: float) -> tuple[set[str], dict[str, str]]:
    """Ids that programs and calibrators refer to, and the program of each light that a WAUT shows first."""
    referenced: set[str] = set()
    shown: dict[str, str] = {}
    members: dict[str, str] = {}
    for source in sources:
        for element in _elements(source, ()):
            if element.tag in ("tlLogic", "calibrator"):
                referenced |= {value for part in element.iter() for value in part.attrib.values()}
            elif element.tag == "WAUT":
                shown[element.get("id", "")] = _program_at(element, begin_s)
            elif element.tag == "wautJunction":
                members[element.get("junctionID", "")] = element.get("wautID", "")
    return referenced, {light: shown[name] for light, name in members.items() if name in shown}


def _program_at(waut: ElementTree.Element, begin_s: float) -> str:
    program, reference_s = waut.get("startProg", ""), number_of(waut.get("refTime")) or 0.0
    for switch in sorted(waut.iter("wautSwitch"), key=lambda entry: number_of(entry.get("time")) or 0.0):
        if reference_s + (number_of(switch.get("time")) or 0.0) <= begin_s:
            program = switch.get("to", program)
    return program


def _clean(element: ElementTree.Element, referenced: set[str]) -> bool:
    """Take out what writes; False where the whole element goes."""
    tag = element.tag
    if not isinstance(tag, str) or tag in _DECORATION or tag in _STATISTICS:
        return False
    if tag in _DETECTORS:
        if element.get("id") not in referenced:
            return False
        element.set("file", NOWHERE)
    if tag == "calibrator":
        element.attrib.pop("output", None)
    for part in element.iter():
        part.attrib.pop("imgFile", None)
        if part.tag == "param":
            key = part.get("key", "").lower()
            if key == "file" or key.endswith((".file", "output", "-file")):
                part.set("value", NOWHERE)
    return True


def _note(
    element: ElementTree.Element,
    source: Path,
    carried: Carried,
    known: set[tuple[str, str]],
    waut: dict[str, str],
    begin_s: float,
) -> bool:
    """Record demand and programs; False where the element is left out."""
    if element.tag in _DEMAND:
        carried.demand_count += 1
        for name in ("depart", "end"):
            depart_s = number_of(element.get(name))
            if depart_s is not None:
                carried.last_depart_s = max(carried.last_depart_s or depart_s, depart_s)
    if element.tag in _WAUT:
        note = "programs that a WAUT switches by the clock: the one of the begin is kept all the time"
        if note not in carried.warnings:
            carried.warnings.append(note)
        return False
    if element.tag != "tlLogic" or element.find("phase") is None:
        return True
    light, program_id = element.get("id", ""), element.get("programID", "")
    if light in waut and waut[light] != program_id:
        return False
    if (light, program_id) in known:
        element.set("programID", f"{program_id}-{source.name.partition('.')[0]}")
        carried.warnings.append(
            f"{source.name} has program {program_id!r} of {light!r} a second time: the last one is used"
        )
        program_id = element.get("programID", "")
    known.add((light, program_id))
    carried.programs[light] = read_program(element, source, begin_s)
    return True
