"""What is said about missions: the claim a request carries, and the plan that people follow.

Where two missions claim one junction at once, `goes_before` says which is served first. The guard rules by it
(`guard/claims.py`), and a brain that plans for several missions may ask it beforehand.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Claim(msgspec.Struct, frozen=True):
    """For whom a stage is asked. urgency: city.missions.Urgency. arrival_s: expected at the stop line,
    platform seconds. delay_veh_s: what serving it costs the others at this junction, vehicle seconds."""

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
    """One signal junction on the way. distance_m: of its stop line along the route. edge:
    the one that leads to it. Times are platform
    seconds, None where they have not come. cross_wait_veh_s: time that vehicles stood at other approaches
    while the junction was held."""

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


class MissionPlan(msgspec.Struct, frozen=True):
    """A mission as its brain sees it at time_s. eta_s: predicted arrival, with its standard deviation; None
    while there is no route. eta_without_s: the same without any priority, reckoned at the start, so that the
    time won can be shown. state: see city.missions.TrackState. replanned: how often the route changed."""

    mission: str
    brain: str
    time_s: float
    state: str
    edges: tuple[str, ...] = ()
    length_m: float = 0.0
    progress_m: float = 0.0
    eta_s: float | None = None
    eta_sd_s: float | None = None
    eta_without_s: float | None = None
    replanned: int = 0
    passages: tuple[Passage, ...] = ()
    note: str = ""

    @property
    def cross_wait_veh_s(self) -> float:
        return sum(passage.cross_wait_veh_s for passage in self.passages)
