"""Hand-computed queues."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicbrain.science.queues import arrival_time_s, queue_fill, run_before_blocking, served_vehicles


def test_a_standing_vehicle_is_demand_at_once_however_far_back() -> None:
    assert arrival_time_s([5.0, 120.0], [0.0, 0.5], 13.9).tolist() == [0.0, 0.0]


def test_a_vehicle_at_the_limit_arrives_by_its_speed_and_a_slow_one_picks_up() -> None:
    # 139 m at 13.9 m/s: 10 s; at 3 m/s it is reckoned with 0.6 * 13.9 = 8.34 m/s: 16.67 s
    assert arrival_time_s([139.0, 139.0], [13.9, 3.0], 13.9) == pytest.approx([10.0, 139 / 8.34])


def test_green_serves_what_is_there_or_what_it_can_carry() -> None:
    # 0.5 veh/s: 12 s carry 6; a queue of 4 is emptied, one of 20 is not; no green serves nobody
    assert served_vehicles([4.0, 20.0, 3.0], 0.5, [12.0, 12.0, -2.0]).tolist() == [4.0, 6.0, 0.0]


def test_a_shared_lane_passes_few_before_it_blocks() -> None:
    # three of four may go: 0.75 / 0.25 = 3 pass on average before one that must wait
    assert run_before_blocking([0.75, 0.5, 0.0]).tolist() == pytest.approx([3.0, 1.0, 0.0])
    assert run_before_blocking(1.0) > 50


def test_ten_cars_fill_a_link_of_75_m() -> None:
    assert queue_fill([10.0, 5.0], [75.0, 75.0]).tolist() == [1.0, 0.5]


@given(st.floats(0, 100), st.floats(0.01, 2), st.floats(-20, 200))
def test_never_more_than_there_is_nor_less_than_none(demand: float, flow: float, green: float) -> None:
    served = float(served_vehicles(demand, flow, green))
    assert 0.0 <= served <= demand
    assert served <= max(green, 0.0) * flow + 1e-9


@given(st.lists(st.floats(0, 200), min_size=1, max_size=20), st.floats(1.1, 20))
def test_nearer_vehicles_at_the_same_speed_arrive_no_later(distances: list[float], speed: float) -> None:
    eta = arrival_time_s(np.sort(distances), speed, 13.9)
    assert (np.diff(eta) >= 0).all()
