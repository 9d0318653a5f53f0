"""Missions over HTTP: ordered, followed, cancelled, reported; the dispatcher's question."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest
from api_place import AWKWARD_ID, SIZE
from grid_city import grid_city

EDGES = list(grid_city(SIZE, awkward_id=AWKWARD_ID).network.edges.ids)


@pytest.fixture
def order(client: httpx.Client, request: pytest.FixtureRequest) -> dict[str, object]:
    return {
        "id": request.node.name[:60],
        "vehicle": "ambulance 7",
        "from_edge": EDGES[0],
        "to_edge": EDGES[-1],
    }


def test_a_mission_is_ordered_and_shown(client: httpx.Client, order: dict[str, object]) -> None:
    answer = client.post("/v1/missions", json={**order, "urgency": 3, "reason": "cardiac arrest"})
    assert answer.status_code == 201
    made = answer.json()
    assert made["mission"]["state"] == "expected"
    assert len(made["key"]) >= 24
    assert client.get(f"/v1/missions/{order['id']}").json()["urgency"] == 3
    assert order["id"] in [mission["id"] for mission in client.get("/v1/missions").json()]
    assert made["key"] not in client.get("/v1/missions").text


def test_only_the_key_of_the_order_reports_positions(client: httpx.Client, order: dict[str, object]) -> None:
    key = client.post("/v1/missions", json=order).json()["key"]
    body = {"key": key, "x_m": 10.0, "y_m": 0.0, "speed_mps": 5.0}
    address = f"/v1/missions/{order['id']}/positions"
    assert client.post(address, json=body).status_code == 202
    assert client.post(address, json={**body, "key": "guessed"}).status_code == 409
    assert client.post(address, json={**body, "speed_mps": -1.0}).status_code == 400
    assert client.post("/v1/missions/nobody/positions", json=body).status_code == 404


def test_a_mission_is_cancelled(client: httpx.Client, order: dict[str, object]) -> None:
    client.post("/v1/missions", json=order)
    address = f"/v1/missions/{order['id']}/cancellation"
    assert client.post(address, json={"reason": "false alarm"}).json()["state"] == "cancelled"
    assert client.post("/v1/missions/nobody/cancellation", json={}).status_code == 404
    assert "POST" in client.options("/v1/missions").headers["allow"]


def test_missions_under_way_come_with_the_state_of_the_city(
    client: httpx.Client, order: dict[str, object]
) -> None:
    def shown() -> list[str]:
        return [mission["id"] for mission in client.get("/v1/snapshot").json()["missions"]]

    def comes_to(holds: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < end, "it never came to that"
            time.sleep(0.2)

    client.post("/v1/missions", json={**order, "reason": "cardiac arrest"})
    comes_to(lambda: order["id"] in shown())
    client.post(f"/v1/missions/{order['id']}/cancellation", json={"reason": "false alarm"})
    comes_to(lambda: order["id"] not in shown())
    view = client.get(f"/v1/missions/{order['id']}").json()
    assert (view["ordered_by"], view["reason"]) == ("operator (demo)", "cardiac arrest")
    assert (view["cancelled_by"], view["cancel_reason"]) == ("operator (demo)", "false alarm")
    assert len(client.get("/v1/missions?limit=1").json()) == 1


def test_its_report_is_escaped(client: httpx.Client, order: dict[str, object]) -> None:
    client.post("/v1/missions", json={**order, "vehicle": "<script>alert(1)</script>"})
    page = client.get(f"/v1/missions/{order['id']}/report")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


def test_an_order_for_nowhere_is_refused(client: httpx.Client, order: dict[str, object]) -> None:
    answer = client.post("/v1/missions", json={**order, "to_edge": "nowhere"})
    assert answer.status_code == 404
    assert "street section" in answer.json()["detail"]


def test_the_dispatcher_is_answered(client: httpx.Client) -> None:
    answer = client.post(
        "/v1/dispatch", json={"address": EDGES[0], "places": {"a": EDGES[0], "b": EDGES[-1]}}
    )
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["name"] == "a"
    assert client.post("/v1/dispatch", json={"places": {"a": EDGES[0]}}).status_code == 400
    assert client.post("/v1/dispatch", json={"address": "nowhere"}).status_code == 404
