"""What an operator sees of the alarms: a handful of groups, and pages of single ones. It only reads."""

from __future__ import annotations

import sqlite3

import msgspec

from civicbrain.city.alarms import (
    FLOOD_COUNT,
    FLOOD_WINDOW_S,
    AlarmFile,
    AlarmGroup,
    AlarmList,
    AlarmState,
    AlarmTime,
    AlarmView,
)
from civicbrain.city.cases import Urgency, case_id
from civicbrain.core.errors import NotFoundError
from civicbrain.runtime.cases.alarms import RANK, REST, SHOWN, STANDING, sentences_in
from civicbrain.runtime.cases.store import SYSTEM, moment, to_moment

MOST_GROUPS = 7
"""What a person takes in at a glance; the least urgent of more are shown as one."""

MOST_TIMES = 100

_RANKS = {1: Urgency.URGENT, 8: Urgency.HIGH, 13: Urgency.MEDIUM, 20: Urgency.LOW}


def list_alarms(
    db: sqlite3.Connection, now_s: float, *, group: str = "", which: str = "standing", offset: int = 0,
    limit: int = 100, lost: int = 0,
) -> AlarmList:  # fmt: skip
    """The list. which: "standing", "shelved" or "all" (also what is over and noted); group: "" for all."""
    rows = db.execute(
        f"SELECT group_id, min({RANK}) AS rank,"  # noqa: S608
        " count(*) AS alarms, sum(acknowledged = 0) AS unacknowledged, sum(active) AS active,"
        " count(DISTINCT nullif(junction, '')) AS junctions, max(junction) AS junction,"
        f" min(raised_s) AS first_s, max(raised_s) AS newest_s FROM alarm WHERE {SHOWN} GROUP BY group_id"
        " ORDER BY rank, unacknowledged = 0, alarms DESC, group_id"
    ).fetchall()
    shown = rows if len(rows) <= MOST_GROUPS else rows[: MOST_GROUPS - 1]
    groups = [_group(db, row) for row in shown]
    if len(shown) < len(rows):
        groups.append(_rest(rows[len(shown) :]))
    shelved = db.execute("SELECT count(*) FROM alarm WHERE shelved_until_s IS NOT NULL").fetchone()[0]
    rate = db.execute(
        "SELECT count(*) FROM activation WHERE raised_s > ?", (now_s - FLOOD_WINDOW_S,)
    ).fetchone()[0]
    return AlarmList(
        groups=groups,
        alarms=_page(db, group, [row["group_id"] for row in shown], which, offset, limit),
        standing=sum(row["alarms"] for row in rows),
        unacknowledged=sum(row["unacknowledged"] for row in rows),
        shelved=shelved,
        flood=rate > FLOOD_COUNT,
        rate=rate,
        lost=lost,
    )


def get_alarm(db: sqlite3.Connection, number: int) -> AlarmFile:
    """One alarm and the times that it stood. Raises NotFoundError."""
    row = db.execute("SELECT * FROM alarm WHERE number = ?", (number,)).fetchone()
    if row is None:
        raise NotFoundError(f"no alarm {number}", remedy="GET /v1/alarms lists them")
    times = db.execute(
        "SELECT * FROM activation WHERE alarm = ? ORDER BY number DESC LIMIT ?", (number, MOST_TIMES)
    ).fetchall()
    return AlarmFile(
        view(row, _case_of(db, row)),
        [
            AlarmTime(
                Urgency(one["urgency"]), moment(one["raised_s"]), to_moment(one["cleared_s"]),
                to_moment(one["acknowledged_s"]),
            )
            for one in times
        ],
    )  # fmt: skip


def view(row: sqlite3.Row, case: str = "") -> AlarmView:
    """One row of `alarm`. case: that it is about."""
    return AlarmView(
        id=row["number"], source=row["source"], key=row["key"], matter=row["matter"], group=row["group_id"],
        urgency=Urgency(row["urgency"]), state=_state(row), title=row["title"], detail=row["detail"],
        junction=row["junction"], raised=moment(row["raised_s"]), changed=moment(row["changed_s"]),
        count=row["count"], cleared=to_moment(row["cleared_s"]), acknowledged_by=row["acknowledged_by"],
        acknowledged=to_moment(row["acknowledged_s"]), shelved_until=to_moment(row["shelved_until_s"]),
        shelved_by=row["shelved_by"], shelved_why=row["shelved_why"],
        case=case, said=sentences_in(row["said"]),
    )  # fmt: skip


def _page(
    db: sqlite3.Connection, group: str, apart: list[str], which: str, offset: int, limit: int
) -> list[AlarmView]:
    where = {"standing": SHOWN, "shelved": "shelved_until_s IS NOT NULL", "all": "1"}[which]
    values: list[object] = []
    if group == REST:
        where += f" AND group_id NOT IN ({','.join('?' * len(apart))})"
        values += apart
    elif group:
        where += " AND group_id = ?"
        values.append(group)
    rows = db.execute(
        f"SELECT * FROM alarm WHERE {where} ORDER BY {RANK}, acknowledged, raised_s DESC, number"  # noqa: S608
        " LIMIT ? OFFSET ?",
        (*values, limit, offset),
    ).fetchall()
    return [view(row, _case_of(db, row)) for row in rows]


def _case_of(db: sqlite3.Connection, row: sqlite3.Row) -> str:
    """The case that an alarm is about: its own, that of its notice, or that of its incident."""
    key = row["key"]
    if row["source"] == SYSTEM:
        if key.startswith("late-"):
            return str(key.removeprefix("late-"))
        number = key.removeprefix("notice-")
        found = db.execute("SELECT case_number FROM notice WHERE number = ?", (number,)).fetchone()
    else:
        found = db.execute(
            "SELECT case_number FROM incident WHERE session = ? AND id = ?", (row["session"], key)
        ).fetchone()
    return case_id(found[0]) if found is not None and found[0] else ""


def _state(row: sqlite3.Row) -> AlarmState:
    if row["shelved_until_s"] is not None:
        return AlarmState.SHELVED
    if row["active"]:
        return AlarmState.ACKNOWLEDGED if row["acknowledged"] else AlarmState.UNACKNOWLEDGED
    return AlarmState.NORMAL if row["acknowledged"] else AlarmState.RETURNED


def _group(db: sqlite3.Connection, row: sqlite3.Row) -> AlarmGroup:
    # what all of a group have in common, of any one of them
    one = db.execute(
        f"SELECT matter, source, said FROM alarm WHERE {STANDING} AND group_id = ? LIMIT 1",  # noqa: S608
        (row["group_id"],),
    ).fetchone()
    said = sentences_in(one["said"])[:1]
    if row["alarms"] > 1:
        said = [msgspec.structs.replace(title, values={}) for title in said]
    return AlarmGroup(
        row["group_id"], one["matter"], one["source"], _RANKS[row["rank"]], row["alarms"],
        row["unacknowledged"], row["active"], row["junctions"], moment(row["first_s"]),
        moment(row["newest_s"]), row["junction"] if row["junctions"] == 1 else "", said,
    )  # fmt: skip


def _rest(rows: list[sqlite3.Row]) -> AlarmGroup:
    counts = ("alarms", "unacknowledged", "active", "junctions")
    total = {name: sum(row[name] for row in rows) for name in counts}
    return AlarmGroup(
        REST, f"{len(rows)} other matters", "", _RANKS[min(row["rank"] for row in rows)], total["alarms"],
        total["unacknowledged"], total["active"], total["junctions"],
        moment(min(row["first_s"] for row in rows)), moment(max(row["newest_s"] for row in rows)),
    )  # fmt: skip


__all__ = ["MOST_GROUPS", "STANDING", "get_alarm", "list_alarms", "view"]
