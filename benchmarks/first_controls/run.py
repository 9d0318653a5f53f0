"""Nine scenarios, four controls, ten seeds: see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from civicbrain.evaluate.plan import RunTask, StudyOptions
from civicbrain.evaluate.records import Evaluation, Failure, RunFile
from civicbrain.evaluate.storage import write_atomically
from civicbrain.evaluate.study import run_study

HERE = Path(__file__).parent
SCENARIOS = (
    "cologne1", "cologne3", "cologne8", "ingolstadt1", "ingolstadt7", "ingolstadt21",
    "grid4x4", "arterial4x4",
)  # fmt: skip
BASELINES = ("fixed", "actuated", "delay-based")
OURS = "max-pressure"
CLAIM_SEEDS = 10

# SUMO 1.28 alone, measured before this program existed (design document)
COLOGNE8_FIXED_S, COLOGNE8_ACTUATED_S, COLOGNE8_OURS_AT_MOST_S = 49.0, 43.6, 30.0
AT_MOST_TIMES_BEST_BASELINE = 1.1


class Lines:
    """One line a run on stderr, so that a log of hours can be read."""

    def __init__(self, scenario: str) -> None:
        self.scenario = scenario
        self.count = self.total = 0

    def start(self, total: int, finished_before: int) -> None:
        self.total, self.count = total, finished_before

    def done(self, task: RunTask, outcome: RunFile | Failure) -> None:
        self.count += 1
        text = outcome.reason if isinstance(outcome, Failure) else f"{outcome.run.mean_delay_s:.1f} s/veh"
        place = f"{self.scenario} {self.count}/{self.total}"
        print(f"{place}: {task.control.name}, seed {task.seed}: {text}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", action="append", help="only this one; repeat for several")
    parser.add_argument("--also", action="append", default=[], help="a CityFlow folder or .sumocfg")
    parser.add_argument("--seeds", type=int, default=CLAIM_SEEDS)
    parser.add_argument(
        "--seeds-of", action="append", default=[], metavar="SCENARIO=N", help="another number for this one"
    )
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    seeds_of = {name: int(number) for name, _, number in (text.partition("=") for text in arguments.seeds_of)}

    whole = arguments.seeds >= CLAIM_SEEDS and not arguments.scenario
    place = HERE if whole else HERE / "studies"
    place.mkdir(exist_ok=True)
    rows: list[dict[str, Any]] = []
    failed = False
    for scenario in [*(arguments.scenario or SCENARIOS), *arguments.also]:
        name = Path(scenario).name
        folder = HERE / "studies" / name
        seeds = tuple(range(1, seeds_of.get(name, arguments.seeds) + 1))
        options = StudyOptions(controls=(*BASELINES, OURS), seeds=seeds)
        study = run_study([scenario], options, folder, jobs=arguments.jobs, progress=Lines(scenario))[0]
        rows.append(condense(study))
        failed |= bool(study.failures)
        # after each scenario: hours of work show what they have found so far
        write_atomically(place / "results.json", (json.dumps(rows, indent=1) + "\n").encode())
        write_atomically(place / "results.md", table(rows).encode())
    if whole:
        into_readme(table(rows))
    print(table(rows))
    objections = [objection for row in rows for objection in check(row)]
    print("\n".join(objections) or "every target is met")
    return 1 if objections or failed else 0


def into_readme(text: str) -> None:
    """Put the table between the README's markers."""
    readme = HERE.parents[1] / "README.md"
    page = readme.read_text("utf-8")
    head, begin, rest = page.partition("<!-- results:first_controls -->\n")
    _, end, tail = rest.partition("<!-- end -->")
    if begin and end:
        readme.write_text(f"{head}{begin}{text}{end}{tail}", "utf-8")


def condense(study: Evaluation) -> dict[str, Any]:
    """What is committed of a study: a few hundred bytes a control."""
    controls: dict[str, Any] = {}
    for name, summary in study.summary.items():
        mine = [run for run in study.runs if run.control == name]
        controls[name] = {
            "runs": len(mine),
            "mean_delay_s": _rounded(summary["mean_delay_s"].mean, summary["mean_delay_s"].ci95),
            "mean_travel_time_s": _rounded(
                summary["mean_travel_time_s"].mean, summary["mean_travel_time_s"].ci95
            ),
            "arrived": round(summary["arrived"].mean or 0.0, 1),
            "undeparted": round(summary["undeparted"].mean or 0.0, 1),
            "max_waiting_s": max((run.max_waiting_s or 0.0 for run in mine), default=0.0),
            "co2_kg": round(summary["co2_kg"].mean or 0.0, 1),
            "refused_requests": sum(run.refused_requests for run in mine),
            "unsafe_states": sum(run.unsafe_states for run in mine),
            "collisions": sum(run.collisions for run in mine),
            "deadlocks": sum(run.deadlock for run in mine),
            "wall_s": round(summary["wall_s"].mean or 0.0, 2),
            "decision_ms_p99": round(summary["decision_ms_p99"].mean or 0.0, 3),
        }
    return {
        "scenario": study.scenario,
        "vehicles_due": max((run.vehicles_due for run in study.runs), default=0),
        "seeds": len(study.seeds),
        "sensing": study.sensing,
        "sumo_version": study.sumo_version,
        "civicbrain_version": study.civicbrain_version,
        "controls": controls,
        "ratio_to_fixed": {
            name: _rounded(pair.delay_ratio, pair.ci95, 4) for name, pair in study.paired.items()
        },
        "failures": [f"{f.control}, seed {f.seed}: {f.reason}" for f in study.failures],
    }


def _rounded(mean: float | None, interval: tuple[float, float] | None, digits: int = 2) -> dict[str, Any]:
    return {
        "mean": None if mean is None else round(mean, digits),
        "ci95": None if interval is None else [round(bound, digits) for bound in interval],
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: mean delay with half its interval, and max-pressure against the best baseline."""
    names = [*BASELINES, OURS]
    lines = [
        "Mean delay, s per vehicle due, ± half of the 95 % interval over seeds.",
        "",
        f"| scenario (vehicles due) | seeds | {' | '.join(names)} | {OURS} / best baseline |",
        "|---|---:|" + "---:|" * (len(names) + 1),
    ]
    for row in rows:
        cells = []
        for name in names:
            cells.append(delay_cell(row["controls"].get(name)))
        ratio = best_ratio(row)
        cells.append("–" if ratio is None else f"{ratio:.2f}")
        lines.append(f"| {row['scenario']} ({row['vehicles_due']}) | {row['seeds']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", made_by(rows)]) + "\n"


def delay_cell(control: Mapping[str, Any] | None) -> str:
    """Mean delay with half of its interval, of a control as `condense` says it."""
    if control is None or control["mean_delay_s"]["mean"] is None:
        return "–"
    delay = control["mean_delay_s"]
    half = f" ± {(delay['ci95'][1] - delay['ci95'][0]) / 2:.1f}" if delay["ci95"] else ""
    return f"{delay['mean']:.1f}{half}"


def made_by(rows: Iterable[Mapping[str, Any]]) -> str:
    """The versions that results come from."""
    versions = sorted({(row["sumo_version"], row["civicbrain_version"]) for row in rows})
    made = "; ".join(f"SUMO {sumo}, Civic Brain {ours}" for sumo, ours in versions)
    return f"{made}, camera sensing." if made else "Not measured yet."


def best_ratio(row: dict[str, Any]) -> float | None:
    """Mean delay of max-pressure over that of the best of the three baselines."""
    delays = {name: one["mean_delay_s"]["mean"] for name, one in row["controls"].items()}
    known = [delays[name] for name in BASELINES if delays.get(name)]
    if not known or delays.get(OURS) is None:
        return None
    return float(delays[OURS] / min(known))


def check(row: dict[str, Any]) -> list[str]:
    """The targets that this scenario misses."""
    name, ours = row["scenario"], row["controls"].get(OURS)
    if ours is None:
        return [f"{name}: {OURS} did not finish"]
    found = [
        f"{name}: {key} is {ours[key]}" for key in ("unsafe_states", "collisions", "deadlocks") if ours[key]
    ]
    ratio = best_ratio(row)
    if ratio is None or ratio > AT_MOST_TIMES_BEST_BASELINE:
        found.append(f"{name}: {OURS} is {ratio} times the best baseline")
    if name == "cologne8":
        delay = {control: one["mean_delay_s"]["mean"] for control, one in row["controls"].items()}
        if abs(delay["fixed"] / COLOGNE8_FIXED_S - 1.0) > 0.02:
            found.append(f"{name}: fixed is {delay['fixed']} s, not within 2 % of {COLOGNE8_FIXED_S} s")
        if abs(delay["actuated"] / COLOGNE8_ACTUATED_S - 1.0) > 0.05:
            found.append(
                f"{name}: actuated is {delay['actuated']} s, not within 5 % of {COLOGNE8_ACTUATED_S} s"
            )
        if delay[OURS] > COLOGNE8_OURS_AT_MOST_S:
            found.append(f"{name}: {OURS} is {delay[OURS]} s, above {COLOGNE8_OURS_AT_MOST_S} s")
    return found + [f"{name}: {failure}" for failure in row["failures"]]


if __name__ == "__main__":
    sys.exit(main())
