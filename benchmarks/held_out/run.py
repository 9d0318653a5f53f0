"""The control `brain` in cities that it was never tried on: see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from first_controls.run import Lines, condense, delay_cell, made_by  # noqa: E402

from civicbrain.core.errors import CivicBrainError  # noqa: E402
from civicbrain.evaluate.plan import StudyOptions  # noqa: E402
from civicbrain.evaluate.records import Evaluation, Paired  # noqa: E402
from civicbrain.evaluate.storage import write_atomically  # noqa: E402
from civicbrain.evaluate.study import resolve_city, run_study  # noqa: E402
from civicbrain.evaluate.summary import compare  # noqa: E402

OURS = "brain"
AGAINST = ("fixed", "actuated")
CONTROLS = (*AGAINST, "max-pressure", OURS)
TARGET = 0.8
CLAIM_SEEDS = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "scenario", nargs="*", type=Path, help=".sumocfg files; none: only judge what is there"
    )
    parser.add_argument("--seeds", type=int, default=CLAIM_SEEDS)
    parser.add_argument("--seconds", type=float, help="only so much of the window; results in studies/ only")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    place = HERE if arguments.seconds is None else HERE / "studies"
    place.mkdir(exist_ok=True)
    file = place / "results.json"
    rows: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    if not (arguments.scenario or rows):
        parser.error("no city given and none measured before; README.md says where to get some")
    for scenario in arguments.scenario:
        name = label(scenario)
        try:
            rows[name] = measure(scenario, name, arguments)
        except CivicBrainError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2
        # after each city: hours of work show what they have found so far
        write_atomically(file, (json.dumps(rows, indent=1) + "\n").encode())
        write_atomically(place / "results.md", table(rows).encode())
    print(table(rows))
    found = [text for name, row in rows.items() for text in misses(name, row)]
    print("\n".join(found) or "every target is met")
    return 1 if found else 0


def label(scenario: Path) -> str:
    """Most configurations are called "run": the folder says which city it is."""
    return scenario.absolute().parent.name if scenario.suffix == ".sumocfg" else scenario.name


def measure(scenario: Path, name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Run one city; its row of results.json."""
    end_s = None
    if arguments.seconds is not None:
        end_s = resolve_city(scenario).demand.begin_s + arguments.seconds
    options = StudyOptions(controls=CONTROLS, seeds=tuple(range(1, arguments.seeds + 1)), end_s=end_s)
    study = run_study(
        [scenario], options, HERE / "studies" / name, jobs=arguments.jobs, progress=Lines(name)
    )[0]
    row = condense(study) | {"scenario": name, "source": "/".join(scenario.absolute().parts[-3:])}
    row["window_s"] = [study.begin_s, study.end_s]
    row["ratio"] = {reference: _ratio(compared(study, reference)) for reference in AGAINST}
    return row


def compared(study: Evaluation, reference: str) -> Paired:
    """Ours against another control, paired by seed."""
    return compare(study.runs, [reference, OURS], reference)[OURS]


def _ratio(pair: Paired) -> dict[str, Any]:
    return {
        "mean": None if pair.delay_ratio is None else round(pair.delay_ratio, 4),
        "ci95": None if pair.ci95 is None else [round(bound, 4) for bound in pair.ci95],
    }


def misses(name: str, row: dict[str, Any]) -> list[str]:
    """What one city misses, in words. Collisions and deadlocks are counted against the city's own plan: some
    of these networks have them whatever the signals show."""
    ours, plan = row["controls"].get(OURS), row["controls"].get("fixed")
    found = [f"{name}: {failure}" for failure in row["failures"]]
    if ours is None or plan is None:
        return [*found, f"{name}: {OURS} or the fixed plan did not finish"]
    if ours["unsafe_states"]:
        found.append(f"{name}: {ours['unsafe_states']} unsafe states")
    for key in ("collisions", "deadlocks"):
        if ours[key] > plan[key]:
            found.append(f"{name}: {ours[key]} {key}, {plan[key]} under the city's plan")
    for reference in AGAINST:
        ratio = row["ratio"][reference]["mean"]
        if ratio is None or ratio > TARGET:
            found.append(f"{name}: delay is {ratio} times that of {reference}, at most {TARGET} is asked")
    return found


def table(rows: dict[str, Any]) -> str:
    """Markdown: mean delay with half its interval, both ratios, and what happened."""
    lines = [
        "Mean delay, s per vehicle due, ± half of the 95 % interval over seeds; ratios paired by seed.",
        "",
        f"| city (vehicles due) | seeds | {' | '.join(CONTROLS)} | / fixed | / actuated | met | deadlocks |",
        "|---|---:|" + "---:|" * (len(CONTROLS) + 2) + "---|---|",
    ]
    for name, row in rows.items():
        cells = [delay_cell(row["controls"].get(control)) for control in CONTROLS]
        ratios = [row["ratio"][reference]["mean"] for reference in AGAINST]
        cells += ["–" if ratio is None else f"{ratio:.2f}" for ratio in ratios]
        cells.append("**no**" if misses(name, row) else "yes")
        locks = [str(row["controls"].get(control, {}).get("deadlocks", "–")) for control in CONTROLS]
        cells.append(", ".join(locks))
        lines.append(f"| {name} ({row['vehicles_due']}) | {row['seeds']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", made_by(rows.values())]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
