"""What the API says of and takes for single junctions: their last minutes, plan on the ground, overrides."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from civicbrain.city.signals import GroupKind
from civicbrain.contracts.junction_recent import JunctionRecent, QueuesNow
from civicbrain.contracts.overrides import LONGEST_S, SHORTEST_S, Override, OverrideAction
from civicbrain.contracts.worst import FullRoad, WorstPlace

__all__ = [
    "FullRoad", "GroundPlan", "JunctionRecent", "Override", "OverrideEnd", "OverrideLimits", "OverrideOrder",
    "OverridesView", "QueuesNow", "VitalSign", "VitalSigns", "WorstPlace",
]  # fmt: skip

Why = Annotated[
    str,
    Meta(
        min_length=1, max_length=500,
        pattern=r"^[^\u0000-\u001f\u007f]*[^\u0000-\u0020\u007f][^\u0000-\u001f\u007f]*$",
        description="why; stands in the ledger (not blank, no control characters)",
    ),
]  # fmt: skip


class OverrideOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """Take a junction over for a while. stage: which one, for the action `stage` only. duration_s: seconds of
    the city's clock after which it ends by itself; the longest depends on the action."""

    action: OverrideAction
    duration_s: Annotated[float, Meta(ge=SHORTEST_S, le=max(LONGEST_S.values()))]
    reason: Why
    stage: Annotated[str, Meta(max_length=200)] = ""


class OverrideEnd(Struct, frozen=True):
    """The override that was ended before its time."""

    junction: str
    ended: Override


class OverrideLimits(Struct, frozen=True):
    """Seconds that an override may last, by action."""

    shortest_s: float
    stage_s: float
    hold_s: float
    local_s: float


class OverridesView(Struct, frozen=True):
    """In force, oldest first, and how long one may last."""

    overrides: list[Override]
    limits: OverrideLimits


class PlanLane(Struct, frozen=True):
    """points: [x, y, x, y, …] in metres, in driving direction. role: approach and exit touch the junction,
    view is an upstream lane that its camera sees. seen: a camera looks at it."""

    id: str
    edge: str
    name: str
    width_m: float
    use: int
    points: list[float]
    role: Literal["approach", "exit", "view"]
    seen: bool


class PlanMovement(Struct, frozen=True):
    """from_lane, to_lane: rows of `lanes`. group: row of the junction's groups, or -1. turn: s, l, r, t."""

    from_lane: int
    to_lane: int
    group: int
    turn: str


class PlanCrossing(Struct, frozen=True):
    """Where pedestrians cross: before the stop line of `approach`, "" where the network does not tell."""

    group: int
    approach: str
    length_m: float


class GroundPlan(Struct, frozen=True):
    """A junction as it lies on the ground; does not change while the process runs. view_m: how far its
    cameras see along the road."""

    id: str
    x_m: float
    y_m: float
    view_m: float
    lanes: list[PlanLane]
    movements: list[PlanMovement]
    crossings: list[PlanCrossing]
    kinds: list[GroupKind]


class CameraViews(Struct, frozen=True):
    """What cameras see: lanes (rows of the city's lanes) from their end back by so many metres. unseen: lanes
    that lead into a signal junction and that no camera sees. Does not change while the process runs."""

    range_m: float
    lane: list[int]
    reach_m: list[float]
    unseen: list[int]


class VitalSign(Struct, frozen=True):
    """value: now; fixed: in the fixed plan at the same minute; usual: median of the same quarter hour on
    usual_days earlier days of that weekday. null: not known, and the note says why ("" where it is known):
    computing, no-minute, no-meaning (under the fixed plan no brain runs, every junction runs its
    plan, the twin's sensors do not fail and nobody reports), asking, no-history, no-days. span_s: that a
    figure over a window is of, while the window is not full yet; null: all of it, or a figure of now."""

    id: Literal[
        "delay", "throughput", "vehicles", "spill-backs", "incidents", "silent-cameras", "local-controllers",
        "brains",
    ]  # fmt: skip
    unit: str
    good_when: Literal["lower", "higher"]
    value: float | None
    of: float | None
    fixed: float | None
    fixed_note: str
    usual: float | None
    usual_days: int
    usual_note: str
    state: Literal["ok", "watch", "bad", "unknown"]
    span_s: float | None = None


class VitalSigns(Struct, frozen=True):
    """The strip. age_s: wall seconds since the brain process spoke; stale: it should have by now."""

    time_s: float
    age_s: float
    stale: bool
    signs: list[VitalSign]
