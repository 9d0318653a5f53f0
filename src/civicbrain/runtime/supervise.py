"""Supervision: starts the three processes, starts again what dies, ends them all.

Each child has a session of its own, so that Ctrl-C reaches the supervisor alone and what a child has started
ends with it; the kernel ends the children when the supervisor is killed (`child.py`). A child that dies is
started again after 0.2 s, then with doubled pauses up to 30 s; a minute of life makes up for the past.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from civicbrain.core.errors import ServiceError
from civicbrain.runtime import child

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 30.0
FORGIVEN_AFTER_S = 60.0
FIRST_START_ATTEMPTS = 3
STOP_GRACE_S = 3.0


@dataclass
class Child:
    """One supervised process. ready: it has worked since the supervisor started. essential: without it the
    city does not start; nice: what it leaves to the others."""

    name: str
    module: str
    arguments: Sequence[str]
    essential: bool = True
    nice: int = 0
    process: subprocess.Popen[bytes] | None = None
    ready: bool = False
    failures: int = 0  # in a row
    starts: int = 0
    started: float = 0.0
    start_at: float = 0.0


class Supervisor:
    """Owns the children. tell(name, text) is called with everything a person should know."""

    def __init__(self, run_dir: Path, children: Sequence[Child], tell: Callable[[str, str], None]) -> None:
        self.run_dir, self.children, self.tell = run_dir, list(children), tell

    def start(self) -> None:
        for one in self.children:
            self._start(one)

    def check(self) -> None:
        """Note who has died, start whose pause is over. Raises ServiceError when a child never came up."""
        now = time.monotonic()
        for one in self.children:
            if one.process is None:
                if now >= one.start_at:
                    self._start(one)
                continue
            code = one.process.poll()
            if code is None:
                if one.failures and now - one.started > FORGIVEN_AFTER_S:
                    one.failures = 0
                continue
            _signal_group(one.process.pid, signal.SIGKILL)  # what it may have left behind
            one.process = None
            one.failures += 1
            if one.essential and not one.ready and one.failures >= FIRST_START_ATTEMPTS:
                raise ServiceError(
                    f"the {one.name} process does not start; it said:\n{self._last_words(one)}",
                    place=str(self.run_dir / f"{one.name}.log"),
                    remedy="put right what it says; report it if it looks like a defect",
                )
            pause_s = min(FIRST_PAUSE_S * 2 ** (one.failures - 1), LONGEST_PAUSE_S)
            one.start_at = now + pause_s
            self.tell(one.name, f"{_describe_exit(code)}; starts again in {pause_s:g} s")

    def restart(self, name: str, why: str) -> None:
        """Kill a child that runs but does not work; `check` starts it again."""
        for one in self.children:
            if one.name == name and one.process is not None:
                self.tell(name, f"{why}; killed")
                _signal_group(one.process.pid, signal.SIGKILL)
                one.process.wait()

    def stop(self) -> None:
        """End all children and what they have started: politely, after 3 s by force."""
        alive = [one.process for one in self.children if one.process is not None]
        for process in alive:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        end = time.monotonic() + STOP_GRACE_S
        for process in alive:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, end - time.monotonic()))
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
        for one in self.children:
            one.process = None

    def _start(self, one: Child) -> None:
        command = child.command(one.module, one.arguments, run_dir=self.run_dir, name=one.name, nice=one.nice)
        with (self.run_dir / f"{one.name}.out").open("wb") as out:
            one.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        one.starts += 1
        one.started = time.monotonic()
        if one.starts > 1:
            self.tell(one.name, f"started again (process {one.process.pid})")

    def _last_words(self, one: Child, lines: int = 6) -> str:
        for name in (f"{one.name}.out", f"{one.name}.log"):
            with contextlib.suppress(OSError):
                text = (self.run_dir / name).read_text(errors="replace").strip()
                if text:
                    return "\n".join("  " + line for line in text.splitlines()[-lines:])
        return "  nothing"


def check_port(host: str, port: int) -> None:
    """Raise ServiceError when the API could not listen there: in use, not allowed, or no such address."""
    place = f"--host {host} --port {port}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError, OverflowError) as error:
        raise ServiceError(
            f"no such address: {error}", place=place, remedy="use 127.0.0.1, or an address of this machine"
        ) from error
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except PermissionError as error:
                raise ServiceError(
                    f"port {port} may only be used by root",
                    place=place,
                    remedy="use --port 8080 or another above 1023",
                ) from error
            except OSError as error:
                raise ServiceError(
                    f"port {port} cannot be used: {(error.strerror or str(error)).lower()}",
                    place=place,
                    remedy=f"choose another, e.g. --port {port + 1}, or end the program that uses it",
                ) from error


def _signal_group(leader: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _describe_exit(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"ended with code {code}"
