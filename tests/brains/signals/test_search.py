"""The search picks what an engineer would, and in small cases the best there is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from queue_models import (
    HORIZON_S,
    PLAIN,
    START_S,
    USUAL,
    Player,
    arrivals,
    change,
    check_conserved,
    model,
    models,
    new_street,
    play,
    scene,
    shared_lane,
    two_lanes,
    yielding_lane,
)

from civicbrain.brains.signals.schedules import Lanes, Scene, Weights
from civicbrain.brains.signals.search import search

LOOK_S = 20
WIDE = 500
"""Schedules kept of those alike: all that a small case has."""


def decide(
    lanes: Lanes, seen: Scene, shown: int, *, width: int = 3, asked: bool = True, weights: Weights = USUAL,
    seconds: int = LOOK_S, tick: int = 0, plan: NDArray[np.int64] | None = None,
) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """(chosen stage, cost of each stage, what is let go). plan: is filled with the schedule."""
    cost, chosen = np.full(len(lanes.usable), np.nan), np.full(1, 7, np.int32)
    served = np.full_like(seen.arrivals, -1.0)
    search(
        lanes, seen, weights, np.array([asked]), np.array([shown], np.int32), width, seconds, tick, cost,
        chosen, served, np.zeros((1, HORIZON_S), np.int64) if plan is None else plan,
    )  # fmt: skip
    return int(chosen[0]), cost, served


widths = pytest.mark.parametrize("width", [1, 3, 10])


@widths
def test_a_green_is_kept_while_its_queue_discharges_and_nobody_else_is_there(width: int) -> None:
    assert decide(two_lanes(), scene({0: 6}, {}), 0, width=width)[0] == 0
    assert decide(two_lanes(), scene({}, {0: 6}), 1, width=width)[0] == 1


def test_a_stage_is_left_only_in_a_second_in_which_the_controller_takes_a_request() -> None:
    rare = two_lanes()._replace(every_s=np.array([10], np.int32))
    assert decide(rare, scene({}, {0: 4}), 0)[0] == 1
    chosen, cost, served = decide(rare, scene({}, {0: 4}, heard_s=3), 0)
    assert chosen == 0
    assert np.isinf(cost[1])
    assert np.flatnonzero(served[1])[0] == 3 + START_S  # it waits for its turn to ask


@widths
def test_an_empty_green_is_left_for_a_queue(width: int) -> None:
    chosen, cost, served = decide(two_lanes(), scene({}, {0: 4}), 0, width=width)
    assert chosen == 1
    assert not cost[0] <= cost[1]
    assert np.flatnonzero(served[1, :LOOK_S]).tolist() == [6, 8, 10, 12]


@widths
def test_without_anybody_the_stage_is_kept(width: int) -> None:
    for shown in (0, 1):
        chosen, cost, served = decide(two_lanes(), scene({}, {}), shown, width=width)
        assert chosen == shown
        assert cost[shown] == 0.0
        assert (served[:, :LOOK_S] == 0.0).all()


@widths
def test_a_platoon_about_to_arrive_is_awaited(width: int) -> None:
    platoon = dict.fromkeys(range(2, 18), 0.5)
    assert decide(two_lanes(), scene(platoon, {0: 1}), 0, width=width)[0] == 0


@widths
def test_a_long_queue_is_not_kept_waiting_for_stragglers(width: int) -> None:
    assert decide(two_lanes(), scene({6: 1}, {0: 12}), 0, width=width)[0] == 1


@widths
def test_a_stage_that_is_not_usable_is_never_picked(width: int) -> None:
    queues = scene({}, {0: 9})
    chosen, cost, _ = decide(two_lanes(usable=(True, False)), queues, 0, width=width)
    assert chosen == 0
    assert cost[1] == np.inf
    # shown all the same, by somebody else: it is left
    assert decide(two_lanes(usable=(True, False)), queues, 1, width=width)[0] == 0


def test_where_no_stage_is_usable_none_is_picked() -> None:
    chosen, cost, served = decide(two_lanes(usable=(False, False)), scene({0: 3}, {}), 0)
    assert chosen == -1
    assert (cost == np.inf).all()
    assert served.min() >= 0.0


@widths
def test_from_no_stage_the_one_with_the_queue_is_picked(width: int) -> None:
    assert decide(two_lanes(), scene({}, {0: 5}), -1, width=width)[0] == 1
    assert decide(two_lanes(), scene({0: 5}, {}), -1, width=width)[0] == 0


@widths
def test_a_head_known_to_want_the_other_group_brings_its_stage(width: int) -> None:
    seen = scene({0: 6}, {}, head=[2, 0])
    assert decide(shared_lane(0.9), seen, 0, width=width)[0] == 1
    seen = scene({0: 1}, {}, head=[1, 0])
    assert decide(shared_lane(0.9), seen, 0, width=width)[0] == 0


def test_a_change_must_save_what_it_is_held_against() -> None:
    """One vehicle at red costs 6 veh s with the change now, and 7 a second later."""
    seen = scene({}, {0: 1})
    kept, cost, _ = decide(two_lanes(), seen, 0, weights=PLAIN._replace(change_veh_s=1.5))
    assert kept == 0
    assert cost.tolist() == [7.0, 6.0]
    assert decide(two_lanes(), seen, 0, weights=PLAIN._replace(change_veh_s=0.5))[0] == 1


def test_a_stage_is_left_as_soon_as_it_may_be() -> None:
    """For one vehicle that weighs much, and back: 2 s of transition and 2 s of green, both ways."""
    seen = scene({1: 6}, {0: 1})
    seen.weight[1] = 40.0
    chosen, _, served = decide(quick(), seen, 0)
    assert chosen == 1
    assert np.flatnonzero(served[1, :LOOK_S]).tolist() == [2]
    assert np.flatnonzero(served[0, :LOOK_S])[0] == 4 + 2


def test_who_is_not_asked_is_left_as_it_is() -> None:
    chosen, cost, served = decide(two_lanes(), scene({0: 6}, {0: 6}), 0, asked=False)
    assert chosen == -1
    assert (cost == np.inf).all()
    assert (served == -1.0).all()


def test_beyond_what_is_looked_at_the_usual_flow_goes() -> None:
    seen = scene({0: 2}, {0: 5})
    seen.usual[:] = 0.1, 0.2
    _, _, served = decide(two_lanes(), seen, 0)
    assert (served[0, LOOK_S:] == 0.1).all()
    assert (served[1, LOOK_S:] == 0.2).all()


def test_nothing_is_looked_for_beyond_what_is_expected() -> None:
    """Asked for more seconds than there are forecasts of, it takes all of them and writes no further."""
    seen = scene({0: 2}, {0: 5, 30: 2})
    chosen, cost, served = decide(two_lanes(), seen, 0, seconds=10 * HORIZON_S)
    all_there_is = decide(two_lanes(), seen, 0, seconds=HORIZON_S)
    assert chosen == all_there_is[0]
    np.testing.assert_array_equal(cost, all_there_is[1])
    np.testing.assert_array_equal(served, all_there_is[2])


@settings(max_examples=80, deadline=None)
@given(
    models,
    arrivals,
    arrivals,
    st.integers(-1, 1),
    st.integers(1, 4),
    st.integers(0, 99),
    st.sampled_from([(True, True), (True, False)]),
)
def test_any_decision_is_allowed_and_repeatable_and_invents_nobody(
    lanes: Lanes, first: dict[int, float], second: dict[int, float], shown: int, width: int, tick: int,
    usable: tuple[bool, bool],
) -> None:  # fmt: skip
    lanes = lanes._replace(usable=np.array(usable, dtype=np.bool_))
    seen = scene(first, second)
    chosen, cost, served = decide(lanes, seen, shown, width=width, tick=tick)
    assert chosen in (0, 1)
    assert usable[chosen]
    assert np.isfinite(cost[chosen])
    assert cost.min() >= 0.0
    check_conserved(lanes, seen, served[:, :LOOK_S], tick)
    again = decide(lanes, seen, shown, width=width, tick=tick)
    assert again[0] == chosen
    np.testing.assert_array_equal(again[1], cost)
    np.testing.assert_array_equal(again[2], served)


def test_where_more_come_than_pass_it_keeps_to_the_stages_of_the_plan() -> None:
    """Stage 2 alone frees lane 1, whose first vehicle stage 1 holds up."""
    lanes = model(
        [["G", "rr"], ["r", "rG"], ["r", "GG"]], share=[[1.0], [1.0, 0.0]], extra=[False, False, True]
    )
    few, many = scene({}, {0: 3}), scene({}, {0: 7})
    assert decide(lanes, few, 0)[0] == 2
    assert decide(lanes, many, 0)[0] != 2
    assert decide(lanes, many, 2)[0] == 2  # one that is shown may go on


def test_junctions_are_decided_each_on_its_own() -> None:
    """Two of them in one call, of different size, decide as each alone."""
    one, other = two_lanes(yellow_s=1), shared_lane(0.75)
    three = model([["G", "r", "r"], ["r", "G", "r"], ["r", "r", "G"]], start_s=3, green_s=4)
    seen = [scene({0: 2}, {0: 3, 9: 4}), scene({0: 6, 7: 2}, {5: 3}), scene({3: 2}, {0: 1}, {0: 5})]
    shown = [0, 1, 1]
    parts = [one, other, three]
    lane_base = np.cumsum([0, *(len(s.flow) for s in seen)])
    stage_base = np.cumsum([0, *(len(p.usable) for p in parts)])
    rival_base = np.cumsum([0, *(len(p.rival) for p in parts)])
    ready_s = np.zeros((4, stage_base[-1]), np.int32)
    for n, part in enumerate(parts):
        ready_s[: len(part.ready_s), stage_base[n] : stage_base[n + 1]] = part.ready_s
    rival_of = [part.rival_of[:-1] + base for part, base in zip(parts, rival_base, strict=False)]
    lanes = Lanes(
        lane_start=lane_base.astype(np.int32),
        stage_of=stage_base.astype(np.int32),
        usable=np.concatenate([p.usable for p in parts]),
        extra=np.concatenate([p.extra for p in parts]),
        span=np.concatenate([p.span for p in parts]),
        shown_of=np.cumsum([0, *(p.shown.size for p in parts)]),
        shown=np.concatenate([p.shown for p in parts]),
        every_s=np.concatenate([p.every_s for p in parts]),
        ready_s=ready_s,
        share=np.concatenate([p.share for p in parts]),
        yield_of=np.cumsum([0, *(int(p.yield_of[-1]) for p in parts)]),
        rival_of=np.append(np.concatenate(rival_of), rival_base[-1]).astype(np.int32),
        rival=np.concatenate([p.rival for p in parts]),
        rival_bits=np.concatenate([p.rival_bits for p in parts]),
    )
    # who wants what is drawn by the lane's row: known here
    lanes.share[:] = [1.0, 0.0, 0.0, 0.0]
    together = Scene(*(np.concatenate(column) for column in zip(*seen, strict=True)))
    cost, chosen = np.zeros(stage_base[-1]), np.zeros(3, np.int32)
    served = np.zeros_like(together.arrivals)
    rows = (stage_base[:-1] + shown).astype(np.int32)
    plan = np.zeros((3, LOOK_S), np.int64)
    search(lanes, together, USUAL, np.ones(3, np.bool_), rows, 3, LOOK_S, 0, cost, chosen, served, plan)
    for n, part in enumerate(parts):
        part.share[:] = [1.0, 0.0, 0.0, 0.0]
        alone = decide(part, seen[n], shown[n])
        assert chosen[n] - stage_base[n] == alone[0]
        np.testing.assert_array_equal(cost[stage_base[n] : stage_base[n + 1]], alone[1])
        np.testing.assert_array_equal(served[lane_base[n] : lane_base[n + 1]], alone[2])
        assert plan[n, 0] == alone[0]


# --- how good ----------------------------------------------------------------------------------------


def quick() -> Lanes:
    """Two stages that follow within 2 s and stay for 2 s: many schedules in little time."""
    return model([["G", "r"], ["r", "G"]], start_s=2, green_s=2)


def best_of_all(lanes: Lanes, seen: Scene, shown: int, seconds: int) -> NDArray[np.float64]:
    """(s,) score of the best schedule that begins with each stage, all of them tried."""
    player = Player(lanes, seen, USUAL, shown, seconds)
    best = np.full(len(lanes.usable), np.inf)

    def follow(u: int, first: int) -> None:
        if u == seconds:
            best[first] = min(best[first], player.score())
            return
        for stage in list(player.stages_for(u)):
            player.second(u, stage)
            follow(u + 1, stage if u == 0 else first)

    follow(0, -1)
    return best


def best_single_change(lanes: Lanes, seen: Scene, shown: int) -> float:
    """Least score of keeping the stage shown, and of changing once in any second, for LOOK_S."""
    return min(
        play(lanes, seen, change(after_s, 1 - shown, LOOK_S), weights=USUAL, shown=shown)[0]
        for after_s in range(LOOK_S + 1)
    )


def served_score(lanes: Lanes, seen: Scene, served: NDArray[np.float64]) -> float:
    """What a plan costs by what it lets go alone."""
    come = new_street(lanes, seen, served.shape[1]).come[:, : len(served)].T
    waiting = come - np.cumsum(served, axis=1)
    fresh = np.diff(come, axis=1, prepend=come[:, :1])
    delay = (waiting + USUAL.stop_s * np.minimum(waiting, fresh)).sum(axis=1)
    left = waiting[:, -1] * (USUAL.left_s + USUAL.left_by_queue_s * waiting[:, -1])
    return float(seen.weight @ (delay + left))


def test_what_the_search_promises_is_what_its_plan_costs() -> None:
    lanes, seen = two_lanes(yellow_s=1), scene({0: 3, 8: 4}, {0: 5, 12: 1})
    for shown in (0, 1):
        chosen, cost, served = decide(lanes, seen, shown)
        assert served_score(lanes, seen, served[:, :LOOK_S]) == pytest.approx(cost[chosen])


@pytest.mark.parametrize("shown", [-1, 0, 1])
def test_the_schedule_told_is_the_one_that_costs_what_was_promised(shown: int) -> None:
    lanes, seen = two_lanes(yellow_s=1), scene({0: 3, 8: 4}, {0: 5, 12: 1})
    plan = np.full((1, LOOK_S), -7, np.int64)
    chosen, cost, served = decide(lanes, seen, shown, plan=plan)
    stages = plan[0].tolist()
    assert stages[0] == chosen
    assert set(stages) == {0, 1}  # it serves both queues
    score, gone = play(lanes, seen, stages, weights=USUAL, shown=shown)
    assert score == pytest.approx(cost[chosen])
    np.testing.assert_array_equal(gone, served[:, :LOOK_S])


def test_where_nobody_comes_the_schedule_stays_and_where_none_is_found_there_is_none() -> None:
    plan = np.full((1, LOOK_S), -7, np.int64)
    decide(two_lanes(), scene({}, {}), 1, plan=plan)
    assert set(plan[0].tolist()) == {1}
    decide(two_lanes(usable=(False, False)), scene({0: 3}, {}), 0, plan=plan)
    assert plan[0, 0] == -1
    plan[:] = 1
    decide(two_lanes(), scene({0: 6}, {}), 0, asked=False, plan=plan)
    assert set(plan[0].tolist()) == {1}  # as it was


queues = st.dictionaries(st.integers(0, LOOK_S - 1), st.integers(1, 4), max_size=6)
heavier = st.sampled_from([1.0, 1.0, 2.0, 1.37, 4.2])
"""Of lane 1. With whole numbers many schedules cost the same and have let others go all the same."""


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([two_lanes(yellow_s=1), quick(), shared_lane(0.6)]), queues, queues, heavier,
    st.integers(0, 1),
)  # fmt: skip
def test_it_is_never_worse_than_keeping_the_stage_nor_than_the_best_single_change(
    lanes: Lanes, first: dict[int, float], second: dict[int, float], weight: float, shown: int
) -> None:
    seen = scene(first, second)
    seen.weight[1] = weight
    chosen, cost, _ = decide(lanes, seen, shown, width=WIDE)
    assert cost.min() <= best_single_change(lanes, seen, shown) + 1e-6
    assert cost[chosen] <= cost.min() + USUAL.change_veh_s


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([two_lanes(yellow_s=1), quick(), yielding_lane(), shared_lane(0.6)]), queues, queues,
    heavier, st.integers(-1, 1),
)  # fmt: skip
def test_with_a_wide_beam_it_is_the_best_schedule_of_all(
    lanes: Lanes, first: dict[int, float], second: dict[int, float], weight: float, shown: int
) -> None:
    seen = scene(first, second)
    seen.weight[1] = weight
    best = best_of_all(lanes, seen, shown, 12)
    chosen, cost, _ = decide(lanes, seen, shown, width=WIDE, seconds=12)
    assert cost.min() == pytest.approx(best.min())
    assert best[chosen] <= best.min() + USUAL.change_veh_s + 1e-6


def test_with_the_usual_width_it_is_seldom_worse_than_a_single_change() -> None:
    random = np.random.default_rng(1)
    excess = []
    for _ in range(150):
        queued = [
            {int(second): float(random.integers(1, 5)) for second in random.integers(0, LOOK_S, size)}
            for size in random.integers(0, 7, 2)
        ]
        seen, shown = scene(*queued), int(random.integers(0, 2))
        _, cost, _ = decide(two_lanes(yellow_s=1), seen, shown)
        excess.append(cost.min() - best_single_change(two_lanes(yellow_s=1), seen, shown))
    assert np.mean(np.array(excess) > 1e-6) <= 0.02
    assert np.mean(excess) <= 0.0
    assert min(excess) < -1.0  # and sometimes it finds what a single change does not
