"""Field cameras over HTTP: posting with a key, limits, what is shown of each."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import patient
import pytest
from api_place import AWKWARD_ID, SIZE, Place

sys.path.insert(0, str(Path(__file__).parent))
from grid_city import grid_city
from stand_in import INTAKE_KEY

from civicbrain.api.door.access import OBSERVATIONS
from civicbrain.city.intake import Sources, encode_frames

SOURCES = Sources(grid_city(SIZE, awkward_id=AWKWARD_ID))
KEY = {"Authorization": f"Bearer {INTAKE_KEY}"}
MSGPACK = KEY | {"Content-Type": "application/msgpack"}
QUIET, BUSY = SOURCES.ids[-1], SOURCES.ids[1]


def frame(source: str = BUSY, vehicles: int = 2) -> dict[str, object]:
    lane = SOURCES.lane_ids(SOURCES.row[source])[0]
    seen = [{"lane": lane, "distance": 10.0 * n, "speed": 3.0} for n in range(vehicles)]
    return {"source": source, "vehicles": seen}


def wait_until_later(client: httpx.Client) -> None:
    """Until the platform's second is another: a frame of the same second is not newer than the last."""
    first, end = client.get("/v1/snapshot").json()["time_s"], time.monotonic() + 60.0
    while client.get("/v1/snapshot").json()["time_s"] < first + 2.0:  # what is shown may be a second old
        assert time.monotonic() < end, "the platform's time stands still"
        time.sleep(0.05)


def test_a_camera_posts_and_shows(client: httpx.Client) -> None:
    before = client.get(f"/v1/sources/{quote(BUSY, safe='')}").json()["rows"]

    def shown_when(rows: int) -> dict[str, Any]:
        """The camera as it is shown once so many more rows were taken in: at the loop's next turn."""
        end = time.monotonic() + 60.0
        while time.monotonic() < end:
            shown: dict[str, Any] = client.get(f"/v1/sources/{quote(BUSY, safe='')}").json()
            if shown["rows"] - before >= rows:
                break
            time.sleep(0.02)
        return shown

    answer = client.post(OBSERVATIONS, json=frame(), headers=KEY)
    assert answer.status_code == 202
    assert answer.json() == {"frames": 1, "rows": 2, "unknown": 0}
    shown_when(2)
    wait_until_later(client)
    many = encode_frames([BUSY, QUIET], lane=[0], distance_m=[1], speed_mps=[2], rows=[1, 0])
    assert client.post(OBSERVATIONS, content=many, headers=MSGPACK).json()["frames"] == 2
    shown = shown_when(3)
    assert shown["lanes"] == SOURCES.lane_ids(SOURCES.row[BUSY])
    assert shown["rows"] - before == 3
    assert 0 <= shown["age_s"] < 30
    page = client.get("/v1/sources", params={"limit": 2, "offset": 1}).json()
    assert page["count"] == len(SOURCES.ids)
    assert [one["id"] for one in page["sources"]] == list(SOURCES.ids[1:3])
    silent = client.get("/v1/sources", params={"only": "silent", "limit": 1000}).json()
    assert BUSY not in [one["id"] for one in silent["sources"]]
    end = time.monotonic() + 60.0  # the state is published each second
    while client.get("/v1/intake").json()["speaking"] < 1:
        assert time.monotonic() < end, "no camera is said to speak"
        time.sleep(0.05)


def test_an_awkward_id_is_a_source_like_any_other(client: httpx.Client) -> None:
    assert client.post(OBSERVATIONS, json=frame(AWKWARD_ID), headers=KEY).status_code == 202
    assert client.get(f"/v1/sources/{quote(AWKWARD_ID, safe='')}").json()["id"] == AWKWARD_ID


@pytest.mark.parametrize(
    ("body", "headers", "status", "says"),
    [
        (b"{}", {}, 401, "Bearer"),
        (b"{}", {"Authorization": "Basic abc"}, 401, "Bearer"),
        (json.dumps(frame()).encode(), {"Authorization": "Bearer wrong"}, 401, "does not fit"),
        (b"{}", KEY, 400, "malformed"),
        (b"", KEY, 400, "malformed"),
        (json.dumps(frame() | {"speed_unit": "warp"}).encode(), KEY, 400, "bad-unit"),
        (json.dumps(frame() | {"source": "nobody"}).encode(), KEY, 404, "/v1/sources"),
        (json.dumps(frame(vehicles=300)).encode(), KEY, 413, "too-large"),
        (b"x" * (1024 * 1024 + 1), KEY, 413, "larger"),
    ],
)
def test_what_is_not_taken_is_told(
    client: httpx.Client, body: bytes, headers: dict[str, str], status: int, says: str
) -> None:
    answer = client.post(OBSERVATIONS, content=body, headers={"Content-Type": "application/json"} | headers)
    assert answer.status_code == status
    assert says in answer.json()["detail"]
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_forms_and_pages_of_others_may_not_post(client: httpx.Client) -> None:
    assert client.post(OBSERVATIONS, data={"a": "b"}, headers=KEY).status_code == 415
    foreign = KEY | {"Origin": "https://elsewhere.example"}
    assert client.post(OBSERVATIONS, json=frame(), headers=foreign).status_code == 403


@pytest.mark.parametrize(
    "path", ["/v1/sources/nobody", "/v1/sources/%ff", "/v1/sources/" + 300 * "x", "/v1/sources/%00"]
)
def test_sources_that_are_not_there(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_wrong_choices_are_refused(client: httpx.Client) -> None:
    assert client.get("/v1/sources?only=loud").status_code == 400
    assert client.get("/v1/sources?limit=0").status_code == 400


def test_open_to_others_cameras_need_their_key_only(place_of: Callable[[], Place]) -> None:
    """The operator's token does not let a camera speak, and a camera's key opens nothing else."""
    place = place_of()
    place.start_backend()
    place.start_api("--host", "0.0.0.0")
    place.wait_ready()
    token = {"Authorization": f"Bearer {(place.run_dir / 'api.token').read_text().strip()}"}
    with patient.Client(base_url=place.url) as client:
        assert client.post(OBSERVATIONS, json=frame(), headers=KEY).status_code == 202
        assert client.post(OBSERVATIONS, json=frame(), headers=token).status_code == 401
        assert client.get("/v1/sources", headers=KEY).status_code == 401
        assert client.get("/v1/sources", headers=token).status_code == 200


def test_too_many_messages_are_told_to_wait_and_harm_no_operator(
    place_of: Callable[[], Place],
) -> None:
    place = place_of()
    place.start_backend()
    place.start_api("--intake-rate", "0.5")
    place.wait_ready()
    with patient.Client(base_url=place.url) as client:
        answers = [client.post(OBSERVATIONS, json=frame(), headers=KEY) for _ in range(8)]
        late = [answer for answer in answers if answer.status_code == 429]
        assert late
        assert int(late[0].headers["retry-after"]) >= 1
        assert client.get("/v1/health").status_code == 200


def test_without_a_brain_process_a_camera_is_told_to_try_again(place_of: Callable[[], Place]) -> None:
    place = place_of()
    place.start_api()
    place.wait_until(lambda health: health["status"] == "degraded")
    with patient.Client(base_url=place.url) as client:
        answer = client.post(OBSERVATIONS, json=frame(), headers=KEY)
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
