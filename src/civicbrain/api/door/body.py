"""Bodies: read whole, in limited time and size, before anything is done with them."""

from __future__ import annotations

import asyncio
import contextlib

from civicbrain.api.asgi import Message, Receive
from civicbrain.api.problems import ProblemError

_BODY_TIMEOUT_S = 10.0
_DRAIN_TIMES, _DRAIN_TIMEOUT_S = 16, 2.0


async def take_body(headers: dict[str, str], receive: Receive, limit: int) -> Receive:
    """The whole body (`limit` bytes at most), read in limited time, handed on as one message."""
    length = headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and (len(length) > 15 or int(length) > limit):
        await _pour_away(receive, _DRAIN_TIMES * limit)
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    if length != "0" or "transfer-encoding" in headers:
        try:
            async with asyncio.timeout(_BODY_TIMEOUT_S):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        break
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    more = message.get("more_body", False)
                    if size > limit:
                        if more:
                            await _pour_away(receive, _DRAIN_TIMES * limit)
                        raise _too_large(limit)
        except TimeoutError:
            raise ProblemError(408, "the body did not arrive in time") from None
    first: Message | None = {"type": "http.request", "body": b"".join(parts), "more_body": False}

    async def replay() -> Message:
        nonlocal first
        if first is not None:
            message, first = first, None
            return message
        return await receive()

    return replay


async def _pour_away(receive: Receive, most_bytes: int) -> None:
    """Read on a little after too much: closing at once would reset the connection before the client has
    read why."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_TIMEOUT_S):
            while most_bytes > 0:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
                most_bytes -= len(message.get("body", b""))


def _too_large(limit: int) -> ProblemError:
    return ProblemError(413, f"the body is larger than {limit} bytes", headers={"Connection": "close"})
