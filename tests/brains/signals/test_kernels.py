"""The compiled loops compute what the documented formulas of `science` say, in the sandbox city."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from civicbrain.brains.signals.approach import build_streams
from civicbrain.brains.signals.demand import HORIZON_S, SOON, DemandReader
from civicbrain.brains.signals.max_pressure import MaxPressureBrain, MaxPressureOptions
from civicbrain.brains.signals.stages import build_stages
from civicbrain.brains.signals.worth import Worth
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.sandbox import sandbox_city, sandbox_snapshots
from civicbrain.science.pressure import (
    age_weight,
    permitted_factor,
    queue_weight,
    spillback_factor,
    stage_worth,
)
from civicbrain.science.queues import (
    SATURATION_FLOW_VEH_PER_S,
    arrival_time_s,
    queue_fill,
    served_vehicles,
)

CITY = sandbox_city()
STREAMS = build_streams(CITY)
STAGES = build_stages(CITY, STREAMS)
SNAPSHOTS = sandbox_snapshots(CITY, 60)


def test_demand_is_what_can_be_at_the_stop_line_within_each_span() -> None:
    for snapshot in SNAPSHOTS:
        seen = snapshot.detections
        eta_s = arrival_time_s(seen.distance_m, seen.speed_mps, CITY.network.lanes.speed_mps[seen.lane])
        expected = np.zeros((STREAMS.count + 1, len(HORIZON_S)))
        for lane, when_s in zip(seen.lane.tolist(), eta_s.tolist(), strict=True):
            for stream, share in zip(STREAMS.lane_stream[lane], STREAMS.lane_share[lane], strict=True):
                expected[stream] += share * (when_s <= HORIZON_S)
        found = DemandReader(CITY, STREAMS).read(snapshot)
        np.testing.assert_allclose(found.vehicles[:-1], expected[:-1])


def test_the_outlet_is_the_room_that_queues_leave_behind_the_stop_line() -> None:
    exits = STREAMS.exits
    for snapshot in SNAPSHOTS:
        queued = np.bincount(
            exits.cell_exit, snapshot.lanes.queued[exits.cell_lane] * exits.cell_share, len(exits.stream)
        )
        free = spillback_factor(queue_fill(queued, exits.storage_m))
        expected = np.bincount(exits.stream, free * exits.weight, STREAMS.count + 1)
        np.testing.assert_allclose(DemandReader(CITY, STREAMS).read(snapshot).outlet[:-1], expected[:-1])


@pytest.mark.parametrize("exponent", [0.0, 0.3, 1.0])
def test_worth_is_the_best_rate_of_weighted_service(exponent: float) -> None:
    random = np.random.default_rng(1)
    for snapshot in SNAPSHOTS:
        demand = DemandReader(CITY, STREAMS).read(snapshot)
        demand = replace(demand, standing_head=np.zeros(STREAMS.count + 1, dtype=bool))
        credit_s = random.random(STREAMS.count + 1) * 100.0
        shown = snapshot.signals.stage
        current = (STAGES.stage_of[:-1] + shown).astype(np.int32)
        weight = queue_weight(demand.vehicles[:, SOON], exponent) * age_weight(credit_s, 60.0) * demand.outlet
        entries = np.arange(len(STAGES.stream))
        green_s = HORIZON_S - STAGES.start_s[shown[STAGES.entry_junction] + 1, entries][:, None]
        against = np.zeros(len(entries))
        for entry, stream in zip(STAGES.opposing_entry, STAGES.opposing_stream, strict=True):
            against[entry] += demand.vehicles[stream, SOON] / STAGES.opposing_lanes[entry]
        rate = np.where(STAGES.permitted, permitted_factor(against), 1.0)
        share = np.append(STREAMS.share, 0.0)[STAGES.stream] / STAGES.green_share
        assert STAGES.whole_lane.all()  # in the sandbox both groups of a lane are green together
        flow = (SATURATION_FLOW_VEH_PER_S * share * rate)[:, None]
        served = (
            served_vehicles(demand.vehicles[STAGES.stream], flow, green_s) * weight[STAGES.stream][:, None]
        )
        shortest_s = STAGES.shortest_s[shown[STAGES.junction] + 1, np.arange(STAGES.count)]
        expected, _ = stage_worth(served, HORIZON_S, STAGES.entry_of, shortest_s)
        worth, _ = Worth(STREAMS, STAGES, exponent, 60.0).weigh(
            snapshot.time_s, demand, credit_s, snapshot.signals, current
        )
        np.testing.assert_allclose(worth, expected, rtol=1e-12)


@pytest.mark.parametrize("value", [-7, 99])
def test_a_stage_number_that_no_stage_has_counts_as_none(value: int) -> None:
    snapshot = SNAPSHOTS[-1]
    wrong = np.full(len(CITY.junctions), value, dtype=np.int32)
    signals = replace(snapshot.signals, stage=wrong, target=wrong[::1] + 1)
    decision = MaxPressureBrain(CITY, MaxPressureOptions()).decide(replace(snapshot, signals=signals))
    assert (decision.current == -1).all()
    assert ((decision.chosen >= STAGES.stage_of[:-1]) & (decision.chosen < STAGES.stage_of[1:])).all()


def test_arrays_may_be_writable() -> None:
    """A study's snapshots are read-only, those of a test or of another runtime need not be."""

    def thawed(snapshot: Snapshot) -> Snapshot:
        parts = {}
        for name in ("detections", "lanes", "signals"):
            part = getattr(snapshot, name)
            arrays = {n: getattr(part, n) for n in part.__slots__}
            copies = {n: a.copy() for n, a in arrays.items() if isinstance(a, np.ndarray)}
            parts[name] = replace(part, **copies)
        return replace(snapshot, **parts)

    first, second = (MaxPressureBrain(CITY, MaxPressureOptions()) for _ in range(2))
    for snapshot in SNAPSHOTS[:5]:
        assert first.advise(snapshot) == second.advise(thawed(snapshot))
