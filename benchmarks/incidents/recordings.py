"""What a run delivered, kept: detectors are worked on and compared on recordings, without simulating again.

A recording is a row of pickles, compressed: the run, each second's data, and what became of the incidents.
Our own files only: a pickle from elsewhere can do anything.
"""

from __future__ import annotations

import gzip
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from draw_incidents import draw
from incident_world import Run, measure_flows, simulate
from runs import Spec, city_folder

from civicbrain.city.folder import load_city
from civicbrain.twin.incidents import Truth

FLOWS_S = 900.0
"""How long a run without incidents shows which lanes are used."""


def recorded(spec: Spec, folder: Path) -> Path:
    """The recording of a run, made now where there is none."""
    file = spec.file(folder)
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        cities = folder / "cities"
        where = city_folder(spec.city, cities)
        city = load_city(where)
        begin_s = city.demand.begin_s
        incidents = ()
        if spec.wanted:
            calm = Run(where, 1000 + spec.seed, spec.scale, 1.0, min(spec.seconds, FLOWS_S))
            flows = in_process(measure_flows, calm)
            incidents = tuple(draw(city, flows, spec.seed, begin_s, begin_s + spec.seconds, spec.wanted))
        run = Run(where, spec.seed, spec.scale, spec.coverage, spec.seconds, incidents, spec.control)
        in_process(_record, run, file)
    return file


def _record(run: Run, file: Path) -> None:
    part = file.with_suffix(".part")
    with gzip.open(part, "wb", compresslevel=1) as out:
        pickle.dump(run, out)
        truths = simulate(run, lambda _, at_s, data: pickle.dump((at_s, data), out, protocol=5))
        pickle.dump(truths, out)
    part.rename(file)


def replay(file: Path) -> Iterator[tuple[float, list[Any]] | dict[str, Truth]]:
    """Each second's (second, data), and at the end what became of the incidents."""
    with gzip.open(file, "rb") as source:
        pickle.load(source)
        while True:
            found = pickle.load(source)
            yield found
            if isinstance(found, dict):
                return


def run_of(file: Path) -> Run:
    """The run that was recorded."""
    with gzip.open(file, "rb") as source:
        run = pickle.load(source)
    assert isinstance(run, Run)
    return run


def in_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call in a process of its own: libsumo is one a process, and what it grew to goes with it."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()
