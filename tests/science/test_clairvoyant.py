"""The least waiting of streams that exclude each other, against answers by hand and by trying everything."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civicbrain.science.clairvoyant import (
    arrivals_by_step,
    least_delay_s,
    least_delay_without_switching_s,
)


def _steps(*counts: int) -> np.ndarray:
    return np.array(counts, np.int64)


def test_arrivals_fall_into_their_steps_and_others_are_left_out() -> None:
    assert arrivals_by_step([9.9, 10.0, 11.9, 12.0, 16.0], 10.0, 2.0, 3).tolist() == [2, 1, 0]


def test_two_who_come_at_once_cost_one_switch() -> None:
    # one crosses at once; the other stands through that step and the one without green: 2 steps of 2 s
    assert least_delay_s([_steps(1, 0, 0), _steps(1, 0, 0)], [1, 1], [[0, 1], [1, 0]], 2.0, [3, 3]) == 4.0


def test_without_switching_time_one_step_is_lost() -> None:
    assert least_delay_s([_steps(1, 0, 0), _steps(1, 0, 0)], [1, 1], [[0, 0], [0, 0]], 2.0, [3, 3]) == 2.0


def test_two_lanes_pass_two_in_a_step() -> None:
    # three at once on two lanes: one waits a step; on one lane one waits a step and one two
    assert least_delay_s([_steps(3, 0, 0), _steps(0, 0, 0)], [2, 1], [[0, 1], [1, 0]], 1.0, [5, 1]) == 1.0
    assert least_delay_s([_steps(3, 0, 0), _steps(0, 0, 0)], [1, 1], [[0, 1], [1, 0]], 1.0, [5, 1]) == 3.0


def test_the_longer_queue_goes_first() -> None:
    # by hand: 3 of A in steps 0 to 2 (wait 2 + 1), a step of switching, B in step 4 having waited 4
    served = least_delay_s(
        [_steps(3, 0, 0, 0, 0), _steps(1, 0, 0, 0, 0)], [1, 1], [[0, 1], [1, 0]], 1.0, [4, 4]
    )
    # B first: B in step 0, switching in step 1, A in steps 2, 3 and 4: 2 + 3 + 4
    assert served == min(3 + 4, 9)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=5, max_size=6),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
def test_no_schedule_does_better(counts: list[tuple[int, int]], gaps: tuple[int, int]) -> None:
    arrivals = [_steps(*(one[k] for one in counts)) for k in (0, 1)]
    switch = [[0, gaps[0]], [gaps[1], 0]]
    best = _by_trying(arrivals, switch)
    assert least_delay_s(arrivals, [1, 1], switch, 1.0, [12, 12]) == pytest.approx(best)
    assert least_delay_s(arrivals, [1, 1], switch, 1.0, [1, 1]) <= best  # cut queues only cost less
    assert least_delay_without_switching_s(arrivals, [1, 1], 1.0) <= best


def test_without_switching_the_stream_with_more_lanes_goes_first() -> None:
    # 2 of A on two lanes leave in the first step, B's only one in the second: it waits for one step
    arrivals = [_steps(2, 0), _steps(1, 0)]
    assert least_delay_without_switching_s(arrivals, [2, 1], 1.5) == 1.5
    # 10 a step on one lane: 9, 18 and 27 are left at the ends of the steps
    assert least_delay_without_switching_s([_steps(10, 10, 10)], [1], 1.0) == 54.0


def _by_trying(arrivals: list[np.ndarray], switch: list[list[int]]) -> float:
    """Every sequence of green 0, green 1 or none that keeps the gaps."""
    steps = len(arrivals[0])
    best = np.inf
    for shown in itertools.product((0, 1, None), repeat=steps):
        last, at = None, 0
        legal = True
        for step, stream in enumerate(shown):
            if stream is None:
                continue
            if last is not None and last != stream and step - at - 1 < switch[last][stream]:
                legal = False
                break
            last, at = stream, step
        if not legal:
            continue
        queue, cost = [0, 0], 0
        for step, stream in enumerate(shown):
            for k in (0, 1):
                queue[k] += int(arrivals[k][step])
            if stream is not None:
                queue[stream] = max(queue[stream] - 1, 0)
            cost += sum(queue)
        best = min(best, cost)
    return best
