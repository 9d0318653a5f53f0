"""Values of brains and of the guard, as messages and records can hold them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def plain(value: object) -> object:
    """numpy's scalars and arrays, and mappings that are no dict, as Python's own: an `enc_hook` for msgspec.
    Raises TypeError for everything else that it does not know."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is nothing that JSON or a message can say")
