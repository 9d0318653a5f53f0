"""The three processes as a user runs them: each killed with -9, the rest goes on; the end leaves nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from live_city import LiveCity, free_port

from civicbrain.city.signals import ControllerMode
from civicbrain.contracts.wire import unpack_array

JUNCTIONS = 16  # of grid4x4


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCity]:
    # a short path: a Unix socket's name may not be longer than 107 bytes
    city = LiveCity(tmp_path_factory.mktemp("run") / "r")
    city.wait_for_start()
    yield city
    city.close()


def central(city: LiveCity) -> bool:
    return city.twin_status().local_junctions == 0


def local_within_s(city: LiveCity) -> float:
    """Wall seconds from now until every controller has reported its local plan."""
    start = time.monotonic()
    while city.twin_status().local_junctions < JUNCTIONS:
        assert time.monotonic() - start < 60, city.text
    return time.monotonic() - start


def test_the_centre_takes_control_and_is_on_the_map(live: LiveCity) -> None:
    live.eventually(lambda: central(live), 15)
    state = live.state()
    assert state.control == "brain"
    assert state.brain_on
    assert state.brains[0].state == "running"
    assert state.twin is not None
    assert state.twin.unsafe_states == 0


@pytest.mark.quiet
def test_a_hung_centre_loses_the_street_within_4_s(live: LiveCity) -> None:
    live.eventually(lambda: central(live), 15)
    pid = live.kill("brain", signal.SIGSTOP)
    try:
        assert local_within_s(live) <= 4.0
        before = live.twin_status().time_s
        assert live.twin_status().time_s > before, "the twin stands still"
    finally:
        os.kill(pid, signal.SIGCONT)
    live.eventually(lambda: central(live), 15)


@pytest.mark.quiet
def test_a_killed_brain_process_comes_back_by_way_of_local_plans(live: LiveCity) -> None:
    live.eventually(lambda: central(live), 15)
    pid, others = live.kill("brain"), (live.pid("twin"), live.pid("api"))
    assert local_within_s(live) <= 4.0
    live.eventually(lambda: live.pid("brain") not in (None, pid), 10)
    live.eventually(lambda: central(live), 20)
    assert (live.pid("twin"), live.pid("api")) == others


def test_an_override_survives_the_kill_of_the_brain_process_with_the_rest_of_its_time(live: LiveCity) -> None:
    live.eventually(lambda: central(live), 15)
    where = "B1"
    body = {"action": "hold", "duration_s": 120}
    taken = live.ask_brain("override", text=where, reason="a crash on the side street", body=body)
    assert taken.ok, taken.error
    begun = msgspec.to_builtins(taken.body)
    pid = live.kill("brain")
    live.eventually(lambda: live.pid("brain") not in (None, pid), 10)
    live.eventually(lambda: [o for o in live.state(15).overrides if o.accepted], 20)
    [override] = live.state().overrides
    assert (override.junction, override.stage) == (where, begun["stage"])
    if begun["shown_s"] is not None:  # else the junction was just being cleared for it
        assert override.expires_s == begun["expires_s"]
    alerts = msgspec.to_builtins(live.ask_brain("alerts", limit=50).body)
    assert "An override goes on" in " ".join(alert["title"] for alert in alerts)
    told = [entry["body"]["what"] for entry in live.ledger() if entry["kind"] == "override"]
    assert [what for what in told if what != "shown"] == ["begin", "resumed"]
    assert live.ask_brain("override-end", text=where, reason="cleared").ok
    assert live.twin_status().unsafe_states == 0


@pytest.mark.quiet
def test_nothing_acknowledged_is_lost_when_the_brain_process_is_killed(live: LiveCity) -> None:
    live.eventually(lambda: live.ask_brain("status", 2.0).ok, 15)
    acknowledged = []
    for number in range(40):
        if number == 25:
            live.kill("brain")
        reply = live.ask_brain("twin", 0.3, text="speed", value=1.0, reason=f"entry {number}")
        if reply.ok:
            acknowledged.append(f"entry {number}")
    assert len(acknowledged) >= 20
    live.eventually(lambda: live.ask_brain("status", 2.0).ok, 15)
    kept = [entry["body"].get("reason") for entry in live.ledger() if entry["kind"] == "twin"]
    assert set(acknowledged) <= set(kept)
    report = msgspec.to_builtins(live.ask_brain("verify", 10).body)
    assert report["ok"], report


def test_a_killed_twin_resumes_and_the_centre_takes_over_again(live: LiveCity) -> None:
    live.eventually(lambda: central(live), 15)
    before = live.twin_status().time_s
    live.drain()
    live.alerts.clear()
    pid, others = live.kill("twin"), (live.pid("brain"), live.pid("api"))
    assert live.state().twin is not None  # the brain speaks on
    status = live.twin_status(15)
    assert status.begin_s < status.time_s <= before, "it did not resume from its checkpoint"
    assert status.local_junctions == JUNCTIONS
    live.eventually(lambda: central(live), 20)
    assert live.pid("twin") != pid
    assert (live.pid("brain"), live.pid("api")) == others
    live.drain()
    told = [alert.ended_s for alert in live.alerts if alert.title == "The twin was started again"]
    assert told[0] is None
    assert len(told) == 2, "once, and once more that it is over"
    assert told[1] is not None


@pytest.mark.quiet
def test_a_stopped_twin_is_shown_stale_and_told_once(live: LiveCity) -> None:
    live.eventually(lambda: central(live), 15)
    live.drain()
    live.alerts.clear()
    pid = live.kill("twin", signal.SIGSTOP)
    try:
        live.eventually(lambda: live.state().staleness_s["twin"] > 4.0, 10)
    finally:
        os.kill(pid, signal.SIGCONT)
    live.eventually(lambda: live.state().staleness_s["twin"] < 2.0, 10)
    titles = [alert.title for alert in live.alerts if alert.key == "twin-silent"]
    assert titles == ["The twin does not answer", "The twin answers again"]


def test_a_killed_api_is_noticed_by_nobody_else(live: LiveCity) -> None:
    others = (live.pid("twin"), live.pid("brain"))
    pid = live.kill("api")
    live.eventually(lambda: live.pid("api") not in (None, pid), 10)
    live.eventually(lambda: answers(live.port), 15)
    assert (live.pid("twin"), live.pid("brain")) == others


def answers(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(0.5)
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.quiet
def test_switching_the_control_reaches_the_street_and_the_ledger(live: LiveCity) -> None:
    live.eventually(lambda: central(live), 15)
    reply = live.ask_brain("control", text="fixed", reason="to compare")
    assert reply.ok, reply.error
    assert live.eventually(lambda: live.twin_status().local_junctions == JUNCTIONS, 5) < 3
    state = live.state()
    assert (state.control, state.brain_on) == ("fixed", False)
    # what the API shows is of now, also when no brain is asked any more
    live.eventually(lambda: (unpack_array(live.state().junction_mode) == ControllerMode.LOCAL).all(), 5)
    assert live.ask_brain("control", text="brain", reason="back").ok
    live.eventually(lambda: central(live), 15)
    entries = [e for e in live.ledger() if e["kind"] == "control"]
    assert [(e["actor"], e["body"]["to"], e["body"]["reason"]) for e in entries] == [
        ("test", "fixed", "to compare"), ("test", "brain", "back"),
    ]  # fmt: skip


def test_wrong_commands_are_answered_with_the_reason(live: LiveCity) -> None:
    live.eventually(lambda: live.ask_brain("status", 2.0).ok, 15)
    kinds = {
        live.ask_brain("control", text="actuated").kind: "refused",
        live.ask_brain("control", text="no-such").kind: "not-found",
        live.ask_brain("brain-off", text="no-such").kind: "not-found",
        live.ask_brain("junction", text="no-such").kind: "not-found",
        live.ask_brain("twin", text="speed", value=1e9).kind: "invalid",
        live.ask_brain("make coffee").kind: "invalid",
        live.ask_twin("make coffee").kind: "invalid",
    }
    assert all(got == wanted for got, wanted in kinds.items()), kinds


@pytest.mark.quiet
def test_full_speed_waits_for_a_living_centre(live: LiveCity) -> None:
    live.eventually(lambda: central(live), 15)
    try:
        assert live.ask_brain("twin", text="speed", value=0.0).ok
        start = live.twin_status().time_s
        live.eventually(lambda: live.twin_status().time_s - start > 20, 3)
        status = live.twin_status()
        assert status.local_junctions == 0, "the centre was outrun"
        assert status.refused_requests <= live.twin_status().refused_requests
    finally:
        assert live.ask_brain("twin", text="speed", value=1.0).ok


@pytest.mark.quiet
def test_pause_stops_the_clock_and_keeps_the_centre(live: LiveCity) -> None:
    live.eventually(lambda: central(live), 15)
    assert live.ask_brain("twin", text="pause").ok
    try:
        first = live.twin_status()
        assert first.paused
        time.sleep(4.5)
        assert live.twin_status().time_s == first.time_s
        assert live.twin_status().local_junctions == 0
    finally:
        assert live.ask_brain("twin", text="resume").ok
    assert live.twin_status(5).time_s >= first.time_s


def test_the_window_starts_again_on_request(live: LiveCity) -> None:
    live.eventually(lambda: central(live), 15)
    assert live.ask_brain("twin", text="restart", reason="once more").ok
    live.eventually(lambda: live.twin_status().run == 1, 10)
    live.eventually(lambda: central(live), 15)
    assert live.twin_status().time_s < 60.0
    assert live.state().brains[0].failures == 0


def run_again(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "civicbrain.cli.main", "run", *arguments],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_a_second_one_in_the_same_folder_is_refused(live: LiveCity) -> None:
    done = run_again("grid4x4", "--port", str(free_port()), "--run-dir", str(live.run_dir))
    assert done.returncode == 2
    assert "another civicbrain runs in this folder" in done.stderr
    assert "--run-dir" in done.stderr


def test_a_port_in_use_is_named_before_anything_starts(live: LiveCity, tmp_path: Path) -> None:
    done = run_again("no-such-city", "--port", str(live.port), "--run-dir", str(tmp_path / "r"))
    assert done.returncode == 2
    assert f"port {live.port} cannot be used" in done.stderr
    assert "--port" in done.stderr
    assert not (tmp_path / "r").exists()


def test_ctrl_c_ends_everything(live: LiveCity) -> None:
    assert len(live.processes()) >= 4
    live.process.send_signal(signal.SIGINT)
    assert live.process.wait(60) == 0
    assert live.processes() == []
    assert "ended" in live.text
    assert not list(live.run_dir.glob("*.pub"))


def test_children_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    city = LiveCity(tmp_path / "r")
    city.wait_for_start()
    city.process.kill()
    city.process.wait()
    city.eventually(lambda: city.processes() == [], 5)
    city.close()
