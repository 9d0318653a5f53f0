"""Buses in the twin: where they are, as their radios report it, and when they really were at their stops.

A bus of the twin is a vehicle whose id is a trip of the city's timetable. Positions are published each
`period_s` (each bus at a second of its own) with a receiver's error and a latency, as the vehicle location
system of an operator has them; draws depend on the seed, the trip and the second alone. Dwell times vary,
where asked, with the coefficient of variation that the TCQSM gives (3rd ed., TCRP report 165, ch. 6: 0.6).
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field

import libsumo
import numpy as np

from civicbrain.city.model import City
from civicbrain.city.transit.buses import BusPosition
from civicbrain.city.transit.timetable import Timetable

SOURCE = "twin"
REACHED_M = 3.0
"""A bus that stands within so many metres before its stop has arrived: SUMO halts a little before the end."""


@dataclass(frozen=True, slots=True)
class BusOptions:
    """period_s: between two positions of a bus. error_m: standard deviation, each axis. latency_s: age of a
    position when it comes. dwell_cv: of dwell times; 0 leaves the scenario's alone."""

    period_s: float = 5.0
    error_m: float = 5.0
    latency_s: float = 2.0
    dwell_cv: float = 0.0


@dataclass(slots=True)
class BusDrive:
    """What became of one. arrived_s, left_s: (stops,) seconds at each of its pattern's, NaN where it has not
    been (stops missed between two looks get the second of the next). time_loss_s: as SUMO counts it, dwell
    times left out; depart_delay_s: wait for room at the start."""

    trip: str
    arrived_s: list[float]
    left_s: list[float]
    time_loss_s: float = 0.0
    depart_delay_s: float = 0.0
    next: int = 0
    over: bool = False
    places: list[tuple[int, float]] = field(default_factory=list)


class BusTraffic:
    """The buses of the simulation that runs in this process. Call `look` after each step of the twin; `sense`
    gives what a feed would bring. drives: trip -> its drive."""

    def __init__(self, city: City, seed: int = 0, options: BusOptions = BusOptions()) -> None:
        self.drives: dict[str, BusDrive] = {}
        self.options = options
        self._city, self._seed = city, seed
        self._timetable: Timetable | None = city.timetable
        self._under_way: set[str] = set()
        self._looked = False
        self._late: list[tuple[float, BusPosition]] = []

    def look(self, now_s: float) -> None:
        """Take in where they are after a step."""
        if self._timetable is None:
            return
        trips = self._timetable.trips
        # the first time all of them: the warm-up, or a checkpoint, has let some set out unseen
        first, self._looked = not self._looked, True
        names = libsumo.vehicle.getIDList() if first else libsumo.simulation.getDepartedIDList()
        for name in names:
            if name in trips and name not in self.drives:
                self._departed(name)
        for name in libsumo.simulation.getArrivedIDList():
            drive = self.drives.get(name)
            if drive is not None and name in self._under_way:
                self._reach(drive, len(drive.places), now_s)
                drive.over = True
                self._under_way.discard(name)
        for name in sorted(self._under_way):
            self._look_at(name, now_s)

    def sense(self, now_s: float) -> list[BusPosition]:
        """Positions whose latency is over, since the last call."""
        due = [position for at_s, position in self._late if at_s <= now_s + 1e-6]
        self._late = [(at_s, position) for at_s, position in self._late if at_s > now_s + 1e-6]
        return due

    @property
    def delay_veh_s(self) -> float:
        """Time loss and departure delay of all buses that set out: a run's without it is the others'."""
        return sum(drive.time_loss_s + drive.depart_delay_s for drive in self.drives.values())

    def _departed(self, name: str) -> None:
        assert self._timetable is not None
        trip = self._timetable.trips[name]
        pattern = self._timetable.patterns[trip.pattern]
        stops = [self._timetable.stops[stop] for stop in pattern.stops]
        places = [(place, stop.position_m) for place, stop in zip(pattern.places, stops, strict=True)]
        nothing = [math.nan] * len(places)
        drive = BusDrive(name, list(nothing), list(nothing), places=places)
        drive.depart_delay_s = libsumo.vehicle.getDepartDelay(name)
        self.drives[name] = drive
        self._under_way.add(name)
        if self.options.dwell_cv > 0.0:
            self._vary_dwells(name)

    def _vary_dwells(self, name: str) -> None:
        """Each dwell time by a factor, lognormal with mean 1 and the coefficient of variation asked."""
        sigma = math.sqrt(math.log(1.0 + self.options.dwell_cv**2))
        rng = np.random.default_rng((self._seed, zlib.crc32(name.encode())))
        for place, stop in enumerate(libsumo.vehicle.getStops(name)):
            factor = math.exp(rng.normal(-0.5 * sigma * sigma, sigma))
            if stop.duration > 0.0 and stop.stoppingPlaceID:
                # of stops, `setBusStop` would add another: only the duration is replaced
                libsumo.vehicle.replaceStop(
                    name, place, stop.stoppingPlaceID, 1.0, 0, max(5.0, stop.duration * factor),
                    libsumo.constants.STOP_BUS_STOP, until=stop.until,
                )  # fmt: skip

    def _look_at(self, name: str, now_s: float) -> None:
        vehicle, drive = libsumo.vehicle, self.drives[name]
        drive.time_loss_s = vehicle.getTimeLoss(name)
        index = vehicle.getRouteIndex(name)
        edge = vehicle.getRoadID(name)
        at_m = vehicle.getLanePosition(name) if not edge.startswith(":") else 1e9
        passed = drive.next
        while passed < len(drive.places) and (index, at_m) >= _before(drive.places[passed], REACHED_M):
            if math.isnan(drive.arrived_s[passed]):
                drive.arrived_s[passed] = now_s
            if (index, at_m) < _before(drive.places[passed], -2.0) or vehicle.isStopped(name):
                break  # it stands there, or has not left
            passed += 1
        self._reach(drive, passed, now_s)
        period_s = self.options.period_s
        phase_s = zlib.crc32(name.encode()) % max(1, int(period_s))
        if period_s > 1.0 and int(now_s - phase_s) % int(period_s):
            return
        x_m, y_m = vehicle.getPosition(name)
        if math.isfinite(x_m) and abs(x_m) < 1e9:
            draw = np.random.default_rng((self._seed, int(now_s * 1000.0), zlib.crc32(name.encode())))
            east_m, north_m = draw.normal(0.0, self.options.error_m, 2).tolist()
            position = BusPosition(
                SOURCE, name, name, now_s, x_m + east_m, y_m + north_m, max(0.0, vehicle.getSpeed(name)),
                vehicle.getAngle(name) % 360.0,
            )  # fmt: skip
            self._late.append((now_s + self.options.latency_s, position))

    def _reach(self, drive: BusDrive, passed: int, now_s: float) -> None:
        for place in range(drive.next, passed):
            if math.isnan(drive.arrived_s[place]):
                drive.arrived_s[place] = now_s
            drive.left_s[place] = now_s
        drive.next = max(drive.next, passed)


def _before(place: tuple[int, float], by_m: float) -> tuple[int, float]:
    return place[0], place[1] - by_m
