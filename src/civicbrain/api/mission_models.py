"""What the API says and takes about missions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from civicbrain.api.models import Reason

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
    kind: Literal["ambulance", "fire", "police", "other"] = "ambulance"
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


class PassageView(Struct, frozen=True):
    """One signal junction on the way; times in platform seconds, null where they have not come."""

    junction: str
    distance_m: float
    state: str
    stage: str
    predicted_s: float | None = None
    first_predicted_s: float | None = None
    opened_s: float | None = None
    passed_s: float | None = None
    released_s: float | None = None
    cross_wait_veh_s: float = 0.0
    reason: str = ""


class MissionView(Struct, frozen=True):
    """A mission. state: expected, tracked, lost, or ended with its `end` ("arrived", "cancelled", …). won_s:
    the estimate without priority less what it took or is expected to take. refused: positions, by reason."""

    id: str
    vehicle: str
    kind: str
    urgency: int
    from_edge: str
    to_edge: str
    created_s: float
    state: str
    end: str = ""
    ended_s: float | None = None
    x_m: float | None = None
    y_m: float | None = None
    speed_mps: float | None = None
    edges: list[str] = []
    length_m: float = 0.0
    progress_m: float = 0.0
    eta_s: float | None = None
    eta_sd_s: float | None = None
    eta_without_s: float | None = None
    won_s: float | None = None
    cross_wait_veh_s: float = 0.0
    replanned: int = 0
    passages: list[PassageView] = []
    refused: dict[str, int] = {}
    note: str = ""


class MissionMade(Struct, frozen=True):
    """The order's answer. key: what the vehicle's positions must carry; told this once."""

    mission: MissionView
    key: str


class PositionTaken(Struct, frozen=True):
    """It is in line; whether it is believed shows in the mission (`state`, `refused`)."""

    mission: str
    time_s: float


class MissionClosed(Struct, frozen=True):
    """The mission is over; its corridor is given back with the next decision."""

    mission: str
    state: str


class DispatchQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """first "vehicle": which of these reaches the address first; "hospital": which of these is reached first
    from the address. address: id of a street section. places: name -> section id; empty takes the city's own
    ambulance stations, or hospitals."""

    address: Edge
    first: Literal["vehicle", "hospital"] = "vehicle"
    places: Annotated[dict[str, str], Meta(max_length=200)] = {}
    speed_factor: Annotated[float, Meta(ge=0.5, le=2.0)] = 1.5


class DispatchChoice(Struct, frozen=True):
    """time_s: expected, in a corridor; sd_s: its standard deviation; chance_first: that it is the first."""

    name: str
    edge: str
    time_s: float
    sd_s: float
    length_m: float
    chance_first: float
    edges: list[str] = []


class DispatchAnswer(Struct, frozen=True):
    """Soonest first. unreachable: names without a way."""

    time_s: float
    choices: list[DispatchChoice]
    unreachable: list[str] = []


def builtins(value: Struct) -> dict[str, Any]:
    """As the body of a command."""
    return {name: getattr(value, name) for name in value.__struct_fields__}
