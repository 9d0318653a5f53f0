"""Runs that count: the twin under a city's fixed plan, every vehicle noted as it passes a stop line."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.contracts.rooms import get_control
from civicbrain.core.errors import StudyError
from civicbrain.evaluate.plan import RunTask, StudyOptions, make_tasks
from civicbrain.evaluate.pool import run_all
from civicbrain.evaluate.records import Failure, RunFile
from civicbrain.evaluate.retime.counts import Counts, read_passages
from civicbrain.evaluate.run import make_run_file
from civicbrain.evaluate.storage import prepare_folder


def survey(city: City, seeds: Sequence[int], folder: Path, jobs: int) -> Counts:
    """Counts of the city's demand under its own plan: the mean of the runs of these seeds.

    folder: for what the runs write. Raises StudyError when a run fails.
    """
    prepare_folder(folder)
    options = StudyOptions(controls=("fixed",), seeds=tuple(seeds)).check()
    tasks = make_tasks(city, [get_control("fixed")], options, folder)
    failures: list[Failure] = []

    def on_done(_: RunTask, outcome: RunFile | Failure) -> None:
        if isinstance(outcome, Failure):
            failures.append(outcome)

    run_all(tasks, jobs, simulate_counting, on_done)
    if failures:
        raise StudyError(
            f"the run that counts (seed {failures[0].seed}) failed: {failures[0].reason}",
            place=city.name,
            remedy="put the cause right, or give counts with --counts",
        )
    text = (
        f"{len(seeds)} run{'s' if len(seeds) != 1 else ''} of the twin (seeds {', '.join(map(str, seeds))})"
    )
    return read_passages(
        [_routes(task) for task in tasks], city, tasks[0].begin_s, tasks[0].end_s,
        f"stop-line counts by turn of every vehicle, {text}",
    )  # fmt: skip


def simulate_counting(task: RunTask) -> RunFile:
    """One run that leaves its vehicles' routes with exit times beside its figures."""
    from civicbrain.twin.options import TwinOptions
    from civicbrain.twin.simulation import Twin

    started = time.perf_counter()
    city = load_city(task.city_folder)
    outputs = (
        ("vehroute-output", str(_routes(task))),
        ("vehroute-output.exit-times", "true"),
        ("vehroute-output.write-unfinished", "true"),
    )
    demand = replace(city.demand, sumo_options=(*city.demand.sumo_options, *outputs))
    twin = Twin(
        replace(city, demand=demand),
        TwinOptions(
            seed=task.seed, program="fixed", begin_s=task.begin_s, end_s=task.end_s, emissions=False,
            sumo_log=task.sumo_log_file,
        ),
    )  # fmt: skip
    try:
        while not twin.ended:
            twin.step()
        metrics = twin.finish()
    finally:
        twin.close()
    return make_run_file(task, metrics, None, time.perf_counter() - started, 0.0)


def _routes(task: RunTask) -> Path:
    return task.folder.absolute() / "runs" / f"routes-{task.seed}.xml"
