"""By how much expected arrivals of missions are missed, and the margin that nine of ten keep.

The margin of a mission that is expected in t seconds is MARGIN_S + MARGIN_SHARE * t: the line that has nine
of ten misses below it, by quantile regression (Koenker and Bassett 1978, Econometrica 46(1)) over predictions
made each 10 s, every scenario and arm weighing the same. tests/benchmarks/test_margin.py checks the brain's
constants against arrivals.json.

    python benchmarks/priority/margin.py               # runs, arrivals.json, margin.md
    python benchmarks/priority/margin.py --only-derive # from arrivals.json as it is
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from arm_studies import open_city, run_all
from run import HERE, SCENARIOS, STUDIES, make_tasks, said, this_commit

from civicbrain.evaluate import missions
from civicbrain.evaluate.missions import MissionRunRecord
from civicbrain.evaluate.missions.run import run_missions
from civicbrain.evaluate.storage import write_atomically

ARRIVALS = HERE / "arrivals.json"
ARMS = ("signals+priority", "plan+priority")
COVERS = 0.9
BANDS_S = ((0.0, 30.0), (30.0, 60.0), (60.0, 120.0), (120.0, 1e9))

Samples = Mapping[str, Sequence[tuple[float, float]]]
"""Scenario and arm -> (seconds to go as expected, seconds later than that)."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--scenario", action="append", help="only this one (a CityFlow folder, too); repeat for several"
    )
    parser.add_argument("--missions", type=int, default=40, help="a scenario and arm; eight a run of an hour")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only-derive", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    kept = json.loads(ARRIVALS.read_text()) if ARRIVALS.is_file() else {"commits": [], "arrivals": {}}
    for scenario in [] if arguments.only_derive else arguments.scenario or SCENARIOS:
        city = open_city(scenario, STUDIES)
        tasks = make_tasks(city, arguments.missions, list(ARMS))
        name = Path(scenario).name
        named = [(f"{task.arm.name}-{task.seed}-{len(task.trips)}", task) for task in tasks]
        runs = run_all(
            STUDIES / name, city, missions, named, run_missions, MissionRunRecord, said, arguments.jobs
        )
        for arm in ARMS:
            kept["arrivals"][f"{name} {arm}"] = [
                one for run in runs if run.arm == arm for mission in run.missions for one in mission.arrivals
            ]
        kept["commits"] = sorted({*kept["commits"], this_commit()})
        write_atomically(ARRIVALS, as_lines(kept).encode())
    text = table(kept["arrivals"])
    write_atomically(HERE / "margin.md", text.encode())
    print(text)
    return 0


def as_lines(kept: Mapping[str, Any]) -> str:
    """JSON, one line a scenario and arm."""
    parts = [f"{json.dumps(name)}: {json.dumps(rows)}" for name, rows in kept["arrivals"].items()]
    commits = json.dumps(kept["commits"])
    return f'{{"commits": {commits}, "arrivals": {{\n' + ",\n".join(parts) + "\n}}\n"


def derive(samples: Samples) -> tuple[float, float]:
    """(MARGIN_S to half a second, MARGIN_SHARE to a hundredth): the line of least quantile loss."""
    parts = [np.array(rows, float).reshape(-1, 2) for rows in samples.values() if len(rows)]
    to_go_s = np.concatenate([part[:, 0] for part in parts])
    missed_s = np.abs(np.concatenate([part[:, 1] for part in parts]))
    weight = np.concatenate([np.full(len(part), 1.0 / len(part)) for part in parts])
    best = (np.inf, 0.0, 0.0)
    for share in np.arange(0.0, 1.0, 0.01):
        rest_s = missed_s - share * to_go_s
        order = np.argsort(rest_s)
        at = int(np.searchsorted(np.cumsum(weight[order]), COVERS * weight.sum()))
        base_s = max(0.0, float(np.ceil(2.0 * rest_s[order][at]) / 2.0))
        over_s = rest_s - base_s
        loss = float((weight * np.where(over_s > 0.0, COVERS * over_s, (COVERS - 1.0) * over_s)).sum())
        best = min(best, (loss, base_s, round(float(share), 2)))
    return best[1], best[2]


def covered(rows: Sequence[tuple[float, float]], base_s: float, share: float) -> float:
    """Share of the arrivals that lie within the margin."""
    part = np.array(rows, float).reshape(-1, 2)
    return float((np.abs(part[:, 1]) <= base_s + share * part[:, 0]).mean())


def table(samples: Samples) -> str:
    """Markdown: the margin, and how many arrivals lie within it, where and how long before."""
    base_s, share = derive(samples)
    head = ["scenario, arm", "predictions", "covered", "unseen", *(_band(*band) for band in BANDS_S)]
    lines = [
        f"Margin of an arrival that is expected in t seconds: **{base_s:g} s + {share:.2f} t**, derived to",
        f"cover {100 * COVERS:.0f} % of all. `unseen`: covered by the margin derived without that scenario.",
        "",
        f"| {' | '.join(head)} |",
        "|---|" + "---:|" * (len(head) - 1),
    ]
    for name, rows in samples.items():
        others = {other: one for other, one in samples.items() if other.split()[0] != name.split()[0]}
        bands = [[row for row in rows if low <= row[0] < high] for low, high in BANDS_S]
        shares = [covered(rows, base_s, share), covered(rows, *derive(others)) if others else None]
        shares += [covered(band, base_s, share) if band else None for band in bands]
        cells = ["–" if one is None else f"{100 * one:.0f} %" for one in shares]
        lines.append(f"| {name} | {len(rows)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _band(low_s: float, high_s: float) -> str:
    return f"over {low_s:g} s" if high_s > 1e6 else f"{low_s:g} to {high_s:g} s"


if __name__ == "__main__":
    sys.exit(main())
