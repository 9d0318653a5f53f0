"""The twin's actuator: verdicts in order, dry run, an absent twin never holds anybody up."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from civicbrain.actuators.twin import TwinActuator, create
from civicbrain.city.model import City
from civicbrain.city.snapshot import Snapshot
from civicbrain.city.store import Store
from civicbrain.contracts.actuator import Actuator, Outcome, Verdict
from civicbrain.contracts.brain import Advice, Request, StageRequest
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.contracts.transport import TWIN_CMD, Client, answer, decode, open_responder, receive
from civicbrain.contracts.wire import Reply, TwinCommand
from civicbrain.core.errors import ConfigurationError, ServiceError
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime.hosts import InlineHost
from civicbrain.runtime.loop import Loop

REQUESTS = [StageRequest(name, "1", 0.0, 10.0, "signals") for name in ("a", "b")]


class Asking:
    """A brain that asks for the same stage each second."""

    name, cadence_s, budget_s = "signals", 1.0, 1.0

    def __init__(self, city: City) -> None:
        self.stage = city.signals.get_junction("A").stages[0].id

    def request(self, junction: str, now_s: float) -> StageRequest:
        return StageRequest(junction, self.stage, now_s, now_s + 8.0, self.name)

    def advise(self, snapshot: Snapshot) -> Advice:
        return Advice((self.request("A", snapshot.time_s),))


class Twin(threading.Thread):
    """A controller cabinet that accepts "a" and refuses all else; keeps what it was told."""

    def __init__(self, run_dir: Path) -> None:
        super().__init__(daemon=True)
        self.run_dir, self.commands, self.stop = run_dir, [], threading.Event()
        self.ready = threading.Event()
        self.mute, self.pause_s = False, 0.0

    def run(self) -> None:
        socket = open_responder(self.run_dir, TWIN_CMD)
        self.ready.set()
        while not self.stop.is_set():
            if socket.poll(20):
                for frames in receive(socket):
                    command = decode(TwinCommand, frames[-1])
                    self.commands.append(command)
                    time.sleep(self.pause_s)
                    if not self.mute:
                        answer(
                            socket, frames, Reply(ok=True, verdicts=tuple(map(self.judge, command.requests)))
                        )
        socket.close()

    def judge(self, request: StageRequest) -> Verdict:
        if request.junction in ("a", "A"):
            return Verdict(Outcome.ACCEPTED, "controller", "accepted", "", 1.0)
        return Verdict(Outcome.REFUSED, "controller", "unknown-stage", "no such stage", 1.0)


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Twin]:
    thread = Twin(tmp_path)
    thread.start()
    assert thread.ready.wait(60)
    yield thread
    thread.stop.set()
    thread.join(60)


def recorded(ledger: Ledger) -> list[str]:
    return [entry.body["rule"] for entry in ledger.page(0, 99)]


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_verdicts_come_in_order_and_heartbeats_carry_the_time(tmp_path: Path, twin: Twin) -> None:
    actuator = TwinActuator(tmp_path, dry_run=False, timeout_s=30, patience_s=30)
    assert isinstance(actuator, Actuator)
    verdicts = actuator.apply(REQUESTS, 1.0)
    assert [(v.outcome, v.rule) for v in verdicts] == [
        (Outcome.ACCEPTED, "accepted"), (Outcome.REFUSED, "unknown-stage"),
    ]  # fmt: skip
    actuator.heartbeat(17.0)
    eventually(lambda: len(twin.commands) == 2)
    assert twin.commands[1] == TwinCommand(action="heartbeat", value=17.0)
    actuator.close()


def test_dry_run_is_the_default_and_sends_nothing(tmp_path: Path, twin: Twin) -> None:
    actuator = create({"run_dir": tmp_path})
    assert actuator.dry_run
    assert {v.rule for v in actuator.apply(REQUESTS, 1.0)} == {"dry-run"}
    actuator.heartbeat(1.0)
    time.sleep(0.2)
    assert twin.commands == []
    actuator.close()


@pytest.mark.quiet
def test_absent_twin_refuses_within_the_time_out(tmp_path: Path) -> None:
    actuator = TwinActuator(tmp_path, dry_run=False, timeout_s=0.2)
    start = time.monotonic()
    verdicts = actuator.apply(REQUESTS, 1.0)
    assert time.monotonic() - start < 1.0
    assert [v.rule for v in verdicts] == ["unreachable", "unreachable"]
    actuator.close()


def test_what_was_meant_for_a_dead_twin_is_not_sent_to_the_next(tmp_path: Path) -> None:
    actuator = TwinActuator(tmp_path, dry_run=False, timeout_s=0.1)
    actuator.apply(REQUESTS, 1.0)
    actuator.heartbeat(1.0)
    late = Twin(tmp_path)
    late.start()
    assert late.ready.wait(60)
    eventually(lambda: actuator.apply(REQUESTS[:1], 50.0)[0].rule == "accepted")
    assert {request.junction for command in late.commands for request in command.requests} == {"a"}
    assert not any(command.action == "heartbeat" for command in late.commands)
    late.stop.set()
    late.join(60)
    actuator.close()


@pytest.mark.quiet
def test_a_slow_answer_is_not_waited_for_and_follows_later(tmp_path: Path, twin: Twin) -> None:
    actuator = TwinActuator(tmp_path, dry_run=False, timeout_s=3, patience_s=0.02)
    eventually(lambda: actuator.apply(REQUESTS[:1], 1.0)[0].rule == "accepted")
    twin.pause_s = 0.3
    assert [v.rule for v in actuator.apply(REQUESTS, 2.0)] == ["accepted", "sent"], "a: what it last said"
    late: list[tuple[Request, Verdict]] = []
    eventually(lambda: late.extend(actuator.answers()) or len(late) == 2)
    assert [(request.junction, v.rule) for request, v in late] == [("a", "accepted"), ("b", "unknown-stage")]
    assert [v.rule for v in actuator.apply(REQUESTS, 3.0)] == ["accepted", "unknown-stage"]
    actuator.close()


@pytest.mark.quiet
def test_a_dead_roadside_does_not_slow_the_loop_and_stands_in_the_record(tmp_path: Path, twin: Twin) -> None:
    city, ledger = sandbox_city(), Ledger(None)
    actuator = TwinActuator(tmp_path, dry_run=False)
    brain = Asking(city)
    loop = Loop(city, Store(city), Guard(city, ledger, actuator), [InlineHost(brain)])
    eventually(lambda: actuator.apply([brain.request("A", 0.0)], 0.0)[0].rule != "unreachable")
    twin.mute = True
    took_s = []
    for second in range(1, 25):
        start = time.monotonic()
        loop.tick([], float(second))
        took_s.append(time.monotonic() - start)
        time.sleep(max(0.0, 0.06 - took_s[-1]))  # sixteen times real time
    assert sorted(took_s)[-4] < 0.05, "one tick waits for a moment; the rest is what a busy machine may do"
    assert recorded(ledger)[-1] == "unreachable"
    assert loop.guard.find_holder("A", 24.0) is None
    twin.mute = False
    seconds = itertools.count(25)
    eventually(lambda: loop.tick([], float(next(seconds))) and recorded(ledger)[-1] == "accepted")
    actuator.close()


def test_late_answer_meets_nobody(tmp_path: Path, twin: Twin) -> None:
    client = Client(tmp_path, TWIN_CMD)
    twin.mute = True
    assert client.ask(TwinCommand(action="status"), 0.2).kind == "unavailable"
    twin.mute = False
    assert client.ask(TwinCommand(action="status"), 30).ok
    client.close()


def test_bad_options_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="run_dir"):
        create({})
    with pytest.raises(ConfigurationError, match="timeout_s"):
        create({"run_dir": tmp_path, "timeout_s": 0})
    with pytest.raises(ServiceError, match="--run-dir"):
        TwinActuator(tmp_path / ("x" * 120))
