"""Would the signals brain gain if it were told which lanes a crash blocks? See README.md.

    python benchmarks/whatif/told.py [--scale 1.3]

A crash stands on a lane for ten minutes. `told` is not shown who stands behind it on that lane (they cannot
leave, so they are no demand; those that change lanes are seen there), which is the most that telling could do
without planning for detours. Same seeds, paired.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from civicbrain.city.incidents import IncidentKind
from civicbrain.city.observations import Detections
from civicbrain.contracts.rooms import get_control
from civicbrain.evaluate.run import TwinDoor
from civicbrain.evaluate.storage import write_atomically
from civicbrain.evaluate.whatif.run import make_loop
from civicbrain.science.statistics import estimate_mean
from civicbrain.twin.importing import resolve_scenario

HERE = Path(__file__).parent
SCENARIO = "cologne3"
PLACES = (  # lane, metres from its end to the crash
    ("-241660955#17_1", 50.0), ("241660955#14_1", 50.0), ("241660955#7_0", 40.0), ("241660957#0_1", 30.0),
)  # fmt: skip
LENGTH_S, CRASH_AT_S, CRASH_S = 900.0, 120.0, 600.0
MARGIN_M = 3.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the demand")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=HERE / "told.json")
    asked = parser.parse_args()
    result: dict[str, Any] = json.loads(asked.out.read_text()) if asked.out.is_file() else {}
    rows = []
    for lane, back_m in PLACES:
        for seed in range(1, asked.seeds + 1):
            with get_context("spawn").Pool(1) as pool:
                pair = [pool.apply(run, (lane, back_m, seed, told, asked.scale)) for told in (False, True)]
            rows.append([lane, seed, *pair])
            print(*rows[-1], file=sys.stderr)
    difference = estimate_mean([told - untold for *_, untold, told in rows])
    result[f"demand x {asked.scale:g}"] = {
        "untold_s": round(float(np.mean([row[2] for row in rows])), 2),
        "difference_s": round(difference.mean, 2),
        "interval_s": [round(value, 2) for value in difference.interval or ()],
        "rows": rows,
    }
    write_atomically(asked.out, (json.dumps(result, indent=1) + "\n").encode())
    print(json.dumps(result, indent=1))
    return 0


def run(lane: str, back_m: float, seed: int, told: bool, scale: float) -> float:
    """Mean delay, s."""
    from civicbrain.twin.incidents import RoadIncident
    from civicbrain.twin.options import TwinOptions
    from civicbrain.twin.simulation import Twin

    city = resolve_scenario(SCENARIO)
    options = (*city.demand.sumo_options, ("scale", f"{scale:g}"))
    city = replace(city, demand=replace(city.demand, sumo_options=options))
    row, begin_s = city.network.lanes.row[lane], city.demand.begin_s
    position_m = float(city.network.lanes.length_m[row]) - back_m
    crash = RoadIncident("crash", IncidentKind.CRASH, begin_s + CRASH_AT_S, CRASH_S, (lane,), position_m)
    door = TwinDoor()
    loop = make_loop(city, get_control("brain"), seed, door)
    twin = Twin(city, TwinOptions(seed=seed, end_s=begin_s + LENGTH_S, incidents=(crash,), emissions=False))
    door.twin = twin
    while not twin.ended:
        twin.step()
        data: Sequence[Any] = twin.sense()
        truth = next(iter(twin.truths.values()))
        if told and truth.began_s >= 0.0 > truth.ended_s:
            data = [_without(one, row, back_m) if isinstance(one, Detections) else one for one in data]
        loop.tick(data, twin.time_s)
    return round(twin.finish().mean_delay_s, 2)


def _without(seen: Detections, lane: int, back_m: float) -> Detections:
    """A frame without those that stand on the lane at the crash or behind it."""
    keep = ~((seen.lane == lane) & (seen.distance_m > back_m - MARGIN_M))
    columns = {
        one.name: value[keep]
        for one in fields(seen)
        if isinstance(value := getattr(seen, one.name), np.ndarray) and one.name != "cameras"
    }
    return replace(seen, **columns)


if __name__ == "__main__":
    sys.exit(main())
