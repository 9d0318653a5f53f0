"""A what-if beside a live city: asked over HTTP, answered from its state, and the city goes on."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))
from live_city import LiveCity

from civicbrain.contracts.transport import TWIN_CMD, Client
from civicbrain.contracts.wire import TwinCommand


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCity]:
    city = LiveCity(tmp_path_factory.mktemp("whatif") / "r", "--control", "fixed", "--warmup", "200")
    city.wait_for_start()
    yield city
    city.close()


def call(live: LiveCity, path: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{live.port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


@pytest.mark.quiet
def test_a_what_if_is_answered_from_now_and_the_city_goes_on(live: LiveCity) -> None:
    asked = {"change": {"demand_factor": 1.5}, "minutes": 1, "seeds": 2, "model": "meso"}
    name = call(live, "/v1/what-ifs", asked)["id"]
    began_s = live.twin_status().time_s
    end = time.monotonic() + 150
    while (view := call(live, f"/v1/what-ifs/{name}"))["state"] in ("queued", "running"):
        assert time.monotonic() < end, view
        time.sleep(0.1)
    assert view["state"] == "done", view["error"]
    answer = view["answer"]
    assert answer["pairs"] == 2
    assert answer["control"] == "fixed"
    assert answer["from_s"] >= began_s - 5.0
    assert answer["timing_s"]["pause"] < 0.5
    due = next(one for one in answer["indicators"] if one["name"] == "time_spent")
    assert due["difference"]["low"] is not None
    status = live.twin_status()
    assert status.time_s > answer["from_s"]
    assert status.unsafe_states == 0
    assert not list((live.run_dir / "whatif").glob("api-*"))  # nothing is left behind


def test_a_what_if_begins_at_a_kept_moment(live: LiveCity) -> None:
    (*_, first) = call(live, "/v1/moments")
    asked = {
        "change": {"demand_factor": 1.5},
        "minutes": 1,
        "seeds": 1,
        "model": "meso",
        "moment": first["name"],
    }
    name = call(live, "/v1/what-ifs", asked)["id"]
    end = time.monotonic() + 150
    while (view := call(live, f"/v1/what-ifs/{name}"))["state"] in ("queued", "running"):
        assert time.monotonic() < end, view
        time.sleep(0.1)
    assert view["state"] == "done", view["error"]
    assert view["answer"]["from_s"] == pytest.approx(first["time_s"], abs=1.0)
    assert [course["name"] for course in view["answer"]["courses"]] == ["queue", "throughput", "lost"]
    assert len(view["answer"]["courses"][2]["change"]) == 1


def test_a_branch_goes_below_the_run_folder_only(live: LiveCity, tmp_path: Path) -> None:
    twin = Client(live.run_dir, TWIN_CMD)
    for folder in (
        tmp_path / "out",
        live.run_dir / "whatif" / "x" / ".." / ".." / "y",
        live.run_dir / "whatif",
    ):
        reply = twin.ask(TwinCommand(action="branch", text=str(folder)), 5.0)
        assert not reply.ok, folder
        assert reply.kind == "invalid"
    assert not (tmp_path / "out").exists()
    twin.close()
