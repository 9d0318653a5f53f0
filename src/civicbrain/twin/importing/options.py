"""What an import may be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ImportOptions:
    """Options of an import; what stays None is taken from the source.

    name: name of the city (a slug); from the source's file name otherwise.
    begin_s, end_s: the window of the scenario in seconds.
    seed: of the synthesised demand.
    repair: give an approach that the city's program leaves without green a stage of its own, instead of
        refusing the program.
    vehicles_per_h: level of the synthesised demand; by the size of the network otherwise.
    additional_files, route_files: for a source that is a bare .net.xml.
    zone: IANA name of the city's time zone; by its coordinates otherwise (`zone.py`).
    timetable: GTFS of the city's buses (a zip or a folder); that of the scenario's own buses otherwise.
    """

    name: str | None = None
    begin_s: float | None = None
    end_s: float | None = None
    seed: int = 0
    repair: bool = False
    vehicles_per_h: float | None = None
    additional_files: tuple[Path, ...] = ()
    route_files: tuple[Path, ...] = ()
    timetable: Path | None = None
    zone: str | None = None
