"""The handover note: open cases, missions, overrides, alarms, silent sources, what changed in the shift."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from civicbrain.city.cases import case_id
from civicbrain.city.model import City
from civicbrain.city.shifts import Handover, LostNotice, MissionUnderWay, Override, ShiftEvent
from civicbrain.city.signals import ControllerMode, mode_name
from civicbrain.contracts.wire import CityState, unpack_array
from civicbrain.core.errors import LedgerError
from civicbrain.ledger import LedgerReader
from civicbrain.runtime.cases.alarm_list import list_alarms
from civicbrain.runtime.cases.alarms import sentences_in
from civicbrain.runtime.cases.rows import list_summaries
from civicbrain.runtime.cases.store import moment

MOST = 500
SILENT_AFTER_S = 10.0
"""As `/v1/sources` has it."""

_TOLD = (
    "opened", "moved", "reopened", "merged", "handed-over", "assigned", "urgency", "kind", "late",
    "escalated", "notice-dead", "not-confirmed", "out-of-sight", "step-done", "step-skipped", "step-late",
)  # fmt: skip
_OF_THE_PLATFORM = (
    "brain-failed", "brain-recovered", "brain-switch", "control", "decision", "ledger-recovered", "override",
    "start", "twin", "what-if",
)  # fmt: skip
_OF_MISSIONS = ("order", "cancel", "ended", "lost")
"""What the next shift must know of a mission; the rest is its own history."""

OF_ALARMS = ("alarms-acknowledged", "alarms-shelved", "alarms-unshelved", "alarms-cleared")
_NAMED_ALARMS = 3
"""Of those noted at once so many are called by their titles; the others are counted."""

_BY_HAND = (ControllerMode.MANUAL, ControllerMode.FLASHING)


def write_handover(db: sqlite3.Connection, since_s: float, now_s: float, ledger: Path | None) -> Handover:
    """What the files say of a shift, unix seconds. ledger: the brain process's, for what changed there."""
    open_cases, _ = list_summaries(db, open_only=True, limit=MOST)
    alarms = list_alarms(db, now_s, which="shelved", limit=MOST)
    marks = ",".join("?" * len(_TOLD))
    rows = db.execute(
        f"SELECT * FROM event WHERE at_s >= ? AND at_s <= ? AND what IN ({marks}) ORDER BY number",  # noqa: S608
        (since_s, now_s, *_TOLD),
    ).fetchall()
    changed = [
        ShiftEvent(
            moment(row["at_s"]), row["actor"], row["what"], case_id(row["case_number"]),
            msgspec.json.decode(row["detail"]),
        )
        for row in rows
    ]  # fmt: skip
    changed = sorted([*changed, *_of_alarms(db, since_s, now_s)], key=lambda event: event.at)
    if ledger is not None:
        changed = sorted([*changed, *_of_platform(ledger, since_s, now_s)], key=lambda event: event.at)
    changes = len(changed)
    since_clock_s, until_clock_s = None, None
    if ledger is not None:
        changed = _with_city_time(ledger, changed[-MOST:])
        since_clock_s, until_clock_s = _clock(ledger, (moment(since_s), moment(now_s)))
    closed = db.execute(
        "SELECT count(*) FROM case_file WHERE closed_s >= ? AND closed_s <= ?", (since_s, now_s)
    ).fetchone()
    lost = db.execute(
        "SELECT * FROM notice WHERE state = 'dead' OR (state = 'unaddressed' AND made_s >= ?)"
        " ORDER BY number DESC LIMIT ?",
        (since_s, MOST),
    ).fetchall()
    return Handover(
        since=moment(since_s), until=moment(now_s), open_cases=open_cases, groups=alarms.groups,
        shelved=alarms.alarms,
        lost_notices=[
            LostNotice(
                row["number"], case_id(row["case_number"]) if row["case_number"] else "", row["recipient"],
                row["error"],
            )
            for row in lost
        ],
        changed=changed[-MOST:], changes=changes, closed_cases=closed[0],
        since_s=since_clock_s, until_s=until_clock_s,
    )  # fmt: skip


def with_state(note: Handover, city: City, state: CityState, silent: Iterable[str] = ()) -> Handover:
    """The note with what the brain process knows: overrides, missions, silent sources. silent: cameras."""
    overrides = [
        Override("brain", health.name, "switched off") for health in state.brains if health.state == "off"
    ]
    if not state.brain_on:
        overrides.append(Override("control", state.control, "no brain controls the signals"))
    if state.twin is not None and state.twin.paused:
        overrides.append(Override("twin", "clock", "paused"))
    by_hand = {one.junction for one in state.overrides}
    overrides += [
        Override(
            "junction", one.junction, f"{f'{one.action} {one.stage}'.strip()}, {one.actor}: {one.reason}"
        )
        for one in state.overrides
    ]
    modes = unpack_array(state.junction_mode)
    for row in np.flatnonzero(np.isin(modes, [int(mode) for mode in _BY_HAND]))[:MOST].tolist():
        if row < len(city.junctions) and city.junctions[row].id not in by_hand:
            overrides.append(Override("junction", city.junctions[row].id, mode_name(int(modes[row]))))
    quiet = [
        name for name, age_s in state.staleness_s.items()
        if not math.isfinite(age_s) or age_s > SILENT_AFTER_S
    ]  # fmt: skip
    return msgspec.structs.replace(
        note,
        live=True,
        overrides=overrides,
        silent_sources=sorted({*quiet, *silent}),
        missions=[
            MissionUnderWay(one.id, one.vehicle, one.to_edge, one.state, one.eta_s) for one in state.missions
        ],
    )


def _of_alarms(db: sqlite3.Connection, since_s: float, now_s: float) -> list[ShiftEvent]:
    """Alarms that people noted, put aside or cleared."""
    marks = ",".join("?" * len(OF_ALARMS))
    first, last = (moment(at_s).isoformat(timespec="milliseconds") for at_s in (since_s, now_s))
    rows = db.execute(
        f"SELECT at, actor, kind, body FROM entry WHERE at >= ? AND at <= ? AND kind IN ({marks})"  # noqa: S608
        " ORDER BY seq DESC LIMIT ?",
        (first, last, *OF_ALARMS, MOST),
    ).fetchall()
    return [
        ShiftEvent(
            datetime.fromisoformat(row["at"]), row["actor"], row["kind"],
            detail=name_alarms(db, msgspec.json.decode(row["body"])),
        )
        for row in reversed(rows)
    ]  # fmt: skip


def name_alarms(db: sqlite3.Connection, body: Mapping[str, Any]) -> dict[str, Any]:
    """An entry's alarms by their titles, as far as they are still kept; `count` is of all."""
    numbers = [int(number) for number in body.get("alarms", [])]
    found = [
        db.execute("SELECT title, said FROM alarm WHERE number = ?", (number,)).fetchone()
        for number in numbers[:_NAMED_ALARMS]
    ]
    named = [
        {"title": row["title"], "detail": "", "said": msgspec.to_builtins(sentences_in(row["said"])[:1])}
        for row in found
        if row is not None
    ]
    return {"alarms": named, "count": len(numbers), "reason": body.get("reason", "")}


def _of_platform(ledger: Path, since_s: float, now_s: float) -> list[ShiftEvent]:
    try:
        with LedgerReader(ledger) as reader:
            entries = reader.since(moment(since_s), _OF_THE_PLATFORM, MOST)
            missions = reader.since(moment(since_s), ("mission",))
    except LedgerError:
        return []  # it never ran
    found = []
    told = [one for one in missions if one.body.get("what") in _OF_MISSIONS]
    for entry in (*entries, *told):
        at = moment(since_s).fromisoformat(entry.at)
        if at.timestamp() <= now_s:
            found.append(ShiftEvent(at, entry.actor, entry.kind, "", entry.body, entry.time_s))
    return found


def _with_city_time(ledger: Path, events: list[ShiftEvent]) -> list[ShiftEvent]:
    """Cases know real time only; what the platform wrote about then says what the city's clock showed."""
    bare = [event.at for event in events if event.time_s is None]
    known = iter(_clock(ledger, bare))
    return [
        event if event.time_s is not None else msgspec.structs.replace(event, time_s=next(known))
        for event in events
    ]


def _clock(ledger: Path, moments: Iterable[datetime]) -> list[float | None]:
    """The city's clock at these instants, None where it is not known."""
    asked = list(moments)
    try:
        with LedgerReader(ledger) as reader:
            return [reader.platform_second(at) for at in asked]
    except LedgerError:
        return [None] * len(asked)
