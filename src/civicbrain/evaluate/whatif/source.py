"""Where the state comes from: a city that runs, or one that is simulated up to a time for it."""

from __future__ import annotations

import time
from pathlib import Path

from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.contracts.rooms import get_control
from civicbrain.contracts.transport import BRAIN_CMD, TWIN_CMD, Client
from civicbrain.contracts.wire import BrainCommand, TwinCommand
from civicbrain.core.errors import ServiceError
from civicbrain.twin.whatif.branch import FAILED_FILE
from civicbrain.twin.whatif.moments import DONE_FILE

ASK_TIMEOUT_S = 20.0
"""On a machine with much to do a twin needs seconds to come to what it is asked."""

WRITE_TIMEOUT_S, ASK_AGAIN_S = 60.0, 0.3
LOOK_EVERY_S = 0.02
WARM_UP_S = 300.0


def take_from_run(run_dir: Path, folder: Path) -> float:
    """Have the twin of a running city write its state into `folder`; the seconds that its street stood still
    for it (the fork). Raises ServiceError when no twin runs there, it does not answer, is busy with another,
    or does not finish.
    """
    if not (run_dir / TWIN_CMD).exists():
        raise ServiceError(
            "the twin does not give its state: none runs here", place=str(run_dir),
            remedy="ask of a city that runs",
        )  # fmt: skip
    twin, end = Client(run_dir, TWIN_CMD), time.monotonic() + WRITE_TIMEOUT_S
    command = TwinCommand(action="branch", text=str(folder.absolute()))
    try:
        reply = twin.ask(command, ASK_TIMEOUT_S)
        while reply.kind == "busy" and time.monotonic() < end:  # a moment is just being kept: that ends
            time.sleep(ASK_AGAIN_S)
            reply = twin.ask(command, ASK_TIMEOUT_S)
    finally:
        twin.close()
    if not reply.ok:
        raise ServiceError(
            f"the twin does not give its state: {reply.error}", place=str(run_dir),
            remedy="see whether the city runs and the machine is not overloaded, then ask again",
        )  # fmt: skip
    end = time.monotonic() + WRITE_TIMEOUT_S
    while not (folder / DONE_FILE).exists():
        if (folder / FAILED_FILE).exists():
            raise ServiceError(
                f"the twin could not write its state: {(folder / FAILED_FILE).read_text()}",
                place=str(folder), remedy="see whether the disk has room, then ask again",
            )  # fmt: skip
        if time.monotonic() > end:
            raise ServiceError(
                f"the twin's state was not written within {WRITE_TIMEOUT_S:.0f} s",
                place=str(folder),
                remedy="see whether the machine is overloaded or its disk full, then ask again",
            )
        time.sleep(LOOK_EVERY_S)
    return float(reply.body["pause_s"]) if isinstance(reply.body, dict) else 0.0


def control_of_run(run_dir: Path) -> str:
    """Name of the control that a running city has. Raises ServiceError."""
    brain = Client(run_dir, BRAIN_CMD)
    try:
        reply = brain.ask(BrainCommand("controls"), ASK_TIMEOUT_S)
    finally:
        brain.close()
    if not reply.ok or not isinstance(reply.body, dict):
        raise ServiceError(
            f"the brain does not say how the signals are controlled: {reply.error}", place=str(run_dir),
            remedy="name the control in the question",
        )  # fmt: skip
    return str(reply.body["current"])


def simulate_to(city_folder: Path, control: str, at_s: float | None, seed: int, folder: Path) -> None:
    """Simulate the city under `control` up to at_s (by default `WARM_UP_S` after its begin) and write its
    state into `folder`. For a process of its own: it starts libsumo. Raises TwinError."""
    from civicbrain.evaluate.run import TwinDoor
    from civicbrain.evaluate.whatif.run import make_loop
    from civicbrain.twin.options import TwinOptions
    from civicbrain.twin.simulation import Twin
    from civicbrain.twin.whatif.branch import write_branch

    city: City = load_city(city_folder)
    spec = get_control(control)
    door = TwinDoor()
    loop = make_loop(city, spec, seed, door) if spec.brain else None
    until_s = city.demand.begin_s + WARM_UP_S if at_s is None else at_s
    twin = Twin(city, TwinOptions(seed=seed, emissions=False, sample=False))
    door.twin = twin
    try:
        while twin.time_s < until_s and not twin.ended:
            twin.step()
            if loop is not None:
                loop.tick(twin.sense(), twin.time_s)
        write_branch(twin, folder)
    finally:
        twin.close()
