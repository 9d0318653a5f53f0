"""Missions of emergency vehicles, and the positions by which they are followed.

A mission says who drives, from where to where and how urgent it is; a position says where the vehicle was.
Both reach the store like any other datum; `tracking.py` decides which positions are believed.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

import msgspec

MAX_NAME = 80


class MissionKind(StrEnum):
    """Who drives."""

    AMBULANCE = "ambulance"
    FIRE = "fire"
    POLICE = "police"
    OTHER = "other"


class Urgency(IntEnum):
    """Who goes first where two missions cross: the higher value."""

    ROUTINE = 1  # a transport that may wait
    URGENT = 2
    LIFE = 3  # a life depends on it


class TrackState(StrEnum):
    """How much is known of a mission's vehicle."""

    EXPECTED = "expected"  # no position has come yet
    TRACKED = "tracked"
    LOST = "lost"  # none for `TrackOptions.lost_after_s`


class Mission(msgspec.Struct, frozen=True):
    """One drive. Edges are ids of street sections, positions metres along them.

    route: edge ids from the first to the last, () where the brain is to plan it. sources: who may report
    the vehicle's position; anybody else is ignored. created_s: platform seconds.
    speed_factor: how fast it may go, as a multiple of the limit; SUMO's blue-light device takes 1.5.
    """

    id: str
    vehicle: str
    kind: MissionKind
    urgency: Urgency
    from_edge: str
    to_edge: str
    created_s: float
    from_m: float = 0.0
    to_m: float = -1.0  # below 0: the end of the edge
    route: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    speed_factor: float = 1.5


class MissionEnd(msgspec.Struct, frozen=True):
    """A mission is over. reason: "arrived", "cancelled", or in words."""

    mission: str
    time_s: float
    reason: str


class VehiclePosition(msgspec.Struct, frozen=True):
    """Where a mission's vehicle was at time_s (platform seconds), in the city's plane.

    heading_deg: 0 = north, clockwise; below 0 where unknown.
    """

    source: str
    mission: str
    time_s: float
    x_m: float
    y_m: float
    speed_mps: float
    heading_deg: float = -1.0


class MissionTrack(msgspec.Struct, frozen=True):
    """A mission with the newest position that was believed; fix_s is -inf while there is none."""

    mission: Mission
    state: TrackState = TrackState.EXPECTED
    fix_s: float = float("-inf")
    x_m: float = 0.0
    y_m: float = 0.0
    speed_mps: float = 0.0
    heading_deg: float = -1.0


MissionDatum = Mission | MissionEnd | VehiclePosition
