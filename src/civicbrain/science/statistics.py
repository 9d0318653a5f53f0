"""Statistics of a study: means with confidence intervals, paired differences and paired ratios.

Runs of the same seed under two controls share their demand, so they are compared pair by pair: what the
seed does to both cancels out (common random numbers: Law, A. M., "Simulation Modeling and Analysis",
5th ed., McGraw-Hill 2015, chapters 10 and 11).

Range of validity: the intervals are Student's and assume that the means (of the pairs' differences) are
near normal. With ten seeds that holds for delays that do not jam; a study in which single seeds deadlock
has heavy tails, and its intervals are then too narrow. Read the runs one by one there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and its confidence interval (low, high), None where one sample says nothing about spread."""

    mean: float
    interval: Interval | None
    count: int


def student_quantile(probability: float, degrees: int) -> float:
    """t with P(T <= t) = probability for Student's T with `degrees` degrees of freedom.

    Raises ValueError unless 0 < probability < 1 and degrees >= 1.
    """
    if not 0.0 < probability < 1.0 or degrees < 1:
        raise ValueError(f"no Student quantile for probability {probability} and {degrees} degrees")
    # scipy.special instead of scipy.stats: the same function, a twentieth of the import time; and only here
    from scipy.special import stdtrit

    return float(stdtrit(degrees, probability))


def estimate_mean(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Mean with Student's interval, mean ± t(n−1) s/√n (Law 2015, chapter 4).

    values: n samples, all finite. Raises ValueError for none or for one that is not finite.
    """
    samples = _finite(values)
    mean = float(samples.mean())
    if samples.size < 2:
        return Estimate(mean, None, int(samples.size))
    half = student_quantile(0.5 + confidence / 2, samples.size - 1) * float(
        samples.std(ddof=1) / math.sqrt(samples.size)
    )
    return Estimate(mean, (mean - half, mean + half), int(samples.size))


def estimate_paired_difference(
    treatment: Sequence[float], baseline: Sequence[float], confidence: float = 0.95
) -> Estimate:
    """Mean of treatment − baseline, pair by pair, with Student's interval of the differences
    (paired-t interval: Law 2015, chapter 10).

    Both of length n, same order. Raises ValueError when lengths differ.
    """
    x, y = _pairs(treatment, baseline)
    return estimate_mean([float(difference) for difference in x - y], confidence)


def estimate_paired_ratio(
    treatment: Sequence[float], baseline: Sequence[float], confidence: float = 0.95
) -> Estimate:
    """mean(treatment) / mean(baseline) with Fieller's interval for paired samples.

    The interval is the set of ratios R for which the mean of treatment − R·baseline does not differ
    from 0 by Student's test (Fieller, E. C., "Some problems in interval estimation", Journal of the Royal
    Statistical Society B 16(2), 1954, 175-185). Unlike the mean of ratios it does not favour seeds in
    which little traffic was delayed. `interval` is None with one pair, and where the baseline's mean is
    not distinguishable from 0, for then the set has no bounds.

    Raises ValueError when lengths differ or the baseline's mean is 0.
    """
    x, y = _pairs(treatment, baseline)
    mean_x, mean_y = float(x.mean()), float(y.mean())
    if mean_y == 0.0:
        raise ValueError("the baseline's mean is 0: no ratio to it")
    ratio = mean_x / mean_y
    count = int(x.size)
    if count < 2:
        return Estimate(ratio, None, count)
    covariance = np.cov(x, y, ddof=1) / count
    var_x, var_y, cov = float(covariance[0, 0]), float(covariance[1, 1]), float(covariance[0, 1])
    t = student_quantile(0.5 + confidence / 2, count - 1)
    g = t * t * var_y / (mean_y * mean_y)
    if g >= 1.0:
        return Estimate(ratio, None, count)
    # written without dividing by var_y, so that a baseline that never varies needs no special case
    centre = ratio - t * t * cov / (mean_y * mean_y)
    inner = (
        var_x
        - 2.0 * ratio * cov
        + ratio * ratio * var_y
        - t * t * (var_x * var_y - cov * cov) / (mean_y * mean_y)
    )
    half = t / abs(mean_y) * math.sqrt(max(inner, 0.0))
    return Estimate(ratio, ((centre - half) / (1.0 - g), (centre + half) / (1.0 - g)), count)


def _finite(values: Sequence[float]) -> NDArray[np.float64]:
    samples = np.asarray(values, dtype=np.float64)
    if samples.ndim != 1 or samples.size == 0:
        raise ValueError("no samples")
    if not np.isfinite(samples).all():
        raise ValueError("a sample is not finite")
    return samples


def _pairs(
    treatment: Sequence[float], baseline: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = _finite(treatment), _finite(baseline)
    if x.size != y.size:
        raise ValueError(f"{x.size} samples cannot be paired with {y.size}")
    return x, y
