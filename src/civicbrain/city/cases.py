"""Cases: an incident as people work on it, from the first word to the closed file.

A case has one place, any number of incidents (what sensors say) and of reports (what people say), a
procedure with steps and deadlines, and a history in which every change stands with who made it.

    reception ─► triage ─► assignment ─► on_scene ─► clearing ─► closed
                   ▲ ◄───────┘  ▲ ◄────────┘  ▲ ◄───────┘          │
                   └─────────────────── reopened ◄─────────────────┘

A case may be closed from every state, with its outcome. Times of people are aware UTC, of the wall clock:
they work by it, even where a twin runs faster. What the street does or is expected to do is told in platform
seconds (the city's clock): `CaseFile.clears_s`, `EffectWord.since_s`, and all of `Incident`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec

from civicbrain.city.incidents import IncidentKind, Place, ReporterKind
from civicbrain.core.sentences import Sentence


class CaseState(StrEnum):
    """Where a case stands, as operation centres have it: reception, assignment, supervision, handling."""

    RECEPTION = "reception"  # somebody or something has said it; nobody has looked
    TRIAGE = "triage"  # it is looked at: is it real, how bad, who must go
    ASSIGNMENT = "assignment"  # somebody was told to go
    ON_SCENE = "on_scene"  # they are there
    CLEARING = "clearing"  # the road is being given back
    CLOSED = "closed"


_S = CaseState
MOVES: Mapping[CaseState, frozenset[CaseState]] = MappingProxyType(
    {
        _S.RECEPTION: frozenset({_S.TRIAGE, _S.CLOSED}),
        _S.TRIAGE: frozenset({_S.ASSIGNMENT, _S.CLOSED}),
        _S.ASSIGNMENT: frozenset({_S.ON_SCENE, _S.TRIAGE, _S.CLOSED}),
        _S.ON_SCENE: frozenset({_S.CLEARING, _S.ASSIGNMENT, _S.CLOSED}),
        _S.CLEARING: frozenset({_S.CLOSED, _S.ON_SCENE}),
        _S.CLOSED: frozenset({_S.TRIAGE}),  # reopened
    }
)
"""From each state, where a case may go."""


class Outcome(StrEnum):
    """What a closed case was. `false_alarm`: there was nothing; these count against the detectors."""

    RESOLVED = "resolved"
    FALSE_ALARM = "false_alarm"
    DUPLICATE = "duplicate"
    NO_ACTION = "no_action"


class Urgency(StrEnum):
    """How soon somebody must act: of cases and of alarms alike."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """0 the most urgent."""
        return _RANKS.index(self)


_RANKS = (Urgency.URGENT, Urgency.HIGH, Urgency.MEDIUM, Urgency.LOW)


class CaseSummary(msgspec.Struct, frozen=True):
    """A case in a list. id: "case-17". version: counts its changes; name it to change only what you saw.
    late: a deadline of its present state or of a step has passed. deadline: of its state, also
    once it has passed. onset, detected: of its first incident."""

    id: str
    kind: IncidentKind
    title: str
    state: CaseState
    urgency: Urgency
    place: Place
    opened: datetime
    state_since: datetime
    changed: datetime
    version: int
    reports: int
    incidents: int
    assigned_to: str = ""
    holder: str = ""
    outcome: Outcome | None = None
    closed: datetime | None = None
    merged_into: str = ""
    late: bool = False
    escalation: int = 0
    deadline: datetime | None = None
    confidence: float = 0.0
    capacity_left: float | None = None
    onset: datetime | None = None
    detected: datetime | None = None
    still_there: bool = False


class CaseEvent(msgspec.Struct, frozen=True):
    """One line of a case's history. what: a slug such as "moved", "note", "escalated"."""

    number: int
    at: datetime
    actor: str
    what: str
    detail: dict[str, Any] = {}


class StepState(StrEnum):
    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


class CaseStep(msgspec.Struct, frozen=True):
    """One step of the procedure as it stands in a case. due: None where it has no deadline. required: the
    case cannot move forward while it is open."""

    id: str
    title: str
    role: str
    during: CaseState
    state: StepState
    due: datetime | None = None
    by: str = ""
    at: datetime | None = None
    required: bool = False


class WhatIfLink(msgspec.Struct, frozen=True):
    """A what-if that was asked about a case. id: as `/v1/what-ifs` has it; title: what was asked."""

    id: str
    title: str
    by: str
    at: datetime


class CaseFile(msgspec.Struct, frozen=True):
    """All of a case but its evidence. procedure: its title and the digest of the file it was opened under.
    proposals: what the procedure proposes and nobody has decided on. events: the newest 500. delay_veh_h:
    delay that it is expected to cost; clears_s: when it is expected to be over (platform seconds), None where
    nobody can say."""

    case: CaseSummary
    procedure: str
    steps: list[CaseStep]
    events: list[CaseEvent]
    moves: list[CaseState]
    proposals: list[str] = []
    merged: list[str] = []
    what_ifs: list[WhatIfLink] = []
    delay_veh_h: float = 0.0
    clears_s: float | None = None


class Statement(msgspec.Struct, frozen=True):
    """A report as it was kept. text: as it came, "" once it was deleted (`deleted`)."""

    id: str
    case: str
    reporter: ReporterKind
    source: str
    kind: IncidentKind
    place: Place
    received: datetime
    happened: datetime | None = None
    text: str = ""
    deleted: bool = False


class EffectWord(msgspec.Struct, frozen=True):
    """Where vehicles stand because of an incident and make none of their own. since_s: platform seconds."""

    place: Place
    since_s: float


class IncidentWord(msgspec.Struct, frozen=True):
    """The newest that sensors said of one incident of a case. said: its evidence as sentences. kinds: how
    likely it is of each kind, the likeliest first (`KINDS_SEEN`). effects: queues that were taken as its
    effect."""

    id: str
    kind: IncidentKind
    place: Place
    confidence: float
    open: bool
    evidence: list[str] = []
    sensors: list[str] = []
    capacity_left: float = 1.0
    delay_veh_h: float = 0.0
    kinds: dict[IncidentKind, float] = {}
    said: list[Sentence] = []
    effects: list[EffectWord] = []


class Evidence(msgspec.Struct, frozen=True):
    """What speaks for a case. Whoever asks for it stands in the ledger. kept_until: when it is deleted, None
    while the case is open."""

    case: str
    incidents: list[IncidentWord]
    statements: list[Statement]
    kept_until: datetime | None = None


def case_id(number: int) -> str:
    """The id that people see."""
    return f"case-{number}"


def case_number(name: str) -> int | None:
    """Inverse of `case_id`; None where it is none."""
    digits = name.removeprefix("case-")
    good = name.startswith("case-") and digits.isascii() and digits.isdigit() and len(digits) <= 15
    return int(digits) if good and not digits.startswith("0") else None
