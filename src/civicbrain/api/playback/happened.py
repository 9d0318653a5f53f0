"""What the ledgers say of a past window: who did what, and which junctions were held by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from civicbrain.api.models.replay import ReplayMark, ReplayOverride
from civicbrain.api.playback.segment import read_head
from civicbrain.api.playback.shelf import Segment
from civicbrain.city.cases import case_number
from civicbrain.core.errors import CasesError, LedgerError
from civicbrain.ledger import LedgerReader
from civicbrain.ledger.chain import Entry
from civicbrain.runtime.cases import store as cases
from civicbrain.runtime.cases.handover import OF_ALARMS, name_alarms
from civicbrain.runtime.cases.rows import place_of
from civicbrain.runtime.rundir import LEDGER_FILE

LONGEST_OVERRIDE_S = 3600.0
_ACTS = (
    "brain-failed", "brain-recovered", "brain-switch", "control", "decision", "mission", "override", "start",
    "what-if",
)  # fmt: skip
_STEPS = {
    "mission": ("order", "cancel", "ended", "lost"),
    "case": (
        "opened", "moved", "reopened", "merged", "handed-over", "assigned", "urgency", "late", "escalated",
        "step-done", "step-skipped", "step-late",
    ),
}  # fmt: skip
"""Of these kinds only what an operator would miss; the rest is the mission's or the case's own history."""

_MOST = 1000


def read_happened(
    run_dir: Path, segments: Sequence[Segment], start_s: float, end_s: float
) -> tuple[list[ReplayMark], list[ReplayOverride]]:
    """Marks of [start_s, end_s), and the overrides that reach into it, oldest first. segments: of the window;
    they say when it was in real time, for a city's clock may show the same second twice."""
    when = _real_time(segments)
    if when is None:
        return [], []
    since, until = when
    before = since - timedelta(seconds=LONGEST_OVERRIDE_S)
    entries = _read(run_dir / LEDGER_FILE, _ACTS, before, until)
    handled = _handled(run_dir / cases.FOLDER / cases.FILE, since, until)
    told = [one for one in (*entries, *handled) if start_s <= one.time_s < end_s and _counts(one)]
    marks = [
        ReplayMark(
            one.time_s, one.kind, junction=str(one.body.get("junction", "")), actor=one.actor, body=one.body
        )
        for one in sorted(told, key=lambda one: one.time_s)
        if datetime.fromisoformat(one.at) >= since
    ]
    return marks, [one for one in list_overrides(entries) if one.from_s < end_s and one.until_s > start_s]


def list_overrides(entries: Iterable[Entry]) -> Iterator[ReplayOverride]:
    """The stretches in which junctions were held, from the ledger's entries in their order."""
    now: dict[str, ReplayOverride] = {}
    before: dict[str, ReplayOverride] = {}  # what goes on where the next one is refused
    ended: list[ReplayOverride] = []
    for entry in entries:
        if entry.kind != "override":
            continue
        junction, what = str(entry.body.get("junction", "")), entry.body.get("what")
        held = now.pop(junction, None)
        if what in ("begin", "resumed"):
            if held is not None:
                before[junction] = held
                ended.append(msgspec.structs.replace(held, until_s=min(held.until_s, entry.time_s)))
            now[junction] = _begun(junction, entry)
        elif what == "refused":
            if junction in before:
                now[junction] = before.pop(junction)
                ended = [
                    one for one in ended if (one.junction, one.from_s) != (junction, now[junction].from_s)
                ]
        elif what == "shown" and held is not None:  # its time runs from then on
            now[junction] = msgspec.structs.replace(held, until_s=_begun(junction, entry).until_s)
        elif held is not None:
            ended.append(msgspec.structs.replace(held, until_s=min(held.until_s, entry.time_s)))
    yield from sorted((*ended, *now.values()), key=lambda one: one.from_s)


def _begun(junction: str, entry: Entry) -> ReplayOverride:
    body = entry.body
    expires_s = body.get("expires_s")
    return ReplayOverride(
        junction, str(body.get("action", "")), str(body.get("stage", "")),
        str(body.get("set_by") or entry.actor), str(body.get("reason", "")), entry.time_s,
        float(expires_s) if isinstance(expires_s, int | float) else entry.time_s,
    )  # fmt: skip


def _handled(path: Path, since: datetime, until: datetime) -> list[Entry]:
    """What was done with cases and alarms: where a case is, and alarms by their titles."""
    found = [one for one in _read(path, ("case", *OF_ALARMS), since, until) if _counts(one)]
    try:
        db = cases.open_reader(path)
    except CasesError:
        return found
    try:
        return [msgspec.structs.replace(one, body=_known(db, one)) for one in found]
    except sqlite3.Error:
        return found  # without names, rather than not at all
    finally:
        db.close()


def _known(db: sqlite3.Connection, entry: Entry) -> dict[str, Any]:
    if entry.kind in OF_ALARMS:
        return name_alarms(db, entry.body)
    number = case_number(str(entry.body.get("case", "")))
    row = db.execute("SELECT place FROM case_file WHERE number = ?", (number,)).fetchone()
    junction = place_of(row["place"]).junction if row is not None else ""
    return {**entry.body, **({"junction": junction} if junction else {})}


def _counts(entry: Entry) -> bool:
    steps = _STEPS.get(entry.kind)
    return steps is None or entry.body.get("what") in steps


def _real_time(segments: Sequence[Segment]) -> tuple[datetime, datetime] | None:
    heads = [head for one in segments if (head := read_head(one.path)) is not None]
    if not heads:
        return None
    try:
        last = max(one.path.stat().st_mtime for one in segments)
    except OSError:  # just tidied away
        last = max(head.written_at for head in heads)
    first = min(head.written_at for head in heads)
    return datetime.fromtimestamp(first - 1.0, UTC), datetime.fromtimestamp(last + 1.0, UTC)


def _read(path: Path, kinds: Sequence[str], since: datetime, until: datetime) -> list[Entry]:
    try:
        reader = LedgerReader(path)
    except LedgerError:
        return []  # nothing was ever written there
    try:
        return reader.since(since, kinds, _MOST, until)
    except LedgerError:
        return []
    finally:
        reader.close()
