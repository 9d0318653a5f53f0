"""A city on its way to another machine: packed once, known by what is in it, unpacked once a machine.

Nothing of a shared disk is assumed. The address of a parcel is the SHA-256 over the names and contents of its
files, so that a machine which has it does not fetch it again, and a damaged copy is noticed.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from civicbrain.city.folder import load_city
from civicbrain.core.errors import StudyError
from civicbrain.core.folders import cache_folder

KEPT_S = 7 * 86_400.0
"""A city that no run has used for a week is deleted from a machine's cache."""
_OWN = ("city.toml", "network.civic", "places.json")


@dataclass(frozen=True, slots=True)
class Parcel:
    """address: what its content is known by. archive: gzipped tar."""

    address: str
    archive: bytes


def pack_city(folder: Path) -> Parcel:
    """The files of a city that a run may read: its own, those it names, and all of `twin/`. Raises what
    `load_city` raises."""
    demand = load_city(folder).demand
    names = {*_OWN, demand.net_file, *demand.route_files, *demand.additional_files}
    names |= {path.relative_to(folder).as_posix() for path in (folder / "twin").rglob("*")}
    names = {name for name in names if (folder / name).is_file()}
    buffer = io.BytesIO()
    # no time and no user: the same city makes the same bytes
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name in sorted(names):
            content = (folder / name).read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return Parcel(address_of(folder, names), buffer.getvalue())


def address_of(folder: Path, names: set[str]) -> str:
    """SHA-256 over names and contents."""
    digest = hashlib.sha256()
    for name in sorted(names):
        content = hashlib.sha256((folder / name).read_bytes()).digest()
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()


def unpack_city(address: str, fetch: Callable[[], bytes], cache: Path | None = None) -> Path:
    """The folder of that city on this machine; `fetch` brings the archive where it is not there yet, or not
    whole. Raises StudyError when what comes is not what was sent, OSError when the disk takes it not."""
    cache = cache_folder() / "cluster" if cache is None else cache
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = cache / address
    if folder.is_dir() and _is_whole(folder, address):
        os.utime(folder)
        return folder
    _forget_old(cache)
    with tempfile.TemporaryDirectory(prefix=".arriving-", dir=cache) as temporary:
        whole = Path(temporary) / "city"
        _extract(fetch(), whole)
        if not _is_whole(whole, address):
            raise StudyError(
                "the city that arrived is not the one that was sent",
                place=str(folder),
                remedy="give the same command again",
            )
        if folder.exists() and not _is_whole(folder, address):
            shutil.rmtree(folder, ignore_errors=True)
        # OSError: another run of this machine was quicker, and its copy is as good
        with contextlib.suppress(OSError):
            whole.rename(folder)
    return folder


def _is_whole(folder: Path, address: str) -> bool:
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return address_of(folder, names) == address


def _extract(content: bytes, folder: Path) -> None:
    """Plain files inside `folder`, nothing else."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for entry in archive:
            path = PurePosixPath(entry.name)
            file = archive.extractfile(entry) if entry.isfile() else None
            if file is None or path.is_absolute() or ".." in path.parts:
                raise StudyError(
                    f"{entry.name!r} is no file of a city", place="archive", remedy="import the city again"
                )
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read())


def _forget_old(cache: Path) -> None:
    for folder in cache.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > KEPT_S:
                shutil.rmtree(folder, ignore_errors=True)
