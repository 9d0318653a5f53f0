"""The live map over a real websocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from itertools import pairwise

import patient
import pytest
import websockets
from api_place import Place
from test_frames import read


def test_frames_come_at_once_and_go_on(live: Place) -> None:
    async def watch() -> list[bytes]:
        async with websockets.connect(live.url.replace("http", "ws") + "/v1/map") as socket:
            assert socket.protocol.extensions == []  # no deflate
            async with asyncio.timeout(1.0):
                frames = [await socket.recv()]
            async with asyncio.timeout(5.0):
                frames += [await socket.recv() for _ in range(3)]
        return [bytes(frame) for frame in frames]

    frames = [read(frame) for frame in asyncio.run(watch())]
    assert len(frames[0]["number"]) == 400
    assert frames[-1]["time_s"] > frames[0]["time_s"]
    assert [f["sequence"] for f in frames] == sorted({f["sequence"] for f in frames})


def test_lamps_and_junctions_are_sent_when_they_are_news(live: Place) -> None:
    async def watch() -> list[bytes]:
        async with websockets.connect(live.url.replace("http", "ws") + "/v1/map") as socket:
            async with asyncio.timeout(10.0):
                return [bytes(await socket.recv()) for _ in range(8)]

    frames = [read(frame) for frame in asyncio.run(watch())]
    with_state = [len(frame["lamp"]) > 0 for frame in frames]
    assert with_state[0]
    assert not all(with_state)
    for frame, whole in zip(frames, with_state, strict=True):
        assert (len(frame["stage"]) > 0) is whole
        assert len(frame["number"]) == 400


@pytest.mark.parametrize(
    ("headers", "host"),
    [({"Origin": "http://evil.example"}, None), ({"Origin": "null"}, None), ({}, "evil.example")],
)
def test_pages_of_others_are_refused(live: Place, headers: dict[str, str], host: str | None) -> None:
    async def connect() -> None:
        given = dict(headers)
        url = live.url.replace("http", "ws") + "/v1/map"
        if host:
            url = f"ws://{host}:{live.port}/v1/map"
        async with websockets.connect(url, host="127.0.0.1", port=live.port, additional_headers=given):
            pass

    with pytest.raises(websockets.InvalidStatus) as refused:
        asyncio.run(connect())
    assert refused.value.response.status_code in (400, 403)
    assert json.loads(refused.value.response.body or b"{}")["status"] == refused.value.response.status_code


def test_other_sockets_and_chatterers(live: Place) -> None:
    async def unknown() -> None:
        async with websockets.connect(live.url.replace("http", "ws") + "/v1/other"):
            pass

    with pytest.raises(websockets.InvalidStatus):
        asyncio.run(unknown())

    async def chatter() -> int | None:
        async with websockets.connect(live.url.replace("http", "ws") + "/v1/map") as socket:
            with contextlib.suppress(websockets.ConnectionClosed):
                async with asyncio.timeout(60):
                    for _ in range(200):
                        await socket.send("hello")
                    async for _ in socket:
                        pass
            return socket.close_code

    assert asyncio.run(chatter()) == 1008


def test_who_does_not_look_gets_a_frame_a_second_and_the_newest_at_once_when_back(live: Place) -> None:
    patient.patch(f"{live.url}/v1/twin", json={"paused": False, "speed": 10})  # ten new frames a second

    async def watch() -> tuple[list[float], float]:
        async with websockets.connect(live.url.replace("http", "ws") + "/v1/map") as socket:
            await socket.recv()
            await socket.send("calm")
            await asyncio.sleep(0.3)
            with contextlib.suppress(TimeoutError):  # what was on its way
                while True:
                    async with asyncio.timeout(0.05):
                        await socket.recv()
            came_s = []
            for _ in range(3):
                await socket.recv()
                came_s.append(time.monotonic())
            await socket.send("live")
            back_s = time.monotonic()
            await socket.recv()
            return came_s, time.monotonic() - back_s

    try:
        came_s, waited_s = asyncio.run(watch())
    finally:
        patient.patch(f"{live.url}/v1/twin", json={"speed": 1})
    assert min(b - a for a, b in pairwise(came_s)) > 0.8
    assert waited_s < 0.8


@pytest.mark.slow
@pytest.mark.quiet
def test_a_client_that_does_not_read_is_dropped_and_holds_up_nobody(place_of) -> None:  # type: ignore[no-untyped-def]
    place = place_of()
    place.start_backend("--vehicles", "20000")
    place.start_api("--map-send-timeout", "1")
    place.wait_ready()
    patient.patch(f"{place.url}/v1/twin", json={"speed": 20})
    lazy = socket.create_connection(("127.0.0.1", place.port))
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.sendall(
        f"GET /v1/map HTTP/1.1\r\nHost: localhost:{place.port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )

    async def watch(seconds: float) -> int:
        count = 0
        async with websockets.connect(place.url.replace("http", "ws") + "/v1/map", max_size=None) as socket:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                await socket.recv()
                count += 1
        return count

    place.wait_until(lambda health: health["map_clients"] == 1)
    assert asyncio.run(watch(3.0)) >= 8  # near five a second beside the lazy one
    place.wait_until(lambda health: health["map_clients"] == 0, seconds=40)
    lazy.close()
