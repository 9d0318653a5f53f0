"""The brain process's end of POST /v1/observations."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import zmq

from civicbrain.city.intake import Intake, Keys, Receipt, Sources
from civicbrain.contracts.feed import Datum
from civicbrain.contracts.transport import INTAKE_CMD, open_responder, receive
from civicbrain.core.errors import ConfigurationError

CADENCE_S = 0.1
STALE_AFTER_S = 10.0
QUEUE_MESSAGES = 64
"""Held for each client, 1 MB each at most. Beyond it the API says 503 to the sender, who tries again."""

LONGEST_POLL_S = 0.02
"""So long messages are taken in one go; what comes meanwhile waits, so that a flood never holds the loop."""

_encode = msgspec.msgpack.Encoder().encode


class HttpFeed:
    """The Feed protocol over a ROUTER socket. Given an intake it puts everything into that, and whoever owns
    it takes it out; without one it has its own."""

    name = "http"
    cadence_s = CADENCE_S
    stale_after_s = STALE_AFTER_S

    def __init__(self, run_dir: Path, intake: Intake, *, shared: bool) -> None:
        self._socket = open_responder(run_dir, INTAKE_CMD, QUEUE_MESSAGES)
        self._intake = intake
        self._shared = shared

    @property
    def socket(self) -> zmq.Socket[bytes]:
        """For a poller that waits on several sources."""
        return self._socket

    def poll(self, now_s: float) -> list[Datum]:
        """Offer what lies ready to the intake and answer each message; never waits."""
        end = time.monotonic() + LONGEST_POLL_S
        for frames in receive(self._socket):
            if len(frames) >= 4:  # [identity, "", key, body]; else nothing of ours
                *envelope, key, body = frames
                receipt = self._intake.offer(body, now_s, key=key.decode("utf-8", "replace"))
                self._answer(envelope, receipt)
            if time.monotonic() >= end:
                break
        return [] if self._shared else [*self._intake.take(now_s)]

    def _answer(self, envelope: list[bytes], receipt: Receipt) -> None:
        with contextlib.suppress(zmq.ZMQError):  # it has gone
            self._socket.send_multipart([*envelope, _encode(receipt)], flags=zmq.NOBLOCK)

    def close(self) -> None:
        self._socket.close()


def create(context: Any) -> HttpFeed:
    """Entry point of the room. context.options: run_dir, and intake where the runtime has one."""
    options: Mapping[str, Any] = context.options
    if "run_dir" not in options:
        raise ConfigurationError(
            "feed http needs run_dir", place="feeds.http", remedy="set run_dir to a folder"
        )
    intake = options.get("intake")
    made = intake or Intake(Sources(context.city), Keys())
    return HttpFeed(Path(str(options["run_dir"])), made, shared=intake is not None)
