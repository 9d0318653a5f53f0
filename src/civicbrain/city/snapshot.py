"""`Snapshot`: what is known of the city at one instant. Immutable; safe to hand to any brain.

Arrays are numpy arrays with writeable=False. Row meanings stand in city.network and city.signals. A
snapshot carries no City: a brain is given that once, at its start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from civicbrain.city.incidents import Incident, IncidentReport
from civicbrain.city.missions import MissionTrack
from civicbrain.city.network import F32, I32, Bool
from civicbrain.city.observations import Detections, SignalStates
from civicbrain.city.transit.buses import BusTrack

QUEUE_SPEED_MPS = 5.0 / 3.6
"""Below this a vehicle counts as queued: standing or creeping. 5 km/h is the jam threshold of SUMO's
lane-area (e2) detectors (`speedThreshold`), which imitate what queue-measuring video detectors report."""


@dataclass(frozen=True, slots=True, eq=False)
class LaneStates:
    """Aggregates of the newest frame, one row a lane (n,). Lanes no camera sees: observed False, zeros."""

    observed: Bool
    age_s: F32  # seconds since this lane was last seen; inf where never
    vehicles: F32  # vehicles in view
    queued: F32  # of them standing or creeping (below QUEUE_SPEED_MPS)
    speed_mps: F32  # mean speed of those in view; the limit where none


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    sequence: int
    time_s: float
    detections: Detections  # newest frame of each camera, joined
    lanes: LaneStates
    signals: SignalStates
    closed_lanes: I32  # lanes reported closed
    staleness_s: MappingProxyType[str, float]  # source name -> seconds since it last spoke
    values: MappingProxyType[tuple[str, str], float]  # (entity, property) -> newest value of slow sources
    missions: tuple[MissionTrack, ...] = ()  # emergency missions under way
    incidents: tuple[Incident, ...] = ()  # open ones, as the loop keeps them
    reports: tuple[IncidentReport, ...] = ()  # of people, those of the last hour, oldest first
    buses: tuple[BusTrack, ...] = ()  # under way, by the positions that were believed
    asked: I32 = field(default_factory=lambda: np.zeros(0, np.int32))
    """(j,) stage that a request in force asks the controller for, -1 where none does; empty: not known."""
