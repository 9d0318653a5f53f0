"""The queue model says what can be reckoned by hand, and the search picks what an engineer would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from queue_models import (
    HORIZON_S,
    PLAIN,
    change,
    keep,
    play,
    scene,
    shared_lane,
    two_lanes,
    yielding_lane,
)

from civicbrain.brains.signals.foresight import MIXES, Lanes, Policy, Scene, Weights
from civicbrain.brains.signals.search import search

USUAL = Weights(
    stop_s=2.0, left_s=10.0, left_by_queue_s=1.0, longest_s=30.0, yellow_s=1.0, gap_s=4, sneak=0.15,
    harm_veh=3.0, change_veh_s=1.0,
)  # fmt: skip

counts = st.integers(0, 20).map(float)
arrivals = st.dictionaries(st.integers(0, HORIZON_S - 1), st.floats(0.0, 3.0), max_size=12)
models = st.sampled_from([two_lanes(), shared_lane(0.75), shared_lane(0.4), yielding_lane()])
policies = st.one_of(
    st.floats(0.0, 45.0).map(keep),
    st.builds(Policy, st.sampled_from([0.0, 3.0, 10.0]), st.sampled_from([0, 1]), st.sampled_from([-1, 0]),
              st.sampled_from([0.4, 0.8, 1.3])),
)  # fmt: skip


# --- cost_of -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("queue", "cost_veh_s"),
    # one leaves at once, then half a vehicle a second: of 4 there are 3, 2.5, 2 and so on left after each
    [(1, 0.0), (2, 1.0 + 0.5), (4, 3.0 + 2.5 + 2.0 + 1.5 + 1.0 + 0.5)],
)
def test_a_queue_costs_the_wait_of_its_discharge_at_saturation_flow(queue: int, cost_veh_s: float) -> None:
    cost, served = play(two_lanes(), scene({0: queue}, {}), keep())
    assert cost == pytest.approx(cost_veh_s)
    assert served[0].sum() == pytest.approx(queue)
    assert served[0, : 2 * queue - 1].sum() == pytest.approx(queue)


def test_a_vehicle_that_arrives_at_green_costs_nothing() -> None:
    cost, served = play(two_lanes(), scene({10: 1}, {}), keep(), weights=USUAL)
    assert cost == 0.0
    assert served[0, 10] == 1.0


def test_a_vehicle_that_arrives_on_a_standing_queue_stops() -> None:
    seen = scene({0: 4, 2: 1}, {})
    waits, _ = play(two_lanes(), seen, keep())
    stops, _ = play(two_lanes(), seen, keep(), weights=PLAIN._replace(stop_s=2.0))
    assert stops - waits == pytest.approx(2.0)


def test_a_vehicle_at_red_waits_for_the_transition() -> None:
    # start 6.5 s after the decision: it stands at the ends of seconds 0 to 5
    cost, served = play(two_lanes(), scene({}, {0: 1}), change())
    assert cost == pytest.approx(6.0)
    assert np.flatnonzero(served[1]).tolist() == [6]


def test_keeping_the_stage_before_the_change_is_waited_for_too() -> None:
    cost, served = play(two_lanes(), scene({}, {0: 1}), change(after_s=3.0))
    assert cost == pytest.approx(9.0)
    assert np.flatnonzero(served[1]).tolist() == [9]


def test_who_waits_for_the_whole_horizon_costs_the_horizon_and_what_is_left() -> None:
    cost, _ = play(two_lanes(), scene({}, {0: 2}), keep())
    assert cost == pytest.approx(2.0 * HORIZON_S)
    left, _ = play(
        two_lanes(), scene({}, {0: 2}), keep(), weights=PLAIN._replace(left_s=10.0, left_by_queue_s=1.0)
    )
    assert left - cost == pytest.approx(2.0 * (10.0 + 1.0 * 2.0))


def test_a_weight_multiplies_the_wait() -> None:
    heavy = scene({}, {0: 1})
    heavy.weight[1] = 3.0
    assert play(two_lanes(), heavy, change())[0] == pytest.approx(18.0)


def test_nobody_passes_where_the_road_behind_is_full() -> None:
    full = scene({0: 5}, {}, room=[0.0, np.inf])
    cost, served = play(two_lanes(), full, keep())
    assert served.sum() == 0.0
    assert cost == pytest.approx(5.0 * HORIZON_S)
    harm, _ = play(two_lanes(), full, keep(), weights=PLAIN._replace(harm_veh=3.0))
    assert harm - cost == pytest.approx(3.0 * HORIZON_S)


def test_half_the_outlet_is_half_the_flow() -> None:
    slow = scene({0: 9}, {})
    slow.outlet[0] = 0.5
    _, served = play(two_lanes(), slow, keep())
    assert served[0, 1:11].sum() == pytest.approx(10 * 0.25)


def test_yellow_lets_one_more_go() -> None:
    seen = scene({0: 4}, {0: 1})
    without = play(two_lanes(), seen, change())[1][0, :6].sum()
    used = play(two_lanes(), seen, change(), weights=PLAIN._replace(yellow_s=1.0))[1][0, :6].sum()
    assert without == 0.0
    assert used == pytest.approx(1.0)


def test_a_head_that_wants_the_red_group_blocks_its_lane() -> None:
    blocked, served = play(shared_lane(0.75), scene({0: 6}, {}, head=[2, 0]), keep())
    assert served.sum() == 0.0
    assert blocked == pytest.approx(6.0 * HORIZON_S)
    _, free = play(shared_lane(0.75), scene({0: 6}, {}, head=[1, 0]), keep())
    assert free[0, 0] == 1.0
    # the other stage lets it go, and those behind it that want the same
    _, after = play(shared_lane(0.75), scene({0: 6}, {}, head=[2, 0]), change())
    assert after[0, 6] == 1.0


@pytest.mark.parametrize("mix", range(-1, MIXES))
def test_a_shared_lane_passes_about_the_run_its_shares_say(mix: int) -> None:
    """3 in 4 may go: in the mean 3 pass before one that may not; the patterns are spread about that."""
    _, served = play(shared_lane(0.75), scene({0: 15}, {}), keep(), mix=mix)
    assert 1.0 <= served[0].sum() <= 7.0
    if mix < 0:
        assert 3.0 <= served[0].sum() <= 4.0


def test_the_patterns_of_a_shared_lane_differ() -> None:
    runs = [play(shared_lane(0.75), scene({0: 15}, {}), keep(), mix=mix)[1][0].sum() for mix in range(MIXES)]
    assert len(set(runs)) > 1


def test_who_yields_waits_for_its_rivals_and_then_goes() -> None:
    alone, own = play(yielding_lane(), scene({0: 1}, {}), keep())
    assert alone == 0.0
    assert own[0, 0] == 1.0
    # rivals: 2, gone in second 2; the one who yields rolls off in the seconds after
    cost, served = play(yielding_lane(), scene({0: 1}, {0: 2}), keep())
    assert served[0, :3].sum() == 0.0
    assert served[0, :8].sum() == pytest.approx(1.0)
    assert cost >= (1.0 + 0.5) + 3.0


def test_who_yields_sees_rivals_within_the_gap_it_needs() -> None:
    _, near = play(yielding_lane(), scene({0: 1}, {4: 1}), keep())
    _, far = play(yielding_lane(), scene({0: 1}, {5: 1}), keep())
    assert near[0, 0] == 0.0
    assert far[0, 0] == 1.0


def test_a_bound_cuts_off() -> None:
    seen = scene({0: 4}, {})  # costs 10.5
    assert play(two_lanes(), seen, keep(), bound=10.0)[0] == np.inf
    assert play(two_lanes(), seen, keep(), bound=11.0)[0] == pytest.approx(10.5)


def test_after_the_change_it_goes_on_greedily() -> None:
    """The queue of the other lane first, and back when most of it is gone, a transition later."""
    _, served = play(two_lanes(), scene({8: 1, 9: 1}, {0: 5}), change())
    assert served[1, :14].sum() >= 4.0
    assert served[0].sum() == pytest.approx(2.0)
    assert np.flatnonzero(served[0]).min() - np.flatnonzero(served[1, :20]).max() >= 6


@settings(max_examples=80, deadline=None)
@given(models, arrivals, arrivals, policies, st.integers(-1, MIXES - 1), st.integers(-1, 1))
def test_costs_are_finite_and_never_negative_and_nobody_is_invented(
    lanes: Lanes, first: dict[int, float], second: dict[int, float], policy: Policy, mix: int, shown: int
) -> None:
    seen = scene(first, second)
    cost, served = play(lanes, seen, policy, weights=USUAL, mix=mix, shown=shown)
    assert np.isfinite(cost)
    assert cost >= 0.0
    _conserved(seen, served)


@settings(max_examples=60, deadline=None)
@given(models, counts, counts, st.integers(0, 1), st.integers(-1, MIXES - 1), st.integers(0, 1))
def test_one_vehicle_more_never_costs_less(
    lanes: Lanes, first: float, second: float, lane: int, mix: int, shown: int
) -> None:
    """For one and the same greens: what a greedy policy makes of one more may well be better luck."""
    more = [first, second]
    more[lane] += 1.0
    before, _ = play(lanes, scene({0: first}, {0: second}), keep(), weights=USUAL, mix=mix, shown=shown)
    after, _ = play(lanes, scene({0: more[0]}, {0: more[1]}), keep(), weights=USUAL, mix=mix, shown=shown)
    assert after >= before - 1e-9


def _conserved(seen: Scene, served: NDArray[np.float64]) -> None:
    """Nobody leaves before coming, nor faster than the line lets them."""
    assert served.min() >= 0.0
    assert (np.cumsum(served, axis=1) <= np.cumsum(seen.arrivals, axis=1) + 1e-9).all()


# --- search ------------------------------------------------------------------------------------------


def decide(
    lanes: Lanes, seen: Scene, shown: int, *, thorough: bool = True, asked: bool = True
) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """(chosen stage, cost of each stage, what is let go)."""
    cost, chosen = np.full(len(lanes.usable), np.nan), np.full(1, 7, np.int32)
    served = np.full_like(seen.arrivals, -1.0)
    search(lanes, seen, USUAL, np.array([asked]), np.array([shown], np.int32), thorough, cost, chosen, served)
    return int(chosen[0]), cost, served


both = pytest.mark.parametrize("thorough", [True, False])


@both
def test_a_green_is_kept_while_its_queue_discharges_and_nobody_else_is_there(thorough: bool) -> None:
    assert decide(two_lanes(), scene({0: 6}, {}), 0, thorough=thorough)[0] == 0
    assert decide(two_lanes(), scene({}, {0: 6}), 1, thorough=thorough)[0] == 1


@both
def test_an_empty_green_is_left_for_a_queue(thorough: bool) -> None:
    chosen, cost, served = decide(two_lanes(), scene({}, {0: 4}), 0, thorough=thorough)
    assert chosen == 1
    assert cost[1] < cost[0]
    assert served[1].sum() == pytest.approx(4.0)


@both
def test_without_anybody_the_stage_is_kept(thorough: bool) -> None:
    for shown in (0, 1):
        assert decide(two_lanes(), scene({}, {}), shown, thorough=thorough)[0] == shown


@both
def test_a_platoon_about_to_arrive_is_awaited(thorough: bool) -> None:
    platoon = dict.fromkeys(range(2, 18), 0.5)
    assert decide(two_lanes(), scene(platoon, {0: 1}), 0, thorough=thorough)[0] == 0


@both
def test_a_long_queue_is_not_kept_waiting_for_stragglers(thorough: bool) -> None:
    assert decide(two_lanes(), scene({6: 1}, {0: 12}), 0, thorough=thorough)[0] == 1


@both
def test_a_stage_that_is_not_usable_is_never_picked(thorough: bool) -> None:
    queues = scene({}, {0: 9})
    chosen, cost, _ = decide(two_lanes(usable=(True, False)), queues, 0, thorough=thorough)
    assert chosen == 0
    assert cost[1] == np.inf
    # shown all the same, by somebody else: it is left
    assert decide(two_lanes(usable=(True, False)), queues, 1, thorough=thorough)[0] == 0


@both
def test_from_no_stage_the_one_with_the_queue_is_picked(thorough: bool) -> None:
    assert decide(two_lanes(), scene({}, {0: 5}), -1, thorough=thorough)[0] == 1
    assert decide(two_lanes(), scene({0: 5}, {}), -1, thorough=thorough)[0] == 0


@both
def test_a_head_known_to_want_the_other_group_brings_its_stage(thorough: bool) -> None:
    seen = scene({0: 6}, {}, head=[2, 0])
    assert decide(shared_lane(0.75), seen, 0, thorough=thorough)[0] == 1
    seen = scene({0: 6}, {}, head=[1, 0])
    assert decide(shared_lane(0.75), seen, 0, thorough=thorough)[0] == 0


def test_who_is_not_asked_is_left_as_it_is() -> None:
    chosen, cost, served = decide(two_lanes(), scene({0: 6}, {0: 6}), 0, asked=False)
    assert chosen == -1
    assert (cost == np.inf).all()
    assert (served == -1.0).all()


@settings(max_examples=80, deadline=None)
@given(
    models,
    arrivals,
    arrivals,
    st.integers(-1, 1),
    st.booleans(),
    st.sampled_from([(True, True), (True, False)]),
)
def test_any_decision_is_allowed_and_repeatable_and_invents_nobody(
    lanes: Lanes, first: dict[int, float], second: dict[int, float], shown: int, thorough: bool,
    usable: tuple[bool, bool],
) -> None:  # fmt: skip
    lanes = lanes._replace(usable=np.array(usable, dtype=np.bool_))
    seen = scene(first, second)
    chosen, cost, served = decide(lanes, seen, shown, thorough=thorough)
    assert chosen in (0, 1)
    assert usable[chosen]
    assert np.isfinite(cost[chosen])
    assert cost.min() >= 0.0
    _conserved(seen, served)
    again = decide(lanes, seen, shown, thorough=thorough)
    assert again[0] == chosen
    np.testing.assert_array_equal(again[1], cost)
    np.testing.assert_array_equal(again[2], served)
