"""From rows to the records of `city/cases.py`. Everything here only reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from civicbrain.city.cases import (
    MOVES,
    CaseEvent,
    CaseFile,
    CaseState,
    CaseStep,
    CaseSummary,
    EffectWord,
    Evidence,
    IncidentWord,
    Outcome,
    Statement,
    StepState,
    Urgency,
    WhatIfLink,
    case_id,
    case_number,
)
from civicbrain.city.incidents import Incident, IncidentKind, Place, ReporterKind, kinds_seen
from civicbrain.core.errors import NotFoundError
from civicbrain.core.sentences import Sentence, in_english
from civicbrain.runtime.cases.store import moment, to_moment

PROPOSAL = "proposal-"
"""Steps whose id begins so are proposals of the procedure, to be decided on."""

MOST_EVENTS = 500

_SUMMARY = """
SELECT c.*,
    (SELECT count(*) FROM report r WHERE r.case_number = c.number) AS reports,
    (SELECT count(*) FROM incident i WHERE i.case_number = c.number
     AND json_array_length(i.body, '$.sensors') > 0) AS incidents,
    (SELECT count(*) FROM incident i WHERE i.case_number = c.number AND i.open = 1) AS there
FROM case_file c
"""


def number_of(name: str) -> int:
    """The number in a case's id. Raises NotFoundError for what is none."""
    number = case_number(name)
    if number is None:
        raise NotFoundError(f"no case {name[:80]!r}", remedy="GET /v1/cases lists them")
    return number


def summary(row: sqlite3.Row) -> CaseSummary:
    """One row of `_SUMMARY`."""
    return CaseSummary(
        id=case_id(row["number"]), kind=IncidentKind(row["kind"]), title=row["title"],
        state=CaseState(row["state"]), urgency=Urgency(row["urgency"]), place=place_of(row["place"]),
        opened=moment(row["opened_s"]), state_since=moment(row["state_since_s"]),
        changed=moment(row["changed_s"]), version=row["version"], reports=row["reports"],
        incidents=row["incidents"], assigned_to=row["assigned_to"], holder=row["holder"],
        outcome=Outcome(row["outcome"]) if row["outcome"] else None, closed=to_moment(row["closed_s"]),
        merged_into=case_id(row["merged_into"]) if row["merged_into"] else "", late=bool(row["late"]),
        escalation=row["escalation"], deadline=to_moment(row["deadline_s"]), confidence=row["confidence"],
        capacity_left=row["capacity_left"] if row["incidents"] else None, onset=to_moment(row["onset_s"]),
        detected=to_moment(row["detected_s"]), still_there=bool(row["there"]),
    )  # fmt: skip


def get_summary(db: sqlite3.Connection, number: int) -> CaseSummary:
    """One case. Raises NotFoundError."""
    row = db.execute(f"{_SUMMARY} WHERE c.number = ?", (number,)).fetchone()
    if row is None:
        raise NotFoundError(f"no case {case_id(number)!r}", remedy="GET /v1/cases lists them")
    return summary(row)


def list_summaries(
    db: sqlite3.Connection,
    *,
    state: str = "",
    kind: str = "",
    open_only: bool = False,
    offset: int = 0,
    limit: int = 100,
) -> tuple[list[CaseSummary], int]:
    """A page of cases, the most urgent of the open ones first, then the newest; and how many there are."""
    wheres, values = ["1"], list[Any]()
    if state:
        wheres, values = [*wheres, "c.state = ?"], [*values, state]
    if kind:
        wheres, values = [*wheres, "c.kind = ?"], [*values, kind]
    if open_only:
        wheres.append("c.closed_s IS NULL")
    where = " AND ".join(wheres)
    count = db.execute(f"SELECT count(*) FROM case_file c WHERE {where}", values).fetchone()[0]  # noqa: S608
    rows = db.execute(
        f"{_SUMMARY} WHERE {where} ORDER BY c.closed_s IS NOT NULL, CASE WHEN c.closed_s IS NULL THEN"
        " instr('urgent high medium low', c.urgency) ELSE 0 END, c.number DESC LIMIT ? OFFSET ?",
        (*values, limit, offset),
    ).fetchall()
    return [summary(row) for row in rows], int(count)


def get_file(db: sqlite3.Connection, number: int) -> CaseFile:
    """All of a case but its evidence. Raises NotFoundError."""
    found = get_summary(db, number)
    row = db.execute("SELECT procedure, delay_veh_h FROM case_file WHERE number = ?", (number,)).fetchone()
    steps = [_step(one) for one in _of(db, "step", number, "place, id")]
    merged = db.execute("SELECT number FROM case_file WHERE merged_into = ?", (number,)).fetchall()
    return CaseFile(
        case=found,
        procedure=row["procedure"],
        steps=[step for step in steps if not step.id.startswith(PROPOSAL)],
        events=_events(db, number),
        moves=[state for state in CaseState if state in MOVES[found.state]],
        proposals=[
            step.id.removeprefix(PROPOSAL)
            for step in steps
            if step.id.startswith(PROPOSAL) and step.state is StepState.OPEN
        ],
        merged=[case_id(one["number"]) for one in merged],
        what_ifs=[
            WhatIfLink(one["id"], one["title"], one["by"], moment(one["at_s"]))
            for one in _of(db, "what_if", number, "at_s, id")
        ],
        delay_veh_h=row["delay_veh_h"],
        clears_s=_clears_s(db, number),
    )


def get_evidence(db: sqlite3.Connection, number: int, keep_s: float) -> Evidence:
    """What speaks for a case; keep_s: how long after its end it is kept. Raises NotFoundError."""
    found = get_summary(db, number)
    words = [_word(row) for row in _of(db, "incident", number, "heard_s")]
    statements = [statement(row) for row in _of(db, "report", number, "received_s, id")]
    until_s = found.closed.timestamp() + keep_s if found.closed else None
    return Evidence(found.id, words, statements, to_moment(until_s))


def list_statements(db: sqlite3.Connection, offset: int = 0, limit: int = 100) -> tuple[list[Statement], int]:
    """Reports, the newest first, without their words: those are evidence."""
    count = db.execute("SELECT count(*) FROM report").fetchone()[0]
    rows = db.execute(
        "SELECT * FROM report ORDER BY received_s DESC, id LIMIT ? OFFSET ?",
        (limit, offset),
    ).fetchall()
    return [msgspec.structs.replace(statement(row), source="", text="") for row in rows], int(count)


def statement(row: sqlite3.Row) -> Statement:
    """One row of `report`."""
    return Statement(
        id=row["id"], case=case_id(row["case_number"]), reporter=ReporterKind(row["reporter"]),
        source=row["source"], kind=IncidentKind(row["kind"]), place=place_of(row["place"]),
        received=moment(row["received_s"]), happened=to_moment(row["happened_s"]), text=row["text"],
        deleted=bool(row["deleted"]),
    )  # fmt: skip


def _clears_s(db: sqlite3.Connection, number: int) -> float | None:
    """Platform second in which the last of a case's open incidents is expected to be over."""
    rows = db.execute("SELECT body FROM incident WHERE case_number = ? AND open = 1", (number,))
    said = [msgspec.json.decode(row["body"], type=Incident) for row in rows]
    return max((one.clears_s for one in said if one.clears_s >= 0), default=None)


def place_of(text: str) -> Place:
    return msgspec.json.decode(text, type=Place)


def _of(db: sqlite3.Connection, table: str, number: int, order: str) -> Sequence[sqlite3.Row]:
    return db.execute(
        f"SELECT * FROM {table} WHERE case_number = ? ORDER BY {order}", (number,)  # noqa: S608 (constants)
    ).fetchall()  # fmt: skip


def _events(db: sqlite3.Connection, number: int) -> list[CaseEvent]:
    """The newest events, in order."""
    rows = db.execute(
        "SELECT * FROM event WHERE case_number = ? ORDER BY number DESC LIMIT ?", (number, MOST_EVENTS)
    ).fetchall()
    return [event(row) for row in reversed(rows)]


def event(row: sqlite3.Row) -> CaseEvent:
    """One row of `event`; a note with its text, until that is deleted."""
    detail = msgspec.json.decode(row["detail"])
    if row["private"]:
        detail["text"] = row["private"]
    return CaseEvent(row["number"], moment(row["at_s"]), row["actor"], row["what"], detail)


def _step(row: sqlite3.Row) -> CaseStep:
    return CaseStep(
        row["id"], row["title"], row["role"], CaseState(row["during"]), StepState(row["state"]),
        to_moment(row["due_s"]), row["by"], to_moment(row["at_s"]), bool(row["required"]),
    )  # fmt: skip


def _word(row: sqlite3.Row) -> IncidentWord:
    said = msgspec.json.decode(row["body"], type=Incident)
    effects = [EffectWord(one.place, one.since_s) for one in said.effects]
    return IncidentWord(
        id=said.id, kind=said.kind, place=said.place, confidence=said.confidence, open=bool(row["open"]),
        evidence=in_english(said.evidence),
        said=[one if isinstance(one, Sentence) else Sentence("", one) for one in said.evidence],
        sensors=list(said.sensors), capacity_left=said.capacity_left,
        delay_veh_h=said.delay_veh_h, kinds=kinds_seen(said.kind), effects=effects,
    )  # fmt: skip
