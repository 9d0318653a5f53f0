"""The door for brains: given a snapshot at their own cadence, they return advice.

A brain does no I/O, cannot reach an actuator and cannot see another brain. Same snapshots, same seed:
same advice, to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol, runtime_checkable

import msgspec

from civicbrain.city.incidents import Incident
from civicbrain.city.model import City
from civicbrain.city.observations import Observation
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.missions import Claim, MissionPlan
from civicbrain.contracts.transit import TransitPlan
from civicbrain.core.sentences import Sentence, both


class Priority(IntEnum):
    """Who wins at the guard: the higher value."""

    SIGNALS = 10
    TRANSIT = 20
    EMERGENCY = 30
    OPERATOR = 40


class StageRequest(msgspec.Struct, frozen=True, tag="stage"):
    """'Show this stage, not before, and no longer than': never lamp states.

    Times are platform seconds. The stage is wanted from not_before_s on; when expires_s passes without a
    newer request the controller returns to its local plan. claim: the mission it is asked for.
    """

    junction: str
    stage: str
    not_before_s: float
    expires_s: float
    brain: str
    priority: int = Priority.SIGNALS
    reason: str = ""
    claim: Claim | None = None


class PlanRequest(msgspec.Struct, frozen=True, tag="plan"):
    """'Run this fixed plan': for controllers that take nothing finer. durations_s: one a stage of the
    local plan, in its order, transition included."""

    junction: str
    durations_s: tuple[float, ...]
    offset_s: float
    not_before_s: float
    expires_s: float
    brain: str
    priority: int = Priority.SIGNALS
    reason: str = ""


Request = StageRequest | PlanRequest


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Alert(msgspec.Struct, frozen=True):
    """Something a person should know. key: same key, same matter (raised once, updated after). title, detail:
    in English; said: title and detail for whoever reads another language, as far as they are not free text.
    ended_s: since when nobody says it any more; of a brain's the loop finds that out."""

    key: str
    severity: Severity
    title: str
    detail: str
    time_s: float
    brain: str
    junction: str = ""
    said: tuple[Sentence, ...] = ()
    ended_s: float | None = None

    @classmethod
    def of(
        cls, key: str, severity: Severity, title: Sentence, detail: Sentence | str, time_s: float, brain: str,
        junction: str = "",
    ) -> Alert:  # fmt: skip
        """Of sentences; a detail that is no sentence is free text, such as an error's."""
        said = both(title, detail)
        return cls(key, severity, title.text, str(detail), time_s, brain, junction, said)


@dataclass(frozen=True, slots=True)
class Advice:
    """What a brain returns. explanations: junction id -> JSON-able mapping shown to people; its `schedule`, a
    list of {stage, from_s, until_s} in platform seconds, is drawn as what is planned. missions: how it sees
    each mission it serves. incidents: those that are new or changed, and each that has ended once, with
    `cleared_s`; what is open is said again at least each minute, and what seemed over may be open again.
    Their ids begin with the brain's name and a hyphen."""

    requests: tuple[Request, ...] = ()
    alerts: tuple[Alert, ...] = ()
    derived: tuple[Observation, ...] = ()
    explanations: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    missions: tuple[MissionPlan, ...] = ()
    incidents: tuple[Incident, ...] = ()
    transit: TransitPlan | None = None  # the buses it follows


@dataclass(frozen=True, slots=True)
class BrainContext:
    """What a brain is given at its start. options: its section of the configuration. explain: people watch,
    so Advice.explanations is wanted (a live city); a study does without."""

    city: City
    seed: int = 0
    options: Mapping[str, object] = field(default_factory=dict)
    explain: bool = False


@runtime_checkable
class Brain(Protocol):
    """name: its slug. cadence_s: time between calls. budget_s: wall time one call may take."""

    name: str
    cadence_s: float
    budget_s: float

    def advise(self, snapshot: Snapshot) -> Advice:
        """Decide. Must not block, raise, or keep a reference to the snapshot's arrays for writing."""
        ...


class BrainFactory(Protocol):
    """A room's entry point: `create(context)`; registered as the entry point `civicbrain.brains`."""

    def __call__(self, context: BrainContext) -> Brain: ...


@dataclass(frozen=True, slots=True)
class ControlSpec:
    """A named way of controlling signals that a study can compare.

    program: what the controllers run: "fixed" (SUMO runs the city's plan), "actuated", "delay-based"
    (SUMO's), or "central" (our controllers follow requests, local plan as fallback).
    brain: the room asked for advice when program is "central", with its options.
    """

    name: str
    program: str
    brain: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    summary: str = ""
    source: str = ""  # where the method was published
