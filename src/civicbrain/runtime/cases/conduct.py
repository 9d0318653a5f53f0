"""`Conduct`: a case moves from state to state, and its procedure says what follows.

Everything here happens inside a transaction of the caller's: a move, its steps, its deadlines, its notices
and its record are there together or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping

import msgspec

from civicbrain.city.cases import MOVES, CaseState, Outcome, StepState, Urgency, case_id
from civicbrain.city.incidents import IncidentKind, Place
from civicbrain.core.errors import NotFoundError, RequestRefusedError
from civicbrain.core.sentences import say
from civicbrain.runtime.cases.alarms import clear_alarm, raise_alarm
from civicbrain.runtime.cases.conditions import Facts
from civicbrain.runtime.cases.outbox import put_out
from civicbrain.runtime.cases.procedures import Action, Procedure, Step
from civicbrain.runtime.cases.rows import PROPOSAL, get_summary, place_of
from civicbrain.runtime.cases.settling import late_key, settle
from civicbrain.runtime.cases.store import SYSTEM, Change, moment

_ORDER = list(CaseState)


class Conduct:
    """procedures: of every kind. recipients: names that notices can be sent to."""

    def __init__(
        self, procedures: Mapping[IncidentKind, Procedure], recipients: Collection[str] = ()
    ) -> None:
        self.procedures = procedures
        self.recipients = frozenset(recipients)

    def move(
        self, change: Change, number: int, to: CaseState, *, outcome: Outcome | None = None,
        assigned_to: str | None = None, reason: str = "", force: bool = False,
    ) -> None:  # fmt: skip
        """Bring a case into a state and do what its procedure says there. Raises NotFoundError,
        RequestRefusedError: no way from here to there, or a required step is open (force: whatever is)."""
        row = get_row(change, number)
        here = CaseState(row["state"])
        if to not in MOVES[here]:
            ways = ", ".join(state for state in CaseState if state in MOVES[here])
            raise RequestRefusedError(
                f"{case_id(number)} is in {here} and cannot go to {to}", remedy=f"to: {ways}"
            )
        if to is CaseState.CLOSED and outcome is None:
            raise RequestRefusedError(
                "a case is closed with an outcome", remedy=f"one of {', '.join(Outcome)}"
            )
        if to is not CaseState.CLOSED and outcome is not None:
            raise RequestRefusedError("only a closed case has an outcome", remedy="leave it out")
        if here is CaseState.CLOSED and row["merged_into"]:
            raise RequestRefusedError(
                f"{case_id(number)} was merged into {case_id(row['merged_into'])}", remedy="work on that one"
            )
        if not force:
            self._require_steps(change, number, here, to, outcome)
        self._leave(change, number)
        closing, reopening = to is CaseState.CLOSED, here is CaseState.CLOSED
        change.run(
            "UPDATE case_file SET state = ?, state_since_s = ?, closed_s = ?, outcome = ?, late = 0,"
            " wiped = 0, escalation = 0, assigned_to = coalesce(?, assigned_to) WHERE number = ?",
            to, change.now_s, change.now_s if closing else None, outcome, assigned_to, number,
        )  # fmt: skip
        detail: dict[str, object] = {"from": here, "to": to, "outcome": outcome, "assigned_to": assigned_to}
        said = {name: value for name, value in detail.items() if value is not None}
        if reason:
            said["reason"] = reason
        change.event(number, "reopened" if reopening else "moved", said)
        self.touch(change, number)
        if closing:
            settle(change, number)
        self.enter(change, number)

    def open(
        self, change: Change, kind: IncidentKind, place: Place, confidence: float, *, why: str,
        urgency: Urgency | None = None, capacity_left: float = 1.0, delay_veh_h: float = 0.0,
        onset_s: float | None = None, detected_s: float | None = None, detect_s: float | None = None,
        enter: bool = True,
    ) -> int:  # fmt: skip
        """A new case in reception; its number. detect_s: from onset to detection, seconds. enter False: the
        caller calls `enter` once what belongs to the case is there."""
        title = self.procedures[kind].title
        change.run(
            "INSERT INTO case_file (kind, title, state, urgency, place, x_m, y_m, opened_s, state_since_s,"
            " changed_s, confidence, capacity_left, delay_veh_h, onset_s, detected_s, detect_s)"
            " VALUES (?, ?, 'reception', 'low', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            kind, title, msgspec.json.encode(place).decode(), place.x_m, place.y_m, change.now_s,
            change.now_s, change.now_s, confidence, capacity_left, delay_veh_h, onset_s, detected_s, detect_s,
        )  # fmt: skip
        found = change.one("SELECT last_insert_rowid() AS number")
        assert found is not None
        number = int(found["number"])
        row = get_row(change, number)
        urgency = urgency or self.urgency_of(kind, facts_of(change, row))
        change.run("UPDATE case_file SET urgency = ? WHERE number = ?", urgency, number)
        change.event(number, "opened", {"kind": kind, "urgency": urgency, "why": why})
        if enter:
            self.enter(change, number)
        return number

    def merge(self, change: Change, number: int, other: int, reason: str, *, force: bool = False) -> None:
        """Two open cases are one: reports, incidents and what-ifs of the first go over, and it is closed as a
        duplicate. force: whatever its procedure still asks for."""
        mine, its = get_row(change, number), get_row(change, other)
        for table in ("report", "incident", "what_if"):  # a what-if may be linked to both
            change.run(
                f"UPDATE OR IGNORE {table} SET case_number = ? WHERE case_number = ?",  # noqa: S608
                other,
                number,
            )
        change.run(
            "UPDATE case_file SET onset_s = min(coalesce(onset_s, ?), coalesce(?, onset_s)),"
            " confidence = max(confidence, ?), capacity_left = min(capacity_left, ?),"
            " delay_veh_h = max(delay_veh_h, ?) WHERE number = ?",
            mine["onset_s"], mine["onset_s"], mine["confidence"], mine["capacity_left"],
            mine["delay_veh_h"], other,
        )  # fmt: skip
        change.event(other, "merged", {"from": case_id(number), "reason": reason})
        change.run("UPDATE case_file SET merged_into = ? WHERE number = ?", other, number)
        self.move(change, number, CaseState.CLOSED, outcome=Outcome.DUPLICATE, reason=reason, force=force)
        if Urgency(mine["urgency"]).rank < Urgency(its["urgency"]).rank:
            self.raise_urgency(change, other, Urgency(mine["urgency"]), f"merged {case_id(number)}")
        self.touch(change, other)

    def enter(self, change: Change, number: int) -> None:
        """Set up the steps and deadlines of the state a case is in, and do what is to be done on entering."""
        row = get_row(change, number)
        state = CaseState(row["state"])
        procedure = self.procedures[IncidentKind(row["kind"])]
        rules = procedure.rules(state)
        facts = facts_of(change, row)
        since_s = float(row["state_since_s"])
        change.run(
            "UPDATE case_file SET procedure = ?, deadline_s = ? WHERE number = ?",
            f"{procedure.title} ({procedure.digest})",
            None if rules.deadline is None else since_s + rules.deadline, number,
        )  # fmt: skip
        for place, step in enumerate(rules.steps):
            if step.when.holds(facts):
                self._add_step(change, number, state, step, since_s, 100 * _ORDER.index(state) + place)
        if rules.deadline is not None:
            deadline_s = since_s + rules.deadline
            _set_timer(change, number, "deadline", state, deadline_s, ())
            for place, escalation in enumerate(rules.escalation, 1):
                due_s = deadline_s + escalation.after
                _set_timer(change, number, "escalation", f"{state}:{place}", due_s, escalation.do)
        self.act(change, number, rules.enter, f"entered {state}")

    def act(self, change: Change, number: int, actions: Collection[Action], why: str) -> None:
        """Do what a procedure says, as far as its conditions hold of the case as it is by then."""
        for action in actions:
            row = get_row(change, number)
            if not action.when.holds(facts_of(change, row)):
                continue
            for recipient in action.notify or ():
                known = recipient in self.recipients
                put_out(change, get_summary(change.db, number), recipient, why, known=known)
            if action.assign and action.assign != row["assigned_to"]:
                change.run("UPDATE case_file SET assigned_to = ? WHERE number = ?", action.assign, number)
                change.event(number, "assigned", {"to": action.assign, "why": why})
            if action.propose:
                self._propose(change, number, CaseState(row["state"]), action.propose, why)
            if action.urgency:
                self.raise_urgency(change, number, action.urgency, why)
            if action.advance and action.advance in MOVES[CaseState(row["state"])]:
                self.move(change, number, action.advance, reason=why)
                return  # what is left was meant for the state that is over

    def raise_urgency(self, change: Change, number: int, to: Urgency, why: str) -> None:
        """At least this urgent; a procedure never makes a case less urgent."""
        if to.rank < Urgency(get_row(change, number)["urgency"]).rank:
            change.run("UPDATE case_file SET urgency = ? WHERE number = ?", to, number)
            change.event(number, "urgency", {"to": to, "why": why})

    def urgency_of(self, kind: IncidentKind, facts: Facts) -> Urgency:
        """What the procedure's first fitting rule says; medium without one."""
        for rule in self.procedures[kind].urgency:
            if rule.when.holds(facts):
                return rule.set
        return Urgency.MEDIUM

    def fire(self, change: Change, timer: sqlite3.Row) -> None:
        """A deadline or an escalation whose time has come."""
        number, kind, ref = timer["case_number"], timer["kind"], timer["ref"]
        change.run("DELETE FROM timer WHERE number = ?", timer["number"])
        row = get_row(change, number)
        due = moment(timer["due_s"]).isoformat(timespec="seconds")
        actions = msgspec.json.decode(timer["actions"])
        if kind == "step":
            step = change.one("SELECT * FROM step WHERE case_number = ? AND id = ?", number, ref)
            if step is None or step["state"] != StepState.OPEN:
                return
            change.event(number, "step-late", {"step": ref, "title": step["title"], "due": due})
        elif kind == "deadline":
            change.event(number, "late", {"state": ref, "due": due})
            raise_alarm(
                change, SYSTEM, late_key(number), Urgency(row["urgency"]),
                say("case-late", f"{case_id(number)} is overdue in {ref}", case=case_id(number), state=ref),
                say(
                    "should-have-left", f"{row['title']}; it should have left {ref} by {due}",
                    kind=row["kind"], state=ref, due=due,
                ),
                place_of(row["place"]).junction,
            )  # fmt: skip
        else:
            level = int(ref.rpartition(":")[2])
            change.run("UPDATE case_file SET escalation = ? WHERE number = ?", level, number)
            change.event(number, "escalated", {"state": row["state"], "level": level, "due": due})
        change.run("UPDATE case_file SET late = 1 WHERE number = ?", number)
        self.touch(change, number)
        self.act(change, number, [Action.model_validate(one) for one in actions], f"{kind} {ref}")

    def change_kind(self, change: Change, number: int, kind: IncidentKind, why: str) -> None:
        """It turned out to be something else: the other procedure's steps and deadlines hold."""
        row = get_row(change, number)
        title = self.procedures[kind].title
        change.run("UPDATE case_file SET kind = ?, title = ? WHERE number = ?", kind, title, number)
        change.event(number, "kind", {"from": row["kind"], "to": kind, "why": why})
        self.raise_urgency(
            change, number, self.urgency_of(kind, facts_of(change, get_row(change, number))), why
        )
        self._leave(change, number)
        self.enter(change, number)

    # -- parts

    def _require_steps(
        self, change: Change, number: int, here: CaseState, to: CaseState, outcome: Outcome | None
    ) -> None:
        forward = _ORDER.index(to) > _ORDER.index(here) and outcome in (None, Outcome.RESOLVED)
        if not forward:
            return  # a false alarm needs no steps
        rows = change.all(
            "SELECT id, title FROM step WHERE case_number = ? AND during = ? AND state = 'open'"
            " AND required = 1",
            number, here,
        )  # fmt: skip
        if rows:
            raise RequestRefusedError(
                f"{case_id(number)} cannot leave {here}: {rows[0]['title']!r} is open",
                remedy=f"do, or skip with a reason, the step {rows[0]['id']!r}",
            )

    def _leave(self, change: Change, number: int) -> None:
        """The state is over: so are its deadlines, and its steps that nobody did."""
        change.run("DELETE FROM timer WHERE case_number = ?", number)
        change.run(
            "UPDATE step SET state = 'skipped', by = ?, at_s = ? WHERE case_number = ? AND state = 'open'",
            SYSTEM, change.now_s, number,
        )  # fmt: skip
        clear_alarm(change, SYSTEM, late_key(number), change.now_s, "")

    def _add_step(
        self, change: Change, number: int, state: CaseState, step: Step, since_s: float, place: int
    ) -> None:
        due_s = since_s + step.deadline if step.deadline is not None else None
        change.run(
            "INSERT INTO step (case_number, id, title, role, during, state, required, due_s, place)"
            " VALUES (?, ?, ?, ?, ?, 'open', ?, ?, ?) ON CONFLICT (case_number, id) DO UPDATE SET"
            " title = excluded.title, role = excluded.role, during = excluded.during, state = 'open',"
            " required = excluded.required, due_s = excluded.due_s, by = '', at_s = NULL",
            number, step.id, step.title, step.role, state, int(step.required), due_s, place,
        )  # fmt: skip
        if due_s is not None:
            _set_timer(change, number, "step", step.id, due_s, step.late)

    def _propose(self, change: Change, number: int, state: CaseState, what: str, why: str) -> None:
        change.run(
            "INSERT INTO step (case_number, id, title, role, during, state, required, place)"
            " VALUES (?, ?, ?, 'operator', ?, 'open', 0, 9999) ON CONFLICT (case_number, id) DO UPDATE SET"
            " state = 'open', during = excluded.during, by = '', at_s = NULL",
            number, f"{PROPOSAL}{what}", f"Decide on: {what}", state,
        )  # fmt: skip
        change.event(number, "proposed", {"what": what, "why": why})

    def touch(self, change: Change, number: int) -> None:
        """Count a change of the case."""
        change.run(
            "UPDATE case_file SET version = version + 1, changed_s = ? WHERE number = ?", change.now_s, number
        )


def get_row(change: Change, number: int) -> sqlite3.Row:
    """A case's row. Raises NotFoundError."""
    row = change.one("SELECT * FROM case_file WHERE number = ?", number)
    if row is None:
        raise NotFoundError(f"no case {case_id(number)!r}", remedy="GET /v1/cases lists them")
    return row


def facts_of(change: Change, row: sqlite3.Row) -> Facts:
    """What conditions are asked of."""
    reporters = change.all("SELECT reporter FROM report WHERE case_number = ?", row["number"])
    place = msgspec.json.decode(row["place"], type=Place)
    return {
        "capacity_left": float(row["capacity_left"]), "confidence": float(row["confidence"]),
        "delay_veh_h": float(row["delay_veh_h"]), "lanes": float(len(place.lanes)),
        "reports": float(len(reporters)), "assigned_to": row["assigned_to"], "edge": place.edge,
        "junction": place.junction, "kind": row["kind"], "outcome": row["outcome"] or "",
        "reporter": tuple({one["reporter"] for one in reporters}), "state": row["state"],
        "urgency": row["urgency"],
    }  # fmt: skip


def _set_timer(
    change: Change, number: int, kind: str, ref: str, due_s: float, actions: Collection[Action]
) -> None:
    # the actions are kept with the timer: a file that changes meanwhile changes nothing that was promised
    plain = [action.model_dump(mode="json", by_alias=True, exclude_defaults=True) for action in actions]
    change.run(
        "INSERT INTO timer (case_number, kind, ref, due_s, actions) VALUES (?, ?, ?, ?, ?)",
        number, kind, ref, due_s, msgspec.json.encode(plain).decode(),
    )  # fmt: skip
