"""The twin against answers worked out by hand. Vehicles are all alike and never dawdle (sigma 0)."""

from __future__ import annotations

import math

import pytest
from street_runs import departures_at_stop_line, run_window

SPEED_MPS, ACCEL_MPS2, TAU_S, SPACING_M = 13.89, 2.6, 1.0, 7.5
START_M = 5.1  # where SUMO puts the front of a 5 m vehicle at departPos "base"


def cars(depart_s: list[float], route: str = "in out") -> str:
    return "".join(
        f'<vehicle id="v{row}" type="car" depart="{second}" departPos="base" departSpeed="max">'
        f'<route edges="{route}"/></vehicle>'
        for row, second in enumerate(depart_s)
    )


def test_one_vehicle_on_a_free_road(make_street, in_process) -> None:
    """1200 m at 13.89 m/s: (1200 - 5.1) / 13.89 = 86.0 s, none of it lost."""
    metrics = in_process(run_window, make_street(cars([0]), None, end_s=200), "fixed")
    assert metrics.vehicles_due == metrics.arrived == 1
    assert metrics.mean_travel_time_s == pytest.approx((1200 - START_M) / SPEED_MPS, abs=1.0)
    assert metrics.mean_time_loss_s == pytest.approx(0.0, abs=0.3)
    assert metrics.mean_delay_s == pytest.approx(0.0, abs=0.3)
    assert metrics.stops_per_vehicle == 0.0


def test_one_vehicle_that_meets_red(make_street, in_process) -> None:
    """Free at the stop line after (600 - 5.1) / 13.89 = 42.8 s; green comes at 70 s. It waits the rest,
    and getting going costs half its acceleration time, v / 2a = 2.7 s."""
    phases = [(64, "G", "r"), (3, "y", "r"), (3, "r", "r"), (60, "r", "G"), (3, "r", "y"), (7, "r", "r")]
    metrics = in_process(run_window, make_street(cars([0]), phases, end_s=300), "fixed")
    expected_s = 70.0 - (600 - START_M) / SPEED_MPS + SPEED_MPS / (2 * ACCEL_MPS2)
    assert metrics.mean_time_loss_s == pytest.approx(expected_s, abs=1.5)
    assert metrics.stops_per_vehicle == 1.0


def newell_s(place: int) -> float:
    """Second after green at which the vehicle at `place` (0 first) crosses: it starts tau after the one
    ahead and covers its distance to the line (Newell 2002, a simplified car-following theory)."""
    distance_m = place * SPACING_M
    ramp_m = SPEED_MPS**2 / (2 * ACCEL_MPS2)
    if distance_m < ramp_m:
        return place * TAU_S + math.sqrt(2 * distance_m / ACCEL_MPS2)
    return place * TAU_S + SPEED_MPS / ACCEL_MPS2 + (distance_m - ramp_m) / SPEED_MPS


def test_a_queue_discharges_as_the_textbook_says(make_street, in_process) -> None:
    """24 vehicles stand at red until 150 s: each crosses when Newell's model says, within 10 % or 2 s, and
    the headway in the long run is tau + spacing / v = 1.54 s."""
    phases = [(144, "G", "r"), (3, "y", "r"), (3, "r", "r"), (140, "r", "G"), (3, "r", "y"), (7, "r", "r")]
    street = make_street(cars([4.0 * row for row in range(24)]), phases, end_s=290)
    crossed = [second - 150.0 for second in in_process(departures_at_stop_line, street, "out")]
    assert len(crossed) == 24
    for place, second in enumerate(crossed):
        assert second == pytest.approx(newell_s(place), rel=0.10, abs=2.0), place
    headway_s = (crossed[23] - crossed[11]) / 12
    assert headway_s == pytest.approx(TAU_S + SPACING_M / SPEED_MPS, rel=0.1)


@pytest.mark.parametrize("program", ["fixed", "central"])
def test_uniform_delay_of_an_undersaturated_approach(make_street, in_process, program) -> None:
    """D/D/1: a vehicle each 6 s (600 veh/h), cycle 60 s, red 30 s. With s = 1 / 1.54 s the flow ratio is
    y = 1.54 / 6; getting going costs the first v / 2a, which makes the red effectively longer. Delay is
    r^2 / (2 C (1 - y)) (Webster 1958, uniform part). The local plan of our controller gives the same."""
    phases = [(24, "G", "r"), (3, "y", "r"), (3, "r", "r"), (27, "r", "G"), (3, "r", "y")]
    street = make_street(cars([6.0 * row for row in range(500)]), phases, end_s=3000)
    metrics = in_process(run_window, street, program)
    red_s = 30.0 + SPEED_MPS / (2 * ACCEL_MPS2)
    ratio = (TAU_S + SPACING_M / SPEED_MPS) / 6.0
    assert metrics.mean_delay_s == pytest.approx(red_s**2 / (2 * 60.0 * (1 - ratio)), rel=0.12)
    assert metrics.undeparted == 0
    assert not metrics.deadlock
    assert metrics.unsafe_states == 0


def test_a_long_red_is_no_deadlock(make_street, in_process) -> None:
    """A queue that stands 400 s at one red, and longer at the next, waits for its turn."""
    phases = [(414, "G", "r"), (3, "y", "r"), (3, "r", "r"), (27, "r", "G"), (3, "r", "y")]
    street = make_street(cars([6.0 * row for row in range(150)]), phases, end_s=900)
    metrics = in_process(run_window, street, "fixed")
    assert metrics.max_waiting_s > 400.0
    assert not metrics.deadlock
