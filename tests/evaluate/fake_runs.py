"""Stands where SUMO stands: figures made from control and seed, and runs that fail on purpose.

Imported by the runs' own processes, so everything here is at module level.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from civicbrain.city.model import City, DemandFiles
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import TwinError
from civicbrain.evaluate.plan import RunTask
from civicbrain.evaluate.pool import OnDone, Simulate, attempt
from civicbrain.evaluate.records import RunFile, RunRecord, RunSeries

BASE_DELAY_S = {"fixed": 50.0, "actuated": 45.0, "delay-based": 55.0, "max-pressure": 30.0}
BEGIN_S, END_S = 25200.0, 28800.0


def fake_city(folder: Path) -> City:
    """The sandbox city with files to hash and a demand of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.xml").write_text("<net/>")
    (folder / "routes.rou.xml").write_text("<routes/>")
    demand = DemandFiles("net.xml", ("routes.rou.xml",), begin_s=BEGIN_S, end_s=END_S)
    return replace(sandbox_city(), folder=folder, demand=demand, name="sandbox", source="made by hand")


def simulate(task: RunTask) -> RunFile:
    """Figures that depend on control and seed alone; wall-clock figures that never repeat."""
    print("stdout of a run must not reach the study's")
    draw = random.Random(f"{task.seed}")
    traffic = draw.uniform(0.9, 1.1)
    own = random.Random(f"{task.control.name}-{task.seed}").uniform(0.97, 1.03)
    delay = BASE_DELAY_S[task.control.name] * traffic * own
    minutes = [task.begin_s + 60.0 * n for n in range(1, 61)]
    hump = [max(0.0, 1.0 - abs(n - 30) / 30.0) for n in range(60)]
    record = RunRecord(
        control=task.control.name, seed=task.seed,
        vehicles_due=2000, departed=2000, arrived=1990, undeparted=0,
        mean_delay_s=delay, mean_time_loss_s=delay - 2.0, mean_depart_delay_s=2.0,
        mean_travel_time_s=delay + 70.0, mean_waiting_s=delay * 0.6, max_waiting_s=delay * 5.0,
        stops_per_vehicle=delay / 30.0, co2_kg=300.0 + delay,
        teleports=0, collisions=0, emergency_stops=0, refused_requests=0, unsafe_states=0, deadlock=False,
        wall_s=time.perf_counter() % 10.0, sim_s_per_wall_s=1.0, decision_ms_p50=0.1, decision_ms_p99=0.2,
    )  # fmt: skip
    series = RunSeries(
        time_s=minutes,
        queue_veh=[delay * h for h in hump],
        running=[2.0 * delay * h for h in hump],
        junction_delay_s={"A": delay * 0.4, "B": delay * 0.7},
        travel_time_quantiles_s=[20.0 + delay * 4.0 * (n / 100.0) ** 2 for n in range(101)],
    )
    return RunFile(key=task.key, begin_s=task.begin_s, end_s=task.end_s, run=record, series=series)


class AtOnce:
    """An executor without processes, for tests of what a study does with its runs."""

    def run_all(self, tasks: Sequence[RunTask], simulate: Simulate, on_done: OnDone) -> None:
        for task in tasks:
            with contextlib.redirect_stdout(io.StringIO()):
                outcome = attempt(simulate, task, task.log_file)
            on_done(task, outcome)


def simulate_slowly(task: RunTask) -> RunFile:
    time.sleep(0.3)
    return simulate(task)


def simulate_or_fail(task: RunTask) -> RunFile:
    """Fails in each of the ways a run can: an error of ours, a defect, a crash of the process."""
    if task.control.name == "actuated":
        if task.seed == 1:
            raise TwinError(
                "SUMO could not read the additional file", place="tls.add.xml", remedy="look at it"
            )
        if task.seed == 2:
            raise ZeroDivisionError("a defect")
        sys.stderr.write("corrupted double-linked list\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGSEGV)
    return simulate(task)
