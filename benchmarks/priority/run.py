"""Emergency missions with priority and without: see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

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
        city = open_city(scenario, STUDIES)
        tasks = make_tasks(city, arguments.missions, arguments.arm or list(ARMS))
        named = [(f"{task.arm.name}-{task.seed}-{len(task.trips)}", task) for task in tasks]
        studies = STUDIES / Path(scenario).name
        runs = run_all(studies, city, missions, named, run_missions, MissionRunRecord, said, arguments.jobs)
        rows[Path(scenario).name] = summarise_missions(runs, city.demand.end_s)
        # after each scenario: hours of work show what they have found so far
        write_atomically(file, (json.dumps(rows, indent=1) + "\n").encode())
        write_atomically(HERE / "results.md", table(rows).encode())
    print(table(rows))
    return 0


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
