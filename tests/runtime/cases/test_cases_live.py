"""Cases beside a live city: there by default, killed and back, and no decision waits for them."""

from __future__ import annotations

import json
import os
import signal
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent.parent))
from live_city import LiveCity

MODULE = "civicbrain.runtime.cases.server"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCity]:
    city = LiveCity(tmp_path_factory.mktemp("case") / "r", "--speed", "5", "--control", "fixed")
    city.wait_for_start()
    yield city
    city.close()


def cases_pid(live: LiveCity) -> int | None:
    found = [pid for pid, words in live.processes() if MODULE in words]
    return found[0] if found else None


def call(live: LiveCity, path: str, body: dict[str, Any] | None = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    headers = {"content-type": "application/json"} if body is not None else {}
    request = urllib.request.Request(f"http://127.0.0.1:{live.port}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def answering(live: LiveCity) -> bool:
    return bool(call(live, "/v1/health")["cases"]["answering"])


def test_a_report_becomes_a_case_and_stays_one_when_all_is_killed(live: LiveCity) -> None:
    live.eventually(lambda: answering(live), 60)
    order = {"kind": "crash", "place": {"x_m": 10.0, "y_m": 20.0}, "reporter": "citizen", "key": "one"}
    made = call(live, "/v1/reports", order)
    killed = cases_pid(live)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    live.eventually(lambda: cases_pid(live) not in (None, killed), 30)
    live.eventually(lambda: answering(live), 60)
    assert call(live, "/v1/reports", order) == made
    assert call(live, "/v1/cases")["count"] == 1
    assert call(live, f"/v1/cases/{made['case']}")["case"]["reports"] == 1


def test_a_silent_twin_is_an_alarm_that_ends_when_it_speaks(live: LiveCity) -> None:
    live.eventually(lambda: answering(live), 60)
    twin = live.pid("twin")
    assert twin is not None
    os.kill(twin, signal.SIGSTOP)

    def state() -> str:
        found = {one["key"]: one["state"] for one in call(live, "/v1/alarms?which=all")["alarms"]}
        return str(found.get("twin-silent"))

    try:
        live.eventually(lambda: state() == "unacknowledged", 30)
    finally:
        os.kill(twin, signal.SIGCONT)
    live.eventually(lambda: state() == "returned", 30)
    outages = {one["what"]: one["duration_s"] for one in call(live, "/v1/quality")["outages"]}
    assert 0 < outages["twin-silent"] < 60


def test_a_hung_cases_process_holds_no_decision_up(live: LiveCity) -> None:
    pid = cases_pid(live)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        first = live.state()
        live.eventually(lambda: live.state().time_s > first.time_s + 30, 60)
        live.eventually(lambda: not answering(live), 20)
    finally:
        os.kill(pid, signal.SIGCONT)
    live.eventually(lambda: answering(live), 30)
    assert call(live, "/v1/handover")["live"]
