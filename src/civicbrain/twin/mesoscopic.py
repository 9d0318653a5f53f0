"""SUMO's mesoscopic model: vehicles are held in queues, one a lane and 98 m of road, and wait their turn.

Nobody accelerates, follows or changes lanes; a vehicle leaves its queue when its free-flow time is over, the
headway to the one before has passed, the next queue has room and the junction's lamps and right of way let it
(Eissfeldt 2004, "Vehicle-based modelling of traffic", https://kups.ub.uni-koeln.de/1274/; SUMO's manual,
Simulation/Meso). What SUMO 1.28 tells of it differs (docs/decisions/mesoscopic-twin.md):

- lanes are empty to every lane getter and `vehicle.getLaneID` is ""; edges, queue index and position hold;
- only the head of a queue has a waiting time and a speed of 0; the others show the speed they once planned;
- `getNextTLS` is empty, `getTimeLoss` 0 until the trip record is written; yellow is red.

`MesoRoad` makes of it what a camera would see: standing queues, front to front by the vehicles' lengths.
"""

from __future__ import annotations

from dataclasses import dataclass

import libsumo
import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import F32, I32
from civicbrain.twin.fleet import compiled

SEGMENT_M = 98.0
"""Longest queue; SUMO's default."""
HEADWAY_S = 2.0
"""Net time gap, front to rear, of vehicles that leave a queue; SUMO's defaults are 1.13 s out of a free one
and 1.73 s out of a jammed one. Chosen so that cologne1, cologne3 and ingolstadt1 under twice their demand let
as many through as the microscopic model does (benchmarks/mesoscopic, `--part capacity`). It stands for
start-up losses, turning and yielding as well, which the mesoscopic model does not know."""
JAM_HEADWAY_S = 1.4
"""How fast the gaps of a full queue travel upstream; SUMO's default."""

MESOSCOPIC = [
    "--mesosim", "true",
    "--meso-edgelength", f"{SEGMENT_M:g}",
    "--meso-junction-control", "true",
    "--meso-lane-queue", "true",
    "--meso-interpolate-pos", "true",
    "--meso-tauff", f"{HEADWAY_S:g}",
    "--meso-taufj", f"{HEADWAY_S:g}",
    "--meso-taujf", f"{HEADWAY_S:g}",
    "--meso-taujj", f"{JAM_HEADWAY_S:g}",
]  # fmt: skip
"""SUMO's options of a mesoscopic run."""


def count_queues(length_m: float) -> int:
    """Into how many queues, one behind the other, SUMO divides an edge of that length."""
    return max(1, int(length_m / SEGMENT_M + 0.5))


_CLOSE_M = 1.0
_get_ids = compiled("edge", "getLastStepVehicleIDs")
_get_queue = compiled("vehicle", "getLaneIndex")
_get_position = compiled("vehicle", "getLanePosition")
_get_speed = compiled("vehicle", "getSpeed")


@dataclass(frozen=True, slots=True)
class Placed:
    """Vehicles on the streets (not inside junctions), by edge, each lane from its head on.

    ids: n of them. lane: (n,) row in Lanes, -1 for a lane that is none of the city's. position_m: (n,) of
    the front, from the beginning of the lane. speed_mps: (n,).
    """

    ids: list[str]
    lane: I32
    position_m: F32
    speed_mps: F32


class MesoRoad:
    """Places the vehicles of a mesoscopic simulation."""

    def __init__(self, city: City) -> None:
        network = city.network
        rows: dict[str, dict[int, int]] = {name: {} for name in network.edges.ids}
        for row, (edge, index) in enumerate(zip(network.lanes.edge, network.lanes.index, strict=True)):
            rows[network.edges.ids[edge]][int(index)] = row
        self._edges = list(rows.items())  # edge id, queue (SUMO's lane index) -> row of the lane
        self._room_m: dict[str, float] = {}

    def look(self) -> Placed:
        """Where they are now. One that has come up to the one ahead is as fast as that one at most."""
        ids: list[str] = []
        lane: list[int] = []
        position: list[float] = []
        speed: list[float] = []
        for edge, rows in self._edges:
            found = _get_ids(edge)
            if not found:
                continue
            ahead: dict[int, tuple[float, float]] = {}  # queue -> where the next can be, and its speed
            for name in reversed(found):  # SUMO lists the last to have entered first
                queue = _get_queue(name)
                place_m, speed_mps = _get_position(name), _get_speed(name)
                most = ahead.get(queue)
                if most is not None and place_m > most[0] - _CLOSE_M:
                    place_m, speed_mps = max(min(place_m, most[0]), 0.0), min(speed_mps, most[1])
                ahead[queue] = (place_m - self._room(name), speed_mps)
                ids.append(name)
                lane.append(rows.get(queue, -1))
                position.append(place_m)
                speed.append(speed_mps)
        return Placed(
            ids, np.array(lane, np.int32), np.array(position, np.float32), np.array(speed, np.float32)
        )

    def _room(self, name: str) -> float:
        """Its length and the gap that the one behind leaves, m."""
        room_m = self._room_m.get(name)
        if room_m is None:
            vehicle = libsumo.vehicle
            room_m = self._room_m[name] = vehicle.getLength(name) + vehicle.getMinGap(name)
        return room_m
