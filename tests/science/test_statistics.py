"""Confidence intervals against textbook figures and against their own definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civicbrain.science.statistics import (
    estimate_mean,
    estimate_paired_difference,
    estimate_paired_ratio,
    student_quantile,
)


def test_student_quantiles_are_those_of_the_tables() -> None:
    assert student_quantile(0.975, 9) == pytest.approx(2.262157, abs=1e-6)
    assert student_quantile(0.975, 2) == pytest.approx(4.302653, abs=1e-6)
    with pytest.raises(ValueError, match="no Student quantile"):
        student_quantile(0.975, 0)


def test_the_interval_of_a_mean_is_the_textbook_one() -> None:
    # worked example of Law 2015, chapter 4: mean 1.34, 90 %: ± 0.24
    samples = [1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09]
    result = estimate_mean(samples, confidence=0.90)
    assert result.mean == pytest.approx(1.343)
    assert result.interval is not None
    assert result.interval[1] - result.mean == pytest.approx(0.24, abs=0.005)
    assert result.count == 10


def test_one_sample_has_a_mean_and_no_interval() -> None:
    result = estimate_mean([3.0])
    assert (result.mean, result.interval) == (3.0, None)
    assert estimate_paired_ratio([2.0], [4.0]).mean == 0.5
    assert estimate_paired_ratio([2.0], [4.0]).interval is None


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf]])
def test_samples_that_mean_nothing_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="sample"):
        estimate_mean(values)


def test_pairs_must_match_and_the_baseline_must_not_be_zero() -> None:
    with pytest.raises(ValueError, match="paired"):
        estimate_paired_difference([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="baseline"):
        estimate_paired_ratio([1.0, 2.0], [-1.0, 1.0])


def test_pairing_removes_what_the_seed_does_to_both() -> None:
    baseline = [40.0, 60.0, 80.0, 100.0]
    difference = estimate_paired_difference([value - 10.0 for value in baseline], baseline)
    assert difference.mean == pytest.approx(-10.0)
    assert difference.interval == pytest.approx((-10.0, -10.0))
    ratio = estimate_paired_ratio([value * 0.6 for value in baseline], baseline)
    assert ratio.mean == pytest.approx(0.6)
    assert ratio.interval == pytest.approx((0.6, 0.6), abs=1e-6)


def test_a_baseline_that_may_be_zero_bounds_no_ratio() -> None:
    assert estimate_paired_ratio([1.0, 2.0, 3.0], [-5.0, 0.1, 5.0]).interval is None


def test_a_constant_baseline_gives_the_interval_of_the_treatment() -> None:
    treatment = [9.0, 10.0, 12.0]
    mean = estimate_mean(treatment)
    ratio = estimate_paired_ratio(treatment, [20.0, 20.0, 20.0])
    assert mean.interval is not None
    assert ratio.interval == pytest.approx((mean.interval[0] / 20.0, mean.interval[1] / 20.0))


pairs = st.lists(st.tuples(st.floats(1.0, 500.0), st.floats(50.0, 500.0)), min_size=3, max_size=12)


@given(pairs)
@settings(max_examples=200, deadline=None)
def test_at_the_ends_of_fiellers_interval_students_test_just_rejects(
    samples: list[tuple[float, float]],
) -> None:
    treatment, baseline = np.array(samples).T
    estimate = estimate_paired_ratio(list(treatment), list(baseline))
    if estimate.interval is None:
        return
    assert estimate.interval[0] <= estimate.mean + 1e-9
    assert estimate.mean <= estimate.interval[1] + 1e-9
    t = student_quantile(0.975, len(samples) - 1)
    for end in estimate.interval:
        residual = treatment - end * baseline
        spread = residual.std(ddof=1) / math.sqrt(len(samples))
        if spread > 1e-6 and abs(end) < 1e3:
            assert abs(residual.mean()) == pytest.approx(t * spread, rel=1e-4, abs=1e-4)
