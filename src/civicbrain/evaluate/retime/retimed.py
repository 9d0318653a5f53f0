"""The retimed city: a folder like any other, whose fixed plan is the new one."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from civicbrain.city.folder import save_city
from civicbrain.city.model import City
from civicbrain.city.signals import SignalPlan
from civicbrain.evaluate.retime.records import Span
from civicbrain.twin.plan_programs import PlanPeriod, plans_xml
from civicbrain.twin.programs import without_switching

PLAN_FILE = "twin/retimed.add.xml"


def programs_for_sumo(city: City, spans: Sequence[Span], plans: Sequence[Mapping[str, SignalPlan]]) -> bytes:
    """The additional file: one program a junction and period, and the times at which SUMO changes them."""
    periods = [PlanPeriod(span.program, span.begin_s, made) for span, made in zip(spans, plans, strict=True)]
    return plans_xml(city.junctions, periods)


def save_retimed(city: City, programs: bytes, first: Mapping[str, SignalPlan], folder: Path) -> City:
    """Write a copy of the city with the new programs after its own additional files (SUMO runs what it read
    last). The controllers' local plan is that of the first period. Times of day that the city's files had for
    its old plans are taken out."""
    junctions = tuple(
        msgspec.structs.replace(junction, local_plan=first.get(junction.id, junction.local_plan))
        for junction in city.junctions
    )
    names = (*(name for name in city.demand.additional_files if name != PLAN_FILE), PLAN_FILE)
    demand = replace(city.demand, additional_files=names)
    with tempfile.TemporaryDirectory(prefix="civicbrain-retime-") as scratch:
        files: dict[str, Path | bytes] = {
            path.relative_to(city.folder).as_posix(): path
            for path in sorted((city.folder / "twin").rglob("*"))
            if path.is_file()
        }
        for name in (city.demand.net_file, *city.demand.route_files):
            files[name] = city.folder / name
        for name in names[:-1]:
            files[name] = without_switching(city.folder / name, Path(scratch))
        files[PLAN_FILE] = programs
        return save_city(replace(city, demand=demand, junctions=junctions), folder, files)
