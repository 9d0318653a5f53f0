"""Incidents that a run is given on purpose: what happens on the road, and when it really did.

A `RoadIncident` comes about at the first chance from begin_s on (a vehicle has to come along to break down)
and lasts lasts_s. Same seed, same incidents, same result. How each kind is brought about in SUMO:

    stopped_vehicle    the next vehicle that can stops at position_m of the lane and stands
    crash              the same on each of several lanes of an edge: nobody passes there
    blocked_junction   up to HELD_IN_JUNCTION vehicles of different approaches stand inside the junction
    closed_lane        an obstacle that no camera sees lies at position_m; others go round it
    wrong_way          a vehicle drives against the lane from its end on, and on upstream. SUMO has no driving
                       against traffic, so it is put into what cameras say (with their misses and their
                       noise), and nobody swerves: what it does to the traffic is NOT modelled
    signal_fault       mode dark (no lamp burns, the controller reports as ever), stuck (the lamps stay, and
                       the controller says so) or disagreeing (the lamps stay, it reports as if they changed)
    sensor_fault       mode as in `faults.CAMERA_KINDS`: what the camera of the junction says is wrong

What it did is in `Truth`: an incident whose vehicle never came did not come about.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from civicbrain.city.incidents import IncidentKind
from civicbrain.city.model import City
from civicbrain.core.errors import ConfigurationError
from civicbrain.twin.faults import CAMERA_KINDS, CameraFault

SIGNAL_MODES = ("dark", "stuck", "disagreeing")
HELD_IN_JUNCTION = 3
"""Vehicles that stand inside a blocked junction, at most one an approach, as they come: a collision of two
crossing vehicles with a third behind them."""

OBSTACLE = "civicbrain-obstacle-"
"""Ids of obstacles begin so; cameras do not see them and no figure counts them."""

KINDS = frozenset(IncidentKind) - {IncidentKind.CONGESTION}
"""Congestion is not injected: it is what demand makes of the street, and the trap for every detector."""


@dataclass(frozen=True, slots=True)
class RoadIncident:
    """One incident to bring about. lanes: ids of lanes of one edge; position_m: from their start. junction:
    of a signal or sensor fault, or a blocked junction. mode: see the module, "" for kinds that have none."""

    id: str
    kind: IncidentKind
    begin_s: float
    lasts_s: float
    lanes: tuple[str, ...] = ()
    position_m: float = 0.0
    junction: str = ""
    mode: str = ""
    speed_mps: float = 10.0  # of a wrong-way driver

    @property
    def end_s(self) -> float:
        """When it is over where it began on time."""
        return self.begin_s + self.lasts_s


@dataclass(slots=True)
class Truth:
    """What became of an incident. began_s: below 0 where it has not come about; ended_s: below 0 while it
    lasts. vehicles: ids of those that stand for it."""

    incident: RoadIncident
    began_s: float = -1.0
    ended_s: float = -1.0
    vehicles: tuple[str, ...] = ()


def check_incidents(city: City, incidents: Sequence[RoadIncident], mesoscopic: bool = False) -> None:
    """Raise ConfigurationError at the first incident that this city, or the queue model, cannot have."""
    seen: set[str] = set()
    for one in incidents:
        fault = "two have this id" if one.id in seen else _fault(city, one)
        if mesoscopic and not fault:
            fault = "the mesoscopic model has no single vehicles to bring it about with"
        if fault:
            remedy = "give what the kind needs (twin/incidents.py says what each is)"
            raise ConfigurationError(fault, place=f"incident {one.id!r}", remedy=remedy)
        seen.add(one.id)


def camera_faults(incidents: Sequence[RoadIncident]) -> tuple[CameraFault, ...]:
    """The sensor faults among them, as cameras take them."""
    return tuple(
        CameraFault(one.junction, one.mode, one.begin_s, one.end_s, one.lanes[0] if one.lanes else "")
        for one in incidents
        if one.kind is IncidentKind.SENSOR_FAULT
    )


def _fault(city: City, one: RoadIncident) -> str:
    """What is wrong with an incident, "" for nothing."""
    if one.kind not in KINDS:
        return f"a {one.kind} is not brought about on purpose"
    if not (math.isfinite(one.begin_s) and math.isfinite(one.lasts_s) and one.lasts_s > 0.0):
        return f"it lasts {one.lasts_s:g} s from {one.begin_s:g} s on"
    at_junction = one.kind in (
        IncidentKind.BLOCKED_JUNCTION, IncidentKind.SIGNAL_FAULT, IncidentKind.SENSOR_FAULT,
    )  # fmt: skip
    if at_junction and one.junction not in city.signals.row:
        return f"no signal junction {one.junction!r} in this city"
    modes = {IncidentKind.SIGNAL_FAULT: SIGNAL_MODES, IncidentKind.SENSOR_FAULT: CAMERA_KINDS}.get(one.kind)
    if one.mode not in (modes or ("",)):
        return f"no mode {one.mode!r}" + (": use " + ", ".join(modes) if modes else " for this kind")
    return "" if at_junction else _lane_fault(city, one)


def _lane_fault(city: City, one: RoadIncident) -> str:
    lanes = city.network.lanes
    rows = [lanes.row.get(name, -1) for name in one.lanes]
    if not rows or min(rows) < 0:
        return "a lane that the city does not have" if rows else "it names no lane"
    if len({int(lanes.edge[row]) for row in rows}) > 1:
        return "its lanes are not of one edge"
    length_m = float(lanes.length_m[rows].min())
    if one.kind is IncidentKind.WRONG_WAY:
        return "" if 1.0 <= one.speed_mps <= 60.0 else f"nobody drives at {one.speed_mps:g} m/s"
    return "" if 0.0 < one.position_m < length_m else f"{one.position_m:g} m is not on the lane"
