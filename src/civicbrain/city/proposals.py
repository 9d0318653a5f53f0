"""What could be done about an incident, as a person is shown it: tried first, with the effect that it had.

A proposal never acts by itself: somebody decides, and who decides does it by signs, plans or police.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from civicbrain.city.whatif import Change, Closure


class ProposalKind(StrEnum):
    """What is done."""

    DETOUR = "detour"  # drivers are told to go another way
    GATING = "gating"  # feeders let fewer in


class Effect(msgspec.Struct, frozen=True):
    """Difference that a proposal made in the what-if, with less and most of its 95 % band (None where there
    was one pair of runs)."""

    mean: float
    low: float | None = None
    high: float | None = None


class Proposal(msgspec.Struct, frozen=True):
    """One measure. change: what was tried, the closure itself included.

    A detour: leave_edge is where drivers leave their way and back_edge where they come back to it, way_edges
    from the one to the other, extra_s what it takes longer at the travel times of now, share of the drivers
    that took it. Gating: held_junctions get the plans that stand in `change`. time_spent_veh_h, mean_delay_s:
    against doing nothing; below 0 is better. advisable: better beyond its band.
    """

    kind: ProposalKind
    change: Change
    time_spent_veh_h: Effect
    mean_delay_s: Effect
    advisable: bool
    leave_edge: str = ""
    back_edge: str = ""
    way_edges: tuple[str, ...] = ()
    extra_s: float = 0.0
    share: float = 0.0
    held_junctions: tuple[str, ...] = ()


class Proposals(msgspec.Struct, frozen=True):
    """What was tried about one closure, best first. incident: its id, "" where there is none. users:
    vehicles on the street that had the edge ahead. model, pairs: as in a what-if's answer."""

    incident: str
    closure: Closure
    minutes: float
    model: str
    pairs: int
    users: int
    proposals: tuple[Proposal, ...]
    notes: tuple[str, ...] = ()
