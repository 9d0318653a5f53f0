"""Alarms: raised, acknowledged, shelved, returned; each time kept as an interval (`activation`).

An alarm is one row for its (source, key) and one activation for each time that it stood. `Alert` of the
contracts is how brains and processes say them: severity info with the key of an alarm that stands means that
it is over; info alone is kept, noted already.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3

import msgspec

from civicbrain.city.cases import Urgency
from civicbrain.contracts.brain import Alert, Severity
from civicbrain.core.errors import NotFoundError, RequestRefusedError
from civicbrain.core.sentences import Sentence, both
from civicbrain.runtime.cases.store import Change

URGENCY_OF = {
    Severity.CRITICAL: Urgency.HIGH, Severity.WARNING: Urgency.MEDIUM, Severity.INFO: Urgency.LOW,
}  # fmt: skip
LONGEST_SHELF_S = 24 * 3600.0
"""ISA-18.2, 12.4: shelving is for a limited time. A shift's length is usual; a day is the most here."""

REST = "rest"
_VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|\S*\d\S*")
STANDING = "(active = 1 OR acknowledged = 0)"
SHOWN = f"{STANDING} AND shelved_until_s IS NULL"
"""What stands in the operator's list. Shelves are cleared when they expire (`expire_shelves`)."""

RANK = "instr('urgent high medium low', urgency)"
MOST_AT_ONCE = 1000


def matter_of(source: str, title: str, junction: str) -> str:
    """What an alarm has in common with others: its title without what names one thing among many."""
    text = title.replace(junction, "…") if junction else title
    said = re.sub(r"(… ?)+", "… ", _VARIES.sub("…", text)).strip()
    return f"{source}: {said}"[:200]


def group_of(matter: str) -> str:
    """The id of a group."""
    return hashlib.blake2s(matter.encode(errors="replace"), digest_size=6).hexdigest()


def take_alert(change: Change, alert: Alert, at_s: float, session: str) -> None:
    """What a brain or a process says: at_s: when, unix seconds; session: of which of its lives."""
    source = alert.brain or "runtime"
    if alert.severity is Severity.INFO:
        if clear_alarm(change, source, alert.key, at_s, alert.said[0] if alert.said else alert.title):
            return
        known = change.one("SELECT 1 FROM alarm WHERE source = ? AND key = ?", source, alert.key)
        if known is not None:
            return
    raise_alarm(
        change, source, alert.key, URGENCY_OF[alert.severity], alert.title, alert.detail, alert.junction,
        at_s, session, alert.said,
    )  # fmt: skip
    if alert.severity is Severity.INFO:  # an event, not an alarm: nothing is asked of anybody
        clear_alarm(change, source, alert.key, at_s, "")
        change.run("UPDATE alarm SET acknowledged = 1 WHERE source = ? AND key = ?", source, alert.key)


def raise_alarm(
    change: Change, source: str, key: str, urgency: Urgency, title: Sentence | str, detail: Sentence | str,
    junction: str = "", at_s: float | None = None, session: str = "", said: tuple[Sentence, ...] = (),
) -> None:  # fmt: skip
    """Have an alarm stand. One that stands already takes the new words, and asks for attention again when it
    has become more urgent. said: title and detail as sentences, where these themselves are text."""
    at_s = change.now_s if at_s is None else at_s
    sentences = msgspec.json.encode(said or both(title, detail)).decode()
    title, detail, junction, key = str(title)[:300], str(detail)[:2000], junction[:200], key[:300]
    row = change.one("SELECT * FROM alarm WHERE source = ? AND key = ?", source, key)
    matter = matter_of(source, title, junction)
    if row is None:
        change.run(
            "INSERT INTO alarm (source, key, matter, group_id, urgency, title, detail, junction, said,"
            " active, acknowledged, session, first_s, raised_s, changed_s, count)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?, ?, ?, ?, 1)",
            source, key, matter, group_of(matter), urgency, title, detail, junction, sentences, session,
            at_s, at_s, at_s,
        )  # fmt: skip
    else:
        again = not row["active"]
        worse = urgency.rank < Urgency(row["urgency"]).rank
        change.run(
            "UPDATE alarm SET matter = ?, group_id = ?, urgency = ?, title = ?, detail = ?, junction = ?,"
            " said = ?, active = 1, session = ?, changed_s = ?, cleared_s = NULL,"
            " acknowledged = CASE WHEN ? THEN 0 ELSE acknowledged END,"
            " raised_s = CASE WHEN ? THEN ? ELSE raised_s END, count = count + ? WHERE number = ?",
            matter, group_of(matter), urgency, title, detail, junction, sentences, session, at_s,
            again or worse, again, at_s, int(again), row["number"],
        )  # fmt: skip
        if not again:
            return
    change.run(
        "INSERT INTO activation (alarm, urgency, raised_s)"
        " SELECT number, urgency, ? FROM alarm WHERE source = ? AND key = ?",
        at_s, source, key,
    )  # fmt: skip


def clear_alarm(change: Change, source: str, key: str, at_s: float, why: Sentence | str) -> bool:
    """The alarm is over. It stays in the list until somebody has acknowledged it. False: it did not stand."""
    sql = "SELECT number FROM alarm WHERE source = ? AND key = ? AND active = 1"
    row = change.one(sql, source, key[:300])
    if row is None:
        return False
    _clear(change, row["number"], at_s, why)
    return True


def acknowledge(change: Change, numbers: list[int], reason: str) -> int:
    """Take note of alarms. Those that are over leave the list. Returns how many had not been noted."""
    rows = _named(change.db, numbers, "acknowledged = 0")
    for number in rows:
        change.run(
            "UPDATE alarm SET acknowledged = 1, acknowledged_by = ?, acknowledged_s = ? WHERE number = ?",
            change.actor, change.now_s, number,
        )  # fmt: skip
        change.run(
            "UPDATE activation SET acknowledged_s = ? WHERE number ="
            " (SELECT max(number) FROM activation WHERE alarm = ?) AND acknowledged_s IS NULL",
            change.now_s, number,
        )  # fmt: skip
    if rows:
        change.record("alarms-acknowledged", {"alarms": rows, "reason": reason})
    return len(rows)


def shelve(change: Change, numbers: list[int], for_s: float, reason: str) -> int:
    """Put alarms aside for a time; they go on being recorded. Raises RequestRefusedError without a reason or
    for too long a time."""
    if not reason.strip():
        raise RequestRefusedError("an alarm is shelved with a reason", remedy="say why")
    if not 0 < for_s <= LONGEST_SHELF_S:
        longest = f"{LONGEST_SHELF_S / 3600:g} h"
        raise RequestRefusedError(f"for {for_s:g} s", remedy=f"shelve for {longest} at most, and again later")
    rows = _named(change.db, numbers, STANDING)
    until_s = change.now_s + for_s
    for number in rows:
        change.run(
            "UPDATE alarm SET shelved_until_s = ?, shelved_by = ?, shelved_why = ? WHERE number = ?",
            until_s, change.actor, reason, number,
        )  # fmt: skip
    if rows:
        change.record("alarms-shelved", {"alarms": rows, "for_s": for_s, "reason": reason})
    return len(rows)


def unshelve(change: Change, numbers: list[int], reason: str) -> int:
    """Take alarms back from the shelf: those that stand are in the list again."""
    rows = _named(change.db, numbers, "shelved_until_s IS NOT NULL")
    _off_the_shelf(change, rows)
    if rows:
        change.record("alarms-unshelved", {"alarms": rows, "reason": reason})
    return len(rows)


def expire_shelves(change: Change) -> int:
    """Take back what was shelved until now."""
    rows = [
        row["number"]
        for row in change.all("SELECT number FROM alarm WHERE shelved_until_s <= ?", change.now_s)
    ]
    _off_the_shelf(change, rows)
    if rows:
        change.record("alarms-unshelved", {"alarms": rows, "reason": "the time is over"})
    return len(rows)


def sentences_in(column: str) -> list[Sentence]:
    """What `alarm.said` holds."""
    return msgspec.json.decode(column, type=list[Sentence])


def clear_by_hand(change: Change, numbers: list[int], reason: str) -> int:
    """An operator knows that it is over. Raised again, it stands again."""
    if not reason.strip():
        raise RequestRefusedError("an alarm is cleared by hand with a reason", remedy="say why")
    rows = _named(change.db, numbers, "active = 1")
    for number in rows:
        _clear(change, number, change.now_s, reason)
    acknowledge(change, numbers, reason)
    if rows:
        change.record("alarms-cleared", {"alarms": rows, "reason": reason})
    return len(rows)


def end_session(change: Change, sessions: tuple[str, ...], why: Sentence | str) -> int:
    """Clear what stands of other lives of the brain process than these and was not raised again since: nobody
    would ever say that it is over. Alarms of this process have no session and stay."""
    marks = ",".join("?" * len(sessions))
    sql = f"SELECT number FROM alarm WHERE active = 1 AND session != '' AND session NOT IN ({marks})"  # noqa: S608
    rows = change.all(sql, *sessions)
    for row in rows:
        _clear(change, row["number"], change.now_s, why)
    return len(rows)


def numbers_of_group(db: sqlite3.Connection, group: str) -> list[int]:
    """Alarms of a group that stand in the list, the newest `MOST_AT_ONCE` included. Raises NotFoundError."""
    rows = db.execute(f"SELECT number FROM alarm WHERE {SHOWN} AND group_id = ?", (group,)).fetchall()  # noqa: S608
    if not rows:
        raise NotFoundError(f"no group {group[:40]!r} stands", remedy="GET /v1/alarms lists the groups")
    return [row["number"] for row in rows]


def _clear(change: Change, number: int, at_s: float, why: Sentence | str) -> None:
    # the interval never ends before it began, whatever clocks say
    change.run(
        "UPDATE alarm SET active = 0, cleared_s = max(?, raised_s), changed_s = max(?, raised_s)"
        " WHERE number = ?",
        at_s, at_s, number,
    )  # fmt: skip
    if why:
        row = change.one("SELECT said FROM alarm WHERE number = ?", number)
        said = sentences_in(row["said"] if row is not None else "[]")[:1]
        if said and isinstance(why, Sentence):
            said = [*said, why]
        text = msgspec.json.encode(said).decode()
        change.run("UPDATE alarm SET detail = ?, said = ? WHERE number = ?", str(why)[:2000], text, number)
    change.run(
        "UPDATE activation SET cleared_s = max(?, raised_s) WHERE alarm = ? AND cleared_s IS NULL",
        at_s, number,
    )  # fmt: skip


def _off_the_shelf(change: Change, numbers: list[int]) -> None:
    for number in numbers:
        change.run(
            "UPDATE alarm SET shelved_until_s = NULL, shelved_by = '', shelved_why = '' WHERE number = ?",
            number,
        )


def _named(db: sqlite3.Connection, numbers: list[int], condition: str) -> list[int]:
    """Of these numbers those that fit; raises NotFoundError for one that is no alarm's."""
    found = []
    for number in dict.fromkeys(numbers):
        row = db.execute(
            f"SELECT {condition} AS fits FROM alarm WHERE number = ?", (number,)  # noqa: S608 (constants)
        ).fetchone()  # fmt: skip
        if row is None:
            raise NotFoundError(f"no alarm {number}", remedy="GET /v1/alarms lists them")
        if row["fits"]:
            found.append(number)
    return found
