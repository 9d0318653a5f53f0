"""Arrays that nobody can change, as snapshots are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.network import I32, Bool


def below(rows: I32, count: int) -> Bool:
    """Which of the rows are 0 to count - 1. Read as unsigned, a negative number is beyond every count."""
    result: Bool = rows.view(np.uint32) < np.uint32(count)
    return result


def owned(values: object, dtype: Any) -> NDArray[Any]:
    """A read-only copy of that type. Raises TypeError, ValueError, OverflowError."""
    result = np.array(values, dtype, order="C")
    result.setflags(write=False)
    return result


def frozen(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """A read-only array of that type. `array` must be ours: it is frozen itself when the type fits."""
    result = np.ascontiguousarray(array, dtype=dtype)
    result.setflags(write=False)
    return result
