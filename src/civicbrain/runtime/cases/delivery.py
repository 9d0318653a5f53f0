"""`Deliverer`: takes notices out of the outbox, has them handed over by a few threads, notes what became of
it.

One notice at a time to each recipient, so that one that hangs holds up nobody else and their order stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec
import structlog

from civicbrain.runtime.cases import mail, outbox, webhook
from civicbrain.runtime.cases.addresses import DeliveryError
from civicbrain.runtime.cases.recipients import NoticesTable
from civicbrain.runtime.cases.store import CaseStore

THREADS = 4

_log = structlog.get_logger("civicbrain.runtime.cases")


class Deliverer:
    """`step` belongs to the thread that writes; wake is called from others when there is something to note.
    Raises ConfigurationError for a secret that cannot be read."""

    def __init__(self, store: CaseStore, table: NoticesTable, wake: Callable[[], None]) -> None:
        self._store, self._wake = store, wake
        self._hooks, self._relay = table.hooks(), table.relay()
        self._mail = {name: one.mail for name, one in table.recipients.items() if one.mail}
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="notices")
        self._busy: dict[str, tuple[int, Future[None]]] = {}
        with store.change() as change:
            outbox.take_up(change)

    def step(self) -> None:
        """Note what was handed over, and hand over what is due. Raises CasesError where it cannot be noted:
        it is noted in a later step, or sent again."""
        for recipient, (number, task) in list(self._busy.items()):
            if task.done():
                self._note(recipient, number, task)
                del self._busy[recipient]
        while len(self._busy) < THREADS and self._any_due():
            with self._store.change() as change:
                row = outbox.next_due(change, set(self._busy))
            if row is None:
                return
            task = self._threads.submit(self._send, row["recipient"], row["key"], row["body"])
            self._busy[row["recipient"]] = (row["number"], task)
            task.add_done_callback(lambda _: self._wake())

    def close(self) -> None:
        """What is under way is not waited for: it is sent again after the next start."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _any_due(self) -> bool:
        marks = ",".join("?" * len(self._busy))
        due = "SELECT 1 FROM notice WHERE state = 'waiting' AND due_s <= ?"
        sql = f"{due} AND recipient NOT IN ({marks}) LIMIT 1"
        found = self._store.db.execute(sql, (self._store.clock(), *self._busy)).fetchone()
        return found is not None

    def _note(self, recipient: str, number: int, task: Future[None]) -> None:
        error = task.exception()
        with self._store.change() as change:
            if error is None:
                outbox.delivered(change, number)
            else:
                for_good = isinstance(error, DeliveryError) and error.for_good
                outbox.failed(change, number, str(error) or type(error).__name__, for_good=for_good)
        if error is not None:
            _log.warning("a notice was not taken", recipient=recipient, notice=number, reason=str(error))

    def _send(self, recipient: str, key: str, body: str) -> None:
        if recipient in self._hooks:
            webhook.post(self._hooks[recipient], key, body.encode(), time.time())
        elif recipient in self._mail and self._relay is not None:
            mail.send(self._relay, self._mail[recipient], key, msgspec.json.decode(body))
        else:
            raise DeliveryError(f"no address is set up for {recipient!r}", for_good=True)
