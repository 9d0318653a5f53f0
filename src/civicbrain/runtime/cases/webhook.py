"""A notice as a signed HTTP POST, after the Standard Webhooks specification 1.0 (www.standardwebhooks.com).

    webhook-id: KEY                      the idempotency key: the same notice always has the same
    webhook-timestamp: UNIX SECONDS      of this attempt
    webhook-signature: v1,BASE64         HMAC-SHA256 of "id.timestamp.body" under the recipient's secret

The key also stands in `Idempotency-Key`. Redirects are not followed. 2xx: taken; 410: never ask again.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from civicbrain import __version__
from civicbrain.runtime.cases.addresses import DeliveryError, look_up

TIMEOUT_S = 10.0
"""The whole attempt, however slowly the other side speaks."""


@dataclass(frozen=True)
class Webhook:
    """url: where to; secret: both sides' own; allow_private: an address inside is meant (then http is
    too)."""

    url: str
    secret: bytes
    allow_private: bool = False
    timeout_s: float = TIMEOUT_S


def signature(secret: bytes, key: str, timestamp: int, body: bytes) -> str:
    """What a receiver compares with, in constant time."""
    content = f"{key}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()


def post(hook: Webhook, key: str, body: bytes, now_s: float) -> None:
    """One attempt. Raises DeliveryError where it was not taken."""
    parts = urlsplit(hook.url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    timestamp = int(now_s)
    headers = {
        "content-type": "application/json", "user-agent": f"civicbrain/{__version__}",
        "webhook-id": key, "idempotency-key": key, "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(hook.secret, key, timestamp, body),
    }  # fmt: skip
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    error: Exception = DeliveryError("no address")
    for address in look_up(host, port, allow_private=hook.allow_private):
        connection = _Pinned(host, port, address, tls=parts.scheme == "https", timeout_s=hook.timeout_s)
        watchdog = threading.Timer(hook.timeout_s, connection.abort)
        watchdog.daemon = True
        watchdog.start()
        try:
            connection.connect()
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read(1024)
            if connection.aborted:  # the library takes a head that was cut off for a whole one
                raise TimeoutError
        except (OSError, http.client.HTTPException) as failure:
            timed_out = connection.aborted or isinstance(failure, TimeoutError)
            error = DeliveryError(
                f"no answer within {hook.timeout_s:g} s"
                if timed_out
                else f"{type(failure).__name__}: {failure}"
            )
            if timed_out or connection.connected:
                raise error from failure  # it may have been taken: not to another address at once
            continue
        finally:
            watchdog.cancel()
            connection.close()
        if 200 <= answer.status < 300:
            return
        said = "redirects are not followed" if 300 <= answer.status < 400 else answer.reason
        raise DeliveryError(f"HTTP {answer.status}: {said}", for_good=answer.status == 410)
    raise error


class _Pinned(http.client.HTTPConnection):
    """Connects to one address that was checked, and speaks to it under the host's name."""

    def __init__(
        self, host: str, port: int, address: tuple[str, int], *, tls: bool, timeout_s: float
    ) -> None:
        super().__init__(host, port, timeout=timeout_s)
        self._address, self._tls = address, tls
        self.connected = self.aborted = False

    def connect(self) -> None:
        self.sock = socket.create_connection(self._address, timeout=self.timeout)
        if self._tls:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
        self.connected = True

    def abort(self) -> None:
        """From another thread: end whatever this connection waits for."""
        self.aborted = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)
