"""Which case does a report, or an incident, belong to? By place, time and kind.

The distances are choices: a sensor places an incident within 50 m, somebody who calls names the next corner.
"""

from __future__ import annotations

import math
import sqlite3

import msgspec

from civicbrain.city.incidents import IncidentKind, Place

REPORT_REACH_M = 250.0
INCIDENT_REACH_M = 120.0
OTHER_EDGE_M = 60.0
"""What it counts against a match when both name an edge and not the same one: the other carriageway is very
near, and is another matter."""

REPORT_BEFORE_S = 3600.0
"""A report of something that began this much before the case was opened is of something else."""

_ROAD = frozenset(
    {
        IncidentKind.STOPPED_VEHICLE, IncidentKind.CRASH, IncidentKind.BLOCKED_JUNCTION,
        IncidentKind.CLOSED_LANE, IncidentKind.CONGESTION,
    }
)  # fmt: skip
_SPECIFIC = (
    IncidentKind.CRASH, IncidentKind.WRONG_WAY, IncidentKind.STOPPED_VEHICLE, IncidentKind.CLOSED_LANE,
    IncidentKind.SIGNAL_FAULT, IncidentKind.BLOCKED_JUNCTION, IncidentKind.CONGESTION,
    IncidentKind.SENSOR_FAULT,
)  # fmt: skip


def may_be_one(first: IncidentKind, second: IncidentKind) -> bool:
    """Whether two words of these kinds may be of one matter: whoever sees the queue reports congestion, and a
    dark signal blocks its junction."""
    if first == second or {first, second} <= _ROAD:
        return True
    return {first, second} == {IncidentKind.SIGNAL_FAULT, IncidentKind.BLOCKED_JUNCTION}


def says_more(first: IncidentKind, second: IncidentKind) -> bool:
    """Whether `first` is the cause and `second` what follows from it: a crash says more than congestion."""
    return _SPECIFIC.index(first) < _SPECIFIC.index(second)


def distance(first: Place, second: Place) -> float:
    """How far apart two places are in m, with what speaks against their being one (`OTHER_EDGE_M`)."""
    if first.sensor or second.sensor:
        if first.sensor and second.sensor:
            return 0.0 if first.sensor == second.sensor else math.inf
    elif first.junction and first.junction == second.junction:
        return 0.0
    apart_m = math.hypot(first.x_m - second.x_m, first.y_m - second.y_m)
    return apart_m + (OTHER_EDGE_M if first.edge and second.edge and first.edge != second.edge else 0.0)


def find_case(
    db: sqlite3.Connection, kind: IncidentKind, place: Place, reach_m: float, *, began_s: float, session: str
) -> int | None:
    """The number of the nearest open case that it may belong to, None where there is none.

    began_s: unix seconds. session: of an incident ("" for a report): what is still there as another incident
    of the same kind in the same session is a matter of its own, for the brain has told them apart.
    """
    rows = db.execute(
        "SELECT number, kind, place, opened_s FROM case_file WHERE closed_s IS NULL"
        " AND x_m BETWEEN ? AND ? AND y_m BETWEEN ? AND ? ORDER BY number",
        (place.x_m - reach_m, place.x_m + reach_m, place.y_m - reach_m, place.y_m + reach_m),
    ).fetchall()
    best: tuple[float, int] | None = None
    for row in rows:
        if not may_be_one(kind, IncidentKind(row["kind"])):
            continue
        if not session and began_s < row["opened_s"] - REPORT_BEFORE_S:
            continue
        if session and _told_apart(db, row["number"], kind, session):
            continue
        apart_m = distance(place, msgspec.json.decode(row["place"], type=Place))
        if apart_m <= reach_m and (best is None or apart_m < best[0]):
            best = (apart_m, int(row["number"]))
    return best[1] if best else None


def _told_apart(db: sqlite3.Connection, case: int, kind: IncidentKind, session: str) -> bool:
    found = db.execute(
        "SELECT 1 FROM incident WHERE case_number = ? AND open = 1 AND session = ? AND kind = ?",
        (case, session, kind),
    ).fetchone()
    return found is not None
