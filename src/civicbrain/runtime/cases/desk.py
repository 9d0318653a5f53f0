"""`CaseDesk`: what people and sensors may do to cases. Each call is one transaction, or has not happened.

A caller that gives a `key` may repeat its call: the same key does the same thing once and gets the same
answer, so that nothing is done twice when an answer was lost on its way.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from civicbrain.city.cases import CaseState, Outcome, StepState, Urgency, case_id
from civicbrain.city.incidents import MAX_TEXT, Incident, IncidentKind, Place, ReporterKind
from civicbrain.core.errors import NotFoundError, RequestRefusedError
from civicbrain.runtime.cases import alarms
from civicbrain.runtime.cases.conduct import Conduct, facts_of, get_row
from civicbrain.runtime.cases.matching import REPORT_REACH_M, find_case, says_more
from civicbrain.runtime.cases.outbox import put_out
from civicbrain.runtime.cases.rows import PROPOSAL, get_summary, number_of, statement
from civicbrain.runtime.cases.sensed import Sensed
from civicbrain.runtime.cases.store import SYSTEM, CaseStore, Change

CONFIDENCE_OF = {
    ReporterKind.CITIZEN: 0.5, ReporterKind.POLICE: 0.95, ReporterKind.FIELD_CREW: 0.95,
    ReporterKind.DEPARTMENT: 0.9,
}  # fmt: skip
"""How far a report alone is believed: who calls may be mistaken, who stands there is not."""

TRUSTED = 0.9
"""From here on a report says what kind of incident it is, also against what was thought before."""

TIMERS_AT_ONCE = 100


class CaseDesk:
    """The one way to change a case. One thread. who: the actor that the record names."""

    def __init__(self, store: CaseStore, conduct: Conduct) -> None:
        self.store, self.conduct = store, conduct
        self._sensed = Sensed(conduct)

    # -- people

    def open(
        self, kind: IncidentKind, place: Place, who: str, *, note: str = "", urgency: Urgency | None = None,
        key: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Open a case by hand. Returns its summary (JSON-able)."""

        def act(change: Change) -> Any:
            number = self.conduct.open(change, kind, place, 1.0, urgency=urgency, why="opened by hand")
            if note:
                change.event(number, "note", private=note[:MAX_TEXT])
            return get_summary(change.db, number)

        return self._once(who, key, ("open", kind, place, note, urgency), act)

    def move(
        self, name: str, to: CaseState, who: str, *, outcome: Outcome | None = None,
        assigned_to: str | None = None, reason: str = "", version: int | None = None, key: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Bring a case into another state; from closed to triage is to reopen it."""

        def act(change: Change, number: int) -> None:
            self.conduct.move(change, number, to, outcome=outcome, assigned_to=assigned_to, reason=reason)

        return self._case(name, who, version, key, ("move", to, outcome, assigned_to, reason), act)

    def assign(
        self, name: str, to: str, who: str, *, reason: str = "", version: int | None = None, key: str = ""
    ) -> dict[str, Any]:
        """Say who is to go."""

        def act(change: Change, number: int) -> None:
            _require_open(change, number)
            change.run("UPDATE case_file SET assigned_to = ? WHERE number = ?", to, number)
            change.event(number, "assigned", {"to": to, "reason": reason})

        return self._case(name, who, version, key, ("assign", to, reason), act)

    def hand_over(
        self, name: str, to: str, who: str, *, reason: str = "", version: int | None = None, key: str = ""
    ) -> dict[str, Any]:
        """Give a case to another person or department, who holds it from now on."""

        def act(change: Change, number: int) -> None:
            row = _require_open(change, number)
            change.run("UPDATE case_file SET holder = ? WHERE number = ?", to, number)
            change.event(number, "handed-over", {"from": row["holder"], "to": to, "reason": reason})

        return self._case(name, who, version, key, ("hand-over", to, reason), act)

    def set_urgency(
        self, name: str, to: Urgency, who: str, *, reason: str = "", version: int | None = None, key: str = ""
    ) -> dict[str, Any]:
        """People may make a case more urgent, or less."""

        def act(change: Change, number: int) -> None:
            _require_open(change, number)
            change.run("UPDATE case_file SET urgency = ? WHERE number = ?", to, number)
            change.event(number, "urgency", {"to": to, "why": reason})

        return self._case(name, who, version, key, ("urgency", to, reason), act)

    def note(self, name: str, text: str, who: str, *, key: str = "") -> dict[str, Any]:
        """Write something down."""

        def act(change: Change, number: int) -> None:
            change.event(number, "note", private=text[:MAX_TEXT])

        return self._case(name, who, None, key, ("note", text), act)

    def step(
        self, name: str, step: str, state: StepState, who: str, *, reason: str = "", key: str = ""
    ) -> dict[str, Any]:
        """A step of the procedure was done, or is left out with a reason."""

        def act(change: Change, number: int) -> None:
            row = change.one("SELECT * FROM step WHERE case_number = ? AND id = ?", number, step)
            if row is None:
                raise NotFoundError(
                    f"{name} has no step {step[:80]!r}", remedy=f"GET /v1/cases/{name} lists them"
                )
            if row["state"] != StepState.OPEN:
                raise RequestRefusedError(
                    f"the step {step!r} is {row['state']}", remedy="nothing is left to do"
                )
            if state is StepState.OPEN or (state is StepState.SKIPPED and not reason.strip()):
                raise RequestRefusedError(
                    "a step is done, or skipped with a reason", remedy="say which, and why"
                )
            change.run(
                "UPDATE step SET state = ?, by = ?, at_s = ? WHERE case_number = ? AND id = ?",
                state, change.actor, change.now_s, number, step,
            )  # fmt: skip
            change.run("DELETE FROM timer WHERE case_number = ? AND kind = 'step' AND ref = ?", number, step)
            change.event(number, f"step-{state}", {"step": step, "title": row["title"], "reason": reason})

        return self._case(name, who, None, key, ("step", step, state, reason), act)

    def merge(
        self, name: str, into: str, who: str, *, reason: str = "", version: int | None = None, key: str = ""
    ) -> dict[str, Any]:
        """Two cases are one: reports and incidents go over, this one is closed as a duplicate. Returns the
        other one."""

        def act(change: Change, number: int) -> int:
            other = number_of(into)
            if other == number:
                raise RequestRefusedError("a case cannot be merged into itself", remedy="name another one")
            _require_open(change, number)
            _require_open(change, other)
            self.conduct.merge(change, number, other, reason)
            return other

        return self._case(name, who, version, key, ("merge", into, reason), act)

    def notify(
        self, name: str, recipient: str, who: str, *, reason: str = "", key: str = ""
    ) -> dict[str, Any]:
        """Tell somebody about a case by hand."""

        def act(change: Change, number: int) -> None:
            if recipient not in self.conduct.recipients:
                there = ", ".join(sorted(self.conduct.recipients)) or "nobody yet: [notices.recipients.NAME]"
                unknown = f"no address is set up for {recipient[:80]!r}"
                raise NotFoundError(unknown, remedy=f"there is {there}")
            why = f"by hand: {reason}" if reason else "by hand"
            put_out(change, get_summary(change.db, number), recipient, why, known=True)

        return self._case(name, who, None, key, ("notify", recipient, reason), act)

    def link_what_if(self, name: str, what_if: str, title: str, who: str, *, key: str = "") -> dict[str, Any]:
        """A what-if was asked about a case. Where the procedure proposed one, that is decided."""

        def act(change: Change, number: int) -> None:
            get_row(change, number)
            if change.one("SELECT 1 FROM what_if WHERE case_number = ? AND id = ?", number, what_if):
                return
            change.run(
                "INSERT INTO what_if (case_number, id, title, by, at_s) VALUES (?, ?, ?, ?, ?)",
                number, what_if, title, change.actor, change.now_s,
            )  # fmt: skip
            change.run(
                "UPDATE step SET state = 'done', by = ?, at_s = ?"
                " WHERE case_number = ? AND id = ? AND state = 'open'",
                change.actor, change.now_s, number, f"{PROPOSAL}what_if",
            )  # fmt: skip
            change.event(number, "what-if", {"what_if": what_if, "title": title})

        return self._case(name, who, None, key, ("what-if", what_if, title), act)

    def look(self, name: str, who: str, reason: str) -> None:
        """Somebody looks at the evidence: that stands in the record before they see it."""
        with self.store.change(who) as change:
            number = number_of(name)
            get_row(change, number)
            change.event(number, "evidence-seen", {"reason": reason})

    def report(
        self, reporter: ReporterKind, kind: IncidentKind, place: Place, who: str, *, report_id: str,
        source: str = "", text: str = "", happened_s: float | None = None, key: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Somebody says something. It is kept as it came and belongs to the case it matches, or to a new one.
        happened_s: unix seconds. Returns {"report", "case", "new_case"}."""

        def act(change: Change) -> Any:
            began_s = happened_s if happened_s is not None else change.now_s
            number = find_case(change.db, kind, place, REPORT_REACH_M, began_s=began_s, session="")
            new = number is None
            belief = CONFIDENCE_OF[reporter]
            if number is None:
                number = self.conduct.open(
                    change, kind, place, belief, why=f"report of {reporter}", onset_s=began_s, enter=False
                )
            change.run(
                "INSERT INTO report (id, case_number, reporter, source, kind, place, received_s, happened_s,"
                " text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                report_id, number, reporter, source, kind, msgspec.json.encode(place).decode(), change.now_s,
                happened_s, text[:MAX_TEXT],
            )  # fmt: skip
            change.event(number, "report", {"report": report_id, "reporter": reporter, "kind": kind})
            row = get_row(change, number)
            change.run(
                "UPDATE case_file SET confidence = max(confidence, ?) WHERE number = ?", belief, number
            )
            if new:
                self.conduct.enter(change, number)
            elif belief >= TRUSTED and says_more(kind, IncidentKind(row["kind"])):
                self.conduct.change_kind(change, number, kind, f"report of {reporter}")
            row = get_row(change, number)
            self.conduct.raise_urgency(
                change,
                number,
                self.conduct.urgency_of(IncidentKind(row["kind"]), facts_of(change, row)),
                "report",
            )
            self.conduct.touch(change, number)
            found = change.one("SELECT * FROM report WHERE id = ?", report_id)
            assert found is not None
            return {"report": statement(found), "case": case_id(number), "new_case": new}

        return self._once(who, key, ("report", reporter, kind, place, source, text, happened_s), act)

    # -- sensors and time

    def take(self, incidents: Iterable[Incident], now_s: float, session: str = "") -> None:
        """What sensors say now: incidents that began, changed or ended, at platform second now_s."""
        with self.store.change() as change:
            for incident in incidents:
                self._sensed.take(change, incident, now_s, change.now_s, session)

    def take_in(self, change: Change, incident: Incident, now_s: float, at_s: float, session: str) -> None:
        """The same inside a transaction; at_s: when it was said, unix seconds."""
        self._sensed.take(change, incident, now_s, at_s, session)

    def end_session(self, session: str) -> int:
        """What other sessions saw and this one does not will never be told over: cases say so and go on."""
        with self.store.change() as change:
            return self._sensed.end_others(change, session)

    def due(self) -> int:
        """Fire what has become due; returns how many. A deadline that fails stands in no other's way."""
        fired = 0
        for _ in range(TIMERS_AT_ONCE):
            with self.store.change() as change:
                timer = change.one(
                    "SELECT * FROM timer WHERE due_s <= ? ORDER BY due_s, number LIMIT 1", change.now_s
                )
                if timer is not None:
                    self._fire(change, timer)
            if timer is None:
                break
            fired += 1
        if self.store.db.execute(
            "SELECT 1 FROM alarm WHERE shelved_until_s <= ?", (self.store.clock(),)
        ).fetchone():
            with self.store.change() as change:
                alarms.expire_shelves(change)
        return fired

    # -- parts

    def _fire(self, change: Change, timer: sqlite3.Row) -> None:
        change.run("SAVEPOINT timer")
        entries = len(change.entries)
        try:
            self.conduct.fire(change, timer)
        except (RequestRefusedError, NotFoundError, ValueError) as error:
            change.run("ROLLBACK TO timer")
            del change.entries[entries:]
            change.run("DELETE FROM timer WHERE number = ?", timer["number"])
            change.event(
                timer["case_number"], "timer-failed", {"ref": timer["ref"], "error": str(error)[:300]}
            )
        change.run("RELEASE timer")

    def _case(
        self, name: str, who: str, version: int | None, key: str, what: tuple[object, ...],
        act: Callable[[Change, int], int | None],
    ) -> dict[str, Any]:  # fmt: skip
        """Change one case; the summary of it, or of the case whose number `act` returns."""

        def run(change: Change) -> Any:
            number = number_of(name)
            row = get_row(change, number)
            if version is not None and version != row["version"]:
                raise RequestRefusedError(
                    f"{name} has changed since (version {row['version']}, not {version})",
                    remedy="look at it again, then decide",
                )
            before = row["version"]
            shown = act(change, number) or number
            if get_row(change, number)["version"] == before:
                self.conduct.touch(change, number)
            return get_summary(change.db, shown)

        return self._once(who, key, (name, *what), run)

    def _once(
        self, who: str, key: str, what: tuple[object, ...], act: Callable[[Change], Any]
    ) -> dict[str, Any]:
        digest = hashlib.sha256(msgspec.json.encode((who, *what))).hexdigest()
        with self.store.change(who) as change:
            known = change.one("SELECT * FROM command WHERE key = ?", f"{who}/{key}") if key else None
            if known is not None:
                if known["digest"] != digest:
                    raise RequestRefusedError("this key was used for something else", remedy="make a new key")
                return dict(msgspec.json.decode(known["reply"]))
            reply = msgspec.json.encode(act(change))
            if key:
                change.run(
                    "INSERT INTO command (key, digest, reply, at_s) VALUES (?, ?, ?, ?)",
                    f"{who}/{key}", digest, reply.decode(), change.now_s,
                )  # fmt: skip
        return dict(msgspec.json.decode(reply))


def _require_open(change: Change, number: int) -> sqlite3.Row:
    row = get_row(change, number)
    if row["closed_s"] is not None:
        raise RequestRefusedError(f"{case_id(number)} is closed", remedy="reopen it first")
    return row


__all__ = ["CONFIDENCE_OF", "SYSTEM", "CaseDesk"]
