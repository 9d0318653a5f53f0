"""Cases, reports, alarms, notices and the handover note over HTTP, in front of a real cases process."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import patient
import pytest
from api_place import REPORTER_KEYS, Place

_numbers = itertools.count(1)


def spot(**more: Any) -> dict[str, Any]:
    """A place of its own for each call: nothing else is near."""
    return {"x_m": 50_000.0 * next(_numbers), "y_m": -20_000.0, "edge": "e", "lanes": [0], **more}


@pytest.fixture
def case(client: httpx.Client) -> dict[str, Any]:
    answer = client.post("/v1/cases", json={"kind": "crash", "place": spot()})
    assert answer.status_code == 201
    return answer.json()


def move(client: httpx.Client, case: str, to: str, **more: Any) -> httpx.Response:
    return client.post(f"/v1/cases/{case}/moves", json={"to": to, **more})


def test_a_case_is_worked_on_to_its_end(client: httpx.Client, case: dict[str, Any]) -> None:
    name = case["id"]
    assert move(client, name, "triage").status_code == 200
    answer = move(client, name, "assignment")
    assert answer.status_code == 409
    assert "'injured'" in answer.json()["detail"]
    assert client.put(f"/v1/cases/{name}/steps/injured", json={"state": "done"}).status_code == 200
    assert move(client, name, "assignment", assigned_to="patrol 3").json()["assigned_to"] == "patrol 3"
    assert (
        client.put(f"/v1/cases/{name}/holder", json={"to": "night shift"}).json()["holder"] == "night shift"
    )
    assert client.put(f"/v1/cases/{name}/urgency", json={"to": "low"}).json()["urgency"] == "low"
    assert client.post(f"/v1/cases/{name}/notes", json={"text": "the road is\nwet"}).status_code == 201
    closed = move(client, name, "closed", outcome="false_alarm", reason="nothing there")
    assert closed.json()["outcome"] == "false_alarm"
    told = client.get(f"/v1/cases/{name}").json()
    assert told["moves"] == ["triage"]
    assert [e["detail"]["text"] for e in told["events"] if e["what"] == "note"] == ["the road is\nwet"]
    assert told["events"][0]["actor"] == "operator (demo)"
    assert told["events"][0]["at"].endswith("Z")
    assert move(client, name, "triage").json()["outcome"] is None


def test_what_was_seen_is_changed_and_nothing_newer(client: httpx.Client, case: dict[str, Any]) -> None:
    name, version = case["id"], case["version"]
    assert move(client, name, "triage", version=version).status_code == 200
    answer = move(client, name, "closed", outcome="resolved", version=version)
    assert answer.status_code == 409
    assert "has changed" in answer.json()["detail"]


def test_a_call_under_a_key_is_done_once(client: httpx.Client) -> None:
    order = {"kind": "congestion", "place": spot(), "key": f"mine-{time.time_ns()}"}
    first, again = (client.post("/v1/cases", json=order).json() for _ in range(2))
    assert first == again


def test_lists_are_filtered_and_paged(client: httpx.Client, case: dict[str, Any]) -> None:
    found = client.get("/v1/cases", params={"open": True, "in_state": "reception", "limit": 1}).json()
    assert len(found["cases"]) == 1
    assert found["count"] >= 1
    kinds = {one["kind"] for one in client.get("/v1/cases", params={"kind": "crash"}).json()["cases"]}
    assert kinds == {"crash"}
    assert client.get("/v1/cases", params={"in_state": "nowhere"}).status_code == 400
    assert client.get("/v1/cases/case-999999").status_code == 404
    assert client.get("/v1/cases/nothing").status_code == 404


def test_two_cases_become_one(client: httpx.Client, case: dict[str, Any]) -> None:
    other = client.post("/v1/cases", json={"kind": "crash", "place": spot()}).json()
    kept = client.post(f"/v1/cases/{other['id']}/merger", json={"into": case["id"]}).json()
    assert kept["id"] == case["id"]
    gone = client.get(f"/v1/cases/{other['id']}").json()["case"]
    assert (gone["state"], gone["merged_into"]) == ("closed", case["id"])


# -- reports


def report(client: httpx.Client, role: str | None, place: dict[str, Any], **more: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {REPORTER_KEYS[role]}"} if role else {}
    return client.post("/v1/reports", json={"kind": "crash", "place": place, **more}, headers=headers)


def test_reports_of_many_are_one_case_and_their_words_are_evidence(client: httpx.Client) -> None:
    place = spot()
    first = report(client, "citizen", place, text="smoke", ago_s=60.0)
    assert first.status_code == 201
    assert (first.json()["report"]["reporter"], first.json()["new_case"]) == ("citizen", True)
    second = report(client, "police", {**place, "x_m": place["x_m"] + 50.0})
    assert (second.json()["new_case"], second.json()["case"]) == (False, first.json()["case"])
    for_somebody = report(client, None, place, reporter="department").json()
    assert for_somebody["report"]["reporter"] == "department"
    name = first.json()["case"]
    assert client.get(f"/v1/cases/{name}").json()["case"]["reports"] == 3
    assert "smoke" not in client.get(f"/v1/cases/{name}").text
    assert "smoke" not in client.get("/v1/reports").text
    assert client.post(f"/v1/cases/{name}/evidence", json={"reason": ""}).status_code == 400
    seen = client.post(f"/v1/cases/{name}/evidence", json={"reason": "triage"}).json()
    assert [one["text"] for one in seen["statements"]] == ["smoke", "", ""]
    last = client.get(f"/v1/cases/{name}").json()["events"][-1]
    assert (last["what"], last["actor"], last["detail"]) == (
        "evidence-seen",
        "operator (demo)",
        {"reason": "triage"},
    )


def test_only_known_reporters_in_their_role_and_not_too_often(client: httpx.Client) -> None:
    wrong = {"authorization": "Bearer somebody-elses-key"}
    order = {"kind": "crash", "place": spot()}
    assert client.post("/v1/reports", json=order, headers=wrong).status_code == 401
    assert report(client, "citizen", spot(), reporter="police").status_code == 403
    answers = [report(client, "field_crew", order["place"]) for _ in range(25)]
    assert {answer.status_code for answer in answers} == {201, 429}
    assert answers[-1].headers["retry-after"]


def test_on_an_open_address_reporters_need_their_key_and_not_the_operators(
    place_of: Callable[[], Place],
) -> None:
    place = place_of()
    place.start_cases()
    place.start_api("--host", "0.0.0.0")
    place.wait_until(lambda health: bool(health["cases"]["answering"]), 60)  # type: ignore[index]
    token = (place.run_dir / "api.token").read_text().strip()
    with patient.Client(base_url=place.url) as client:
        assert client.post("/v1/reports", json={"kind": "crash", "place": spot()}).status_code == 401
        made = report(client, "police", spot())
        assert (made.status_code, made.json()["report"]["reporter"]) == (201, "police")
        key = {"authorization": f"Bearer {REPORTER_KEYS['police']}"}
        assert client.get("/v1/cases", headers=key).status_code == 401
        operator = {"authorization": f"Bearer {token}"}
        answer = client.post(
            "/v1/reports", json={"kind": "crash", "place": spot(), "reporter": "citizen"}, headers=operator
        )
        assert answer.status_code == 201
        assert client.get("/v1/cases", headers=operator).json()["count"] == 2


# -- alarms, notices, notes


def test_alarms_that_stand_are_shown_and_can_be_worked_on(client: httpx.Client, case: dict[str, Any]) -> None:
    found = client.get("/v1/alarms").json()
    assert (found["lost"], found["standing"]) == (0, sum(group["alarms"] for group in found["groups"]))
    assert client.post("/v1/alarms/acknowledgements", json={"alarms": [10**9]}).status_code == 404
    assert client.post("/v1/alarms/acknowledgements", json={"group": "000000000000"}).status_code == 404
    assert (
        client.post("/v1/alarms/shelvings", json={"alarms": [], "for_s": 60, "reason": ""}).status_code == 400
    )
    assert client.post("/v1/alarms/acknowledgements", json={"alarms": []}).json() == {"alarms": 0}
    assert client.get("/v1/alarms/999999999").status_code == 404
    for one in found["alarms"]:
        assert client.get(f"/v1/alarms/{one['id']}").json()["alarm"]["id"] == one["id"]


def test_notices_without_an_address_are_shown(client: httpx.Client, case: dict[str, Any]) -> None:
    name = case["id"]
    move(client, name, "triage")
    client.put(f"/v1/cases/{name}/steps/injured", json={"state": "skipped", "reason": "test"})
    move(client, name, "assignment")
    found = client.get("/v1/notices", params={"case": name}).json()
    assert {one["recipient"]: one["state"] for one in found["notices"]} == {
        "police": "unaddressed", "ambulance": "unaddressed"
    }  # fmt: skip
    answer = client.post(f"/v1/notices/{found['notices'][0]['id']}/attempts", json={})
    assert answer.status_code == 409
    assert client.post(f"/v1/cases/{name}/notices", json={"recipient": "police"}).status_code == 404


def test_the_note_and_the_week(client: httpx.Client, case: dict[str, Any]) -> None:
    note = client.get("/v1/handover", params={"hours": 1}).json()
    assert note["live"]
    assert case["id"] in [one["id"] for one in note["open_cases"]]
    text = client.get("/v1/handover/text").text
    assert case["id"] in text
    week = client.get("/v1/quality").json()
    assert "crash" in [one["kind"] for one in week["kinds"]]
    assert client.get("/v1/quality", params={"week": "2026-W99"}).status_code == 400
    assert client.get("/v1/quality", params={"week": "2027-W53"}).status_code == 404


def test_a_shift_is_signed_over_and_taken(client: httpx.Client, case: dict[str, Any]) -> None:
    order = {"to": "ben", "hours": 4, "remark": "watch the bridge"}
    signed = client.post("/v1/handovers", json=order)
    assert signed.status_code == 201
    number = signed.json()["id"]
    kept = client.get(f"/v1/handovers/{number}").json()
    assert "hands this shift over to ben: watch the bridge\n" in kept["text"]
    assert case["id"] in kept["text"]
    assert case["id"] in [one["id"] for one in json.loads(kept["record"])["open_cases"]]
    assert kept["intact"]
    assert kept["signature"]["remark"] == "watch the bridge"
    taken = client.post(f"/v1/handovers/{number}/acceptance", json={}).json()
    assert taken["taken"]
    assert client.post(f"/v1/handovers/{number}/acceptance", json={}).status_code == 409
    assert client.get("/v1/handovers").json()[0] == taken
    assert client.get("/v1/handovers/999999").status_code == 404


def test_a_what_if_is_linked_to_its_case(client: httpx.Client, case: dict[str, Any]) -> None:
    name = case["id"]
    link = {"what_if": "w-1", "title": "one lane closed"}
    assert client.post(f"/v1/cases/{name}/what-ifs", json=link).status_code == 201
    assert [one["id"] for one in client.get(f"/v1/cases/{name}").json()["what_ifs"]] == ["w-1"]
    assert client.post(f"/v1/cases/{name}/what-ifs", json={"what_if": "no such id!"}).status_code == 400


def test_a_change_is_told_on_the_stream(client: httpx.Client, live: Place) -> None:
    """A page needs to ask nothing until something has changed."""

    def changes() -> Iterator[int]:
        accept = {"accept": "text/event-stream"}
        with httpx.stream("GET", f"{live.url}/v1/alerts/stream", headers=accept, timeout=60) as answer:
            name = ""
            for line in answer.iter_lines():
                name = line.removeprefix("event: ") if line.startswith("event: ") else name
                if name == "cases" and line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))["changes"]

    told = changes()
    before = next(told)
    client.post("/v1/cases", json={"kind": "crash", "place": spot()})
    assert any(number > before for number in itertools.islice(told, 8))
    told.close()


def test_procedures_can_be_read(client: httpx.Client) -> None:
    found = {one["kind"]: one for one in client.get("/v1/procedures").json()}
    assert found["crash"]["rules"]["states"]["reception"]["deadline"] == 60.0
    assert len(found) == 8


def test_a_city_goes_on_without_its_cases(place_of: Callable[[], Place]) -> None:
    place = place_of()
    place.start_backend()
    place.start_api()
    cases = place.start_cases()
    place.wait_ready()
    place.wait_cases()
    cases.kill()
    place.wait_until(lambda health: not health["cases"]["answering"])  # type: ignore[index]
    assert patient.get(f"{place.url}/v1/snapshot").status_code == 200
    answer = patient.get(f"{place.url}/v1/cases")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
