"""The search for the best stage sequence, in cases that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civicbrain.science.foresight import (
    Arrivals,
    JunctionModel,
    foresight_delay_s,
    replay_delay_s,
)

SPAN = 8


def _crossing(gap: int = 2, hold: int = 3, every: int = 1, stop_s: float = 0.0) -> JunctionModel:
    """Two groups that exclude each other, a stage each; `gap` seconds from one to the other."""
    may_go = np.zeros((2, 2, SPAN, 2), np.bool_)
    for stage in (0, 1):
        may_go[stage, stage, :, stage] = True
        may_go[1 - stage, stage, gap:, stage] = True
    ready = np.array([[0, gap + hold], [gap + hold, 0]])
    return JunctionModel(may_go, ready, np.zeros((2, 2, 2), np.bool_), 2.0, stop_s, every)


def _arrivals(*lanes: list[tuple[float, int]], end_s: float = 20.0) -> Arrivals:
    return Arrivals.of(list(lanes), 0.0, end_s)


def test_a_queue_leaves_one_each_headway() -> None:
    # three at once, one each 2 s: they cross in seconds 0, 2 and 4
    come = _arrivals([(0.0, 0), (0.1, 0), (0.2, 0)], [])
    assert foresight_delay_s(_crossing(), come) == 2 + 4


def test_a_switch_costs_its_gap() -> None:
    # both in second 5: one crosses in it, the other waits for that second and the gap of 2 s
    come = _arrivals([(5.0, 0)], [(5.0, 1)])
    assert foresight_delay_s(_crossing(), come) == 3


def test_a_switch_in_time_costs_nothing_and_a_late_one_counts_the_stop() -> None:
    come = _arrivals([(1.0, 0)], [(9.0, 1)])
    assert foresight_delay_s(_crossing(), come) == 0
    late = np.array([0] * 10 + [1] * 10)
    assert replay_delay_s(_crossing(stop_s=1.5), come, late) == 3 + 1.5


def test_decisions_only_each_ten_seconds() -> None:
    come = _arrivals([(9.0, 0)], [(11.0, 1), (19.0, 1)])
    # switching in second 9 or 10: either the first lane or the second one pays; with 10 s only second 10
    assert foresight_delay_s(_crossing(every=10), come) == 1
    assert foresight_delay_s(_crossing(every=1), come) <= 1


def test_who_yields_waits_for_a_gap() -> None:
    free = np.ones((1, 1, SPAN, 2), np.bool_)
    yields = np.zeros((1, 2, 2), np.bool_)
    yields[0, 1, 0] = True
    model = JunctionModel(free, np.zeros((1, 1), np.int64), yields, 2.0)
    come = _arrivals([(float(s), 0) for s in range(0, 10, 2)], [(0.0, 1)])
    # the last of the others crosses in second 8: nobody is coming from then on
    assert foresight_delay_s(model, come) == 9
    assert foresight_delay_s(model, _arrivals([], [(0.0, 1)])) == 0


def test_who_may_not_go_blocks_those_behind() -> None:
    model = _crossing()
    come = _arrivals([(0.0, 1), (0.5, 0)])
    # group 1 needs the switch (2 s) unless the run starts with its stage; then the one behind needs it
    assert foresight_delay_s(model, come) == pytest.approx(
        min(replay_delay_s(model, come, np.array([1] * k + [0] * (20 - k))) for k in range(21))
    )


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_never_worse_than_a_schedule_drawn_at_random(data: st.DataObject) -> None:
    lanes = [
        [(float(t), group) for t in data.draw(st.lists(st.integers(0, 25), max_size=8))] for group in (0, 1)
    ]
    come = _arrivals(*lanes, end_s=40.0)
    wanted = np.repeat(data.draw(st.lists(st.integers(0, 1), min_size=8, max_size=8)), 5)
    model = _crossing(stop_s=1.0)
    assert foresight_delay_s(model, come, width=200) <= replay_delay_s(model, come, wanted) + 1e-9
