"""Queues that reach back to where others pass weigh more, and go on to for a cycle or two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from street_seen import frame

from civicbrain.brains.signals.lookahead import LookAheadBrain, LookAheadOptions
from civicbrain.brains.signals.reach_back import MEMORY_S, ReachBack
from civicbrain.city.network import Edges, Lanes, Movements, Network, Nodes
from civicbrain.city.store import Store
from civicbrain.contracts.sandbox import sandbox_city, sandbox_signals

MOST = 3.0


def network(length_m: Sequence[float], moves: Sequence[tuple[int, int, str]]) -> Network:
    """Edges of one lane each. moves: from, to, turn."""
    count, none = len(length_m), np.zeros(len(moves), np.int32)
    ids = tuple(f"e{row}" for row in range(count))
    rows = np.arange(count, dtype=np.int32)
    lanes = Lanes(
        ids, rows, np.zeros(count, np.int32), np.array(length_m, np.float32),
        np.full(count, 14.0, np.float32), np.full(count, 3.0, np.float32), np.ones(count, np.uint8),
        np.zeros((0, 2), np.float32),
        np.zeros(count + 1, np.int32),
    )  # fmt: skip
    edges = Edges(ids, ids, rows, rows, rows, np.arange(count + 1, dtype=np.int32))
    movements = Movements(
        np.array([move[0] for move in moves], np.int32), np.array([move[1] for move in moves], np.int32),
        none, none - 1, none - 1, none - 1, np.array([ord(move[2]) for move in moves], np.uint8),
        np.zeros(len(moves), np.float32),
    )  # fmt: skip
    return Network(lanes, edges, Nodes((), np.zeros((0, 2), np.float32), np.zeros(0, np.int32)), movements)


RING = 3
"""Edges 0 (75 m) and 1 (75 m) lead from a ring (2, 3) to a signal at the end of 0."""

STREET = network([75.0, 75.0, 100.0, 100.0], [(1, 0, "s"), (2, 1, "r"), (2, RING, "s"), (0, 2, "t")])


def weights(reach: ReachBack, now_s: float, queues: Sequence[float]) -> list[float]:
    queued = np.array(queues, np.float32)
    queued.flags.writeable = False
    reach.update(now_s, queued)
    return reach.weight.tolist()


def of_lane(lane: int, street: Network = STREET) -> ReachBack:
    return ReachBack(np.array([lane], np.int32), street, MOST)


@pytest.mark.parametrize(
    ("queues", "weight"),
    [
        ((8, 0, 0, 0), 1.0),
        ((8, 4, 0, 0), 2.0),
        ((8, 8, 0, 0), 3.0),
        ((10, 10, 9, 9), 3.0),
        ((0, 0, 9, 9), 1.0),
    ],
)
def test_a_queue_counts_by_the_room_up_to_where_others_pass(queues: Sequence[float], weight: float) -> None:
    assert weights(of_lane(0), 100.0, queues) == pytest.approx(
        [weight]
    )  # room for 20, begins at 8, full at 16


def test_who_comes_from_beyond_the_model_blocks_nobody() -> None:
    assert weights(of_lane(2), 100.0, (0, 0, 13, 0)) == [1.0]  # only a turn-round leads there


def test_a_stub_that_each_red_fills_weighs_as_others() -> None:
    street = network([60.0, 75.0, 75.0], [(1, 0, "s"), (1, 2, "r")])
    assert weights(of_lane(0, street), 100.0, (8, 0, 0)) == [1.0]


def test_the_weight_outlasts_the_queue_for_a_while_only() -> None:
    reach = of_lane(0)
    assert weights(reach, 100.0, (10, 6, 0, 0)) == [MOST]
    empty = (0, 0, 0, 0)
    soon, later = weights(reach, 110.0, empty)[0], weights(reach, 150.0, empty)[0]
    assert 2.5 < soon < MOST
    assert 1.0 < later < soon
    assert weights(reach, 110.0 + MEMORY_S, empty) == [1.0]


def test_a_window_that_begins_again_begins_without_memory() -> None:
    reach = of_lane(0)
    weights(reach, 100.0, (10, 10, 0, 0))
    assert weights(reach, 0.0, (0, 0, 0, 0)) == [1.0]


def test_edges_that_lead_in_a_circle_end_the_search() -> None:
    street = network([75.0, 75.0, 75.0], [(1, 0, "s"), (2, 1, "s"), (1, 2, "s")])
    assert weights(of_lane(0, street), 100.0, (10, 0, 0)) == [MOST]  # others pass right behind it


@given(st.lists(st.floats(0.0, 40.0), min_size=4, max_size=4), st.floats(0.0, 500.0))
def test_weights_stay_within_their_bounds(queues: list[float], now_s: float) -> None:
    reach = ReachBack(np.arange(4, dtype=np.int32), STREET, MOST)
    assert all(1.0 <= weight <= MOST for weight in weights(reach, now_s, queues))


def test_leaving_the_full_road_between_two_junctions_costs_the_brain_more() -> None:
    city = sandbox_city()
    lost_veh_s = []
    for reach_back in (1.0, MOST):
        brain = LookAheadBrain(city, LookAheadOptions(reach_back=reach_back))
        store = Store(city)
        seen = frame(city, 60.0, {"BA_0": 32, "NAA_0": 32})
        store.fold([seen, sandbox_signals(city, 60.0)], 60.0)
        main, side = brain.decide(store.snapshot(60.0)).cost_veh_s[:2]
        lost_veh_s.append(side - main)
    assert lost_veh_s[1] > 1.5 * lost_veh_s[0]
