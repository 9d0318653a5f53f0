"""What-ifs from a state to an answer: pairs, bands, models, and the whole way on a small city."""

from __future__ import annotations

import math
import os
import signal
import time
from dataclasses import replace
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from threading import Thread

import pytest

from civicbrain.city.plan_bounds import find_broken_bound, list_plan_bounds
from civicbrain.city.whatif import Change, Closure, Detour, PlanSetting, Question, TrafficModel, closed_whole
from civicbrain.core.errors import CivicBrainError, ConfigurationError, NotFoundError, TwinError
from civicbrain.evaluate.endings import first_to_end, tell_ending
from civicbrain.evaluate.whatif.conduct import Conduct, Sides, answer_question, choose_model, demand_factors
from civicbrain.evaluate.whatif.measures import find_way, gating_plans, list_measures
from civicbrain.evaluate.whatif.propose import propose
from civicbrain.evaluate.whatif.records import make_answer
from civicbrain.evaluate.whatif.source import simulate_to
from civicbrain.twin.importing import resolve_scenario
from civicbrain.twin.whatif.branch import read_traffic
from civicbrain.twin.whatif.figures import FutureFigures


@pytest.fixture(scope="module")
def grid():
    return resolve_scenario("grid4x4")


@pytest.fixture(scope="module")
def branch(tmp_path_factory, grid) -> Path:
    folder = tmp_path_factory.mktemp("branch") / "state"
    arguments = (grid.folder, "fixed", grid.demand.begin_s + 400.0, 1, folder)
    process = get_context("spawn").Process(target=simulate_to, args=arguments)
    process.start()
    process.join(120)
    return folder


def figures(grid, seed: int, spent_h: float, arrived: int = 100) -> FutureFigures:
    return FutureFigures(
        seed=seed, vehicles=200, arrived=arrived, departed=50, undeparted=0, delay_veh_s=2000.0,
        time_spent_veh_s=3600.0 * spent_h, diverted=0, series_time_s=(60.0, 120.0), queue_veh=(5.0, 7.0),
        running=(10, 12), arrivals=(3, 6), junction_delay_veh_s=(0.0,) * len(grid.junctions),
        edge_delay_veh_s=(0.0,) * len(grid.network.edges.ids),
    )  # fmt: skip


def test_bands_are_those_of_the_pairs(grid):
    """Differences 1, 2 and 3 veh·h: mean 2, half-width t(0.975, 2) · 1 / √3 = 4.3027 / 1.7321 = 2.484."""
    pairs = [
        (figures(grid, s, base), figures(grid, s, base + s)) for s, base in ((1, 10.0), (2, 50.0), (3, 5.0))
    ]
    question = Question(Change(demand_factor=1.2))
    answer = make_answer(grid, question, "fixed", "meso", pairs, (0.0, 900.0), 200, (), {})
    spent = answer.get("time_spent").difference
    assert (spent.mean, spent.low, spent.high) == pytest.approx((2.0, 2.0 - 2.484, 2.0 + 2.484), abs=1e-3)
    one = make_answer(grid, question, "fixed", "meso", pairs[:1], (0.0, 900.0), 200, (), {})
    assert one.get("time_spent").difference.low is None  # one pair says nothing about spread
    assert one.get("mean_delay").against.mean == 10.0
    assert (answer.get("time_spent").agreeing, one.get("time_spent").agreeing) == (3, 1)
    assert answer.get("arrived").agreeing == 3  # all three agree that nothing changes
    assert answer.demand_end_s is None  # it goes on
    late = make_answer(grid, question, "fixed", "meso", pairs, (0.0, grid.demand.end_s + 1.0), 200, (), {})
    assert late.demand_end_s == grid.demand.end_s
    assert one.get_course("queue").against[1].mean == 7.0
    # 3 arrivals in the first minute, 3 more in the second
    assert [band.mean for band in one.get_course("throughput").change] == [180.0, 180.0]
    assert one.get_course("lost").time_s == ()  # an older future did not count it


def test_the_demand_of_the_pairs_is_spread_about_what_is_known():
    assert demand_factors(1) == [1.0]
    factors = demand_factors(5)
    assert math.fsum(factors) == pytest.approx(5.0)
    assert 0.9 < min(factors) < 0.98 < 1.02 < max(factors) < 1.1


def test_small_cities_are_driven_and_large_ones_queued():
    question = Question(Change(demand_factor=1.2), minutes=15.0, seeds=3)
    assert choose_model(question, 100, 1, control=False, step_s=1.0) == "micro"
    assert choose_model(question, 5000, 100, control=True, step_s=1.0) == "meso"
    asked = Question(Change(demand_factor=1.2), model=TrafficModel.MICRO)
    assert choose_model(asked, 5000, 100, control=True, step_s=1.0) == "micro"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (Change(), ConfigurationError),
        (Change(closures=(Closure("nowhere"),)), NotFoundError),
        (Change(closures=(Closure("A0A1", (99,)),)), NotFoundError),
        (Change(detours=(Detour("A0A1", 1.5),)), ConfigurationError),
        (Change(demand_factor=math.nan), ConfigurationError),
        (Change(plans=(PlanSetting("no junction", (10.0,)),)), NotFoundError),
    ],
)
def test_what_cannot_be_asked_is_told_with_a_remedy(grid, change, error):
    with pytest.raises(error) as caught:
        Question(change).check(grid)
    assert isinstance(caught.value, CivicBrainError)
    assert caught.value.remedy


def test_all_lanes_closed_is_an_edge_closed(grid):
    start = grid.network.edges.lane_start
    count = int(start[1] - start[0])
    edge = grid.network.edges.ids[0]
    assert closed_whole(Change(closures=(Closure(edge, tuple(range(count))),)), grid) == {edge}
    assert closed_whole(Change(closures=(Closure(edge, (0,)),)), grid) == set()


def test_a_question_is_answered_from_a_state(grid, branch):
    edge = most_used(branch)
    heard: list[tuple[int, int]] = []
    conduct = Conduct(on_progress=lambda done, of: heard.append((done, of)), nice=0)
    question = Question(Change(closures=(Closure(edge),)), minutes=2.0, seeds=2, model=TrafficModel.MESO)
    answer = answer_question(grid, question, branch, "fixed", conduct)
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert answer.pairs == 2
    assert (answer.to_s - answer.from_s, answer.model, answer.control) == (120.0, "meso", "fixed")
    assert answer.diverted > 0
    assert {place.id for place in answer.junctions} == {junction.id for junction in grid.junctions}
    assert any("Mesoscopic" in note for note in answer.notes)


def test_detours_and_gating_are_tried_before_they_are_shown(grid, branch):
    closure = Closure(most_used(branch), (0,))
    traffic = read_traffic(branch)
    way = find_way(grid, traffic, closure)
    assert way is not None
    assert closure.edge not in way.edges
    connected = {(grid.network.lanes.edge[a], grid.network.lanes.edge[b]) for a, b in movements(grid)}
    rows = [grid.network.edges.row[edge] for edge in way.edges]
    assert all(pair in connected for pair in pairwise(rows))
    found = propose(
        grid, closure, branch, "fixed", Conduct(nice=0), incident="i-1", minutes=1.0, seeds=1,
        model=TrafficModel.MESO,
    )  # fmt: skip
    assert len(found.proposals) == len(list_measures(grid, traffic, closure)) >= 2
    spent = [one.time_spent_veh_h.mean for one in found.proposals]
    assert spent == sorted(spent)
    assert all(one.advisable == (one.time_spent_veh_h.mean < 0) for one in found.proposals)


def test_gating_keeps_the_cycle_and_the_bounds(grid):
    for edge in grid.network.edges.ids[::5]:
        for plan in gating_plans(grid, edge):
            junction = grid.junctions[grid.signals.row[plan.junction]]
            had_s = [step.duration_s for step in junction.local_plan.steps]
            assert sum(plan.durations_s) == pytest.approx(sum(had_s), abs=0.2)
            assert list(plan.durations_s) != had_s
            assert find_broken_bound(list_plan_bounds(junction), plan.durations_s) is None


def test_a_plan_holds_where_a_brain_decides(grid, branch):
    """It was refused in silence, and every difference was 0."""
    junction = grid.junctions[5]
    steps = junction.local_plan.steps
    longest = max(range(len(steps)), key=lambda row: steps[row].duration_s)
    durations_s = tuple(step.duration_s + (60.0 if k == longest else 0.0) for k, step in enumerate(steps))
    plan = PlanSetting(junction.id, durations_s, -3.0)
    question = Question(Change(plans=(plan,)), minutes=2.0, seeds=1, model=TrafficModel.MESO)
    answer = answer_question(grid, question, branch, "max-pressure", Conduct(nice=0))
    assert answer.junctions[0].difference.mean != 0.0
    assert any("the brain does not decide at" in note for note in answer.notes)


def test_a_plan_that_its_controller_would_refuse_is_not_asked(grid):
    steps = grid.junctions[0].local_plan.steps
    plan = PlanSetting(grid.junctions[0].id, (1.0,) * len(steps))
    with pytest.raises(ConfigurationError) as caught:
        Question(Change(plans=(plan,))).check(grid)
    assert "too little time" in caught.value.message
    assert "needs" in caught.value.remedy


def test_a_state_of_another_city_is_refused(grid, branch):
    other = replace(grid, name="elsewhere")
    question = Question(Change(demand_factor=1.2), minutes=1.0, seeds=1, model=TrafficModel.MESO)
    with pytest.raises(CivicBrainError):
        answer_question(other, question, branch.parent / "nothing", "fixed", Conduct(nice=0))


def most_used(branch: Path) -> str:
    count: dict[str, int] = {}
    for one in read_traffic(branch).vehicles:
        for edge in one.edges[1:-1]:
            count[edge] = count.get(edge, 0) + 1
    return max(sorted(count), key=lambda edge: count[edge])


def movements(city) -> list[tuple[int, int]]:
    moves = city.network.movements
    return list(zip(moves.from_lane.tolist(), moves.to_lane.tolist(), strict=True))


@pytest.mark.parametrize("wait_s", [0.0, 0.5])  # as it begins, and later
def test_a_worker_that_the_kernel_ends_is_told_with_cause_and_remedy(grid, branch, wait_s):
    """Under load one died, and nobody could say of what."""
    question = Question(Change(demand_factor=1.1), minutes=60.0, seeds=1, model=TrafficModel.MICRO)
    with Sides(grid, branch, (question.against, question.change), "fixed", question, workers=1) as sides:

        def end_it() -> None:
            while not sides._workers.begun:
                time.sleep(wait_s)
            os.kill(sides._workers.begun[0].pid, signal.SIGKILL)

        Thread(target=end_it).start()
        with pytest.raises(TwinError) as told:
            list(sides.rounds(lambda *_: None))
    assert "ended by SIGKILL, as the kernel does when memory runs out" in told.value.message
    assert "fewer minutes" in (told.value.remedy or "")


@pytest.mark.parametrize(
    ("codes", "cause"),
    [
        ([-15, -9, -15], "SIGKILL"), ([-15, -15], "SIGTERM"), ([-11, -15], "SUMO crashed"),
        ([None, 1], "exit code 1"), ([], "gave no result"), ([-99], "signal 99"),
    ],
)  # fmt: skip
def test_of_workers_that_ended_the_one_that_broke_is_told(codes, cause):
    ending = tell_ending(first_to_end(codes))
    assert cause in ending.cause
    assert "ask" in ending.remedy
