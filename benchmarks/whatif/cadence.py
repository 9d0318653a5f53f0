"""Does the live loop keep its second while what-ifs, studies and moments run beside it? See README.md.

    python benchmarks/whatif/cadence.py [CITY] [--phase-s 120]

A whole `civicbrain run` at real time. Lateness of a step: how much later its status came than the steadiest
pace of the half minute before would have it. Reaction: from a step's status to the state of the brain process
that answers it.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from civicbrain.contracts.transport import BRAIN_PUB, TWIN_PUB, decode, open_subscriber, receive
from civicbrain.contracts.wire import STATE_TOPIC, STATUS_TOPIC, CityState, TwinStatus
from civicbrain.evaluate.storage import write_atomically
from civicbrain.twin.whatif.moments import list_moments

sys.path.insert(0, str(Path(__file__).parents[1]))

from loopback import free_port

HERE = Path(__file__).parent
PACE_WINDOW = 30
AFTER_MOMENT_S = 5.0
TARGETS = {"late_p99_ms": 250.0, "reaction_p99_ms": 500.0}
"""A quarter of a step, and half of it: what is later than that an operator sees as a stutter."""


class Cadence:
    """Steps of the twin and answers of the brain process, as they come in."""

    def __init__(self, run_dir: Path) -> None:
        self._twin = open_subscriber(run_dir, TWIN_PUB, [STATUS_TOPIC])
        self._brain = open_subscriber(run_dir, BRAIN_PUB, [STATE_TOPIC])
        self._run_dir = run_dir
        self._offsets: deque[float] = deque(maxlen=PACE_WINDOW)
        self._came: dict[float, float] = {}
        self._time_s = self._state_s = -1.0
        self._moment, self._moment_at = "", -1e9
        self.clear()

    def clear(self) -> None:
        self.late_s: list[float] = []
        self.reaction_s: list[float] = []
        self.moment_late_s: list[float] = []

    def look(self, seconds: float = 0.02) -> None:
        self._twin.poll(int(1000 * seconds))
        now = time.monotonic()
        for frames in receive(self._twin):
            self._step(decode(TwinStatus, frames[-1]).time_s, now)
        for frames in receive(self._brain):
            state = decode(CityState, frames[-1])
            if state.time_s > self._state_s and state.time_s in self._came:
                self.reaction_s.append(now - self._came[state.time_s])
            self._state_s = state.time_s

    def _step(self, time_s: float, now: float) -> None:
        if time_s <= self._time_s:
            return
        self._time_s = time_s
        self._came[time_s] = now
        offset = now - time_s
        if self._offsets:
            late = max(0.0, offset - min(self._offsets))
            self.late_s.append(late)
            if now - self._moment_at < AFTER_MOMENT_S:
                self.moment_late_s.append(late)
        self._offsets.append(offset)
        newest = next(iter(list_moments(self._run_dir)), None)
        if newest is not None and newest.name != self._moment:
            self._moment, self._moment_at = newest.name, now

    def figures(self) -> dict[str, float]:
        found: dict[str, float] = {"steps": len(self.late_s)}
        for name, values in (
            ("late", self.late_s), ("reaction", self.reaction_s), ("late_at_moments", self.moment_late_s),
        ):  # fmt: skip
            if values:
                ms = 1000.0 * np.array(values)
                found |= {f"{name}_p50_ms": round(float(np.median(ms)), 1)}
                found |= {f"{name}_p99_ms": round(float(np.percentile(ms, 99)), 1)}
                found |= {f"{name}_worst_ms": round(float(ms.max()), 1)}
        return found


def _let_programs_in(run_dir: Path) -> str:
    """A user who could log in ends the demo, whose operator may order no study; the token is for programs."""
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-m", "civicbrain.cli.main", "user", "add", "bench", "--role", "engineer",
               "--password-stdin", "--run-dir", str(run_dir)]  # fmt: skip
    subprocess.run(command, input=secrets.token_urlsafe(24), text=True, check=True, stdout=subprocess.DEVNULL)
    token = secrets.token_urlsafe(32)
    file = run_dir / "api.token"
    file.touch(mode=0o600)
    file.write_text(token)
    return token


class City:
    """`civicbrain run` on a free port, asked over HTTP."""

    def __init__(self, city: str, run_dir: Path) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "civicbrain.cli.main", "run", city, "--port", str(self.port),
                   "--run-dir", str(run_dir), "--speed", "1", "--warmup", "300"]  # fmt: skip
        self._token = _let_programs_in(run_dir)
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)

    def call(self, path: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "content-type": "application/json",
                "authorization": f"Bearer {self._token}",
            },
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def wait(self, seconds: float = 300.0) -> None:
        """Until its brain drives and the fixed plan's comparison run is over, so that nothing else runs."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                state = self.call("/v1/snapshot")
                if state["baseline_progress"] >= 1.0 and all(
                    b["state"] == "running" for b in state["brains"]
                ):
                    return
            except (OSError, urllib.error.URLError, KeyError):
                pass
            time.sleep(1.0)
        raise SystemExit("the city does not come up; see its run folder")

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("city", nargs="?", default="ingolstadt21")
    parser.add_argument("--phase-s", type=float, default=120.0, help="least wall time of each phase")
    parser.add_argument("--out", type=Path, default=HERE / "cadence.json")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cb-") as short:  # Unix sockets have short names
        run_dir = Path(short) / "r"
        city = City(asked.city, run_dir)
        try:
            city.wait()
            cadence = Cadence(run_dir)
            phases = {
                name: phase(cadence, asked.phase_s, work(city))
                for name, work in (("alone", nothing), ("what-if", what_ifs), ("study", study))
            }
        finally:
            city.close()
    met = all(one[name] <= most for one in phases.values() for name, most in TARGETS.items())
    result = {
        "city": asked.city, "cores": len(os.sched_getaffinity(0)), "targets": TARGETS, "met": met,
        "phases": phases,
    }  # fmt: skip
    write_atomically(asked.out, (json.dumps(result, indent=1) + "\n").encode())
    print(json.dumps(result, indent=1))
    return 0 if met else 1


def phase(cadence: Cadence, seconds: float, keep_busy: Callable[[], None]) -> dict[str, float]:
    """Watch for `seconds`; keep_busy is called each second, by another thread: the watch must not wait."""
    over = threading.Event()

    def busy() -> None:
        while not over.is_set():
            keep_busy()
            over.wait(1.0)

    thread = threading.Thread(target=busy, daemon=True)
    thread.start()
    cadence.look()
    cadence.clear()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        cadence.look()
    over.set()
    thread.join(30)
    found = cadence.figures()
    print(found, file=sys.stderr)
    return found


def nothing(_city: City) -> Callable[[], None]:
    return lambda: None


def what_ifs(city: City) -> Callable[[], None]:
    """One after the other."""
    body = {"change": {"demand_factor": 1.2}, "minutes": 15, "seeds": 3}
    running: list[str] = []

    def ask() -> None:
        if not running or city.call(f"/v1/what-ifs/{running[-1]}")["state"] not in ("queued", "running"):
            running.append(city.call("/v1/what-ifs", body)["id"])

    return ask


def study(city: City) -> Callable[[], None]:
    """One of the city that runs, longer than the phase."""
    body = {"scenarios": ["city"], "controls": ["fixed", "brain"], "seeds": 10}
    name = city.call("/v1/studies", body)["brief"]["id"]

    def look() -> None:
        state = city.call(f"/v1/studies/{name}")["brief"]["state"]
        if state not in ("queued", "running"):
            print(f"the study is over early: {state}", file=sys.stderr)

    return look


if __name__ == "__main__":
    sys.exit(main())
