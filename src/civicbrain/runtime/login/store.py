"""`LoginStore`: the file of users, sessions and the record of access.

A change and its entry in the hash chain are one transaction: who was let in is recorded, or was not let in.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from civicbrain.core.errors import ConfigurationError, ServiceError
from civicbrain.ledger import Entry, JoinedLedger, LedgerReader

FILE = "login.sqlite"
_VERSION = 1
_BUSY_S = 2.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS user (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL, way TEXT NOT NULL,
    subject TEXT NOT NULL, disabled INTEGER NOT NULL, made_s REAL NOT NULL, seen_s REAL
) STRICT;
CREATE TABLE IF NOT EXISTS session (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id_hash TEXT NOT NULL UNIQUE, user TEXT NOT NULL,
    way TEXT NOT NULL, proof TEXT NOT NULL, started_s REAL NOT NULL, active_s REAL NOT NULL,
    address TEXT NOT NULL, agent TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS session_user ON session (user);
"""


def default_login_file(run_dir: Path | None = None) -> Path:
    """Users belong to the account that runs cities, $XDG_STATE_HOME/civicbrain/login.sqlite, unless a run
    folder of its own was named: then to that."""
    if run_dir is not None:
        return run_dir / FILE
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "civicbrain" / FILE


@dataclass
class LoginChange:
    """One transaction. now_s: its instant, unix seconds. actor: who the record names."""

    db: sqlite3.Connection
    now_s: float
    actor: str
    entries: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def record(self, kind: str, **body: object) -> None:
        self.entries.append((kind, body))


class LoginStore:
    """One connection; for one thread. clock: unix seconds. Raises ServiceError where the file cannot be had,
    ConfigurationError where it is open to others."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.clock = clock
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):  # before SQLite makes it: its log takes the mode
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            found = path.stat()
            if found.st_mode & 0o077 or found.st_uid != os.geteuid():
                raise ConfigurationError(
                    "the users' file is open to others, or another's",
                    place=str(path),
                    remedy=f"chown it to who runs the city, then chmod 600 {path}",
                )
            self.db = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_S)
            self.db.row_factory = sqlite3.Row
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
                self.db.execute(f"PRAGMA {pragma}")
            version = int(self.db.execute("PRAGMA user_version").fetchone()[0])
            if version > _VERSION:
                raise ServiceError(
                    "was written by a newer Civic Brain", place=str(path), remedy="upgrade this one"
                )
            self.db.executescript(_SCHEMA)
            self.db.execute(f"PRAGMA user_version={_VERSION}")
            self._chain = JoinedLedger(self.db)
        except (OSError, sqlite3.Error) as error:
            raise ServiceError(
                f"the users' file cannot be used: {getattr(error, 'strerror', None) or error}",
                place=str(path),
                remedy="check the folder, the disk and the file's rights; restore it from a copy if broken",
            ) from error

    @contextmanager
    def change(self, actor: str) -> Iterator[LoginChange]:
        """A transaction: kept when the block ends, undone when it raises. Raises ServiceError where it cannot
        be recorded: then nothing has happened."""
        change = LoginChange(self.db, self.clock(), actor)
        try:
            self.db.execute("BEGIN IMMEDIATE")
            yield change
            entries = [(kind, actor, body, 0.0) for kind, body in change.entries]  # no platform runs here
            self._chain.append(entries, datetime.fromtimestamp(change.now_s, UTC))
            self.db.execute("COMMIT")
        except BaseException as error:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            if isinstance(error, (sqlite3.Error, UnicodeEncodeError)):
                raise ServiceError(
                    f"nothing can be recorded: {error}",
                    place=str(self.path),
                    remedy="free space on that disk; it goes on by itself",
                ) from error
            raise

    def record(self, actor: str, kind: str, **body: object) -> None:
        """One entry by itself, durable once this returns."""
        with self.change(actor) as change:
            change.record(kind, **body)

    def page(self, offset: int, limit: int) -> tuple[list[Entry], int]:
        """Entries of the record, the newest first; and how many there are."""
        with LedgerReader(self.path) as reader:
            count = reader.count
            first = max(0, count - offset - limit)
            entries = reader.page(first, max(0, min(limit, count - offset)))
        return entries[::-1], count

    def one(self, sql: str, *values: object) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return found

    def all(self, sql: str, *values: object) -> list[sqlite3.Row]:
        return self.db.execute(sql, values).fetchall()

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> LoginStore:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
