"""Runs for studies on a cluster; imported by its workers, so everything is at module level."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import fake_runs

from civicbrain.evaluate.cluster import Identity
from civicbrain.evaluate.plan import RunTask
from civicbrain.evaluate.records import RunFile

DRIVER = os.getpid()
NOTES = Path(os.environ.get("CIVICBRAIN_TEST_NOTES", "/nonexistent"))


def identity() -> Identity:
    return Identity("1", "1.28.0", "3.11", "code")


def identity_of_another_version() -> Identity:
    """SUMO 1.27 on the machines, 1.28 here."""
    here = "CIVICBRAIN_TEST_DRIVER" in os.environ and os.environ["CIVICBRAIN_TEST_DRIVER"] == str(os.getpid())
    return Identity("1", "1.28.0" if here else "1.27.0", "3.11", "code")


def simulate_and_note(task: RunTask) -> RunFile:
    """Says that it ran, in which process, and where its city lay."""
    name = f"{task.control.name}-{task.seed}-{os.getpid()}"
    (NOTES / name).write_text(f"{task.city_folder}\n{(task.city_folder / 'net.xml').read_text()}")
    return fake_runs.simulate(task)


def simulate_and_die(task: RunTask) -> RunFile:
    """The worker of one run is killed in the middle the first time, that of another each time; others fail as
    runs do."""
    name = f"{task.control.name}.{task.seed}"
    deaths = NOTES / "deaths"
    before = deaths.read_text().split() if deaths.exists() else []
    if name == "max-pressure.2" or (name == "max-pressure.1" and name not in before):
        with deaths.open("a") as file:
            file.write(f"{name}\n")
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGKILL)
    if task.control.name == "actuated":
        return fake_runs.simulate_or_fail(task)
    return simulate_and_note(task)
