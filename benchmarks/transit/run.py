"""Late buses with priority and without: see README.md beside this file."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "priority"))

from arm_studies import open_city, run_all

from civicbrain.city.model import City
from civicbrain.evaluate import transit
from civicbrain.evaluate.arms import ARMS
from civicbrain.evaluate.storage import write_atomically
from civicbrain.evaluate.transit import TransitRun, TransitRunRecord, run_transit
from civicbrain.evaluate.transit.summary import summarise_transit
from civicbrain.evaluate.transit.timing import LineTimes, observed_times

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
        city = open_city(scenario, STUDIES)
        begin_s = city.demand.begin_s
        end_s = min(city.demand.end_s, begin_s + arguments.window)
        runs: list[TransitRunRecord] = []
        for base in arguments.base or ("plan", "signals"):
            timing = [
                TransitRun(city.folder, ARMS[base], TIMED_BY + n, begin_s, end_s, dwell_cv=DWELL_CV)
                for n in range(arguments.timing_seeds)
            ]
            times = observed_times(run_named(scenario, city, timing, arguments.jobs))
            tasks = [
                TransitRun(city.folder, ARMS[arm], seed, begin_s, end_s, times, dwell_cv=DWELL_CV)
                for seed in range(1, arguments.seeds + 1)
                for arm in (base, f"{base}+priority")
            ]
            runs += run_named(scenario, city, tasks, arguments.jobs)
            rows[scenario] = {"window_s": end_s - begin_s, **summarise_transit(runs, end_s)}
            write_atomically(file, (json.dumps(rows, indent=1) + "\n").encode())
            write_atomically(HERE / "results.md", table(rows).encode())
    print(table(rows))
    return 0


def run_named(name: str, city: City, tasks: list[TransitRun], jobs: int) -> list[TransitRunRecord]:
    """`run_all` of one scenario."""
    named = [(f"{task.arm.name}-{task.seed}-{task.end_s:g}-{_digest(task.times)}", task) for task in tasks]
    return run_all(STUDIES / name, city, transit, named, run_transit, TransitRunRecord, said, jobs)


def said(record: TransitRunRecord) -> str:
    """One line about a run."""
    others = f"others {record.others_delay_s:.1f} s; {record.cpu_s:.0f} s of processor time"
    return f"{record.arm} seed {record.seed}: {len(record.buses)} buses; {others}"


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
