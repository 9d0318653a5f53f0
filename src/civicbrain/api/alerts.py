"""Alerts as server-sent events, with a bounded memory so that a client that was away can catch up.

The stream also carries what is newest of other things (`tell`): a browser has six connections to a server in
all its tabs together, so each page keeps one stream open and no more."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator

import msgspec

from civicbrain.api.problems import ProblemError
from civicbrain.api.settings import Settings
from civicbrain.contracts.brain import Alert


class AlertStream:
    """Keeps the newest alerts. Event ids are `<start of this process>-<number>`: an id of an earlier process
    is recognised as such, and everything kept is sent again (same key, same matter)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._boot = f"{time.time_ns() // 1_000_000:x}"
        self._kept: deque[tuple[int, Alert]] = deque(maxlen=settings.alert_buffer)
        self._count = 0
        self._told: dict[str, tuple[int, bytes]] = {}
        self._tellings = 0
        self._wakers: set[asyncio.Event] = set()

    @property
    def client_count(self) -> int:
        return len(self._wakers)

    def require_room(self) -> None:
        """Raises ProblemError (503) when as many clients follow as may."""
        if len(self._wakers) >= self._settings.alert_clients:
            raise ProblemError(503, "too many clients follow the alerts", headers={"Retry-After": "30"})

    def add(self, alert: Alert) -> None:
        """Keep one and tell the clients; one that is kept already is passed over."""
        if any(kept == alert for _, kept in self._kept):
            return
        self._count += 1
        self._kept.append((self._count, alert))
        self._wake()

    def tell(self, name: str, data: bytes) -> None:
        """What is newest of something, as JSON on one line: clients get it as an event of that name, once,
        and a slow one misses what was newest in between."""
        self._tellings += 1
        self._told[name] = (self._tellings, data)
        self._wake()

    def position(self, last_event_id: str) -> int:
        """Number of the last event that the client has; 0 when it has none that we know."""
        boot, _, number = last_event_id.rpartition("-")
        if boot != self._boot or not (number.isascii() and number.isdigit()) or len(number) > 15:
            return 0
        return int(number)

    def events_after(self, position: int) -> tuple[bytes, int]:
        """What was kept after that position, as event-stream text, and the new position."""
        events = [self._event(number, alert) for number, alert in self._kept if number > position]
        return b"".join(events), max(position, self._count) if events else position

    async def follow(self, position: int) -> AsyncIterator[bytes]:
        """Events from that position on, for good; comments while nothing happens, so that a dead connection
        is noticed."""
        waker = asyncio.Event()
        self._wakers.add(waker)
        told = 0
        try:
            yield b"retry: 2000\n\n"
            while True:
                waker.clear()
                events, position = self.events_after(position)
                events += self._told_after(told)
                told = self._tellings
                if events:
                    yield events
                try:
                    async with asyncio.timeout(self._settings.alert_heartbeat_s):
                        await waker.wait()
                except TimeoutError:
                    yield b": nothing new\n\n"
        finally:
            self._wakers.discard(waker)

    def _told_after(self, told: int) -> bytes:
        return b"".join(
            b"event: %s\ndata: %s\n\n" % (name.encode(), data)
            for name, (number, data) in self._told.items()
            if number > told
        )

    def _wake(self) -> None:
        for waker in self._wakers:
            waker.set()

    def _event(self, number: int, alert: Alert) -> bytes:
        # JSON has no raw newline, so one data line is enough
        data = msgspec.json.encode(alert)
        return b"id: %s-%d\nevent: alert\ndata: %s\n\n" % (self._boot.encode(), number, data)
