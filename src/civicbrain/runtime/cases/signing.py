"""A shift is signed over to the next: the note as it was, who gave it, to whom, and who took it."""

from __future__ import annotations

import hashlib
import sqlite3

from civicbrain.city.shifts import Signature, SignedNote
from civicbrain.core.errors import NotFoundError, RequestRefusedError
from civicbrain.runtime.cases.store import Change, moment, to_moment

MOST_NOTE = 1_000_000
"""Characters of a note and of its data; 500 open cases and 500 changes have half of that."""


def sign(
    change: Change, since_s: float, until_s: float, to: str, note: str, remark: str, record: str = ""
) -> Signature:
    """Hand the shift over. since_s, until_s: unix seconds that the note covers. note: as text; record: its
    data as JSON, from which it is shown in other languages. The hash of both is in the ledger."""
    if not to.strip() or not note:
        raise RequestRefusedError("a shift is handed over to somebody, with its note", remedy="say to whom")
    if max(len(note), len(record)) > MOST_NOTE:
        raise RequestRefusedError(
            f"the note is longer than {MOST_NOTE} characters", remedy="hand over fewer hours"
        )
    digest = _digest(note, record)
    change.run(
        "INSERT INTO signature (since_s, until_s, signed_by, given_to, remark, note, sha256, record)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        since_s, until_s, change.actor, to, remark, note, digest, record,
    )  # fmt: skip
    found = change.one("SELECT * FROM signature WHERE number = last_insert_rowid()")
    assert found is not None
    change.record("shift-signed", {"signature": found["number"], "to": to, "sha256": digest})
    return signature(found)


def take(change: Change, number: int) -> Signature:
    """The next operator takes the shift. Raises NotFoundError, RequestRefusedError where it is taken."""
    row = _get(change.db, number)
    if row["taken_s"] is not None:
        raise RequestRefusedError(
            f"{row['taken_by']} has taken this shift", remedy="sign a new note to hand it on"
        )
    change.run(
        "UPDATE signature SET taken_by = ?, taken_s = ? WHERE number = ?", change.actor, change.now_s, number
    )
    change.record("shift-taken", {"signature": number, "sha256": row["sha256"]})
    return signature(_get(change.db, number))


def list_signatures(db: sqlite3.Connection, limit: int) -> list[Signature]:
    """Newest first."""
    rows = db.execute("SELECT * FROM signature ORDER BY number DESC LIMIT ?", (limit,)).fetchall()
    return [signature(row) for row in rows]


def get_signed(db: sqlite3.Connection, number: int) -> SignedNote:
    """One, with its note. Raises NotFoundError."""
    row = _get(db, number)
    intact = _digest(row["note"], row["record"]) == row["sha256"]
    return SignedNote(signature(row), row["note"], row["record"], intact)


def _digest(note: str, record: str) -> str:
    return hashlib.sha256(f"{note}\n{record}".encode() if record else note.encode()).hexdigest()


def signature(row: sqlite3.Row) -> Signature:
    """One row of `signature`."""
    return Signature(
        row["number"], moment(row["since_s"]), moment(row["until_s"]), row["signed_by"], row["given_to"],
        row["sha256"], row["remark"], row["taken_by"], to_moment(row["taken_s"]),
    )  # fmt: skip


def _get(db: sqlite3.Connection, number: int) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute("SELECT * FROM signature WHERE number = ?", (number,)).fetchone()
    if row is None:
        raise NotFoundError(f"no handover {number}", remedy="GET /v1/handovers lists them")
    return row
