"""Studies over HTTP: ordered by an engineer, in line, cancelled, gone on with, read by everybody."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import patient
import pytest
from api_place import Place

sys.path.append(str(Path(__file__).parents[1] / "evaluate"))
from fake_runs import AtOnce, fake_city, simulate

from civicbrain.evaluate.ordered.keep import StudyFolder
from civicbrain.evaluate.ordered.records import STATE_FILE, StudyOrder, StudyState
from civicbrain.evaluate.plan import StudyOptions
from civicbrain.evaluate.study import run_study

SMALL = {"scenarios": ["city"], "controls": ["fixed", "actuated"], "seeds": 1}


@pytest.fixture(scope="module")
def place(place_of: Callable[[], Place]) -> Place:
    """An API whose caller is an administrator by its token. A study of the command line lies in its folder,
    and one that an API process before had begun."""
    place = place_of()
    studies = place.run_dir / "studies"
    city = fake_city(place.run_dir / "city")
    run_study(
        ["x"], StudyOptions(("fixed", "max-pressure", "delay-based"), (1, 2, 3)), studies / "by-hand",
        executor=AtOnce(), simulate=simulate, resolve=lambda _: city,
    )  # fmt: skip
    kept = StudyFolder(studies)
    kept.add(
        "begun", StudyOrder("begun", (str(place.city),), ("fixed", "actuated"), 1, "2026-11-22T10:00:00Z")
    )
    kept.write("begun", STATE_FILE, StudyState("running", "2026-11-22T10:00:01Z"))
    (studies / "no-study").mkdir()
    place.start_backend()
    place.start_api("--host", "0.0.0.0", "--read-rate", "1e9", "--write-rate", "1e9")
    place.wait_ready()
    return place


@pytest.fixture
def engineer(place: Place) -> Iterator[httpx.Client]:
    token = (place.run_dir / "api.token").read_text().strip()
    with patient.Client(base_url=place.url, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


def wait(client: httpx.Client, name: str, seconds: float = 60.0) -> dict[str, Any]:
    end = time.monotonic() + seconds
    view: dict[str, Any] = {}
    while time.monotonic() < end:
        view = client.get(f"/v1/studies/{name}").json()
        if view["brief"]["state"] not in ("queued", "running"):
            return view
        time.sleep(0.1)
    raise AssertionError(f"still {view}")


def test_the_demo_reads_studies_and_orders_none(client: httpx.Client) -> None:
    refused = client.post("/v1/studies", json=SMALL)
    assert refused.status_code == 403
    assert "engineer" in refused.json()["detail"]
    assert client.get("/v1/studies").status_code == 200
    options = client.get("/v1/study-options").json()
    assert options["scenarios"][0]["name"] == "city"
    assert {"fixed", "actuated", "max-pressure"} <= {one["name"] for one in options["controls"]}


def test_a_study_of_the_command_line_is_read(engineer: httpx.Client) -> None:
    names = [brief["id"] for brief in engineer.get("/v1/studies").json()]
    assert "by-hand" in names
    assert "no-study" not in names
    found = engineer.get("/v1/studies/by-hand/result").json()["scenarios"][0]
    assert found["headline"].startswith("Mean delay")
    assert not found["claim"]
    losses = {(row["control"], row["metric"]) for row in found["figures"] if row["verdict"] == "worse"}
    assert ("delay-based", "mean_delay_s") in losses
    for file, kind in (
        ("report.pdf", "application/pdf"),
        ("comparison.csv", "text/csv"),
        ("report.html", "text/html"),
    ):
        answer = engineer.get(f"/v1/studies/by-hand/files/{file}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    for file in ("order.json", "..%2Fapi.token", "runs%2Ffixed-1.json"):
        assert engineer.get(f"/v1/studies/by-hand/files/{file}").status_code == 404
    for name in ("..", "%2e%2e", "nothing", "no-study"):
        assert engineer.get(f"/v1/studies/{name}").status_code == 404
    assert engineer.delete("/v1/studies/by-hand").status_code == 409


def test_what_a_process_before_had_begun_goes_on(engineer: httpx.Client) -> None:
    view = wait(engineer, "begun")
    # the city of these tests has no demand: its process says so, in words
    assert view["brief"]["state"] == "failed"
    assert "demand" in view["brief"]["error"]
    again = engineer.post("/v1/studies/begun/continuation", json={})
    assert again.status_code == 202
    assert wait(engineer, "begun")["brief"]["state"] == "failed"


def test_what_does_not_fit_is_refused_at_once(engineer: httpx.Client) -> None:
    assert engineer.post("/v1/studies", json=SMALL | {"scenarios": ["atlantis"]}).status_code == 404
    for wrong in (
        {"controls": ["fixed", "fixed"]}, {"baseline": "brain"}, {"begin_s": 100.0, "end_s": 110.0},
        {"begin_s": 100.0, "end_s": 50.0}, {"scenarios": ["city"] * 2, "controls": ["fixed", "fixed"]},
    ):  # fmt: skip
        assert engineer.post("/v1/studies", json=SMALL | wrong).status_code == 409, wrong
    for wrong in ({"seeds": 0}, {"seeds": 31}, {"scenarios": ["/etc"]}, {"controls": ["fixed"]}, {"more": 1}):
        assert engineer.post("/v1/studies", json=SMALL | wrong).status_code == 400, wrong
    assert engineer.get("/v1/studies/begun/result").status_code == 404


def test_the_line_is_short_and_who_waits_can_be_taken_out(engineer: httpx.Client) -> None:
    orders = [engineer.post("/v1/studies", json=SMALL | {"title": f"n {n}"}) for n in range(11)]
    assert {answer.status_code for answer in orders} == {202, 409}
    made = [answer.json()["brief"] for answer in orders if answer.status_code == 202]
    assert made[0]["by"].startswith("administrator:")
    for brief in reversed(made):
        answer = engineer.delete(f"/v1/studies/{brief['id']}")
        # one that has failed meanwhile is over already
        assert answer.status_code in (200, 409)
        if answer.status_code == 200:
            assert answer.json()["brief"]["state"] in ("cancelled", "failed")
    assert all(wait(engineer, brief["id"])["brief"]["state"] in ("cancelled", "failed") for brief in made)


def test_the_answers_are_what_the_document_says(engineer: httpx.Client) -> None:
    from civicbrain.api.models.studies import StudyResult, StudyView

    msgspec.json.decode(engineer.get("/v1/studies/by-hand").content, type=StudyView)
    msgspec.json.decode(engineer.get("/v1/studies/by-hand/result").content, type=StudyResult)
