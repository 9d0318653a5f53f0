"""Times of day: cutting a row of counts into periods of steady demand.

Optimal partitioning by dynamic programming (Jackson et al. 2005, "An algorithm for optimal partitioning of
data on an interval", IEEE Signal Processing Letters 12(2)): the cut with the least sum of costs, where a
period costs the Poisson deviance of its counts from their means, and each period more costs a penalty.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def poisson_deviance(counts: F64, seconds: F64) -> float:
    """2 Σ x ln(x / expected) of counts (i, d) in intervals of `seconds` (i,), against a constant rate of each
    column. 0 for counts that follow the rate exactly; about one for each degree of freedom in Poisson
    noise."""
    rate = counts.sum(axis=0) / max(float(seconds.sum()), 1e-9)
    expected = seconds[:, None] * rate
    ratio = np.divide(counts, expected, out=np.ones_like(counts), where=(counts > 0.0) & (expected > 0.0))
    return float(2.0 * (counts * np.log(ratio)).sum())


def segment_counts(
    counts: F64, seconds: F64, *, penalty: float | None = None, least: int = 1, periods: int | None = None
) -> list[int]:
    """First interval of each period, and the number of intervals at the end: n periods give n + 1 numbers.

    counts: (i, d) vehicles. least: intervals a period has at least. penalty: cost of a period more; by
    default Schwarz's d ln i (a period brings d rates to be estimated). periods: this many, whatever the
    penalty. Raises ValueError when that many do not fit.
    """
    total, columns = counts.shape
    least = max(1, min(least, total))
    if periods is not None and not 1 <= periods <= total // least:
        raise ValueError(f"{periods} periods of {least} intervals do not fit into {total} intervals")
    if penalty is None:
        penalty = columns * math.log(max(total, 2))
    most = total // least if periods is None else periods
    # best[k][e]: least deviance of k periods that end before interval e
    best = np.full((most + 1, total + 1), np.inf)
    came = np.zeros((most + 1, total + 1), dtype=np.int64)
    best[0, 0] = 0.0
    for first in range(total):
        if not np.isfinite(best[:, first]).any():
            continue
        for end in range(first + least, total + 1):
            cost = poisson_deviance(counts[first:end], seconds[first:end])
            for k in range(most):
                value = best[k, first] + cost
                if value < best[k + 1, end] - 1e-9:
                    best[k + 1, end], came[k + 1, end] = value, first
    numbers = np.arange(most + 1)
    k = int(np.argmin(best[:, total] + penalty * numbers)) if periods is None else periods
    cuts = [total]
    while k > 0:
        cuts.append(int(came[k, cuts[-1]]))
        k -= 1
    return cuts[::-1]
