"""Receivers of notices on this machine: they take, fail, hang, trickle, or send elsewhere, as a test says."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


class Receiver:
    """An HTTP server. how: for each request in turn an HTTP status, "hang" or "trickle"; the last one stays.
    got: (path, headers, body) of each."""

    def __init__(self, *how: int | str, port: int = 0) -> None:
        self.how = list(how) or [200]
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self._stopping = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                outer.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                act = outer.how.pop(0) if len(outer.how) > 1 else outer.how[0]
                if act == "hang":
                    outer._stopping.wait(30)
                elif act == "trickle":
                    with contextlib.suppress(OSError):
                        self.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
                        while not outer._stopping.wait(0.05):
                            self.wfile.write(b"y")
                            self.wfile.flush()
                else:
                    self.send_response(int(act))
                    if 300 <= int(act) < 400:
                        self.send_header("location", "http://127.0.0.1:9/elsewhere")
                    self.send_header("content-length", "0")
                    self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def keys(self) -> list[str]:
        return [headers["webhook-id"] for _, headers, _ in self.got]

    def wait_for(self, count: int, timeout_s: float = 20.0) -> None:
        end = time.monotonic() + timeout_s
        while len(self.got) < count:
            assert time.monotonic() < end, f"{len(self.got)} of {count} came"
            time.sleep(0.02)

    def close(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()


class Mailbox:
    """An SMTP server. how: replies to RCPT in turn, "250 OK" by default; the last one stays."""

    def __init__(self, *how: str) -> None:
        self.how = list(how) or ["250 OK"]
        self.got: list[bytes] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - its name there
        act = self.how.pop(0) if len(self.how) > 1 else self.how[0]
        if act.startswith("250"):
            envelope.rcpt_tos.append(address)
        return act

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - its name there
        self.got.append(bytes(envelope.content))
        return "250 taken"

    def close(self) -> None:
        self._controller.stop()
