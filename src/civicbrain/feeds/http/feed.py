"""The brain process's end of POST /v1/observations: a thread that takes each message to the intake at once.

It has a thread of its own so that the loop, while it waits for a brain or a disk, holds up no sender: what is
too much then is shed by the intake's rule, not by a full socket.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import zmq

from civicbrain.city.intake import Intake, Keys, Receipt, Sources
from civicbrain.contracts.feed import Datum
from civicbrain.contracts.transport import INTAKE_CMD, open_responder
from civicbrain.core.errors import ConfigurationError

CADENCE_S = 0.1
STALE_AFTER_S = 10.0
QUEUE_MESSAGES = 64
"""Held for each client, 1 MB each at most. Beyond it the API says 503 to the sender, who tries again."""

LONGEST_STEP_S = 1.0
"""Platform time is carried on between polls, this far at most: the platform may be paused."""

_STOP_LOOK_MS = 100

_encode = msgspec.msgpack.Encoder().encode


class HttpFeed:
    """The Feed protocol over a ROUTER socket. Given an intake it puts everything into that, and whoever owns
    it takes it out; without one it has its own. clock: monotonic wall seconds.

    messages: how many have come.
    """

    name = "http"
    cadence_s = CADENCE_S
    stale_after_s = STALE_AFTER_S

    def __init__(
        self,
        run_dir: Path,
        intake: Intake,
        *,
        shared: bool,
        now_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """now_s: platform second at the start. Raises ServiceError where the socket cannot be had."""
        self.messages = 0
        self._intake, self._shared, self._clock = intake, shared, clock
        self._now = (now_s, clock())
        self._stopping = threading.Event()
        self._socket = open_responder(run_dir, INTAKE_CMD, QUEUE_MESSAGES)
        self._thread = threading.Thread(target=self._serve, name="feed-http", daemon=True)
        self._thread.start()

    def poll(self, now_s: float) -> list[Datum]:
        """What came is in the intake already; never waits."""
        self._now = (now_s, self._clock())
        return [] if self._shared else [*self._intake.take(now_s)]

    def close(self) -> None:
        self._stopping.set()
        self._thread.join(3.0)

    # -- the thread; the socket is its own

    def _serve(self) -> None:
        try:
            while not self._stopping.is_set():
                if self._socket.poll(_STOP_LOOK_MS):
                    self._take(self._socket.recv_multipart())
        finally:
            self._socket.close()

    def _take(self, frames: list[bytes]) -> None:
        self.messages += 1
        if len(frames) < 4:  # no [identity, "", key, body]: nothing of ours
            return
        *envelope, key, body = frames
        polled_s, polled_at = self._now
        now_s = polled_s + min(self._clock() - polled_at, LONGEST_STEP_S)
        receipt = self._intake.offer(body, now_s, key=key.decode("utf-8", "replace"))
        self._answer(envelope, receipt)

    def _answer(self, envelope: list[bytes], receipt: Receipt) -> None:
        with contextlib.suppress(zmq.ZMQError):  # it has gone
            self._socket.send_multipart([*envelope, _encode(receipt)], flags=zmq.NOBLOCK)


def create(context: Any) -> HttpFeed:
    """Entry point of the room. context.options: run_dir, and intake where the runtime has one."""
    options: Mapping[str, Any] = context.options
    if "run_dir" not in options:
        raise ConfigurationError(
            "feed http needs run_dir", place="feeds.http", remedy="set run_dir to a folder"
        )
    intake = options.get("intake")
    made = intake or Intake(Sources(context.city), Keys())
    begin_s = context.city.demand.begin_s
    return HttpFeed(Path(str(options["run_dir"])), made, shared=intake is not None, now_s=begin_s)
