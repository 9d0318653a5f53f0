"""How low delay could go on each scenario: see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from civicbrain.evaluate.bound import measure_bound
from civicbrain.evaluate.plan import sumo_version
from civicbrain.twin.importing import resolve_scenario

HERE = Path(__file__).parent
SCENARIOS = (
    "cologne1", "cologne3", "cologne8", "ingolstadt1", "ingolstadt7", "ingolstadt21",
    "grid4x4", "arterial4x4",
)  # fmt: skip
LEVELS = ("free_road_s", "conflicts_s", "open_signals_s", "foresight_s", "plan_in_model_s")
HEADINGS = ("free road", "conflicts", "open signals", "foresight", "plan in the model")
STUDIES = HERE.parent / "first_controls" / "results.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", action="append", help="only this one; repeat for several")
    parser.add_argument("--also", action="append", default=[], help="a CityFlow folder or .sumocfg")
    parser.add_argument("--seeds", type=int, default=1, help="seeds 1 to N")
    arguments = parser.parse_args()
    file = HERE / "results.json"
    rows: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    for scenario in [*(arguments.scenario or SCENARIOS), *arguments.also]:
        city = resolve_scenario(scenario)
        bounds = []
        for seed in range(1, arguments.seeds + 1):
            start = time.perf_counter()
            bounds.append(measure_bound(city.folder, seed, city.demand.begin_s, city.demand.end_s))
            print(
                f"{city.name} seed {seed}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True
            )
        rows[city.name] = {
            "seeds": len(bounds),
            "sumo_version": sumo_version(),
            "vehicles_due": bounds[0].vehicles_due,
            "stop_lines_per_vehicle": bounds[0].stop_lines_per_vehicle,
            **{
                level: round(statistics.fmean(getattr(bound, level) for bound in bounds), 2)
                for level in LEVELS
            },
            "runs": [msgspec.to_builtins(bound) for bound in bounds],
        }
        # after each scenario: minutes of work show what they have found so far
        file.write_text(json.dumps(rows, indent=1) + "\n")
        (HERE / "results.md").write_text(table(rows))
    print(table(rows))
    return 0


def table(rows: dict[str, Any]) -> str:
    """Markdown: the levels, and the simulated plan and best control where first_controls has them."""
    studies = {row["scenario"]: row for row in json.loads(STUDIES.read_text())} if STUDIES.is_file() else {}
    lines = [
        "Mean delay, s per vehicle due.",
        "",
        "| scenario (vehicles due) | "
        + " | ".join([*HEADINGS, "plan in SUMO", "best control of first_controls"])
        + " |",
        "|---|" + "---:|" * 7,
    ]
    for name, row in rows.items():
        cells = [f"{row[level]:.1f}" for level in LEVELS]
        controls = studies.get(name, {}).get("controls", {})
        delays = {control: one["mean_delay_s"]["mean"] for control, one in controls.items()}
        best = min((delay, control) for control, delay in delays.items()) if delays else None
        cells.append(f"{delays['fixed']:.1f}" if "fixed" in delays else "–")
        cells.append(f"{best[0]:.1f} ({best[1]})" if best else "–")
        lines.append(f"| {name} ({row['vehicles_due']}) | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
