"""Kept moments of a running twin: states from which a what-if can begin in the past.

The twin writes one every `EVERY_S` of its time, as it does for a what-if that is asked now (`branch.py`),
and keeps the newest `MOST_KEPT`: an hour at the pace of the street. Older ones are gone; a city can be
simulated up to any second instead (`civicbrain what-if --at`). No SUMO here: whoever lists moments need not
load it.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import msgspec

from civicbrain.core.errors import NotFoundError

FOLDER = "moments"
DONE_FILE = "done"
"""Written last into a state: it is then whole."""

EVERY_S, LEAST_WALL_S, MOST_KEPT = 300.0, 30.0, 12
_NAME = re.compile(r"r(\d{4,6})-t(\d{7,9})\Z")


class Moment(msgspec.Struct, frozen=True):
    """name: of its folder. run: how often the window had begun anew. time_s: platform second."""

    name: str
    run: int
    time_s: float


def list_moments(run_dir: Path) -> list[Moment]:
    """The whole ones, newest first."""
    try:
        folders = sorted((run_dir / FOLDER).iterdir(), reverse=True)
    except OSError:
        return []
    return [
        Moment(folder.name, int(match[1]), float(match[2]))
        for folder in folders
        if (match := _NAME.match(folder.name)) and (folder / DONE_FILE).exists()
    ]


def take_moment(run_dir: Path, name: str, folder: Path) -> None:
    """Copy a moment's state into `folder`, so that it stays while it is used. Raises NotFoundError."""
    source = run_dir / FOLDER / name
    missing = NotFoundError(
        f"the moment {name[:40]!r} is not kept any more", place="what-if",
        remedy="ask from now, or from one of the moments that GET /v1/moments lists",
    )  # fmt: skip
    if not _NAME.match(name) or not (source / DONE_FILE).exists():
        raise missing
    try:
        shutil.copytree(source, folder)
    except (OSError, shutil.Error) as error:  # it went while it was copied
        shutil.rmtree(folder, ignore_errors=True)
        raise missing from error


class Moments:
    """What the twin's process keeps: when the next is due, where it goes, which one goes for it."""

    def __init__(self, run_dir: Path) -> None:
        self._folder = run_dir / FOLDER
        self._due_s, self._due_wall = -1.0, 0.0

    def forget(self) -> None:
        """A city that starts afresh has no past."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def next_folder(self, run: int, time_s: float, now: float) -> Path | None:
        """A folder to write the state into, or None while none is due. now: monotonic seconds of wall time.
        Raises OSError when the disk does not take it; it is then asked for again when the next is due."""
        if time_s < self._due_s - EVERY_S:
            self._due_s = -1.0  # the window has begun anew
        if time_s < self._due_s or now < self._due_wall:
            return None
        self._due_s, self._due_wall = time_s + EVERY_S, now + LEAST_WALL_S
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for old in sorted(self._folder.iterdir(), reverse=True)[MOST_KEPT - 1 :]:
            shutil.rmtree(old, ignore_errors=True)
        folder = self._folder / f"r{run:04d}-t{round(time_s):07d}"
        shutil.rmtree(folder, ignore_errors=True)
        return folder
