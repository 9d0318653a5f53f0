"""Plans from flows, and the control `plan-change`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civicbrain.brains.signals import CONTROLS, create
from civicbrain.brains.signals.approach import build_streams
from civicbrain.brains.signals.plan_change import FlowMeter
from civicbrain.brains.signals.plans.flows import list_turns, spread_turns
from civicbrain.brains.signals.plans.network import PlanNetwork, PlanOptions
from civicbrain.brains.signals.plans.tables import build_tables
from civicbrain.city.observations import Detections
from civicbrain.city.plan_bounds import find_broken_bound
from civicbrain.contracts.brain import BrainContext
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import ConfigurationError

CITY = sandbox_city()
STREAMS = build_streams(CITY)
TURNS = list_turns(CITY)


def network(flows: list[float], **options) -> PlanNetwork:
    turns = dict(zip(TURNS, flows, strict=True))
    return PlanNetwork(CITY, spread_turns(CITY, STREAMS, turns), PlanOptions(**options))


@settings(deadline=None, max_examples=15)
@given(st.lists(st.floats(0.0, 0.3), min_size=len(TURNS), max_size=len(TURNS)))
def test_every_plan_holds_its_bounds_and_its_cycle(flows: list[float]) -> None:
    made = network(flows)
    plans = made.make_plans()
    assert set(plans) == set(range(len(CITY.junctions)))
    for row, plan in plans.items():
        durations_s = plan.durations_s.tolist()
        assert find_broken_bound(made.tables[row].bounds, durations_s) is None
        assert all(seconds >= 1 for seconds in durations_s)
        assert plan.cycle_s <= max(
            120, made.models[row].least_cycle_s, int(made.tables[row].durations_s.sum())
        )
        assert 0 <= plan.offset_s < plan.cycle_s
    # never expected to be worse than what the city has
    assert made.total(plans) <= made.total(made.local) + 1e-6


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1), st.integers(0, 90))
def test_splits_of_any_cycle_sum_up_to_it(row: int, more_s: int) -> None:
    model = network([0.05] * len(TURNS)).models[row]
    cycle_s = model.least_cycle_s + more_s
    durations_s, _ = model.best_splits(cycle_s)
    assert int(durations_s.sum()) == cycle_s
    assert find_broken_bound(model.table.bounds, durations_s.tolist()) is None


def test_the_heavier_road_gets_the_longer_green() -> None:
    group_of = {int(k): CITY.junctions[0].groups[int(g)].approach for k, g in enumerate(STREAMS.group)
                if STREAMS.junction[k] == 0}  # fmt: skip
    edges = CITY.network.edges.ids
    approach = group_of[0]
    flows = [0.25 if edges[turn[0]] == approach else 0.02 for turn in TURNS]
    made = network(flows)
    plan, table = made.isolated(0), made.tables[0]
    served = (table.shows[:, 0] > 0).astype(float) @ plan.durations_s
    assert served > 0.5 * plan.cycle_s


def test_turns_fill_the_lanes_they_may_use_alike() -> None:
    flows = spread_turns(CITY, STREAMS, dict.fromkeys(TURNS, 0.1))
    assert flows.flow.sum() == pytest.approx(0.1 * len(TURNS))
    assert flows.movement.sum() == pytest.approx(0.1 * len(TURNS))


def frame(distance_m: list[float], speed_mps: list[float], lane: int) -> Detections:
    count = len(distance_m)
    return Detections(
        "cameras", 0.0, 1.0, np.array([0], np.int32), np.zeros(count, np.int32),
        np.full(count, lane, np.int32),
        np.array(distance_m, np.float32), np.array(speed_mps, np.float32), np.zeros(count, np.uint8),
        np.full(count, -1, np.int32),
    )  # fmt: skip


def test_flow_is_metres_travelled_in_the_zone() -> None:
    # a vehicle at 10 m/s every 5 s: 0.2 veh/s; it is seen in the 50 m before the stop line five times
    meter, lane = FlowMeter(CITY, STREAMS), int(STREAMS.lane[0])
    for second in range(300):
        places = [float((10 * (k - second)) % 50) for k in (0, 5)][:1]
        meter.see(frame(places, [10.0] * len(places), lane), 1.0)
    of_lane = STREAMS.lane == lane
    assert meter.flow()[of_lane].sum() == pytest.approx(0.2 / 0.95, rel=0.02)
    assert meter.flow()[~of_lane].sum() == 0.0


def test_options_that_do_not_fit_are_named() -> None:
    assert "plan-change" in {control.name for control in CONTROLS}
    for options, words in (
        ({"interval_s": 5.0}, "interval_s 5"),
        ({"max_cycle_s": 500}, "max_cycle_s 500"),
        ({"valid_s": 30.0}, "valid_s 30"),
        ({"speed": 3.0}, "no such option"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            create(BrainContext(CITY, options={"control": "plan-change", **options}))


def test_tables_know_who_yields_to_whom() -> None:
    for table in build_tables(CITY, STREAMS):
        assert len(table.rival_start) == len(table.streams) + 1
        assert table.rival_start[-1] == len(table.rivals)
        assert (table.least_s >= 1).all()
