"""Signals as they are on the street: groups, conflicts, stages, intergreens, minimum greens, local plan.

One `SignalJunction` is one controller. Inside a junction a *group* is numbered 0..g-1, a *stage* and a
controller *link* likewise. `SignalIndex` numbers the groups of the whole city in one row space, so that
lamp states of all junctions stand in one array.

Lamp characters follow SUMO: 'G' green with right of way, 'g' green that yields, 'y' yellow, 'r' red,
's' red with permitted right turn after a stop, 'o'/'O' dark or blinking.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from civicbrain.core.errors import NotFoundError


class GroupKind(StrEnum):
    VEHICLE = "vehicle"
    TRANSIT = "transit"
    BICYCLE = "bicycle"
    PEDESTRIAN = "pedestrian"


class Conflict(IntEnum):
    """Relation of two groups."""

    NONE = 0  # may be green together
    PERMITTED = 1  # may be green together only while one of them shows 'g' and yields
    PROHIBITED = 2  # never green together


class Capability(StrEnum):
    """What a controller accepts from the centre."""

    STAGE = "stage"  # a stage request each second
    PLAN = "plan"  # only plan changes


class ControllerMode(IntEnum):
    """States that are shown, with who set them."""

    STARTUP = 0  # all red, leads into LOCAL
    LOCAL = 1  # local plan
    CENTRAL = 2  # follows stage requests of the centre
    MANUAL = 3  # operator holds a stage
    FORCED = 4  # forced by priority
    FLASHING = 5
    PROGRAM = 6  # SUMO runs the program itself (fixed, actuated, delay-based)


OWN_PLAN = (ControllerMode.LOCAL, ControllerMode.STARTUP, ControllerMode.FLASHING)
"""In these a controller follows nobody."""


def mode_name(value: int) -> str:
    """Of a ControllerMode as it is said outside: lower case; empty for a number that is none."""
    try:
        return ControllerMode(value).name.lower()
    except ValueError:
        return ""


class SignalGroup(msgspec.Struct, frozen=True):
    """Lamps that always show the same. links: controller link indices."""

    id: str
    kind: GroupKind
    links: tuple[int, ...]
    yellow_s: float
    min_green_s: float
    crossing_m: float = 0.0  # length of a pedestrian crossing, 0 for vehicles
    approach: str = ""  # edge id(s) it serves, for people


class Stage(msgspec.Struct, frozen=True):
    """A set of compatible groups shown green together. lamps: one of 'G', 'g', 'r', 's' a group.

    derived: not in the city's plan. extra: derived, and not needed to serve every movement either: a fuller
    use of what is compatible, offered to the centre. Extra stages stand after all others.
    """

    id: str
    lamps: str
    derived: bool = False
    extra: bool = False

    @property
    def origin(self) -> str:
        """'plan', 'derived' or 'extra', for people."""
        return "extra" if self.extra else "derived" if self.derived else "plan"


class PlanStep(msgspec.Struct, frozen=True):
    """green_s counts from the start of the stage's switch-over to the next one's (transition included)."""

    stage: int
    duration_s: float


class SignalPlan(msgspec.Struct, frozen=True):
    """A fixed plan. The step at time t is found from (t - offset_s) mod cycle_s."""

    id: str
    steps: tuple[PlanStep, ...]
    offset_s: float = 0.0

    @property
    def cycle_s(self) -> float:
        return sum(step.duration_s for step in self.steps)


class SignalJunction(msgspec.Struct, frozen=True, dict=True):
    """Everything a controller knows. Matrices are (g, g) nested tuples, [ending group][starting group].

    conflict: Conflict values (symmetric). intergreen_s: seconds from the end of green of the row group
    to the start of green of the column group (yellow included), 0 where they do not conflict.
    request_every_s, request_phase_s: the stage changes only in seconds t of the platform in which
    t - request_phase_s is a multiple of request_every_s, to what is asked for then (whole seconds).
    """

    id: str
    name: str
    x_m: float
    y_m: float
    node_ids: tuple[str, ...]
    link_count: int
    groups: tuple[SignalGroup, ...]
    conflict: tuple[tuple[int, ...], ...]
    intergreen_s: tuple[tuple[float, ...], ...]
    stages: tuple[Stage, ...]
    local_plan: SignalPlan
    capability: Capability = Capability.STAGE
    request_every_s: float = 1.0
    request_phase_s: float = 0.0
    intergreen_source: str = ""  # how the intergreens came about, for people
    warnings: tuple[str, ...] = ()

    @cached_property
    def conflict_array(self) -> NDArray[np.int8]:
        return np.asarray(self.conflict, dtype=np.int8).reshape(len(self.groups), len(self.groups))

    @cached_property
    def intergreen_array_s(self) -> NDArray[np.float64]:
        return np.asarray(self.intergreen_s, dtype=np.float64).reshape(len(self.groups), len(self.groups))

    @cached_property
    def group_of_link(self) -> NDArray[np.int32]:
        """(link_count,) group row of each controller link, -1 for unused ones."""
        result = np.full(self.link_count, -1, dtype=np.int32)
        for row, group in enumerate(self.groups):
            result[list(group.links)] = row
        return result

    def deaf_s(self, now_s: float) -> float:
        """Seconds until the controller takes a stage request; 0 now, and always where it takes one each
        second."""
        every_s = self.request_every_s
        if every_s <= 1.0:
            return 0.0
        passed_s = (now_s - self.request_phase_s) % every_s
        return 0.0 if min(passed_s, every_s - passed_s) < 1e-6 else every_s - passed_s

    def get_stage(self, stage_id: str) -> int:
        """Row of a stage; raises NotFoundError."""
        for row, stage in enumerate(self.stages):
            if stage.id == stage_id:
                return row
        raise NotFoundError(
            f"junction {self.id!r} has no stage {stage_id!r}",
            remedy="its stages are " + ", ".join(stage.id for stage in self.stages),
        )


class SignalIndex:
    """City-wide rows. junctions: row of each junction id. group_start: (j + 1,) groups of junction i are
    city-wide rows group_start[i]:group_start[i + 1]."""

    def __init__(self, junctions: tuple[SignalJunction, ...]) -> None:
        self.junctions = junctions
        self.row = {junction.id: row for row, junction in enumerate(junctions)}
        counts = [len(junction.groups) for junction in junctions]
        self.group_start: NDArray[np.int32] = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)

    @property
    def group_count(self) -> int:
        return int(self.group_start[-1])

    def get_junction(self, junction_id: str) -> SignalJunction:
        """The junction of that id; raises NotFoundError."""
        row = self.row.get(junction_id)
        if row is None:
            raise NotFoundError(
                f"no junction {junction_id!r}", remedy="list them with `civicbrain city show CITY`"
            )
        return self.junctions[row]
