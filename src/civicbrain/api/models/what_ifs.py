"""What the API says and takes about what-ifs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from civicbrain.city.proposals import Proposals
from civicbrain.city.whatif import Change, Closure, Detour, EventDemand, PlanSetting, Question, TrafficModel
from civicbrain.evaluate.whatif.records import Band, WhatIfAnswer
from civicbrain.evaluate.whatif.said import Asked

Edge = Annotated[str, Meta(min_length=1, max_length=200, description="id of a street section")]
Lanes = Annotated[
    list[Annotated[int, Meta(ge=0, le=63)]], Meta(max_length=16, description="indexes from the right; [] all")
]
ControlName = Annotated[str, Meta(max_length=64, pattern=r"^([a-z][a-z0-9_-]*)?$")]
Minutes = Annotated[float, Meta(ge=1, le=60)]
Words = Annotated[str, Meta(max_length=120, pattern=r"^[^\u0000-\u001f\u007f]*$")]
Seeds = Annotated[int, Meta(ge=1, le=20)]


class ClosureAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A street section, or some of its lanes, closed for the whole horizon."""

    edge: Edge
    lanes: Lanes = []


class PlanAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A fixed plan for one junction: seconds of each step of its local plan, and its offset, which counts
    modulo the cycle. The junction follows it as an operator's: no brain decides there meanwhile."""

    junction: Annotated[str, Meta(min_length=1, max_length=200)]
    durations_s: Annotated[list[Annotated[float, Meta(ge=1, le=3600)]], Meta(min_length=1, max_length=64)]
    offset_s: Annotated[float, Meta(ge=-3600, le=3600)] = 0.0


class DetourAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """This share of the drivers with the section still ahead takes the quickest way without it."""

    edge: Edge
    share: Annotated[float, Meta(ge=0, le=1)]


class EventAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """Cars from the start of one section to the end of another, evenly spread."""

    from_edge: Edge
    to_edge: Edge
    veh_per_h: Annotated[float, Meta(ge=1, le=5000)]


class ChangeAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """What is other than it is. control: "" for the one that the city has."""

    closures: Annotated[list[ClosureAsked], Meta(max_length=50)] = []
    control: ControlName = ""
    plans: Annotated[list[PlanAsked], Meta(max_length=50)] = []
    demand_factor: Annotated[float, Meta(ge=0.1, le=3)] = 1.0
    detours: Annotated[list[DetourAsked], Meta(max_length=50)] = []
    events: Annotated[list[EventAsked], Meta(max_length=20)] = []


class WhatIfAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A what-if: `change` against `against` (by default nothing changed), from now. seeds: pairs of runs;
    bands need two. model: auto takes the microscopic one where that is quick enough. moment: a name out of
    /v1/moments, to begin in the past. case: number of a case that it is linked to."""

    change: ChangeAsked
    against: ChangeAsked | None = None
    minutes: Minutes = 15.0
    seeds: Seeds = 3
    model: Literal["auto", "micro", "meso"] = "auto"
    moment: Annotated[str, Meta(max_length=20, pattern=r"^(r[0-9]{4,6}-t[0-9]{7,9})?$")] = ""
    title: Words = ""
    case: Annotated[str, Meta(max_length=60, pattern=r"^[A-Za-z0-9_.:-]*$")] = ""

    def question(self) -> Question:
        against = _change(self.against) if self.against is not None else Change()
        model = TrafficModel(self.model)
        return Question(_change(self.change), against, self.minutes, self.seeds, model, self.moment)


class JobView(Struct, frozen=True):
    """What is said of every job. state: "queued" | "running" | "done" | "failed" | "cancelled". progress: 0
    to 1. asked_at: RFC 3339. by: who asked. elapsed_s: since it runs, null where it does not; left_s: about
    how long it takes yet, by the parts that are done, null before the first."""

    id: str
    state: str
    asked_at: str
    progress: float
    by: str
    error: str
    elapsed_s: float | None
    left_s: float | None


class WhatIfHead(JobView, frozen=True):
    """What was asked. case: number of the case that it is linked to."""

    question: Question
    title: str
    case: str


class WhatIfView(WhatIfHead, frozen=True):
    """answer: of the pairs that are through, null before the first; it grows until the state is "done"."""

    answer: WhatIfAnswer | None = None


class WhatIfBrief(WhatIfHead, frozen=True):
    """The difference in mean delay (s a vehicle) and in time spent (veh·h) for an answer; null before the
    first pair."""

    from_s: float | None = None
    mean_delay: Band | None = None
    time_spent: Band | None = None


class Decision(Struct, frozen=True):
    """Who decided what about a proposal, when (RFC 3339) and why. It stands in the ledger, too."""

    index: int
    accepted: bool
    reason: str
    by: str
    at: str


class ProposalsAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """What could be done about a closure: detours and gating, tried for so many minutes from now. incident:
    the id of the one that it belongs to, "" where there is none."""

    closure: ClosureAsked
    incident: Annotated[str, Meta(max_length=200, pattern=r"^[^\u0000-\u001f\u007f]*$")] = ""
    minutes: Minutes = 15.0
    seeds: Seeds = 2
    model: Literal["auto", "micro", "meso"] = "auto"

    def asked(self) -> Asked:
        closure = Closure(self.closure.edge, tuple(self.closure.lanes))
        return Asked(closure, self.incident, self.minutes, self.seeds, TrafficModel(self.model))


class ProposalsHead(JobView, frozen=True):
    """What was asked."""

    closure: Closure
    incident: str


class ProposalsView(ProposalsHead, frozen=True):
    """found: null until all is tried. decisions: oldest first."""

    found: Proposals | None = None
    decisions: tuple[Decision, ...] = ()


class ProposalsBrief(ProposalsHead, frozen=True):
    """advisable: how many are better beyond their band."""

    advisable: int = 0
    decided: int = 0


class SignText(Struct, frozen=True):
    """texts: language (en, ko, zh) -> text, lines parted by a line feed. severity: as in DATEX II."""

    incident: str
    kind: str
    severity: str
    street: str
    edge: str
    texts: dict[str, str]


class MomentView(Struct, frozen=True):
    """A kept moment of the running city. run: how often its window had begun anew. time_s: platform
    second."""

    name: str
    run: int
    time_s: float


class DecisionAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """Take up or turn down one of the proposals (`index` from 0)."""

    index: Annotated[int, Meta(ge=0, le=99)]
    accepted: bool
    reason: Annotated[str, Meta(min_length=3, max_length=200, pattern=r"^[^\u0000-\u001f\u007f]*$")]


def _change(asked: ChangeAsked) -> Change:
    return Change(
        tuple(Closure(one.edge, tuple(one.lanes)) for one in asked.closures),
        asked.control,
        tuple(PlanSetting(one.junction, tuple(one.durations_s), one.offset_s) for one in asked.plans),
        asked.demand_factor,
        tuple(Detour(one.edge, one.share) for one in asked.detours),
        tuple(EventDemand(one.from_edge, one.to_edge, one.veh_per_h) for one in asked.events),
    )


def examples(edges: tuple[str, ...]) -> dict[str, list[Any]]:
    """Struct name -> examples for the document, in terms of this city's sections."""
    change = ChangeAsked(closures=[ClosureAsked(edges[len(edges) // 2])])
    proposals = ProposalsAsked(change.closures[0], minutes=1.0, seeds=1)
    return {
        "WhatIfAsked": [msgspec.to_builtins(WhatIfAsked(change, minutes=1.0, seeds=1))],
        "ProposalsAsked": [msgspec.to_builtins(proposals)],
    }
