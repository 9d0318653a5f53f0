"""Late buses with priority and without: see README.md beside this file."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec

from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.evaluate import transit
from civicbrain.evaluate.arms import ARMS
from civicbrain.evaluate.plan import hash_city, hash_code
from civicbrain.evaluate.storage import write_atomically
from civicbrain.evaluate.transit import TransitRun, TransitRunRecord, run_transit
from civicbrain.evaluate.transit.summary import summarise_transit
from civicbrain.evaluate.transit.timing import LineTimes, observed_times
from civicbrain.twin.generating import GenerateOptions, generate_city
from civicbrain.twin.importing import resolve_scenario

HERE = Path(__file__).parent
STUDIES = HERE / "studies"
SCENARIOS = ("ingolstadt7", "generated-25")
TIMED_BY = 101
"""Seeds from here on time the lines; none of them is compared."""
DWELL_CV = 0.6
WINDOW_S = 3600.0
LATE_TARGET, OTHERS_TARGET = 2.0 / 3.0, 1.01


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", action="append", help="built-in name or generated-N; may be repeated")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--timing-seeds", type=int, default=1, help="runs by which the lines are timed")
    parser.add_argument("--window", type=float, default=WINDOW_S, metavar="S", help="of the scenario's begin")
    parser.add_argument("--base", action="append", choices=("plan", "signals"), help="only this one")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    file = HERE / "results.json"
    rows: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else {}
    for scenario in arguments.scenario or SCENARIOS:
        city = open_city(scenario)
        begin_s = city.demand.begin_s
        end_s = min(city.demand.end_s, begin_s + arguments.window)
        runs: list[TransitRunRecord] = []
        for base in arguments.base or ("plan", "signals"):
            timing = [
                TransitRun(city.folder, ARMS[base], TIMED_BY + n, begin_s, end_s, dwell_cv=DWELL_CV)
                for n in range(arguments.timing_seeds)
            ]
            times = observed_times(run_all(scenario, city, timing, arguments.jobs))
            tasks = [
                TransitRun(city.folder, ARMS[arm], seed, begin_s, end_s, times, dwell_cv=DWELL_CV)
                for seed in range(1, arguments.seeds + 1)
                for arm in (base, f"{base}+priority")
            ]
            runs += run_all(scenario, city, tasks, arguments.jobs)
            rows[scenario] = {"window_s": end_s - begin_s, **summarise_transit(runs, end_s)}
            write_atomically(file, (json.dumps(rows, indent=1) + "\n").encode())
            write_atomically(HERE / "results.md", table(rows).encode())
    print(table(rows))
    return 0


def open_city(scenario: str) -> City:
    """A built-in scenario, or a generated city, made once."""
    if not scenario.startswith("generated-"):
        return resolve_scenario(scenario)
    folder = STUDIES / scenario / "city"
    if not (folder / "city.toml").is_file():
        generate_city(GenerateOptions(int(scenario.removeprefix("generated-")), seed=1), folder)
    return load_city(folder)


def run_all(name: str, city: City, tasks: list[TransitRun], jobs: int) -> list[TransitRunRecord]:
    """Each in a process of its own; finished ones are found again while neither city nor code has changed."""
    own = b"".join(path.read_bytes() for path in sorted(Path(transit.__file__).parent.glob("*.py")))
    key = f"{hash_city(city)[:12]}-{hash_code()[:12]}-{hashlib.sha256(own).hexdigest()[:8]}"
    folder = STUDIES / name / key
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[int, TransitRunRecord] = {}
    missing = []
    for number, task in enumerate(tasks):
        file = folder / f"{task.arm.name}-{task.seed}-{task.end_s:g}-{_digest(task.times)}.json"
        if file.is_file():
            found[number] = msgspec.json.decode(file.read_bytes(), type=TransitRunRecord)
        else:
            missing.append((number, task, file))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        futures = {pool.submit(run_transit, task): (number, task, file) for number, task, file in missing}
        for future, (number, task, file) in futures.items():
            found[number] = record = future.result()
            write_atomically(file, msgspec.json.encode(record))
            others = f"others {record.others_delay_s:.1f} s; {record.cpu_s:.0f} s of processor time"
            print(f"{name} {task.arm.name} seed {task.seed}: {len(record.buses)} buses; {others}", flush=True)
    return [found[number] for number in sorted(found)]


def _digest(times: tuple[LineTimes, ...]) -> str:
    return hashlib.sha256(repr(times).encode()).hexdigest()[:8]


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Markdown: what buses win, what others pay."""
    lines = [
        "Ratio with priority to without, 95 % interval over trips.",
        "",
        "| scenario | with / without | buses | lateness | headway irregularity | others | by seed | unsafe |",
        "|---|---|---:|---|---|---:|---|---:|",
    ]
    for name, row in rows.items():
        for pair, figures in row["pairs"].items():
            with_, without = pair.split(" / ")
            arms = row["arms"][with_], row["arms"][without]
            by_seed = ", ".join(f"{ratio:.3f}" for ratio in figures["others_delay_by_seed"])
            lines.append(
                f"| {name} | {pair} | {arms[0]['buses']} | {_cell(figures['late'], arms, 'late_s')} | "
                f"{_cell(figures['irregularity'], arms, 'irregularity_s')} | {figures['others_delay']:.3f} | "
                f"{by_seed} | {arms[0]['unsafe_states']} |"
            )
    head = "| scenario | arm | time loss of a bus, s | others' delay, s | requests, and how they ended |"
    lines += ["", head, "|---|---|---:|---:|---|"]
    for name, row in rows.items():
        for arm, figures in row["arms"].items():
            asks = ", ".join(f"{count} {what}" for what, count in figures["asks"].items()) or "–"
            lines.append(
                f"| {name} | {arm} | {figures['bus_time_loss_s']} | {figures['others_delay_s']} | {asks} |"
            )
    asked = f"Asked: lateness or irregularity at most {LATE_TARGET:.2f}, others at most {OTHERS_TARGET}."
    return "\n".join([*lines, "", asked]) + "\n"


def _cell(figures: dict[str, Any] | None, arms: tuple[dict[str, Any], dict[str, Any]], key: str) -> str:
    if figures is None:
        return "–"
    low, high = figures["ci95"]
    return f"{figures['ratio']:.2f} ({low:.2f} to {high:.2f}); {arms[1][key]} s → {arms[0][key]} s"


if __name__ == "__main__":
    sys.exit(main())
