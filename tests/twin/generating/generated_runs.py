"""What runs in the twin's own process; returns plain figures."""

from __future__ import annotations

from pathlib import Path

import libsumo

from civicbrain.city.folder import load_city
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin


def drive(folder: str, length_s: float) -> dict[str, float]:
    """The fixed plan for some time from the begin of the window."""
    city = load_city(Path(folder))
    twin = Twin(city, TwinOptions(program="fixed", end_s=city.demand.begin_s + length_s))
    arrived = collisions = 0
    while not twin.ended:
        twin.step()
        arrived += libsumo.simulation.getArrivedNumber()
        collisions += libsumo.simulation.getCollidingVehiclesNumber()
    cars = [name for name in libsumo.vehicle.getIDList() if not name.startswith("bus")]
    result = {
        "arrived": float(arrived),
        "collisions": float(collisions),
        "waiting_to_depart": float(len(libsumo.simulation.getPendingVehicles())),
        "standing_longest_s": max(libsumo.vehicle.getWaitingTime(name) for name in cars),
    }
    twin.close()
    return result
