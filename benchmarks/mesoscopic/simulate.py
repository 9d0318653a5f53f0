"""One run of a case: the city in one of the two models, under a control, changed or not."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import libsumo
import msgspec

from civicbrain.city.model import City
from civicbrain.contracts.rooms import get_control
from civicbrain.evaluate.plan import RunTask
from civicbrain.evaluate.run import TwinDoor, make_loop
from civicbrain.twin import mesoscopic
from civicbrain.twin.faults import Faults, LaneBlock
from civicbrain.twin.importing import resolve_scenario
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin

FIGURES = (
    "mean_delay_s",
    "mean_travel_time_s",
    "vehicles_due",
    "departed",
    "arrived",
    "undeparted",
    "deadlock",
)


@dataclass(frozen=True)
class Case:
    """scale: factor on the demand. green: factor on every green of the city's plan. closed: roads shut from
    closed_s[0] to closed_s[1] of the window, 30 m before their end. taus: SUMO's four, else ours. forced:
    close roads that the mesoscopic model refuses."""

    scenario: str
    control: str = "fixed"
    seed: int = 1
    length_s: float = 1800.0
    mesoscopic: bool = False
    scale: float = 1.0
    green: float = 1.0
    closed: tuple[str, ...] = ()
    closed_s: tuple[float, float] = (300.0, 900.0)
    taus: tuple[float, float, float, float] | None = None
    forced: bool = False
    edges: bool = field(default=False, compare=False)


class Simulator:
    """One process after the other runs the cases: the cost of starting one is not the models'."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def __call__(self, case: Case) -> dict[str, Any]:
        """Its figures, processor time of the simulation (cpu_s) and, if asked for, what edges saw (edges)."""
        return self._pool.submit(_patched, case).result()

    def close(self) -> None:
        self._pool.shutdown()


def _patched(case: Case) -> dict[str, Any]:
    """Other headways than the twin's, and roads closed that it refuses, are for this comparison alone."""
    taus = (mesoscopic.HEADWAY_S,) * 3 + (mesoscopic.JAM_HEADWAY_S,) if case.taus is None else case.taus
    names = ("--meso-tauff", "--meso-taufj", "--meso-taujf", "--meso-taujj")
    for name, value in zip(names, taus, strict=True):
        mesoscopic.MESOSCOPIC[mesoscopic.MESOSCOPIC.index(name) + 1] = f"{value:g}"
    if not case.forced:
        return _simulate(case)
    with patch.object(Faults, "check"):
        return _simulate(case)


def _simulate(case: Case) -> dict[str, Any]:
    city = resolve_scenario(case.scenario)
    begin_s = city.demand.begin_s
    lanes = city.network.lanes
    blocks = tuple(
        LaneBlock(
            lane,
            max(float(lanes.length_m[lanes.row[lane]]) - 30.0, 10.0),
            begin_s + case.closed_s[0],
            begin_s + case.closed_s[1],
        )
        for lane in case.closed
    )
    control = get_control(case.control)
    options = TwinOptions(
        seed=case.seed,
        program=control.program,
        end_s=begin_s + case.length_s,
        faults=Faults(lanes=blocks),
        mesoscopic=case.mesoscopic,
        emissions=False,
    )
    with tempfile.TemporaryDirectory(prefix="civicbrain-benchmark-") as scratch:
        city = _changed(city, case, Path(scratch))
        task = RunTask(
            city.folder,
            control,
            case.seed,
            begin_s,
            begin_s + case.length_s,
            Path(scratch),
            "",
        )
        door = TwinDoor()
        loop = make_loop(city, task, door) if control.brain else None
        door.twin = twin = Twin(city, options)
        _scale_greens(case.green)
        began_s = time.process_time()
        while not twin.ended:
            twin.step()
            if loop is not None:
                loop.tick(twin.sense(), twin.time_s)
        cpu_s = time.process_time() - began_s
        metrics = msgspec.to_builtins(twin.finish())
        result = {name: metrics[name] for name in FIGURES}
        result["cpu_s"] = cpu_s
        result["unsafe_states"] = metrics["unsafe_states"] if control.program == "central" else None
        if case.edges:
            result["edges"] = _read_edges(Path(scratch) / "edges.xml", city, case.length_s)
    return result


def _changed(city: City, case: Case, scratch: Path) -> City:
    """The city with demand scaled and edges recorded; files with an absolute path stand outside it."""
    demand = city.demand
    if case.scale != 1.0:
        demand = replace(demand, sumo_options=(*demand.sumo_options, ("scale", f"{case.scale:g}")))
    if case.edges:
        recorder = scratch / "recorder.add.xml"
        file = scratch / "edges.xml"
        recorder.write_text(
            f'<additional><edgeData id="all" file="{file}" excludeEmpty="true"/></additional>'
        )
        demand = replace(demand, additional_files=(*demand.additional_files, str(recorder)))
    return replace(city, demand=demand)


def _scale_greens(factor: float) -> None:
    """Another plan: greens of SUMO's program longer or shorter, 5 s at least; yellow and red as before."""
    if factor == 1.0:
        return
    lights = libsumo.trafficlight
    for name in lights.getIDList():
        running = lights.getProgram(name)
        for logic in lights.getAllProgramLogics(name):
            if logic.programID != running:
                continue
            for phase in logic.phases:
                if "y" not in phase.state and ("G" in phase.state or "g" in phase.state):
                    phase.duration = max(5.0, round(phase.duration * factor))
                    phase.minDur = phase.maxDur = phase.duration
            lights.setProgramLogic(name, logic)


def _read_edges(file: Path, city: City, length_s: float) -> dict[str, tuple[float, float]]:
    """Edge -> vehicles an hour that came onto it, mean speed in m/s."""
    result = {}
    for _, element in ElementTree.iterparse(file):
        if element.tag == "edge" and element.attrib["id"] in city.network.edges.row:
            count = float(element.attrib["entered"]) + float(element.attrib["departed"])
            if "speed" in element.attrib:
                speed_mps = float(element.attrib["speed"])
                result[element.attrib["id"]] = (count * 3600.0 / length_s, speed_mps)
    return result
