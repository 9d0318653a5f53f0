"""The cases process: takes incidents and alerts, keeps cases, alarms and notices, answers the API.

    python -m civicbrain.runtime.cases.server --city DIR --run-dir DIR [--config FILE]

This thread alone writes; one answers what only reads; a few hand over notices. It may be killed at any time:
the brain process keeps what it has not taken, and everything else stands in its file.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import structlog
import zmq

from civicbrain.city.cases import Urgency
from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.contracts.transport import (
    CASES_CMD,
    CASES_IN,
    CASES_PUB,
    answer,
    decode,
    encode,
    open_publisher,
    open_responder,
    publish,
    receive,
)
from civicbrain.contracts.wire import BrainCommand, Reply
from civicbrain.core.errors import CasesError
from civicbrain.core.sentences import say
from civicbrain.runtime.cases.alarms import clear_alarm, end_session, raise_alarm
from civicbrain.runtime.cases.answers import Answers
from civicbrain.runtime.cases.commands import Changes
from civicbrain.runtime.cases.conduct import Conduct
from civicbrain.runtime.cases.delivery import Deliverer
from civicbrain.runtime.cases.desk import CaseDesk
from civicbrain.runtime.cases.intake import take_delivery
from civicbrain.runtime.cases.procedures import load_procedures
from civicbrain.runtime.cases.reporters import load_reporters
from civicbrain.runtime.cases.retention import forget
from civicbrain.runtime.cases.status import status_of
from civicbrain.runtime.cases.store import FILE, FOLDER, CaseStore, open_reader
from civicbrain.runtime.cases.wire import REPORT_TOPIC, STATUS_TOPIC, Delivery, Taken
from civicbrain.runtime.configuration import RunConfiguration, load_configuration
from civicbrain.runtime.rundir import LEDGER_FILE
from civicbrain.runtime.serving import serve_until_stopped

NOT_SAID_AGAIN = say("not-said-again", "Not seen again since central control was restarted.")
STATUS_EVERY_S, CHANGED_AFTER_S = 1.0, 0.25
"""A change is told at once, but not more often than this; the rest each second."""

TIMERS_EVERY_S = 0.5
FORGET_EVERY_S = 600.0
POLL_MS = 250
SETTLED_AFTER_S = 90.0
"""What a new life of the brain process has not said again for so long is over: alerts are closed after 60 s
without a word, incidents are said each minute."""

BRAIN_SILENT_AFTER_S, BRAIN_STARTS_WITHIN_S = 10.0, 120.0
"""The brain process says each second that it is there; a large city takes long to load."""

BRAIN_SILENT = "brain-silent"
MOST_WAITING = 64

_log = structlog.get_logger("civicbrain.runtime.cases")


class CasesServer:
    """One city's cases. `serve` runs until `stop`. Raises CasesError, ConfigurationError."""

    def __init__(self, city: City, run_dir: Path, configuration: RunConfiguration) -> None:
        table = configuration.cases
        folder = run_dir / FOLDER
        procedures = load_procedures(city.folder)
        self.store = CaseStore(folder)
        self.desk = CaseDesk(self.store, Conduct(procedures, configuration.notices.recipients))
        reporters = load_reporters(table.reporters_file, table.reports_per_min)
        self._changes = Changes(
            self.desk, reporters, lambda report: publish(self._publisher, REPORT_TOPIC, report), table.keep_s
        )
        self._keep_s = table.keep_s
        self._answers = Answers(
            open_reader(folder / FILE), procedures, run_dir / LEDGER_FILE, configuration.notices.recipients
        )
        self._input = open_responder(run_dir, CASES_IN)
        self._responder = open_responder(run_dir, CASES_CMD)
        self._publisher = open_publisher(run_dir, CASES_PUB)
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)
        self.deliverer = Deliverer(self.store, configuration.notices, self.wake)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answers")
        self._waiting: list[tuple[list[bytes], Future[Reply]]] = []
        self._session, self._session_since, self._settled = "", 0.0, True
        self._words, self._error = 0, ""
        self._heard = (time.monotonic(), self.store.clock())  # the brain process, or else the start
        self._brain_silent: bool | None = None  # None: it may have been when this process died
        self._stopping = False

    def serve(self) -> None:
        """Take, keep, deliver and answer until told to stop."""
        poller = zmq.Poller()
        for one in (self._input, self._responder, self._woken):
            poller.register(one, zmq.POLLIN)
        said_at = timers_at = forgot_at = 0.0
        said = -1
        while not self._stopping:
            poller.poll(POLL_MS)
            self._hear_wakes()
            self._guarded(self._take)
            self._answer()
            now = time.monotonic()
            if now - timers_at >= TIMERS_EVERY_S:
                timers_at = now
                self._guarded(self._on_time)
            self._tell_settled()
            self._guarded(self.deliverer.step)
            if now - forgot_at >= FORGET_EVERY_S:
                forgot_at = now
                self._guarded(lambda: forget(self.store, self._keep_s))
            changed = said != self.store.changes
            if now - said_at >= (CHANGED_AFTER_S if changed else STATUS_EVERY_S):
                said_at, said = now, self.store.changes
                status = status_of(self.store.db, self._words, self._error, said)
                publish(self._publisher, STATUS_TOPIC, status)

    def stop(self) -> None:
        self._stopping = True
        self.wake()

    def wake(self) -> None:
        """Have the serving thread look; from any thread."""
        with contextlib.suppress(OSError):  # it is awake already, or has ended
            self._wake.send(b"!")

    def close(self) -> None:
        self.deliverer.close()
        self._worker.shutdown(wait=True, cancel_futures=True)
        for one in (self._input, self._responder, self._publisher):
            one.close()
        self._wake.close()
        self._woken.close()
        self.store.close()

    # -- steps

    def _guarded(self, step: Callable[[], object]) -> None:
        """A disk that is full or broken is told and tried again; it ends nothing."""
        try:
            step()
            if self._error:
                _log.info("it is written again")
                self._error = ""
        except CasesError as error:
            if not self._error:
                _log.error("nothing can be written", reason=error.message)
            self._error = error.message

    def _take(self) -> None:
        for frames in receive(self._input):
            try:
                delivery = decode(Delivery, frames[-1])
            except ValueError as error:
                _log.warning("a delivery was dropped", reason=str(error))
                continue
            self.store.platform_s = delivery.time_s
            self._heard = (time.monotonic(), self.store.clock())
            if delivery.session != self._session:
                self._session, self._session_since, self._settled = delivery.session, time.monotonic(), False
            newest, count = take_delivery(self.desk, delivery)
            self._words += count
            self._answers.lost = delivery.lost
            self._input.send_multipart([*frames[:-1], encode(Taken(delivery.sender, newest))], zmq.NOBLOCK)

    def _tell_settled(self) -> None:
        """Said once: a brain process that does not hear it has forgotten the reports, too, or drops what only
        they tell of a quarter of an hour after the last."""
        settled, self.store.settled = self.store.settled, []
        for report in settled:
            publish(self._publisher, REPORT_TOPIC, report)

    def _on_time(self) -> None:
        self.desk.due()
        self._watch_brain()
        if not self._settled and time.monotonic() - self._session_since > SETTLED_AFTER_S:
            self.desk.end_session(self._session)
            with self.store.change() as change:
                sender = self._session.rpartition(".")[0]
                end_session(change, (self._session, sender), NOT_SAID_AGAIN)
            self._settled = True

    def _watch_brain(self) -> None:
        """A silent brain process is an alarm, from when it was last heard to when it is heard again."""
        allowed_s = BRAIN_SILENT_AFTER_S if self._session else BRAIN_STARTS_WITHIN_S
        silent = time.monotonic() - self._heard[0] > allowed_s
        if silent == self._brain_silent or (self._brain_silent is None and not silent and not self._session):
            return
        with self.store.change() as change:
            if silent:
                title = say("brain-silent", "Central control does not answer")
                detail = say("local-plans", "Signals run their local plans; incidents are not detected.")
                raise_alarm(change, "runtime", BRAIN_SILENT, Urgency.HIGH, title, detail, at_s=self._heard[1])
            else:
                clear_alarm(
                    change,
                    "runtime",
                    BRAIN_SILENT,
                    self._heard[1],
                    say("brain-speaks", "Central control answers again."),
                )
        self._brain_silent = silent

    def _answer(self) -> None:
        for frames in receive(self._responder):
            try:
                command = decode(BrainCommand, frames[-1])
            except ValueError as error:
                reply = Reply(False, error=f"not a command: {error}", kind="invalid")
                answer(self._responder, frames, reply)
                continue
            if self._changes.knows(command.action):
                answer(self._responder, frames, self._change(command))
            elif len(self._waiting) >= MOST_WAITING:
                busy = "too many questions wait for the cases; try again"
                answer(self._responder, frames, Reply(False, error=busy, kind="unavailable"))
            else:
                task = self._worker.submit(self._answers.answer, command)
                task.add_done_callback(lambda _: self.wake())
                self._waiting.append((frames, task))
        for frames, task in [entry for entry in self._waiting if entry[1].done()]:
            self._waiting.remove((frames, task))
            answer(self._responder, frames, _result(task))

    def _change(self, command: BrainCommand) -> Reply:
        try:
            return self._changes.answer(command)
        except Exception:
            _log.exception("a command failed", action=command.action)
            return Reply(False, error="the command failed; cases.log says why", kind="unavailable")

    def _hear_wakes(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)


def _result(task: Future[Reply]) -> Reply:
    try:
        return task.result()
    except Exception:
        _log.exception("a question failed")
        return Reply(False, error="the question failed; cases.log says why", kind="unavailable")


def main() -> None:
    parser = argparse.ArgumentParser(description="keep a city's cases as a process")
    parser.add_argument("--city", type=Path, required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    options = parser.parse_args()
    configuration = load_configuration(options.config) if options.config else RunConfiguration()
    serve_until_stopped(CasesServer(load_city(options.city), options.run_dir, configuration))


if __name__ == "__main__":
    main()
