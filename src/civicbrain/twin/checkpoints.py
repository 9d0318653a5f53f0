"""Checkpoints of the live twin: the newest whole one is kept, and one that does not load is given up."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import msgspec

POINTER = "checkpoint.json"
MOST_ATTEMPTS = 3


class Checkpoint(msgspec.Struct, frozen=True):
    """name: folder inside the run folder that holds the state. attempts: how often it was resumed from
    without reaching the next checkpoint."""

    name: str
    city: str
    seed: int
    run: int
    time_s: float
    attempts: int = 0


class Checkpoints:
    """Two folders in turn; the pointer is replaced atomically once a folder is whole."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir

    def begin(self) -> Path:
        """An empty folder that is not the newest checkpoint, to save into."""
        newest = self._read()
        folder = self._run_dir / ("checkpoint-b" if newest and newest.name.endswith("-a") else "checkpoint-a")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        return folder

    def commit(self, folder: Path, *, city: str, seed: int, run: int, time_s: float) -> None:
        """From now on `folder` is the newest checkpoint."""
        self._write(Checkpoint(folder.name, city, seed, run, time_s))

    def find(self, city: str, seed: int) -> Checkpoint | None:
        """The newest checkpoint of this city and seed, counted as tried; None when there is none, or when it
        has failed three times (a state that kills SUMO would otherwise do so for ever)."""
        found = self._read()
        if found is None or (found.city, found.seed) != (city, seed) or not self.folder(found).is_dir():
            return None
        if found.attempts >= MOST_ATTEMPTS:
            self.forget()
            return None
        self._write(msgspec.structs.replace(found, attempts=found.attempts + 1))
        return found

    def folder(self, checkpoint: Checkpoint) -> Path:
        return self._run_dir / checkpoint.name

    def forget(self) -> None:
        """Start afresh next time."""
        with contextlib.suppress(FileNotFoundError):
            (self._run_dir / POINTER).unlink()

    def _read(self) -> Checkpoint | None:
        try:
            found = msgspec.json.decode((self._run_dir / POINTER).read_bytes(), type=Checkpoint)
        except (OSError, msgspec.MsgspecError):
            return None
        return found if found.name in ("checkpoint-a", "checkpoint-b") else None

    def _write(self, checkpoint: Checkpoint) -> None:
        part = self._run_dir / f"{POINTER}.part"
        part.write_bytes(msgspec.json.encode(checkpoint))
        part.replace(self._run_dir / POINTER)
