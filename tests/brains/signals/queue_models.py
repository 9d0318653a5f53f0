"""Queue models small enough to reckon by hand: two stages, two lanes, each green in one stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from civicbrain.brains.signals.foresight import MOST_STREAMS, Lanes, Policy, Scene, Weights, cost_of, new_play

HORIZON_S = 40
FLOW = 0.5
START_S = 6.5
SPAN_S = 11.5

PLAIN = Weights(
    stop_s=0.0, left_s=0.0, left_by_queue_s=0.0, longest_s=30.0, yellow_s=0.0, gap_s=4, sneak=0.0,
    harm_veh=0.0, change_veh_s=1.0,
)  # fmt: skip
"""Nothing but waiting counts, yellow is not used, and who yields does not sneak through."""


def two_lanes(*, usable: Sequence[bool] = (True, True)) -> Lanes:
    """Stage 0 serves lane 0, stage 1 lane 1; each flows START_S after the other stage is left."""
    return Lanes(
        lane_start=np.array([0, 2], np.int32),
        stage_of=np.array([0, 2], np.int32),
        usable=np.array(usable, dtype=np.bool_),
        mixed=np.zeros(1, dtype=np.bool_),
        entry_of=np.array([0, 1, 2], np.int32),
        lane=np.array([0, 1], np.int32),
        start_s=np.array([[0.5, 0.5], [0.0, START_S], [START_S, 0.0]], np.float32),
        span_s=np.array([[6.5, 6.5], [4.0, SPAN_S], [SPAN_S, 4.0]], np.float32),
        flow=np.full(2, FLOW),
        run_veh=np.full(2, 1e9),
        full=np.ones(2, np.int64),
        permitted=np.zeros(2, np.int64),
        share=shares([1.0], [1.0]),
        rival_of=np.zeros(3, np.int32),
        rival=np.zeros(0, np.int32),
    )


def shared_lane(first_share: float) -> Lanes:
    """Lane 0 has two streams: stage 0 lets the first go, stage 1 the second and lane 1."""
    lanes = two_lanes()
    return lanes._replace(
        mixed=np.ones(1, dtype=np.bool_),
        entry_of=np.array([0, 1, 3], np.int32),
        lane=np.array([0, 0, 1], np.int32),
        start_s=np.array([[0.5] * 3, [0.0, START_S, START_S], [START_S, 0.0, 0.0]], np.float32),
        flow=np.full(3, FLOW),
        run_veh=np.array([first_share / (1.0 - first_share), (1.0 - first_share) / first_share, 1e9]),
        full=np.array([1, 2, 1], np.int64),
        permitted=np.zeros(3, np.int64),
        share=shares([first_share, 1.0 - first_share], [1.0]),
        rival_of=np.zeros(4, np.int32),
    )


def yielding_lane() -> Lanes:
    """Stage 0 shows both lanes green, lane 0 yields to lane 1; stage 1 serves lane 1 alone."""
    return two_lanes()._replace(
        entry_of=np.array([0, 2, 3], np.int32),
        lane=np.array([0, 1, 1], np.int32),
        start_s=np.array([[0.5] * 3, [0.0, 0.0, 0.0], [START_S, 0.0, 0.0]], np.float32),
        flow=np.full(3, FLOW),
        run_veh=np.array([0.02, 1e9, 1e9]),
        full=np.array([0, 1, 1], np.int64),
        permitted=np.array([1, 0, 0], np.int64),
        rival_of=np.array([0, 1, 1, 1], np.int32),
        rival=np.array([1], np.int32),
    )


def shares(*rows: Sequence[float]) -> NDArray[np.float64]:
    """(l, MOST_STREAMS) of each lane's vehicles, by stream."""
    share = np.zeros((len(rows), MOST_STREAMS))
    for lane, row in enumerate(rows):
        share[lane, : len(row)] = row
    return share


def scene(*arrivals: dict[int, float], head: Sequence[int] = (), room: Sequence[float] = ()) -> Scene:
    """arrivals: for each lane second -> vehicles; those of second 0 stand at the line."""
    count = len(arrivals)
    come = np.zeros((count, HORIZON_S))
    for lane, row in enumerate(arrivals):
        for second, vehicles in row.items():
            come[lane, second] = vehicles
    return Scene(
        arrivals=come,
        usual=np.zeros(count),
        head=np.array(head or [0] * count, np.int64),
        outlet=np.ones(count),
        room=np.array(room or [np.inf] * count),
        weight=np.ones(count),
    )


def play(
    lanes: Lanes, seen: Scene, policy: Policy, *, weights: Weights = PLAIN, shown: int = 0, mix: int = -1,
    bound: float = np.inf,
) -> tuple[float, NDArray[np.float64]]:  # fmt: skip
    """(cost in veh s, vehicles that leave each lane in each second) of one policy."""
    served = np.zeros_like(seen.arrivals)
    cost = cost_of(lanes, seen, weights, 0, shown, policy, mix, bound, new_play(), served, True)
    return cost, served


def keep(seconds: float = 1e6) -> Policy:
    """The shown stage for so long, then whatever is best."""
    return Policy(float(seconds), -1, -1, 0.8)


def change(then: int = 1, after_s: float = 0.0) -> Policy:
    return Policy(float(after_s), then, -1, 0.8)
