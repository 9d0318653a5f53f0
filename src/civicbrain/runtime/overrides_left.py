"""Overrides that a killed brain process left in the ledger: taken up again, or ended with a record.

Why they go on: docs/decisions/overrides-after-a-restart.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from civicbrain.contracts.overrides import Override, OverrideAction
from civicbrain.core.sentences import Sentence, say
from civicbrain.ledger import Entry, LedgerReader

KIND, START = "override", "start"
"""Of the ledger's entries."""

LOOKED_BACK = timedelta(days=2)
"""No override is longer than an hour of the city's clock, which may stand still for a while."""


class Left(msgspec.Struct, frozen=True):
    """override: as it was begun. run: the twin's window in which it was, None where that is not known."""

    override: Override
    run: int | None


def supervisor() -> str:
    """Names the `civicbrain run` (or the test) that started this process; Linux."""
    parent = os.getppid()
    try:
        began = Path(f"/proc/{parent}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        began = ""
    return f"{parent}-{began}"


def read_left(ledger: LedgerReader, own_supervisor: str) -> tuple[list[Left], bool]:
    """(overrides without an end, whether the process before was of the same `civicbrain run`). To be asked
    before this process writes its own start. Raises LedgerError."""
    entries = ledger.since(datetime.now(UTC) - LOOKED_BACK, (KIND, START))
    starts = [entry.body.get("supervisor") for entry in entries if entry.kind == START]
    return list_open(entries), bool(starts) and starts[-1] == own_supervisor


def list_open(entries: Iterable[Entry]) -> list[Left]:
    """Those that were begun and not ended, oldest first. What cannot be read is left out."""
    now: dict[str, Left] = {}
    replaced: dict[str, Left | None] = {}
    for entry in entries:
        if entry.kind != KIND:
            continue
        junction, what = str(entry.body.get("junction")), entry.body.get("what")
        if what == "begin":
            replaced[junction] = now.pop(junction, None)
            left = _read(entry)
            if left is not None:
                now[junction] = left
        elif what == "refused":  # the one before goes on
            now.pop(junction, None)
            before = replaced.pop(junction, None)
            if before is not None:
                now[junction] = before
        elif what == "shown":  # its time runs from then on
            left, shown = now.get(junction), _read(entry)
            if left is not None and shown is not None:
                kept = msgspec.structs.replace(
                    left.override, shown_s=shown.override.shown_s, expires_s=shown.override.expires_s
                )
                now[junction] = msgspec.structs.replace(left, override=kept)
        elif what != "resumed":
            now.pop(junction, None)
    return list(now.values())


def told_of(override: Override, why: str) -> tuple[Sentence, Sentence]:
    """What people are told when one was taken up again; why: it was not, "" where it was."""
    what = f"{override.action} {override.stage}".strip()
    text = f"{what} at {override.junction}, by {override.actor}: {override.reason}"
    about = {
        "action": str(override.action), "stage": override.stage, "actor": override.actor,
        "reason": override.reason,
    }  # fmt: skip
    if why:
        return say("override-dropped", "An override has ended because the platform was restarted"), say(
            "override-was", f"{why}; {text}", why=why, **about
        )
    title = "An override goes on after a restart of the platform"
    return say("override-goes-on", title), say("override-is", text, **about)


def _read(entry: Entry) -> Left | None:
    body, run = entry.body, entry.body.get("run")
    try:
        expires_s, shown_s = float(body["expires_s"]), body.get("shown_s", entry.time_s)
        override = Override(
            str(body["junction"]), OverrideAction(body["action"]), str(body["stage"]), str(body["set_by"]),
            str(body["reason"]), entry.time_s, expires_s,
            duration_s=float(body.get("duration_s", expires_s - entry.time_s)),
            shown_s=None if shown_s is None else float(shown_s),
        )  # fmt: skip
    except (KeyError, ValueError, TypeError):
        return None
    return Left(override, run if isinstance(run, int) else None)
