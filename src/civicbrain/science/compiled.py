"""Functions compiled to machine code by numba, once a machine.

Numba keeps what it compiled beside the module, in the user's cache folder where that is read-only, or in
NUMBA_CACHE_DIR. Where none of them can be written, every process compiles anew (seconds) instead of failing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit, types

F = TypeVar("F", bound=Callable[..., Any])


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
