"""Intergreens against answers computed by hand from RiLSA 2015."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicbrain.science import intergreens as ig


def test_straight_against_straight_by_hand() -> None:
    # t_ü 3 s + (20 m + 6 m) / 10 m/s - 10 m / 11.11 m/s = 3 + 2.6 - 0.9
    assert ig.intergreen_s(ig.STRAIGHT, 20.0, 10.0) == pytest.approx(4.7)


def test_turning_against_straight_by_hand() -> None:
    # 2 s + (15 + 6) / 7 - 20 / 11.11 = 2 + 3 - 1.8
    assert ig.intergreen_s(ig.TURNING, 15.0, 20.0) == pytest.approx(3.2)


def test_pedestrians_clear_twelve_metres_in_ten_seconds() -> None:
    assert ig.intergreen_s(ig.PEDESTRIAN, 12.0, 0.0) == pytest.approx(10.0)


@pytest.mark.parametrize(("limit_kmh", "seconds"), [(30, 3.0), (50, 3.0), (60, 4.0), (70, 5.0), (100, 5.0)])
def test_yellow_by_limit(limit_kmh: float, seconds: float) -> None:
    assert ig.yellow_s(limit_kmh / 3.6) == seconds


def test_pedestrian_minimum_green() -> None:
    assert ig.pedestrian_min_green_s(6.0) == 5.0
    assert ig.pedestrian_min_green_s(24.0) == pytest.approx(10.0)


def test_leaving_the_box_from_standstill() -> None:
    # 10 m + 6 m with 2 m/s²: sqrt(2 * 16 / 2) = 4 s after 1 s
    assert ig.box_clearing_s(10.0) == pytest.approx(5.0)


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 50))
def test_longer_clearing_never_shortens_and_is_never_negative(s: float, e: float, more: float) -> None:
    shorter = ig.intergreen_s(ig.STRAIGHT, s, e)
    assert 0.0 <= shorter <= ig.intergreen_s(ig.STRAIGHT, s + more, e)
