"""An operator's word on one junction: shown a stage, held, or left to its local plan, for a while.

It travels between the brain process, which carries it out (`runtime/overrides.py`), and the API.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class OverrideAction(StrEnum):
    STAGE = "stage"  # show this stage
    HOLD = "hold"  # keep the stage that is shown, or being switched to
    LOCAL = "local"  # leave the junction to its local plan, whatever brains ask


LONGEST_S: dict[OverrideAction, float] = {
    OverrideAction.STAGE: 300.0,
    OverrideAction.HOLD: 300.0,
    OverrideAction.LOCAL: 3600.0,
}
"""How long each may last, seconds of the city's clock. A stage that is held keeps the others at red: five
minutes are more than any cycle, and who still needs it asks again. The local plan serves everybody."""

SHORTEST_S = 10.0

CLEARING_MOST_S = 60.0
"""An override's time runs from when its stage is shown; for so long at most it waits for that. Minimum
greens, a switch-over that must be finished first and pedestrian clearances take less; a controller that takes
longer does not follow."""


class Override(msgspec.Struct, frozen=True):
    """stage: id of the stage that is asked for, "" for the local plan. accepted: the controller follows;
    else `note` says what it waits for. shown_s: when that stage stood in full for the first time; it stays
    for duration_s from then on. Until then (None) the junction is being cleared for it, and expires_s, which
    is the end were it shown now, moves on with the clock. Of the local plan the time runs at once. Platform
    seconds."""

    junction: str
    action: OverrideAction
    stage: str
    actor: str
    reason: str
    since_s: float
    expires_s: float
    accepted: bool = False
    note: str = ""
    duration_s: float = 0.0
    shown_s: float | None = None


class Holder(msgspec.Struct, frozen=True):
    """Who holds a junction at the guard: `brain` is a brain's name, or "operator". what: the stage asked for,
    or "plan". mission, trip: the mission, or the bus's trip, for which it is held, "" for none."""

    brain: str
    priority: int
    what: str
    since_s: float
    expires_s: float
    mission: str = ""
    trip: str = ""


class HeldFor(msgspec.Struct, frozen=True):
    """The vehicle for which a junction is held. id: its mission, or its trip. kind: of the mission's vehicle,
    or "bus". name: its call sign; of a bus its line. to_edge: where a mission drives to. stage: what it
    needs. until_s: platform second in which it is expected at the stop line; None: through, or not known."""

    id: str
    kind: str
    name: str = ""
    to_edge: str = ""
    stage: str = ""
    until_s: float | None = None
