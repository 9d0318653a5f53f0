"""What runs in the twin's own process for the tests of buses; returns plain figures."""

from __future__ import annotations

from typing import Any

import libsumo
import msgspec
import numpy as np

from civicbrain.city.store import Store
from civicbrain.evaluate.arms import ARMS
from civicbrain.evaluate.transit import TransitRun, run_transit
from civicbrain.twin.buses import BusTraffic
from civicbrain.twin.importing import resolve_scenario
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin


def follow_buses(window_s: float) -> dict[str, Any]:
    """The buses of ingolstadt1: what they report against where they are; and their timetable."""
    city = resolve_scenario("ingolstadt1")
    begin_s = city.demand.begin_s
    twin = Twin(city, TwinOptions(program="fixed", seed=1, end_s=begin_s + window_s, emissions=False))
    traffic, store = BusTraffic(city, 1), Store(city)
    true_xy: dict[tuple[str, float], tuple[float, float]] = {}
    errors_m, ages_s, loaded = [], [], set()
    while not twin.ended:
        twin.step()
        traffic.look(twin.time_s)
        for name in libsumo.vehicle.getIDList():
            if libsumo.vehicle.getVehicleClass(name) == "bus":
                true_xy[name, twin.time_s] = libsumo.vehicle.getPosition(name)
                loaded.add(name)
        positions = traffic.sense(twin.time_s)
        store.fold(positions, twin.time_s)
        for at in positions:
            x_m, y_m = true_xy[at.trip, at.time_s]
            errors_m.append(float(np.hypot(at.x_m - x_m, at.y_m - y_m)))
            ages_s.append(twin.time_s - at.time_s)
    drives = traffic.drives
    twin.close()
    timetable = city.timetable
    assert timetable is not None
    trip = timetable.trips["60R.41"]
    return {
        "loaded": sorted(loaded),
        "seen": sorted(drives),
        "mean_error_m": float(np.mean(errors_m)),
        "ages_s": sorted(set(ages_s)),
        "positions": len(errors_m),
        "refused": dict(store.buses.refused),
        "line": timetable.patterns[trip.pattern].line,
        "direction": timetable.patterns[trip.pattern].direction,
        "start_s": trip.start_s,
        "through": {name: drive.over and all(np.isfinite(drive.left_s)) for name, drive in drives.items()},
        "in_order": all(
            drive.arrived_s[n] <= drive.left_s[n] for drive in drives.values() for n in range(drive.next)
        ),
    }


def bus_loss(arm: str) -> dict[str, Any]:
    """One run of ingolstadt1 in which every bus comes in minutes late."""
    city = resolve_scenario("ingolstadt1")
    begin_s = city.demand.begin_s
    task = TransitRun(city.folder, ARMS[arm], 1, begin_s, begin_s + 1200.0, entry_late_s=600.0)
    record = run_transit(task)
    return {
        **{name: getattr(record, name) for name in ("unsafe_states", "collisions", "asks", "others_delay_s")},
        "loss_s": {bus.trip: bus.time_loss_s for bus in record.buses},
        "buses": msgspec.to_builtins(record.buses),
    }
