"""What goes on for hours, the map's socket and the stream of alerts, ends with its log-in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from civicbrain.api.asgi import App, Message, Receive, Scope, Send

CHECK_EVERY_S = 2.0
LOGGED_OUT = 4401
"""Close code of the websocket: the page asks for a log-in instead of trying again."""


async def while_logged_in(
    app: App, scope: Scope, receive: Receive, send: Send, alive: Callable[[], bool]
) -> None:
    """Run the application until it ends, or until `alive` says no: then the connection is closed."""
    started = ended = False

    async def noted(message: Message) -> None:
        nonlocal started, ended
        kind = message["type"]
        started = started or kind in ("http.response.start", "websocket.accept")
        ended = ended or kind == "websocket.close" or (
            kind == "http.response.body" and not message.get("more_body", False)
        )  # fmt: skip
        await send(message)

    task = asyncio.ensure_future(app(scope, receive, noted))
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=CHECK_EVERY_S)
            if not task.done() and started and not alive():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
                if not ended and scope["type"] == "websocket":
                    await send({"type": "websocket.close", "code": LOGGED_OUT, "reason": "logged out"})
                elif not ended:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
        await task
    finally:
        task.cancel()
