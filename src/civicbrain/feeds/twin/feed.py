"""What the twin publishes, as data of the platform."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog
import zmq

from civicbrain.contracts.feed import Datum
from civicbrain.contracts.transport import RECORD_OF_TOPIC, TWIN_PUB, decode, open_subscriber, receive
from civicbrain.contracts.wire import STATUS_TOPIC, TwinStatus
from civicbrain.core.errors import ConfigurationError, ServiceError

STALE_AFTER_S = 3.0
LOADING_S = 60.0
"""One that has never spoken is loading its city: at 1,300 junctions 15 s, on a busy machine a minute."""

_log = structlog.get_logger("civicbrain.feeds.twin")


class TwinFeed:
    """The Feed protocol over a SUB socket. `clock` is wall seconds, for tests.

    last_message: reading of `clock` when the twin last spoke (the feed's own start until it does).
    """

    name = "twin"
    cadence_s = 1.0
    stale_after_s = STALE_AFTER_S

    def __init__(self, run_dir: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._socket = open_subscriber(run_dir, TWIN_PUB, [*RECORD_OF_TOPIC, STATUS_TOPIC])
        self._clock = clock
        self.last_message = clock()
        self._spoke = False
        self.status: TwinStatus | None = None
        self.dropped = 0

    @property
    def socket(self) -> zmq.Socket[bytes]:
        """For a poller that waits on several sources."""
        return self._socket

    def poll(self, now_s: float) -> list[Datum]:  # noqa: ARG002 - the twin's data carry their own times
        """Everything that lies ready, never waiting. Raises ServiceError after 3 s of silence, or after a
        minute in which the twin was never heard."""
        data: list[Datum] = []
        for frames in receive(self._socket):
            self.last_message, self._spoke = self._clock(), True
            try:
                topic, body = frames
                if topic == STATUS_TOPIC:
                    self.status = decode(TwinStatus, body)
                else:
                    data.append(decode(RECORD_OF_TOPIC[topic], body))
            except (ValueError, KeyError) as error:
                self.dropped += 1
                if self.dropped == 1:
                    _log.warning("a message was dropped; further ones are only counted", reason=str(error))
        silent_s = self._clock() - self.last_message
        if not data and silent_s > (self.stale_after_s if self._spoke else LOADING_S):
            raise ServiceError(
                f"the twin has been silent for {silent_s:.0f} s",
                place=TWIN_PUB,
                remedy="it is restarted by `civicbrain run`; its log is twin.log in the run folder",
            )
        return data

    def close(self) -> None:
        self._socket.close()


def create(context: Any) -> TwinFeed:
    """Entry point of the room. context: a mapping, or an object with `options`, holding "run_dir"."""
    options: Mapping[str, Any] = getattr(context, "options", context)
    if "run_dir" not in options:
        raise ConfigurationError(
            "feed twin needs run_dir", place="feeds.twin", remedy="set run_dir to a folder"
        )
    return TwinFeed(Path(str(options["run_dir"])))
