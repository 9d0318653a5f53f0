"""Fixed plans: `retime` and `plan-change` against the city's own plan. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from civicbrain.evaluate.plan import StudyOptions
from civicbrain.evaluate.retime.records import Measured
from civicbrain.evaluate.retime.study import RetimingOptions, parse_count_seeds, run_retiming
from civicbrain.evaluate.storage import write_atomically
from civicbrain.evaluate.study import run_study
from civicbrain.science.statistics import estimate_mean, estimate_paired_ratio

HERE = Path(__file__).parent
SCENARIOS = ("cologne1", "cologne3", "cologne8", "ingolstadt1", "ingolstadt7", "grid4x4")
CONTROL = "plan-change"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", action="append", help="only this one; repeat for several")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="cologne1, two seeds; writes into studies/ only")
    arguments = parser.parse_args()
    scenarios = ["cologne1"] if arguments.quick else arguments.scenario or SCENARIOS
    seeds = tuple(range(1, (2 if arguments.quick else arguments.seeds) + 1))
    place = HERE / "studies" if arguments.quick or arguments.scenario else HERE
    place.mkdir(exist_ok=True)
    rows: list[dict[str, Any]] = []
    for scenario in scenarios:
        rows.append(one(scenario, seeds, arguments.jobs))
        write_atomically(place / "results.json", (json.dumps(rows, indent=1) + "\n").encode())
        write_atomically(place / "results.md", table(rows).encode())
        print(table(rows[-1:]).splitlines()[-3], file=sys.stderr)
    print(table(rows))
    objections = [text for row in rows for text in check(row)]
    print("\n".join(objections) or "every target is met")
    return 1 if objections else 0


def one(scenario: str, seeds: tuple[int, ...], jobs: int) -> dict[str, Any]:
    """Both of one scenario: the plan made from the seeds 101 to 103, tested on `seeds`."""
    options = RetimingOptions(seeds=seeds, count_seeds=parse_count_seeds(seeds), jobs=jobs)
    retiming = run_retiming(scenario, HERE / "studies" / scenario / "retimed", options)
    measured = retiming.measured
    assert isinstance(measured, Measured)
    study = run_study(
        [scenario],
        StudyOptions(controls=(CONTROL,), seeds=seeds),
        HERE / "studies" / scenario / CONTROL,
        jobs=jobs,
    )[0]
    ours = [run.mean_delay_s or 0.0 for run in study.runs]
    fixed = measured.before_s
    return {
        "scenario": scenario,
        "seeds": len(seeds),
        "sumo_version": retiming.sumo_version,
        "civicbrain_version": retiming.civicbrain_version,
        "counts": retiming.counts,
        "fixed": delay(fixed),
        "retime": {
            **delay(measured.after_s),
            "ratio": ratio(measured.after_s, fixed),
            "cycles_s": [sorted({j.periods[k].after.cycle_s for j in retiming.junctions})
                         for k in range(len(retiming.periods))],
            "periods": len(retiming.periods),
            "unsafe_states": measured.unsafe_states_after,
            "deadlocks": measured.deadlocks_after,
        },
        CONTROL: {
            **delay(ours),
            "ratio": ratio(ours, fixed) if len(ours) == len(fixed) else None,
            "unsafe_states": sum(run.unsafe_states for run in study.runs),
            "deadlocks": sum(run.deadlock for run in study.runs),
            "refused_requests": sum(run.refused_requests for run in study.runs),
            "collisions": sum(run.collisions for run in study.runs),
        },
        "failures": [f"{f.control}, seed {f.seed}: {f.reason}" for f in study.failures],
    }  # fmt: skip


def delay(values: list[float]) -> dict[str, Any]:
    found = estimate_mean(values)
    half = None if found.interval is None else round((found.interval[1] - found.interval[0]) / 2.0, 2)
    return {"mean_delay_s": round(found.mean, 2), "half_interval_s": half}


def ratio(values: list[float], fixed: list[float]) -> dict[str, Any]:
    found = estimate_paired_ratio(values, fixed)
    return {
        "mean": round(found.mean, 3),
        "ci95": None if found.interval is None else [round(bound, 3) for bound in found.interval],
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    lines = [
        "Mean delay, s per vehicle due, ± half of the 95 % interval over seeds; ratio to the own plan.",
        "",
        f"| scenario | seeds | fixed | retime | {CONTROL} | retime / fixed | {CONTROL} / fixed |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        cells = [text(row[name]) for name in ("fixed", "retime", CONTROL)]
        cells += [
            f"{row[name]['ratio']['mean']:.2f}" if row[name]["ratio"] else "–" for name in ("retime", CONTROL)
        ]
        lines.append(f"| {row['scenario']} | {row['seeds']} | {' | '.join(cells)} |")
    if rows:
        lines += [
            "",
            f"SUMO {rows[0]['sumo_version']}, Civic Brain {rows[0]['civicbrain_version']}, camera sensing.",
        ]
    return "\n".join(lines) + "\n"


def text(figures: dict[str, Any]) -> str:
    half = figures["half_interval_s"]
    return f"{figures['mean_delay_s']:.1f}" + (f" ± {half:.1f}" if half is not None else "")


def check(row: dict[str, Any]) -> list[str]:
    """The targets that a scenario misses: both below the city's own plan, nothing unsafe."""
    found = []
    for name in ("retime", CONTROL):
        figures = row[name]
        if figures["ratio"] is None or figures["ratio"]["mean"] >= 1.0:
            found.append(f"{row['scenario']}: {name} is not below the city's own plan")
        if figures["unsafe_states"] or figures["deadlocks"]:
            found.append(f"{row['scenario']}: {name}: unsafe states or deadlocks")
    return found + [f"{row['scenario']}: {failure}" for failure in row["failures"]]


if __name__ == "__main__":
    sys.exit(main())
