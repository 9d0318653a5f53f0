"""A delivery of the brain process becomes rows, once: its words and how far they go are one transaction."""

from __future__ import annotations

import sqlite3

import structlog

from civicbrain.runtime.cases.alarms import clear_alarm, take_alert
from civicbrain.runtime.cases.desk import CaseDesk
from civicbrain.runtime.cases.entry import words_of
from civicbrain.runtime.cases.store import Change
from civicbrain.runtime.cases.wire import AlertSaid, Delivery, IncidentSaid, Word

_log = structlog.get_logger("civicbrain.runtime.cases")


def take_delivery(desk: CaseDesk, delivery: Delivery) -> tuple[int, int]:
    """Keep the words that are new. Returns the number of the newest that is on the disk, and how many were
    new. Raises CasesError: then nothing was taken, and it is sent again. A word that cannot be kept whatever
    is done stands in the record as such and holds up no other."""
    found = desk.store.db.execute(
        "SELECT newest FROM sender WHERE session = ?", (delivery.sender,)
    ).fetchone()
    newest = int(found["newest"]) if found is not None else 0
    words = list(words_of(delivery, newest))
    if not words and found is not None:
        return newest, 0
    last = delivery.first + len(delivery.words) - 1 if words else newest
    with desk.store.change() as change:
        for number, word in enumerate(words, last - len(words) + 1):
            change.run("SAVEPOINT word")
            entries = len(change.entries)
            try:
                _keep(desk, change, word)
            except (sqlite3.OperationalError, sqlite3.InternalError):
                raise  # the disk, not the word
            except Exception as error:
                change.run("ROLLBACK TO word")
                del change.entries[entries:]
                _log.exception("a word cannot be kept", number=number)
                change.record("word-refused", {"word": number, "error": type(error).__name__})
            change.run("RELEASE word")
        change.run(
            "INSERT INTO sender (session, newest, first_s) VALUES (?, ?, ?)"
            " ON CONFLICT (session) DO UPDATE SET newest = excluded.newest",
            delivery.sender, last, change.now_s,
        )  # fmt: skip
        if any(isinstance(word, AlertSaid) for word in words):
            # one entry for many: what each said stands in its row, and what people do is single
            change.record("alarms", {"sender": delivery.sender, "words": [last - len(words) + 1, last]})
    return last, len(words)


def _keep(desk: CaseDesk, change: Change, word: Word) -> None:
    if isinstance(word, IncidentSaid):
        desk.take_in(change, word.incident, word.now_s, word.at_s, word.session)
    elif isinstance(word, AlertSaid):
        take_alert(change, word.alert, word.at_s, word.session)
    else:
        clear_alarm(change, word.source or "runtime", word.key, word.at_s, "")
