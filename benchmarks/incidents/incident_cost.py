"""Processor time of one second of the brain in a big city, on made-up frames: no simulation is needed.

    civicbrain generate city --junctions 1300 --out big
    python benchmarks/incidents/incident_cost.py big

Queues of six stand in every third lane in view while its lamps are red, one vehicle stands inside each
junction for 20 s of each 30, the other vehicles drive through their lanes at 10 m/s and come back, 5 % are
overlooked in each frame, lamps change each 30 s. Such queues appear and vanish at once, so that after a
minute, when the brain begins to tell, it tells of nearly every camera:
--seconds 40 is ordinary work, --seconds 90 is a flood. Writes cost.json.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from civicbrain.brains.incidents import IncidentsBrain
from civicbrain.brains.incidents.layout import Layout
from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.city.observations import Detections, SignalStates, VehicleClass
from civicbrain.city.store import Store

HERE = Path(__file__).parent
MISSED = 0.05


class Frames:
    """Made-up frames of all cameras. vehicles: in view at once."""

    def __init__(self, city: City, vehicles: int) -> None:
        self._city, layout = city, Layout(city)
        self._rng = np.random.default_rng(1)
        near, far = layout.seen_m()
        lanes = np.flatnonzero((layout.camera >= 0) & layout.motor & (far - near > 50.0))
        queued = lanes[::3]
        self._queue = np.repeat(queued, 6)
        self._queue_m = near[self._queue] + np.tile(np.arange(6) * 7.5 + 1.0, len(queued))
        driving = np.delete(lanes, np.arange(0, len(lanes), 3))
        self._lane = self._rng.choice(driving, max(vehicles - len(self._queue), 0))
        self._near, self._far = near[self._lane], far[self._lane]
        self._d = self._rng.uniform(self._near, self._far)
        self._camera = layout.camera
        self._inside = lanes[np.unique(layout.camera[lanes], return_index=True)[1]]
        has = np.flatnonzero(np.diff(layout.group_start) > 0)
        even = np.ones(len(layout.camera), np.bool_)
        even[has] = layout.groups[layout.group_start[has]] % 2 == 0
        self._even = even[self._queue]

    def at(self, time_s: float) -> Detections:
        """The next second's frame."""
        self._d -= 10.0
        gone = self._d < self._near
        self._d[gone] += (self._far - self._near)[gone]
        red = self._even != (time_s % 60.0 < 30.0)
        stands = self._inside if time_s % 30.0 < 20.0 else self._inside[:0]
        lane = np.concatenate([self._queue[red], self._lane, stands])
        d = np.concatenate([self._queue_m[red], self._d, np.full(len(stands), -8.0)])
        still = np.zeros(int(red.sum()))
        speed = np.concatenate([still, np.full(len(self._lane), 10.0), np.zeros(len(stands))])
        rows = np.flatnonzero(self._rng.random(len(lane)) >= MISSED)
        rows = rows[np.argsort(self._camera[lane[rows]], kind="stable")]
        count = len(rows)
        return Detections(
            "cameras", time_s, time_s, np.arange(len(self._city.junctions), dtype=np.int32),
            self._camera[lane[rows]].astype(np.int32), lane[rows].astype(np.int32),
            (d[rows] + self._rng.normal(0.0, 0.5, count)).astype(np.float32), speed[rows].astype(np.float32),
            np.full(count, int(VehicleClass.CAR), np.uint8), np.full(count, -1, np.int32),
        )  # fmt: skip

    def lamps(self, time_s: float) -> SignalStates:
        """Every second group is green for 30 s, then the others."""
        groups, junctions = int(self._city.signals.group_start[-1]), len(self._city.junctions)
        green = (np.arange(groups) % 2 == 0) == (time_s % 60.0 < 30.0)
        zeros = np.zeros(junctions, np.int32)
        return SignalStates(
            "controllers", time_s, np.where(green, ord("G"), ord("r")).astype(np.uint8),
            np.full(groups, time_s - time_s % 30.0, np.float32), zeros,
            np.zeros(junctions, np.float32), zeros,
            np.zeros(junctions, np.uint8),
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("city", type=Path, help="its folder")
    parser.add_argument("--vehicles", type=int, default=20_000, help="in view at once")
    parser.add_argument("--seconds", type=int, default=180)
    arguments = parser.parse_args()
    city = load_city(arguments.city)
    store, brain, frames = Store(city), IncidentsBrain(city), Frames(city, arguments.vehicles)
    ms, wall_ms, told = [], [], 0
    for second in range(1, arguments.seconds + 1):
        now_s = float(second)
        store.fold([frames.lamps(now_s), frames.at(now_s)], now_s)
        snapshot = store.snapshot(now_s)
        began, began_wall = time.process_time(), time.perf_counter()
        told += len(brain.advise(snapshot).incidents)
        ms.append(1e3 * (time.process_time() - began))
        wall_ms.append(1e3 * (time.perf_counter() - began_wall))
    rows = len(snapshot.detections.lane)
    figures = {
        "junctions": len(city.junctions), "lanes": len(city.network.lanes.ids), "rows": rows,
        "seconds": arguments.seconds, "incidents_told": told, "budget_ms": 1e3 * brain.budget_s,
        "cpu_ms": {f"p{p}": round(float(np.percentile(ms[5:], p)), 1) for p in (50, 95, 99)},
        "wall_ms": {f"p{p}": round(float(np.percentile(wall_ms[5:], p)), 1) for p in (50, 95, 99)},
    }  # fmt: skip
    file = HERE / "cost.json"
    known = json.loads(file.read_text()) if file.is_file() else {}
    name = f"{len(city.junctions)} junctions, {arguments.seconds} s"
    file.write_text(json.dumps(known | {name: figures}, indent=1) + "\n")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
