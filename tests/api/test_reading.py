"""What the API tells: city, geometry, snapshot, junctions, records."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

import httpx
import pytest
from api_place import AWKWARD_ID, SIZE, Place
from grid_city import grid_city

from civicbrain.api.geometry import geometry_of, lonlat_affine


def test_city_says_what_it_is(client: httpx.Client) -> None:
    city = client.get("/v1/city").json()
    assert city["name"] == "grid"
    assert city["junction_count"] == SIZE**2
    assert city["epoch"].endswith("Z")
    # a city without geography lies around 0° N 0° E, true to scale
    a, b, c, d, e, f = city["lonlat_affine"]
    assert (a, b, d, e) == pytest.approx((1 / 111320, 0, 0, 1 / 111320))
    x_low, y_low, x_high, y_high = city["bounds_m"]
    assert a * (x_low + x_high) / 2 + c == pytest.approx(0)
    assert e * (y_low + y_high) / 2 + f == pytest.approx(0)


def test_lonlat_of_a_projected_city() -> None:
    from dataclasses import replace

    from civicbrain.city.network import Projection

    city = grid_city(3)
    proj = "+proj=utm +zone=32 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"
    # Cologne cathedral: 50.94133° N 6.95812° E is 356_520, 5_645_160 in UTM zone 32 (to some metres)
    network = replace(city.network, projection=Projection(proj, -356_520.0, -5_645_160.0))
    _, _, c, _, e, f = lonlat_affine(replace(city, network=network))
    assert c == pytest.approx(6.958, abs=2e-3)
    assert f == pytest.approx(50.941, abs=2e-3)
    assert e == pytest.approx(1 / 111_250, rel=2e-3)


def test_geometry_rows_and_caching(client: httpx.Client) -> None:
    answer = client.get("/v1/city/geometry")
    assert answer.headers["content-encoding"] == "gzip"
    geometry = answer.json()
    city = grid_city(SIZE, awkward_id=AWKWARD_ID)
    assert len(geometry["lanes"]["points"]) == len(city.network.lanes.ids)
    assert geometry["lanes"]["points"][0] == pytest.approx(
        city.network.lanes.shape(0).ravel().tolist(), abs=0.05
    )
    assert [j["id"] for j in geometry["junctions"]] == [j.id for j in city.junctions]
    again = client.get("/v1/city/geometry", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = client.get("/v1/city/geometry", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == geometry


def test_heads_stand_at_stop_lines() -> None:
    city = grid_city(1)
    heads = geometry_of(city).heads
    assert len(heads) == 8  # four approaches of two lanes
    north = [head for head in heads if head.angle_deg == 0]
    assert {head.group for head in north} == {0}
    assert {head.y_m for head in north} == {190.0}


def test_snapshot_and_junctions_agree(client: httpx.Client) -> None:
    snapshot = client.get("/v1/snapshot").json()
    assert snapshot["stale"] is False
    assert len(snapshot["junction_delay_s"]) == SIZE**2
    assert snapshot["junction_delay_s"][1] is None  # NaN on the wire: nobody served lately
    junctions = client.get("/v1/junctions").json()
    assert junctions[1]["delay_s"] is None
    assert junctions[0]["mode"] in ("central", "local")
    assert junctions[0]["stage"] in ("1", "2")


def test_a_junction_with_an_awkward_id(client: httpx.Client) -> None:
    junction = client.get("/v1/junctions/" + quote(AWKWARD_ID, safe="")).json()
    assert junction["id"] == AWKWARD_ID
    assert junction["conflict"][0][1] == 2
    assert junction["intergreen_s"][0][1] == 5
    assert len(junction["lamps"]) == 4
    assert junction["local_plan"]["cycle_s"] == 90
    assert junction["explanation"]["chosen"] in ("1", "2")  # its stages: the stand-in changes its mind


def test_head_is_get_without_body(client: httpx.Client) -> None:
    answer = client.head("/v1/city")
    assert (answer.status_code, answer.content) == (200, b"")


def test_alert_stream_resumes(client: httpx.Client) -> None:
    """EventSource asks by name and is kept up to date; after a break it goes on where it was."""
    with client.stream("GET", "/v1/alerts/stream", headers={"Accept": "text/event-stream"}) as stream:
        first = _events(stream, 2)
    assert all(json.loads(event["data"])["brain"] == "signals" for event in first)
    time.sleep(1.1)
    headers = {"Accept": "text/event-stream", "Last-Event-ID": first[-1]["id"]}
    with client.stream("GET", "/v1/alerts/stream", headers=headers) as stream:
        onward = _events(stream, 1)
    before, after = (int(event["id"].rpartition("-")[2]) for event in (first[-1], onward[0]))
    assert after == before + 1
    # an id of another process: everything kept comes again
    once = client.get("/v1/alerts/stream", headers={"Last-Event-ID": "0-99999"})
    assert once.text.count("event: alert") >= 3


def test_alert_clients_that_leave_are_forgotten(client: httpx.Client, live: Place) -> None:
    with client.stream("GET", "/v1/alerts/stream", headers={"Accept": "text/event-stream"}) as stream:
        lines = stream.iter_lines()  # kept: an iterator that is thrown away closes the connection
        assert next(lines).startswith("retry:")
        live.wait_until(lambda health: health["alert_clients"] == 1)
    live.wait_until(lambda health: health["alert_clients"] == 0)


def test_openapi_is_3_1_and_declares_problems(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for item in document["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"]
            assert {"400", "405", "429", "500"} <= set(operation["responses"])
    for name in ("ControlChange", "TwinChange", "BrainSwitch"):
        assert document["components"]["schemas"][name]["additionalProperties"] is False


def _events(stream: httpx.Response, count: int) -> list[dict[str, str]]:
    events: list[dict[str, str]] = []
    event: dict[str, str] = {}
    for line in stream.iter_lines():
        if not line and "data" in event:
            events.append(event)
            event = {}
            if len(events) == count:
                break
        elif ": " in line and not line.startswith(":"):
            key, _, value = line.partition(": ")
            event[key] = value
    return events
