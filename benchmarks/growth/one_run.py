"""One measurement in a process of its own: SUMO alone, or with the whole loop. Prints JSON."""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

BORN_S = time.time()  # the interpreter and what it imports first take 20 ms before this

import libsumo  # noqa: E402
import numpy as np  # noqa: E402

from civicbrain.city.store import Store  # noqa: E402
from civicbrain.contracts.brain import Advice, BrainContext  # noqa: E402
from civicbrain.contracts.rooms import get_room  # noqa: E402
from civicbrain.evaluate.run import TwinDoor  # noqa: E402
from civicbrain.evaluate.study import resolve_city  # noqa: E402
from civicbrain.guard import Guard  # noqa: E402
from civicbrain.ledger import Ledger  # noqa: E402
from civicbrain.runtime.hosts import InlineHost  # noqa: E402
from civicbrain.runtime.loop import Loop  # noqa: E402
from civicbrain.twin.options import TwinOptions  # noqa: E402
from civicbrain.twin.simulation import Twin  # noqa: E402


class Watch:
    """Wall and processor time of what is done again and again, ms."""

    def __init__(self) -> None:
        self.wall_ms: list[float] = []
        self.cpu_ms: list[float] = []

    def __enter__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.thread_time()

    def __exit__(self, *_: object) -> None:
        self.cpu_ms.append((time.thread_time() - self._cpu) * 1e3)
        self.wall_ms.append((time.perf_counter() - self._wall) * 1e3)

    def forget(self) -> None:
        self.wall_ms.clear()
        self.cpu_ms.clear()

    def said(self) -> dict[str, float]:
        """Median, 99th percentile and mean of processor time, and the 99th percentile of wall time."""
        cpu, wall = np.array(self.cpu_ms), np.array(self.wall_ms)
        return {
            "p50_ms": round(float(np.median(cpu)), 2),
            "p99_ms": round(float(np.percentile(cpu, 99)), 2),
            "mean_ms": round(float(cpu.mean()), 2),
            "wall_p99_ms": round(float(np.percentile(wall, 99)), 2),
        }


class TimedBrain:
    """A brain with a watch around its decisions."""

    def __init__(self, brain: Any, watch: Watch) -> None:
        self._brain, self._watch = brain, watch
        self.name, self.cadence_s, self.budget_s = brain.name, brain.cadence_s, 1e9

    def advise(self, snapshot: Any) -> Advice:
        with self._watch:
            advice: Advice = self._brain.advise(snapshot)
        return advice


def bare(folder: str, begin_s: float, settle: int, measured: int) -> dict[str, Any]:
    """SUMO under the city's own plan, stepped and nothing else."""
    city = resolve_city(folder)
    step = Watch()
    with closing(Twin(city, TwinOptions(seed=1, begin_s=begin_s, end_s=begin_s + settle + measured + 1))):
        vehicles = []
        for second in range(settle + measured):
            if second == settle:
                step.forget()
            with step:
                libsumo.simulationStep()
            if second >= settle:
                vehicles.append(libsumo.vehicle.getIDCount())
    return {
        "step": step.said(), "vehicles": round(float(np.mean(vehicles))), "rss_mb": _rss_mb(),
    }  # fmt: skip


def attached(folder: str, begin_s: float, settle: int, measured: int, control: str) -> dict[str, Any]:
    """The same with everything attached: cameras, store, snapshot, brain, guard, ledger, controllers."""
    city = resolve_city(folder)
    decide, snap, sense, step, rest, sumo = (Watch() for _ in range(6))
    before_mb = _rss_mb()
    brain = get_room("brains", "signals").create_brain(BrainContext(city, 1, {"control": control}))
    store = Store(city)
    take_snapshot = store.snapshot

    def timed_snapshot(now_s: float) -> Any:
        with snap:
            return take_snapshot(now_s)

    store.snapshot = timed_snapshot  # type: ignore[method-assign]
    door = TwinDoor()
    loop = Loop(city, store, Guard(city, Ledger(None), door), [InlineHost(TimedBrain(brain, decide))])
    brain_mb = _rss_mb()
    options = TwinOptions(
        seed=1, program="central", emissions=False, begin_s=begin_s, end_s=begin_s + settle + measured + 1
    )
    watches = (decide, snap, sense, step, rest, sumo)
    simulation_step = libsumo.simulationStep

    def timed_step() -> None:
        with sumo:
            simulation_step()

    libsumo.simulationStep = timed_step
    gc.freeze()  # as in a live process
    vehicles, cold_start_s = [], 0.0
    with closing(Twin(city, options)) as twin:
        door.twin = twin
        for second in range(settle + measured):
            if second == settle:
                for watch in watches:
                    watch.forget()
            with step:
                twin.step()
            with sense:
                seen = twin.sense()
            with rest:
                loop.tick(seen, twin.time_s)
            if second == 0:
                cold_start_s = time.time() - BORN_S
            if second >= settle:
                vehicles.append(libsumo.vehicle.getIDCount())
    return {
        "step": step.said(), "sumo": sumo.said(), "sense": sense.said(), "tick": rest.said(),
        "decision": decide.said(), "snapshot": snap.said(), "vehicles": round(float(np.mean(vehicles))),
        "rss_mb": _rss_mb(), "brain_rss_mb": brain_mb, "imported_rss_mb": before_mb,
        "cold_start_s": round(cold_start_s, 1),
        "cpu_ms_a_second": round(sum(watch.said()["mean_ms"] for watch in (step, sense, rest)), 1),
    }  # fmt: skip


def _rss_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0, 1)


if __name__ == "__main__":
    kind, place, begin, settle_s, measured_s, *more = sys.argv[1:]
    window = (str(Path(place)), float(begin), int(settle_s), int(measured_s))
    print(json.dumps(bare(*window) if kind == "bare" else attached(*window, *more)))
