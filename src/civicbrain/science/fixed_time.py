"""Fixed-time signals at one junction: degree of saturation, delay, optimum cycle.

Flows and saturation flows in veh/s, times in s, delays in s a vehicle. Valid for a cycle that repeats, with
flows that are constant over the period of analysis; queues are reckoned as points at the stop line.

Sources
    Webster, F. V. (1958), "Traffic signal settings", Road Research Technical Paper 39, HMSO London.
    Highway Capacity Manual, 6th edition (2016), ch. 19 (control delay: eqs. 19-18 to 19-26; saturation flow
    adjustment for turns: exhibits 19-13 ff.) and ch. 31 (permitted left turns: eq. 31-100).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]

TURN_FACTOR = {"s": 1.0, "l": 1.0 / 1.05, "r": 1.0 / 1.18, "t": 0.8}
"""Saturation flow of a turn relative to straight on: HCM's through-car equivalents 1.05 (left, protected) and
1.18 (right); 0.8 for the few that turn round."""

CRITICAL_GAP_S = 4.5
FOLLOW_UP_S = 2.5
"""HCM 2016, ch. 31: permitted left turns accept gaps of 4.5 s and follow each other in 2.5 s."""

SNEAKERS_VEH = 1.5
"""Vehicles that wait inside the junction and turn as the opposing green ends, a cycle (HCM 2016, ch. 31: 2.0
from a lane of their own; half a vehicle less, for not every cycle has two waiting)."""

TARGET_SATURATION = 0.9
"""Degree of saturation that practice keeps below (HCM 2016 ch. 19; RiLSA 2015; HBS 2015)."""


def degree_of_saturation(flow_veh_per_s: ArrayLike, capacity_veh_per_s: ArrayLike) -> F64:
    """Demand over capacity, x = q / c; inf where there is demand and no capacity, 0 without demand."""
    flow = np.asarray(flow_veh_per_s, dtype=np.float64)
    capacity = np.asarray(capacity_veh_per_s, dtype=np.float64)
    flow, capacity = np.broadcast_arrays(flow, capacity)
    ratio = np.where(flow > 0.0, np.inf, 0.0)
    np.divide(flow, capacity, out=ratio, where=capacity > 0.0)
    return ratio


def webster_delay_s(
    flow_veh_per_s: float, saturation_flow_veh_per_s: float, green_s: float, cycle_s: float
) -> float:
    """Mean delay of one approach by Webster's formula of three terms; inf at or above saturation.

    d = C(1 − λ)² / 2(1 − λx) + x² / 2q(1 − x) − 0.65 (C / q²)^(1/3) x^(2 + 5λ)

    green_s: effective green. Raises ValueError for a flow, saturation flow or cycle that is not positive.
    """
    if min(flow_veh_per_s, saturation_flow_veh_per_s, cycle_s) <= 0.0:
        raise ValueError("flow, saturation flow and cycle must be positive")
    share = min(green_s / cycle_s, 1.0)
    if share <= 0.0:
        return float("inf")
    x = flow_veh_per_s / (share * saturation_flow_veh_per_s)
    if x >= 1.0:
        return float("inf")
    uniform_s = cycle_s * (1.0 - share) ** 2 / (2.0 * (1.0 - share * x))
    random_s = x * x / (2.0 * flow_veh_per_s * (1.0 - x))
    correction_s = 0.65 * (cycle_s / flow_veh_per_s**2) ** (1.0 / 3.0) * x ** (2.0 + 5.0 * share)
    return float(max(uniform_s + random_s - correction_s, 0.0))


def webster_cycle_s(lost_time_s: float, flow_ratios: ArrayLike) -> float:
    """Cycle of least delay, C₀ = (1.5 L + 5) / (1 − Y); inf where Y, the sum of the critical flow ratios
    y = q/s (one a stage), reaches 1. lost_time_s: lost time of the whole cycle."""
    total = float(np.sum(np.asarray(flow_ratios, dtype=np.float64)))
    return float("inf") if total >= 1.0 else float((1.5 * lost_time_s + 5.0) / (1.0 - total))


def webster_greens_s(cycle_s: float, lost_time_s: float, flow_ratios: ArrayLike) -> F64:
    """Effective greens in proportion to the critical flow ratios: degrees of saturation are then equal."""
    ratios = np.asarray(flow_ratios, dtype=np.float64)
    total = float(ratios.sum())
    share = ratios / total if total > 0.0 else np.full(len(ratios), 1.0 / max(len(ratios), 1))
    greens: F64 = (cycle_s - lost_time_s) * share
    return greens


def uniform_delay_s(cycle_s: ArrayLike, green_s: ArrayLike, saturation: ArrayLike) -> F64:
    """HCM's uniform delay d₁ = 0.5 C (1 − g/C)² / (1 − min(1, x) g/C): arrivals at a constant rate."""
    cycle = np.asarray(cycle_s, dtype=np.float64)
    share = np.clip(np.asarray(green_s, dtype=np.float64) / cycle, 0.0, 1.0)
    busy = np.minimum(np.asarray(saturation, dtype=np.float64), 1.0) * share
    delay: F64 = np.where(busy < 1.0, 0.5 * cycle * (1.0 - share) ** 2 / np.maximum(1.0 - busy, 1e-9), 0.0)
    return delay


def incremental_delay_s(
    saturation: ArrayLike,
    capacity_veh_per_s: ArrayLike,
    period_s: float,
    k: float = 0.5,
    upstream: float = 1.0,
) -> F64:
    """HCM's incremental delay d₂: random arrivals and, above saturation, the queue that grows.

    d₂ = 900 T [(x − 1) + √((x − 1)² + 8 k I x / (c T))], T in h and c in veh/h; here period_s and veh/s.
    k: 0.5 for fixed time. upstream: I, below 1 behind a signal that meters the flow.
    """
    x = np.asarray(saturation, dtype=np.float64)
    vehicles = np.maximum(np.asarray(capacity_veh_per_s, dtype=np.float64) * period_s, 1e-9)
    over = x - 1.0
    delay: F64 = 0.25 * period_s * (over + np.sqrt(over * over + 8.0 * k * upstream * x / vehicles))
    return delay


def control_delay_s(
    flow_veh_per_s: ArrayLike,
    saturation_flow_veh_per_s: ArrayLike,
    green_s: ArrayLike,
    cycle_s: ArrayLike,
    period_s: float = 900.0,
) -> F64:
    """HCM's control delay d₁ + d₂ without an initial queue and with random arrivals."""
    capacity = np.asarray(saturation_flow_veh_per_s) * np.asarray(green_s) / np.asarray(cycle_s)
    x = degree_of_saturation(flow_veh_per_s, capacity)
    x = np.minimum(x, 1e3)  # no green at all: a very large delay, but a number
    total: F64 = uniform_delay_s(cycle_s, green_s, x) + incremental_delay_s(x, capacity, period_s)
    return total


def permitted_flow_veh_per_s(opposing_veh_per_s: ArrayLike) -> F64:
    """Saturation flow of a lane that turns through gaps: q e^(−q t_c) / (1 − e^(−q t_f)); 1 / t_f unopposed
    (HCM 2016, eq. 31-100). Valid while no opposing queue discharges."""
    opposing = np.maximum(np.asarray(opposing_veh_per_s, dtype=np.float64), 1e-9)
    flow: F64 = opposing * np.exp(-opposing * CRITICAL_GAP_S) / -np.expm1(-opposing * FOLLOW_UP_S)
    return flow
