"""What the API asks of the cases process, and the replies. `BrainCommand` carries it: actor, text (an id),
body.

Changes (in the thread that writes): "open", "move", "assign", "hand-over", "urgency", "note", "step",
"merge", "notify", "what-if", "evidence", "report", "acknowledge", "shelve", "unshelve", "clear",
"notice-again", "sign-shift", "take-shift". Reads (in another thread): "cases", "case", "procedures",
"recipients", "alarms", "alarm", "notices", "reports", "handover", "signatures", "signature", "quality"."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from civicbrain.city.alarms import AlarmsChanged
from civicbrain.city.cases import CaseState, Outcome, StepState, Urgency
from civicbrain.city.incidents import IncidentKind, IncidentReport, Place, ReporterKind
from civicbrain.city.shifts import Signature
from civicbrain.contracts.wire import BrainCommand, Reply
from civicbrain.core.errors import (
    CivicBrainError,
    ConfigurationError,
    NotFoundError,
    RequestRefusedError,
)
from civicbrain.runtime.cases import alarms, outbox, signing
from civicbrain.runtime.cases.desk import CaseDesk
from civicbrain.runtime.cases.reporters import Reporters
from civicbrain.runtime.cases.rows import get_evidence, number_of
from civicbrain.runtime.cases.store import Change

KINDS = {NotFoundError: "not-found", ConfigurationError: "invalid", RequestRefusedError: "refused"}


class _Order(msgspec.Struct, frozen=True, kw_only=True):
    """Every key that a body may have; each action looks at its own."""

    kind: IncidentKind = IncidentKind.CRASH
    place: Place = Place(0.0, 0.0)
    note: str = ""
    urgency: Urgency | None = None
    to: str = ""
    state: str = ""
    outcome: Outcome | None = None
    assigned_to: str | None = None
    version: int | None = None
    key: str = ""
    step: str = ""
    into: str = ""
    recipient: str = ""
    text: str = ""
    record: str = ""
    reporter: ReporterKind | None = None
    source: str = ""
    happened_s: float | None = None
    bearer: str = ""
    alarms: list[int] = []
    group: str = ""
    for_s: float = 0.0
    what_if: str = ""
    title: str = ""
    since_s: float = 0.0
    until_s: float = 0.0


class Changes:
    """Answers what changes something. tell: called with each new report, for the brain. keep_s: how long
    evidence is kept after a case's end."""

    def __init__(
        self, desk: CaseDesk, reporters: Reporters, tell: Callable[[IncidentReport], None], keep_s: float
    ) -> None:
        self._desk, self._reporters, self._tell, self._keep_s = desk, reporters, tell, keep_s

    def knows(self, action: str) -> bool:
        return action in self._actions()

    def answer(self, command: BrainCommand) -> Reply:
        """Never raises for what a command holds."""
        try:
            order = msgspec.convert(command.body, _Order, strict=False)
        except msgspec.ValidationError as error:
            return Reply(False, error=f"not an order: {error}", kind="invalid")
        try:
            body = self._actions()[command.action](command, order)
        except CivicBrainError as error:
            return Reply(False, error=str(error), kind=KINDS.get(type(error), "unavailable"))
        except ValueError as error:  # a state or an urgency that there is none of
            return Reply(False, error=str(error), kind="invalid")
        return body if isinstance(body, Reply) else Reply(True, body)

    def _actions(self) -> dict[str, Callable[[BrainCommand, _Order], Any]]:
        desk = self._desk
        return {
            "open": lambda c, o: desk.open(
                o.kind, o.place, c.actor, note=o.note, urgency=o.urgency, key=o.key
            ),
            "move": lambda c, o: desk.move(
                c.text, CaseState(o.to), c.actor, outcome=o.outcome, assigned_to=o.assigned_to,
                reason=c.reason, version=o.version, key=o.key,
            ),
            "assign": lambda c, o: desk.assign(
                c.text, o.to, c.actor, reason=c.reason, version=o.version, key=o.key
            ),
            "hand-over": lambda c, o: desk.hand_over(
                c.text, o.to, c.actor, reason=c.reason, version=o.version, key=o.key
            ),
            "urgency": lambda c, o: desk.set_urgency(
                c.text, Urgency(o.to), c.actor, reason=c.reason, version=o.version, key=o.key
            ),
            "note": lambda c, o: desk.note(c.text, o.text, c.actor, key=o.key),
            "step": lambda c, o: desk.step(
                c.text, o.step, StepState(o.state), c.actor, reason=c.reason, key=o.key
            ),
            "merge": lambda c, o: desk.merge(
                c.text, o.into, c.actor, reason=c.reason, version=o.version, key=o.key
            ),
            "notify": lambda c, o: desk.notify(c.text, o.recipient, c.actor, reason=c.reason, key=o.key),
            "what-if": lambda c, o: desk.link_what_if(c.text, o.what_if, o.title, c.actor, key=o.key),
            "evidence": lambda c, _: self._evidence(c),
            "report": self._report,
            "acknowledge": lambda c, o: self._alarms(c, o, alarms.acknowledge),
            "shelve": lambda c, o: self._alarms(
                c, o, lambda change, rows, why: alarms.shelve(change, rows, o.for_s, why)
            ),
            "unshelve": lambda c, o: self._alarms(c, o, alarms.unshelve),
            "clear": lambda c, o: self._alarms(c, o, alarms.clear_by_hand),
            "notice-again": lambda c, _: self._again(c),
            "sign-shift": lambda c, o: self._signed(
                c, lambda change: signing.sign(change, o.since_s, o.until_s, o.to, o.text, o.note, o.record)
            ),
            "take-shift": lambda c, _: self._signed(
                c, lambda change: signing.take(change, number_in(c.text))
            ),
        }  # fmt: skip

    def _evidence(self, command: BrainCommand) -> Any:
        self._desk.look(command.text, command.actor, command.reason)
        return get_evidence(self._desk.store.db, number_of(command.text), self._keep_s)

    def _report(self, command: BrainCommand, order: _Order) -> Any:
        who, role = command.actor, order.reporter
        if order.bearer:
            found = self._reporters.find(order.bearer)
            if found is None:
                return Reply(False, error="this key belongs to nobody who may report", kind="unauthenticated")
            if role not in (None, found[1]):
                return Reply(False, error=f"this key reports as {found[1]}, not as {role}", kind="forbidden")
            who, role = f"{found[1]}:{found[0]}", found[1]
        wait_s = self._reporters.wait_s(who)
        if wait_s > 0:
            return Reply(False, error=f"too many reports; try again in {wait_s:.0f} s", kind="limited")
        reply = self._desk.report(
            role or ReporterKind.CITIZEN, order.kind, order.place, who,
            report_id=f"report-{uuid.uuid4().hex[:16]}", source=order.source, text=order.text,
            happened_s=order.happened_s, key=order.key,
        )  # fmt: skip
        said = reply["report"]
        now_s = self._desk.store.clock()
        self._tell(
            IncidentReport(
                said["id"], ReporterKind(said["reporter"]), who, order.kind, order.place, now_s, "",
                order.happened_s if order.happened_s is not None else -1.0,
            )
        )  # fmt: skip
        return reply

    def _alarms(
        self, command: BrainCommand, order: _Order, act: Callable[[Change, list[int], str], int]
    ) -> AlarmsChanged:
        with self._desk.store.change(command.actor) as change:
            numbers = list(order.alarms)
            if order.group:
                numbers += alarms.numbers_of_group(change.db, order.group)
            return AlarmsChanged(act(change, numbers, command.reason))

    def _signed(self, command: BrainCommand, act: Callable[[Change], Signature]) -> Signature:
        with self._desk.store.change(command.actor) as change:
            return act(change)

    def _again(self, command: BrainCommand) -> Any:
        number = int(command.text) if command.text.isascii() and command.text.isdigit() else 0
        with self._desk.store.change(command.actor) as change:
            outbox.send_again(change, number, command.reason, set(self._desk.conduct.recipients))
            return outbox.notice_view(_row(change.db, number))


def number_in(text: str) -> int:
    """0, which nothing has, for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0


def _row(db: sqlite3.Connection, number: int) -> sqlite3.Row:
    row: sqlite3.Row = db.execute("SELECT * FROM notice WHERE number = ?", (number,)).fetchone()
    return row
