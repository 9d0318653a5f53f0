"""The live map's websocket: one encoder makes one frame for all; each client has a slot for the newest.

A client that reads slowly skips frames and never holds up another; one that does not read at all for
`map_send_timeout_s` is dropped. Clients say "calm" when nobody looks (one frame a second is enough then) and
"live" when somebody does again: the newest frame follows at once. What else they send is thrown away, and
those that send much are closed. Lamps and junctions are sent to a client only when they are new to it,
and at most twice a second, however fast the twin is: of a big city they are a seventh of the bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import structlog

from civicbrain.api.asgi import Receive, Scope, Send
from civicbrain.api.frames import FrameEncoder, without_state
from civicbrain.api.link import Link
from civicbrain.api.settings import Settings
from civicbrain.city.model import City

_log = structlog.get_logger("civicbrain.api")
_MESSAGES_FROM_CLIENT = 100  # more than these in _PERIOD_S, and it is closed as a nuisance
_PERIOD_S = 60.0
_CALM_S = 1.0
_STATE_S = 0.5  # between two sendings of lamps and junctions to a client
_CALM, _LIVE = "calm", "live"
_TRY_LATER, _POLICY, _GOING_AWAY = 1013, 1008, 1001


@dataclass(eq=False, slots=True)
class _Client:
    """fresh: there is a frame that it has not got. looks: somebody looks at its map. knows: the state in
    the last frame that had one, sent at knows_since_s of the loop's clock."""

    fresh: asyncio.Event = field(default_factory=asyncio.Event)
    looks: asyncio.Event = field(default_factory=asyncio.Event)
    knows: object = field(default_factory=object)
    knows_since_s: float = -_STATE_S


class MapSocket:
    """`serve` is the ASGI application of /v1/map; `run` the encoder, started and ended with the app."""

    def __init__(self, city: City, link: Link, settings: Settings) -> None:
        self._link = link
        self._settings = settings
        self._encoder = FrameEncoder(city)
        self._sequence = 0
        self._frame = b""
        self._light = b""  # the same without lamps and junctions, made when the first client can do without
        self._made_of: tuple[object, ...] = (None, None, None)
        self._clients: set[_Client] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def client_count(self) -> int:
        return len(self._clients)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        """Makes a frame as soon as something changed and somebody watches, at most at the map rate."""
        while True:
            with contextlib.suppress(TimeoutError):  # once in a while without news: the twin may have gone
                async with asyncio.timeout(self._settings.stale_after_s):
                    await self._link.news.wait()
            self._link.news.clear()
            if self._clients:
                try:
                    self._refresh()
                except Exception as error:  # one odd frame must not end the map for good
                    _log.error("map frame could not be made", error=repr(error))
            await asyncio.sleep(1.0 / self._settings.map_rate_hz)

    def _refresh(self) -> None:
        vehicles, state, status = self._link.vehicles, self._link.state, self._link.status
        stands = status is None or status.paused or self._link.twin_away
        made_of = (vehicles, state, stands)
        if self._frame and all(a is b for a, b in zip(made_of, self._made_of, strict=True)):
            return
        speed = 0.0 if status is None or stands else status.measured_speed
        self._frame = self._encoder.encode(self._sequence, vehicles, state, speed)
        self._light = b""
        self._made_of = made_of
        self._sequence += 1
        for client in self._clients:
            client.fresh.set()

    async def serve(self, _: Scope, receive: Receive, send: Send) -> None:
        """One client, from connect to disconnect."""
        message = await receive()
        if message["type"] != "websocket.connect":
            return
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        if len(self._clients) >= self._settings.map_clients:
            await send({"type": "websocket.close", "code": _TRY_LATER, "reason": "too many map clients"})
            return
        client = _Client()
        client.looks.set()
        self._clients.add(client)
        listener = asyncio.create_task(self._until_gone(receive, client))
        sender = asyncio.create_task(self._send_frames(send, client))
        try:
            await asyncio.wait({listener, sender}, return_when=asyncio.FIRST_COMPLETED)
            if not listener.done() or listener.result():
                reason = "sent too much" if listener.done() else "did not read"
                with contextlib.suppress(Exception):  # the connection may be gone by now
                    async with asyncio.timeout(1.0):
                        await send({"type": "websocket.close", "code": _POLICY, "reason": reason})
        finally:
            self._clients.discard(client)
            for task in (listener, sender):
                task.cancel()
            await asyncio.gather(listener, sender, return_exceptions=True)

    async def _send_frames(self, send: Send, client: _Client) -> None:
        self._refresh()  # the first frame at once
        client.fresh.set()
        while True:
            await client.fresh.wait()
            client.fresh.clear()
            try:
                async with asyncio.timeout(self._settings.map_send_timeout_s):
                    await send({"type": "websocket.send", "bytes": self._news_for(client), "text": None})
            except TimeoutError:
                return  # does not read: dropped
            if not client.looks.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_CALM_S):
                        await client.looks.wait()

    def _news_for(self, client: _Client) -> bytes:
        state, now_s = self._made_of[1], asyncio.get_running_loop().time()
        if client.knows is not state and now_s - client.knows_since_s >= _STATE_S:
            client.knows, client.knows_since_s = state, now_s
            return self._frame
        self._light = self._light or without_state(self._frame)
        return self._light

    async def _until_gone(self, receive: Receive, client: _Client) -> bool:
        """Hear what it says. True when the client was a nuisance, False when it left."""
        clock = asyncio.get_running_loop()
        since_s, count = clock.time(), 0
        while count < _MESSAGES_FROM_CLIENT:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return False
            if message.get("text") == _CALM:
                client.looks.clear()
            elif message.get("text") == _LIVE:
                client.looks.set()
            if clock.time() - since_s > _PERIOD_S:
                since_s, count = clock.time(), 0
            count += 1
        return True
