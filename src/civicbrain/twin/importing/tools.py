"""SUMO's own programs (netconvert, sumo), run as processes."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from civicbrain.core.errors import ImportFailedError

TIMEOUT_S = 1800.0


@cache
def sumo_home() -> Path:
    """The folder of the installed eclipse-sumo package; raises ImportFailedError where it is missing."""
    spec = importlib.util.find_spec("sumo")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(root) / "bin").is_dir():
            return Path(root)
    raise ImportFailedError("SUMO is not installed", remedy="pip install eclipse-sumo")


def run_tool(name: str, arguments: Sequence[str], *, place: str, what: str, remedy: str) -> str:
    """Run a SUMO program and return what it said; raises ImportFailedError with its own error lines.

    place: the source for messages. what: what failed, in words.
    """
    home = sumo_home()
    environment = {**os.environ, "SUMO_HOME": str(home), "LC_ALL": "C"}
    try:
        done = subprocess.run(
            [str(home / "bin" / name), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ImportFailedError(
            f"{what}: {name} did not finish in {TIMEOUT_S / 60:.0f} minutes",
            place=place,
            remedy="choose a smaller area",
        ) from error
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.startswith("Error:")]
        said = " ".join(line.removeprefix("Error:").strip() for line in lines[:3])
        raise ImportFailedError(
            f"{what}: {said or f'{name} ended with code {done.returncode}'}", place=place, remedy=remedy
        )
    return done.stderr + done.stdout
