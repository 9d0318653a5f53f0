"""The queue model says what can be reckoned by hand; what comes is whole vehicles and fair draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queue_models import (
    FLOW,
    HORIZON_S,
    PLAIN,
    USUAL,
    Player,
    arrivals,
    change,
    check_conserved,
    keep,
    model,
    models,
    new_street,
    play,
    scene,
    shared_lane,
    two_lanes,
    yielding_lane,
)

from civicbrain.brains.signals.schedules import Lanes, noise

# --- play_second -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("queue", "cost_veh_s"),
    # one leaves at once, then one every other second (the 0.04 s more do not show yet)
    [(1, 0), (2, 1 + 1), (4, 3 + 3 + 2 + 2 + 1 + 1)],
)
def test_a_queue_costs_the_wait_of_its_discharge(queue: int, cost_veh_s: int) -> None:
    cost, served = play(two_lanes(), scene({0: queue}, {}), keep())
    assert cost == pytest.approx(cost_veh_s)
    assert np.flatnonzero(served[0]).tolist() == list(range(0, 2 * queue, 2))


@pytest.mark.parametrize("flow", [0.5, FLOW, 0.3, 0.21])
def test_a_queue_discharges_at_saturation_flow_and_no_fraction_is_lost(flow: float) -> None:
    seconds = 100
    seen = scene({0: 60}, {})._replace(arrivals=np.pad([[60.0], [0.0]], ((0, 0), (0, seconds - 1))))
    seen.flow[:] = flow
    _, served = play(two_lanes(), seen, keep(seconds=seconds))
    assert served[0].max() == 1
    left = np.cumsum(served[0])
    # the n-th crosses (n - 1) headways after the first; in whole seconds one of them is begun
    expected = 1 + flow * np.arange(seconds)
    assert (np.abs(left - expected) <= 1.0).all()


def test_a_lane_that_was_idle_saves_no_more_than_one_headway() -> None:
    """A platoon that comes after a pause crosses as one that stands at the line from the start."""
    _, standing = play(two_lanes(), scene({0: 8}, {}), keep())
    _, later = play(two_lanes(), scene({12: 8}, {}), keep())
    np.testing.assert_array_equal(later[0, 12:], standing[0, :-12])


def test_a_vehicle_that_arrives_at_green_costs_nothing() -> None:
    cost, served = play(two_lanes(), scene({10: 1}, {}), keep(), weights=USUAL)
    assert cost == 0.0
    assert np.flatnonzero(served[0]).tolist() == [10]


def test_a_vehicle_that_arrives_on_a_standing_queue_stops() -> None:
    seen = scene({0: 4, 2: 1}, {})
    standing, joining = scene({0: 4}, {}), PLAIN._replace(stop_s=2.0)
    waits, _ = play(two_lanes(), seen, keep())
    stops, _ = play(two_lanes(), seen, keep(), weights=joining)
    base = play(two_lanes(), standing, keep(), weights=joining)[0] - play(two_lanes(), standing, keep())[0]
    assert base == 0.0  # who stands at first has stopped already
    assert stops - waits - base == pytest.approx(2.0)


def test_of_those_that_come_together_who_crosses_at_once_does_not_stop() -> None:
    seen = scene({10: 3}, {})
    waits, _ = play(two_lanes(), seen, keep())
    stops, _ = play(two_lanes(), seen, keep(), weights=PLAIN._replace(stop_s=2.0))
    assert stops - waits == pytest.approx(2.0 * 2)


def test_a_vehicle_at_red_waits_for_the_transition() -> None:
    # it stands at the ends of seconds 0 to 5
    cost, served = play(two_lanes(), scene({}, {0: 1}), change())
    assert cost == pytest.approx(6.0)
    assert np.flatnonzero(served[1]).tolist() == [6]


def test_keeping_the_stage_before_the_change_is_waited_for_too() -> None:
    cost, served = play(two_lanes(), scene({}, {0: 1}), change(after_s=3))
    assert cost == pytest.approx(9.0)
    assert np.flatnonzero(served[1]).tolist() == [9]


def test_coming_from_no_stage_the_first_is_shown_at_once() -> None:
    _, served = play(two_lanes(), scene({}, {0: 1}), keep(1), shown=-1)
    assert np.flatnonzero(served[1]).tolist() == [0]


def test_a_stage_left_and_shown_again_takes_both_transitions() -> None:
    schedule = change(seconds=11) + keep(0, seconds=HORIZON_S - 11)
    _, served = play(two_lanes(), scene({1: 1}, {0: 3}), schedule)
    assert np.flatnonzero(served[1]).tolist() == [6, 8, 10]
    assert np.flatnonzero(served[0]).tolist() == [17]


def test_who_waits_for_the_whole_horizon_costs_the_horizon_and_what_is_left() -> None:
    cost, _ = play(two_lanes(), scene({}, {0: 2}), keep())
    assert cost == pytest.approx(2.0 * HORIZON_S)
    weights = PLAIN._replace(left_s=10.0, left_by_queue_s=1.0)
    left, _ = play(two_lanes(), scene({}, {0: 2}), keep(), weights=weights)
    assert left - cost == pytest.approx(2.0 * (10.0 + 1.0 * 2.0))


def test_what_is_left_is_reckoned_in_the_score_alone() -> None:
    player = Player(two_lanes(), scene({}, {0: 2}), PLAIN._replace(left_s=10.0), 0, 5)
    for u in range(5):
        player.second(u, 0)
    assert player.cost() == pytest.approx(2.0 * 5)
    assert player.score() == pytest.approx(2.0 * 5 + 2.0 * 10.0)


def test_a_weight_multiplies_the_wait_the_stop_and_what_is_left() -> None:
    heavy = scene({}, {2: 1})
    heavy.weight[1] = 3.0
    assert play(two_lanes(), heavy, change())[0] == pytest.approx(3.0 * 4)
    assert play(two_lanes(), heavy, keep(), weights=USUAL)[0] == pytest.approx(
        3.0 * (HORIZON_S - 2 + 2 + 4 + 1)
    )


def test_nobody_passes_where_the_road_behind_is_full() -> None:
    cost, served = play(two_lanes(), scene({0: 5}, {}, room=[0.0, np.inf]), keep())
    assert served.sum() == 0
    assert cost == pytest.approx(5.0 * HORIZON_S)


def test_as_many_pass_as_the_road_behind_has_room_for() -> None:
    _, served = play(two_lanes(), scene({0: 5}, {}, room=[2.9, np.inf]), keep())
    assert served[0].sum() == 2


def test_half_the_flow_is_twice_the_headway() -> None:
    slow = scene({0: 9}, {})
    slow.flow[0] = FLOW / 2.0  # headways of 4.17 s
    _, served = play(two_lanes(), slow, keep())
    assert np.flatnonzero(served[0])[:4].tolist() == [0, 4, 8, 12]


def test_yellow_lets_one_more_go() -> None:
    seen = scene({0: 4}, {0: 1})
    assert play(two_lanes(), seen, change())[1][0].sum() == 0
    used = play(two_lanes(yellow_s=1), seen, change())[1][0]
    assert np.flatnonzero(used).tolist() == [0]


def test_a_head_that_wants_the_red_group_blocks_its_lane() -> None:
    blocked, served = play(shared_lane(0.75), scene({0: 6}, {}, head=[2, 0]), keep())
    assert served.sum() == 0
    assert blocked == pytest.approx(6.0 * HORIZON_S)
    _, free = play(shared_lane(0.75), scene({0: 6}, {}, head=[1, 0]), keep())
    assert free[0, 0] == 1
    # the other stage lets it go
    _, after = play(shared_lane(0.75), scene({0: 6}, {}, head=[2, 0]), change())
    assert after[0, 6] == 1


def test_a_shared_lane_passes_the_run_up_to_the_first_who_wants_red() -> None:
    for tick in range(20):
        seen = scene({0: 15}, {})
        order = new_street(shared_lane(0.75), seen, tick=tick).order[0, :15].tolist()
        _, served = play(shared_lane(0.75), seen, keep(), tick=tick)
        assert served[0].sum() == (order.index(2) if 2 in order else 15)


def test_who_yields_waits_for_its_rivals_and_then_goes() -> None:
    alone, own = play(yielding_lane(), scene({0: 1}, {}), keep())
    assert alone == 0.0
    assert own[0, 0] == 1
    # rivals: 2, which cross in seconds 0 and 2; the one who yields goes in the second after
    cost, served = play(yielding_lane(), scene({0: 1}, {0: 2}), keep())
    assert np.flatnonzero(served[1]).tolist() == [0, 2]
    assert np.flatnonzero(served[0]).tolist() == [3]
    assert cost == pytest.approx((1 + 1) + 3)


def test_who_yields_sees_rivals_within_the_gap_it_needs() -> None:
    _, near = play(yielding_lane(), scene({0: 1}, {4: 1}), keep())
    _, far = play(yielding_lane(), scene({0: 1}, {5: 1}), keep())
    assert np.flatnonzero(near[0]).tolist() == [5]
    assert np.flatnonzero(far[0]).tolist() == [0]


def test_who_yields_waits_for_the_streams_it_yields_to_alone() -> None:
    """Lane 1 goes straight on (bit 1), or turns off before it meets anybody (bit 2)."""
    lanes = yielding_lane(1, (0.5, 0.5))
    for head, first_s in ((1, 2), (2, 0)):
        seen = scene({0: 1}, {1: 1}, head=[0, head])
        assert np.flatnonzero(play(lanes, seen, keep())[1][0]).tolist() == [first_s]
    both = yielding_lane(3, (0.5, 0.5))
    for head in (1, 2):
        seen = scene({0: 1}, {1: 1}, head=[0, head])
        assert np.flatnonzero(play(both, seen, keep())[1][0]).tolist() == [2]


def test_who_is_shown_full_green_yields_to_nobody() -> None:
    lanes = model([["G", "G"], ["r", "G"]], rivals={(0, 0): [(1, 1)]})
    assert play(lanes, scene({0: 1}, {0: 5}), keep())[1][0, 0] == 1


@settings(max_examples=60, deadline=None)
@given(models, arrivals, arrivals, st.integers(0, HORIZON_S), st.integers(0, 1), st.integers(0, 99))
def test_costs_are_finite_and_never_negative_and_nobody_is_invented(
    lanes: Lanes, first: dict[int, float], second: dict[int, float], after_s: int, shown: int, tick: int
) -> None:
    seen = scene(first, second)
    schedule = change(after_s, 1 - shown)
    cost, served = play(lanes, seen, schedule, weights=USUAL, shown=shown, tick=tick)
    assert np.isfinite(cost)
    assert cost >= 0.0
    check_conserved(lanes, seen, served, tick)


@settings(max_examples=40, deadline=None)
@given(models, st.integers(0, 20), st.integers(0, 20), st.integers(0, 1), st.integers(0, 1))
def test_one_vehicle_more_never_costs_less(lanes: Lanes, a: int, b: int, lane: int, shown: int) -> None:
    more = [a, b]
    more[lane] += 1
    before, _ = play(lanes, scene({0: a}, {0: b}), keep(shown), weights=USUAL, shown=shown)
    after, _ = play(lanes, scene({0: more[0]}, {0: more[1]}), keep(shown), weights=USUAL, shown=shown)
    assert after >= before - 1e-9


# --- expect and noise --------------------------------------------------------------------------------


def test_vehicles_come_whole_once_the_fractions_make_half_of_one() -> None:
    street = new_street(two_lanes(), scene({0: 2, 1: 0.3, 2: 0.3, 9: 0.3, 20: 0.7}, {}))
    assert street.come[[0, 1, 2, 8, 9, 19, 20, 39], 0].tolist() == [2, 2, 3, 3, 3, 3, 4, 4]
    assert street.come[:, 1].max() == 0


@settings(max_examples=60, deadline=None)
@given(arrivals, arrivals)
def test_the_whole_vehicles_are_never_further_than_half_from_what_is_expected(
    first: dict[int, float], second: dict[int, float]
) -> None:
    seen = scene(first, second)
    come = new_street(two_lanes(), seen).come[:, :2].T
    assert np.abs(come - np.cumsum(seen.arrivals, axis=1)).max() <= 0.5 + 1e-9
    assert (np.diff(come, axis=1) >= 0).all()


def test_a_lane_full_beyond_belief_counts_as_full() -> None:
    street = new_street(two_lanes(), scene({0: 500, 3: 500}, {}))
    assert street.come[-1, 0] == 63
    assert (street.order[0] == 1).all()


def test_a_known_head_comes_first_whatever_is_drawn() -> None:
    for tick in range(30):
        for head in (1, 2):
            order = new_street(shared_lane(0.75), scene({0: 4}, {}, head=[head, 0]), tick=tick).order
            assert order[0, 0] == head
            assert order[1, 0] == 1  # nobody is known there


def test_the_shares_are_met_in_the_mean() -> None:
    lanes = model([["GGG"]], share=[[0.6, 0.0, 0.4]])
    seen = scene({0: 10})
    drawn = np.stack([new_street(lanes, seen, tick=tick).order[0, :10] for tick in range(400)])
    assert set(np.unique(drawn)) == {1, 4}
    assert (drawn == 1).mean() == pytest.approx(0.6, abs=0.03)
    # at each place in the queue, too: the first is nobody special
    np.testing.assert_allclose((drawn == 1).mean(axis=0), 0.6, atol=0.1)


def test_the_same_tick_draws_the_same_and_another_another() -> None:
    seen = scene({0: 30}, {0: 30})
    first, again, other = (new_street(shared_lane(0.5), seen, tick=tick).order for tick in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 2**31), st.integers(0, 64))
def test_noise_is_a_share(tick: int, lane: int, number: int) -> None:
    assert 0.0 <= noise(tick, lane, number) < 1.0
    assert noise(tick, lane, number) == noise(tick, lane, number)


@pytest.mark.parametrize("varied", range(3))
def test_noise_spreads_evenly_over_ticks_lanes_and_places(varied: int) -> None:
    place = [3, 3, 3]
    drawn = np.empty(4000)
    for n in range(len(drawn)):
        place[varied] = n
        drawn[n] = noise(*place)
    counts, _ = np.histogram(drawn, bins=10, range=(0.0, 1.0))
    assert (np.abs(counts - 400) < 5 * np.sqrt(400 * 0.9)).all()
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.06
