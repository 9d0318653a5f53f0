"""What the API takes about missions; what it says of them is `contracts/missions.py`, as it stands."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from civicbrain.api.models.city import Reason
from civicbrain.city.missions import MissionKind
from civicbrain.contracts.missions import (
    DispatchAnswer,
    MissionBrief,
    MissionClosed,
    MissionMade,
    MissionView,
    PositionTaken,
)

__all__ = [
    "DispatchAnswer", "DispatchQuestion", "MissionBrief", "MissionCancellation", "MissionClosed",
    "MissionMade", "MissionOrder", "MissionPosition", "MissionView", "PositionTaken", "builtins",
]  # fmt: skip

Id = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")]
Edge = Annotated[str, Meta(min_length=1, max_length=200, description="id of a street section")]
Label = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\u0000-\u001f\u007f]*$")]
Metres = Annotated[float, Meta(ge=-1e7, le=1e7)]


class MissionOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """A new mission. id: yours, or "" for one that is made. route: section ids, empty where the brain is to
    plan it. urgency: 1 may wait, 2 urgent, 3 a life depends on it. simulate: let the twin drive it."""

    vehicle: Label
    from_edge: Edge
    to_edge: Edge
    kind: MissionKind = MissionKind.AMBULANCE
    urgency: Annotated[int, Meta(ge=1, le=3)] = 2
    id: Annotated[str, Meta(max_length=80, pattern=r"^([A-Za-z0-9][A-Za-z0-9_.:-]*)?$")] = ""
    route: Annotated[list[Edge], Meta(max_length=2000)] = []
    simulate: bool = False
    reason: Reason = ""


class MissionCancellation(Struct, frozen=True, forbid_unknown_fields=True):
    """End a mission before it has arrived."""

    reason: Reason = ""


class MissionPosition(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the vehicle is, in the city's plane. key: that of the order's answer. time_s: platform seconds,
    null for now. heading_deg: 0 north, clockwise; null where unknown."""

    key: Annotated[str, Meta(max_length=200)]
    x_m: Metres
    y_m: Metres
    speed_mps: Annotated[float, Meta(ge=0, le=200)]
    time_s: Annotated[float, Meta(ge=-1e12, le=1e12)] | None = None
    heading_deg: Annotated[float, Meta(ge=0, le=360)] | None = None


class DispatchQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """first "vehicle": which of these reaches the address first; "hospital": which of these is reached first
    from the address. address: id of a street section. places: name -> section id; empty takes the city's own
    ambulance stations, or hospitals."""

    address: Edge
    first: Literal["vehicle", "hospital"] = "vehicle"
    places: Annotated[dict[str, str], Meta(max_length=200)] = {}
    speed_factor: Annotated[float, Meta(ge=0.5, le=2.0)] = 1.5


def builtins(value: Struct) -> dict[str, Any]:
    """As the body of a command."""
    return {name: getattr(value, name) for name in value.__struct_fields__}
