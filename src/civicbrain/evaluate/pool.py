"""Where the runs of a study run: the door, and the processes of this machine behind it.

Each run has a process of its own: libsumo holds one simulation a process, and one that dies must not take
others with it. Behind the same door stand the machines of a cluster (`cluster.py`).
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Protocol

from civicbrain.core.errors import CivicBrainError, ConfigurationError
from civicbrain.evaluate.endings import tell_ending
from civicbrain.evaluate.plan import RunTask
from civicbrain.evaluate.records import Failure, RunFile

Simulate = Callable[[RunTask], RunFile]
OnDone = Callable[[RunTask, RunFile | Failure], None]


class Executor(Protocol):
    """Runs tasks somewhere. Which and where changes no figure."""

    def run_all(self, tasks: Sequence[RunTask], simulate: Simulate, on_done: OnDone) -> None:
        """Run every task, and report each as it ends, in this thread. What `on_done` raises ends the others
        and is passed on. Raises ConfigurationError, ServiceError or StudyError when nothing can run at all.
        """
        ...


class LocalPool:
    """Processes of this machine, `jobs` at a time."""

    def __init__(self, jobs: int) -> None:
        if jobs < 1:
            raise ConfigurationError(
                f"jobs {jobs} is less than 1", remedy="give the number of processes, 1 or more"
            )
        self.jobs = jobs

    def run_all(self, tasks: Sequence[RunTask], simulate: Simulate, on_done: OnDone) -> None:
        """As `Executor.run_all`."""
        run_all(tasks, self.jobs, simulate, on_done)


_LOG_LINES_IN_REASON = 5
_JOIN_S = 10.0


def run_all(tasks: Sequence[RunTask], jobs: int, simulate: Simulate, on_done: OnDone) -> None:
    """Run every task in its own spawned process, `jobs` at a time, and report each as it ends.

    What `on_done` raises ends the others and is passed on.
    """
    context = multiprocessing.get_context("spawn")
    waiting = deque(tasks)
    running: dict[Connection, tuple[RunTask, SpawnProcess]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.popleft()
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_child, args=(simulate, task, theirs), daemon=True)
                process.start()
                theirs.close()
                running[ours] = task, process
            for ready in wait(list(running)):
                assert isinstance(ready, Connection)
                task, process = running.pop(ready)
                on_done(task, _outcome(ready, task, process))
    finally:
        for connection, (_, process) in running.items():
            process.kill()
            process.join()
            connection.close()


def _outcome(connection: Connection, task: RunTask, process: SpawnProcess) -> RunFile | Failure:
    outcome: RunFile | Failure | None = None
    with contextlib.suppress(EOFError, ConnectionResetError):
        outcome = connection.recv()
    connection.close()
    process.join(_JOIN_S)
    if process.is_alive():  # it has delivered; whatever keeps it is not worth waiting for
        process.kill()
        process.join()
    if outcome is None:
        reason = tell_ending(process.exitcode).cause
        if tail := _last_lines(task.log_file):
            reason += f"; its last words: {tail}"
        return Failure(control=task.control.name, seed=task.seed, reason=reason)
    if isinstance(outcome, RunFile):
        forget_logs(task)
    return outcome


def forget_logs(task: RunTask) -> None:
    """Logs are kept of runs that failed."""
    for log in (task.log_file, task.sumo_log_file):
        with contextlib.suppress(OSError):
            log.unlink(missing_ok=True)


def _last_lines(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return " | ".join(lines[-_LOG_LINES_IN_REASON:])


def _child(simulate: Simulate, task: RunTask, connection: Connection) -> None:
    # Ctrl-C reaches the whole process group; the parent decides what ends
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    redirect_output(task.log_file)
    connection.send(attempt(simulate, task, task.log_file))
    connection.close()


def attempt(simulate: Simulate, task: RunTask, log_file: Path) -> RunFile | Failure:
    """Simulate, and turn what it raises into a Failure. log_file: where people will find the traceback."""
    try:
        return simulate(task)
    except CivicBrainError as error:
        return Failure(control=task.control.name, seed=task.seed, reason=str(error))
    except Exception as error:
        traceback.print_exc()
        return Failure(
            control=task.control.name,
            seed=task.seed,
            reason=f"{type(error).__name__}: {error} (traceback in {log_file})",
        )


def _end_with_parent() -> None:
    """A parent ended by kill -9 cannot end its children; they notice by themselves."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def redirect_output(path: Path) -> None:
    """stdout belongs to the study (--json), the terminal to the progress bar: SUMO and brains write here."""
    try:
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    except OSError:
        target = os.open(os.devnull, os.O_WRONLY)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
