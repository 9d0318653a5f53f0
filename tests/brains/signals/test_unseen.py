"""Junctions without a camera get fixed plans from what is reckoned to arrive."""

from __future__ import annotations

import numpy as np
import pytest
from street_seen import detections

from civicbrain.brains.signals import create
from civicbrain.brains.signals.approach import build_streams
from civicbrain.brains.signals.plans.flows import StreamFlows
from civicbrain.brains.signals.plans.network import PlanNetwork, PlanOptions
from civicbrain.brains.signals.plans.requests import movement_shares
from civicbrain.brains.signals.unseen import EVERY_S, FIRST_S, PLAN_SATURATION, VALID_S, laid_out_for
from civicbrain.city.network import F64
from civicbrain.city.plan_bounds import find_broken_bound, list_plan_bounds
from civicbrain.city.store import Store
from civicbrain.contracts.brain import BrainContext, PlanRequest
from civicbrain.contracts.sandbox import sandbox_city, sandbox_signals

CITY = sandbox_city()
ROW_OF = {junction.id: row for row, junction in enumerate(CITY.junctions)}


def plans_asked_for(seconds: int, cameras: list[int]) -> list[tuple[float, PlanRequest]]:
    """A steady stream of vehicles from the west, seen by these cameras, and the plans that come of it."""
    brain, store = create(BrainContext(city=CITY, options={})), Store(CITY)
    asked = []
    for second in range(seconds):
        t = float(second)
        seen = [("WA_0", 140.0 - 14.0 * (second % 10), 14.0)] if 0 in cameras else []
        store.fold([detections(CITY, t, seen, cameras), sandbox_signals(CITY, t, 0, 0.0)], t)
        asked += [(t, r) for r in brain.advise(store.snapshot(t)).requests if isinstance(r, PlanRequest)]
    return asked


@pytest.fixture(scope="module")
def asked() -> list[tuple[float, PlanRequest]]:
    return plans_asked_for(int(FIRST_S) + 150, [0])


def test_a_junction_without_a_camera_is_given_a_plan_once_flows_are_known(
    asked: list[tuple[float, PlanRequest]],
) -> None:
    assert {request.junction for _, request in asked} == {"B"}
    assert min(t for t, _ in asked) >= FIRST_S


def test_the_plan_holds_the_bounds_of_the_junction(asked: list[tuple[float, PlanRequest]]) -> None:
    junction = CITY.junctions[ROW_OF["B"]]
    for _, request in asked:
        assert len(request.durations_s) == len(junction.local_plan.steps)
        assert find_broken_bound(list_plan_bounds(junction), request.durations_s) is None
        assert 0.0 <= request.offset_s < sum(request.durations_s)


def test_it_is_renewed_before_it_ends_and_ends_soon_after_the_last_renewal(
    asked: list[tuple[float, PlanRequest]],
) -> None:
    times = np.array([t for t, _ in asked])
    assert len(times) >= 2
    assert np.diff(times).max() < VALID_S
    assert all(request.expires_s == pytest.approx(t + VALID_S) for t, request in asked)


def test_who_is_seen_is_never_given_a_plan() -> None:
    assert plans_asked_for(int(FIRST_S) + 100, [0, 1]) == []


def test_a_camera_that_comes_back_ends_the_plan() -> None:
    brain, store = create(BrainContext(city=CITY, options={})), Store(CITY)
    late = []
    for second in range(int(FIRST_S) + 300):
        t = float(second)
        cameras = [0] if second < FIRST_S + 120 else [0, 1]
        store.fold(
            [detections(CITY, t, [("WA_0", 70.0, 14.0)], cameras), sandbox_signals(CITY, t, 0, 0.0)], t
        )
        plans = [r for r in brain.advise(store.snapshot(t)).requests if isinstance(r, PlanRequest)]
        late += [t for _ in plans if second > FIRST_S + 125]
    assert late == []
    assert EVERY_S > 300.0


def test_what_the_local_plan_carries_counts_as_much_as_what_is_reckoned() -> None:
    """By hand for groups that yield to nobody, whose capacity hangs on no other's flow."""
    streams = build_streams(CITY)
    row = ROW_OF["B"]

    def planned(flow: F64) -> F64:
        movement = np.append(flow, 0.0)[streams.movement_stream] * movement_shares(CITY, streams)
        network = PlanNetwork(CITY, StreamFlows(flow, movement), PlanOptions(coordinate=False), streams)
        return laid_out_for(network, row)

    reckoned = np.full(streams.count, 0.01)
    little = planned(reckoned)
    assert (little > 0.01).all()  # a plan is not made for an approach that seems to be empty
    assert (little < 0.25 * PLAN_SATURATION).all()
    # four times as many reckoned: twice as many planned for
    names = [
        CITY.junctions[row].groups[group - CITY.signals.group_start[row]].id
        for group in streams.group[streams.junction == row]
    ]
    free = ["through" in name for name in names]
    assert sum(free) == 4
    np.testing.assert_allclose(planned(4.0 * reckoned)[free], 2.0 * little[free], rtol=1e-3)
