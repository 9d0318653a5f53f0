"""A live city for tests: `civicbrain run` as a user starts it, and what its processes say."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from civicbrain.contracts.transport import (
    BRAIN_CMD,
    BRAIN_PUB,
    TWIN_CMD,
    TWIN_PUB,
    Client,
    decode,
    open_subscriber,
    receive,
)
from civicbrain.contracts.wire import (
    ALERT_TOPIC,
    STATE_TOPIC,
    STATUS_TOPIC,
    Alert,
    BrainCommand,
    CityState,
    Reply,
    TwinCommand,
    TwinStatus,
)

MODULES = {
    "twin": "civicbrain.twin.server",
    "brain": "civicbrain.runtime.server",
    "api": "civicbrain.api.server",
}


PATIENCE = 6.0
"""Limits are for a free machine; on a loaded one everything may take so many times as long."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LiveCity:
    """Runs until `close`. Ask `twin_status()`, `state()`; kill with `kill("brain")`."""

    def __init__(self, run_dir: Path, *arguments: str, city: str = "grid4x4") -> None:
        self.run_dir, self.port = run_dir, free_port()
        environment = {**os.environ, "COLUMNS": "200", "NUMBA_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "civicbrain.cli.main", "run", city, "--port", str(self.port),
                "--run-dir", str(run_dir), "--warmup", "20", *arguments,
            ],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
            start_new_session=True,
        )  # fmt: skip
        self.output: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.eventually(lambda: run_dir.exists() or self.process.poll() is not None, 40)
        self._twin = open_subscriber(run_dir, TWIN_PUB, [STATUS_TOPIC])
        self._brain = open_subscriber(run_dir, BRAIN_PUB, [STATE_TOPIC, ALERT_TOPIC])
        self._twin_client, self._brain_client = Client(run_dir, TWIN_CMD), Client(run_dir, BRAIN_CMD)
        self.alerts: list[Alert] = []
        self._state: CityState | None = None

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)

    @property
    def text(self) -> str:
        return "".join(self.output)

    def wait_for_start(self) -> None:
        self.eventually(lambda: "control room:" in self.text or self.process.poll() is not None, 40)
        assert self.process.poll() is None, self.text

    # -- what the processes say

    def twin_status(self, timeout_s: float = 60.0) -> TwinStatus:
        """The next status of the twin."""
        for _ in receive(self._twin):
            pass
        assert self._twin.poll(int(timeout_s * 1000)), f"the twin is silent\n{self.text}"
        return decode(TwinStatus, self._twin.recv_multipart()[-1])

    def state(self, timeout_s: float = 60.0) -> CityState:
        """The next state of the brain process."""
        self.drain()
        self._state = None
        end = time.monotonic() + timeout_s
        while self._state is None and time.monotonic() < end:
            self._brain.poll(100)
            self.drain()
        assert self._state is not None, f"the brain is silent\n{self.text}"
        return self._state

    def drain(self) -> None:
        for topic, body in receive(self._brain):
            if topic == ALERT_TOPIC:
                self.alerts.append(decode(Alert, body))
            else:
                self._state = decode(CityState, body)

    def ask_twin(self, action: str, value: float = 0.0) -> Reply:
        return self._twin_client.ask(TwinCommand(action=action, value=value), 20.0)

    def ask_brain(self, action: str, timeout_s: float = 20.0, **fields: Any) -> Reply:
        return self._brain_client.ask(BrainCommand(action=action, actor="test", **fields), timeout_s)

    def ledger(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        while True:
            reply = self.ask_brain("ledger", offset=len(entries), limit=500)
            assert reply.ok, reply.error
            body = msgspec.to_builtins(reply.body)
            entries += body["entries"]
            if len(entries) >= body["count"] or not body["entries"]:
                return entries

    # -- processes

    def pid(self, name: str) -> int | None:
        """Process id of a supervised process, None while there is none."""
        for pid, words in self.processes():
            if MODULES[name] in words and "civicbrain.runtime.child" in words:
                return pid
        return None

    def processes(self) -> list[tuple[int, list[str]]]:
        """(pid, command line) of all that name this run folder, and of all that those have started."""
        found, parents = [], {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                    fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                    if fields[0] != "Z":
                        parents[int(entry.name)] = (int(fields[1]), words)
        named = {pid for pid, (_, words) in parents.items() if str(self.run_dir) in words}
        for pid, (parent, words) in parents.items():
            if pid != os.getpid() and (pid in named or parent in named):
                found.append((pid, words))
        return found

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        pid = self.pid(name)
        assert pid is not None, f"{name} is not there\n{self.text}"
        os.kill(pid, number)
        return pid

    def eventually(self, condition: Callable[[], object], timeout_s: float, every_s: float = 0.05) -> float:
        """Wall seconds until the condition held. timeout_s: on a free machine."""
        start = time.monotonic()
        while not condition():
            assert time.monotonic() - start < PATIENCE * timeout_s, (
                f"not within {timeout_s} s\n{self.text if hasattr(self, 'output') else ''}"
            )
            time.sleep(every_s)
        return time.monotonic() - start

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for socket_ in (self._twin, self._brain):
            socket_.close()
        self._twin_client.close()
        self._brain_client.close()
