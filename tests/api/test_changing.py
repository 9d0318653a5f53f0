"""What the API changes, and that it stands in the ledger."""

from __future__ import annotations

import httpx


def test_a_brain_is_switched_with_reason(client: httpx.Client) -> None:
    off = client.put("/v1/brains/signals", json={"enabled": False, "reason": "works on the ring road"})
    assert off.json()["state"] == "off"
    on = client.put("/v1/brains/signals", json={"enabled": True})
    assert on.json()["state"] == "running"
    count = client.get("/v1/ledger?limit=1").json()["count"]
    page = client.get(f"/v1/ledger?offset={count - 2}&limit=2").json()
    assert [entry["kind"] for entry in page["entries"]] == ["brain-switch", "brain-switch"]
    assert page["entries"][0]["actor"] == "operator (demo)"
    assert page["entries"][0]["body"]["reason"] == "works on the ring road"
    assert client.get("/v1/ledger/verification").json()["ok"] is True


def test_the_control_is_changed(client: httpx.Client) -> None:
    names = [option["name"] for option in client.get("/v1/controls").json()["available"]]
    assert "fixed" in names
    assert client.put("/v1/control", json={"name": "fixed"}).json()["current"] == "fixed"
    assert client.put("/v1/control", json={"name": "max-pressure"}).json()["current"] == "max-pressure"
    unknown = client.put("/v1/control", json={"name": "no-such"})
    assert unknown.status_code == 404
    assert "fixed" in unknown.json()["detail"]


def test_the_twin_is_paused_and_set_to_a_speed(client: httpx.Client) -> None:
    twin = client.patch("/v1/twin", json={"paused": True, "speed": 4}).json()
    assert (twin["paused"], twin["speed"]) == (True, 4)
    twin = client.patch("/v1/twin", json={"paused": False, "speed": 1, "reason": "go on"}).json()
    assert (twin["paused"], twin["speed"]) == (False, 1)
