"""Delay and cycle by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicbrain.science.fixed_time import (
    control_delay_s,
    degree_of_saturation,
    incremental_delay_s,
    permitted_flow_veh_per_s,
    uniform_delay_s,
    webster_cycle_s,
    webster_delay_s,
    webster_greens_s,
)
from civicbrain.science.periods import poisson_deviance, segment_counts


def test_websters_cycle_and_greens() -> None:
    # L = 10 s, y = 0.3 and 0.2: C = (15 + 5) / 0.5 = 40 s; 30 s of green as 3 to 2
    assert webster_cycle_s(10.0, [0.3, 0.2]) == pytest.approx(40.0)
    assert webster_greens_s(40.0, 10.0, [0.3, 0.2]) == pytest.approx([18.0, 12.0])
    assert webster_cycle_s(10.0, [0.6, 0.4]) == math.inf


def test_websters_delay() -> None:
    # q = 0.125, s = 0.5, C = 60, g = 30: λ = 0.5, x = 0.5
    # uniform 60·0.25 / (2·0.75) = 10; random 0.25 / (2·0.125·0.5) = 2
    # correction 0.65·(60 / 0.015625)^(1/3)·0.5^4.5 = 0.65·15.6590·0.0441942 = 0.44983
    assert webster_delay_s(0.125, 0.5, 30.0, 60.0) == pytest.approx(11.5502, abs=1e-3)
    assert webster_delay_s(0.25, 0.5, 30.0, 60.0) == math.inf
    with pytest.raises(ValueError, match="positive"):
        webster_delay_s(0.0, 0.5, 30.0, 60.0)


def test_hcm_control_delay() -> None:
    # c = 0.25 veh/s = 900 veh/h, x = 0.8; d1 = 0.5·60·0.25 / (1 − 0.4) = 12.5
    # d2 = 900·0.25·(−0.2 + √(0.04 + 8·0.5·0.8 / (900·0.25))) = 225·(−0.2 + √0.0542222) = 7.3926
    assert uniform_delay_s(60.0, 30.0, 0.8) == pytest.approx(12.5)
    assert incremental_delay_s(0.8, 0.25, 900.0) == pytest.approx(7.3926, abs=1e-3)
    assert control_delay_s(0.2, 0.5, 30.0, 60.0) == pytest.approx(19.8926, abs=1e-3)


def test_degree_of_saturation_where_nothing_can_go() -> None:
    assert degree_of_saturation([0.2, 0.1, 0.0], [0.25, 0.0, 0.0]).tolist() == [0.8, math.inf, 0.0]


def test_permitted_turns_pass_gaps() -> None:
    # nobody comes: one each follow-up headway of 2.5 s; q = 0.2: 0.2 e^-0.9 / (1 − e^-0.5) = 0.20666
    assert permitted_flow_veh_per_s(0.0) == pytest.approx(0.4, rel=1e-6)
    assert permitted_flow_veh_per_s(0.2) == pytest.approx(0.20666, abs=1e-4)


@given(st.floats(0.01, 0.24), st.floats(20.0, 120.0))
def test_delay_grows_with_flow(flow: float, cycle_s: float) -> None:
    less = control_delay_s(flow, 0.5, 0.5 * cycle_s, cycle_s)
    more = control_delay_s(flow * 1.2, 0.5, 0.5 * cycle_s, cycle_s)
    assert 0.0 < less < more


def test_periods_are_cut_where_demand_changes_and_nowhere_else() -> None:
    steps = np.vstack([np.full((6, 4), 20.0), np.full((6, 4), 60.0)])
    seconds = np.full(12, 300.0)
    assert segment_counts(steps, seconds) == [0, 6, 12]
    noise = np.random.default_rng(1).poisson(20.0, (12, 30)).astype(float)
    assert segment_counts(noise, seconds) == [0, 12]
    assert segment_counts(steps, seconds, periods=3, least=3) in ([0, 3, 6, 12], [0, 6, 9, 12])
    with pytest.raises(ValueError, match="do not fit"):
        segment_counts(steps, seconds, periods=5, least=3)


def test_deviance_by_hand() -> None:
    # 10 and 30 in equal times against a mean of 20: 2 (10 ln 0.5 + 30 ln 1.5) = 10.4650
    assert poisson_deviance(np.array([[10.0], [30.0]]), np.array([1.0, 1.0])) == pytest.approx(
        10.4650, abs=1e-3
    )
