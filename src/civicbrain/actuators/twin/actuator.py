"""Requests and heartbeats to the twin's controllers. The loop never waits for one that does not answer.

What is sent is waited for a moment only (`patience_s`); a later answer is handed on by `answers`. An answer
that has not come within `timeout_s` counts as a refusal, "unreachable". While an answer is outstanding or
overdue nothing is waited for at all. At most MOST_ON_THE_WAY messages are under way at once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import zmq

from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import Request, StageRequest
from civicbrain.contracts.transport import TWIN_CMD, Client
from civicbrain.contracts.wire import Reply, TwinCommand
from civicbrain.core.errors import ConfigurationError

DEFAULT_TIMEOUT_S = 2.0
"""Half of the watchdog's 4 s. The twin listens between two steps, which at 1,300 junctions take 0.6 s on two
cores, more when they are busy: after half a second nearly every request there was a refusal in the ledger."""

PATIENCE_S = 0.1
"""The twin listens while it waits for its centre, so that an answer takes some milliseconds; a tenth of the
loop's second is what a street that does not answer may cost, once."""

MOST_ON_THE_WAY = 8
MOST_KEPT = 20_000
"""Late answers that nobody has asked for; the oldest go."""


@dataclass(slots=True)
class _Sent:
    """A message on its way. verdicts: None until it was answered, or its time was over."""

    requests: tuple[Request, ...]
    now_s: float
    until: float  # wall
    verdicts: tuple[Verdict, ...] | None = None
    late: bool = False


class TwinActuator:
    """The Actuator protocol over a socket of the run folder, with `AnswersLate`. clock: wall seconds."""

    name = "twin"

    def __init__(
        self, run_dir: Path, *, dry_run: bool = True, timeout_s: float = DEFAULT_TIMEOUT_S,
        patience_s: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.dry_run = dry_run
        self.timeout_s, self.patience_s = timeout_s, min(patience_s, timeout_s)
        self._client, self._clock = Client(run_dir, TWIN_CMD), clock
        self._sent: dict[bytes, _Sent] = {}
        self._said: dict[str, tuple[object, Verdict]] = {}
        self._late: deque[tuple[Request, Verdict]] = deque(maxlen=MOST_KEPT)
        self._silent = False

    def apply(self, requests: Sequence[Request], now_s: float) -> list[Verdict]:
        """One verdict a request, in order: the controller's; where it takes longer, what it last said of the
        same request, else `accepted` by rule "sent". Never raises, and waits patience_s at most."""
        if not requests:
            return []
        if self.dry_run:
            note = Verdict(Outcome.ACCEPTED, "actuator", "dry-run", "dry run: nothing was sent", now_s)
            return [note] * len(requests)
        self._listen()
        end = self._clock() + (0.0 if self._silent or self._sent else self.patience_s)
        sent = self._send(tuple(requests), now_s, end)
        if sent is None:
            return [_unreachable("nobody is connected, or too much is on its way", now_s)] * len(requests)
        while sent.verdicts is None and self._wait(end, zmq.POLLIN):
            self._listen()
        if sent.verdicts is not None:
            return list(sent.verdicts)
        sent.late = True
        return [self._meanwhile(request, now_s) for request in requests]

    def answers(self) -> list[tuple[Request, Verdict]]:
        """What came later than its `apply`."""
        self._listen()
        late = list(self._late)
        self._late.clear()
        return late

    def heartbeat(self, now_s: float) -> None:
        """Tell all controllers that the centre is alive at platform second now_s."""
        if not self.dry_run:
            self._listen()
            self._client.post(TwinCommand(action="heartbeat", value=now_s))

    def close(self) -> None:
        self._client.close()

    # -- steps

    def _send(self, requests: tuple[Request, ...], now_s: float, end: float) -> _Sent | None:
        if len(self._sent) >= MOST_ON_THE_WAY:
            return None
        command = TwinCommand(action="apply", requests=requests)
        number = self._client.post(command)
        while number is None and self._wait(end, zmq.POLLOUT):
            number = self._client.post(command)
        if number is None:
            self._silent = True
            return None
        sent = self._sent[number] = _Sent(requests, now_s, self._clock() + self.timeout_s)
        return sent

    def _wait(self, end: float, what: int) -> bool:
        """True when the socket is ready for `what` before `end`."""
        left_ms = max(0, int((end - self._clock()) * 1000))
        return bool(left_ms and self._client.socket.poll(left_ms, what))

    def _listen(self) -> None:
        """Take in what was answered, and what is overdue; never waits."""
        for number, reply in self._client.answers():
            sent = self._sent.pop(number, None)
            if sent is not None:
                self._silent = False
                self._close(sent, _verdicts(reply, sent))
        now = self._clock()
        for number, sent in [item for item in self._sent.items() if item[1].until < now]:
            del self._sent[number]
            self._silent = True
            reason = f"no answer within {self.timeout_s:g} s"
            self._close(sent, (_unreachable(reason, sent.now_s),) * len(sent.requests))

    def _close(self, sent: _Sent, verdicts: tuple[Verdict, ...]) -> None:
        sent.verdicts = verdicts
        for request, verdict in zip(sent.requests, verdicts, strict=True):
            self._said[request.junction] = (_asked(request), verdict)
            if sent.late:
                self._late.append((request, verdict))

    def _meanwhile(self, request: Request, now_s: float) -> Verdict:
        """The word on a request whose answer has not come yet."""
        if self._silent:
            return _unreachable(f"no answer within {self.timeout_s:g} s", now_s)
        asked, said = self._said.get(request.junction, (None, None))
        if said is not None and asked == _asked(request):
            return msgspec.structs.replace(said, time_s=now_s)
        return Verdict(Outcome.ACCEPTED, "actuator", "sent", "its controller has not answered yet", now_s)


def _verdicts(reply: Reply, sent: _Sent) -> tuple[Verdict, ...]:
    count = len(sent.requests)
    if reply.ok and len(reply.verdicts) == count:
        return tuple(reply.verdicts)
    reason = reply.error or f"{len(reply.verdicts)} verdicts came for {count} requests"
    return (_unreachable(reason, sent.now_s),) * count


def _unreachable(reason: str, now_s: float) -> Verdict:
    return Verdict(Outcome.REFUSED, "actuator", "unreachable", f"the controllers: {reason}", now_s)


def _asked(request: Request) -> object:
    """What makes two requests for a junction the same."""
    if isinstance(request, StageRequest):
        return request.brain, request.stage
    return request.brain, request.durations_s, request.offset_s


def create(context: Any) -> TwinActuator:
    """Entry point of the room. context: a mapping, or an object with `options`; see the card."""
    options: Mapping[str, Any] = getattr(context, "options", context)
    if "run_dir" not in options:
        raise ConfigurationError(
            "actuator twin needs run_dir", place="actuators.twin", remedy="set run_dir to a folder"
        )
    timeout_s = float(options.get("timeout_s", DEFAULT_TIMEOUT_S))
    if not 0 < timeout_s <= 10:
        raise ConfigurationError(
            f"timeout_s is {timeout_s:g}", place="actuators.twin", remedy="choose between 0 and 10 s"
        )
    return TwinActuator(
        Path(str(options["run_dir"])), dry_run=bool(options.get("dry_run", True)), timeout_s=timeout_s
    )
