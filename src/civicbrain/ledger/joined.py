"""`JoinedLedger`: a hash chain inside another database, so that a change and its record are one transaction.

What cannot be recorded is then not done, and what is done is recorded, whenever the process is killed. The
file can be read with `LedgerReader` and `civicbrain ledger show|verify` like any other.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime

from civicbrain.core.errors import LedgerError
from civicbrain.ledger.chain import GENESIS, Row, canonical_json, entry_hash
from civicbrain.ledger.record import COLUMNS, SCHEMA, NewEntry


class JoinedLedger:
    """The chain in `db`, whose one writer the caller is. `append` must stand inside a transaction of the
    caller's; nothing is kept in memory, so a transaction that is rolled back leaves no trace here either."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Makes the tables where they are missing."""
        self._db = db
        db.executescript(SCHEMA)

    def append(self, entries: Iterable[NewEntry], at: datetime) -> list[int]:
        """Put entries at the chain's end; at: the instant of recording, aware. Returns their numbers. Raises
        LedgerError for what is no JSON or has no finite time, sqlite3.Error where it cannot be written."""
        if not self._db.in_transaction:
            raise LedgerError("an entry outside a transaction", remedy="open one first")
        text_at = at.astimezone(UTC).isoformat(timespec="milliseconds")
        last = self._db.execute("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
        seq, previous = (int(last[0]), str(last[1])) if last else (0, GENESIS)
        rows: list[Row] = []
        for kind, actor, body, time_s in entries:
            moment_s = float(time_s) + 0.0  # SQLite does not keep the sign of -0.0
            if not math.isfinite(moment_s):
                raise LedgerError(f"an entry of kind {kind!r} has no finite time")
            seq += 1
            try:
                text = canonical_json(body)
                stated = entry_hash(seq, moment_s, text_at, kind, actor, text, previous)
            except (TypeError, ValueError, RecursionError) as error:
                raise LedgerError(f"an entry of kind {kind!r} is no JSON: {error}") from error
            rows.append((seq, moment_s, text_at, kind, actor, text.decode(), previous, stated))
            previous = stated
        self._db.executemany(f"INSERT INTO entry ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?)", rows)  # noqa: S608
        return [row[0] for row in rows]
