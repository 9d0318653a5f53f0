"""Which positions of buses are believed, and when a bus counts as lost.

A position names the trip that the bus drives. Besides the rules of `city/position_rules.py`:

    no-timetable    the city has a timetable
    unknown-trip    the trip is one of it

What does not pass is counted by reason and dropped; the first of each kind of a trip is an event for the
record. Public feeds are slower than a control room's own radio, so bounds are wider than for missions: GTFS
asks for positions at most 90 s old and for one each 30 s (GTFS Realtime best practices); a priority request
needs better, so a bus is lost after 30 s and positions older than 15 s tell nothing about the next junction.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from civicbrain.city.position_rules import MOVES_MPS, SAME_PLACE_M, PositionBounds, PositionRules

if TYPE_CHECKING:
    from civicbrain.city.model import City

MAX_NAME = 120
MAX_BUSES = 5000
MAX_REFUSED_KEYS = 20_000
ENDS_WITHIN_M = 150.0
"""A bus that falls silent so near to its last stop has ended its trip."""


class BusPosition(msgspec.Struct, frozen=True):
    """Where a bus was at time_s (platform seconds), in the city's plane. trip: id of the timetable's. speed
    and heading (0 = north, clockwise): below 0 where unknown."""

    source: str
    trip: str
    vehicle: str
    time_s: float
    x_m: float
    y_m: float
    speed_mps: float = -1.0
    heading_deg: float = -1.0


class BusDelay(msgspec.Struct, frozen=True):
    """What the operator says (a TripUpdate): the bus is delay_s late at a stop, below 0 early."""

    source: str
    trip: str
    time_s: float
    stop: str
    delay_s: float


class BusTrack(msgspec.Struct, frozen=True):
    """A bus with the newest position that was believed. lost: none for `lost_after_s`. reported_delay_s: the
    operator's newest word, None without one."""

    trip: str
    vehicle: str
    fix_s: float
    x_m: float
    y_m: float
    speed_mps: float
    heading_deg: float = -1.0
    lost: bool = False
    reported_delay_s: float | None = None


@dataclass(frozen=True, slots=True)
class BusTrackOptions(PositionBounds):
    """lost_after_s, forget_after_s: silence after which a bus is lost, and after which it is forgotten."""

    max_age_s: float = 15.0
    max_speed_mps: float = 36.0  # 130 km/h: a coach on a motorway, and the receiver's error
    frozen_s: float = 15.0
    lost_after_s: float = 30.0
    forget_after_s: float = 300.0


@dataclass(frozen=True, slots=True)
class BusEvent:
    """Something to record. what: "seen", "lost", "ended" or "position-refused"; rule: why it was refused."""

    trip: str
    time_s: float
    what: str
    rule: str = ""
    detail: str = ""


class BusTracks:
    """The buses under way. refused: (trip, reason) -> positions refused; the trip is "" for those that the
    timetable does not know."""

    def __init__(self, city: City, options: BusTrackOptions = BusTrackOptions()) -> None:
        self.options = options
        self.refused: Counter[tuple[str, str]] = Counter()
        self._city = city
        self._rules = PositionRules(city.network, options, unknown_speed=True)
        self._tracks: dict[str, BusTrack] = {}
        self._still_s: dict[str, float] = {}
        self._delays: dict[str, BusDelay] = {}
        self._events: list[BusEvent] = []

    def reset(self) -> None:
        """Forget all buses."""
        self._tracks.clear()
        self._still_s.clear()
        self._delays.clear()
        self._events.clear()
        self.refused.clear()

    def take(self, datum: BusPosition | BusDelay, now_s: float) -> None:
        """Fold in what arrived at now_s. Never raises."""
        if isinstance(datum, BusDelay):
            self._delay(datum, now_s)
        else:
            self._position(datum, now_s)

    def list_tracks(self, now_s: float) -> tuple[BusTrack, ...]:
        """All buses under way at now_s, by trip in the order in which they were first seen."""
        options = self.options
        for name, track in list(self._tracks.items()):
            silent_s = now_s - track.fix_s
            if silent_s > options.forget_after_s or (
                silent_s > options.lost_after_s and self._near_end(track)
            ):
                del self._tracks[name]
                self._still_s.pop(name, None)
                self._delays.pop(name, None)
                self._note(name, now_s, "ended")
            elif not track.lost and silent_s > options.lost_after_s:
                self._tracks[name] = msgspec.structs.replace(track, lost=True)
                self._note(name, now_s, "lost", "silent", f"no position for {options.lost_after_s:g} s")
        return tuple(self._tracks.values())

    def drain(self) -> list[BusEvent]:
        """Events since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def _position(self, at: BusPosition, now_s: float) -> None:
        timetable = self._city.timetable
        if timetable is None:
            self._refuse("", now_s, "no-timetable", "")
            return
        name = at.trip if type(at.trip) is str else ""
        if name not in timetable.trips:
            self._refuse("", now_s, "unknown-trip", f"{name[:MAX_NAME]!r}")
            return
        track = self._tracks.get(name)
        if track is None and len(self._tracks) >= MAX_BUSES:
            return
        before = track or BusTrack(name, "", -math.inf, 0.0, 0.0, 0.0)
        rule, detail = self._rules.fault(at, before, self._still_s.get(name, at.time_s), now_s)
        if rule:
            self._refuse(name, now_s, rule, detail)
            return
        moved_m = math.hypot(at.x_m - before.x_m, at.y_m - before.y_m)
        if moved_m > SAME_PLACE_M or at.speed_mps < MOVES_MPS or track is None:
            self._still_s[name] = at.time_s
        speed_mps = at.speed_mps
        if speed_mps < 0.0:
            speed_mps = 0.0 if track is None else moved_m / max(1.0, at.time_s - before.fix_s)
        if track is None or track.lost:
            self._note(name, now_s, "seen")
        delay = self._delays.get(name)
        self._tracks[name] = BusTrack(
            name, str(at.vehicle)[:MAX_NAME], at.time_s, at.x_m, at.y_m, speed_mps, at.heading_deg, False,
            None if delay is None else delay.delay_s,
        )  # fmt: skip

    def _delay(self, said: BusDelay, now_s: float) -> None:
        timetable = self._city.timetable
        known = timetable is not None and said.trip in timetable.trips
        sound = math.isfinite(said.delay_s) and abs(said.delay_s) < 86_400.0 and math.isfinite(said.time_s)
        if not (known and sound) or said.time_s > now_s + self.options.future_s:
            self._refuse(said.trip if known else "", now_s, "bad-update" if known else "unknown-trip", "")
            return
        before = self._delays.get(said.trip)
        if before is None or said.time_s >= before.time_s:
            self._delays[said.trip] = said

    def _near_end(self, track: BusTrack) -> bool:
        timetable = self._city.timetable
        if timetable is None:
            return True
        pattern = timetable.patterns[timetable.trips[track.trip].pattern]
        last = timetable.stops[pattern.stops[-1]]
        return math.hypot(track.x_m - last.x_m, track.y_m - last.y_m) <= ENDS_WITHIN_M

    def _refuse(self, trip: str, now_s: float, rule: str, detail: str) -> None:
        if (trip, rule) not in self.refused and len(self.refused) >= MAX_REFUSED_KEYS:
            trip = ""
        self.refused[trip, rule] += 1
        if self.refused[trip, rule] == 1:  # further ones are only counted
            self._note(trip, now_s, "position-refused", rule, detail)

    def _note(self, trip: str, now_s: float, what: str, rule: str = "", detail: str = "") -> None:
        self._events.append(BusEvent(trip, now_s, what, rule, detail))


BusDatum = BusPosition | BusDelay
