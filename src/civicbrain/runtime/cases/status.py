"""How the cases do, in a few numbers."""

from __future__ import annotations

import sqlite3

from civicbrain.runtime.cases.alarms import SHOWN
from civicbrain.runtime.cases.store import SYSTEM
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
    # an alarm of an open case is that case: one thing asks for one look
    apart = db.execute(
        f"SELECT count(*) FROM alarm WHERE {SHOWN} AND acknowledged = 0"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM case_file AS c WHERE c.closed_s IS NULL AND ("
        "(source = :system AND key = 'late-case-' || c.number)"
        " OR (source = :system AND key IN"
        " (SELECT 'notice-' || n.number FROM notice AS n WHERE n.case_number = c.number))"
        " OR (source <> :system AND EXISTS (SELECT 1 FROM incident AS i"
        " WHERE i.case_number = c.number AND i.session = alarm.session AND i.id = alarm.key))))",
        {"system": SYSTEM},
    ).fetchone()
    notices = db.execute(
        "SELECT coalesce(sum(state IN ('waiting', 'sending')), 0), coalesce(sum(state = 'dead'), 0)"
        " FROM notice WHERE state IN ('waiting', 'sending', 'dead')"
    ).fetchone()
    return CasesStatus(
        open_cases=cases[0], late_cases=cases[1], standing_alarms=standing[0], unacknowledged=standing[1],
        to_do=cases[0] + apart[0], waiting=notices[0], dead=notices[1], words=words, last_error=error,
        changes=changes,
    )  # fmt: skip
