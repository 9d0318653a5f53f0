"""Map clients that cost next to nothing: they count bytes and frames, and decode none."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import time
from dataclasses import dataclass, field


@dataclass
class Count:
    """What one client was sent. arrived_s: when each frame was whole, monotonic seconds."""

    frames: int = 0
    bytes: int = 0
    arrived_s: list[float] = field(default_factory=list)


class FrameCounter:
    """Walks over the frames of a websocket (RFC 6455, unmasked, as servers send them) by their lengths."""

    def __init__(self, count: Count) -> None:
        self.count = count
        self._head = bytearray()
        self._left = 0
        self._counts = False

    def feed(self, data: bytes) -> None:
        self.count.bytes += len(data)
        at = 0
        while at < len(data):
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                if not self._left:
                    self._whole()
                continue
            self._head.append(data[at])
            at += 1
            length = self._length()
            if length is not None:
                binary = self._head[0] & 0x0F == 2
                self._head.clear()
                self._left, self._counts = length, binary

    def _length(self) -> int | None:
        head = self._head
        if len(head) < 2:
            return None
        short = head[1] & 0x7F
        wide = {126: 2, 127: 8}.get(short, 0)
        if len(head) < 2 + wide:
            return None
        return int.from_bytes(head[2:], "big") if wide else short

    def _whole(self) -> None:
        if self._counts:
            self.count.frames += 1
            self.count.arrived_s.append(time.monotonic())


def handshake(port: int) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET /v1/map HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


async def fast_client(port: int, seconds: float) -> Count:
    """Reads all that comes for so long."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(handshake(port))
    answer = await reader.readuntil(b"\r\n\r\n")
    if b" 101 " not in answer:
        raise RuntimeError(answer.decode(errors="replace").splitlines()[0])
    count = Count()
    counter = FrameCounter(count)
    try:
        async with asyncio.timeout(seconds):
            while data := await reader.read(1 << 18):
                counter.feed(data)
    except TimeoutError:
        pass
    writer.transport.abort()
    return count


def fast_clients(port: int, number: int, seconds: float) -> list[Count]:
    async def all_of_them() -> list[Count]:
        return await asyncio.gather(*(fast_client(port, seconds) for _ in range(number)))

    return asyncio.run(all_of_them())


def slow_client(port: int, seconds: float, bytes_per_s: int) -> Count:
    """Reads no faster than that, with little room in between; blocks its thread."""
    count = Count()
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        line.connect(("127.0.0.1", port))
        line.sendall(handshake(port))
        head = b""
        while b"\r\n\r\n" not in head:
            head += line.recv(1)
        counter = FrameCounter(count)
        start = time.monotonic()
        line.settimeout(seconds)
        while (gone_s := time.monotonic() - start) < seconds:
            if count.bytes > bytes_per_s * gone_s:
                time.sleep(0.02)
                continue
            data = line.recv(4096)
            if not data:
                break
            counter.feed(data)
    return count
