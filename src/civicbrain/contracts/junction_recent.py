"""The last minutes of one junction, as the brain process tells the API (`runtime/recent.py`)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from civicbrain.contracts.overrides import HeldFor, Holder, Override


class Stretch(msgspec.Struct, frozen=True):
    """What stayed as it was: a lamp character, a stage's id ("" between stages), or a mode's name."""

    from_s: float
    until_s: float
    value: str


class GroupStretches(msgspec.Struct, frozen=True):
    group: str
    lamps: list[Stretch]


class ApproachFigures(msgspec.Struct, frozen=True):
    """An approach over the steps of `JunctionRecent.steps_s`; None in a step in which no camera saw it.

    queue_veh: largest queue of the step. arrived_veh: vehicles that came into view, served_veh: that passed
    the stop line, both of that step. storage_veh: what finds room on its lanes in view, 7.5 m a vehicle.
    now_veh: queue at until_s, None where no camera sees it.
    """

    approach: str
    name: str
    groups: list[str]
    storage_veh: float
    seen: bool
    queue_veh: list[float | None]
    arrived_veh: list[float | None]
    served_veh: list[float | None]
    now_veh: float | None = None


class QueuesNow(msgspec.Struct, frozen=True):
    """Lanes (rows of the city's lanes) with vehicles queued on them, and how many. silent: lanes whose camera
    has not spoken lately."""

    time_s: float
    lane: list[int]
    queue_veh: list[int]
    silent: list[int]


class PlannedBy(StrEnum):
    """Whose intention it is."""

    BRAIN = "brain"  # the schedule of a brain, or the stage that it asks for
    PLAN = "plan"  # a fixed plan that a brain asks for
    LOCAL = "local"  # the controller's own plan
    OVERRIDE = "override"
    MISSION = "mission"  # an emergency vehicle's corridor
    BUS = "bus"


class Planned(msgspec.Struct, frozen=True):
    """A stage that is meant to be shown, the transition to it included. An intention: it may change with the
    next second, and the controller's rules go before it. who: brain, operator, mission or line. A mission
    that has not been opened for yet stands at the second in which it is expected, until_s = from_s."""

    from_s: float
    until_s: float
    stage: str
    by: PlannedBy
    who: str = ""


class JunctionRecent(msgspec.Struct, frozen=True):
    """from_s..until_s: platform seconds that are kept. steps_s: starts of steps of step_s seconds. planned:
    what comes next as far as it is known, soonest first; missions that are expected last. held_for: the
    vehicle for which it is held."""

    from_s: float
    until_s: float
    step_s: float
    groups: list[GroupStretches]
    stages: list[Stretch]
    modes: list[Stretch]
    steps_s: list[float]
    approaches: list[ApproachFigures]
    holder: Holder | None = None
    override: Override | None = None
    planned: list[Planned] = []
    held_for: HeldFor | None = None
