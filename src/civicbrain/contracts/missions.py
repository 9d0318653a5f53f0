"""What is said about missions: the claim a request carries, the plan of a brain, and what people are shown.

Where two missions claim one junction at once, `goes_before` says which is served first. The guard rules by it
(`guard/claims.py`), and a brain that plans for several missions may ask it beforehand.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from civicbrain.city.missions import MissionKind
from civicbrain.core.sentences import Sentence


class Claim(msgspec.Struct, frozen=True):
    """For whom a stage is asked. mission: its id; of a bus, at the rank of transit, its trip. urgency:
    city.missions.Urgency. arrival_s: expected at the stop line, platform seconds. delay_veh_s: what serving
    it costs the others at this junction, vehicle seconds."""

    mission: str
    urgency: int
    arrival_s: float
    delay_veh_s: float = 0.0


def goes_before(first: Claim, other: Claim) -> str:
    """Why `first` is served before `other`; "" where it is not. Total: of two different missions exactly
    one goes before the other."""
    if first.urgency != other.urgency:
        return "more urgent" if first.urgency > other.urgency else ""
    # to a tenth of a vehicle second: what differs less is the same, and the order must not flicker
    costs = round(first.delay_veh_s, 1), round(other.delay_veh_s, 1)
    if costs[0] != costs[1]:
        return "as urgent, costs the network less" if costs[0] < costs[1] else ""
    if first.arrival_s != other.arrival_s:
        return "as urgent, arrives earlier" if first.arrival_s < other.arrival_s else ""
    return "as urgent, ordered by name" if first.mission < other.mission else ""


class PassageState(StrEnum):
    """Where a junction stands on a mission's way."""

    AHEAD = "ahead"  # nothing is asked yet
    OPEN = "open"  # its stage is asked for
    WAITS = "waits"  # another mission goes first
    HELD_BACK = "held-back"  # given back because the vehicle is late; asked for again after a pause
    PASSED = "passed"
    RECOVERS = "recovers"  # passed; who waited is served
    RELEASED = "released"


class Passage(msgspec.Struct, frozen=True):
    """One signal junction on the way. distance_m: of its stop line along the route. edge: the one that leads
    to it. Times are platform seconds, None where they have not come. cross_wait_veh_s: time that vehicles
    stood at other approaches while the junction was held. shown: its stage shows at this moment (known to
    the centre, not to the brain)."""

    junction: str
    distance_m: float
    state: PassageState
    edge: str = ""
    stage: str = ""
    predicted_s: float | None = None
    first_predicted_s: float | None = None
    opened_s: float | None = None
    passed_s: float | None = None
    released_s: float | None = None
    cross_wait_veh_s: float = 0.0
    reason: str = ""
    shown: bool = False


class MissionPlan(msgspec.Struct, frozen=True):
    """A mission as its brain sees it at time_s. eta_s: predicted arrival, None while there is no route;
    eta_margin_s: nine of ten arrivals are no farther from it. eta_without_s: the same without any priority,
    reckoned at the start; won_s: by how much eta_s is before it, mean of the last half minute. state: see
    city.missions.TrackState. replanned: how often the route changed."""

    mission: str
    brain: str
    time_s: float
    state: str
    edges: tuple[str, ...] = ()
    length_m: float = 0.0
    progress_m: float = 0.0
    eta_s: float | None = None
    eta_margin_s: float | None = None
    eta_without_s: float | None = None
    replanned: int = 0
    passages: tuple[Passage, ...] = ()
    note: str = ""
    won_s: float | None = None
    said: Sentence | None = None  # the note, for people of other languages

    @property
    def cross_wait_veh_s(self) -> float:
        return sum(passage.cross_wait_veh_s for passage in self.passages)


class MissionBrief(msgspec.Struct, frozen=True, kw_only=True):
    """A mission in a list and on the map. state: how its vehicle is known, or "ended" with its `end`
    ("arrived", "cancelled", or in words) at ended_s. Times are platform seconds; fix_s: of the newest
    position that was believed. heading_deg: 0 north, clockwise. eta_margin_s: nine of ten
    arrivals are no farther from eta_s. won_s: the estimate without priority less when it came; while it is
    under way, less when it is expected, mean of the last half minute. next_junction: the first ahead."""

    id: str
    vehicle: str
    kind: MissionKind
    urgency: int
    from_edge: str
    to_edge: str
    created_s: float
    state: Literal["expected", "tracked", "lost", "ended"]
    end: str = ""
    ended_s: float | None = None
    x_m: float | None = None
    y_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    fix_s: float | None = None
    length_m: float = 0.0
    progress_m: float = 0.0
    eta_s: float | None = None
    eta_margin_s: float | None = None
    eta_without_s: float | None = None
    won_s: float | None = None
    cross_wait_veh_s: float = 0.0
    replanned: int = 0
    next_junction: str = ""


class MissionView(MissionBrief, frozen=True, kw_only=True):
    """All that people are shown of a mission. edges: its route. refused: positions, by reason. ordered_by,
    reason, cancelled_by, cancel_reason: as they stand in the ledger."""

    edges: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()
    refused: dict[str, int] = {}
    note: str = ""
    said: Sentence | None = None  # the note as a sentence
    ordered_by: str = ""
    reason: str = ""
    cancelled_by: str = ""
    cancel_reason: str = ""


class MissionMade(msgspec.Struct, frozen=True):
    """An order's answer. key: what the vehicle's positions must carry; told this once."""

    mission: MissionView
    key: str


class MissionClosed(msgspec.Struct, frozen=True):
    """The mission is over; its corridor is given back with the next decision."""

    mission: str
    state: str


class PositionTaken(msgspec.Struct, frozen=True):
    """It is in line; whether it is believed shows in the mission (`state`, `refused`)."""

    mission: str
    time_s: float


class DispatchChoice(msgspec.Struct, frozen=True):
    """time_s: expected, in a corridor; margin_s: nine of ten take no more or less than that from it;
    chance_first: that it is the first."""

    name: str
    edge: str
    time_s: float
    margin_s: float
    length_m: float
    chance_first: float
    edges: tuple[str, ...] = ()


class DispatchAnswer(msgspec.Struct, frozen=True):
    """Soonest first. unreachable: names without a way."""

    time_s: float
    choices: tuple[DispatchChoice, ...]
    unreachable: tuple[str, ...] = ()
