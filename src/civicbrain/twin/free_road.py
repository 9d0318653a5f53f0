"""The same demand on a road where no signal ever stops anyone: the delay that no control can take away.

`run_free_road` has two ways. Free road: every vehicle disregards red lights, right of way and foes inside
junctions everywhere, so that speed limits, curves, car following, lane changes and insertion are all that
costs time. Open signals: the same only at signal junctions, while right of way holds at all others, where
signals can do little about it.

In SUMO this is a bound by construction of the street, not a theorem: vehicles that cross through one another
may disturb car following where their ways join, more than a signal that lets them in one by one; and at open
signals the junctions downstream get their vehicles unmetered. SUMO documentation: TraCI, "Change Vehicle
State", speed mode.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import libsumo

from civicbrain.city.model import City
from civicbrain.core.errors import TwinError
from civicbrain.twin.launch import TRIPS_FILE, start_sumo
from civicbrain.twin.metrics import Trips, read_trips
from civicbrain.twin.options import TwinOptions

FREE_SPEED_MODE = 1 + 2 + 4 + 32
"""Safe speed, acceleration and deceleration are kept; right of way (8) and red lights (16) are not; foes
inside junctions are disregarded (32)."""
RULES_SPEED_MODE = 1 + 2 + 4 + 8 + 16
"""SUMO's default."""

ROUTES_FILE = "routes.xml"


@dataclass(frozen=True, slots=True)
class FreeTrip:
    """Way of one vehicle over the free road. exits_s: when it left each edge of its route, as far as it got
    within the window."""

    vehicle: str
    edges: tuple[str, ...]
    exits_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FreeRoad:
    """trips: the sums of the run; ways: one entry a vehicle that departed."""

    trips: Trips
    ways: tuple[FreeTrip, ...]

    @property
    def mean_delay_s(self) -> float:
        """Delay per vehicle due, defined as in `RunMetrics`."""
        due = self.trips.departed + self.trips.undeparted
        return (self.trips.time_loss_s + self.trips.depart_delay_s) / max(due, 1)


def run_free_road(city: City, options: TwinOptions, *, right_of_way: bool = False) -> FreeRoad:
    """Simulate the window without control. Starts libsumo in this process, as `Twin` does; of the options
    seed, begin_s and end_s count. right_of_way: keep it where there is no signal. Raises TwinError."""
    begin_s = city.demand.begin_s if options.begin_s is None else options.begin_s
    end_s = city.demand.end_s if options.end_s is None else options.end_s
    with tempfile.TemporaryDirectory(prefix="civicbrain-free-road-") as name:
        folder = Path(name)
        more = ["--vehroute-output", str(folder / ROUTES_FILE), "--vehroute-output.exit-times"]
        more += ["--vehroute-output.write-unfinished", "--collision.action", "none"]
        start_sumo(city, options, begin_s, end_s, folder, None, more)
        try:
            drivers = _Drivers(city) if right_of_way else None
            while libsumo.simulation.getTime() < end_s - 1e-6:
                libsumo.simulationStep()
                for vehicle_id in libsumo.simulation.getDepartedIDList():
                    libsumo.vehicle.setSpeedMode(vehicle_id, FREE_SPEED_MODE)
                if drivers is not None:
                    drivers.look()
        except (libsumo.TraCIException, libsumo.FatalTraCIError) as error:
            raise TwinError(f"SUMO failed: {error}", place=city.name) from error
        finally:
            libsumo.close()
        return FreeRoad(read_trips(folder / TRIPS_FILE), read_ways(folder / ROUTES_FILE))


class _Drivers:
    """Keeps right of way on the edges that end at no signal, and inside the junctions there."""

    def __init__(self, city: City) -> None:
        edges, nodes = city.network.edges, city.network.nodes
        self._free = {name for row, name in enumerate(edges.ids) if nodes.junction[edges.to_node[row]] >= 0}
        self._inside = tuple(f":{node}_" for row, node in enumerate(nodes.ids) if nodes.junction[row] >= 0)
        self._mode: dict[str, int] = {}

    def look(self) -> None:
        """Set the speed mode of whoever came onto an edge of the other kind."""
        vehicle = libsumo.vehicle
        for name in vehicle.getIDList():
            edge = vehicle.getRoadID(name)
            free = edge in self._free or edge.startswith(self._inside)
            mode = FREE_SPEED_MODE if free else RULES_SPEED_MODE
            if self._mode.get(name, FREE_SPEED_MODE) != mode:
                vehicle.setSpeedMode(name, mode)
            self._mode[name] = mode


def read_ways(file: Path) -> tuple[FreeTrip, ...]:
    """From SUMO's vehicle routes with exit times, those that departed."""
    ways = []
    for _, element in ElementTree.iterparse(file):  # noqa: S314  (SUMO wrote it a moment ago)
        if element.tag != "vehicle":
            continue
        route = element.find("route")
        routes = element.findall("routeDistribution/route")
        route = routes[-1] if routes else route  # the last one is the one that was driven
        if route is not None and float(element.attrib["depart"]) >= 0.0:
            exits_s = [float(text) for text in route.get("exitTimes", "").split()]
            ways.append(
                FreeTrip(
                    element.attrib["id"],
                    tuple(route.attrib["edges"].split()),
                    tuple(time_s for time_s in exits_s if time_s >= 0.0),
                )
            )
        element.clear()
    return tuple(ways)
