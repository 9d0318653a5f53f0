"""`ProcessHost`: a brain in a child process, asked and heard without waiting for it (20 ms at most).

A call over its budget is counted; its advice is still used while it is younger than LATE_S. A brain that is
silent for max(3 budgets, 1 s), ends, or sends what no message allows is killed and started again with
back-off. Wall-clock times throughout: this is for live cities.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.snapshot_wire import pack_snapshot
from civicbrain.contracts.wire import BrainHealth
from civicbrain.runtime.brain_messages import (
    AFRESH,
    MAX_MESSAGE_BYTES,
    SNAPSHOT,
    Answered,
    Failed,
    Message,
    Ready,
    decode,
)
from civicbrain.runtime.health import Answer, Backoff, Record, next_due_s

LATE_S = 2.0
"""Advice that took longer than this is about a street that is no more."""

START_TIMEOUT_S = 180.0
"""Loading the city, imports and compilation: with nothing compiled yet, on a machine that others use as well,
60 s were not enough, and a brain that was killed begins again."""

PATIENCE_S = 0.02
"""How long a step that has just asked waits for a quick answer: what a slow brain costs the loop at most."""

MEMORY_MB = 4096

_log = logging.getLogger("civicbrain.runtime.hosts")


class ProcessHost:
    """Runs the brain of room `name` for the city in `city_folder`. Starts at once, in the background.

    memory_mb: data the child may hold (RLIMIT_DATA). clock: monotonic seconds.
    """

    def __init__(
        self,
        name: str,
        city_folder: Path,
        *,
        seed: int = 0,
        options: Mapping[str, object] | None = None,
        memory_mb: int = MEMORY_MB,
        start_timeout_s: float = START_TIMEOUT_S,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.enabled = True
        self.record = Record()
        self.late = 0  # answers thrown away because they were too old
        self._folder = city_folder
        self._seed = seed
        self._options = dict(options or {})
        self._memory_mb = memory_mb
        self._start_timeout_s = start_timeout_s
        self._patience_s = patience_s
        self._clock = clock
        self._backoff = Backoff()
        self._child: _Child | None = None
        self._ready: Ready | None = None
        self._asked_at: float | None = None  # clock time of the question that is open
        self._afresh = False
        self._due_s: float | None = None
        self._closed = False
        self._start()

    @property
    def pid(self) -> int | None:
        """Process id of the child, None while there is none."""
        return self._child.process.pid if self._child is not None else None

    @property
    def is_asked(self) -> bool:
        """A snapshot has been given to the brain and its answer not collected yet."""
        return self._ready is not None and self._asked_at is not None

    @property
    def has_news(self) -> bool:
        """The next `step` has something to collect: an answer, or why there is none."""
        return self._child is not None and not self._child.inbox.empty()

    def step(self, now_s: float, snapshot: Callable[[], Snapshot]) -> Answer | None:
        if self._closed:
            return None
        clock_s = self._clock()
        if self._child is None:
            if not self._backoff.waiting(clock_s):
                self._start()
            return None
        answer = self._collect(now_s, wait_s=0.0)
        self._watch(clock_s)
        if self._ask(now_s, clock_s, snapshot):  # a quick brain's advice need not wait for the next tick
            answer = self._collect(now_s, wait_s=self._patience_s) or answer
        return answer if self.enabled else None

    def health(self, now_s: float) -> BrainHealth:
        del now_s  # wall clock, as everything here
        clock_s = self._clock()
        if not self.enabled:
            state = "off"
        elif self._child is None:
            state = "backing-off"
        else:
            state = "starting" if self._ready is None else "running"
        cadence_s, budget_s = (self._ready.cadence_s, self._ready.budget_s) if self._ready else (0.0, 0.0)
        retry_in_s = self._backoff.until_s - clock_s if self._child is None else 0.0
        return self.record.health(self.name, state, cadence_s, budget_s, retry_in_s)

    def reset(self) -> None:
        self._due_s = None
        self._afresh = self._child is not None and self._ready is not None

    def close(self) -> None:
        self._closed = True
        if self._child is not None:
            self._child.kill()
            self._child = None

    # -- steps

    def _start(self) -> None:
        self._ready = None
        self._asked_at = self._clock()  # the open question is: are you ready?
        self._afresh = False
        try:
            self._child = _Child(self._command, self._clock)
        except OSError as error:
            self._fail(f"cannot be started: {error}")

    def _command(self, fd: int) -> list[str]:
        return [
            sys.executable, "-m", "civicbrain.runtime.brain_process", "--fd", str(fd), "--room", self.name,
            "--city", str(self._folder), "--seed", str(self._seed), "--options", json.dumps(self._options),
            "--memory-mb", str(self._memory_mb), "--parent", str(os.getpid()),
        ]  # fmt: skip

    def _collect(self, now_s: float, wait_s: float) -> Answer | None:
        """Take what the child said since the last step, or says within wait_s."""
        assert self._child is not None
        try:
            said, said_at = self._child.inbox.get(block=wait_s > 0.0, timeout=wait_s or None)
        except queue.Empty:
            return None
        if isinstance(said, str):
            self._fail(said)
            return None
        asked_at = said_at if self._asked_at is None else self._asked_at
        took_s, age_s = said_at - asked_at, self._clock() - asked_at
        self._asked_at = None
        match said:
            case Ready():
                if said.name != self.name or not (said.cadence_s > 0 and said.budget_s > 0):
                    self._fail(f"has a wrong name, cadence or budget: {said}")
                else:
                    self._ready = said
            case Failed():
                self._fail(said.error)
            case Answered():
                self.record.ran(now_s, took_s * 1000.0, self._budget_s)
                if age_s < LATE_S and not self._afresh:
                    return Answer(said.advice(), took_s * 1000.0)
                self.late += 1
        return None

    def _watch(self, clock_s: float) -> None:
        """Kill a child that has been silent for too long."""
        if self._child is None or self._asked_at is None:
            return
        starting = self._ready is None
        allowed_s = self._start_timeout_s if starting else max(3.0 * self._budget_s, 1.0)
        if clock_s - self._asked_at > allowed_s:
            what = "was not ready" if starting else "did not answer"
            self._fail(f"{what} within {allowed_s:g} s; killed")

    def _ask(self, now_s: float, clock_s: float, snapshot: Callable[[], Snapshot]) -> bool:
        """Ask when it is due and nothing is open; True when a snapshot went out."""
        if self._child is None or self._ready is None or self._asked_at is not None or not self.enabled:
            return False
        if self._afresh:
            self._afresh = False
            self._asked_at = clock_s
            self._child.outbox.put(AFRESH)
        elif self._due_s is None or now_s >= self._due_s - 1e-6:
            self._due_s = next_due_s(self._due_s, now_s, self._ready.cadence_s)
            self._asked_at = clock_s
            self._child.outbox.put(SNAPSHOT + pack_snapshot(snapshot()))
            return True
        return False

    @property
    def _budget_s(self) -> float:
        return self._ready.budget_s if self._ready is not None else 0.0

    def _fail(self, reason: str) -> None:
        self.record.failed(reason)
        if self._child is not None:
            self._child.kill()
        self._child = None
        self._ready = None
        self._asked_at = None
        clock_s = self._clock()
        delay_s = self._backoff.failed(clock_s) - clock_s
        _log.warning("brain %s failed (%s); started again in %g s", self.name, reason, delay_s)


class _Child:
    """The process, its socket, and the thread that does the waiting. inbox: (message, clock time), or a text
    that says why there will be no more."""

    def __init__(self, command: Callable[[int], list[str]], clock: Callable[[], float]) -> None:
        self._clock = clock
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                command(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is the parent's to handle; its children die with it
            )
        self._pipe = Connection(ours.detach())
        self.outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.inbox: queue.SimpleQueue[tuple[Message | str, float]] = queue.SimpleQueue()
        threading.Thread(target=self._talk, name=f"brain-{self.process.pid}", daemon=True).start()

    def kill(self) -> None:
        """End it and whatever it started; the thread follows."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.outbox.put(None)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1.0)

    def _say(self, what: Message | str) -> None:
        self.inbox.put((what, self._clock()))

    def _talk(self) -> None:
        try:
            while True:
                data = self._pipe.recv_bytes(MAX_MESSAGE_BYTES)
                self._say(decode(data))
                question = self.outbox.get()
                if question is None:
                    return
                self._pipe.send_bytes(question)
        except (EOFError, ConnectionError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1.0)
            self._say(f"its process ended (exit status {self.process.returncode})")
        except Exception as error:  # too long, or nothing we can decode
            self._say(f"sent what no message allows: {type(error).__name__}: {error}")
        finally:
            self._pipe.close()
