"""Emergency missions with priority and without: see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
from arm_studies import open_city, run_all

from civicbrain.city.model import City
from civicbrain.evaluate import missions
from civicbrain.evaluate.arms import ARMS
from civicbrain.evaluate.missions import DrawOptions, MissionRun, MissionRunRecord, draw_missions
from civicbrain.evaluate.missions.run import run_missions
from civicbrain.evaluate.missions.summary import summarise_missions
from civicbrain.evaluate.storage import write_atomically
from civicbrain.twin.missions import MissionTrip

HERE = Path(__file__).parent
STUDIES = HERE / "studies"
RUNS = HERE / "runs.json"
"""Every run counted in the table: with --go-on a later study adds to them."""
GENERATED = "generated-100"
SCENARIOS = ("cologne8", "ingolstadt7", "ingolstadt21", GENERATED)
"""Those that cost least first."""
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
    parser.add_argument(
        "--go-on", action="store_true", help="runs in runs.json count, whatever commit made them"
    )
    arguments = parser.parse_args()
    file = HERE / "results.json"
    kept = read_kept()
    rows = read_rows(file, kept)
    commit = this_commit()
    for scenario in [*(arguments.scenario or SCENARIOS), *arguments.also]:
        city = open_city(scenario, STUDIES)
        tasks = make_tasks(city, arguments.missions, arguments.arm or list(ARMS))
        name = Path(scenario).name
        old = kept.get(name, []) if arguments.go_on else []
        done = {(run.arm, run.seed) for run in old}
        named = [
            (f"{task.arm.name}-{task.seed}-{len(task.trips)}", task)
            for task in tasks
            if (task.arm.name, task.seed) not in done
        ]
        new = run_all(
            STUDIES / name, city, missions, named, run_missions, MissionRunRecord, said, arguments.jobs
        )
        kept[name] = [*old, *(msgspec.structs.replace(run, commit=run.commit or commit) for run in new)]
        rows[name] = summarise_missions(kept[name], city.demand.end_s)
        # after each scenario: hours of work show what they have found so far
        write_kept(kept)
        write_atomically(file, (json.dumps(rows, indent=1) + "\n").encode())
        write_atomically(HERE / "results.md", table(rows).encode())
    print(table(rows))
    return 0


def read_kept() -> dict[str, list[MissionRunRecord]]:
    """Scenario -> the runs of which its row is made."""
    if not RUNS.is_file():
        return {}
    return msgspec.json.decode(RUNS.read_bytes(), type=dict[str, list[MissionRunRecord]])


def read_rows(file: Path, kept: dict[str, list[MissionRunRecord]]) -> dict[str, dict[str, Any]]:
    """What was found of the scenarios whose runs are kept."""
    rows: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else {}
    return {name: row for name, row in rows.items() if name in kept}


def write_kept(kept: dict[str, list[MissionRunRecord]]) -> None:
    """One line a run."""
    parts = [
        f"{json.dumps(name)}: [\n" + ",\n".join(msgspec.json.encode(run).decode() for run in runs) + "\n]"
        for name, runs in kept.items()
    ]
    write_atomically(RUNS, ("{\n" + ",\n".join(parts) + "\n}\n").encode())


def this_commit() -> str:
    """The commit checked out, with a + where the product's code differs from it; "" outside a repository."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(HERE.parents[1]), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "src") else "")


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


def said(record: MissionRunRecord) -> str:
    """One line about a run."""
    times = " ".join("-" if m.travel_s is None else f"{m.travel_s:.0f}" for m in record.missions)
    others = f"others {record.others_delay_s:.1f} s, {record.cpu_s:.0f} s of processor time"
    return f"{record.arm} seed {record.seed}: {times} s; {others}"


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Markdown: median ratios of travel times, what the others pay, predictions."""
    head = (
        "| scenario | with / without | missions | obeys lights | alone | won | may pass red | alone | won | "
    )
    head += "others' delay | unsafe |"
    lines = [
        "Median ratio of emergency travel times with priority to without, 95 % interval. `alone`: what it",
        "would have been had nothing but its own speed held the vehicle up, below which no priority gets;",
        "`won`: the share of the time between without and alone that priority wins.",
        "",
        head,
        "|---|---|---:|---|---:|---:|---|---:|---:|---:|---:|",
    ]
    for name, row in rows.items():
        for pair, figures in row["pairs"].items():
            with_ = row["arms"][pair.split(" / ")[0]]
            cells = " | ".join(_cells(figures.get(kind)) for kind in ("plain", "blue"))
            interval = figures["others_delay_ci95"]
            within = f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
            lines.append(
                f"| {name} | {pair} | {figures['all']['missions']} | {cells} | "
                f"{figures['others_delay']:.3f}{within} | {with_['unsafe_states']} |"
            )
    head = (
        "| scenario | arm | others' delay, s | arrivals predicted, mean absolute error | bias | not arrived |"
    )
    lines += ["", head, "|---|---|---:|---:|---:|---:|"]
    for name, row in rows.items():
        for arm, figures in row["arms"].items():
            seen = figures["prediction"]
            error = "– | –" if "share" not in seen else f"{seen['share']:.1%} | {seen['bias']:+.1%}"
            lines.append(
                f"| {name} | {arm} | {figures['others_delay_s']} | {error.replace('%', ' %')} | "
                f"{figures['not_arrived']} |"
            )
    asked = f"Asked: {PLAN_TARGET} of the plan, {SIGNALS_TARGET} of the signals brain, others at most "
    lines += ["", f"{asked}{OTHERS_TARGET}, predictions within {100 * PREDICTION_TARGET:.0f} %."]
    commits = sorted({commit for row in rows.values() for commit in row["commits"]})
    lines += ["", "Runs by commit " + ", ".join(commits) + "."]
    return "\n".join(lines) + "\n"


def _cells(figures: dict[str, Any] | None) -> str:
    if figures is None:
        return "– | – | –"
    low, high = figures["ci95"]
    won = "–" if figures["won"] is None else f"{figures['won']:.2f}"
    return f"{figures['median']:.2f} ({low:.2f} to {high:.2f}) | {figures['free']:.2f} | {won}"


if __name__ == "__main__":
    sys.exit(main())
