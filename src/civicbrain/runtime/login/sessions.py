"""Sessions: begun by a log-in, kept alive by what a person does, ended by time, by them or for them.

The id is 256 random bits that only the browser knows; here stands its SHA-256. Idle and longest times depend
on the role, which is read anew each time: a role that is taken away is gone with the next request.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass

from civicbrain.core.errors import NotFoundError
from civicbrain.runtime.login.roles import Role
from civicbrain.runtime.login.store import LoginChange, LoginStore

TOKEN_USER = "token"  # noqa: S105 - a name
_NOTE_EVERY_S = 30.0
"""Activity is written down no more often: a click must not cost a write to the disk."""


@dataclass(frozen=True)
class Limits:
    """Seconds. idle_s: without anything done by the person, 0: any time; longest_s: after the log-in,
    whatever they do. A viewer, say the screen on the wall, does nothing and has a longest time of its own."""

    idle_s: float = 3600.0
    longest_s: float = 12 * 3600.0
    viewer_longest_s: float = 7 * 86_400.0


@dataclass(frozen=True)
class Session:
    """number: its name for administrators. Times are unix seconds; idle_ends_s: inf: it does not idle."""

    number: int
    user: str
    role: Role
    way: str
    address: str
    agent: str
    started_s: float
    active_s: float
    ends_s: float
    idle_ends_s: float


class Sessions:
    """token_proof: of the token in use, "" for none: a session that began with another one is over."""

    def __init__(self, store: LoginStore, limits: Limits, token_proof: str = "") -> None:
        self._store, self._limits, self._token_proof = store, limits, token_proof

    def begin(self, user: str, way: str, *, address: str, agent: str, ends: int = 0) -> str:
        """Somebody has logged in: their new id, which nobody can have known before. ends: number of the
        session that the same browser had."""
        given = secrets.token_urlsafe(32)
        proof = self._token_proof if way == TOKEN_USER else ""
        with self._store.change(user) as change:
            self._forget_old(change)
            if ends:
                _end(change, ends, "logged in anew")
            row = change.db.execute(
                "INSERT INTO session (id_hash, user, way, proof, started_s, active_s, address, agent)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (_hash(given), user, way, proof, change.now_s, change.now_s, address[:64], agent[:200]),
            )
            change.db.execute("UPDATE user SET seen_s = ? WHERE name = ?", (change.now_s, user))
            change.record("log-in", way=way, session=row.lastrowid, address=address[:64])
        return given

    def find(self, given: str) -> Session | None:
        """The session of an id; None where there is none, or its time is over."""
        row = self._store.one(f"{_SELECT} WHERE id_hash = ?", _hash(given))
        found = self._session(row) if row is not None else None
        return found if found and self._is_alive(found) else None

    def find_number(self, number: int) -> Session | None:
        """The same by its number."""
        row = self._store.one(f"{_SELECT} WHERE number = ?", number)
        found = self._session(row) if row is not None else None
        return found if found and self._is_alive(found) else None

    def touch(self, session: Session) -> None:
        """The person has done something."""
        now_s = self._store.clock()
        if now_s - session.active_s >= _NOTE_EVERY_S:
            with self._store.change(session.user) as change:
                change.db.execute("UPDATE session SET active_s = ? WHERE number = ?", (now_s, session.number))

    def renew(self, session: Session) -> str:
        """A new id for the same session, after its rights have changed."""
        given = secrets.token_urlsafe(32)
        with self._store.change(session.user) as change:
            change.db.execute(
                "UPDATE session SET id_hash = ? WHERE number = ?", (_hash(given), session.number)
            )
        return given

    def end(self, number: int, *, by: str, why: str) -> None:
        """Raises NotFoundError."""
        with self._store.change(by) as change:
            if not _end(change, number, why):
                raise NotFoundError(f"there is no session {number}")

    def list_all(self) -> list[Session]:
        """Those that live, the newest first."""
        rows = self._store.all(f"{_SELECT} ORDER BY number DESC")
        return [found for row in rows if (found := self._session(row)) and self._is_alive(found)]

    def _is_alive(self, session: Session) -> bool:
        return self._store.clock() < min(session.ends_s, session.idle_ends_s)

    def _session(self, row: sqlite3.Row) -> Session | None:
        """None where the user, or the token it began with, is no more."""
        if row["way"] == TOKEN_USER:
            if not self._token_proof or row["proof"] != self._token_proof:
                return None
            role = Role.ADMINISTRATOR
        elif row["role"] is None or row["disabled"]:
            return None
        else:
            role = Role(row["role"])
        viewer = role is Role.VIEWER
        longest_s = self._limits.viewer_longest_s if viewer else self._limits.longest_s
        idle_s = 0.0 if viewer else self._limits.idle_s
        started_s, active_s = float(row["started_s"]), float(row["active_s"])
        return Session(
            row["number"], row["user"], role, row["way"], row["address"], row["agent"], started_s, active_s,
            started_s + longest_s, active_s + idle_s if idle_s else float("inf"),
        )  # fmt: skip

    def _forget_old(self, change: LoginChange) -> None:
        for row in change.db.execute(_SELECT).fetchall():
            found = self._session(row)
            if found is None or not self._is_alive(found):
                why = "idle" if found and found.idle_ends_s < found.ends_s else "its time was over"
                _end(change, row["number"], why)


_SELECT = "SELECT session.*, user.role, user.disabled FROM session LEFT JOIN user ON user.name = session.user"


def _end(change: LoginChange, number: int, why: str) -> bool:
    row = change.db.execute("SELECT user FROM session WHERE number = ?", (number,)).fetchone()
    if row is None:
        return False
    change.db.execute("DELETE FROM session WHERE number = ?", (number,))
    change.record("session-ended", user=row["user"], session=number, why=why)
    return True


def _hash(given: str) -> str:
    return hashlib.sha256(given.encode(errors="replace")).hexdigest()
