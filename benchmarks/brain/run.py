"""The control `brain` beside max pressure and the city's own plan: see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from first_controls.run import SCENARIOS, Lines, condense, delay_cell, made_by  # noqa: E402

from civicbrain.evaluate.plan import StudyOptions  # noqa: E402
from civicbrain.evaluate.storage import write_atomically  # noqa: E402
from civicbrain.evaluate.study import run_study  # noqa: E402

CONTROLS = ("fixed", "max-pressure", "brain")
CLAIM_SEEDS = 10
TARGET = 0.85
BEST_KNOWN_S = {
    "cologne1": 17.1, "cologne3": 19.5, "cologne8": 19.1, "ingolstadt1": 14.3, "ingolstadt7": 29.2,
    "ingolstadt21": 72.4, "grid4x4": 33.0, "arterial4x4": 713.0, "hangzhou_gudang": 45.1,
}  # fmt: skip
"""Best entry of each row of the design's table: simple rules, one that knows every vehicle's next movement
among them. SUMO 1.28, seeds 1 to 3."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", action="append", help="only this one; repeat for several")
    parser.add_argument("--also", action="append", default=[], help="a CityFlow folder or .sumocfg")
    parser.add_argument("--seeds", type=int, default=CLAIM_SEEDS)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    file = HERE / "results.json"
    rows: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else {}
    for scenario in [*(arguments.scenario or SCENARIOS), *arguments.also]:
        name = Path(scenario).name
        options = StudyOptions(controls=CONTROLS, seeds=tuple(range(1, arguments.seeds + 1)))
        study = run_study(
            [scenario], options, HERE / "studies" / name, jobs=arguments.jobs, progress=Lines(scenario)
        )[0]
        rows[name] = condense(study)
        # after each scenario: hours of work show what they have found so far
        write_atomically(file, (json.dumps(rows, indent=1) + "\n").encode())
        write_atomically(HERE / "results.md", table(rows).encode())
    print(table(rows))
    misses = [name for name, row in rows.items() if not met(name, row)]
    print("missed on " + ", ".join(misses) if misses else "every target is met")
    return 1 if misses else 0


def met(name: str, row: dict[str, Any]) -> bool:
    """The target of one scenario, safety included."""
    ours = row["controls"]["brain"]
    sound = not (ours["unsafe_states"] or ours["deadlocks"] or ours["collisions"] or row["failures"])
    best = BEST_KNOWN_S.get(name)
    return sound and (best is None or ours["mean_delay_s"]["mean"] <= TARGET * best)


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Markdown: mean delay with half its interval, and where the target is missed."""
    lines = [
        "Mean delay, s per vehicle due, ± half of the 95 % interval over seeds.",
        "",
        f"| scenario (vehicles due) | seeds | {' | '.join(CONTROLS)} | target | met | deadlocks, unsafe |",
        "|---|---|" + "---:|" * (len(CONTROLS) + 1) + "---|---|",
    ]
    for name, row in rows.items():
        cells = [delay_cell(row["controls"][control]) for control in CONTROLS]
        best, ours = BEST_KNOWN_S.get(name), row["controls"]["brain"]
        lines.append(
            f"| {name} ({row['vehicles_due']}) | {row['seeds']} | {' | '.join(cells)} | "
            f"{'–' if best is None else f'{TARGET * best:.1f}'} | {'yes' if met(name, row) else '**no**'} | "
            f"{ours['deadlocks']}, {ours['unsafe_states']} |"
        )
    return "\n".join([*lines, "", made_by(rows.values())]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
