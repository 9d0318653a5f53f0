"""Queues through a cycle and platoons, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civicbrain.science.cyclic_flow import disperse, run_cycle

NOBODY = np.zeros(0, dtype=np.int64)


def one_stream(flow: float, green_s: int = 30, start_s: float = 0.0):
    """A stream that has right of way in the second of two steps of 30 s."""
    return run_cycle(
        np.array([60 - green_s, green_s]), np.array([[0], [2]], dtype=np.int8), np.array([[0.0], [start_s]]),
        np.array([0.5]), np.array([1.0]), np.full((1, 60), flow), np.zeros(2, dtype=np.int64), NOBODY,
    )  # fmt: skip


def test_uniform_queue_is_hcms() -> None:
    # d1 = 0.5·60·0.25 / (1 − 0.5·0.5) = 10 s a vehicle; times 0.125 veh/s: 1.25 veh on average
    queue, capacity, departures, most = one_stream(0.125)
    assert queue[0] == pytest.approx(1.25, rel=0.01)
    assert capacity[0] == pytest.approx(0.25)
    assert departures.sum() == pytest.approx(0.125 * 60.0)
    assert most[0] == pytest.approx(30 * 0.125)


def test_lost_time_lowers_capacity() -> None:
    _, capacity, _, _ = one_stream(0.125, start_s=2.5)
    assert capacity[0] == pytest.approx(0.5 * 27.5 / 60.0)


def test_no_more_leaves_than_the_green_carries() -> None:
    _, _, departures, _ = one_stream(0.4)
    assert departures.sum() == pytest.approx(15.0)
    assert departures[0, :30].sum() == 0.0


def test_a_stream_that_yields_waits_for_the_opposing_queue() -> None:
    # stream 1 yields to stream 0 while both are green: its first vehicle leaves after the queue of stream 0
    shows = np.array([[0, 0], [2, 1]], dtype=np.int8)
    arrivals = np.vstack([np.full(60, 0.2), np.full(60, 0.02)])
    _, _, departures, _ = run_cycle(
        np.array([30, 30]), shows, np.zeros((2, 2)), np.array([0.5, 0.5]), np.ones(2), arrivals,
        np.array([0, 0, 1]), np.array([0]),
    )  # fmt: skip
    # 6 vehicles wait, 0.3 veh/s net: gone after 20 s
    first = int(np.flatnonzero(departures[1] > 0.0)[0])
    assert 48 <= first <= 51


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0.0, 0.5), min_size=20, max_size=90), st.floats(0.0, 60.0))
def test_dispersion_keeps_vehicles_and_flattens(outflow: list[float], travel_s: float) -> None:
    profile = np.array(outflow)
    arrivals = disperse(profile, travel_s)
    assert arrivals.sum() == pytest.approx(profile.sum(), rel=0.02, abs=0.05)
    assert arrivals.max(initial=0.0) <= profile.max(initial=0.0) + 1e-9


def test_a_platoon_arrives_after_its_travel_time() -> None:
    # T = 20 s: F = 1 / (1 + 0.35·0.8·20) = 0.1515; the head comes after 16 s with 0.1515 of the flow
    outflow = np.zeros(90)
    outflow[0] = 1.0
    arrivals = disperse(outflow, 20.0)
    assert int(arrivals.argmax()) == 16
    assert arrivals[16] == pytest.approx(0.15152, abs=1e-4)
    assert arrivals[17] / arrivals[16] == pytest.approx(1.0 - 0.15152, abs=1e-4)
