"""Users: added, given a role, disabled, removed. Each change ends the sessions that should not outlive it."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from civicbrain.core.errors import ConfigurationError, NotFoundError, RequestRefusedError
from civicbrain.runtime.login.roles import Role
from civicbrain.runtime.login.store import LoginChange, LoginStore

NAME = r"^[a-z0-9][a-z0-9._@-]{0,63}$"
PASSWORD, PROVIDER = "password", "provider"
_RESERVED = ("token", "demo", "nobody", "runtime", "cli")


@dataclass(frozen=True)
class User:
    """way: "password", or "provider" for one whom the identity provider names. seen: their last log-in."""

    name: str
    role: Role
    way: str
    disabled: bool
    made: datetime
    seen: datetime | None


def as_name(given: str) -> str:
    """A log-in as it is kept: lower case, without blanks around it. It need not be one."""
    return given.strip().lower()


def check_name(name: str) -> None:
    """Raises ConfigurationError for what is no log-in name."""
    if not re.match(NAME, name) or name in _RESERVED:
        raise ConfigurationError(
            f"{name[:80]!r} is no name for a log-in",
            remedy="use a-z, 0-9 and . _ @ -, 64 characters at most; "
            f"{', '.join(_RESERVED)} have a meaning of their own",
        )


def has_users(store: LoginStore) -> bool:
    """Whether there is any, disabled ones included."""
    row = store.one("SELECT EXISTS (SELECT 1 FROM user)")
    return bool(row and row[0])


def list_users(store: LoginStore) -> list[User]:
    return [_user(row) for row in store.all("SELECT * FROM user ORDER BY name")]


def get_user(store: LoginStore, name: str) -> User:
    """Raises NotFoundError."""
    return _user(_row(store.db, name))


def find_password(store: LoginStore, name: str) -> str | None:
    """The hash of somebody who may log in with a password; None for everybody else."""
    row = store.one("SELECT password FROM user WHERE name = ? AND way = ? AND NOT disabled", name, PASSWORD)
    return str(row[0]) if row else None


def add_user(store: LoginStore, name: str, role: Role, password_hash: str, *, by: str) -> User:
    """Raises ConfigurationError for a name that is none, RequestRefusedError for one that there is."""
    check_name(name)
    with store.change(by) as change:
        if change.db.execute("SELECT 1 FROM user WHERE name = ?", (name,)).fetchone():
            raise RequestRefusedError(
                f"there is a user {name!r} already", remedy="give another name, or set the role of that one"
            )
        _insert(change, name, role, password_hash, PASSWORD, "")
    return get_user(store, name)


def admit_from_provider(store: LoginStore, name: str, role: Role, subject: str) -> None:
    """Somebody whom the identity provider vouches for: known by `subject` from now on, in the role that it
    gives today. Raises ConfigurationError, RequestRefusedError (disabled, or another's name)."""
    check_name(name)
    with store.change(name) as change:
        row = change.db.execute("SELECT * FROM user WHERE name = ?", (name,)).fetchone()
        if row is None:
            _insert(change, name, role, "", PROVIDER, subject)
            return
        if row["way"] != PROVIDER or row["subject"] != subject:
            raise RequestRefusedError(
                f"the name {name} belongs to another user", remedy="an administrator removes one of the two"
            )
        if row["disabled"]:
            raise RequestRefusedError(f"{name} is disabled", remedy="ask an administrator")
        if row["role"] != role:
            change.db.execute("UPDATE user SET role = ? WHERE name = ?", (role, name))
            change.record("user-role", user=name, role=str(role), before=row["role"], way=PROVIDER)


def set_role(store: LoginStore, name: str, role: Role, *, by: str, keep_one: bool = True) -> User:
    """Takes effect with their next request. Raises NotFoundError, RequestRefusedError for the last
    administrator, where one must be kept."""
    with store.change(by) as change:
        row = _row(change.db, name)
        if row["way"] == PROVIDER:
            raise RequestRefusedError(
                f"the role of {name} comes from the identity provider", remedy="change it there"
            )
        if role is not Role.ADMINISTRATOR and keep_one:
            _require_another_administrator(change.db, name)
        change.db.execute("UPDATE user SET role = ? WHERE name = ?", (role, name))
        change.record("user-role", user=name, role=str(role), before=row["role"])
    return get_user(store, name)


def set_password(store: LoginStore, name: str, password_hash: str, *, by: str, keep_session: int = 0) -> None:
    """Ends all their sessions but the one of that number. Raises NotFoundError, RequestRefusedError."""
    with store.change(by) as change:
        if _row(change.db, name)["way"] == PROVIDER:
            raise RequestRefusedError(
                f"the password of {name} is with the identity provider", remedy="change it there"
            )
        change.db.execute("UPDATE user SET password = ? WHERE name = ?", (password_hash, name))
        change.record("user-password", user=name)
        end_sessions_of(change, name, "the password was changed", keep=keep_session)


def replace_hash(store: LoginStore, name: str, password_hash: str) -> None:
    """The same password, hashed anew."""
    with store.change(name) as change:
        change.db.execute("UPDATE user SET password = ? WHERE name = ?", (password_hash, name))


def set_disabled(store: LoginStore, name: str, disabled: bool, *, by: str, keep_one: bool = True) -> User:
    """Raises NotFoundError, RequestRefusedError for the last administrator, where one must be kept."""
    with store.change(by) as change:
        _row(change.db, name)
        if disabled:
            if keep_one:
                _require_another_administrator(change.db, name)
            end_sessions_of(change, name, "disabled")
        change.db.execute("UPDATE user SET disabled = ? WHERE name = ?", (int(disabled), name))
        change.record("user-disabled" if disabled else "user-enabled", user=name)
    return get_user(store, name)


def remove_user(store: LoginStore, name: str, *, by: str, keep_one: bool = True) -> None:
    """The record keeps their name. Raises NotFoundError, RequestRefusedError."""
    with store.change(by) as change:
        _row(change.db, name)
        if keep_one:
            _require_another_administrator(change.db, name)
        end_sessions_of(change, name, "removed")
        change.db.execute("DELETE FROM user WHERE name = ?", (name,))
        change.record("user-removed", user=name)


def end_sessions_of(change: LoginChange, name: str, why: str, *, keep: int = 0) -> None:
    """All sessions of somebody but the one of that number."""
    for row in change.db.execute("SELECT number FROM session WHERE user = ?", (name,)).fetchall():
        if row["number"] != keep:
            change.db.execute("DELETE FROM session WHERE number = ?", (row["number"],))
            change.record("session-ended", user=name, session=row["number"], why=why)


def _insert(change: LoginChange, name: str, role: Role, password_hash: str, way: str, subject: str) -> None:
    change.db.execute(
        "INSERT INTO user (name, role, password, way, subject, disabled, made_s)"
        " VALUES (?, ?, ?, ?, ?, 0, ?)",
        (name, role, password_hash, way, subject, change.now_s),
    )
    change.record("user-added", user=name, role=str(role), way=way)


def _require_another_administrator(db: sqlite3.Connection, name: str) -> None:
    rows = db.execute(
        "SELECT name FROM user WHERE role = ? AND NOT disabled", (Role.ADMINISTRATOR,)
    ).fetchall()
    if [row["name"] for row in rows] == [name]:
        raise RequestRefusedError(
            f"{name} is the last administrator",
            remedy="make somebody else administrator first, or use `civicbrain user` on the machine",
        )


def _row(db: sqlite3.Connection, name: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute("SELECT * FROM user WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no user {name[:80]!r}", remedy="`civicbrain user list` lists them")
    return row


def _user(row: sqlite3.Row) -> User:
    seen = row["seen_s"]
    return User(
        row["name"], Role(row["role"]), row["way"], bool(row["disabled"]),
        datetime.fromtimestamp(row["made_s"], UTC),
        None if seen is None else datetime.fromtimestamp(seen, UTC),
    )  # fmt: skip
