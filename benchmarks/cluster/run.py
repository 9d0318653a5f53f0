"""One study on 1, 2 and 4 workers of Ray, and with a worker killed in the middle: see README.md."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from civicbrain.evaluate.cluster import RayCluster
from civicbrain.evaluate.plan import RunTask, StudyOptions
from civicbrain.evaluate.pool import Executor, LocalPool
from civicbrain.evaluate.records import WALL_CLOCK_FIELDS, Failure, RunFile
from civicbrain.evaluate.storage import write_atomically
from civicbrain.evaluate.study import run_study
from civicbrain.twin.importing import resolve_scenario

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="cologne1")
    parser.add_argument("--control", action="append", help="default: fixed and max-pressure")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--length", type=float, default=600.0, help="seconds of each run")
    parser.add_argument("--workers", type=int, action="append", help="default: 1, 2 and 4")
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    arguments = parser.parse_args()
    city = resolve_scenario(arguments.scenario)
    options = StudyOptions(
        controls=tuple(arguments.control or ("fixed", "max-pressure")),
        seeds=tuple(range(1, arguments.seeds + 1)),
        end_s=city.demand.begin_s + arguments.length,
    )
    workers = arguments.workers or [1, 2, 4]
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="civicbrain-benchmark-") as scratch:
        cases: list[tuple[str, Executor, bool]] = [("this machine, 1 process", LocalPool(1), False)]
        cases += [(f"Ray, {count} workers", RayCluster(f"local:{count}"), False) for count in workers]
        cases += [("Ray, 2 workers, one killed in a run", RayCluster("local:2"), True)]
        for name, executor, kill in cases:
            rows.append(measure(name, arguments.scenario, options, executor, Path(scratch), kill))
            print(rows[-1], file=sys.stderr, flush=True)
    result = {
        "scenario": arguments.scenario,
        "controls": list(options.controls),
        "seeds": arguments.seeds,
        "length_s": arguments.length,
        "same_figures": len({row["digest"] for row in rows}) == 1,
        "rows": rows,
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    write_atomically(arguments.out, (json.dumps(result, indent=1) + "\n").encode())
    print(json.dumps(result, indent=1))
    sound = result["same_figures"] and all(row["failures"] == 0 for row in rows)
    return 0 if sound else 1


class Killer:
    """Progress of a study: after the first finished run, ends one worker that is simulating, by kill -9."""

    def __init__(self, armed: bool) -> None:
        self.armed = armed
        self.killed: list[int] = []

    def start(self, total: int, finished_before: int) -> None:
        """Nothing to do."""

    def done(self, task: RunTask, outcome: RunFile | Failure) -> None:  # noqa: ARG002
        """A run ended: now another one is in its middle."""
        if self.armed and not self.killed:
            threading.Thread(target=self._kill, daemon=True).start()

    def _kill(self) -> None:
        for _ in range(600):
            busy = [pid for pid in _descendants(os.getpid()) if _title(pid).startswith("ray::_work")]
            if busy:
                self.killed.append(busy[0])
                os.kill(busy[0], signal.SIGKILL)
                return
            time.sleep(0.02)


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in file.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found


def _title(pid: int) -> str:
    """Ray names a worker after what it runs: "ray::_work"."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def measure(
    name: str, scenario: str, options: StudyOptions, executor: Executor, scratch: Path, kill: bool
) -> dict[str, Any]:
    """The study once: its figures as a digest, without those of the clock, and how long it took."""
    out = scratch / name.replace(" ", "-").replace(",", "")
    killer = Killer(kill)
    began_s = time.perf_counter()
    [evaluation] = run_study([scenario], options, out, executor=executor, progress=killer)
    wall_s = time.perf_counter() - began_s
    runs: list[dict[str, Any]] = [msgspec.to_builtins(run) for run in evaluation.runs]
    for run in runs:
        for field in WALL_CLOCK_FIELDS:
            del run[field]
    digest = hashlib.sha256(json.dumps(runs, sort_keys=True).encode()).hexdigest()
    return {
        "case": name,
        "runs": len(runs),
        "failures": len(evaluation.failures),
        "killed_workers": len(killer.killed),
        "digest": digest,
        "wall_s": round(wall_s, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
