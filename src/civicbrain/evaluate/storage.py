"""Finished runs on disk, one file each, so that a full disk or a kill loses none of them.

A file appears whole or not at all: written beside its place, flushed to the disk, then renamed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path

import msgspec

from civicbrain.core.errors import StudyError
from civicbrain.evaluate.records import RunFile, encode

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


def run_path(folder: Path, control: str, seed: int) -> Path:
    """Where the run of that control and seed is kept."""
    return folder / "runs" / f"{control}-{seed}.json"


def prepare_folder(folder: Path) -> None:
    """Make the study's folder and prove that it can be written to; raises StudyError before any run."""
    try:
        (folder / "runs").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder / "runs"):
            pass
    except OSError as error:
        raise StudyError(
            f"cannot write here: {error.strerror or error}",
            place=str(folder),
            remedy="free some space, then run the command again"
            if error.errno in _NO_SPACE
            else "choose another folder with --out, or check its permissions",
        ) from error


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, durably. Raises StudyError; the old file then still stands."""
    # the process id in the name: two studies in one folder never write into each other's half-written file
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StudyError(
            "no space left on the disk"
            if error.errno in _NO_SPACE
            else f"cannot be written: {error.strerror or error}",
            place=str(path),
            remedy="finished runs are kept; free some space and give the same command with "
            "the same --out: it goes on where it stopped"
            if error.errno in _NO_SPACE
            else "finished runs are kept; put this right and give the same command with the same --out",
        ) from error


def _sync_folder(folder: Path) -> None:
    # a rename is durable only when its folder is; some file systems cannot sync folders, and that is fine
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def save_run(folder: Path, file: RunFile) -> None:
    """Keep a finished run. Raises StudyError when the disk does not take it."""
    write_atomically(run_path(folder, file.run.control, file.run.seed), encode(file))


def find_run(folder: Path, control: str, seed: int, key: str) -> RunFile | None:
    """The finished run of that control and seed if its key matches; None where there is none, where it
    depends on something that has changed since, or where the file is damaged (it is then run again)."""
    try:
        content = run_path(folder, control, seed).read_bytes()
        file = msgspec.json.decode(content, type=RunFile)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    matches = file.key == key and file.run.control == control and file.run.seed == seed
    return file if matches else None
