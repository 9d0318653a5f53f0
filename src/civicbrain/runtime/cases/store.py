"""`CaseStore`: the SQLite file of cases, alarms and notices, its one writer, and `Change`, its transaction.

WAL with synchronous=FULL: what was committed survives kill -9 and a power cut
(https://www.sqlite.org/pragma.html#pragma_synchronous). Every change puts its entries into the hash chain of
the same file (`ledger/joined.py`) before it commits: both are there, or neither.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from civicbrain.city.incidents import IncidentReport
from civicbrain.core.errors import CasesError, LedgerError
from civicbrain.ledger.joined import JoinedLedger
from civicbrain.ledger.record import NewEntry, take_lock
from civicbrain.runtime.cases.schema import MIGRATIONS

FILE = "cases.sqlite"
FOLDER = "cases"
SYSTEM = "cases"
"""Who the record names where nobody but the platform acted."""


def to_moment(unix_s: float | None) -> datetime | None:
    """Aware UTC of unix seconds; None stays None."""
    return None if unix_s is None else datetime.fromtimestamp(unix_s, UTC)


def moment(unix_s: float) -> datetime:
    """Aware UTC of unix seconds."""
    return datetime.fromtimestamp(unix_s, UTC)


@dataclass
class Change:
    """One transaction. now_s: its instant, unix seconds; actor: who the record names. Changes that are made
    through it are kept together, with their record, or not at all. woken: notices were put out. settled:
    reports whose case was closed, for the brain."""

    db: sqlite3.Connection
    actor: str
    now_s: float
    platform_s: float
    entries: list[NewEntry] = field(default_factory=list)
    woken: bool = False
    settled: list[IncidentReport] = field(default_factory=list)

    def record(self, kind: str, body: dict[str, object]) -> None:
        """Put an entry into the chain when the transaction commits."""
        self.entries.append((kind, self.actor, body, self.platform_s))

    def event(self, case: int, what: str, detail: dict[str, Any] | None = None, *, private: str = "") -> int:
        """A line in a case's history and in the chain; its number. private: words of people; the
        chain keeps a salted hash of them, so that they can be proven, and deleted."""
        detail = detail or {}
        salt = secrets.token_hex(8) if private else ""
        row = self.db.execute(
            "INSERT INTO event (case_number, at_s, actor, what, detail, private, salt)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (case, self.now_s, self.actor, what, _json(detail), private, salt),
        )
        body: dict[str, object] = {"case": f"case-{case}", "what": what, **detail}
        if private:
            body["sha256"] = hashlib.sha256((salt + private).encode()).hexdigest()
        self.record("case", body)
        assert row.lastrowid is not None
        return row.lastrowid

    def one(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The first row of an answer."""
        found: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return found

    def all(self, sql: str, *values: object) -> list[sqlite3.Row]:
        return self.db.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:
        """Rows that were changed."""
        return self.db.execute(sql, values).rowcount


class CaseStore:
    """The one writer of a folder's `cases.sqlite`. One thread. clock: unix seconds. changes: counts the
    transactions that changed anything. settled: as in `Change`, of those that were kept; whoever tells takes
    them out.

    Raises CasesError when the file is none, is newer than this program, or another process writes it.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / FILE
        self.clock = clock
        self.platform_s = 0.0
        self.changes = 0
        self.settled: list[IncidentReport] = []
        try:
            self._lock = take_lock(self.path)
        except LedgerError as error:
            raise CasesError(error.message, place=error.place, remedy=error.remedy) from error
        self.path.touch(mode=0o600)  # before SQLite makes it: its log takes the file's mode
        try:
            self.db = sqlite3.connect(self.path, isolation_level=None)
            self.db.row_factory = sqlite3.Row
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
                self.db.execute(f"PRAGMA {pragma}")
            self._ledger = JoinedLedger(self.db)
            self._migrate()
        except sqlite3.Error as error:
            self._lock.close()
            raise _unusable(self.path, error) from error
        except CasesError:
            self._lock.close()
            raise
        self.path.chmod(0o600)

    @contextmanager
    def change(self, actor: str = SYSTEM) -> Iterator[Change]:
        """A transaction: committed when the block ends, rolled back when it raises. Raises CasesError where
        it cannot be written: then nothing has happened."""
        change = Change(self.db, actor, self.clock(), self.platform_s)
        before = self.db.total_changes
        try:
            self.db.execute("BEGIN IMMEDIATE")
            yield change
            if change.entries:
                self._ledger.append(change.entries, moment(change.now_s))
            self.db.execute("COMMIT")
            self.changes += self.db.total_changes != before
            self.settled += change.settled
        except BaseException as error:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            if isinstance(error, (sqlite3.Error, UnicodeEncodeError)):
                raise CasesError(
                    f"nothing can be recorded: {error}", place=str(self.path),
                    remedy="free space on that disk; it goes on by itself",
                ) from error  # fmt: skip
            raise

    def close(self) -> None:
        self.db.close()
        self._lock.close()

    def _migrate(self) -> None:
        """Bring the tables to the newest version, each step in one transaction."""
        version = int(self.db.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise CasesError(
                f"was written by a newer Civic Brain (version {version} of its tables)",
                place=str(self.path), remedy="run that version, or name another run folder",
            )  # fmt: skip
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            self.db.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version={number}; COMMIT;")


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads, beside the writer; rows by name. Raises CasesError."""
    if not path.is_file():
        raise CasesError(
            "no cases are kept here", place=str(path), remedy="name the run folder of a city with --run-dir"
        )
    try:
        db = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
        db.row_factory = sqlite3.Row
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    if version != len(MIGRATIONS):
        raise CasesError(
            f"its tables have version {version}, this program reads {len(MIGRATIONS)}",
            place=str(path), remedy="let the city run once with this version",
        )  # fmt: skip
    return db


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _unusable(path: Path, error: Exception) -> CasesError:
    return CasesError(
        f"cannot be read: {error}", place=str(path), remedy="restore it from a copy, or move it away"
    )
