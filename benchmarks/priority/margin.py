"""By how much expected arrivals of missions are missed, and the margin that nine of ten keep.

The margin of a mission that is expected in t seconds, and whose expected arrival has slid d seconds back
within the last minute, is MARGIN_S + MARGIN_SHARE * t + MARGIN_SLIDE * d: the plane that has nine of ten
misses below it, by quantile regression (Koenker and Bassett 1978, Econometrica 46(1)) over predictions made
each 10 s, every scenario and arm weighing the same. tests/benchmarks/test_margin.py checks the brain's
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
import scipy.optimize
import scipy.sparse
from arm_studies import open_city, run_all
from run import HERE, SCENARIOS, STUDIES, make_tasks, said, this_commit

from civicbrain.city.network import F64
from civicbrain.evaluate import missions
from civicbrain.evaluate.missions import MissionRunRecord
from civicbrain.evaluate.missions.run import SAMPLE_S, run_missions
from civicbrain.evaluate.storage import write_atomically

ARRIVALS = HERE / "arrivals.json"
ARMS = ("signals+priority", "plan+priority")
COVERS = 0.9
LEAST_S = 2.0
"""Positions come a second late and err by metres: nobody knows better."""

BANDS_S = ((0.0, 30.0), (30.0, 60.0), (60.0, 120.0), (120.0, 1e9))

SLIDE_S = 60.0
Samples = Mapping[str, Sequence[Sequence[tuple[float, float]]]]
"""Scenario and arm -> a row a mission: (seconds to go as expected, seconds later than that), each 10 s."""

Margin = tuple[float, float, float]
"""MARGIN_S, MARGIN_SHARE, MARGIN_SLIDE."""


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
                mission.arrivals for run in runs if run.arm == arm for mission in run.missions
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


def readings(missions: Sequence[Sequence[tuple[float, float]]]) -> F64:
    """(n, 3) of each prediction: seconds to go, seconds that it slid back within the last minute, seconds by
    which it was missed."""
    steps, rows = round(SLIDE_S / SAMPLE_S), []
    for mission in missions:
        for at, (to_go_s, late_s) in enumerate(mission):
            slid_s = mission[max(0, at - steps)][1] - late_s  # what is less late now was told earlier then
            rows.append((to_go_s, max(0.0, slid_s), abs(late_s)))
    return np.array(rows, np.float64).reshape(-1, 3)


def derive(samples: Samples) -> Margin:
    """The plane of least quantile loss, to half a second, a hundredth and a tenth."""
    parts = [part for missions in samples.values() if len(part := readings(missions))]
    weight = np.concatenate([np.full(len(part), 1.0 / len(part)) for part in parts])
    seen = np.concatenate(parts)
    known = scipy.sparse.csr_matrix(np.column_stack((np.ones(len(seen)), seen[:, :2])))
    one = scipy.sparse.identity(len(seen), format="csr")
    # missed = known * margin + over - under
    found = scipy.optimize.linprog(
        np.concatenate((np.zeros(3), COVERS * weight, (1.0 - COVERS) * weight)),
        A_eq=scipy.sparse.hstack((known, one, -one), format="csr"), b_eq=seen[:, 2],
        bounds=[(LEAST_S, None)] + [(0.0, None)] * (2 + 2 * len(seen)), method="highs",
    )  # fmt: skip
    base_s, share, slide = found.x[:3].tolist()
    return round(2.0 * base_s) / 2.0, round(share, 2), round(slide, 1)


def margins(missions: Sequence[Sequence[tuple[float, float]]], margin: Margin) -> tuple[F64, F64, F64]:
    """(n,) seconds to go, margin and miss of each prediction."""
    seen = readings(missions)
    return seen[:, 0], margin[0] + margin[1] * seen[:, 0] + margin[2] * seen[:, 1], seen[:, 2]


def covered(missions: Sequence[Sequence[tuple[float, float]]], margin: Margin) -> float:
    """Share of the arrivals that lie within the margin."""
    _, wide_s, missed_s = margins(missions, margin)
    return float((missed_s <= wide_s).mean())


def table(samples: Samples) -> str:
    """Markdown: the margin, and how many arrivals lie within it, where and how long before."""
    margin = derive(samples)
    head = ["scenario, arm", "predictions", "covered", "unseen", "median ±, s"]
    head += [_band(*band) for band in BANDS_S]
    lines = [
        "Margin of an arrival that is expected in t seconds and has slid d seconds back within a minute:",
        f"**{margin[0]:g} s + {margin[1]:.2f} t + {margin[2]:.1f} d**, derived to cover {_percent(COVERS)}.",
        "`unseen`: covered by the margin derived without that scenario. Last columns: covered, by the time",
        "to go.",
        "",
        f"| {' | '.join(head)} |",
        "|---|" + "---:|" * (len(head) - 1),
    ]
    totals = []
    for name, driven in samples.items():
        others = {other: one for other, one in samples.items() if other.split()[0] != name.split()[0]}
        to_go_s, wide_s, missed_s = margins(driven, margin)
        within = missed_s <= wide_s
        bands = [within[(to_go_s >= low) & (to_go_s < high)] for low, high in BANDS_S]
        shares = [float(within.mean()), covered(driven, derive(others)) if others else None]
        totals.append(shares)
        cells = [_percent(one) for one in shares] + [f"{np.median(wide_s):.0f}"]
        cells += [_percent(float(band.mean()) if len(band) else None) for band in bands]
        lines.append(f"| {name} | {len(within)} | {' | '.join(cells)} |")
    means = [
        np.mean([row[k] for row in totals]) if None not in [row[k] for row in totals] else None
        for k in (0, 1)
    ]
    lines.append(f"| mean | | {' | '.join(_percent(one) for one in means)} |" + " |" * (1 + len(BANDS_S)))
    return "\n".join(lines) + "\n"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def _band(low_s: float, high_s: float) -> str:
    return f"over {low_s:g} s" if high_s > 1e6 else f"{low_s:g} to {high_s:g} s"


if __name__ == "__main__":
    sys.exit(main())
