"""One future under the city's control: what a worker process does."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec

from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.city.store import Store
from civicbrain.city.whatif import Change
from civicbrain.contracts.brain import BrainContext, ControlSpec, Priority
from civicbrain.contracts.rooms import get_room
from civicbrain.core.errors import BrainError
from civicbrain.core.low_priority import give_way
from civicbrain.evaluate.run import TwinDoor
from civicbrain.guard import Guard
from civicbrain.guard.rules import GRANTED, GuardOptions
from civicbrain.ledger import Ledger
from civicbrain.runtime.child import end_with
from civicbrain.runtime.hosts import InlineHost, warm_up
from civicbrain.runtime.loop import Loop
from civicbrain.twin.whatif.figures import FutureFigures

NICE = 10
"""Workers give way to the live city."""

PLANNER = "what-if"
"""Who asks for the plans of a change, with an operator's rank: brains leave those junctions alone."""


@dataclass(frozen=True)
class FutureTask:
    """branch: folder that `write_branch` has filled."""

    city_folder: Path
    branch: Path
    change: Change
    control: ControlSpec
    seed: int
    horizon_s: float
    mesoscopic: bool
    demand_factor: float


def begin_worker(nice: int = NICE) -> None:
    """At the start of a worker: it ends with who asked, however that ends, and stands back."""
    end_with(os.getppid())
    give_way(nice)


def run_future(task: FutureTask) -> FutureFigures:
    """Simulate it to its end. Raises TwinError when SUMO fails, BrainError when the control does."""
    from civicbrain.twin.whatif.future import Future

    cpu_s = time.process_time()
    city = _load(task.city_folder)
    door = TwinDoor()
    loop = make_loop(city, task.control, task.seed, door) if task.control.brain else None
    future = Future(
        city, task.branch, task.change, seed=task.seed, horizon_s=task.horizon_s, mesoscopic=task.mesoscopic,
        senses=loop is not None, demand_factor=task.demand_factor,
    )  # fmt: skip
    try:
        door.twin = twin = future.twin
        while not future.ended:
            future.step()
            plans = future.plan_requests()
            if loop is None:
                twin.heartbeat()
                if plans:
                    twin.apply(plans)
                continue
            if plans:
                loop.guard.handle(plans, twin.time_s)
            if future.senses_now:
                loop.tick(twin.sense(), twin.time_s)
        figures = future.finish()
    finally:
        future.close()
    if loop is not None and (failed := [h for h in loop.health(twin.time_s) if h.failures]):
        raise BrainError(
            f"failed {failed[0].failures} times; last: {failed[0].last_error}",
            place=f"brain {failed[0].name}", remedy="ask under another control",
        )  # fmt: skip
    return msgspec.structs.replace(figures, cpu_s=time.process_time() - cpu_s)


@lru_cache(maxsize=2)
def _load(folder: Path) -> City:
    return load_city(folder)


_warm: set[str] = set()


def make_loop(city: City, control: ControlSpec, seed: int, door: TwinDoor) -> Loop:
    """The control's brain in a loop of its own, warmed up once a process."""
    room = get_room("brains", control.brain)
    context = BrainContext(city, seed, dict(control.options))
    if control.name not in _warm:
        _warm.add(control.name)
        warm_up(room.create_brain, context)
    priorities = {**GRANTED, PLANNER: int(Priority.OPERATOR)}
    guard = Guard(city, Ledger(None), door, GuardOptions(priorities=priorities))
    return Loop(city, Store(city), guard, [InlineHost(room.create_brain(context))])
