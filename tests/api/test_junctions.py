"""Overrides, the last minutes, the ground plan, the worst junctions and the vital signs, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from api_place import AWKWARD_ID, SIZE

ORDER = {"action": "stage", "stage": "", "duration_s": 60, "reason": "queue on the side street"}


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


@pytest.fixture
def path(client: httpx.Client) -> Iterator[str]:
    client.patch("/v1/twin", json={"paused": False, "speed": 1})  # as other tests may have left it
    junction = client.get("/v1/junctions").json()[SIZE + 1]["id"]
    yield f"/v1/junctions/{quote(junction, safe='')}"
    client.delete(f"/v1/junctions/{quote(junction, safe='')}/override")


def test_a_junction_is_taken_over_shown_and_given_back(client: httpx.Client, path: str) -> None:
    detail = client.get(path).json()
    stage = detail["stages"][-1]["id"]
    answer = client.post(f"{path}/override", json=ORDER | {"stage": stage})
    assert answer.status_code == 201, answer.text
    override = answer.json()
    assert (override["stage"], override["accepted"], override["actor"]) == (stage, True, "operator (demo)")
    assert override["expires_s"] - override["since_s"] == 60
    until(lambda: client.get(f"{path}/override").json()["shown_s"] is not None)
    now = client.get(f"{path}/override").json()
    assert now["expires_s"] - now["shown_s"] == now["duration_s"] == 60  # runs from when it is shown
    assert (now["since_s"], now["stage"]) == (override["since_s"], stage)
    [listed] = client.get("/v1/overrides").json()["overrides"]
    assert listed["junction"] == detail["id"]
    until(lambda: [o["junction"] for o in client.get("/v1/snapshot").json()["overrides"]] == [detail["id"]])
    until(lambda: client.get(f"{path}/recent").json()["modes"][-1]["value"] == "manual")
    recent = client.get(f"{path}/recent").json()
    assert recent["holder"]["brain"] == "operator"
    planned = recent["planned"][0]
    assert (planned["by"], planned["who"]) == ("override", "operator (demo)")
    assert (planned["stage"], planned["until_s"]) == (stage, now["expires_s"])
    ended = client.delete(f"{path}/override", params={"reason": "the queue is gone"})
    assert ended.json()["ended"]["stage"] == stage
    assert client.get(f"{path}/override").status_code == 404
    assert client.delete(f"{path}/override").status_code == 404
    count = client.get("/v1/ledger?limit=1").json()["count"]
    entries = client.get(f"/v1/ledger?offset={max(0, count - 20)}&limit=20").json()["entries"]
    told = [e["body"] for e in entries if e["kind"] == "override" and e["actor"] == "operator (demo)"]
    assert [body["what"] for body in told[-2:]] == ["begin", "give back"]
    assert told[-1]["reason"] == "the queue is gone"


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"duration_s": 301, "stage": "?"}, 409, "10 to 300"),
        ({"duration_s": 5}, 400, "duration_s"),
        ({"duration_s": 3601, "action": "local"}, 400, "duration_s"),
        ({"action": "explode"}, 400, "action"),
        ({"reason": "   "}, 400, "reason"),
        ({"stage": "no such stage"}, 404, "no such stage"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(
    client: httpx.Client, path: str, change: dict[str, object], status: int, says: str
) -> None:
    stage = client.get(path).json()["stages"][0]["id"]
    if change.get("stage") == "?":
        change = change | {"stage": stage}
    answer = client.post(f"{path}/override", json=ORDER | {"stage": stage} | change)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["detail"]
    assert client.get(f"{path}/override").status_code == 404


def test_the_record_of_a_junction_has_all_its_overrides_and_no_others(
    client: httpx.Client, path: str
) -> None:
    before = len(client.get(f"{path}/record").json())
    stage = client.get(path).json()["stages"][-1]["id"]
    for reason in ("first", "second"):
        order = ORDER | {"stage": stage, "reason": reason}
        assert client.post(f"{path}/override", json=order).status_code == 201
        assert client.delete(f"{path}/override").status_code == 200
    told = client.get(f"{path}/record").json()[: -before or None]
    assert [one["body"]["what"] for one in told] == ["give back", "begin", "give back", "begin"]
    assert [one["body"]["reason"] for one in told if one["body"]["what"] == "begin"] == ["second", "first"]
    assert len({one["body"]["junction"] for one in told}) == 1
    assert client.get("/v1/junctions/nowhere/record").status_code == 404


def test_the_last_minutes_say_what_was_shown_and_who_waited(client: httpx.Client, path: str) -> None:
    recent = client.get(f"{path}/recent").json()
    detail = client.get(path).json()
    assert [g["group"] for g in recent["groups"]] == [g["id"] for g in detail["groups"]]
    for group in recent["groups"]:
        parts = group["lamps"]
        assert parts[0]["from_s"] == recent["from_s"]
        assert all(a["until_s"] == b["from_s"] for a, b in pairwise(parts))
    assert len(recent["approaches"]) == 4
    for approach in recent["approaches"]:
        assert len(approach["queue_veh"]) == len(recent["steps_s"])
        assert set(approach["groups"]) <= {g["id"] for g in detail["groups"]}


def test_the_ground_plan_draws_the_junction(client: httpx.Client, path: str) -> None:
    plan = client.get(f"{path}/ground-plan").json()
    roles = [lane["role"] for lane in plan["lanes"]]
    assert {"approach", "exit"} <= set(roles)
    for movement in plan["movements"]:
        assert roles[movement["from_lane"]] == "approach"
        assert plan["lanes"][movement["to_lane"]]["role"] == "exit"
        assert -1 <= movement["group"] < len(plan["kinds"])
    awkward = client.get(f"/v1/junctions/{quote(AWKWARD_ID, safe='')}/ground-plan")
    assert awkward.json()["id"] == AWKWARD_ID
    assert client.get("/v1/junctions/nowhere/ground-plan").status_code == 404


def test_queues_and_camera_views_name_lanes_of_the_geometry(client: httpx.Client) -> None:
    lanes = len(client.get("/v1/city/geometry").json()["lanes"]["points"])
    queues, views = client.get("/v1/queues").json(), client.get("/v1/camera-views").json()
    assert len(queues["lane"]) == len(queues["queue_veh"])
    assert queues["silent"] == []
    assert views["unseen"] == []
    assert all(0 <= lane < lanes for lane in (*queues["lane"], *views["lane"]))
    assert all(0 < reach <= views["range_m"] for reach in views["reach_m"])


def test_the_worst_comes_first_and_says_why(client: httpx.Client) -> None:
    places = client.get("/v1/worst-junctions", params={"limit": 3}).json()
    assert 1 <= len(places) <= 3
    standing = [place["standing_veh"] for place in places]
    assert standing == sorted(standing, reverse=True)
    assert all(place["causes"] and place["causes"][0]["says"].endswith(".") for place in places)


def test_no_stage_is_advised_that_the_brain_has_in_hand(client: httpx.Client) -> None:
    causes = [c for place in client.get("/v1/worst-junctions").json() for c in place["causes"]]
    advised = [c for c in causes if c["kind"] in ("unknown", "full-approach", "uneven") and c["stage"]]
    assert all(c["remedy"] == "see-reasons" and c["stage_state"] for c in advised)  # the brain weighs all


def test_why_says_when_it_was_said(client: httpx.Client, path: str) -> None:
    before = client.get("/v1/snapshot").json()["time_s"]
    detail = client.get(path).json()
    assert before - 5.0 <= detail["explained_s"]
    assert detail["stage"] == detail["explanation"]["chosen"]
    assert len(detail["lamps"]) == len(detail["groups"])


def test_the_list_and_the_tile_say_the_same_of_local_mode(client: httpx.Client) -> None:
    def tile() -> float:
        signs = client.get("/v1/vital-signs").json()["signs"]
        return next(float(sign["value"]) for sign in signs if sign["id"] == "local-controllers")

    def told() -> int:
        places = client.get("/v1/worst-junctions").json()
        return sum(any(c["kind"] == "local-mode" for c in place["causes"]) for place in places)

    until(lambda: tile() == 0)
    assert told() == 0
    client.put("/v1/control", json={"name": "fixed", "reason": "a test"})
    try:
        # tile and list are asked one after the other, and a loaded brain may take controllers back in between
        until(lambda: tile() == SIZE**2 and told() == len(client.get("/v1/worst-junctions").json()) > 0)
    finally:
        client.put("/v1/control", json={"name": "max-pressure", "reason": "the test is over"})
    until(lambda: tile() == 0)


def test_vital_signs_say_what_they_do_not_know(client: httpx.Client) -> None:
    def ask() -> dict[str, dict[str, Any]]:
        return {sign["id"]: sign for sign in client.get("/v1/vital-signs").json()["signs"]}

    # the history is asked, nobody waits for it
    until(lambda: ask()["delay"]["usual_note"] in ("no-days", "no-history"))
    until(lambda: ask()["brains"]["value"] == 1.0)  # it may still be starting after the test before
    signs = ask()
    assert len(signs) == 8
    assert signs["delay"]["fixed"] == 49.0
    without = {name for name, sign in signs.items() if sign["fixed_note"] == "no-meaning"}
    assert without == {"spill-backs", "incidents", "silent-cameras", "local-controllers", "brains"}
    assert all(signs[name]["fixed"] is None for name in without)  # a 0 would be read as better or worse
    assert signs["local-controllers"]["of"] == SIZE**2
    for sign in signs.values():
        assert (sign["usual"] is None) == bool(sign["usual_note"])
    assert signs["delay"]["usual_note"] in ("no-days", "no-history")
