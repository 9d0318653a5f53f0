"""Bad input of any kind: a 4xx problem document with the reason, never a 500."""

from __future__ import annotations

import socket

import httpx
import pytest
from api_place import Place

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/junctions/J9_9", 404),
        ("GET", "/v1/junctions/%00", 404),
        ("GET", "/v1/junctions/%ff%fe", 404),
        ("GET", "/v1/junctions/%F0%9F%9A%A6%E2%80%AE", 404),
        ("GET", "/v1/junctions/" + 4000 * "x", 404),
        ("GET", "/assets/..%2f..%2fsettings.py", 404),
        ("GET", "/..%2f..%2f..%2fetc/passwd", 404),
        ("GET", "/%00", 404),
        ("DELETE", "/v1/city", 405),
        ("POST", "/", 405),
        ("GET", "/v1/control", 405),
        ("GET", "/v1/city?x=1", 400),
        ("GET", "/v1/ledger?offset=-1", 400),
        ("GET", "/v1/ledger?limit=0", 400),
        ("GET", "/v1/ledger?limit=ten", 400),
        ("GET", "/v1/ledger?offset=" + 400 * "9", 400),
        ("GET", "/v1/ledger?limit=1&limit=2", 400),
        ("GET", "/v1/ledger?limit=%00", 400),
        ("PUT", "/v1/brains/signals%00", 415),
    ],
)
def test_paths_and_queries(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    problem = answer.json()
    assert problem["status"] == status
    assert problem["detail"]
    if status == 405:
        assert "GET" in answer.headers["allow"] or "PUT" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/brains/signals", b""),
        ("/v1/brains/signals", b"{"),
        ("/v1/brains/signals", b"[]"),
        ("/v1/brains/signals", b'{"enabled": 0}'),
        ("/v1/brains/signals", b'{"enabled": "true"}'),
        ("/v1/brains/signals", b'{"enabled": true, "reason": 5}'),
        ("/v1/brains/signals", b'{"enabled": true, "extra": 1}'),
        ("/v1/brains/signals", b'{"enabled": true, "reason": "\\u0000"}'),
        ("/v1/brains/signals", b'{"enabled": true, "reason": "\\ud800"}'),
        ("/v1/brains/signals", b"\xff\xfe"),
        ("/v1/brains/signals", b'{"enabled": true, "reason": "' + 501 * b"x" + b'"}'),
        ("/v1/brains/signals", 20000 * b"[" + 20000 * b"]"),
        ("/v1/control", b'{"name": ""}'),
        ("/v1/control", b'{"name": "../x"}'),
    ],
)
def test_bodies(client: httpx.Client, path: str, body: bytes) -> None:
    answer = client.put(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["detail"]


@pytest.mark.parametrize("speed", ["-1", "101", "1e400", "NaN", "true", '"1"', "9" * 400])
def test_speeds(client: httpx.Client, speed: str) -> None:
    answer = client.patch(
        "/v1/twin", content=f'{{"speed": {speed}}}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400, answer.text


def test_other_media_types_and_large_bodies(client: httpx.Client) -> None:
    form = client.put("/v1/control", data={"name": "fixed"})
    assert (form.status_code, form.headers["content-type"]) == (415, PROBLEM)
    large = client.put("/v1/control", json={"name": "fixed", "reason": 70_000 * "x"})
    assert (large.status_code, large.headers["content-type"]) == (413, PROBLEM)
    chunked = client.put("/v1/control", content=(1000 * b"x" for _ in range(100)))
    assert chunked.status_code == 413


def test_unknown_brain(client: httpx.Client) -> None:
    answer = client.put("/v1/brains/%F0%9F%A7%A0", json={"enabled": True})
    assert answer.status_code == 404
    assert "signals" in answer.json()["detail"]


def test_what_is_no_http(live: Place) -> None:
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as raw:
        raw.sendall(b"\x16\x03\x01 what?\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400")
