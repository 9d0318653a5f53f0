"""Whole files or none: everything is written under another name, flushed to the disk, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PART = ".part"
"""Suffix of what is being written; whoever finds one after a crash may delete it."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A name to write to; becomes `path` when the block ends without an error, else nothing is left."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(path.name + PART)
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    with whole(path) as part:
        part.write_bytes(content)


def remove_parts(folder: Path) -> None:
    """What a killed writer left behind."""
    for part in folder.rglob("*" + PART):
        part.unlink(missing_ok=True)
