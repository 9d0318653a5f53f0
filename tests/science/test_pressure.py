"""Hand-computed pressures."""

import numpy as np
import pytest

from civicbrain.science.pressure import (
    age_weight,
    permitted_factor,
    queue_weight,
    spillback_factor,
    stage_worth,
)


def test_exponent_one_is_varaiyas_pressure_and_zero_counts_heads() -> None:
    assert queue_weight([9.0, 4.0], 1.0).tolist() == [9.0, 4.0]
    assert queue_weight([9.0, 4.0], 0.5).tolist() == [3.0, 2.0]
    assert queue_weight([9.0, 4.0], 0.0).tolist() == [1.0, 1.0]


def test_waiting_doubles_the_weight_at_the_scale() -> None:
    assert age_weight([0.0, 60.0, 120.0], 60.0).tolist() == [1.0, 2.0, 5.0]


def test_a_link_counts_only_near_spill_back() -> None:
    assert spillback_factor([0.0, 0.75, 0.85, 0.95, 1.4], 0.75, 0.95, 0.02) == pytest.approx(
        [1.0, 1.0, 0.5, 0.02, 0.02]
    )


def test_yielding_keeps_full_flow_on_an_empty_road_and_a_little_on_a_full_one() -> None:
    assert permitted_factor([0.0, 2.5, 5.0, 50.0]) == pytest.approx([1.0, 0.5, 0.15, 0.15])


def test_the_worth_of_a_stage_is_its_best_rate_over_an_allowed_span() -> None:
    horizon = np.array([5.0, 10.0, 20.0])
    served = np.array([[2.0, 2.0, 2.0], [0.0, 1.0, 6.0], [0.0, 1.0, 2.0]])
    # stage 0 is the first row: 2/5; stage 1 the other two: 0, 2/10, 8/20
    worth, span = stage_worth(served, horizon, np.array([0, 1], np.int32), [0.0, 0.0])
    assert worth == pytest.approx([0.4, 0.4])
    assert span.tolist() == [5.0, 20.0]
    # with a transition and minimum green of 8 s, stage 0 cannot claim its first five seconds
    worth, span = stage_worth(served, horizon, np.array([0, 1], np.int32), [8.0, 8.0])
    assert worth == pytest.approx([0.2, 0.4])
    assert span.tolist() == [10.0, 20.0]
