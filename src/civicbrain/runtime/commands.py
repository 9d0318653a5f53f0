"""The commands of the API and the replies to them (`contracts/wire.py` says what each returns).

Every command that changes something is in the ledger, with who asked and why, before it is carried out; only
giving the street back to its own plan goes ahead without a record.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from civicbrain.city.intake import (
    SourcePage,
    SourceStatus,
    get_source_status,
    list_source_statuses,
)
from civicbrain.contracts.transport import answer, decode
from civicbrain.contracts.wire import BrainCommand, Reply, TwinCommand
from civicbrain.core.errors import (
    CivicBrainError,
    ConfigurationError,
    NotFoundError,
    RequestRefusedError,
)
from civicbrain.ledger import LedgerReader, VerifyReport
from civicbrain.runtime.junctions import JUNCTION_ACTIONS
from civicbrain.runtime.missions import MISSION_ACTIONS
from civicbrain.runtime.transit import TRANSIT_ACTIONS

if TYPE_CHECKING:
    from civicbrain.runtime.server import BrainServer

TWIN_TIMEOUT_S = 1.0
FASTEST_SPEED = 100.0
MAX_TEXT = 1000
MAX_DECISION_KEYS = 12

_log = structlog.get_logger("civicbrain.runtime")


class Commands:
    """Answers on `server.responder`. Call `deliver` often: it sends what took longer."""

    def __init__(self, server: BrainServer) -> None:
        self._server = server
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._verifying: Future[VerifyReport] | None = None
        self._waiting: list[list[bytes]] = []

    def take(self, frames: list[bytes]) -> None:
        """Answer one command; never raises for what it holds."""
        try:
            command = decode(BrainCommand, frames[-1])
        except ValueError as error:
            self._answer(frames, Reply(ok=False, error=f"not a command: {error}", kind="invalid"))
            return
        if command.action == "verify":
            self._verify(frames)
            return
        try:
            reply = self._obey(command)
        except CivicBrainError as error:
            reply = Reply(ok=False, error=str(error), kind=_kind(error))
        except Exception:
            _log.exception("a command failed", action=command.action)
            reply = Reply(ok=False, error="the command failed; brain.log says why", kind="unavailable")
        self._answer(frames, reply)

    def deliver(self) -> None:
        """Send the report of a verification that has ended."""
        if self._verifying is None or not self._verifying.done():
            return
        try:
            reply = Reply(ok=True, body=self._verifying.result())
        except CivicBrainError as error:
            reply = Reply(ok=False, error=str(error), kind=_kind(error))
        waiting, self._waiting, self._verifying = self._waiting, [], None
        for frames in waiting:
            self._answer(frames, reply)

    def close(self) -> None:
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _answer(self, frames: list[bytes], reply: Reply) -> None:
        answer(self._server.responder, frames, reply)

    def _verify(self, frames: list[bytes]) -> None:
        """The whole chain may take seconds: read by another thread, so that the loop goes on."""
        self._waiting.append(frames)
        if self._verifying is None:
            assert self._server.ledger.path is not None
            self._verifying = self._worker.submit(_verify, self._server.ledger.path)

    def _obey(self, command: BrainCommand) -> Reply:
        server, control = self._server, self._server.control
        who, why = command.actor[:MAX_TEXT], command.reason[:MAX_TEXT]
        body: Any
        match command.action:
            case "status" | "snapshot":
                body = server.state()
            case "junction":
                body = server.junctions.detail(command.text)
            case "controls":
                body = control.available()
            case "control":
                control.select(command.text, who, why, server.time_s)
                body = control.available()
            case "brain-on" | "brain-off":
                control.switch_brain(command.text, command.action == "brain-on", who, why, server.time_s)
                body = server.loop.hosts[command.text].health(server.time_s)
            case "incidents":
                body = server.loop.store.incidents.list_now(server.time_s)[0]
            case "alerts":
                body = server.alerts[::-1][: max(0, command.limit)]
            case "ledger":
                entries = server.ledger.page(command.offset, command.limit)
                body = {"entries": entries, "count": server.ledger.count}
            case "record":
                junction = server.city.signals.get_junction(command.text)
                body = server.ledger.overrides_of(junction.id, command.limit)
            case "decision" | "what-if":
                entry = {"reason": why, **_decision(command)}
                server.ledger.append(command.action, who, entry, server.time_s)
                body = None
            case "sources" | "source":
                body = self._sources(command)
            case "twin":
                return self._pass_on(command, who, why)
            case name if name in JUNCTION_ACTIONS:
                body = server.junctions.obey(command)
            case name if name in MISSION_ACTIONS:
                body = server.missions.obey(command, server.time_s)
            case name if name in TRANSIT_ACTIONS:
                body = server.transit.obey(command, server.time_s)
            case _:
                return Reply(ok=False, error=f"there is no action {command.action[:40]!r}", kind="invalid")
        return Reply(ok=True, body=body)

    def _sources(self, command: BrainCommand) -> SourcePage | SourceStatus:
        intake, now_s = self._server.field.intake, self._server.platform_s()
        if intake is None:
            raise NotFoundError(
                "there is no entry for field cameras", remedy="set enabled = true under [intake]"
            )
        if command.action == "source":
            return get_source_status(intake, command.text, now_s)
        return list_source_statuses(intake, command.text, command.offset, command.limit, now_s)

    def _pass_on(self, command: BrainCommand, who: str, why: str) -> Reply:
        if command.text not in ("pause", "resume", "speed", "restart"):
            raise ConfigurationError(
                f"the twin does not know {command.text[:40]!r}", remedy="use pause, resume, speed or restart"
            )
        if command.text == "speed" and not 0.0 <= command.value <= FASTEST_SPEED:
            raise ConfigurationError(
                f"speed is {command.value:g}", remedy=f"use 0 (as fast as it goes) to {FASTEST_SPEED:g}"
            )
        entry: dict[str, object] = {"action": command.text, "value": command.value, "reason": why}
        self._server.ledger.append("twin", who, entry, self._server.time_s)
        return self._server.twin.ask(TwinCommand(action=command.text, value=command.value), TWIN_TIMEOUT_S)


def _decision(command: BrainCommand) -> dict[str, object]:
    """What was decided, in words and numbers only. Raises ConfigurationError."""
    body = command.body
    if not isinstance(body, dict) or len(body) > MAX_DECISION_KEYS:
        raise ConfigurationError("nothing was decided", remedy="send what the decision is about")
    plain = {str(k)[:40]: v for k, v in body.items() if isinstance(v, str | int | float | bool)}
    return {key: value[:MAX_TEXT] if isinstance(value, str) else value for key, value in plain.items()}


def _verify(path: Path) -> VerifyReport:
    with LedgerReader(path) as reader:
        return reader.verify()


def _kind(error: CivicBrainError) -> str:
    kinds = {NotFoundError: "not-found", ConfigurationError: "invalid", RequestRefusedError: "refused"}
    return kinds.get(type(error), "unavailable")
