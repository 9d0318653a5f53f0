"""Wall time of a run with the whole loop over that of the fixed plan without it: see README.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import libsumo

import civicbrain
from civicbrain.city.folder import load_city
from civicbrain.contracts.rooms import get_control
from civicbrain.evaluate.plan import RunTask, StudyOptions, make_tasks, sumo_version
from civicbrain.evaluate.pool import run_all
from civicbrain.evaluate.records import Failure, RunFile
from civicbrain.evaluate.run import make_run_file, simulate_run
from civicbrain.evaluate.storage import prepare_folder, write_atomically
from civicbrain.evaluate.study import resolve_city
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin

HERE = Path(__file__).parent
WITH_LOOP, WITHOUT_LOOP = "max-pressure", "fixed"
TARGET_RATIO = 1.25
BARE_RUNS = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="ingolstadt21")
    parser.add_argument("--pairs", type=int, default=7, help="5 or more make a claim")
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="civicbrain-loop-cost-") as scratch:
        tasks = plan(arguments.scenario, arguments.pairs, Path(scratch))
        finished: list[RunFile] = []

        def on_done(task: RunTask, outcome: RunFile | Failure) -> None:
            if isinstance(outcome, Failure):
                raise SystemExit(f"{task.control.name}, seed {task.seed} failed: {outcome.reason}")
            finished.append(outcome)
            print(f"{task.control.name}, seed {task.seed}: {outcome.run.wall_s:.2f} s", file=sys.stderr)

        run_all(tasks, 1, simulate_run, on_done)
        pairs_done = list(finished)
        bare = [task for task in tasks[2:] if task.control.name == WITHOUT_LOOP][:BARE_RUNS]
        run_all(bare, 1, simulate_bare, on_done)
    result = summarise(arguments.scenario, pairs_done, finished[len(pairs_done) :])
    write_atomically(arguments.out, (json.dumps(result, indent=1) + "\n").encode())
    print(f"median ratio {result['median_ratio']} over {len(result['pairs'])} pairs, target {TARGET_RATIO}")
    print(f"in processor time {result['median_cpu_ratio']}, with setup {result['median_ratio_with_setup']}")
    print(f"to SUMO's bare steps, no metrics taken: {result['cpu_ratio_to_bare_steps']} in processor time")
    return 0 if result["median_ratio"] <= TARGET_RATIO else 1


def plan(scenario: str, pairs: int, folder: Path) -> list[RunTask]:
    """One uncounted run of each, then the pairs, the order swapped from one to the next."""
    city = resolve_city(scenario)
    prepare_folder(folder)
    specs = [get_control(WITHOUT_LOOP), get_control(WITH_LOOP)]
    options = StudyOptions(controls=(WITHOUT_LOOP, WITH_LOOP), seeds=tuple(range(1, pairs + 1))).check()
    tasks = make_tasks(city, specs, options, folder)
    by_seed = [tasks[2 * number : 2 * number + 2] for number in range(pairs)]
    ordered = [by_seed[0]] + [pair[::-1] if number % 2 else pair for number, pair in enumerate(by_seed)]
    return [task for pair in ordered for task in pair]


def simulate_bare(task: RunTask) -> RunFile:
    """The same SUMO under the fixed plan, stepped and nothing else: no observer, no samples."""
    city = load_city(task.city_folder)
    options = TwinOptions(
        seed=task.seed, program=task.control.program, begin_s=task.begin_s, end_s=task.end_s
    )
    start, start_cpu = time.perf_counter(), time.process_time()
    twin = Twin(city, options)
    while libsumo.simulation.getTime() < twin.end_s:
        libsumo.simulationStep()
    metrics = twin.finish()
    file = make_run_file(task, metrics, None, time.perf_counter() - start, 0.0)
    file.run.cpu_s = time.process_time() - start_cpu
    return file


def summarise(scenario: str, finished: list[RunFile], bare: list[RunFile]) -> dict[str, Any]:
    """Every pair, and the medians of their ratios. bare: runs of `simulate_bare`."""
    bare_cpu_s = {file.run.seed: file.run.cpu_s for file in bare}
    to_bare = []
    pairs = []
    for first, second in zip(finished[2::2], finished[3::2], strict=True):
        runs = {file.run.control: file.run for file in (first, second)}
        loop, plain = runs[WITH_LOOP], runs[WITHOUT_LOOP]
        if loop.seed in bare_cpu_s:
            to_bare.append(loop.cpu_s / bare_cpu_s[loop.seed])
        pairs.append(
            {
                "seed": loop.seed,
                "first": first.run.control,
                "fixed_wall_s": round(plain.wall_s, 3),
                "loop_wall_s": round(loop.wall_s, 3),
                "fixed_cpu_s": round(plain.cpu_s, 3),
                "loop_cpu_s": round(loop.cpu_s, 3),
                "ratio": round(loop.wall_s / plain.wall_s, 4),
                "cpu_ratio": round(loop.cpu_s / plain.cpu_s, 4),
                "ratio_with_setup": round((loop.wall_s + loop.setup_s) / (plain.wall_s + plain.setup_s), 4),
                "decision_ms_p50": round(loop.decision_ms_p50, 3),
                "decision_ms_p99": round(loop.decision_ms_p99, 3),
                "fixed_mean_delay_s": round(plain.mean_delay_s or 0.0, 2),
                "loop_mean_delay_s": round(loop.mean_delay_s or 0.0, 2),
            }
        )
    return {
        "scenario": scenario,
        "median_ratio": round(statistics.median(pair["ratio"] for pair in pairs), 4),
        "median_ratio_with_setup": round(statistics.median(pair["ratio_with_setup"] for pair in pairs), 4),
        "median_cpu_ratio": round(statistics.median(pair["cpu_ratio"] for pair in pairs), 4),
        "cpu_ratio_to_bare_steps": round(statistics.median(to_bare), 4),
        "target_ratio": TARGET_RATIO,
        "sumo_version": sumo_version(),
        "civicbrain_version": civicbrain.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "pairs": pairs,
    }


if __name__ == "__main__":
    sys.exit(main())
