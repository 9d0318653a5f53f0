"""Starting SUMO for a city: its command line and its error messages."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import libsumo

from civicbrain.city.model import City
from civicbrain.core.errors import TwinError
from civicbrain.twin.mesoscopic import MESOSCOPIC
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.programs import SUMO_TYPES, read_active_programs, without_switching, write_programs

JUNCTION_BLOCKER_S = 30.0
"""After this time others find their way around a vehicle that stands inside a junction, as drivers do; SUMO
else lets a ring of them stand for ever. For every control alike: docs/decisions/junction-blockers.md."""

TRIPS_FILE = "trips.xml"
SAFETY_FILE = "statistics.xml"
_LOG_FILE = "sumo.log"
_STDERR_FILE = "stderr.txt"


def step_length_s(city: City) -> float:
    """Length of a simulation step, s."""
    return city.demand.step_s if city.demand.step_s > 0 else 1.0


def start_sumo(
    city: City,
    options: TwinOptions,
    begin_s: float,
    end_s: float,
    scratch: Path,
    state: Path | None,
    more: Sequence[str] = (),
) -> None:
    """Start libsumo with the city's files; SUMO's outputs go to `scratch`. `state` resumes a saved one;
    `more` are further options of SUMO.

    Raises TwinError with SUMO's own message.
    """
    if libsumo.isLoaded():
        raise TwinError(
            "SUMO already runs in this process", remedy="run each Twin in a process of its own, or close() it"
        )
    demand, folder = city.demand, city.folder
    for name in (demand.net_file, *demand.route_files, *demand.additional_files):
        if not (folder / name).is_file():
            raise TwinError(
                "the city lacks this file", place=str(folder / name), remedy="import the city again"
            )
    additional = [folder / name for name in demand.additional_files]
    if options.program != "fixed":
        additional = [without_switching(file, scratch) for file in additional]
    log = options.sumo_log or scratch / _LOG_FILE
    base = [
        "sumo",
        "--error-log",
        str(log),
        "--net-file",
        str(folder / demand.net_file),
        "--no-step-log",
        "--no-warnings",
    ]
    base += ["--duration-log.disable", "--xml-validation", "never"]
    base += ["--step-length", f"{step_length_s(city):g}"]
    base += ["--begin", f"{begin_s:g}", "--end", f"{end_s:g}"]
    routes = ["--route-files", ",".join(str(folder / name) for name in demand.route_files)]
    routes = routes if demand.route_files else []
    own = [part for name, value in demand.sumo_options for part in _option(name, value)]
    if options.program in SUMO_TYPES:
        # SUMO says which plan it runs at the begin: additional files may override the network's
        _start([*base, *_additional(additional), *routes, *own], scratch, city)
        programs = read_active_programs()
        libsumo.close()
        file = scratch / "programs.add.xml"
        write_programs(programs, city.junctions, options.program, file)
        additional.append(file)
    outputs = ["--tripinfo-output", str(scratch / TRIPS_FILE)]
    outputs += ["--tripinfo-output.write-unfinished", "--tripinfo-output.write-undeparted"]
    outputs += ["--statistic-output", str(scratch / SAFETY_FILE)]
    run = ["--seed", str(options.seed), "--time-to-teleport", "-1"]
    run += ["--ignore-junction-blocker", f"{JUNCTION_BLOCKER_S:g}"]
    if options.mesoscopic:
        run += MESOSCOPIC
    if state is not None:
        run += ["--load-state", str(state)]
    _start([*base, *_additional(additional), *routes, *own, *run, *outputs, *more], scratch, city)


def _start(command: list[str], scratch: Path, city: City) -> None:
    said = scratch / _STDERR_FILE
    try:
        with _stderr_into(said):
            libsumo.start(command)
    except (libsumo.TraCIException, libsumo.FatalTraCIError, RuntimeError) as error:
        text = said.read_text(errors="replace").strip()
        raise TwinError(
            f"SUMO did not start: {text[:2000] or error}",
            place=str(city.folder),
            remedy="correct what SUMO complains about in the city's files, or import the city again",
        ) from error


@contextmanager
def _stderr_into(file: Path) -> Iterator[None]:
    """Catch what SUMO's C++ code says while it loads: it is not in the exception."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with file.open("wb") as sink:
            os.dup2(sink.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _additional(files: list[Path]) -> list[str]:
    return ["--additional-files", ",".join(map(str, files))] if files else []


def _option(name: str, value: str) -> list[str]:
    return [f"--{name.lstrip('-')}", value]
