"""Weekly quality: how soon incidents were seen and handled, what was false, what did not work and for how
long.

Percentiles are those of `numpy.percentile` (linear between ranks). A stretch that began before the week or
goes on counts with what lies in the week; stretches of one thing that overlap count once."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from civicbrain.city.alarms import FLOOD_COUNT, FLOOD_WINDOW_S
from civicbrain.city.incidents import IncidentKind, Place
from civicbrain.city.shifts import DayQuality, KindQuality, Outage, Quality, Times
from civicbrain.core.errors import NotFoundError
from civicbrain.runtime.cases.store import moment

FAULTS = (IncidentKind.SIGNAL_FAULT, IncidentKind.SENSOR_FAULT)
WEEK = timedelta(days=7)


def week_of(text: str, now: datetime) -> tuple[str, datetime]:
    """A week's name ("2026-W03") and its Monday 00:00 UTC; "" is the week of `now`. Raises
    NotFoundError."""
    if not text:
        year, number, _ = now.astimezone(UTC).isocalendar()
        text = f"{year}-W{number:02d}"
    try:
        start = datetime.strptime(f"{text}-1", "%G-W%V-%u").replace(tzinfo=UTC)
    except ValueError:
        start = None
    if start is None or f"{start:%G-W%V}" != text:  # not every year has a week 53
        raise NotFoundError(f"{text[:20]!r} is no week", remedy="write it as 2026-W03 (ISO 8601)")
    return text, start


def quality_of(db: sqlite3.Connection, week: str, now_s: float) -> Quality:
    """The figures of a week ("" this one) up to now_s, unix seconds. Raises NotFoundError."""
    name, start = week_of(week, moment(now_s))
    since_s, until_s = start.timestamp(), (start + WEEK).timestamp()
    seen_s = max(since_s, min(until_s, now_s))
    cases = db.execute(
        "SELECT * FROM case_file WHERE opened_s >= ? AND opened_s < ?", (since_s, until_s)
    ).fetchall()
    raised = [
        row[0]
        for row in db.execute(
            "SELECT raised_s FROM activation WHERE raised_s >= ? AND raised_s < ? ORDER BY raised_s",
            (since_s, until_s),
        )
    ]
    noted = db.execute(
        "SELECT acknowledged_s - raised_s FROM activation WHERE raised_s >= ? AND raised_s < ?"
        " AND acknowledged_s IS NOT NULL",
        (since_s, until_s),
    ).fetchall()
    notices = db.execute(
        "SELECT * FROM notice WHERE made_s >= ? AND made_s < ?", (since_s, until_s)
    ).fetchall()
    outages = _outages(db, since_s, until_s, seen_s)
    hours = (seen_s - since_s) / 3600.0
    return Quality(
        week=name, start=start, end=start + WEEK,
        kinds=[
            _of_kind(db, kind, rows)
            for kind in IncidentKind
            if (rows := [row for row in cases if row["kind"] == kind])
        ],
        deadlines_missed=_count(db, ("late", "step-late"), since_s, until_s),
        escalations=_count(db, ("escalated",), since_s, until_s),
        alarms=len(raised), alarms_an_hour=round(len(raised) / hours, 3) if hours > 0 else 0.0,
        flood_minutes=_flood_minutes(raised, since_s),
        acknowledge=times_of(row[0] for row in noted),
        notices=len(notices),
        notices_delivered=sum(row["state"] == "delivered" for row in notices),
        notices_dead=sum(row["state"] == "dead" for row in notices),
        delivery=times_of(
            row["delivered_s"] - row["made_s"] for row in notices if row["delivered_s"] is not None
        ),
        days=_days(db, raised, start),
        outages=outages, outage_s=round(sum(outage.duration_s for outage in outages), 3),
    )  # fmt: skip


def _days(db: sqlite3.Connection, raised: list[float], start: datetime) -> list[DayQuality]:
    found = []
    for day in (start + timedelta(days=number) for number in range(7)):
        since_s, until_s = day.timestamp(), (day + timedelta(days=1)).timestamp()
        opened, closed = (
            db.execute(
                f"SELECT count(*) FROM case_file WHERE {column} >= ? AND {column} < ?",  # noqa: S608
                (since_s, until_s),
            ).fetchone()[0]
            for column in ("opened_s", "closed_s")
        )
        alarms = bisect_left(raised, until_s) - bisect_left(raised, since_s)
        found.append(DayQuality(day, alarms, opened, closed))
    return found


def times_of(values: Iterable[float]) -> Times:
    """Median and 90th percentile of some seconds."""
    found = list(values)
    if not found:
        return Times(0, None, None)
    median, p90 = np.percentile(found, [50, 90])
    return Times(len(found), round(float(median), 3), round(float(p90), 3))


def joined(stretches: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Stretches of time without overlap, in order."""
    found: list[tuple[float, float]] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _of_kind(db: sqlite3.Connection, kind: IncidentKind, rows: list[sqlite3.Row]) -> KindQuality:
    first: dict[str, list[float]] = {"triage": [], "assignment": [], "on_scene": [], "closed": []}
    people = 0
    for row in rows:
        number = row["number"]
        moves = db.execute(
            "SELECT json_extract(detail, '$.to') AS state, min(at_s) AS at_s FROM event"
            " WHERE case_number = ? AND what = 'moved' GROUP BY state",
            (number,),
        ).fetchall()
        for move in moves:
            if move["state"] in first and not (move["state"] == "closed" and row["outcome"] == "duplicate"):
                first[move["state"]].append(move["at_s"] - row["opened_s"])
        people += bool(db.execute("SELECT 1 FROM report WHERE case_number = ? LIMIT 1", (number,)).fetchone())
    return KindQuality(
        kind=kind, opened=len(rows), closed=sum(row["closed_s"] is not None for row in rows),
        false_alarms=sum(row["outcome"] == "false_alarm" for row in rows),
        duplicates=sum(row["outcome"] == "duplicate" for row in rows), reported_by_people=people,
        detection=times_of(row["detect_s"] for row in rows if row["detect_s"] is not None),
        to_triage=times_of(first["triage"]), to_assignment=times_of(first["assignment"]),
        to_scene=times_of(first["on_scene"]), to_closed=times_of(first["closed"]),
    )  # fmt: skip


def _outages(db: sqlite3.Connection, since_s: float, until_s: float, now_s: float) -> list[Outage]:
    """Parts of the platform (alarms of the processes themselves), signals and sensors."""
    stretches: dict[str, list[tuple[float, float]]] = {}
    lasting: set[str] = set()
    rows = db.execute(
        "SELECT a.key AS what, v.raised_s AS start_s, v.cleared_s AS end_s FROM activation v"
        " JOIN alarm a ON a.number = v.alarm WHERE a.source = 'runtime' AND a.urgency != 'low'"
        " AND v.raised_s < ? AND coalesce(v.cleared_s, ?) >= ?",
        (until_s, now_s, since_s),
    ).fetchall()
    found = [(row["what"], row["start_s"], row["end_s"]) for row in rows]
    for row in db.execute(
        "SELECT i.kind, i.body, i.onset_s, i.cleared_s FROM incident i JOIN case_file c"
        " ON c.number = i.case_number WHERE i.kind IN (?, ?) AND coalesce(c.outcome, '') != 'false_alarm'"
        " AND i.onset_s < ? AND coalesce(i.cleared_s, ?) >= ?",
        (*FAULTS, until_s, now_s, since_s),
    ):
        place = msgspec.convert(msgspec.json.decode(row["body"])["place"], Place)
        where = place.sensor or place.junction or place.edge
        found.append((f"{row['kind']} {where}", row["onset_s"], row["cleared_s"]))
    for what, start_s, end_s in found:
        if end_s is None and now_s < until_s:
            lasting.add(what)
        end_s = now_s if end_s is None else min(end_s, until_s)
        if end_s > max(start_s, since_s):
            stretches.setdefault(what, []).append((max(start_s, since_s), end_s))
    return [
        Outage(what, moment(start_s), None if what in lasting and end_s == now_s else moment(end_s),
               round(end_s - start_s, 3))
        for what, parts in sorted(stretches.items())
        for start_s, end_s in joined(parts)
    ]  # fmt: skip


def _flood_minutes(raised: list[float], since_s: float) -> int:
    if not raised:
        return 0
    times = np.array(raised)
    minutes = np.unique(((times - since_s) // 60.0).astype(np.int64))
    # a minute can only be in a flood where one was raised in the ten minutes up to its end
    ends = since_s + 60.0 * (
        np.unique(np.concatenate([minutes + k for k in range(int(FLOOD_WINDOW_S // 60))])) + 1
    )
    within = np.searchsorted(times, ends, "left") - np.searchsorted(times, ends - FLOOD_WINDOW_S, "left")
    return int(np.count_nonzero(within > FLOOD_COUNT))


def _count(db: sqlite3.Connection, what: tuple[str, ...], since_s: float, until_s: float) -> int:
    marks = ",".join("?" * len(what))
    found = db.execute(
        f"SELECT count(*) FROM event WHERE at_s >= ? AND at_s < ? AND what IN ({marks})",  # noqa: S608
        (since_s, until_s, *what),
    ).fetchone()
    return int(found[0])
