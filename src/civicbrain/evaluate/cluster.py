"""The runs of a study on the machines of a Ray cluster (https://www.ray.io, optional extra `cluster`).

The plan of the runs, what they depend on and where finished ones are kept is the same as on one machine; only
who simulates differs, so the figures do not. Each run has a worker process of its own. A run whose worker
dies, with its machine or alone, is given to another one, `RETRIES` times at most. Cities travel through
Ray's object store (`parcel.py`). A machine with another civicbrain, SUMO, Python or other sources is refused.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import secrets
import socket
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from platform import python_version_tuple
from typing import Any

import civicbrain
from civicbrain.core.errors import CivicBrainError, ConfigurationError, ServiceError, StudyError
from civicbrain.evaluate.parcel import Parcel, pack_city, unpack_city
from civicbrain.evaluate.plan import RunTask, hash_code, sumo_version
from civicbrain.evaluate.pool import OnDone, Simulate, attempt, forget_logs, redirect_output
from civicbrain.evaluate.records import Failure, RunFile

RETRIES = 2
STARTS = 4
IN_FLIGHT = 2
"""Runs handed over for each processor: one that runs and one that waits, so that none is idle meanwhile."""
CHECK_S = 120.0
"""A machine that has not said by then what it runs is refused; reading all sources takes seconds at most."""
_CONNECT_S = 5.0
_WAIT_S = 1.0
_LOG_BYTES = 65_536
_LOCAL = re.compile(r"local:([1-9][0-9]{0,3})")
_REMOTE = re.compile(r"(?!local:)(?:ray://)?(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Identity:
    """What must be the same wherever a run is simulated. code: digest of the sources (`plan.hash_code`)."""

    civicbrain: str
    sumo: str
    python: str
    code: str

    def differences(self, other: Identity) -> list[str]:
        """ "SUMO 1.27.0, here 1.28.0" for each that is not the same; self is "here"."""
        found = []
        for name, mine, theirs in (
            ("civicbrain", self.civicbrain, other.civicbrain),
            ("SUMO", self.sumo, other.sumo),
            ("Python", self.python, other.python),
            ("sources of civicbrain or of its brains", self.code[:12], other.code[:12]),
        ):
            if mine != theirs:
                found.append(f"{name} {theirs}, here {mine}")
        return found


def this_identity() -> Identity:
    """Of the process that asks."""
    python = ".".join(python_version_tuple()[:2])
    return Identity(civicbrain.__version__, sumo_version(), python, hash_code())


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker sends back. identity: its own, where it is another than ours, and then nothing ran."""

    machine: str
    outcome: RunFile | Failure | None = None
    identity: Identity | None = None
    log: bytes = b""
    sumo_log: bytes = b""


class RayCluster:
    """Executor on Ray. address: "local:N" starts N workers here, reachable from this machine only and with
    a token of this process; "auto" is the cluster this machine is part of, "HOST:PORT" that cluster by its
    head, "ray://HOST:PORT" one that it is no part of. A connection that this process already has is used.

    retries: how often a run whose worker died is tried again. identify: says what a process runs, here and
    there. Raises ConfigurationError for another address, or when Ray is not installed.
    """

    def __init__(
        self, address: str, *, retries: int = RETRIES, identify: Callable[[], Identity] = this_identity
    ) -> None:
        if not (address == "auto" or _LOCAL.fullmatch(address) or _REMOTE.fullmatch(address)):
            raise ConfigurationError(
                f"{address[:80]!r} is no address of a cluster",
                place="--cluster",
                remedy="give local:4, auto, HOST:PORT or ray://HOST:PORT",
            )
        if importlib.util.find_spec("ray") is None:
            raise ConfigurationError(
                "studies on a cluster need Ray, which is not installed",
                place="--cluster",
                remedy="pip install 'civicbrain[cluster]', here and on every machine of the cluster",
            )
        self.address = address
        self.retries = retries
        self._identify = identify

    def run_all(self, tasks: Sequence[RunTask], simulate: Simulate, on_done: OnDone) -> None:
        """As `Executor.run_all`. Raises ServiceError when no cluster answers, StudyError naming a machine
        that runs something else than this one."""
        mine = self._identify()
        with self._connected() as ray:
            _check_machines(ray, mine, self._identify)
            refs: dict[Path, tuple[str, Any]] = {}
            for folder in {task.city_folder for task in tasks}:
                parcel: Parcel = pack_city(folder)
                refs[folder] = parcel.address, ray.put(parcel.archive)
            # max_calls: a process of its own for each run; max_retries: we count, and say so
            work = ray.remote(num_cpus=1, max_calls=1, max_retries=0)(_work)
            waiting = deque((task, 0) for task in tasks)
            running: dict[Any, tuple[RunTask, int]] = {}
            try:
                while waiting or running:
                    room = max(1, int(IN_FLIGHT * ray.cluster_resources().get("CPU", 1.0)))
                    while waiting and len(running) < room:
                        task, died = waiting.popleft()
                        address, archive = refs[task.city_folder]
                        # in a list: fetched only by a machine that lacks it
                        running[work.remote(address, [archive], task, simulate, mine, self._identify)] = (
                            task,
                            died,
                        )
                    ready, _ = ray.wait(list(running), timeout=_WAIT_S)
                    for ref in ready:
                        task, died = running.pop(ref)
                        outcome = self._outcome(ray, ref, task, died)
                        if outcome is None:
                            waiting.append((task, died + 1))
                        else:
                            on_done(task, outcome)
            finally:
                for ref in running:
                    with contextlib.suppress(Exception):
                        ray.cancel(ref, force=True)

    def _outcome(self, ray: Any, ref: Any, task: RunTask, died: int) -> RunFile | Failure | None:
        """None: its worker died, and it is to be tried again."""
        errors = ray.exceptions
        try:
            answer: Answer = ray.get(ref)
        except errors.RayTaskError as error:
            reason = f"its worker could not run it: {_first_line(error.cause or error)}"
            return Failure(control=task.control.name, seed=task.seed, reason=reason)
        except errors.RayError as error:  # the worker, its machine or the result on it is gone
            if died < self.retries:
                return None
            reason = f"its worker died, {died + 1} times; last: {_first_line(error)}"
            return Failure(control=task.control.name, seed=task.seed, reason=reason)
        if answer.identity is not None:
            raise _mismatch(answer.machine, self._identify().differences(answer.identity))
        assert answer.outcome is not None
        if isinstance(answer.outcome, RunFile):
            forget_logs(task)
        else:
            for file, content in ((task.log_file, answer.log), (task.sumo_log_file, answer.sumo_log)):
                with contextlib.suppress(OSError):
                    file.write_bytes(content)
        return answer.outcome

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        local = _LOCAL.fullmatch(self.address)
        # Ray reads these when it is imported or started. It reports its use to its makers unless told not to
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        if local and not _is_connected():
            # the one switch by which Ray 2 listens on the loopback interface alone; others of this machine
            # lack the token
            os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
            os.environ["RAY_AUTH_MODE"] = "token"
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        ray = importlib.import_module("ray")
        if ray.is_initialized():
            yield ray
            return
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "CRITICAL"}
        with self._said():
            if local:
                _start_here(ray, int(local[1]), quiet)
            else:
                self._knock()
                ray.init(address=self.address, **quiet)
        try:
            yield ray
        finally:
            ray.shutdown()

    def _knock(self) -> None:
        """Ray itself waits for a head that is not there for a minute and longer."""
        if found := _REMOTE.fullmatch(self.address):
            with (
                self._said(),
                socket.create_connection((found[1].strip("[]"), int(found[2])), timeout=_CONNECT_S),
            ):
                pass

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """What goes wrong on the way to a cluster, for people."""
        try:
            yield
        except Exception as error:  # Ray raises bare ones
            raise ServiceError(
                f"no Ray cluster answers: {_first_line(error)}",
                place=self.address,
                remedy="see `ray status` on its head, and that Ray and Python are of the same version there",
            ) from error


def _start_here(ray: Any, workers: int, quiet: dict[str, Any]) -> None:
    """Ray gives its own processes 30 s to come up, which on a machine at its limits can be too little."""
    for attempt_number in range(1, STARTS + 1):
        try:
            ray.init(num_cpus=workers, include_dashboard=False, address="local", **quiet)
        except Exception:
            ray.shutdown()
            if attempt_number == STARTS:
                raise
        else:
            return


def _is_connected() -> bool:
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def _check_machines(ray: Any, mine: Identity, identify: Callable[[], Identity]) -> None:
    """Every machine with a processor to lend says what it runs, before the first run."""
    strategies = importlib.import_module("ray.util.scheduling_strategies")
    ask = ray.remote(num_cpus=0, max_retries=0)(identify)
    machines = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
    if not machines:
        raise StudyError("no machine of the cluster has a processor to lend", remedy="see `ray status`")
    asked = [
        (
            node["NodeManagerAddress"],
            ask.options(
                scheduling_strategy=strategies.NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            ).remote(),
        )
        for node in machines
    ]
    for machine, ref in asked:
        try:
            theirs = ray.get(ref, timeout=CHECK_S)
        except ray.exceptions.RayError as error:
            raise StudyError(
                f"it cannot say what it runs: {_first_line(getattr(error, 'cause', None) or error)}",
                place=f"machine {machine}",
                remedy="install the same civicbrain there, with its extra `cluster`, and start Ray with it",
            ) from error
        if found := mine.differences(theirs):
            raise _mismatch(machine, found)


def _mismatch(machine: str, differences: list[str]) -> StudyError:
    return StudyError(
        "figures of different versions do not compare: it runs " + "; ".join(differences),
        place=f"machine {machine}",
        remedy="install the same civicbrain there, restart its Ray, and give the same command again",
    )


def _work(
    address: str,
    archive: list[Any],
    task: RunTask,
    simulate: Simulate,
    expected: Identity,
    identify: Callable[[], Identity],
) -> Answer:
    """One run, on whatever machine this is."""
    ray = importlib.import_module("ray")
    machine = ray.util.get_node_ip_address()
    mine = identify()
    if expected.differences(mine):  # a machine that joined after the check
        return Answer(machine, identity=mine)
    with tempfile.TemporaryDirectory(prefix="civicbrain-run-") as scratch:
        try:
            folder = unpack_city(address, lambda: ray.get(archive[0]))
        except (CivicBrainError, OSError) as error:
            reason = f"machine {machine}: {error}"
            return Answer(machine, Failure(control=task.control.name, seed=task.seed, reason=reason))
        here = replace(task, city_folder=folder, folder=Path(scratch))
        here.log_file.parent.mkdir()
        redirect_output(here.log_file)
        outcome = attempt(simulate, here, task.log_file)
        return Answer(machine, outcome, None, _tail(here.log_file), _tail(here.sumo_log_file))


def _tail(file: Path) -> bytes:
    try:
        return file.read_bytes()[-_LOG_BYTES:]
    except OSError:
        return b""


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
