"""The cases process with real sockets: killed, hung, flooded; what it was told is there, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from case_desks import incident, place

from civicbrain.city.alarms import AlarmList
from civicbrain.city.cases import CaseSummary
from civicbrain.city.incidents import IncidentKind, IncidentReport
from civicbrain.contracts.brain import Alert, Severity
from civicbrain.contracts.transport import CASES_CMD, Client
from civicbrain.contracts.wire import BrainCommand, Reply
from civicbrain.runtime.cases.alarms import group_of, matter_of
from civicbrain.runtime.cases.entry import CasesEntry


class Process:
    """The process as the supervisor starts it, and a brain process's door to it."""

    def __init__(self, run_dir: Path, city: Path, config: Path | None = None) -> None:
        self.run_dir, self.city, self.config = run_dir, city, config
        self.entry = CasesEntry(run_dir)
        self.client = Client(run_dir, CASES_CMD)
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "civicbrain.runtime.cases.server", "--city", str(self.city),
                   "--run-dir", str(self.run_dir)]  # fmt: skip
        command += ["--config", str(self.config)] if self.config else []
        with (self.run_dir / "out.txt").open("ab") as out:
            self.child = subprocess.Popen(command, stdout=out, stderr=out)

    def kill(self) -> None:
        assert self.child is not None
        self.child.kill()
        self.child.wait()
        time.sleep(0.3)  # until the client knows: what it sends to a dead socket is lost

    def ask(self, action: str, timeout_s: float = 40.0, **fields: Any) -> Reply:
        return self.client.ask(BrainCommand(action=action, actor="operator:anna", **fields), timeout_s)

    def cases(self) -> list[CaseSummary]:
        reply = self.ask("cases", limit=1000)
        assert reply.ok, reply.error
        return msgspec.convert(reply.body["cases"], list[CaseSummary], strict=False)

    def alarms(self, **body: Any) -> AlarmList:
        reply = self.ask("alarms", body=body)
        assert reply.ok, reply.error
        return msgspec.convert(reply.body, AlarmList, strict=False)

    def flush_until(self, done: Callable[[], bool], timeout_s: float = 30.0) -> None:
        end = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < end, (self.run_dir / "out.txt").read_text()
            self.entry.flush()
            time.sleep(0.01)

    def deliver(self, timeout_s: float = 30.0) -> None:
        """Until everything that was said is taken."""
        self.flush_until(lambda: self.entry.waiting == 0, timeout_s)

    def end(self) -> None:
        self.entry.close()
        self.client.close()
        if self.child is not None and self.child.poll() is None:
            self.kill()


@pytest.fixture(scope="module")
def process(sandbox_folder: Path) -> Iterator[Process]:
    with tempfile.TemporaryDirectory(prefix="cb-") as base:
        made = Process(Path(base), sandbox_folder)
        made.start()
        yield made
        made.end()


def alert(number: int, title: str = "", severity: Severity = Severity.WARNING) -> Alert:
    title = title or f"Camera cam_{number} is silent"
    return Alert(f"camera-{number}", severity, title, "", 10.0, "signals", f"J{number}")


def test_incidents_become_cases_and_alerts_alarms(process: Process) -> None:
    process.entry.incident(incident(), 140.0)
    process.entry.alert(alert(1))
    process.entry.tick({"signals/camera-1": alert(1)}, 140.0)
    process.deliver()
    assert [case.kind for case in process.cases()] == [IncidentKind.CRASH]
    assert [one.state for one in process.alarms().alarms] == ["unacknowledged"]
    process.entry.tick({}, 141.0)
    process.deliver()
    assert [one.state for one in process.alarms().alarms] == ["returned"]
    reply = process.ask("acknowledge", body={"alarms": [1]})
    assert reply.body == {"alarms": 1}
    assert process.alarms().standing == 0


def test_what_people_report_reaches_the_brain_on_the_platforms_clock(process: Process) -> None:
    process.entry.reports(0.0)
    order = {"kind": "crash", "place": msgspec.to_builtins(place(0.0, -9.0)), "reporter": "citizen",
             "happened_s": time.time() - 30.0, "text": "my name is Miller"}  # fmt: skip
    reply = process.ask("report", body=order)
    assert reply.ok, reply.error
    heard: list[IncidentReport] = []
    process.flush_until(lambda: bool(heard.extend(process.entry.reports(500.0)) or heard))
    assert (heard[0].id, heard[0].kind, heard[0].reported_s) == (reply.body["report"]["id"], "crash", 500.0)
    assert heard[0].happened_s == pytest.approx(470.0, abs=2.0)
    assert heard[0].text == ""
    closed = process.ask("move", text=reply.body["case"], body={"to": "closed", "outcome": "resolved"})
    assert closed.ok, closed.error
    process.flush_until(lambda: bool(heard.extend(process.entry.reports(520.0)) or len(heard) > 1))
    assert (heard[1].id, heard[1].settled, heard[1].reported_s) == (heard[0].id, True, 520.0)


def test_killed_again_and_again_it_has_every_word_once(process: Process) -> None:
    """Forty words while it is killed twice: forty alarms raised once each, ten cases."""
    for number in range(40):
        process.entry.alert(alert(100_000 + number))
        if number % 4 == 0:
            process.entry.incident(incident(f"k-{number}", at=place(1000.0 * number + 500.0, 7.0)), 140.0)
        process.entry.flush()
        if number % 20 == 5:
            process.flush_until(lambda left=process.entry.waiting: process.entry.waiting < left or left == 0)
            process.kill()
            process.start()
    process.deliver()
    assert len([case for case in process.cases() if case.place.y_m == 7.0]) == 10
    found = process.alarms(which="all")
    mine = [one.count for one in found.alarms if one.key.startswith("camera-1000")]
    assert (len(mine), sum(mine), found.lost) == (40, 40, 0)


def test_a_command_whose_answer_was_lost_is_repeated_without_harm(process: Process) -> None:
    order = {"kind": "crash", "place": msgspec.to_builtins(place(-9000.0, 3.0)), "key": "mine"}
    first = process.ask("open", body=order)
    assert first.ok, first.error
    process.kill()
    process.start()
    assert process.ask("open", body=order).body == first.body
    assert len([case for case in process.cases() if case.place.y_m == 3.0]) == 1


def test_a_hung_process_holds_nobody_up_and_misses_nothing(process: Process) -> None:
    process.deliver()
    process.flush_until(lambda: process.ask("alarms").ok)
    assert process.child is not None
    os.kill(process.child.pid, signal.SIGSTOP)
    spent = time.process_time()
    for number in range(2000):
        process.entry.alert(alert(200_000 + number))
        process.entry.flush()
    assert time.process_time() - spent < 2.0
    os.kill(process.child.pid, signal.SIGCONT)
    process.deliver()
    found, mine = process.alarms(), group_of(matter_of("signals", alert(200_000).title, ""))
    assert next(group.alarms for group in found.groups if group.id == mine) >= 2000
    assert found.lost == 0


def test_a_silent_brain_process_is_an_alarm_for_as_long_as_it_is_silent(process: Process) -> None:
    process.deliver()

    def state() -> str | None:
        found = process.alarms(which="all", group=group_of("runtime: Central control does not answer"))
        return str(found.alarms[0].state) if found.alarms else None

    quiet = time.time()
    end = time.monotonic() + 120.0
    while state() != "unacknowledged":
        assert time.monotonic() < end
        time.sleep(0.05)
    process.flush_until(lambda: state() == "returned")
    outage = [o for o in process.ask("quality").body["outages"] if o["what"] == "brain-silent"][-1]
    assert 10.0 <= outage["duration_s"] <= time.time() - quiet + 2.0


def test_nonsense_on_its_sockets_is_answered_and_ends_nothing(process: Process) -> None:
    for body in ({"kind": "fire"}, {"place": 3}, {"alarms": ["x"]}):
        reply = process.ask("open", body=body)
        assert (reply.ok, reply.kind) == (False, "invalid")
    assert process.ask("dance").kind == "unavailable"
    assert process.ask("move", text="case-1", body={"to": "the moon"}).kind == "invalid"
    assert process.ask("move", text="case-99", body={"to": "triage"}).kind == "not-found"
    assert process.ask("case", text="../etc").kind == "not-found"
