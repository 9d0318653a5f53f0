"""Do the controls hold in networks of any shape? See README.md beside this file."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from civicbrain.core.errors import CivicBrainError
from civicbrain.evaluate.plan import StudyOptions
from civicbrain.evaluate.storage import write_atomically
from civicbrain.evaluate.study import run_study
from civicbrain.twin.importing import ImportOptions, import_city
from civicbrain.twin.importing.tools import run_tool

HERE = Path(__file__).parent
CONTROLS = ("fixed", "max-pressure", "brain")
WORST_WAIT_S = 300.0
"""Of one vehicle over its whole way, past several signals; `max_red_s` bounds each of them at 120 s."""

GRID = ("--grid", "--grid.attach-length", "100")
LAYOUTS = {
    "square grid": (*GRID, "--grid.number", "4", "--grid.length", "180"),
    "narrow grid": (*GRID, "--grid.x-number", "5", "--grid.y-number", "3", "--grid.x-length", "90",
                    "--grid.y-length", "250"),
    "spider": ("--spider", "--spider.arm-number", "6", "--spider.circle-number", "3",
               "--spider.space-radius", "150"),
    "grown": ("--rand", "--rand.iterations", "60", "--rand.min-distance", "60", "--rand.max-distance", "220"),
}  # fmt: skip
TWISTS = {
    "left-hand traffic": ("--lefthand",),
    "pavements and crossings": (
        "--sidewalks.guess",
        "--crossings.guess",
        "--sidewalks.guess.from-permissions",
    ),
    "cycle lanes": ("--bikelanes.guess", "--bikelanes.guess.max-speed", "99"),
    "turning lanes": ("--turn-lanes", "1", "--turn-lanes.length", "40"),
    "turning lanes of a metre": ("--turn-lanes", "1", "--turn-lanes.length", "20"),
    "two lanes": ("-L", "2"),
    "three lanes": ("-L", "3"),
    "one to three lanes": ("--random-lanenumber", "-L", "3"),
    "any junction type": ("--random-type",),
    "no turning round": ("--no-turnarounds",),
    "crooked": ("--perturb-x", "norm(0,20)", "--perturb-y", "norm(0,20)"),
    "joined signals": ("--tls.join", "--tls.join-dist", "60"),
    "SUMO's actuated": ("--tls.default-type", "actuated"),
    "delay-based": ("--tls.default-type", "delay_based"),
    "NEMA rings": ("--tls.default-type", "NEMA"),
    "an approach at a time": ("--tls.layout", "incoming"),
    "opposites yield": ("--tls.left-green.time", "0"),
    "all red of 2 s": ("--tls.allred.time", "2"),
    "cycle of 60 s": ("--tls.yellow.time", "3", "--tls.cycle.time", "60"),
    "half offsets": ("--tls.half-offset", "1"),
    "signals grouped": ("--tls.group-signals",),
}
VEHICLES_PER_H = (800, 1500)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=24, help="how many, drawn with seeds from 1 on")
    parser.add_argument("--first", type=int, default=1, help="seed of the first")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    rows = []
    for seed in range(asked.first, asked.first + asked.networks):
        row = measure(seed, asked.minutes, asked.jobs)
        rows.append(row)
        print(line(row), file=sys.stderr, flush=True)
        results = {"minutes": asked.minutes, "networks": rows}
        write_atomically(HERE / "results.json", (json.dumps(results, indent=1) + "\n").encode())
        write_atomically(HERE / "results.md", table(rows).encode())
    print(table(rows))
    misses = [miss for row in rows for miss in objections(row)]
    print("\n".join(misses) or "nothing is missed")
    return 1 if misses else 0


def draw(seed: int) -> tuple[str, list[str], int]:
    """(layout, twists, vehicles an hour) of one network. No two twists set the same option."""
    choice = random.Random(seed)
    layout = choice.choice(list(LAYOUTS))
    twists: list[str] = []
    taken: set[str] = set()
    for twist in choice.sample(list(TWISTS), choice.randint(1, 4)):
        options = {word for word in TWISTS[twist] if word.startswith("-")}
        if not options & taken:
            twists.append(twist)
            taken |= options
    return layout, twists, choice.choice(VEHICLES_PER_H)


def measure(seed: int, minutes: float, jobs: int) -> dict[str, Any]:
    """One network: made, imported as anybody's, run under all controls."""
    layout, twists, vehicles_per_h = draw(seed)
    row: dict[str, Any] = {"seed": seed, "layout": layout, "twists": twists, "vehicles_per_h": vehicles_per_h}
    with tempfile.TemporaryDirectory(prefix="civicbrain-shapes-") as scratch:
        net = Path(scratch) / "shape.net.xml"
        run_tool(
            "netgenerate",
            [*LAYOUTS[layout], "--default-junction-type", "traffic_light", "--seed", str(seed),
             "-o", str(net), *(word for twist in twists for word in TWISTS[twist])],
            place=f"network {seed}", what="netgenerate", remedy="leave it out",
        )  # fmt: skip
        options = ImportOptions(seed=seed, end_s=60.0 * minutes, vehicles_per_h=float(vehicles_per_h))
        try:
            city = import_city(net, Path(scratch) / "city", options=options)
        except CivicBrainError as error:
            return {**row, "error": str(error)}
        study_options = StudyOptions(controls=CONTROLS, seeds=(seed,))
        study = run_study([city.folder], study_options, Path(scratch) / "study", jobs=jobs)[0]
    row["junctions"] = len(city.junctions)
    row["failures"] = [f"{failure.control}: {failure.reason}" for failure in study.failures]
    row["runs"] = {
        run.control: {
            "mean_delay_s": None if run.mean_delay_s is None else round(run.mean_delay_s, 2),
            "max_waiting_s": run.max_waiting_s,
            "unsafe_states": run.unsafe_states,
            "collisions": run.collisions,
            "deadlock": run.deadlock,
        }
        for run in study.runs
    }
    return row


def objections(row: dict[str, Any]) -> list[str]:
    """What must not be: a failed import, an unsafe state, a lock, an endless wait, a loss to the plan."""
    name = f"network {row['seed']} ({row['layout']}; {', '.join(row['twists'])})"
    if "error" in row:
        return [f"{name}: {row['error']}"]
    found = [f"{name}: {text}" for text in row["failures"]]
    runs = row["runs"]
    for control, run in runs.items():
        if run["unsafe_states"]:
            found.append(f"{name}: {run['unsafe_states']} unsafe states under {control}")
        if control != "brain":
            continue
        own = runs.get("fixed", {"collisions": 0, "deadlock": False})
        if run["collisions"] > own["collisions"] or run["deadlock"] > own["deadlock"]:
            found.append(f"{name}: more collisions or deadlocks than under its own plan")
        if run["max_waiting_s"] > WORST_WAIT_S:
            found.append(f"{name}: somebody waited {run['max_waiting_s']:.0f} s")
        if "fixed" in runs and run["mean_delay_s"] > runs["fixed"]["mean_delay_s"]:
            found.append(f"{name}: more delay than under its own plan")
    return found


def line(row: dict[str, Any]) -> str:
    """One row of the table."""
    name = f"| {row['seed']} | {row['layout']}; {', '.join(row['twists'])} | {row['vehicles_per_h']} "
    if "error" in row:
        return f"{name}| not imported: {row['error']} |"
    cells = [f"{run['mean_delay_s']:.1f} ({run['max_waiting_s']:.0f})" for run in row["runs"].values()]
    unsafe = sum(run["unsafe_states"] for run in row["runs"].values())
    return f"{name}| {row['junctions']} | {' | '.join(cells)} | {unsafe} |"


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: a line a network, and the means of the ratios."""
    lines = [
        "Mean delay, s a vehicle due (longest wait of a vehicle on its whole way, s).",
        "",
        "| seed | network | vehicles an hour | signals | " + " | ".join(CONTROLS) + " | unsafe |",
        "|---:|---|---:|---:|---:|---:|---:|---:|",
        *(line(row) for row in rows),
        "",
    ]
    done = [row["runs"] for row in rows if not row.get("failures", ["none"])]
    for other in CONTROLS[:-1]:
        ratios = [runs["brain"]["mean_delay_s"] / runs[other]["mean_delay_s"] for runs in done]
        if ratios:
            lines.append(
                f"- `brain` leaves {geometric_mean(ratios):.2f} times the delay of `{other}` "
                f"(geometric mean of {len(ratios)}; {min(ratios):.2f} to {max(ratios):.2f})."
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
