"""Incidents: what goes wrong on the road, as sensors show it and as people report it.

An incident is what the platform believes; a report is what somebody said. `brains/incidents` finds incidents
in snapshots and matches reports to them; cases and procedures are made of them elsewhere.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from civicbrain.core.sentences import Sentence

MAX_TEXT = 2000
REPORT_HOLDS_S = 900.0
"""How long (platform seconds) what somebody said is believed while nobody says it again. Assumption."""


class IncidentKind(StrEnum):
    """What happened. The order of severity is not in the kind but in `Incident.capacity_left`."""

    STOPPED_VEHICLE = "stopped_vehicle"  # broken down or stopped where none should stand
    CRASH = "crash"
    BLOCKED_JUNCTION = "blocked_junction"
    WRONG_WAY = "wrong_way"
    CLOSED_LANE = "closed_lane"  # debris, works, flooding: everybody avoids it
    CONGESTION = "congestion"  # more than this place has at this time of day
    SIGNAL_FAULT = "signal_fault"  # dark, stuck, or other than its controller says
    SENSOR_FAULT = "sensor_fault"  # a camera or detector that lies or is silent


KINDS_SEEN: dict[IncidentKind, dict[IncidentKind, float]] = {
    IncidentKind.STOPPED_VEHICLE: {
        IncidentKind.STOPPED_VEHICLE: 0.52, IncidentKind.CRASH: 0.31, IncidentKind.CLOSED_LANE: 0.10,
        IncidentKind.BLOCKED_JUNCTION: 0.07,
    },
    IncidentKind.CRASH: {IncidentKind.CRASH: 0.85, IncidentKind.SIGNAL_FAULT: 0.15},
    IncidentKind.CLOSED_LANE: {
        IncidentKind.CLOSED_LANE: 0.44, IncidentKind.STOPPED_VEHICLE: 0.31, IncidentKind.CRASH: 0.25,
    },
    IncidentKind.BLOCKED_JUNCTION: {IncidentKind.BLOCKED_JUNCTION: 0.84, IncidentKind.SIGNAL_FAULT: 0.16},
}  # fmt: skip
"""What is true of incidents that cameras call so; others are what they are called. Rows of vehicles show
where somebody stands, not why: a crash on one lane is a vehicle that stands. Shares of what was told and was
something in the third round of benchmarks/incidents (609 incidents, all kinds about as common; `by_told` in
its results.json has the newest round's); where one kind is commoner than another, they are others."""


def kinds_seen(kind: IncidentKind) -> dict[IncidentKind, float]:
    """How likely each kind is of an incident that cameras call `kind`, the likeliest first."""
    return KINDS_SEEN.get(kind, {kind: 1.0})


class Place(msgspec.Struct, frozen=True):
    """Where: an edge with its lanes, or a junction, or a sensor; always a point of the city's plane as well.

    lanes: indexes from the right (SUMO's), () where it is the whole edge. position_m: along the edge from its
    start, below 0 where unknown. edge, junction, sensor: "" where it is none.
    """

    x_m: float
    y_m: float
    edge: str = ""
    lanes: tuple[int, ...] = ()
    position_m: float = -1.0
    junction: str = ""
    sensor: str = ""


class Effect(msgspec.Struct, frozen=True):
    """Where vehicles stand because of an incident, and so make none of their own; since_s: since when."""

    place: Place
    since_s: float


class Incident(msgspec.Struct, frozen=True):
    """One thing that is wrong, as far as it is known by `updated_s` (platform seconds, like all times here).

    confidence: 0 to 1. onset_s: when it began, as estimated; detected_s: when it was first said.
    evidence: what speaks for it, one short sentence each (text alone where an earlier version kept it so); no
    plate, no face, no picture.
    capacity_left: share of the place's capacity that is left, 0 to 1. delay_veh_h: delay that it is expected
    to cost. clears_s: when it is expected to be over, below 0 where unknown. cleared_s: when it was over,
    below 0 while it lasts. sensors: ids of those that saw it; reports: ids of the reports matched to it.
    effects: what was taken as its effect, one an approach, in the order in which it was seen. part_of: id of
    the incident that it turned out to be part of, and has ended in.
    """

    id: str
    kind: IncidentKind
    place: Place
    confidence: float
    onset_s: float
    detected_s: float
    updated_s: float
    evidence: tuple[Sentence | str, ...] = ()
    capacity_left: float = 1.0
    delay_veh_h: float = 0.0
    clears_s: float = -1.0
    cleared_s: float = -1.0
    sensors: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    part_of: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it still lasts."""
        return self.cleared_s < 0


class ReporterKind(StrEnum):
    """Who reports."""

    CITIZEN = "citizen"
    POLICE = "police"
    FIELD_CREW = "field_crew"
    DEPARTMENT = "department"


class IncidentReport(msgspec.Struct, frozen=True):
    """What somebody said: at most `MAX_TEXT` characters, kept as it came, never changed by a merge.

    happened_s: when it began as they say, below 0 where they do not. lanes: as in `Place`. settled: its case
    is closed; said so, it replaces what was said before and no longer speaks for an incident.
    """

    id: str
    reporter: ReporterKind
    source: str
    kind: IncidentKind
    place: Place
    reported_s: float
    text: str = ""
    happened_s: float = -1.0
    settled: bool = False
