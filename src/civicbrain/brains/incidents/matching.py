"""Reports of people and incidents: which report is about which incident, and which say the same.

A report matches an incident of a fitting kind within `NEAR_M` (or on the same junction or edge) whose time
overlaps with it, within `EARLY_S` before and `LATE_S` after; of several the nearest. Reports that match no
incident are put together by the same rule, and make an incident of their own, as sure as who reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import hypot

from civicbrain.city.incidents import (
    REPORT_HOLDS_S,
    Incident,
    IncidentKind,
    IncidentReport,
    Place,
    ReporterKind,
)

NEAR_M = 150.0
"""People say a street or a junction, not a place: about the length of a block."""
EARLY_S, LATE_S = 300.0, REPORT_HOLDS_S

ROAD = frozenset(
    {
        IncidentKind.STOPPED_VEHICLE, IncidentKind.CRASH, IncidentKind.BLOCKED_JUNCTION,
        IncidentKind.CLOSED_LANE, IncidentKind.CONGESTION,
    }
)  # fmt: skip
"""Kinds that one and the same thing may be called, by a sensor and by those who stand before it."""

TRUST = {
    ReporterKind.POLICE: 0.95,
    ReporterKind.FIELD_CREW: 0.95,
    ReporterKind.DEPARTMENT: 0.8,
    ReporterKind.CITIZEN: 0.5,
}
"""How likely it is that there is what a report says. Assumption; quality statistics tell better in time."""


def kinds_fit(one: IncidentKind, other: IncidentKind) -> bool:
    """Whether two kinds may be names of one thing. A dark signal and a blocked junction may be, too."""
    if one is other or (one in ROAD and other in ROAD):
        return True
    return {one, other} == {IncidentKind.SIGNAL_FAULT, IncidentKind.BLOCKED_JUNCTION}


def apart_m(one: Place, other: Place) -> float:
    """Metres between two places; 0 for the same junction, or the same edge where a position is unknown."""
    if one.junction and one.junction == other.junction and not (one.edge and other.edge):
        return 0.0
    if one.edge and one.edge == other.edge and min(one.position_m, other.position_m) < 0.0:
        return 0.0
    return hypot(one.x_m - other.x_m, one.y_m - other.y_m)


def fits(report: IncidentReport, incident: Incident) -> bool:
    """Whether a report may be about an incident: kind, place and time."""
    began_s = report.happened_s if report.happened_s >= 0.0 else report.reported_s
    ends_s = incident.cleared_s if incident.cleared_s >= 0.0 else float("inf")
    in_time = (
        incident.onset_s - EARLY_S <= began_s <= ends_s + LATE_S and report.reported_s <= ends_s + LATE_S
    )
    return (
        in_time and kinds_fit(report.kind, incident.kind) and apart_m(report.place, incident.place) <= NEAR_M
    )


def find_match(report: IncidentReport, incidents: Iterable[Incident]) -> Incident | None:
    """The nearest incident that a report may be about, the earliest of equally near ones."""
    fitting = [one for one in incidents if fits(report, one)]
    return min(
        fitting,
        key=lambda one: (apart_m(report.place, one.place), one.kind is not report.kind, one.onset_s, one.id),
        default=None,
    )


def say_the_same(one: IncidentReport, other: IncidentReport) -> bool:
    """Whether two reports are about one thing, for all that is known of them."""
    near = apart_m(one.place, other.place) <= NEAR_M and kinds_fit(one.kind, other.kind)
    return near and abs(one.reported_s - other.reported_s) <= LATE_S


def confidence_of(reports: Sequence[IncidentReport], seen: float = 0.0) -> float:
    """How sure several reports and what sensors saw are together, each by itself: 1 − ∏(1 − p). Reports of
    one source count once."""
    doubt = 1.0 - seen
    best: dict[str, float] = {}
    for report in reports:
        best[report.source] = max(best.get(report.source, 0.0), TRUST[report.reporter])
    for trust in best.values():
        doubt *= 1.0 - trust
    return 1.0 - doubt
