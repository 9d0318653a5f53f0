"""How the cases do, in a few numbers."""

from __future__ import annotations

import sqlite3

from civicbrain.runtime.cases.alarms import SHOWN
from civicbrain.runtime.cases.wire import CasesStatus


def status_of(db: sqlite3.Connection, words: int, error: str, changes: int = 0) -> CasesStatus:
    """words: taken since the process started; changes: written since then. error: why nothing can be
    written, "" while all is well."""
    cases = db.execute(
        "SELECT count(*), coalesce(sum(late), 0) FROM case_file WHERE closed_s IS NULL"
    ).fetchone()
    standing = db.execute(
        f"SELECT count(*), coalesce(sum(acknowledged = 0), 0) FROM alarm WHERE {SHOWN}"  # noqa: S608
    ).fetchone()
    notices = db.execute(
        "SELECT coalesce(sum(state IN ('waiting', 'sending')), 0), coalesce(sum(state = 'dead'), 0)"
        " FROM notice WHERE state IN ('waiting', 'sending', 'dead')"
    ).fetchone()
    return CasesStatus(
        open_cases=cases[0], late_cases=cases[1], standing_alarms=standing[0], unacknowledged=standing[1],
        waiting=notices[0], dead=notices[1], words=words, last_error=error, changes=changes,
    )  # fmt: skip
