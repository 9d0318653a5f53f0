"""What-ifs over HTTP. No twin runs behind the stand-in: what is asked fails, and says why."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest


@pytest.fixture
def question(client: httpx.Client) -> dict[str, Any]:
    schema = client.get("/openapi.json").json()["components"]["schemas"]["WhatIfAsked"]
    return dict(schema["examples"][0])


def wait(client: httpx.Client, path: str, seconds: float = 60.0) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        view: dict[str, Any] = client.get(path).json()
        if view["state"] not in ("queued", "running"):
            return view
        time.sleep(0.2)
    raise AssertionError(f"{path} is still {view}")


def test_one_that_cannot_be_answered_says_why(client, question):
    answer = client.post("/v1/what-ifs", json=question)
    assert answer.status_code == 202
    view = wait(client, f"/v1/what-ifs/{answer.json()['id']}")
    assert view["state"] == "failed"
    assert "the twin does not give its state" in view["error"]
    assert "Traceback" not in view["error"]
    assert any(one["id"] == view["id"] for one in client.get("/v1/what-ifs").json())


def test_what_does_not_fit_the_city_is_refused_at_once(client, question):
    nowhere = {"change": {"closures": [{"edge": "no such road"}]}}
    assert client.post("/v1/what-ifs", json=nowhere).status_code == 404
    assert client.post("/v1/what-ifs", json={"change": {}}).status_code == 409  # nothing is changed
    for wrong in ({"minutes": 61}, {"seeds": 0}, {"model": "crystal ball"}, {"more": 1}):
        assert client.post("/v1/what-ifs", json=question | wrong).status_code == 400
    assert client.get("/v1/what-ifs/w-none").status_code == 404
    assert client.get("/v1/proposals/p-none").status_code == 404


def test_the_queue_is_short_and_who_waits_can_be_taken_out(client, question):
    asked = [client.post("/v1/what-ifs", json=question) for _ in range(7)]
    codes = [answer.status_code for answer in asked]
    assert set(codes) == {202, 409}
    for answer in asked:
        if answer.status_code == 202:
            path = f"/v1/what-ifs/{answer.json()['id']}"
            gone = client.delete(path)
            assert gone.status_code == 200
            assert gone.json()["state"] in ("cancelled", "failed")
            assert client.get(path).status_code == 404


def test_proposals_are_asked_and_followed(client, question):
    body = {"closure": question["change"]["closures"][0], "incident": "i-1", "minutes": 1, "seeds": 1}
    answer = client.post("/v1/proposals", json=body)
    assert answer.status_code == 202
    path = f"/v1/proposals/{answer.json()['id']}"
    assert client.get(path.replace("proposals", "what-ifs")).status_code == 404
    assert wait(client, path)["state"] == "failed"


def test_open_incidents_have_texts_for_signs(client):
    (one,) = client.get("/v1/sign-texts").json()
    assert one["incident"] == "i-1"
    assert set(one["texts"]) == {"en", "ko", "zh"}
    # the made-up city lies nowhere on earth
    assert client.get("/v1/situations").status_code in (200, 404)
