"""What is deleted, and when: evidence and people's words some days after a case's end, and what only served
repeated calls. `secure_delete` overwrites the bytes; the write-ahead log is then emptied."""

from __future__ import annotations

import msgspec

from civicbrain.city.cases import case_id
from civicbrain.city.incidents import Incident
from civicbrain.runtime.cases.store import CaseStore, Change

COMMANDS_KEPT_S = 7 * 86_400.0
AT_ONCE = 50


def forget(store: CaseStore, keep_s: float) -> int:
    """Delete what is past its time: of cases closed longer than keep_s. Returns how many cases that were."""
    count = 0
    while True:
        with store.change() as change:
            rows = change.all(
                "SELECT number FROM case_file WHERE wiped = 0 AND closed_s < ? ORDER BY number LIMIT ?",
                change.now_s - keep_s, AT_ONCE,
            )  # fmt: skip
            for row in rows:
                _wipe(change, row["number"])
            # a reply holds the words of the report it answered
            change.run("DELETE FROM command WHERE at_s < ?", change.now_s - min(COMMANDS_KEPT_S, keep_s))
        count += len(rows)
        if len(rows) < AT_ONCE:
            break
    if count:
        store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return count


def _wipe(change: Change, number: int) -> None:
    """Words, sources and evidence of one case go; that there were some, and of which kind, stays."""
    reports = change.run(
        "UPDATE report SET text = '', source = '', deleted = 1 WHERE case_number = ? AND deleted = 0", number
    )
    for row in change.all("SELECT session, id, body FROM incident WHERE case_number = ?", number):
        said = msgspec.json.decode(row["body"], type=Incident)
        bare = msgspec.structs.replace(said, evidence=(), sensors=(), reports=(), effects=())
        change.run(
            "UPDATE incident SET body = ? WHERE session = ? AND id = ?",
            msgspec.json.encode(bare).decode(), row["session"], row["id"],
        )  # fmt: skip
    change.run("UPDATE event SET private = '', salt = '' WHERE case_number = ? AND private != ''", number)
    change.run("UPDATE notice SET body = '' WHERE case_number = ? AND state IN ('delivered', 'dead')", number)
    change.run("UPDATE case_file SET wiped = 1 WHERE number = ?", number)
    change.record("evidence-deleted", {"case": case_id(number), "reports": reports})
