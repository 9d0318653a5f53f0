"""One run: the twin, and, where the control is a brain's, the same loop that serves a live city.

Runs in a process of its own (libsumo holds one simulation a process). Everything but the wall-clock
figures repeats to the last digit: brains are asked by simulated time, and their budget is not enforced.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence

import numpy as np

from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.city.store import Store
from civicbrain.contracts.actuator import Verdict
from civicbrain.contracts.brain import Request
from civicbrain.core.errors import BrainError
from civicbrain.evaluate.plan import RunTask
from civicbrain.evaluate.records import RunFile, RunRecord, RunSeries, finite
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime.hosts import InlineHost
from civicbrain.runtime.loop import Loop
from civicbrain.twin.metrics import RunMetrics
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin


class TwinDoor:
    """The actuator of a study: straight into the twin of this process, no network between. Its `twin` is
    put in when SUMO has started, after the brain has been made ready."""

    name = "twin"
    dry_run = False

    def __init__(self) -> None:
        self.twin: Twin | None = None

    def apply(self, requests: Sequence[Request], now_s: float) -> list[Verdict]:  # noqa: ARG002
        assert self.twin is not None
        return self.twin.apply(requests)

    def heartbeat(self, now_s: float) -> None:  # noqa: ARG002
        assert self.twin is not None
        self.twin.heartbeat()

    def close(self) -> None:
        """Nothing to release: the run closes the twin."""


def simulate_run(task: RunTask) -> RunFile:
    """Simulate one run from begin to end.

    Raises TwinError when SUMO fails, BrainError when the brain fails even once: the controllers would then
    have run their local plans for a while, and the figures would not be the control's.
    """
    started = time.perf_counter()
    city = load_city(task.city_folder)
    options = TwinOptions(
        seed=task.seed,
        program=task.control.program,
        begin_s=task.begin_s,
        end_s=task.end_s,
        sumo_log=task.sumo_log_file,
        **task.conditions(),
    )
    door = TwinDoor()
    loop = make_loop(city, task, door) if task.control.brain else None
    ready, ready_cpu = time.perf_counter(), time.process_time()
    door.twin = twin = Twin(city, options)
    gc.freeze()  # the city and its tables stay for the whole run: the collector need not walk them
    try:
        if loop is None:
            while not twin.ended:
                twin.step()
        else:
            while not twin.ended:
                twin.step()
                loop.tick(twin.sense(), twin.time_s)
        metrics = twin.finish()
    finally:
        gc.unfreeze()
        twin.close()
    wall_s, cpu_s = time.perf_counter() - ready, time.process_time() - ready_cpu
    if loop is not None:
        _require_sound(loop, task)
    file = make_run_file(task, metrics, loop, wall_s, ready - started)
    file.run.cpu_s = cpu_s
    file.run.sim_s_per_wall_s = (twin.time_s - task.begin_s) / wall_s
    return file


def make_loop(city: City, task: RunTask, door: TwinDoor) -> Loop:
    """Store, guard with a ledger in memory, and the control's brain, as in a live city."""
    host = InlineHost.from_room(task.control.brain, city, seed=task.seed, options=dict(task.control.options))
    return Loop(city, Store(city), Guard(city, Ledger(None), door), [host])


def _require_sound(loop: Loop, task: RunTask) -> None:
    now_s = task.end_s
    for health in loop.health(now_s):
        if health.failures:
            raise BrainError(
                f"failed {health.failures} times; last: {health.last_error}",
                place=f"brain {health.name}",
                remedy="mend the brain; a run in which it failed is not counted as its own",
            )
    if loop.guard.ledger_error:
        raise BrainError(f"the ledger refused to record: {loop.guard.ledger_error}", place="ledger")


def make_run_file(
    task: RunTask, metrics: RunMetrics, loop: Loop | None, wall_s: float, setup_s: float
) -> RunFile:
    """Put the figures of a run into their file. Refusals are those of the guard and of the controllers."""
    decisions_ms = loop.decision_ms if loop is not None else []
    p50, p99 = (float(p) for p in np.percentile(decisions_ms, [50, 99])) if decisions_ms else (0.0, 0.0)
    record = RunRecord(
        control=task.control.name,
        seed=task.seed,
        vehicles_due=metrics.vehicles_due,
        departed=metrics.departed,
        arrived=metrics.arrived,
        undeparted=metrics.undeparted,
        mean_delay_s=finite(metrics.mean_delay_s),
        mean_time_loss_s=finite(metrics.mean_time_loss_s),
        mean_depart_delay_s=finite(metrics.mean_depart_delay_s),
        mean_travel_time_s=finite(metrics.mean_travel_time_s),
        mean_waiting_s=finite(metrics.mean_waiting_s),
        max_waiting_s=finite(metrics.max_waiting_s),
        stops_per_vehicle=finite(metrics.stops_per_vehicle),
        co2_kg=finite(metrics.co2_kg),
        teleports=metrics.teleports,
        collisions=metrics.collisions,
        emergency_stops=metrics.emergency_stops,
        refused_requests=sum(loop.guard.refused.values()) if loop is not None else metrics.refused_requests,
        unsafe_states=metrics.unsafe_states,
        deadlock=metrics.deadlock,
        wall_s=wall_s,
        sim_s_per_wall_s=(task.end_s - task.begin_s) / wall_s,
        decision_ms_p50=p50,
        decision_ms_p99=p99,
        setup_s=setup_s,
        vehicles_served=metrics.vehicles_served,
        delay_index=finite(metrics.delay_index),
        delay_index_reached_s=metrics.delay_index_reached_s,
        unsafe=metrics.unsafe,
    )
    series = RunSeries(
        time_s=list(metrics.series_time_s),
        queue_veh=list(metrics.series_queue_veh),
        running=list(metrics.series_running),
        junction_delay_s={junction: finite(delay) for junction, delay in metrics.junction_delay_s.items()},
        travel_time_quantiles_s=list(metrics.travel_time_quantiles_s),
    )
    return RunFile(key=task.key, begin_s=task.begin_s, end_s=task.end_s, run=record, series=series)
