"""The API's end of `intake.cmd`: carries what cameras post to the brain process, and its receipt back."""

from __future__ import annotations

import asyncio

import msgspec
import zmq
import zmq.asyncio

from civicbrain.api.link import unavailable
from civicbrain.api.settings import Settings
from civicbrain.city.intake import Receipt
from civicbrain.contracts.transport import INTAKE_CMD, LARGEST_MESSAGE_BYTES, socket_address

_AT_ONCE = 8
"""Messages under way to the brain process: what more arrives waits here, then is told to try again."""


class Forwarder:
    """One socket a message, as with commands: a receipt that comes too late finds nobody."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context = zmq.asyncio.Context()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def forward(self, key: str, body: bytes) -> Receipt:
        """The intake's receipt. Raises ProblemError (503) when none comes in time."""
        try:
            async with asyncio.timeout(self._settings.command_timeout_s), self._slots:
                answer = await self._ask(key.encode(errors="replace"), body)
            return msgspec.msgpack.decode(answer, type=Receipt)
        except TimeoutError:
            raise unavailable("the brain process takes no observations") from None
        except (msgspec.MsgspecError, zmq.ZMQError):
            raise unavailable("the brain process gave an unreadable receipt") from None

    async def _ask(self, key: bytes, body: bytes) -> bytes:
        socket = self._context.socket(zmq.REQ)
        try:
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.IMMEDIATE, 1)
            socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE_BYTES)
            socket.connect(socket_address(self._settings.run_dir, INTAKE_CMD))
            await socket.send_multipart([key, body])
            return bytes(await socket.recv())
        finally:
            socket.close(linger=0)

    def stop(self) -> None:
        self._context.destroy(linger=0)
