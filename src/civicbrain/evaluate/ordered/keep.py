"""The folder of all studies: those that were ordered here, and those that the command line put there.

A study is a folder; its id is the folder's name. What of a study is read: its order, its state and its
progress, and `evaluation.json` when somebody opens it.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TypeVar

import msgspec

from civicbrain.evaluate.ordered.records import (
    OPEN_STATES,
    ORDER_FILE,
    PROGRESS_FILE,
    RESULT_FILE,
    STATE_FILE,
    StudyOrder,
    StudyProgressNow,
    StudyState,
)
from civicbrain.evaluate.records import Evaluation, EvaluationSet
from civicbrain.evaluate.storage import write_atomically

Record = TypeVar("Record", bound=msgspec.Struct)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z")


class Kept(msgspec.Struct, frozen=True):
    """One study as it lies there. order: None for one of the command line."""

    id: str
    folder: Path
    order: StudyOrder | None
    state: StudyState
    progress: StudyProgressNow


class StudyFolder:
    """Reads and writes below `root`, which is made with the first order."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list_kept(self) -> list[Kept]:
        """All studies, the newest folder first."""
        try:
            folders = [path for path in self.root.iterdir() if _ID.match(path.name) and path.is_dir()]
        except OSError:
            return []
        folders.sort(key=lambda path: (_changed(path), path.name), reverse=True)
        return [kept for folder in folders if (kept := self._read(folder)) is not None]

    def find(self, name: str) -> Kept | None:
        """One study; None for what is none, or no name of one."""
        folder = self.root / name
        if not _ID.match(name) or folder.is_symlink() or not folder.is_dir():
            return None
        return self._read(folder)

    def open_ids(self) -> list[str]:
        """Ordered and not over, in the order of their orders: what a new process goes on with."""
        found = [kept for kept in self.list_kept() if kept.order and kept.state.state in OPEN_STATES]
        return [
            kept.id
            for kept in sorted(found, key=lambda kept: (kept.order.ordered_at if kept.order else "", kept.id))
        ]

    def add(self, name: str, order: StudyOrder) -> None:
        """A new study, queued. Raises OSError or StudyError when the disk does not take it."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = self.root / name
        folder.mkdir(mode=0o700)
        self.write(name, ORDER_FILE, order)
        self.write(name, STATE_FILE, StudyState("queued"))

    def write(self, name: str, file: str, record: msgspec.Struct) -> None:
        """Replace one of a study's records. Raises StudyError."""
        write_atomically(self.root / name / file, msgspec.json.encode(record))

    def free_bytes(self) -> int:
        """Room on the disk of the studies."""
        there = next((path for path in (self.root, *self.root.parents) if path.exists()), Path("/"))
        return shutil.disk_usage(there).free

    def _read(self, folder: Path) -> Kept | None:
        order = _load(folder / ORDER_FILE, StudyOrder)
        if order is None:
            if not (folder / RESULT_FILE).is_file():
                return None  # somebody else's folder, or a study that the command line is still at
            return Kept(folder.name, folder, None, StudyState("done"), StudyProgressNow())
        state = _load(folder / STATE_FILE, StudyState) or StudyState("queued")
        progress = _load(folder / PROGRESS_FILE, StudyProgressNow) or StudyProgressNow()
        return Kept(folder.name, folder, order, state, progress)


def read_evaluations(folder: Path) -> list[Evaluation]:
    """The result of a study, one a scenario. Raises OSError and msgspec.MsgspecError."""
    body = (folder / RESULT_FILE).read_bytes()
    try:
        return msgspec.json.decode(body, type=EvaluationSet).studies
    except msgspec.ValidationError:
        return [msgspec.json.decode(body, type=Evaluation)]


def _load(path: Path, kind: type[Record]) -> Record | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None


def _changed(folder: Path) -> float:
    """When the study was ordered, or else finished."""
    for name in (ORDER_FILE, RESULT_FILE):
        try:
            return (folder / name).stat().st_mtime
        except OSError:
            continue
    return 0.0
