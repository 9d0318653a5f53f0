"""The whole platform live, as `civicbrain run` starts it: speed, processor and memory of each process.

    python benchmarks/growth/live_run.py                             # 1,300 junctions, full streets, a client
    python benchmarks/growth/live_run.py --junctions 10 --hours 24   # a day: does memory grow?

As fast as twin and brain go together (--speed 0). Writes live.json: a row for each kind of run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "control_room")]

import clients  # noqa: E402
from filled import fill  # noqa: E402
from loopback import free_port  # noqa: E402

from civicbrain.contracts.transport import TWIN_PUB, decode, open_subscriber, receive  # noqa: E402
from civicbrain.contracts.wire import STATUS_TOPIC, TwinStatus  # noqa: E402
from civicbrain.evaluate.storage import write_atomically  # noqa: E402
from civicbrain.twin.generating import GenerateOptions, generate_city  # noqa: E402

BEGIN_S = 8 * 3600.0
VEHICLES_A_JUNCTION = 23_000 / 1300
PATIENCE_S = 180.0
SAMPLES = 48


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--junctions", type=int, default=1300)
    parser.add_argument("--settle", type=float, default=60.0, help="simulated seconds before measuring")
    parser.add_argument("--seconds", type=float, default=120.0, help="simulated seconds measured")
    parser.add_argument("--hours", type=float, help="simulated hours, from the city's usual demand; memory")
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    file = HERE / "live.json"
    rows: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    with tempfile.TemporaryDirectory(prefix="civicbrain-live-") as scratch:
        city = Path(scratch) / "city"
        generate_city(GenerateOptions(asked.junctions, round(asked.junctions * 4500 / 1300)), city)
        if asked.hours:
            name, runs, length_s, settle_s = f"{asked.junctions} long", 1, asked.hours * 3600.0 - 600.0, 300.0
            _set_window(city, 0.0, asked.hours * 3600.0)
        else:
            name, runs, length_s, settle_s = f"{asked.junctions}", asked.runs, asked.seconds, asked.settle
            full = Path(scratch) / "full"
            fill(
                city, full, round(asked.junctions * VEHICLES_A_JUNCTION), BEGIN_S, settle_s + length_s + 60.0
            )
            city = full
            _set_window(city, BEGIN_S, BEGIN_S + 3600.0)
        measured = [
            one_run(city, Path(scratch) / f"run{number}", asked.junctions, settle_s, length_s)
            for number in range(runs)
        ]
    rows[name] = sorted(measured, key=lambda row: row["simulated_s_a_second"])[len(measured) // 2]
    rows[name]["speeds_of_runs"] = [row["simulated_s_a_second"] for row in measured]
    write_atomically(file, (json.dumps(rows, indent=1) + "\n").encode())
    print(json.dumps(rows[name], indent=1))
    return 0


def _set_window(city: Path, begin_s: float, end_s: float) -> None:
    file = city / "city.toml"
    window = {"begin_s": begin_s, "end_s": end_s}
    lines = file.read_text().splitlines()
    for row, line in enumerate(lines):
        name = line.partition(" = ")[0]
        if name in window:
            lines[row] = f"{name} = {window[name]}"
    file.write_text("\n".join(lines) + "\n")


def one_run(city: Path, run_dir: Path, junctions: int, settle_s: float, length_s: float) -> dict[str, Any]:
    """Start the city, let it settle, measure."""
    port = free_port()
    started = time.monotonic()
    with _running(city, run_dir, port) as main_process:
        twin = Clock(run_dir)
        twin.wait_until(0.0)
        first_step_s = time.monotonic() - started
        twin.wait_for_the_brain(junctions)
        brain_s = time.monotonic() - started
        twin.wait_until(twin.time_s + settle_s)
        watching = threading.Thread(target=_watch_the_map, args=(port, length_s), daemon=True)
        watching.start()
        before, wall = _by_name(main_process, _processor_s), time.monotonic()
        start_s, memory = twin.time_s, []
        for sample in range(1, SAMPLES + 1):
            twin.wait_until(start_s + length_s * sample / SAMPLES)
            memory.append(_by_name(main_process, _memory_mb))
        wall_s, simulated_s = time.monotonic() - wall, twin.time_s - start_s
        after = _by_name(main_process, _processor_s)
        vehicles = twin.vehicles
    names = sorted(set(before) & set(after))
    return {
        "vehicles": vehicles,
        "simulated_s": round(simulated_s),
        "simulated_s_a_second": round(simulated_s / wall_s, 2),
        "first_step_after_s": round(first_step_s, 1),
        "brain_controls_after_s": round(brain_s, 1),
        "processor_ms_a_simulated_second": {
            name: round(1000 * (after[name] - before[name]) / simulated_s, 1) for name in names
        },
        "memory_mb": {name: [round(m.get(name, 0.0)) for m in memory[:: SAMPLES // 8]] for name in names},
        "memory_mb_most": {name: round(max(m.get(name, 0.0) for m in memory)) for name in names},
        "load_before": round(os.getloadavg()[2], 1),
    }


class Clock:
    """Listens to the twin's statuses. time_s: simulated seconds since it listens, over windows that end and
    start again."""

    def __init__(self, run_dir: Path) -> None:
        end = time.monotonic() + PATIENCE_S
        while not any(run_dir.glob("twin.pub*")):
            if time.monotonic() > end:
                raise SystemExit(f"the twin does not start: see {run_dir}/twin.log")
            time.sleep(0.1)
        self._twin = open_subscriber(run_dir, TWIN_PUB, [STATUS_TOPIC])
        self.time_s, self.vehicles, self.local_junctions = 0.0, 0, -1
        self._twin_time_s = np.inf

    def wait_for_the_brain(self, junctions: int) -> None:
        """Until it holds 99 of 100 junctions. Of the rest a camera may be doubted for a minute: vehicles that
        start at once anywhere also end their way in mid-view, which looks as if the camera saw no more."""
        end = time.monotonic() + PATIENCE_S
        while not 0 <= self.local_junctions <= junctions // 100:
            self.wait_until(self.time_s)
            if time.monotonic() > end:
                raise SystemExit(f"{self.local_junctions} junctions are still in their local plans")

    def wait_until(self, time_s: float) -> None:
        heard = time.monotonic()
        while self.time_s <= time_s:
            if self._twin.poll(1000):
                for frames in receive(self._twin):
                    status = decode(TwinStatus, frames[-1])
                    self.time_s += max(0.0, status.time_s - self._twin_time_s)
                    self._twin_time_s = status.time_s
                    self.vehicles, self.local_junctions = status.running, status.local_junctions
                heard = time.monotonic()
            elif time.monotonic() - heard > PATIENCE_S:
                raise SystemExit("the twin has been silent for three minutes")


@contextlib.contextmanager
def _running(city: Path, run_dir: Path, port: int) -> Iterator[psutil.Process]:
    command = [
        str(Path(sys.executable).parent / "civicbrain"),
        "run",
        str(city),
        "--speed",
        "0",
        "--warmup",
        "0",
    ]
    process = subprocess.Popen(
        [*command, "--seed", "1", "--port", str(port), "--run-dir", str(run_dir)], stdout=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _named(process: psutil.Process) -> str:
    """`twin.server`, `runtime.brain_process`, …: the module that a child runs."""
    words = process.cmdline()
    modules = [word for word in words if word.startswith("civicbrain.")]
    room = words[words.index("--room") + 1] if "--room" in words else ""
    return " ".join(filter(None, [modules[-1].removeprefix("civicbrain.") if modules else "run", room]))


def _by_name(top: psutil.Process, figure: Callable[[psutil.Process], float]) -> dict[str, float]:
    """The figure of each process of the city, those of one name added up."""
    found: dict[str, float] = {}
    for process in (top, *top.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            name = _named(process)
            found[name] = found.get(name, 0.0) + figure(process)
    return found


def _processor_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def _memory_mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss / 1e6)


def _watch_the_map(port: int, seconds: float) -> None:
    with contextlib.suppress(OSError, EOFError):
        clients.fast_clients(port, 1, seconds)


if __name__ == "__main__":
    sys.exit(main())
