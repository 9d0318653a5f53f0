"""What the API says of corridors, as types (see `models.py`)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

SignalState = Literal["green", "yellow", "red"]


class SignalStretch(Struct, frozen=True):
    """Seconds of the city's clock; what lies between stretches is not known."""

    start_s: float
    end_s: float
    state: SignalState


class CorridorStop(Struct, frozen=True):
    """A stop line of the way. distance_m: from the beginning of the way; axis_m: where the forward way has
    that junction, so that both directions share an axis. travel_s: from the first stop line at the
    progression speed. planned: what is meant to come, whoever decides; empty where nobody says."""

    junction: str
    name: str
    distance_m: float
    axis_m: float
    travel_s: float
    green_share: float | None
    cycle_s: float | None
    signals: list[SignalStretch]
    planned: list[SignalStretch]


class GreenBand(Struct, frozen=True):
    """Seconds at which it passes the first stop line."""

    start_s: float
    end_s: float


class CorridorTrack(Struct, frozen=True):
    """A vehicle along the way for at most a minute: it is another one in the next. kind: as in the map frame.
    time_s and axis_m are of one length."""

    kind: int
    time_s: list[float]
    axis_m: list[float]


class CorridorWay(Struct, frozen=True):
    """One direction. bandwidth_s: mean width of the green band over the cycles seen; efficiency: its share
    of the cycle; attainability: its share of the shortest green (Little, Kelson and Gartner 1981); null:
    not enough seen."""

    length_m: float
    progression_mps: float
    stops: list[CorridorStop]
    bands: list[GreenBand]
    bandwidth_s: float | None
    cycle_s: float | None
    efficiency: float | None
    attainability: float | None
    tracks: list[CorridorTrack]


class CorridorDiagram(Struct, frozen=True):
    """Time against distance along the way from one junction to another, and back where a way leads back.
    start_s, end_s: seconds of the city's clock; known_s: of so many of them a picture is kept."""

    run: int
    start: datetime
    start_s: float
    end_s: float
    known_s: float
    forward: CorridorWay
    back: CorridorWay | None


class CorridorChoice(Struct, frozen=True):
    """A chain of signal junctions that suggests itself. name: of its street, "" where it has none."""

    name: str
    from_junction: str
    to_junction: str
    junctions: list[str]
    length_m: float
