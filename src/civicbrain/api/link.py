"""The API's end of the sockets to the twin and brain processes.

Listens to frames, states and alerts, keeps the newest of each as raw bytes (decoded when somebody asks),
and carries commands. Either process may be away, come back, or be killed in the middle: ZeroMQ reconnects,
and what is known grows old visibly (`brain_age_s`, `twin_age_s`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any, TypeVar

import msgspec
import structlog
import zmq
import zmq.asyncio

from civicbrain.api.problems import ProblemError
from civicbrain.api.settings import Settings
from civicbrain.contracts import wire
from civicbrain.contracts.transport import (
    BRAIN_CMD,
    BRAIN_PUB,
    CASES_CMD,
    CASES_PUB,
    HISTORY_CMD,
    HISTORY_PUB,
    LARGEST_MESSAGE_BYTES,
    TWIN_PUB,
    socket_address,
)
from civicbrain.runtime.cases.wire import STATUS_TOPIC as CASES_TOPIC
from civicbrain.runtime.cases.wire import CasesStatus
from civicbrain.runtime.history.wire import STATUS_TOPIC as HISTORY_TOPIC
from civicbrain.runtime.history.wire import Ask, HistoryStatus

_log = structlog.get_logger("civicbrain.api")
_STATUS_OF_KIND = {
    "not-found": 404, "invalid": 400, "refused": 409, "unauthenticated": 401, "forbidden": 403,
    "limited": 429,
}  # fmt: skip
_RETRY_AFTER_S = "60"  # of who reports too often: allowances are by the minute
T = TypeVar("T")
_DRAWN = (wire.VEHICLES_TOPIC, wire.STATE_TOPIC)
_COMMANDS_AT_ONCE = 8
_HISTORY_TIMEOUT_S = 15.0  # it breaks its own answers off after 10 s
_CASES_TIMEOUT_S = 10.0  # it writes to a disk
_AWAY_TIMEOUT_S = 0.5  # a process that is known to be away gets less time to answer
_SEED_ALERTS = 200


class Link:
    """state, vehicles, status: newest of each topic, or None. on_alert is called with each new alert,
    on_cases with each word of the cases process. news is set whenever there is something new to draw."""

    def __init__(
        self,
        settings: Settings,
        on_alert: Callable[[wire.Alert], None],
        on_cases: Callable[[CasesStatus], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._on_alert = on_alert
        self._on_cases = on_cases
        self._context = zmq.asyncio.Context()
        self._raw: dict[bytes, bytes] = {}
        self._heard_s: dict[bytes, float] = {}
        self._decoded: dict[bytes, tuple[bytes, Any]] = {}
        self._broken: set[bytes] = set()
        self._slots = asyncio.Semaphore(_COMMANDS_AT_ONCE)
        self._questions = asyncio.Semaphore(_COMMANDS_AT_ONCE)
        self._works = asyncio.Semaphore(_COMMANDS_AT_ONCE)
        self._tasks: list[asyncio.Task[None]] = []
        self.news = asyncio.Event()

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(
                self._listen(TWIN_PUB, {wire.VEHICLES_TOPIC: 4, wire.STATUS_TOPIC: 4}, self._keep)
            ),
            asyncio.create_task(
                self._listen(BRAIN_PUB, {wire.STATE_TOPIC: 4, wire.ALERT_TOPIC: 1000}, self._take_brain)
            ),
            asyncio.create_task(self._listen(HISTORY_PUB, {HISTORY_TOPIC: 4}, self._keep)),
            asyncio.create_task(self._listen(CASES_PUB, {CASES_TOPIC: 4}, self._take_cases)),
            asyncio.create_task(self._seed_alerts()),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._context.destroy(linger=0)

    @property
    def state(self) -> wire.CityState | None:
        return self._newest(wire.STATE_TOPIC, wire.CityState)

    @property
    def vehicles(self) -> wire.VehicleFrame | None:
        return self._newest(wire.VEHICLES_TOPIC, wire.VehicleFrame)

    @property
    def status(self) -> wire.TwinStatus | None:
        return self._newest(wire.STATUS_TOPIC, wire.TwinStatus)

    @property
    def brain_age_s(self) -> float:
        """Wall seconds since the brain process last spoke; inf when it never did."""
        return self._age_s(wire.STATE_TOPIC)

    @property
    def twin_age_s(self) -> float:
        """Wall seconds since the twin process last spoke; inf when it never did."""
        return min(self._age_s(wire.STATUS_TOPIC), self._age_s(wire.VEHICLES_TOPIC))

    @property
    def history(self) -> HistoryStatus | None:
        return self._newest(HISTORY_TOPIC, HistoryStatus)

    @property
    def history_age_s(self) -> float:
        """Wall seconds since the history process last spoke; inf when it never did."""
        return self._age_s(HISTORY_TOPIC)

    @property
    def history_away(self) -> bool:
        return self.history_age_s > self._settings.stale_after_s

    @property
    def cases(self) -> CasesStatus | None:
        return self._newest(CASES_TOPIC, CasesStatus)

    @property
    def cases_age_s(self) -> float:
        """Wall seconds since the cases process last spoke; inf when it never did."""
        return self._age_s(CASES_TOPIC)

    @property
    def cases_away(self) -> bool:
        return self.cases_age_s > self._settings.stale_after_s

    @property
    def brain_away(self) -> bool:
        return self.brain_age_s > self._settings.stale_after_s

    @property
    def twin_away(self) -> bool:
        return self.twin_age_s > self._settings.stale_after_s

    async def command(self, command: wire.BrainCommand, timeout_s: float | None = None) -> Any:
        """The body of the brain's reply; timeout_s: when it may take longer than most.

        Raises ProblemError: 503 when it does not answer in time, 404, 400 or 409 as the reply says.
        """
        timeout_s = timeout_s or self._settings.command_timeout_s
        if self.brain_away:
            timeout_s = min(_AWAY_TIMEOUT_S, timeout_s)
        return await self._answer("brain", BRAIN_CMD, command, self._slots, timeout_s)

    async def ask_history(self, ask: Ask) -> Any:
        """The body of the history's reply; raises ProblemError as `command` does."""
        timeout_s = _AWAY_TIMEOUT_S if self.history_away else _HISTORY_TIMEOUT_S
        return await self._answer("history", HISTORY_CMD, ask, self._questions, timeout_s)

    async def ask_cases(self, command: wire.BrainCommand) -> Any:
        """The body of the cases process's reply; raises ProblemError as `command` does."""
        timeout_s = _AWAY_TIMEOUT_S if self.cases_away else _CASES_TIMEOUT_S
        return await self._answer("cases", CASES_CMD, command, self._works, timeout_s)

    async def _answer(
        self,
        process: str,
        socket: str,
        asked: wire.BrainCommand | Ask,
        slots: asyncio.Semaphore,
        timeout_s: float,
    ) -> Any:
        try:
            async with asyncio.timeout(timeout_s):
                async with slots:
                    answer = await self._ask(socket, msgspec.msgpack.encode(asked))
            reply = msgspec.msgpack.decode(answer, type=wire.Reply)
        except TimeoutError:
            raise unavailable(f"the {process} process does not answer") from None
        except (msgspec.MsgspecError, zmq.ZMQError) as error:
            _log.error("unreadable answer", process=process, action=asked.action, error=str(error))
            raise unavailable(f"the {process} process gave an unreadable answer") from None
        if not reply.ok:
            if reply.kind == "unavailable":
                raise unavailable(reply.error)
            raise ProblemError(
                _STATUS_OF_KIND.get(reply.kind, 409),
                reply.error or "refused without a reason",
                headers={"Retry-After": _RETRY_AFTER_S} if reply.kind == "limited" else None,
            )
        return reply.body

    async def _ask(self, name: str, body: bytes) -> bytes:
        # one socket a command: a reply that comes too late finds nobody, and two never mix
        socket = self._context.socket(zmq.REQ)
        try:
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(
                zmq.IMMEDIATE, 1
            )  # nothing waits in a queue for a process that comes back later
            socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE_BYTES)
            socket.connect(socket_address(self._settings.run_dir, name))
            await socket.send(body)
            return bytes(await socket.recv())
        finally:
            socket.close(linger=0)

    async def _seed_alerts(self) -> None:
        """What was raised before this process started, told by the brain process when it first answers."""
        while True:
            if not self.brain_away:
                with contextlib.suppress(ProblemError, msgspec.MsgspecError):
                    body = await self.command(wire.BrainCommand("alerts", limit=_SEED_ALERTS))
                    for alert in reversed(msgspec.convert(body, list[wire.Alert])):
                        self._on_alert(alert)
                    return
            await asyncio.sleep(0.5)

    async def _listen(
        self, name: str, topics: dict[bytes, int], take: Callable[[bytes, bytes], Awaitable[None] | None]
    ) -> None:
        with self._context.socket(zmq.SUB) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.RCVHWM, max(topics.values()))
            for topic in topics:
                socket.setsockopt(zmq.SUBSCRIBE, topic)
            socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE_BYTES)
            socket.connect(socket_address(self._settings.run_dir, name))
            while True:
                parts = await socket.recv_multipart()
                if len(parts) == 2 and parts[0] in topics:
                    take(parts[0], parts[1])

    def _keep(self, topic: bytes, body: bytes) -> None:
        self._raw[topic] = body
        self._heard_s[topic] = time.monotonic()
        if topic in _DRAWN:
            self.news.set()

    def _take_brain(self, topic: bytes, body: bytes) -> None:
        if topic != wire.ALERT_TOPIC:
            return self._keep(topic, body)
        try:
            self._on_alert(msgspec.msgpack.decode(body, type=wire.Alert))
        except msgspec.MsgspecError as error:
            self._complain(topic, error)

    def _take_cases(self, topic: bytes, body: bytes) -> None:
        self._keep(topic, body)
        if self.cases is not None:
            self._on_cases(self.cases)

    def _newest(self, topic: bytes, kind: type[T]) -> T | None:
        raw = self._raw.get(topic)
        if raw is None:
            return None
        known = self._decoded.get(topic)
        if known is None or known[0] is not raw:
            value: T | None
            try:
                value = msgspec.msgpack.decode(raw, type=kind)
            except msgspec.MsgspecError as error:
                self._complain(topic, error)
                value = known[1] if known else None  # the last readable one stays
            known = self._decoded[topic] = (raw, value)
        newest: T | None = known[1]
        return newest

    def _age_s(self, topic: bytes) -> float:
        heard_s = self._heard_s.get(topic)
        return inf if heard_s is None else time.monotonic() - heard_s

    def _complain(self, topic: bytes, error: Exception) -> None:
        if topic not in self._broken:  # once, not each second
            self._broken.add(topic)
            _log.error("unreadable message", topic=topic.decode(), error=str(error))


def unavailable(detail: str) -> ProblemError:
    """503: another process is away; the supervisor starts it again within seconds."""
    return ProblemError(
        503, f"{detail}; it is started again by itself, try later", headers={"Retry-After": "2"}
    )
