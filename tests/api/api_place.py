"""A run folder with what runs in it: a stand-in backend, and the API, history and cases as real processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import patient

AWKWARD_ID = "a/b ü#?%"  # ids come from other people's networks
SIZE = 3
REPORTER_KEYS = {
    role: f"key-of-the-{role}-0123456789" for role in ("citizen", "police", "field_crew", "department")
}
STAND_IN = Path(__file__).with_name("stand_in.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Place:
    """One run folder with what runs in it."""

    run_dir: Path
    city: Path
    port: int = 0
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start_backend(self, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(STAND_IN), "--run-dir", str(self.run_dir), "--size", str(SIZE),
                   "--awkward-id", AWKWARD_ID, *options]  # fmt: skip
        return self._start(command)

    def start_api(self, *options: str, port: int | None = None) -> subprocess.Popen[str]:
        self.port = port or free_port()
        command = [sys.executable, "-m", "civicbrain.api.server", "--city", str(self.city),
                   "--run-dir", str(self.run_dir), "--port", str(self.port), *options]  # fmt: skip
        return self._start(command)

    def start_history(self) -> subprocess.Popen[str]:
        """A real history process; what it keeps is for whoever feeds it."""
        command = [sys.executable, "-m", "civicbrain.runtime.history.server", "--city", str(self.city),
                   "--run-dir", str(self.run_dir)]  # fmt: skip
        return self._start(command)

    def start_cases(self) -> subprocess.Popen[str]:
        """A real cases process, with one reporter's key for each role (REPORTER_KEYS)."""
        keys = self.run_dir / "reporters.toml"
        keys.write_text("".join(f'[{r}]\nkey = "{k}"\nrole = "{r}"\n' for r, k in REPORTER_KEYS.items()))
        keys.chmod(0o600)
        config = self.run_dir / "civicbrain.toml"
        config.write_text(f'[cases]\nreporters_file = "{keys}"\nreports_per_min = 20\n')
        command = [sys.executable, "-m", "civicbrain.runtime.cases.server", "--city", str(self.city),
                   "--run-dir", str(self.run_dir), "--config", str(config)]  # fmt: skip
        return self._start(command)

    def _start(self, command: list[str]) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        # a file, not a pipe: a server whose pipe nobody empties stands still at the 64th kilobyte
        with (self.run_dir / f"output-{len(self.processes)}.txt").open("w") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, text=True, env=environment
            )
        self.processes.append(process)
        return process

    def wait_until(self, holds: Callable[[dict[str, object]], bool], seconds: float = 60.0) -> None:
        """Until /v1/health says so."""
        end = time.monotonic() + seconds
        last: object = None
        while time.monotonic() < end:
            try:
                last = patient.get(f"{self.url}/v1/health").json()
                if isinstance(last, dict) and holds(last):
                    return
            except httpx.TransportError as error:
                last = error
            time.sleep(0.1)
        raise AssertionError(f"the API never got there; last: {last}")

    def wait_history(self) -> None:
        self.wait_until(lambda health: bool(health["history"]["answering"]), 60)  # type: ignore[index]

    def wait_cases(self) -> None:
        self.wait_until(lambda health: bool(health["cases"]["answering"]), 60)  # type: ignore[index]

    def wait_ready(self) -> None:
        self.wait_until(lambda health: health["status"] == "ok")

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
