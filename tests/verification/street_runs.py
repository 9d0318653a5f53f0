"""What runs in the twin's own process; returns plain figures."""

from __future__ import annotations

from pathlib import Path

import libsumo

from civicbrain.twin.importing import import_city
from civicbrain.twin.metrics import RunMetrics
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin


def run_window(config: Path, program: str) -> RunMetrics:
    """The whole window, the centre silent throughout."""
    city = import_city(config, config.parent / f"city-{program}")
    twin = Twin(city, TwinOptions(program=program))
    while not twin.ended:
        twin.step()
    return twin.finish()


def departures_at_stop_line(config: Path, edge: str) -> list[float]:
    """Second at which each vehicle is first seen on the edge after the stop line, in order."""
    city = import_city(config, config.parent / "city-line")
    twin = Twin(city, TwinOptions(program="fixed"))
    first: dict[str, float] = {}
    while not twin.ended:
        twin.step()
        for vehicle in libsumo.edge.getLastStepVehicleIDs(edge):
            if vehicle not in first:
                # how long ago it crossed, from where it is now
                since_s = libsumo.vehicle.getLanePosition(vehicle) / max(
                    libsumo.vehicle.getSpeed(vehicle), 0.1
                )
                first[vehicle] = twin.time_s - since_s
    twin.close()
    return sorted(first.values())
