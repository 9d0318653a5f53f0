"""Running a server as a process of its own: until it is told to stop."""

from __future__ import annotations

import signal
from typing import Protocol


class Server(Protocol):
    """serve returns soon after stop was called; close frees what it holds."""

    def serve(self) -> None: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...


def serve_until_stopped(server: Server) -> None:
    """SIGTERM and SIGINT stop it; it is closed however serving ends. Call in the main thread."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    try:
        server.serve()
    finally:
        server.close()
