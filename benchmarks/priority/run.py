"""Emergency missions with priority and without: see README.md beside this file."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec

from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.evaluate import missions
from civicbrain.evaluate.arms import ARMS
from civicbrain.evaluate.missions import DrawOptions, MissionRun, MissionRunRecord, draw_missions
from civicbrain.evaluate.missions.run import run_missions
from civicbrain.evaluate.missions.summary import summarise_missions
from civicbrain.evaluate.plan import hash_city, hash_code
from civicbrain.evaluate.storage import write_atomically
from civicbrain.twin.generating import GenerateOptions, generate_city
from civicbrain.twin.importing import resolve_scenario
from civicbrain.twin.missions import MissionTrip

HERE = Path(__file__).parent
STUDIES = HERE / "studies"
GENERATED = "generated-100"
SCENARIOS = ("cologne8", "ingolstadt7", "ingolstadt21", GENERATED)
A_RUN = 8
"""Missions an hour and run. More would hold each other up, and are rare on 20 junctions."""

PLAN_TARGET, SIGNALS_TARGET, OTHERS_TARGET, PREDICTION_TARGET = 0.5, 0.7, 1.02, 0.15


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", action="append", help="only this one; repeat for several")
    parser.add_argument("--also", action="append", default=[], help="a CityFlow folder or .sumocfg")
    parser.add_argument("--missions", type=int, default=40, help=f"a scenario; {A_RUN} a run of an hour")
    parser.add_argument(
        "--arm", action="append", choices=list(ARMS), help="only this one; repeat for several"
    )
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    file = HERE / "results.json"
    rows: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else {}
    for scenario in [*(arguments.scenario or SCENARIOS), *arguments.also]:
        city = open_city(scenario)
        tasks = make_tasks(city, arguments.missions, arguments.arm or list(ARMS))
        runs = run_all(Path(scenario).name, city, tasks, arguments.jobs)
        rows[Path(scenario).name] = summarise_missions(runs, city.demand.end_s)
        # after each scenario: hours of work show what they have found so far
        write_atomically(file, (json.dumps(rows, indent=1) + "\n").encode())
        write_atomically(HERE / "results.md", table(rows).encode())
    print(table(rows))
    return 0


def open_city(scenario: str) -> City:
    """A built-in scenario, a source that can be imported, or the generated city, made once."""
    if scenario != GENERATED:
        return resolve_scenario(scenario)
    folder = STUDIES / GENERATED / "city"
    if not (folder / "city.toml").is_file():
        generate_city(GenerateOptions(100, seed=1), folder)
    return load_city(folder)


def make_tasks(city: City, wanted: int, arms: list[str]) -> list[MissionRun]:
    """Runs of A_RUN missions, seed by seed; every second vehicle may pass red, the other way round in every
    second run."""
    begin_s, end_s = city.demand.begin_s, city.demand.end_s
    tasks = []
    for seed in range(1, -(-wanted // A_RUN) + 1):
        count = min(A_RUN, wanted - (seed - 1) * A_RUN)
        drawn = draw_missions(city, seed, begin_s, end_s, DrawOptions(count))
        trips = tuple(MissionTrip(mission, (row + seed) % 2 == 0) for row, mission in enumerate(drawn))
        tasks += [MissionRun(city.folder, ARMS[arm], seed, trips, begin_s, end_s) for arm in arms]
    return tasks


def run_all(name: str, city: City, tasks: list[MissionRun], jobs: int) -> list[MissionRunRecord]:
    """Each in a process of its own; finished ones are found again while neither city nor code has changed."""
    own = b"".join(path.read_bytes() for path in sorted(Path(missions.__file__).parent.glob("*.py")))
    key = f"{hash_city(city)[:12]}-{hash_code()[:12]}-{hashlib.sha256(own).hexdigest()[:8]}"
    folder = STUDIES / name / key
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[int, MissionRunRecord] = {}
    missing = []
    for number, task in enumerate(tasks):
        file = folder / f"{task.arm.name}-{task.seed}-{len(task.trips)}.json"
        if file.is_file():
            found[number] = msgspec.json.decode(file.read_bytes(), type=MissionRunRecord)
        else:
            missing.append((number, task, file))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        futures = {pool.submit(run_missions, task): (number, task, file) for number, task, file in missing}
        for future in as_completed(futures):
            number, task, file = futures[future]
            found[number] = record = future.result()
            write_atomically(file, msgspec.json.encode(record))
            times = " ".join("-" if m.travel_s is None else f"{m.travel_s:.0f}" for m in record.missions)
            others = f"others {record.others_delay_s:.1f} s"
            print(f"{name} {task.arm.name} seed {task.seed}: {times} s; {others}, "
                  f"{record.cpu_s:.0f} s of processor time", flush=True)  # fmt: skip
    return [found[number] for number in sorted(found)]


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Markdown: median ratios of travel times, what the others pay, predictions."""
    lines = [
        "Median ratio of emergency travel times with priority to without, 95 % interval; in brackets what it",
        "would have been had nothing but its own speed held the vehicle up.",
        "",
        "| scenario | with / without | missions | obeys lights | may pass red | others' delay | unsafe |",
        "|---|---|---:|---|---|---:|---:|",
    ]
    for name, row in rows.items():
        for pair, figures in row["pairs"].items():
            with_ = row["arms"][pair.split(" / ")[0]]
            cells = [_cell(figures.get(kind)) for kind in ("plain", "blue")]
            lines.append(
                f"| {name} | {pair} | {figures['all']['missions']} | {cells[0]} | {cells[1]} | "
                f"{figures.get('others_delay', float('nan')):.3f} | {with_['unsafe_states']} |"
            )
    head = "| scenario | arm | others' delay, s | arrivals predicted, mean absolute error | not arrived |"
    lines += ["", head, "|---|---|---:|---:|---:|"]
    for name, row in rows.items():
        for arm, figures in row["arms"].items():
            share = figures["prediction"].get("share")
            error = "–" if share is None else f"{100 * share:.1f} %"
            lines.append(
                f"| {name} | {arm} | {figures['others_delay_s']} | {error} | {figures['not_arrived']} |"
            )
    asked = f"Asked: {PLAN_TARGET} of the plan, {SIGNALS_TARGET} of the signals brain, others at most "
    lines += ["", f"{asked}{OTHERS_TARGET}, predictions within {100 * PREDICTION_TARGET:.0f} %."]
    return "\n".join(lines) + "\n"


def _cell(figures: dict[str, Any] | None) -> str:
    if figures is None:
        return "–"
    low, high = figures["ci95"]
    return f"{figures['median']:.2f} ({low:.2f} to {high:.2f}) [{figures['free']:.2f}]"


if __name__ == "__main__":
    sys.exit(main())
