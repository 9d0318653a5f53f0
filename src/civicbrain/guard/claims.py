"""Crossing missions: who is served first at a junction that two missions claim with the same rank.

    same-stage          both want the same stage: both are served
    crossing-missions   the more urgent mission goes first, and takes over from one less urgent.
                        As urgent: the one whose way costs the network less (vehicle seconds, the wait of the
                        other mission included), then who arrives earlier. Who holds the junction already
                        loses it to one as urgent only if that saves `TAKE_OVER_VEH_S`

Ranks come before: operator > emergency > transit > signals. The loser is refused with both claims in the
reason, and asks again each second.
"""

from __future__ import annotations

import math

from civicbrain.contracts.missions import Claim, goes_before

RULE = "crossing-missions"

TAKE_OVER_VEH_S = 5.0
"""A change of mind costs a switch-over, some 5 s in which nobody goes."""

MAX_URGENCY = 10


def is_sound(claim: object, longest: int) -> bool:
    """A claim that can be ruled on. longest: characters of the mission's name."""
    if not isinstance(claim, Claim):
        return False
    numbers = (claim.arrival_s, claim.delay_veh_s)
    return (
        type(claim.mission) is str
        and 0 < len(claim.mission) <= longest
        and isinstance(claim.urgency, int)
        and 0 <= claim.urgency <= MAX_URGENCY
        and all(type(number) in (int, float) and math.isfinite(number) for number in numbers)
    )


def order_key(claim: Claim | None) -> tuple[float, float, float, str]:
    """Sorts claims of one rank: who is heard first. No claim comes last."""
    if claim is None:
        return (math.inf, 0.0, 0.0, "")
    return (-claim.urgency, round(claim.delay_veh_s, 1), claim.arrival_s, claim.mission)


def settle(asks: Claim, holds: Claim) -> tuple[bool, str]:
    """(whether who asks takes the junction over from who holds it, why)."""
    why = goes_before(asks, holds)
    if asks.urgency == holds.urgency and holds.delay_veh_s - asks.delay_veh_s < TAKE_OVER_VEH_S:
        why = ""
    if why:
        return True, f"{_say(asks)} goes before {_say(holds)}: {why}"
    return False, f"{_say(asks)} waits for {_say(holds)}: {goes_before(holds, asks) or 'holds it already'}"


def _say(claim: Claim) -> str:
    return (
        f"{claim.mission} (urgency {claim.urgency}, due {claim.arrival_s:.0f} s, "
        f"{claim.delay_veh_s:.0f} veh s)"
    )
