"""Queues at a stop line: when vehicles arrive, how many a green serves, how far a queue reaches.

Point-queue arithmetic for one lane. Valid for horizons up to about a minute and headways of private cars;
heavy vehicles count as one vehicle.

Sources
    Saturation flow and start-up loss: Highway Capacity Manual, 6th edition (2016), ch. 19: base saturation
    flow 1,900 pc/h/lane, start-up lost time 2 s, of which about half is won back at the end of green.
    Jam spacing 7.5 m: vehicle 5 m and gap 2.5 m, the usual values (RiLSA 2015 reckons 6 m a car without
    heavy vehicles; SUMO's default car occupies 7.5 m).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]

SATURATION_FLOW_VEH_PER_S = 0.5
"""1,800 veh/h a lane: HCM's 1,900 with an allowance for turning and lane width."""

STARTUP_LOSS_S = 1.5
JAM_SPACING_M = 7.5
STANDING_SPEED_MPS = 1.0
"""At or below this a vehicle is taken to be part of the queue (creeping included)."""


def arrival_time_s(
    distance_m: ArrayLike, speed_mps: ArrayLike, speed_limit_mps: ArrayLike, recovery: float = 0.6
) -> F64:
    """Seconds until each vehicle could cross the stop line were nothing in its way. Arrays broadcast.

    Queued vehicles are demand at once: 0 s (how fast a queue drains is the matter of `served_vehicles`).
    Moving ones travel at their speed, or at `recovery` times the limit when they are slower than that,
    for a slow vehicle picks up speed once the lane is clear.
    """
    distance = np.asarray(distance_m, dtype=np.float64)
    speed = np.asarray(speed_mps, dtype=np.float64)
    travel = distance / np.maximum(speed, np.maximum(recovery * np.asarray(speed_limit_mps), 1.0))
    eta: F64 = np.where(speed <= STANDING_SPEED_MPS, 0.0, np.maximum(travel, 0.0))
    return eta


def served_vehicles(demand_veh: ArrayLike, flow_veh_per_s: ArrayLike, green_s: ArrayLike) -> F64:
    """Vehicles that cross in `green_s` of effective green: what is there, or what the green can carry."""
    capacity = np.asarray(flow_veh_per_s) * np.maximum(np.asarray(green_s, dtype=np.float64), 0.0)
    served: F64 = np.minimum(np.asarray(demand_veh, dtype=np.float64), capacity)
    return served


def run_before_blocking(green_share: ArrayLike, longest: float = 99.0) -> F64:
    """Expected number of vehicles a shared lane passes before the first that must wait blocks it.

    green_share: probability that a vehicle of the lane wants a movement that is green. The run is
    geometric: share / (1 - share), at most `longest`.
    """
    share = np.clip(np.asarray(green_share, dtype=np.float64), 0.0, 1.0)
    run: F64 = np.minimum(share / np.maximum(1.0 - share, 1e-9), longest)
    return run


def queue_fill(queued_veh: ArrayLike, length_m: ArrayLike) -> F64:
    """Share of a link that its standing queue covers: 0 empty, 1 back at the upstream junction."""
    length = np.maximum(np.asarray(length_m, dtype=np.float64), 1e-6)
    fill: F64 = np.asarray(queued_veh, dtype=np.float64) * JAM_SPACING_M / length
    return fill
