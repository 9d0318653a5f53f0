"""A pattern of the timetable as a line with stop lines and stops on it, and where a bus is on it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from civicbrain.brains.priority.arrival import free_s, start_loss_s
from civicbrain.brains.priority.pursuit import PASSED_M, Stop
from civicbrain.brains.priority.switching import JunctionTable
from civicbrain.brains.priority.ways import Way, WayMaker
from civicbrain.city.model import City
from civicbrain.city.network import F64, RoadUse
from civicbrain.city.routing import Router
from civicbrain.city.snapshot import Snapshot
from civicbrain.city.transit.buses import BusTrack
from civicbrain.city.transit.timetable import Pattern, Timetable, Trip, scheduled_s

OFF_WAY_M = 60.0
"""Farther from its way than this a bus is on another one: a wide road and twice the receiver's error."""

FIX_WEIGHT = 0.6
"""Of a new fix against dead reckoning. Fixes are some seconds apart, in which a bus brakes and stops: its own
speed tells less than for an emergency vehicle that reports each second."""

LARGEST_ERROR_M, SEARCH_BACK_M, FASTEST_MPS, LONGEST_RECKONING_S = 40.0, 40.0, 25.0, 10.0
PACE = 0.85  # of the limit, driving freely
STOP_LOSS_S = 8.0
"""Braking to a stop and starting again from 50 km/h at 1.2 m/s² (comfortable for standing passengers)."""

AT_STOP_M, STANDS_MPS = 25.0, 1.0


@dataclass(frozen=True, eq=False)
class Course:
    """stop_m: (k,) metres of the pattern's stops along the way."""

    pattern: Pattern
    way: Way
    stop_m: F64


class Courses:
    """Makes courses over one city; None for a pattern that no bus can drive."""

    def __init__(self, city: City, timetable: Timetable) -> None:
        self._city, self._timetable = city, timetable
        self._maker = WayMaker(city, Router(city.network, RoadUse.MOTOR | RoadUse.BUS))
        self._made: dict[str, Course | None] = {}

    def find(self, pattern_id: str) -> Course | None:
        """The course of a pattern."""
        if pattern_id not in self._made:
            self._made[pattern_id] = self._make(self._timetable.patterns[pattern_id])
        return self._made[pattern_id]

    def _make(self, pattern: Pattern) -> Course | None:
        network = self._city.network
        edges = tuple(network.edges.row.get(edge, -1) for edge in pattern.edges)
        if min(edges, default=-1) < 0 or not self._maker.is_connected(edges) or len(pattern.stops) < 2:
            return None
        way = self._maker.make(edges)
        at_m = []
        for stop, place in zip(pattern.stops, pattern.places, strict=True):
            lane = int(network.edges.lane_start[edges[place]])
            behind_m = float(network.lanes.length_m[lane]) - self._timetable.stops[stop].position_m
            at_m.append(float(way.end_m[place]) - max(0.0, behind_m))
        stop_m = np.maximum.accumulate(np.array(at_m)) + 1e-3 * np.arange(len(at_m))
        return Course(pattern, way, stop_m)


@dataclass(slots=True, eq=False)
class Bus:
    """One bus under way. progress_m: of its front, as of the snapshot's time. state: see BusPlan."""

    trip: Trip
    course: Course
    stops: list[Stop]
    state: str = "tracked"
    progress_m: float = 0.0
    speed_mps: float = 0.0
    track: BusTrack | None = None
    headway_s: float | None = None
    headway_due_s: float | None = None
    _fix_s: float = -math.inf
    _fix_m: float = 0.0
    _served: int = 0  # stops behind it
    _stands_since_s: float = field(default=math.inf)

    def follow(self, track: BusTrack, snapshot: Snapshot) -> None:
        """Take in the newest fix, and reckon where the bus is now."""
        self.track = track
        now_s = snapshot.time_s
        self.state = "lost" if track.lost else "off-way" if self.state == "off-way" else "tracked"
        if track.fix_s > self._fix_s and not track.lost:
            self._fix(track)
        since_s = min(max(0.0, now_s - self._fix_s), LONGEST_RECKONING_S)
        reckoned_m = self._fix_m + self.speed_mps * since_s
        self.progress_m = max(self._fix_m, min(reckoned_m, self._barrier_m(snapshot)))
        self._look_at_stops(now_s)

    def late_s(self, now_s: float) -> float:
        """Behind the timetable here and now, below 0 early."""
        at_s = scheduled_s(self.course.stop_m, self.trip.arrival_s, self.trip.departure_s, self.progress_m)
        return now_s - at_s

    @property
    def ended(self) -> bool:
        """It has passed its last stop, or the end of its way."""
        end_m = min(float(self.course.stop_m[-1]), self.course.way.length_m - PASSED_M)
        return self.progress_m >= end_m

    @property
    def next_stop(self) -> str:
        stops = self.course.pattern.stops
        return stops[self._served] if self._served < len(stops) else ""

    def arrival_s(self, line_m: float, now_s: float) -> float:
        """When its front comes to a place ahead, nothing but stops and its own driving in the way."""
        way = self.course.way
        at_s = now_s + free_s(way, self.progress_m, line_m) / PACE
        at_s += start_loss_s(self.speed_mps, 12.0 * PACE)
        for place in range(self._served, len(self.course.stop_m)):
            if self.course.stop_m[place] >= line_m:
                break
            dwell_s = float(self.trip.departure_s[place] - self.trip.arrival_s[place])
            if dwell_s <= 0.0:
                continue  # a timing point that is passed
            if place == self._served and self._stands_since_s < math.inf:
                at_s += max(2.0, dwell_s - (now_s - self._stands_since_s))
            else:
                at_s += dwell_s + STOP_LOSS_S
        return at_s

    def _fix(self, track: BusTrack) -> None:
        way, first = self.course.way, self._fix_s == -math.inf
        reach_m = way.length_m if first else FASTEST_MPS * min(track.fix_s - self._fix_s, 60.0) + 60.0
        at_m, away_m = way.locate(track.x_m, track.y_m, self._fix_m - SEARCH_BACK_M, self._fix_m + reach_m)
        if away_m > OFF_WAY_M:
            self.state = "off-way"
            self._fix_s = -math.inf if self._fix_s == -math.inf else track.fix_s
            return
        if self.state == "off-way":
            first = True  # it is back: believe the place, not the reckoning
        self.state = "tracked"
        if not first:
            driven_m = 0.5 * (self.speed_mps + track.speed_mps) * (track.fix_s - self._fix_s)
            reckoned_m = self._fix_m + min(driven_m, LONGEST_RECKONING_S * FASTEST_MPS)
            if abs(at_m - reckoned_m) <= LARGEST_ERROR_M:
                at_m = reckoned_m + FIX_WEIGHT * (at_m - reckoned_m)
            at_m = max(at_m, self._fix_m)  # buses do not drive back
        self._fix_m, self._fix_s, self.speed_mps = at_m, track.fix_s, track.speed_mps

    def _barrier_m(self, snapshot: Snapshot) -> float:
        """Reckoning ends at a stop where it will halt and at a line that shows red: it brakes there, and
        nothing says so before the next position."""
        ends = [self.course.way.length_m]
        for place in range(self._served, len(self.course.stop_m)):
            if self.trip.departure_s[place] > self.trip.arrival_s[place]:
                ends.append(max(self._fix_m, float(self.course.stop_m[place])))
                break
        for stop in self.stops:
            line_m = stop.crossing.stop_m
            if line_m > self._fix_m and not stop.table.shows(snapshot, stop.crossing.groups).any():
                ends.append(line_m - 1.0)
                break
        return min(ends)

    def _look_at_stops(self, now_s: float) -> None:
        stop_m = self.course.stop_m
        while self._served < len(stop_m):
            past_m = self.progress_m - float(stop_m[self._served])
            if past_m > AT_STOP_M or (past_m > 0.0 and self.speed_mps > 3.0 * STANDS_MPS):
                self._served += 1
                self._stands_since_s = math.inf
                continue
            if abs(past_m) <= AT_STOP_M and self.speed_mps < STANDS_MPS:
                self._stands_since_s = min(self._stands_since_s, now_s)
            break


def make_bus(trip: Trip, course: Course, tables: dict[int, JunctionTable], city: City) -> Bus:
    """A bus that has just been seen. tables: made as they are needed, shared."""
    stops = []
    for crossing in course.way.crossings:
        table = tables.get(crossing.junction)
        if table is None:
            table = tables[crossing.junction] = JunctionTable(city, crossing.junction)
        stops.append(Stop(crossing, table))
    return Bus(trip, course, stops)
