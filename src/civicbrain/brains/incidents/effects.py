"""What an incident is expected to cost, and when it is expected to be over.

Capacity left: share of the road's lanes that are free, less the slowing down of those that pass (HCM 7th ed.,
ch. 11, and Goolsby 1971: one of two lanes blocked leaves 0.35, one of three 0.49, two of three 0.17 of the
capacity). Delay: deterministic queueing, vehicles that arrive above the capacity left wait until it is over.
Clearance: mean durations of urban incidents, broadly in line with published figures; a place's own cases are
better as soon as there are some.
"""

from __future__ import annotations

from civicbrain.city.incidents import IncidentKind

CAPACITY = {(1, 1): 0.0, (1, 2): 0.35, (1, 3): 0.49, (2, 3): 0.17, (1, 4): 0.58, (2, 4): 0.25, (3, 4): 0.13}
"""(lanes blocked, lanes) -> share of the capacity that is left (HCM's table for freeways, used as it is)."""

CLEARS_AFTER_S = {
    IncidentKind.STOPPED_VEHICLE: 900.0,
    IncidentKind.CRASH: 2400.0,
    IncidentKind.BLOCKED_JUNCTION: 600.0,
    IncidentKind.WRONG_WAY: 60.0,
    IncidentKind.CLOSED_LANE: 3600.0,
    IncidentKind.CONGESTION: 1800.0,
    IncidentKind.SIGNAL_FAULT: 3600.0,
    IncidentKind.SENSOR_FAULT: 14400.0,
}
"""Assumptions of this room, to be replaced by the operator's own figures."""

SATURATION_VEH_S = 0.5
"""1,800 vehicles an hour and lane (HCM 7th ed., ch. 19, base saturation flow 1,900, less local factors)."""
GREEN_SHARE = 0.4


def capacity_left(kind: IncidentKind, blocked: int, lanes: int) -> float:
    """Share of the capacity of its place that is left, 0 to 1."""
    if kind is IncidentKind.SENSOR_FAULT:
        return 1.0
    if kind is IncidentKind.SIGNAL_FAULT:
        return 0.5
    if kind is IncidentKind.BLOCKED_JUNCTION:
        return 0.3
    if kind is IncidentKind.WRONG_WAY:
        return 0.5
    blocked = min(max(blocked, 1), max(lanes, 1))
    if blocked >= lanes:
        return 0.0
    return CAPACITY.get((blocked, lanes), (lanes - blocked) / lanes * 0.75)


def delay_veh_h(demand_veh_s: float, lanes: int, left: float, lasts_s: float) -> float:
    """Delay of all who come while it lasts, vehicle hours: demand above the capacity left queues until it is
    over and then goes off at the full capacity (two triangles of cumulative arrivals and departures)."""
    full = SATURATION_VEH_S * GREEN_SHARE * max(lanes, 1)
    excess = demand_veh_s - full * left
    if excess <= 0.0 or lasts_s <= 0.0:
        return 0.0
    queue = excess * lasts_s
    spare = max(full - demand_veh_s, 0.05 * full)
    return queue * (lasts_s + queue / spare) / 2.0 / 3600.0
