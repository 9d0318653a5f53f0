"""The twin's actuator: verdicts in order, dry run, an absent twin never holds anybody up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from civicbrain.actuators.twin import TwinActuator, create
from civicbrain.contracts.actuator import Actuator, Outcome, Verdict
from civicbrain.contracts.brain import StageRequest
from civicbrain.contracts.transport import TWIN_CMD, Client, answer, decode, open_responder, receive
from civicbrain.contracts.wire import Reply, TwinCommand
from civicbrain.core.errors import ConfigurationError, ServiceError

REQUESTS = [StageRequest(name, "1", 0.0, 10.0, "signals") for name in ("a", "b")]


class Twin(threading.Thread):
    """A controller cabinet that accepts "a" and refuses all else; keeps what it was told."""

    def __init__(self, run_dir: Path) -> None:
        super().__init__(daemon=True)
        self.run_dir, self.commands, self.stop = run_dir, [], threading.Event()
        self.ready = threading.Event()
        self.mute = False

    def run(self) -> None:
        socket = open_responder(self.run_dir, TWIN_CMD)
        self.ready.set()
        while not self.stop.is_set():
            if socket.poll(20):
                for frames in receive(socket):
                    command = decode(TwinCommand, frames[-1])
                    self.commands.append(command)
                    if not self.mute:
                        answer(
                            socket, frames, Reply(ok=True, verdicts=tuple(map(self.judge, command.requests)))
                        )
        socket.close()

    def judge(self, request: StageRequest) -> Verdict:
        if request.junction == "a":
            return Verdict(Outcome.ACCEPTED, "controller", "accepted", "", 1.0)
        return Verdict(Outcome.REFUSED, "controller", "unknown-stage", "no such stage", 1.0)


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Twin]:
    thread = Twin(tmp_path)
    thread.start()
    assert thread.ready.wait(5)
    yield thread
    thread.stop.set()
    thread.join(5)


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 3
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_verdicts_come_in_order_and_heartbeats_carry_the_time(tmp_path: Path, twin: Twin) -> None:
    actuator = TwinActuator(tmp_path, dry_run=False, timeout_s=3)
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
    actuator.timeout_s = 3
    assert actuator.apply(REQUESTS[:1], 50.0)[0].outcome == Outcome.ACCEPTED
    assert len(late.commands) == 1
    late.stop.set()
    late.join(5)
    actuator.close()


def test_late_answer_meets_nobody(tmp_path: Path, twin: Twin) -> None:
    client = Client(tmp_path, TWIN_CMD)
    twin.mute = True
    assert client.ask(TwinCommand(action="status"), 0.2).kind == "unavailable"
    twin.mute = False
    assert client.ask(TwinCommand(action="status"), 3).ok
    client.close()


def test_bad_options_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="run_dir"):
        create({})
    with pytest.raises(ConfigurationError, match="timeout_s"):
        create({"run_dir": tmp_path, "timeout_s": 0})
    with pytest.raises(ServiceError, match="--run-dir"):
        TwinActuator(tmp_path / ("x" * 120))
