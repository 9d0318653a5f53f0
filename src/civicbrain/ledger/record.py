"""`Ledger` (the one writer) and `LedgerReader` (any number of readers) over one SQLite file.

SQLite in WAL mode with synchronous=FULL: a commit returns after its fsync, so an entry whose number was
returned survives kill -9 and a power cut (https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import fcntl
import math
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import msgspec

from civicbrain.core.errors import LedgerError
from civicbrain.ledger.chain import GENESIS, Entry, Row, VerifyReport, canonical_json, entry_hash, verify_rows

SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    seq INTEGER PRIMARY KEY, time_s REAL NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL,
    body TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS entry_override ON entry (json_extract(body, '$.junction'), seq)
    WHERE kind = 'override';
CREATE TRIGGER IF NOT EXISTS entry_no_update BEFORE UPDATE ON entry
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS entry_no_delete BEFORE DELETE ON entry
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""
COLUMNS = "seq, time_s, at, kind, actor, body, previous, hash"
MAX_PAGE = 1000
MEMORY_BATCH = 1000

NewEntry = tuple[str, str, Mapping[str, object], float]
"""kind, actor, body, time_s."""


class LedgerReader:
    """Reads a ledger that another process may be writing. Raises LedgerError when there is none."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise LedgerError("there is no ledger", place=str(path), remedy="name the file of a run")
        self.path: Path | None = path
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
            )
            self._db.execute("SELECT max(seq) FROM entry").fetchone()
        except sqlite3.Error as error:
            raise _unreadable(path, error) from error

    @property
    def count(self) -> int:
        """Number of entries."""
        with self._lock:
            self._settle()
            return int(self._rows("SELECT count(*) FROM entry")[0][0])

    def page(self, offset: int = 0, limit: int = 100) -> list[Entry]:
        """Entries in order, the oldest first; offset from the start, at most 1000 at once. A negative
        offset counts from the end: page(-20, 20) is the last twenty."""
        with self._lock:
            self._settle()
            if offset < 0:
                total = int(self._rows("SELECT count(*) FROM entry")[0][0])
                offset = max(0, total + offset)
            size = max(0, min(limit, MAX_PAGE))
            rows = self._rows(
                f"SELECT {COLUMNS} FROM entry ORDER BY seq LIMIT ? OFFSET ?",  # noqa: S608 (constants)
                (size, min(offset, 2**62)),
            )
        return [_entry(row) for row in rows]

    def since(
        self, at: datetime, kinds: Iterable[str], limit: int = MAX_PAGE, until: datetime | None = None
    ) -> list[Entry]:
        """The newest entries of some kinds that were recorded at `at` (aware) or later, and before `until`
        where one is given, in their order."""
        wanted = tuple(kinds)
        with self._lock:
            self._settle()
            low, high = self._first_at(at), self._first_at(until) if until is not None else 2**62
            rows = self._rows(
                f"SELECT {COLUMNS} FROM entry WHERE seq >= ? AND seq < ?"  # noqa: S608
                f" AND kind IN ({','.join('?' * len(wanted))}) ORDER BY seq DESC LIMIT ?",
                (low, high, *wanted, max(0, min(limit, MAX_PAGE))),
            )
        return [_entry(row) for row in reversed(rows)]

    def overrides_of(self, junction: str, limit: int = MAX_PAGE) -> list[Entry]:
        """What was recorded of overrides of a junction, the newest first, however long ago."""
        with self._lock:
            self._settle()
            rows = self._rows(
                f"SELECT {COLUMNS} FROM entry WHERE kind = 'override'"  # noqa: S608
                " AND json_extract(body, '$.junction') = ? ORDER BY seq DESC LIMIT ?",
                (junction, max(0, min(limit, MAX_PAGE))),
            )
        return [_entry(row) for row in rows]

    def platform_second(self, at: datetime) -> float | None:
        """The city's clock at a real instant (aware): between the entries before and after it, as far as one
        tells. None before the first entry, and where the city's clock went back meanwhile."""
        with self._lock:
            self._settle()
            after = self._first_at(at)
            around = (after - 1, after)
            rows = self._rows("SELECT time_s, at FROM entry WHERE seq IN (?, ?) ORDER BY seq", around)
        if not rows:
            return None
        begin_s, begun = float(rows[0][0]), datetime.fromisoformat(str(rows[0][1]))
        if len(rows) < 2:
            return begin_s if (at - begun).total_seconds() > -1e-3 else None
        end_s, ended = float(rows[1][0]), datetime.fromisoformat(str(rows[1][1]))
        if end_s < begin_s:
            return None
        share = (at - begun).total_seconds() / max((ended - begun).total_seconds(), 1e-3)
        return begin_s + (end_s - begin_s) * min(1.0, max(0.0, share))

    def _first_at(self, at: datetime) -> int:
        """Number of the first entry at `at` or later. Numbers grow with time: it is found by halving, not by
        reading everything."""
        text = at.astimezone(UTC).isoformat(timespec="milliseconds")
        low, high = 1, int(self._rows("SELECT coalesce(max(seq), 0) FROM entry")[0][0]) + 1
        while low < high:
            middle = (low + high) // 2
            earlier = self._rows("SELECT at < ? FROM entry WHERE seq = ?", (text, middle))
            low, high = (middle + 1, high) if earlier and earlier[0][0] else (low, middle)
        return low

    def verify(self) -> VerifyReport:
        """Walk the whole chain; the report names the first entry that does not fit."""
        with self._lock:
            self._settle()
            try:
                return verify_rows(
                    self._db.execute(f"SELECT {COLUMNS} FROM entry ORDER BY seq")  # noqa: S608
                )
            except sqlite3.Error as error:
                raise _unreadable(self.path, error) from error

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _settle(self) -> None:
        """Bring what is to be read into the database."""

    def _rows(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise _unreadable(self.path, error) from error


class Ledger(LedgerReader):
    """The one writer. path None keeps the record in memory, for studies; it is then put into the database
    in batches, for there a transaction for each decision would buy nothing and cost more than the decision.

    Raises LedgerError when another writer has the file, the file is no ledger, or its end does not fit.
    clock: gives the instant of recording.
    """

    def __init__(
        self, path: Path | None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._clock = clock
        self._seq, self._head = 0, GENESIS
        self._unwritten: list[Row] = []
        self._lock_file = None if path is None else take_lock(path)
        try:
            self._db = sqlite3.connect(
                ":memory:" if path is None else path, isolation_level=None, check_same_thread=False
            )
            if path is not None:
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(SCHEMA)
            self._resume()
        except sqlite3.Error as error:
            self._release()
            raise _unreadable(path, error) from error
        except LedgerError:
            self._release()
            raise

    def append(self, kind: str, actor: str, body: Mapping[str, object], time_s: float) -> int:
        """Record one entry; its number comes back once it is durable. Raises LedgerError."""
        return self.append_many([(kind, actor, body, time_s)])[0]

    def append_many(self, entries: Iterable[NewEntry]) -> list[int]:
        """Record entries in one transaction (one fsync): all or none. Raises LedgerError."""
        with self._lock:
            at = self._clock().isoformat(timespec="milliseconds")
            seq, previous = self._seq, self._head
            rows: list[Row] = []
            for kind, actor, body, time_s in entries:
                moment_s = float(time_s) + 0.0  # SQLite does not keep the sign of -0.0
                if not math.isfinite(moment_s):
                    raise LedgerError(f"an entry of kind {kind!r} has no finite time", place=self._place)
                seq += 1
                try:
                    text = canonical_json(body)
                    stated = entry_hash(seq, moment_s, at, kind, actor, text, previous)
                except (TypeError, ValueError, RecursionError) as error:
                    raise LedgerError(
                        f"an entry of kind {kind!r} is no JSON: {error}", place=self._place
                    ) from error
                rows.append((seq, moment_s, at, kind, actor, text.decode(), previous, stated))
                previous = stated
            if self.path is None:
                self._unwritten += rows
                if len(self._unwritten) >= MEMORY_BATCH:
                    self._settle()
            elif rows:
                self._write(rows)
            self._seq, self._head = seq, previous
            return [row[0] for row in rows]

    @property
    def head(self) -> str:
        """Hash of the last entry."""
        return self._head

    def close(self) -> None:
        super().close()
        self._release()

    @property
    def _place(self) -> str:
        return "ledger in memory" if self.path is None else str(self.path)

    def _settle(self) -> None:
        if self._unwritten:
            self._write(self._unwritten)
            self._unwritten = []

    def _write(self, rows: list[Row]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(f"INSERT INTO entry ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?)", rows)  # noqa: S608
            self._db.execute("COMMIT")
        except (sqlite3.Error, UnicodeEncodeError) as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            full = "full" in str(error)
            raise LedgerError(
                f"nothing can be recorded: {error}",
                place=self._place,
                remedy="free space on that disk; recording goes on by itself" if full
                else "check that the file and its folder can be written",
            ) from error  # fmt: skip

    def _resume(self) -> None:
        """Take up the chain at its last entry, which must fit the one before it."""
        rows = self._db.execute(f"SELECT {COLUMNS} FROM entry ORDER BY seq DESC LIMIT 2").fetchall()  # noqa: S608
        if not rows:
            return
        last: Row = rows[0]
        before = rows[1][7] if len(rows) > 1 else GENESIS
        if last[6] != before or entry_hash(*last[:5], last[5].encode(), last[6]) != last[7]:
            raise LedgerError(
                f"the last entry ({last[0]}) does not fit the chain",
                place=self._place,
                remedy="see `civicbrain ledger verify`; keep the file as evidence and start a new one",
            )
        self._seq, self._head = last[0], last[7]

    def _release(self) -> None:
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None


def take_lock(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(path.name + ".lock").open("ab")
    except OSError as error:
        raise LedgerError(
            f"cannot be opened for writing: {error.strerror}",
            place=str(path),
            remedy="choose a folder that can be written",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise LedgerError(
            "another process is writing this ledger",
            place=str(path),
            remedy="end that process, or give this run a folder of its own",
        ) from error
    return lock


def _entry(row: tuple[Any, ...]) -> Entry:
    seq, time_s, at, kind, actor, body, previous, stated = row
    try:
        content = msgspec.json.decode(str(body), type=dict)
    except msgspec.DecodeError:  # tampered with; verify() says so
        content = {"unreadable": str(body)}
    return Entry(seq, time_s, str(at), str(kind), str(actor), content, str(previous), str(stated))


def _unreadable(path: Path | None, error: Exception) -> LedgerError:
    return LedgerError(
        f"cannot be read as a ledger: {error}",
        place=str(path or "ledger in memory"),
        remedy="name the file of a run; if it is one, restore it from a copy",
    )
