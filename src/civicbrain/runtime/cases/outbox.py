"""The outbox: notices to those who must go, put out in the same transaction as the change they tell of.

At least once: a notice is `waiting` until its receiver has taken it. Who sends it marks it `sending` first;
one that was being sent when the process died is sent again, under the same key, so that a receiver can tell.
"""

from __future__ import annotations

import random
import sqlite3
import uuid
from datetime import datetime
from enum import StrEnum

import msgspec

from civicbrain.city.cases import CaseSummary, Urgency, case_id
from civicbrain.core.errors import NotFoundError, RequestRefusedError
from civicbrain.core.sentences import say
from civicbrain.runtime.cases.alarms import clear_alarm, raise_alarm
from civicbrain.runtime.cases.store import SYSTEM, Change, moment, to_moment

FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 900.0
MOST_ATTEMPTS = 12
"""Pauses of 2, 4, 8 … 512, 900, 900 s: the last attempt is 47 minutes after the first."""


class NoticeState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    DEAD = "dead"  # given up after MOST_ATTEMPTS, or refused for good; an alarm says so
    UNADDRESSED = "unaddressed"  # its recipient has no address


class NoticeView(msgspec.Struct, frozen=True):
    """One notice. key: the idempotency key that its receiver sees. due: of the next attempt."""

    id: int
    key: str
    case: str
    recipient: str
    why: str
    state: NoticeState
    made: datetime
    attempts: int
    due: datetime | None = None
    delivered: datetime | None = None
    error: str = ""


class NoticePage(msgspec.Struct, frozen=True):
    """count: of all notices in that state."""

    notices: list[NoticeView]
    count: int


def put_out(change: Change, about: CaseSummary, recipient: str, why: str, *, known: bool) -> bool:
    """Put a notice about a case into the outbox; False where the recipient has had it since the case came
    into its state. known: whether the recipient is configured."""
    number = int(about.id.removeprefix("case-"))
    had = change.one(
        "SELECT 1 FROM notice WHERE case_number = ? AND recipient = ? AND why = ? AND made_s >= ?",
        number, recipient, why, about.state_since.timestamp(),
    )  # fmt: skip
    if had is not None:
        return False
    key = str(uuid.uuid4())
    body = {
        "type": "case.notice", "key": key, "at": moment(change.now_s), "recipient": recipient, "why": why,
        "case": about,
    }  # fmt: skip
    state = NoticeState.WAITING if known else NoticeState.UNADDRESSED
    change.run(
        "INSERT INTO notice (key, case_number, recipient, why, body, state, made_s, due_s)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        key, number, recipient, why, msgspec.json.encode(body).decode(), state, change.now_s, change.now_s,
    )  # fmt: skip
    change.event(number, "notice", {"to": recipient, "why": why, "key": key, "state": str(state)})
    change.woken = True
    return True


def take_up(change: Change) -> None:
    """At the start: what was being sent when the process ended is sent again."""
    change.run("UPDATE notice SET state = 'waiting', due_s = ? WHERE state = 'sending'", change.now_s)


def next_due(change: Change, busy: set[str]) -> sqlite3.Row | None:
    """The oldest notice whose time has come to a recipient that is not busy; marked as being sent."""
    rows = change.all(
        "SELECT * FROM notice WHERE state = 'waiting' AND due_s <= ? ORDER BY number", change.now_s
    )
    row = next((row for row in rows if row["recipient"] not in busy), None)
    if row is not None:
        change.run(
            "UPDATE notice SET state = 'sending', attempts = attempts + 1 WHERE number = ?", row["number"]
        )
    return row


def delivered(change: Change, number: int) -> None:
    """Its receiver has taken it."""
    row = _get(change, number)
    change.run(
        "UPDATE notice SET state = 'delivered', delivered_s = ?, error = '' WHERE number = ?",
        change.now_s, number,
    )  # fmt: skip
    if row["case_number"]:
        change.event(
            row["case_number"], "notice-delivered", {"to": row["recipient"], "attempts": row["attempts"]}
        )
    clear_alarm(
        change,
        SYSTEM,
        f"notice-{number}",
        change.now_s,
        say("notice-delivered", "It was delivered after all."),
    )


def failed(change: Change, number: int, error: str, *, for_good: bool) -> None:
    """It could not be handed over: tried again later, or given up, with an alarm. for_good: the receiver
    will never take it (HTTP 410, say, or an address that is not allowed)."""
    row = _get(change, number)
    if for_good or row["attempts"] >= MOST_ATTEMPTS:
        change.run("UPDATE notice SET state = 'dead', error = ? WHERE number = ?", error[:500], number)
        if row["case_number"]:
            change.event(row["case_number"], "notice-dead", {"to": row["recipient"], "error": error[:500]})
        about = case_id(row["case_number"]) if row["case_number"] else ""
        raise_alarm(
            change, SYSTEM, f"notice-{number}", Urgency.HIGH,
            say(
                "notice-given-up", f"A notice to {row['recipient']} could not be delivered",
                to=row["recipient"],
            ),
            say(
                "tell-otherwise", f"{about}: {error[:500]}; tell them by other means, then send it again or "
                "clear this", case=about, error=error[:500],
            ),
        )  # fmt: skip
        return
    pause_s = min(FIRST_PAUSE_S * 2 ** (row["attempts"] - 1), LONGEST_PAUSE_S)
    # spread, so that all that failed with one receiver do not come back at once
    due_s = change.now_s + pause_s * random.uniform(0.9, 1.1)
    change.run(
        "UPDATE notice SET state = 'waiting', due_s = ?, error = ? WHERE number = ?",
        due_s, error[:500], number,
    )  # fmt: skip


def send_again(change: Change, number: int, reason: str, known: set[str]) -> None:
    """An operator wants a notice that was given up tried again. Raises NotFoundError, RequestRefusedError."""
    row = _get(change, number)
    if row["state"] not in (NoticeState.DEAD, NoticeState.UNADDRESSED):
        raise RequestRefusedError(
            f"notice {number} is {row['state']}", remedy="only what was given up is sent again"
        )
    if row["recipient"] not in known:
        raise RequestRefusedError(
            f"no address is set up for {row['recipient']!r}",
            remedy=f"add [notices.recipients.{row['recipient']}]",
        )
    change.run(
        "UPDATE notice SET state = 'waiting', due_s = ?, attempts = 0 WHERE number = ?", change.now_s, number
    )
    change.record("notice-again", {"notice": number, "reason": reason})
    change.woken = True


def list_notices(
    db: sqlite3.Connection, *, state: str = "", case: int = 0, offset: int = 0, limit: int = 100
) -> NoticePage:
    """Notices, the newest first."""
    where, values = "(? = '' OR state = ?) AND (? = 0 OR case_number = ?)", (state, state, case, case)
    count = db.execute(f"SELECT count(*) FROM notice WHERE {where}", values).fetchone()[0]  # noqa: S608
    rows = db.execute(
        f"SELECT * FROM notice WHERE {where} ORDER BY number DESC LIMIT ? OFFSET ?",  # noqa: S608
        (*values, limit, offset),
    ).fetchall()
    return NoticePage([notice_view(row) for row in rows], count)


def notice_view(row: sqlite3.Row) -> NoticeView:
    """One row of `notice`."""
    state = NoticeState(row["state"])
    return NoticeView(
        id=row["number"], key=row["key"], case=case_id(row["case_number"]) if row["case_number"] else "",
        recipient=row["recipient"], why=row["why"], state=state, made=moment(row["made_s"]),
        attempts=row["attempts"], due=moment(row["due_s"]) if state is NoticeState.WAITING else None,
        delivered=to_moment(row["delivered_s"]), error=row["error"],
    )  # fmt: skip


def _get(change: Change, number: int) -> sqlite3.Row:
    row = change.one("SELECT * FROM notice WHERE number = ?", number)
    if row is None:
        raise NotFoundError(f"no notice {number}", remedy="GET /v1/notices lists them")
    return row
