"""Vehicles served in Nanchang before the delay index reaches 1.40: see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from civicbrain.evaluate.plan import RunTask, StudyOptions, parse_seeds
from civicbrain.evaluate.records import Evaluation, Failure, RunFile, RunRecord
from civicbrain.evaluate.storage import write_atomically
from civicbrain.evaluate.study import run_study
from civicbrain.science.statistics import estimate_paired_ratio
from civicbrain.twin.delay_index import LIMIT

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "shared" / "scenarios" / "nanchang"
CONTROLS = ("fixed", "plain-pressure", "max-pressure", "brain")
OURS = "brain"
TARGETS = {"plain-pressure": 1.15, "max-pressure": 1.15, "fixed": 1.30}
"""Vehicles served by ours, at least so many times those of the control."""
KEPT = (
    "control", "seed", "vehicles_served", "delay_index", "delay_index_reached_s", "departed", "arrived",
    "undeparted", "mean_delay_s", "collisions", "unsafe_states", "deadlock", "refused_requests", "wall_s",
    "sim_s_per_wall_s", "decision_ms_p50", "decision_ms_p99",
)  # fmt: skip


class Lines:
    """One line a run on stderr."""

    def start(self, total: int, finished_before: int) -> None:
        print(f"{finished_before} of {total} runs are there", file=sys.stderr)

    def done(self, task: RunTask, outcome: RunFile | Failure) -> None:
        if isinstance(outcome, Failure):
            text = outcome.reason
        else:
            run = outcome.run
            text = f"{run.vehicles_served} served, index {run.delay_index or 0.0:.3f}, {run.wall_s:.0f} s"
        print(f"{task.control.name}, seed {task.seed}: {text}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default=str(DATA), help="folder with roadnet.txt and flow.txt")
    parser.add_argument("--control", action="append", help="only this one; repeat for several")
    parser.add_argument("--seeds", default="1,", help="3 runs the seeds 1 to 3; 1,4 runs those two")
    parser.add_argument("--limit", type=float, default=LIMIT)
    parser.add_argument("--end", type=float, help="a shorter window, s: to try it out")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    if not (Path(arguments.folder) / "roadnet.txt").is_file():
        print(f"no roadnet.txt in {arguments.folder}: give the folder of the contest's data", file=sys.stderr)
        return 2
    options = StudyOptions(
        controls=tuple(arguments.control or CONTROLS),
        seeds=parse_seeds(arguments.seeds),
        end_s=arguments.end,
        delay_index_limit=arguments.limit,
        stop_at_limit=True,
    )
    study = run_study([arguments.folder], options, HERE / "studies", jobs=arguments.jobs, progress=Lines())[0]
    results = condense(study, arguments.limit)
    print(table(results))
    claim = arguments.control is None and arguments.end is None and arguments.limit == LIMIT
    if claim and not study.failures:  # what is committed is never a trial
        write_atomically(HERE / "results.json", (json.dumps(results, indent=1) + "\n").encode())
        write_atomically(HERE / "results.md", table(results).encode())
    misses = objections(results) if claim else results["failures"]
    print("\n".join(misses) or "nothing is missed")
    return 1 if misses else 0


def condense(study: Evaluation, limit: float) -> dict[str, Any]:
    """What is committed of a study."""
    served = {(run.control, run.seed): run.vehicles_served for run in study.runs}
    ratios: dict[str, Any] = {}
    for other in study.summary:
        pairs = [
            (float(ours), float(theirs))
            for seed in study.seeds
            if (ours := served.get((OURS, seed))) and (theirs := served.get((other, seed)))
        ]
        if other == OURS or not pairs:
            continue
        estimate = estimate_paired_ratio([a for a, _ in pairs], [b for _, b in pairs])
        ratios[other] = {"mean": estimate.mean, "ci95": estimate.interval, "seeds": len(pairs)}
    return {
        "scenario": study.scenario,
        "limit": limit,
        "window_s": [study.begin_s, study.end_s],
        "seeds": study.seeds,
        "sensing": study.sensing,
        "sumo_version": study.sumo_version,
        "civicbrain_version": study.civicbrain_version,
        "served_ratio": ratios,
        "runs": [_row(run) for run in study.runs],
        "failures": [f"{f.control}, seed {f.seed}: {f.reason}" for f in study.failures],
    }


def _row(run: RunRecord) -> dict[str, Any]:
    values = {name: getattr(run, name) for name in KEPT}
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}


def table(results: dict[str, Any]) -> str:
    """Markdown: one line a run, and the ratios."""
    lines = [
        f"Vehicles that entered before the delay index reached {results['limit']:g}, looked at every 20 s.",
        "",
        "| control | seed | served | reached at s | index | arrived | collisions, unsafe, lock | wall s |",
        "|---|---:|---:|---:|---:|---:|---|---:|",
    ]
    for run in results["runs"]:
        second = run["delay_index_reached_s"]
        reached = "not" if second is None else f"{second:g}"
        lines.append(
            f"| {run['control']} | {run['seed']} | {run['vehicles_served']} | "
            f"{reached} | {run['delay_index']:.3f} | {run['arrived']} | "
            f"{run['collisions']}, {run['unsafe_states']}, {'yes' if run['deadlock'] else 'no'} | "
            f"{run['wall_s']:.0f} |"
        )
    lines.append("")
    for name, ratio in results["served_ratio"].items():
        text = f"{OURS} serves {ratio['mean']:.3f} times the vehicles of {name}"
        if ratio["ci95"]:
            text += f" (95 %: {ratio['ci95'][0]:.3f} to {ratio['ci95'][1]:.3f})"
        lines.append(f"- {text}, {ratio['seeds']} seeds.")
    lines.append(f"- SUMO {results['sumo_version']}, {results['sensing']} sensing.")
    return "\n".join(lines) + "\n"


def objections(results: dict[str, Any]) -> list[str]:
    """The targets that are missed."""
    found = list(results["failures"])
    for name, target in TARGETS.items():
        ratio = results["served_ratio"].get(name)
        if ratio is None or ratio["mean"] < target:
            said = "unknown" if ratio is None else f"{ratio['mean']:.3f}"
            found.append(f"{OURS} / {name}: {said}, not {target}")
    for run in results["runs"]:
        if run["control"] == OURS and (run["unsafe_states"] or run["collisions"] or run["deadlock"]):
            found.append(f"{OURS}, seed {run['seed']}: unsafe states, collisions or a deadlock")
        if run["delay_index_reached_s"] is None:
            found.append(
                f"{run['control']}, seed {run['seed']}: the index never reached the limit; "
                "the demand of the file is no test of it"
            )
    return found


if __name__ == "__main__":
    sys.exit(main())
