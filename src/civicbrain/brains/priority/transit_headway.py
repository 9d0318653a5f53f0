"""Headways on frequent lines: how long after the bus in front each bus comes to the same place.

Asking by the headway deviation evens a line out without holding anybody: who has fallen behind its leader is
helped, who has caught up with it is not (Hounsell & McDonald 1988; Furth & Muller 2000 for conditional
priority).
"""

from __future__ import annotations

from bisect import bisect_left

from civicbrain.city.transit.timetable import Timetable

STEP_M = 10.0  # between two marks of a trace
FORGET_S = 5400.0


class Headways:
    """Traces of the buses of all patterns: when each was where."""

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable
        self._traces: dict[str, dict[str, tuple[list[float], list[float]]]] = {}

    def saw(self, pattern: str, trip: str, at_m: float, now_s: float) -> None:
        """A bus is at a place of its pattern's way."""
        marks_m, marks_s = self._traces.setdefault(pattern, {}).setdefault(trip, ([], []))
        if not marks_m or at_m >= marks_m[-1] + STEP_M:
            marks_m.append(at_m)
            marks_s.append(now_s)

    def gap(self, pattern: str, trip: str, at_m: float, now_s: float) -> tuple[float, float] | None:
        """(seconds behind the last bus that was at this place before, seconds that the timetable has between
        the two); None where none was seen there."""
        best: tuple[float, str] | None = None
        for other, (marks_m, marks_s) in self._traces.get(pattern, {}).items():
            if other == trip or not marks_m or marks_m[-1] < at_m or marks_m[0] > at_m + STEP_M:
                continue
            at_s = _second(marks_m, marks_s, at_m)
            if at_s <= now_s and (best is None or at_s > best[0]):
                best = (at_s, other)
        if best is None:
            return None
        trips = self._timetable.trips
        due_s = trips[trip].start_s - trips[best[1]].start_s
        return (now_s - best[0], due_s) if due_s > 0.0 else None

    def forget(self, now_s: float) -> None:
        """Drop traces that no follower needs any more."""
        for traces in self._traces.values():
            for trip in [name for name, (_, marks_s) in traces.items() if now_s - marks_s[-1] > FORGET_S]:
                del traces[trip]

    def clear(self) -> None:
        self._traces.clear()


def _second(marks_m: list[float], marks_s: list[float], at_m: float) -> float:
    place = bisect_left(marks_m, at_m)
    if place == 0:
        return marks_s[0]
    a_m, b_m = marks_m[place - 1], marks_m[place]
    share = (at_m - a_m) / (b_m - a_m)
    return marks_s[place - 1] + share * (marks_s[place] - marks_s[place - 1])
