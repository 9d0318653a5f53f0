"""What gaps and faults cost a control, against the fixed plan: see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from fault_cases import BASE, Case, make_cases  # noqa: E402
from first_controls.run import Lines  # noqa: E402

from civicbrain.evaluate.plan import StudyOptions  # noqa: E402
from civicbrain.evaluate.records import Evaluation, RunRecord  # noqa: E402
from civicbrain.evaluate.storage import write_atomically  # noqa: E402
from civicbrain.evaluate.study import resolve_city, run_study  # noqa: E402
from civicbrain.evaluate.summary import compare  # noqa: E402

SCENARIOS = ("cologne1", "cologne8", "ingolstadt7", "grid4x4")
CONTROL = "brain"
PLAN = "fixed"
CLAIM_SEEDS = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", action="append", help="only this one; repeat for several")
    parser.add_argument("--also", action="append", default=[], help="a CityFlow folder or .sumocfg")
    parser.add_argument("--control", default=CONTROL)
    parser.add_argument("--seeds", type=int, default=3, help="seeds 1 to N; 10 make a claim")
    parser.add_argument(
        "--case", action="append", help="only this one (base is always run); repeat for several"
    )
    parser.add_argument("--seconds", type=float, help="only so much of the window; results in studies/ only")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    whole = arguments.control == CONTROL and arguments.seconds is None and not arguments.case
    place = HERE if whole else HERE / "studies"
    place.mkdir(exist_ok=True)
    file = place / "results.json"
    rows: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    for scenario in [*(arguments.scenario or SCENARIOS), *arguments.also]:
        name = Path(scenario).name
        rows[name] = measure(scenario, arguments)
        # after each scenario: hours of work show what they have found so far
        write_atomically(file, (json.dumps(rows, indent=1) + "\n").encode())
        write_atomically(place / "results.md", table(rows).encode())
    print(table(rows))
    found = [text for name, row in rows.items() for text in misses(name, row)]
    print("\n".join(found) or "every target is met")
    return 1 if found else 0


def measure(scenario: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Run all cases of a scenario; its row of results.json."""
    city = resolve_city(scenario)
    demand, folder = city.demand, HERE / "studies" / Path(scenario).name
    end_s = demand.end_s if arguments.seconds is None else demand.begin_s + arguments.seconds
    folder.mkdir(parents=True, exist_ok=True)
    cases = make_cases(city, demand.begin_s, end_s, folder)
    if arguments.case:
        cases = [case for case in cases if case is BASE or case.name in arguments.case]
    control = arguments.control
    row: dict[str, Any] = {"control": control, "seeds": arguments.seeds, "cases": {}}
    base: Evaluation | None = None
    for case in cases:
        controls = (PLAN, control) if case.on_street or base is None else (control,)
        options = StudyOptions(
            controls=controls,
            seeds=tuple(range(1, arguments.seeds + 1)),
            begin_s=demand.begin_s,
            end_s=end_s,
        )
        study = run_study(
            [case.city or scenario],
            replace(options, **case.changes),
            folder / case.name.replace(" ", "-").replace(",", ""),
            jobs=arguments.jobs,
            progress=Lines(f"{city.name}, {case.name}"),
        )[0]
        if base is None:
            base = study
            row["vehicles_due"] = max((run.vehicles_due for run in study.runs), default=0)
            row["sumo_version"], row["civicbrain_version"] = study.sumo_version, study.civicbrain_version
        row["cases"][case.name] = condense(case, study, base, control)
    return row


def condense(case: Case, study: Evaluation, base: Evaluation, control: str) -> dict[str, Any]:
    """What is committed of a case. The fixed plan, which no camera can disturb, is taken from `base`."""
    ours = _runs(study, control)
    plan = _runs(study, PLAN) or _runs(base, PLAN)
    return {
        "note": case.note,
        "delay_s": _mean(ours),
        "fixed_delay_s": _mean(plan),
        "to_fixed": _ratio(ours, plan),
        "to_base": None if study is base else _ratio(ours, _runs(base, control)),
        "most_to_fixed": case.to_fixed,
        "most_to_base": case.to_base,
        "max_waiting_s": max((run.max_waiting_s or 0.0 for run in ours), default=None),
        "unsafe_states": sum(run.unsafe_states for run in ours),
        "collisions": sum(run.collisions for run in ours),
        "deadlocks": sum(run.deadlock for run in ours),
        "fixed_deadlocks": sum(run.deadlock for run in plan),
        "failures": [f"{f.control}, seed {f.seed}: {f.reason}" for f in study.failures],
    }


def _runs(study: Evaluation, control: str) -> list[RunRecord]:
    return [run for run in study.runs if run.control == control]


def _mean(runs: Sequence[RunRecord]) -> float | None:
    delays = [run.mean_delay_s for run in runs if run.mean_delay_s is not None]
    return round(sum(delays) / len(delays), 2) if delays else None


def _ratio(ours: Sequence[RunRecord], reference: Sequence[RunRecord]) -> dict[str, Any]:
    """Paired by seed."""
    runs = [msgspec.structs.replace(run, control="ours") for run in ours]
    runs += [msgspec.structs.replace(run, control="reference") for run in reference]
    pair = compare(runs, ["reference", "ours"], "reference")["ours"]
    return {
        "mean": None if pair.delay_ratio is None else round(pair.delay_ratio, 3),
        "ci95": None if pair.ci95 is None else [round(bound, 3) for bound in pair.ci95],
    }


def misses(name: str, row: dict[str, Any]) -> list[str]:
    """What a scenario misses, in words. Where the fixed plan deadlocks under a fault, the control may too."""
    found = []
    for case, one in row["cases"].items():
        place = f"{name}, {case}"
        found += [f"{place}: {failure}" for failure in one["failures"]]
        found += [f"{place}: {key} is {one[key]}" for key in ("unsafe_states", "collisions") if one[key]]
        if one["deadlocks"] > one["fixed_deadlocks"]:
            found.append(f"{place}: {one['deadlocks']} deadlocks, fixed plan {one['fixed_deadlocks']}")
        for against, most in (("fixed", one["most_to_fixed"]), ("base", one["most_to_base"])):
            if most is None:
                continue
            ratio = (one[f"to_{against}"] or {}).get("mean")
            if ratio is None or ratio > most:
                reference = "the fixed plan" if against == "fixed" else "itself without the fault"
                found.append(f"{place}: delay is {ratio} times that of {reference}, at most {most} is asked")
    return found


def table(rows: dict[str, Any]) -> str:
    """Markdown: delay, ratios with 95 % intervals, targets."""
    lines = [
        "Mean delay, s per vehicle due; ratios paired by seed, with 95 % intervals.",
        "",
        "| scenario | case | seeds | fixed | control | / fixed | asked | / without | asked | met |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for name, row in rows.items():
        for case, one in row["cases"].items():
            met = not misses(name, {"cases": {case: one}})
            cells = [
                f"{name} ({row['vehicles_due']})",
                case,
                str(row["seeds"]),
                _number(one["fixed_delay_s"]),
                _number(one["delay_s"]),
                _with_interval(one["to_fixed"]),
                _asked(one["most_to_fixed"]),
                _with_interval(one["to_base"]),
                _asked(one["most_to_base"]),
                "yes" if met else "**no**",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    made_by = sorted(
        {(row["control"], row["sumo_version"], row["civicbrain_version"]) for row in rows.values()}
    )
    lines += ["", *(f"Control {c}, SUMO {sumo}, Civic Brain {ours}." for c, sumo, ours in made_by)]
    return "\n".join(lines) + "\n"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _asked(value: float | None) -> str:
    return "–" if value is None else f"≤ {value:g}"


def _with_interval(ratio: dict[str, Any] | None) -> str:
    if ratio is None or ratio["mean"] is None:
        return "–"
    text = f"{ratio['mean']:.2f}"
    return text if ratio["ci95"] is None else f"{text} ({ratio['ci95'][0]:.2f}–{ratio['ci95'][1]:.2f})"


if __name__ == "__main__":
    sys.exit(main())
