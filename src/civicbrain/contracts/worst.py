"""Where the city does worst and why, as the brain process tells the API (`runtime/worst.py`)."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class CauseKind(StrEnum):
    """In the order in which they are told: what explains most comes first."""

    INCIDENT = "incident"  # something lies, stands or fails here
    OVERRIDE = "override"  # an operator holds the junction
    CAMERA_SILENT = "camera-silent"  # an approach that is not seen is not served by its demand
    SPILL_BACK = "spill-back"  # the road behind the junction is full: green does not help
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
    SWITCH_BRAIN_ON = "switch-brain-on"
    FOLLOW_MISSION = "follow-mission"
    TRY_WHAT_IF = "try-what-if"
    SHOW_STAGE = "show-stage"
    LOOK_AT_JUNCTION = "look-at-junction"


class Cause(msgspec.Struct, frozen=True):
    """says: one English sentence. figures: the numbers in it, by name. about: the approach's edge, the
    junction behind, the incident, the mission or the operator it speaks of, "" for none. stage: that would
    serve it. name: street of the approach."""

    kind: CauseKind
    remedy: Remedy
    says: str
    figures: dict[str, float] = {}
    about: str = ""
    stage: str = ""
    name: str = ""


class WorstPlace(msgspec.Struct, frozen=True):
    """standing_veh: mean queue there over the last two minutes, which is also the vehicle-seconds lost in
    each second; queue_veh: the queue now. fullest: the fullest approach, and its queue over what finds
    room."""

    junction: str
    standing_veh: float
    queue_veh: float
    delay_s: float | None
    fullest: str
    fullest_share: float
    causes: tuple[Cause, ...]
