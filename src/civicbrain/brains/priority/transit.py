"""Conditional priority for buses: follows each, says how far it is behind, asks for those that are late."""

from __future__ import annotations

from collections.abc import Collection

from civicbrain.brains.priority.arrival import RoadView
from civicbrain.brains.priority.options import PriorityOptions
from civicbrain.brains.priority.switching import JunctionTable
from civicbrain.brains.priority.transit_asking import Asking
from civicbrain.brains.priority.transit_course import Bus, Courses, make_bus
from civicbrain.brains.priority.transit_headway import Headways
from civicbrain.city.model import City
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.brain import StageRequest
from civicbrain.contracts.transit import BusMode, BusPlan, TransitPlan


class Transit:
    """All buses of one city. tables: those of the brain, shared with its corridors."""

    def __init__(
        self,
        city: City,
        name: str,
        options: PriorityOptions,
        view: RoadView,
        tables: dict[int, JunctionTable],
    ) -> None:
        self.asking = Asking(name, options, view)
        self._city, self._name, self._options, self._tables = city, name, options, tables
        # read now: at the first bus it would take longer than a brain has for an answer
        self._timetable = timetable = city.timetable if options.buses else None
        self._courses = None if timetable is None else Courses(city, timetable)
        self._headways = None if timetable is None else Headways(timetable)
        self._buses: dict[str, Bus] = {}

    def clear(self) -> None:
        """Time went back: the buses begin again."""
        self._buses.clear()
        self.asking.clear()
        if self._headways is not None:
            self._headways.clear()

    def step(
        self, snapshot: Snapshot, busy: Collection[int]
    ) -> tuple[list[StageRequest], TransitPlan | None]:
        """Requests of this second, and how every bus stands. busy: junction rows that missions ask for."""
        if not self._options.buses or (not snapshot.buses and not self._buses and not self.asking.asks):
            return [], None
        self._take(snapshot)
        now_s = snapshot.time_s
        behind: list[tuple[float, Bus]] = []
        plans = []
        judged = [(bus, *self._judge(bus, now_s)) for bus in self._buses.values() if not bus.ended]
        behind = [(behind_s, bus) for bus, behind_s, _ in judged]
        requests, ended = self.asking.step(behind, busy, snapshot)
        plans = [self._plan(bus, behind_s, mode, now_s) for bus, behind_s, mode in judged]
        return requests, TransitPlan(self._name, now_s, tuple(plans), tuple(ended))

    def _take(self, snapshot: Snapshot) -> None:
        timetable, courses, headways = self._timetable, self._courses, self._headways
        if timetable is None or courses is None or headways is None:
            return
        seen = {track.trip for track in snapshot.buses}
        for name in [name for name in self._buses if name not in seen]:
            del self._buses[name]
        for track in snapshot.buses:
            trip = timetable.trips.get(track.trip)
            if trip is None:
                continue
            bus = self._buses.get(track.trip)
            if bus is None:
                course = courses.find(trip.pattern)
                if course is None:
                    continue
                bus = self._buses[track.trip] = make_bus(trip, course, self._tables, self._city)
            bus.follow(track, snapshot)
            if bus.state == "tracked":
                headways.saw(trip.pattern, trip.id, bus.progress_m, snapshot.time_s)
                gap = headways.gap(trip.pattern, trip.id, bus.progress_m, snapshot.time_s)
                bus.headway_s, bus.headway_due_s = gap or (None, None)
        if int(snapshot.time_s) % 600 == 0:
            headways.forget(snapshot.time_s)

    def _judge(self, bus: Bus, now_s: float) -> tuple[float, BusMode]:
        """(seconds by which it is behind, by what). A frequent line's first bus has none in front and is
        judged by the timetable."""
        timetable = self._timetable
        frequent = timetable is not None and timetable.frequent[bus.trip.pattern]
        if frequent and bus.headway_s is not None and bus.headway_due_s is not None:
            return bus.headway_s - bus.headway_due_s, BusMode.HEADWAY
        return (bus.late_s(now_s) if bus.trip.timed else 0.0), BusMode.TIMETABLE

    def _plan(self, bus: Bus, behind_s: float, mode: BusMode, now_s: float) -> BusPlan:
        track, ask = bus.track, self.asking.find(bus)
        assert track is not None
        return BusPlan(
            bus.trip.id, bus.course.pattern.line, track.vehicle, self._name, now_s, bus.state, track.x_m,
            track.y_m, round(bus.progress_m, 1), round(bus.course.way.length_m, 1),
            round(bus.late_s(now_s), 1), mode, round(behind_s, 1), bus.headway_s, bus.headway_due_s,
            bus.next_stop, None if ask is None else ask.show(),
        )  # fmt: skip
