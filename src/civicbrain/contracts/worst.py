"""Where the city does worst and why, as the brain process tells the API (`runtime/worst.py`)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from civicbrain.contracts.overrides import HeldFor


class CauseKind(StrEnum):
    """In the order in which they are told: what explains most comes first."""

    INCIDENT = "incident"  # something lies, stands or fails here
    OVERRIDE = "override"  # an operator holds the junction
    CAMERA_SILENT = "camera-silent"  # an approach that is not seen is not served by its demand
    SPILL_BACK = "spill-back"  # the road ahead of it spills back: green does not help
    LOCAL_MODE = "local-mode"  # the junction does not follow the brain
    PRIORITY = "priority"  # held for an emergency vehicle or a bus
    DEMAND = "demand"  # a queue that has grown over the last minutes and no longer clears
    FULL_APPROACH = "full-approach"  # the queue fills the view of its camera
    UNEVEN = "uneven"  # one approach waits while the others are nearly empty
    UNKNOWN = "unknown"


class Remedy(StrEnum):
    """What can be done about it; the control room leads there."""

    OPEN_INCIDENT = "open-incident"
    GIVE_BACK = "give-back"
    LOOK_AT_CAMERA = "look-at-camera"
    LOOK_DOWNSTREAM = "look-downstream"
    REQUEST_DRAIN = "request-drain"  # the stage of `Cause.drain`, at its junction
    SWITCH_BRAIN_ON = "switch-brain-on"
    FOLLOW_MISSION = "follow-mission"
    TRY_WHAT_IF = "try-what-if"
    SHOW_STAGE = "show-stage"
    SEE_REASONS = "see-reasons"  # the brain has the stage in hand, or knows better
    LOOK_AT_JUNCTION = "look-at-junction"


class StageState(StrEnum):
    """What the brain has in mind with the stage that a cause names."""

    UNKNOWN = ""  # it does not say
    SHOWN = "shown"
    NEXT = "next"  # it comes next, at figures["from_s"] where the brain says when
    COSTS_MORE = "costs-more"  # than the brain's choice: figures["more_veh_s"]
    OTHER = "other"  # the brain has chosen another, and does not say what this one would cost
    LEFT_OUT = "left-out"  # every stage that serves it: none is named


class DrainKind(StrEnum):
    """What helps a full road, in the order in which it is looked for."""

    EMPTY = "empty"  # a stage of the junction ahead lets those out who stand on it
    BEYOND = "beyond"  # their own exits are full: a stage further on empties the road that shuts them in
    HOLD_BACK = "hold-back"  # none has room: a stage of this junction sends nobody more into it
    HELD = "held"  # whoever holds the junction ahead goes first
    NONE = "none"  # no stage is known to help


class Drain(msgspec.Struct, frozen=True):
    """What can be done about a full road. junction, stage: where and which, stage "" for none. road,
    road_name: edge of the road that the stage empties, or of that which it spares, and its street. serves:
    share of those who stand on it that the stage lets out into roads with room; shut: the junction that ends
    the full road for which the others have to wait, "" for none; feeds: the junction that ends another full
    road into which the stage lets vehicles, "" for none. feeder, feeder_name: the approach that is
    held back, where one is. held_by: who holds the junction. stage_state, chosen, from_s, more_veh_s: as in
    `Cause`."""

    kind: DrainKind
    junction: str = ""
    stage: str = ""
    road: str = ""
    road_name: str = ""
    serves: float = 0.0
    shut: str = ""
    feeds: str = ""
    feeder: str = ""
    feeder_name: str = ""
    held_by: str = ""
    stage_state: StageState = StageState.UNKNOWN
    chosen: str = ""
    from_s: float | None = None
    more_veh_s: float | None = None


class Cause(msgspec.Struct, frozen=True):
    """says: one English sentence. figures: the numbers in it, by name; `from_s` is a platform second. about:
    the approach's edge, the junction ahead, the incident, the mission, the trip or the operator it speaks of,
    "" for none. stage: that would serve it, stage_state: what the brain has in mind with it, chosen: what the
    brain chooses instead. name: street of the approach. road, road_name: edge of the road ahead that is full,
    and its street; approach: edge of who is held back by it, "" for all; drain: what helps it."""

    kind: CauseKind
    remedy: Remedy
    says: str
    figures: dict[str, float] = {}
    about: str = ""
    stage: str = ""
    name: str = ""
    stage_state: StageState = StageState.UNKNOWN
    chosen: str = ""
    road: str = ""
    road_name: str = ""
    approach: str = ""
    drain: Drain | None = None


class FullRoad(msgspec.Struct, frozen=True):
    """A road that spills back. junction: a signal junction that it leads away from; cause: as the worst
    places tell it, with what helps."""

    junction: str
    cause: Cause


class WorstPlace(msgspec.Struct, frozen=True):
    """standing_veh: mean queue there over the last two minutes, which is also the vehicle-seconds lost in
    each second; queue_veh: the queue now. fullest: the fullest approach, and its queue over what finds
    room. held_for: the vehicle for which the junction is held now."""

    junction: str
    standing_veh: float
    queue_veh: float
    delay_s: float | None
    fullest: str
    fullest_share: float
    causes: tuple[Cause, ...]
    held_for: HeldFor | None = None
