"""What-ifs over HTTP. No twin runs behind the stand-in: what is asked fails, and says why."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from civicbrain.api import what_ifs
from civicbrain.api.settings import Settings
from civicbrain.api.what_if_jobs import Job, JobFolder
from civicbrain.api.what_ifs import KEPT_FOLDER
from civicbrain.city.whatif import Change, Question
from civicbrain.contracts.sandbox import sandbox_city


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
    assert client.post("/v1/what-ifs", json=question | {"moment": "r0000-t0000300"}).status_code == 404
    for wrong in ({"minutes": 61}, {"seeds": 0}, {"model": "crystal ball"}, {"more": 1}, {"moment": "../x"}):
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


def test_what_is_kept_outlives_the_process_and_decisions_stand_in_the_ledger(live, client, question):
    """As another API process reads the folder of this one."""
    answer = client.post("/v1/what-ifs", json=question | {"title": "lane closed", "case": "no-such-case"})
    assert answer.status_code == 404  # it stands in its case, or it is not asked
    name = client.post("/v1/what-ifs", json=question | {"title": "lane closed"}).json()["id"]
    wait(client, f"/v1/what-ifs/{name}")
    count = client.get("/v1/ledger?limit=1").json()["count"]
    entries = client.get(f"/v1/ledger?offset={max(0, count - 20)}&limit=20").json()["entries"]
    (entry,) = [one for one in entries if one["body"].get("what_if") == name]
    assert (entry["kind"], entry["actor"]) == ("what-if", "operator (demo)")
    assert entry["body"]["title"] == "lane closed"
    folder = JobFolder(live.run_dir / KEPT_FOLDER)
    job = next(one for one in folder.load(40) if one.id == name)
    assert (job.title, job.state, job.by) == ("lane closed", "failed", "operator (demo)")
    assert client.get("/v1/what-ifs", params={"case": "other"}).json() == []
    body = {"closure": question["change"]["closures"][0], "minutes": 1, "seeds": 1}
    proposals = client.post("/v1/proposals", json=body).json()["id"]
    path = f"/v1/proposals/{proposals}/decisions"
    wait(client, f"/v1/proposals/{proposals}")
    decision = {"index": 0, "accepted": True, "reason": "police can man it"}
    assert client.post(path, json=decision).status_code == 409  # nothing was found
    assert any(one["id"] == proposals for one in client.get("/v1/proposals").json())
    assert client.post(path, json=decision | {"reason": ""}).status_code == 400


def test_one_that_was_under_way_has_failed(tmp_path):
    folder = JobFolder(tmp_path)
    folder.save(Job("w-1", 1, "2026-11-22T10:00:00Z", Question(Change(demand_factor=1.2)), state="running"))
    (tmp_path / "w-2.json").write_text("{")
    (job,) = folder.load(5)
    assert job.state == "failed"
    assert "ask again" in job.error
    folder.forget("w-1")
    assert folder.load(5) == []


def test_what_runs_says_since_when_and_how_long_it_takes_yet(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("civicbrain.api.what_if_jobs.time.time", lambda: clock[0])
    job = Job("w-1", 1, "2026-11-22T10:00:00Z", Question(Change(demand_factor=1.2)))
    assert (job.view().elapsed_s, job.view().left_s) == (None, None)  # it waits
    job.begin()
    clock[0] = 1030.0
    assert (job.view().elapsed_s, job.brief().left_s) == (30.0, None)  # nothing is done yet
    clock[0] = 1040.0
    job.advance(0.25)
    assert job.view().left_s == 120.0
    clock[0] = 1070.0
    job.advance(0.25)  # no further
    assert (job.view().elapsed_s, job.view().left_s) == (70.0, 90.0)
    job.state = "done"
    assert (job.view().elapsed_s, job.view().left_s) == (None, None)


def test_moments_are_listed_only_when_whole(client, live):
    folder = live.run_dir / "moments"
    for name in ("r0000-t0000300", "r0000-t0000600"):
        (folder / name).mkdir(parents=True)
    (folder / "r0000-t0000300" / "done").touch()
    assert client.get("/v1/moments").json() == [{"name": "r0000-t0000300", "run": 0, "time_s": 300.0}]


def test_open_incidents_have_texts_for_signs(client):
    (one,) = client.get("/v1/sign-texts").json()
    assert one["incident"] == "i-1"
    assert set(one["texts"]) == {"en", "ko", "zh"}
    # the made-up city lies nowhere on earth
    assert client.get("/v1/situations").status_code in (200, 404)


def test_a_process_that_is_killed_says_so_and_what_to_do(tmp_path, monkeypatch):
    async def killed(*_: object, **__: object) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec("sh", "-c", "kill -9 $$", stdout=pipe)

    monkeypatch.setattr(what_ifs, "start_job", killed)
    desk = what_ifs.WhatIfs(sandbox_city(), Settings(tmp_path))
    job = Job("w-1", 1, "", question=Question(Change(demand_factor=1.2)))
    job.begin()
    asyncio.run(desk._carry_out(job, tmp_path / "w-1"))
    assert job.error.startswith("its process was ended by SIGKILL, as the kernel does when memory runs out")
    assert "remedy: free memory, or ask for fewer minutes" in job.error
