"""Time of a decision for a city of 1,300 junctions: see README.md beside this file."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from civicbrain.city.store import Store
from civicbrain.contracts.brain import Advice, BrainContext
from civicbrain.contracts.rooms import get_room
from civicbrain.evaluate.run import TwinDoor
from civicbrain.evaluate.storage import write_atomically
from civicbrain.evaluate.study import resolve_city
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime.hosts import InlineHost
from civicbrain.runtime.loop import Loop
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin

HERE = Path(__file__).parent
TARGET_MS = 50.0


class Timed:
    """A brain with a stop watch around its decisions."""

    def __init__(self, brain: Any) -> None:
        self._brain = brain
        self.name, self.cadence_s, self.budget_s = brain.name, brain.cadence_s, 1e9
        self.wall_ms: list[float] = []
        self.cpu_ms: list[float] = []

    def advise(self, snapshot: Any) -> Advice:
        wall, cpu = time.perf_counter(), time.thread_time()
        advice: Advice = self._brain.advise(snapshot)
        self.cpu_ms.append((time.thread_time() - cpu) * 1e3)
        self.wall_ms.append((time.perf_counter() - wall) * 1e3)
        return advice


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--junctions", type=int, default=1300)
    parser.add_argument("--control", default="brain")
    parser.add_argument("--begin", type=float, default=7.25 * 3600, help="second of the generated day")
    parser.add_argument("--warm-up", type=int, default=900, help="seconds before measuring")
    parser.add_argument("--measured", type=int, default=180, help="seconds measured")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "city"
        command = [sys.executable, "-m", "civicbrain", "generate", "city", "--seed", "1", "--out", str(made)]
        subprocess.run([*command, "--junctions", str(arguments.junctions)], check=True)
        result = measure(made, arguments)
    write_atomically(HERE / "results.json", (json.dumps(result, indent=1) + "\n").encode())
    print(json.dumps(result, indent=1))
    return 0 if result["decision_ms_p99"] <= TARGET_MS else 1


def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """The brain in control from the first second; the last `measured` seconds count."""
    city = resolve_city(str(folder))
    start = time.perf_counter()
    context = BrainContext(city, 1, {"control": arguments.control})
    brain = Timed(get_room("brains", "signals").create_brain(context))
    start_s = time.perf_counter() - start
    end_s = arguments.begin + arguments.warm_up + arguments.measured
    options = TwinOptions(seed=1, program="central", begin_s=arguments.begin, end_s=end_s)
    door = TwinDoor()
    loop = Loop(city, Store(city), Guard(city, Ledger(None), door), [InlineHost(brain)])
    read_ms, step_ms, vehicles = [], [], 0
    with Twin(city, options) as twin:
        door.twin = twin
        while not twin.ended:
            begun = time.perf_counter()
            twin.step()
            stepped = time.perf_counter()
            seen = twin.sense()
            read_ms.append((time.perf_counter() - stepped) * 1e3)
            step_ms.append((stepped - begun) * 1e3)
            loop.tick(seen, twin.time_s)
        vehicles = twin.status().running
    last = slice(-arguments.measured, None)
    cpu, wall, read = np.array(brain.cpu_ms[last]), np.array(brain.wall_ms[last]), np.array(read_ms[last])
    return {
        "control": arguments.control,
        "junctions": len(city.junctions),
        "vehicles": vehicles,
        "decision_ms_p50": round(float(np.median(cpu)), 1),
        "decision_ms_p99": round(float(np.percentile(cpu, 99)), 1),
        "decision_wall_ms_p99": round(float(np.percentile(wall, 99)), 1),
        "read_ms_p50": round(float(np.median(read)), 1),
        "ratio_to_reading": round(float(np.median(cpu) / np.median(read)), 2),
        "sumo_step_ms_p50": round(float(np.median(step_ms[last])), 1),
        "start_s": round(start_s, 1),
        "target_ms": TARGET_MS,
    }


if __name__ == "__main__":
    sys.exit(main())
