"""What is said about buses: how late each is, and what priority is asked for it.

Lateness is against the timetable; on frequent lines what counts is the headway to the bus in front. Either
way `behind_s` is what priority is asked by: seconds that the bus should gain.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class AskKind(StrEnum):
    """What a bus gets at a signal."""

    NONE = "none"
    EXTENSION = "extension"  # its green is kept a little longer
    EARLY_GREEN = "early-green"  # the stage that comes next anyway comes sooner
    INSERTION = "insertion"  # its stage comes out of turn


class BusMode(StrEnum):
    """By what a bus is judged."""

    TIMETABLE = "timetable"
    HEADWAY = "headway"


class BusAsk(msgspec.Struct, frozen=True):
    """A request under way, or why there is none. since_s: from when it is asked; until_s: the latest second
    that bounds allow; eta_s: expected at the stop line. Platform seconds."""

    junction: str
    kind: AskKind
    stage: str = ""
    since_s: float = 0.0
    until_s: float = 0.0
    eta_s: float = 0.0
    reason: str = ""


class AskEnd(msgspec.Struct, frozen=True):
    """A request is over. why: "passed", "bound" (asked as long as is allowed), "lost", "off-way",
    "emergency" (a mission comes), "on-time", "gone" (the trip is over)."""

    trip: str
    junction: str
    kind: AskKind
    since_s: float
    ended_s: float
    why: str


class BusPlan(msgspec.Struct, frozen=True):
    """A bus as its brain sees it at time_s. state: "tracked", "lost", "off-way" or "ended". late_s: behind
    the timetable, below 0 early. headway_s: behind the bus in front, None where none has been seen; due_s:
    what the timetable has. behind_s: by the mode."""

    trip: str
    line: str
    vehicle: str
    brain: str
    time_s: float
    state: str
    x_m: float
    y_m: float
    progress_m: float
    length_m: float
    late_s: float
    mode: BusMode
    behind_s: float
    headway_s: float | None = None
    headway_due_s: float | None = None
    next_stop: str = ""
    ask: BusAsk | None = None


class TransitPlan(msgspec.Struct, frozen=True):
    """All buses that a brain follows, and the requests that ended since it last said so."""

    brain: str
    time_s: float
    buses: tuple[BusPlan, ...] = ()
    ended: tuple[AskEnd, ...] = ()
