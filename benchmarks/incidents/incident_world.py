"""One simulated run, second by second, for whoever watches: in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from draw_incidents import Flows

from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.observations import Detections
from civicbrain.city.store import Store
from civicbrain.evaluate.run import TwinDoor
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime.hosts import InlineHost
from civicbrain.runtime.loop import Loop
from civicbrain.twin.incidents import RoadIncident, Truth
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin

NOISE = {"miss_rate": 0.05, "latency_s": 0.5, "position_sd_m": 0.5, "speed_sd_mps": 0.3}
"""Of the cameras in every run: misses and latency are the twin's usual ones; the errors of place and speed
are an assumption of ours for roadside video (no source that holds for all of them)."""


@dataclass(frozen=True)
class Run:
    """scale: factor on the demand. length_s: of the window, from the city's begin on. control: of the signals
    room; none: the city's own plan, as local plan of our controllers."""

    city_folder: Path
    seed: int
    scale: float
    coverage: float
    length_s: float
    incidents: tuple[RoadIncident, ...] = ()
    control: str = ""


def simulate(run: Run, watch: Callable[[City, float, list[Any]], None]) -> dict[str, Truth]:
    """Simulate; watch(city, second, what cameras and controllers delivered). What became of the incidents."""
    city = load_city(run.city_folder)
    demand = replace(city.demand, sumo_options=(*city.demand.sumo_options, ("scale", f"{run.scale:g}")))
    city = replace(city, demand=demand)
    begin_s = city.demand.begin_s
    options = TwinOptions(
        seed=run.seed,
        coverage=run.coverage,
        begin_s=begin_s,
        end_s=begin_s + run.length_s,
        emissions=False,
        sees_inside=True,
        incidents=run.incidents,
        **NOISE,
    )
    door = TwinDoor()
    loop = _loop(city, run, door) if run.control else None
    door.twin = twin = Twin(city, options)
    asked: list[Any] = []
    try:
        while not twin.ended:
            twin.step()
            seen = list(twin.sense())
            watch(city, twin.time_s, [*seen, *asked])
            if loop is not None:
                loop.tick(seen, twin.time_s)
                asked = [loop.asked]
        return twin.truths
    finally:
        twin.close()


def _loop(city: City, run: Run, door: TwinDoor) -> Loop:
    """The control of the run, as in a live city."""
    host = InlineHost.from_room("signals", city, seed=run.seed, options={"control": run.control})
    return Loop(city, Store(city), Guard(city, Ledger(None), door), [host])


def measure_flows(run: Run) -> Flows:
    """Vehicles an hour of each lane in a run without incidents, as far as cameras see them."""
    moved_m: F64 = np.zeros(0)
    city: City | None = None

    def watch(its: City, _: float, data: list[Any]) -> None:
        nonlocal moved_m, city
        if city is None:
            city, moved_m = its, np.zeros(len(its.network.lanes.ids))
        for datum in data:
            if isinstance(datum, Detections):
                moved_m += np.bincount(datum.lane, weights=datum.speed_mps, minlength=len(moved_m))

    simulate(replace(run, incidents=(), coverage=1.0), watch)
    assert city is not None
    in_view_m = np.full(len(moved_m), np.inf)
    table = city.cameras
    in_view_m[table.lane] = np.clip(
        table.range_m - table.beyond_m, 1.0, city.network.lanes.length_m[table.lane]
    )
    seen = 1.0 - NOISE["miss_rate"]
    return Flows(moved_m / in_view_m / (run.length_s / 3600.0) / seen)
