"""Emergency vehicles in the twin: they set out when their missions say, and report where they are.

Two kinds. One obeys the lights (`blue_light` False) and differs from a car by its speed and its class alone.
The other passes red with caution, at walking pace to 20 km/h, giving way to who has green: SUMO's junction
parameters of an emergency vehicle (https://sumo.dlr.de/docs/Simulation/Emergency.html). Both may drive at the
mission's multiple of the limit. Nobody makes way for them: SUMO's blue-light device, which would have others
do so, ends SUMO 1.28 with a segmentation fault (docs/decisions/blue-light.md), and a rescue lane needs its
sublane model besides. So what is measured here is what the signals alone can do.

Positions are published each second with a receiver's error and some latency, as a tracked-position feed has
them; draws depend on the seed, the mission and the second alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import libsumo
import numpy as np

from civicbrain.city.missions import Mission, MissionDatum, MissionEnd, VehiclePosition
from civicbrain.city.model import City
from civicbrain.core.errors import TwinError

SOURCE = "twin"
"""The source of these positions; a mission is followed when it names it."""

VEHICLE_PREFIX = "mission:"
LENGTH_M = 6.5  # an ambulance (EN 1789, type C)
MAX_SPEED_MPS = 45.0
RED_S, RED_MPS = 300.0, 20.0 / 3.6
"""How long after its begin a red may be passed, and how fast: values of SUMO's example."""


BLUE_TYPE, PLAIN_TYPE = "civicbrain-blue", "civicbrain-plain"
_TYPES = f"""<additional>
    <vType id="{PLAIN_TYPE}" vClass="emergency" guiShape="emergency" length="{LENGTH_M:g}"
           maxSpeed="{MAX_SPEED_MPS:g}" speedDev="0"/>
    <vType id="{BLUE_TYPE}" vClass="emergency" guiShape="emergency" length="{LENGTH_M:g}"
           maxSpeed="{MAX_SPEED_MPS:g}" speedDev="0"
           jmDriveAfterRedTime="{RED_S:g}" jmDriveRedSpeed="{RED_MPS:.2f}"/>
</additional>
"""


def with_mission_types(city: City, scratch: Path) -> City:
    """The city with the vehicle types of missions among its additional files; written into `scratch`, which
    has to last as long as the city is simulated."""
    file = (scratch / "mission-types.add.xml").absolute()
    file.write_text(_TYPES)
    names = (*city.demand.additional_files, str(file))
    return replace(city, demand=replace(city.demand, additional_files=names))


@dataclass(frozen=True, slots=True)
class MissionTrip:
    """A mission that the twin drives. Its route must not be empty."""

    mission: Mission
    blue_light: bool = False


@dataclass(slots=True)
class MissionDrive:
    """What became of one. left_s: (edge id, second at which the vehicle left it), in the order driven.
    time_loss_s, depart_delay_s: as SUMO counts them. Times are None where they have not come."""

    trip: MissionTrip
    due_s: float
    departed_s: float | None = None
    arrived_s: float | None = None
    cancelled_s: float | None = None
    time_loss_s: float = 0.0
    depart_delay_s: float = 0.0
    left_s: list[tuple[str, float]] = field(default_factory=list)
    edge: str = ""


class MissionTraffic:
    """The mission vehicles of the simulation that runs in this process, of a city `with_mission_types`. Call
    `insert` before each step of the twin and `look` after it; `sense` gives what a feed would bring.

    drives: mission id -> its drive."""

    def __init__(
        self,
        trips: Sequence[MissionTrip] = (),
        *,
        seed: int = 0,
        error_m: float = 4.0,
        latency_s: float = 1.0,
    ) -> None:
        self.drives: dict[str, MissionDrive] = {}
        self._waiting = sorted(trips, key=lambda trip: (trip.mission.created_s, trip.mission.id))
        self._under_way: dict[str, MissionDrive] = {}
        self._seed, self._error_m, self._latency_s = seed, error_m, latency_s
        self._late: list[tuple[float, VehiclePosition]] = []
        self._said: list[MissionDatum] = []
        self._types: set[str] = set()

    def add(self, trip: MissionTrip) -> None:
        """One more, while the simulation runs. Raises TwinError when it cannot drive its route."""
        self._insert(trip)

    def insert(self, now_s: float) -> None:
        """Let those set out that are due. Raises TwinError."""
        while self._waiting and self._waiting[0].mission.created_s <= now_s + 1e-6:
            trip = self._waiting.pop(0)
            self._insert(trip)
            self._said.append(trip.mission)

    def cancel(self, mission: str) -> None:
        """The vehicle turns to other business: it leaves the simulation where it is."""
        drive = self._under_way.pop(mission, None)
        if drive is not None:
            drive.cancelled_s = libsumo.simulation.getTime()
            libsumo.vehicle.remove(VEHICLE_PREFIX + mission)

    def drive_along(self, mission: str, edges: Sequence[str]) -> None:
        """Give a vehicle its route, from the edge on which it is; a route that it is not on is left alone."""
        drive = self._under_way.get(mission)
        if drive is None or drive.departed_s is None:
            return
        vehicle = VEHICLE_PREFIX + mission
        place = libsumo.vehicle.getRouteIndex(vehicle)
        here = libsumo.vehicle.getRoute(vehicle)[max(0, place)]
        if here in edges:
            rest = list(edges[list(edges).index(here) :])
            if rest != list(libsumo.vehicle.getRoute(vehicle)[max(0, place) :]):
                libsumo.vehicle.setRoute(vehicle, rest)

    def look(self, now_s: float) -> None:
        """Take in where they are after a step."""
        departed = set(libsumo.simulation.getDepartedIDList())
        arrived = set(libsumo.simulation.getArrivedIDList())
        for name, drive in list(self._under_way.items()):
            vehicle = VEHICLE_PREFIX + name
            if vehicle in departed:
                drive.departed_s = now_s
                drive.depart_delay_s = libsumo.vehicle.getDepartDelay(vehicle)
            if vehicle in arrived:
                drive.arrived_s = now_s
                self._left(drive, now_s)
                del self._under_way[name]
                self._said.append(MissionEnd(name, now_s, "arrived"))
            elif drive.departed_s is not None:
                self._look_at(name, drive, now_s)

    def sense(self, now_s: float) -> list[MissionDatum]:
        """Orders, ends and the positions whose latency is over, since the last call."""
        due = [position for at_s, position in self._late if at_s <= now_s + 1e-6]
        self._late = [(at_s, position) for at_s, position in self._late if at_s > now_s + 1e-6]
        said, self._said = self._said, []
        return [*said, *due]

    @property
    def delay_veh_s(self) -> float:
        """Time loss and departure delay of all mission vehicles: the run's without it is the others'."""
        now_s = float(libsumo.simulation.getTime())
        waits = sum(now_s - d.due_s for d in self._under_way.values() if d.departed_s is None)
        return waits + sum(drive.time_loss_s + drive.depart_delay_s for drive in self.drives.values())

    def _insert(self, trip: MissionTrip) -> None:
        mission = trip.mission
        vehicle = VEHICLE_PREFIX + mission.id
        now_s = libsumo.simulation.getTime()
        try:
            libsumo.route.add(vehicle, list(mission.route))
            # the position is a wish: at the place where the mission starts, or where there is room
            libsumo.vehicle.add(
                vehicle, vehicle, typeID=self._type(trip), departLane="best", departSpeed="0",
                departPos=f"{mission.from_m:.1f}" if mission.from_m > 0.0 else "base",
                arrivalPos=f"{mission.to_m:.1f}" if mission.to_m >= 0.0 else "max",
            )  # fmt: skip
        except libsumo.TraCIException as error:
            raise TwinError(
                f"mission {mission.id!r} cannot drive its route: {error}", place="mission",
                remedy="give it a route of connected edges that emergency vehicles may use",
            ) from error  # fmt: skip
        drive = MissionDrive(trip, now_s)
        self.drives[mission.id] = self._under_way[mission.id] = drive

    def _type(self, trip: MissionTrip) -> str:
        factor = trip.mission.speed_factor
        name = f"civicbrain-{'blue' if trip.blue_light else 'plain'}-{factor:g}"
        if name not in self._types:
            libsumo.vehicletype.copy(BLUE_TYPE if trip.blue_light else PLAIN_TYPE, name)
            libsumo.vehicletype.setSpeedFactor(name, factor)
            self._types.add(name)
        return name

    def _look_at(self, name: str, drive: MissionDrive, now_s: float) -> None:
        vehicle = VEHICLE_PREFIX + name
        drive.time_loss_s = libsumo.vehicle.getTimeLoss(vehicle)
        edge = libsumo.vehicle.getRoadID(vehicle)
        if edge != drive.edge:
            self._left(drive, now_s)
            drive.edge = edge
        x_m, y_m = libsumo.vehicle.getPosition(vehicle)
        if math.isfinite(x_m) and abs(x_m) < 1e9:
            east_m, north_m = self._error(name, now_s)
            position = VehiclePosition(
                SOURCE, name, now_s, x_m + east_m, y_m + north_m, max(0.0, libsumo.vehicle.getSpeed(vehicle)),
                libsumo.vehicle.getAngle(vehicle) % 360.0,
            )  # fmt: skip
            self._late.append((now_s + self._latency_s, position))

    def _left(self, drive: MissionDrive, now_s: float) -> None:
        if drive.edge and not drive.edge.startswith(":"):
            drive.left_s.append((drive.edge, now_s))
        drive.edge = ""

    def _error(self, name: str, now_s: float) -> tuple[float, float]:
        draw = np.random.default_rng((self._seed, int(now_s * 1000.0), *name.encode()))
        east_m, north_m = draw.normal(0.0, self._error_m, 2)
        return float(east_m), float(north_m)
