"""Functions compiled to machine code by numba, once a machine.

Machine code is kept in a folder of its own for each state of the sources that it is made from: numba itself
looks only at the file of the function, and would go on with what it took from other modules (functions,
constants) before they changed. The folder lies in NUMBA_CACHE_DIR, else beside the package, else in the
user's cache. Where none of them can be written, every process compiles anew (seconds) instead of failing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from numba import njit, types
from numba.core import config

from civicbrain.core.folders import cache_folder

F = TypeVar("F", bound=Callable[..., Any])

_PACKAGE = Path(__file__).parents[1]
_FORGOTTEN_S = 7 * 86_400.0


def sources_digest(package: Path) -> str:
    """Of all modules that compiled functions stand in or take something from."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted([*(package / "science").rglob("*.py"), *(package / "brains").rglob("*.py")]):
        digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _places() -> Iterator[Path]:
    """Where machine code may be kept, best first."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        yield Path(given)
        return
    yield _PACKAGE / "__pycache__"
    with contextlib.suppress(RuntimeError):  # a user without a home
        yield cache_folder()


def _choose_folder() -> None:
    """Tell numba where to keep this state's code, and forget states that were not used for a week."""
    name = f"compiled-{sources_digest(_PACKAGE)}"
    for base in _places():
        folder = base / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            os.utime(folder)
            for other in base.glob("compiled-*"):
                if time.time() - other.stat().st_mtime > _FORGOTTEN_S:
                    shutil.rmtree(other, ignore_errors=True)
        except OSError:
            continue
        config.CACHE_DIR = str(folder)
        return


_choose_folder()


def compiled(signature: Any = None) -> Callable[[F], F]:
    """Decorator. signature: numba's; with it the function is compiled when its module is imported, and never
    again for arrays that are read-only or not. Without it, at the first call with each kind of arguments.

    Division by zero gives inf or nan, as in numpy. Nothing is reordered or fused: results are those of the
    same operations in Python.
    """

    def decorate(function: F) -> F:
        try:
            return njit(signature, cache=True, error_model="numpy")(function)  # type: ignore[no-any-return]
        except RuntimeError:  # no place for the cache
            return njit(signature, error_model="numpy")(function)  # type: ignore[no-any-return]

    return decorate


def array_in(dtype: Any, dimensions: int = 1) -> Any:
    """The type of an argument that is only read: a contiguous array, writable or not."""
    return types.Array(dtype, dimensions, "C", readonly=True)
