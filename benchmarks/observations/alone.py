"""Intake and store alone, by processor time: what a second of field data costs.

    python benchmarks/observations/alone.py --city DIR

The clock is virtual, a tenth of a second a tick: shedding and recovery come out the same on any machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from centre import resident_mb

from civicbrain.city.folder import load_city
from civicbrain.city.intake import Intake, Keys, Sources, encode_frames
from civicbrain.city.store import Store
from civicbrain.evaluate.storage import write_atomically

KEY = "key-of-this-benchmark"
TICK_S = 0.1
CASES = (  # name, frames a second, vehicles a frame, frames in a message
    ("gateways", 5.0, 4, 450),
    ("gateways, few large frames", 1.0, 20, 450),
    ("each camera for itself", 5.0, 4, 1),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "alone.json")
    options = parser.parse_args()
    city = load_city(options.city)
    result = {}
    for name, *how in CASES:
        result[name] = case(city, *how)
        write_atomically(options.out, (json.dumps(result, indent=1) + "\n").encode())
    print(json.dumps(result, indent=1))
    return 0


def case(city: Any, fps: float, vehicles: int, frames: int) -> dict[str, Any]:
    """Peak for 2 s, ten times that for 2 s, the peak again for 2 s."""
    wall = [100.0]
    intake, store = Intake(Sources(city), Keys(KEY), clock=lambda: wall[0]), Store(city)
    now_s, recovered_s = city.demand.begin_s + 10.0, None
    parts = {}
    for name, load, seconds in (("peak", 1.0, 2), ("ten times", 10.0, 2), ("afterwards", 1.0, 2)):
        before = intake.summary(now_s)
        door_s = loop_s = 0.0
        for tick in range(int(seconds / TICK_S)):
            messages = list(made(intake, now_s, fps * load, vehicles, frames))
            now_s, wall[0] = now_s + TICK_S, wall[0] + TICK_S
            start = time.process_time()
            for message in messages:
                assert not intake.offer(message, now_s).error
            door = time.process_time()
            store.fold(intake.take(now_s), now_s)
            store.snapshot(now_s)
            intake.in_snapshot()
            end = time.process_time()
            door_s, loop_s = door_s + door - start, loop_s + end - door
            if name == "afterwards" and recovered_s is None and not intake.summary(now_s).queued_rows:
                recovered_s = round((tick + 1) * TICK_S, 1)
        after = intake.summary(now_s)
        parts[name] = {
            "let_in_rows_per_s": round((after.rows - before.rows) / seconds),
            "shed_rows_per_s": round((after.shed_rows - before.shed_rows) / seconds),
            "door_cpu_s_per_s": round(door_s / seconds, 3),
            "loop_cpu_s_per_s": round(loop_s / seconds, 3),
            "loop_ms_a_tick": round(loop_s / seconds * TICK_S * 1000, 1),
            "rss_mb": resident_mb(),
        }
    dropped = {k: v for k, v in intake.summary(now_s).dropped.items() if k != "shed"}
    return {**parts, "queues_empty_again_s": recovered_s, "dropped_besides_shed": dropped}


def made(
    intake: Intake, now_s: float, fps: float, vehicles: int, frames: int, seed: int = 1
) -> Iterator[bytes]:
    """Messages of one tick, sources in turn."""
    sources = intake.sources
    random = np.random.default_rng([seed, int(now_s * 10)])
    lanes = np.diff(sources.lane_start)[sources.view]
    count = int(len(sources.ids) * fps * TICK_S)
    order = (np.arange(count) + int(now_s / TICK_S) * count) % len(sources.ids)
    unix_s = sources.city.epoch.timestamp() + now_s
    for first in range(0, count, frames):
        rows = order[first : first + frames]
        size = len(rows) * vehicles
        yield encode_frames(
            [sources.ids[row] for row in rows.tolist()],
            lane=(random.random(size) * np.repeat(lanes[rows], vehicles)).astype(np.uint8),
            distance_m=random.random(size) * 120, speed_mps=random.random(size) * 14,
            rows=np.full(len(rows), vehicles), key=KEY,
            time_s=unix_s + (first + np.arange(len(rows))) / count * TICK_S,
        )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
