"""What every host keeps of its brain: how long it takes, how often it failed, when it may try again."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from civicbrain.city.incident_book import MAX_OPEN
from civicbrain.city.incidents import Incident
from civicbrain.city.observations import Observation
from civicbrain.city.tracking import MAX_MISSIONS
from civicbrain.contracts.brain import Advice, Alert, PlanRequest, StageRequest
from civicbrain.contracts.missions import MissionPlan
from civicbrain.contracts.wire import BrainHealth
from civicbrain.core.errors import BrainError

FIRST_BACKOFF_S = 1.0
MAX_BACKOFF_S = 60.0
GOOD_AGAIN_S = 60.0
"""A brain that has worked this long since its restart is trusted again: the next wait is the shortest."""

MAX_REQUESTS = 100_000
MAX_ALERTS = 20_000
MAX_ERROR_TEXT = 500


@dataclass(slots=True)
class Backoff:
    """Waits of 1, 2, 4 … 60 s between restarts. Clock-agnostic: the caller says what time it is."""

    delay_s: float = 0.0
    until_s: float = -math.inf

    def failed(self, now_s: float) -> float:
        """Note a failure; returns when to try again (s on the caller's clock)."""
        if now_s - self.until_s > GOOD_AGAIN_S:
            self.delay_s = 0.0
        self.delay_s = min(MAX_BACKOFF_S, self.delay_s * 2 or FIRST_BACKOFF_S)
        self.until_s = now_s + self.delay_s
        return self.until_s

    def waiting(self, now_s: float) -> bool:
        return now_s < self.until_s


@dataclass(slots=True)
class Record:
    """Figures for BrainHealth."""

    runs: int = 0
    failures: int = 0
    overruns: int = 0
    last_run_s: float = 0.0
    last_ms: float = 0.0
    last_error: str = ""
    recent_ms: deque[float] = field(default_factory=lambda: deque(maxlen=1000))

    def ran(self, now_s: float, ms: float, budget_s: float) -> None:
        self.runs += 1
        self.last_run_s = now_s
        self.last_ms = ms
        self.recent_ms.append(ms)
        if ms > budget_s * 1000.0:
            self.overruns += 1

    def failed(self, reason: str) -> None:
        self.failures += 1
        self.last_error = reason[:MAX_ERROR_TEXT]

    def health(
        self, name: str, state: str, cadence_s: float, budget_s: float, retry_in_s: float
    ) -> BrainHealth:
        p99_ms = float(np.percentile(self.recent_ms, 99)) if self.recent_ms else 0.0
        return BrainHealth(
            name, state, cadence_s, budget_s, self.last_run_s, self.last_ms, p99_ms, self.runs,
            self.failures, self.last_error, max(0.0, retry_in_s), self.overruns,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host brings back from its brain. ms: wall time the brain took."""

    advice: Advice
    ms: float


def check_advice(advice: object, name: str) -> Advice:
    """The advice, if it is what the contract allows of brain `name`; else raises BrainError. What the
    requests hold is the guard's to check."""
    if not isinstance(advice, Advice):
        raise BrainError(f"brain {name!r} returned a {type(advice).__name__}, not Advice")
    if not isinstance(advice.explanations, Mapping):
        raise BrainError(f"brain {name!r}: explanations must map junction ids to mappings")
    for what, items, kinds, most in (
        ("requests", advice.requests, (StageRequest, PlanRequest), MAX_REQUESTS),
        ("alerts", advice.alerts, (Alert,), MAX_ALERTS),
        ("derived", advice.derived, (Observation,), MAX_REQUESTS),
        ("missions", advice.missions, (MissionPlan,), MAX_MISSIONS),
        ("incidents", advice.incidents, (Incident,), MAX_OPEN),
    ):
        if not isinstance(items, tuple) or len(items) > most:
            raise BrainError(f"brain {name!r}: {what} must be a tuple of at most {most}")
        wrong = next((item for item in items if not isinstance(item, kinds)), None)
        if wrong is not None:
            raise BrainError(f"brain {name!r}: {what} holds a {type(wrong).__name__}")
    for named in (*advice.requests, *advice.alerts, *advice.missions):
        if named.brain != name:
            raise BrainError(f"brain {name!r} speaks in the name of {str(named.brain)[:80]!r}")
    for incident in advice.incidents:
        if not incident.id.startswith(f"{name}-"):
            raise BrainError(f"brain {name!r} names an incident {incident.id[:80]!r}: not its own")
    return advice


def next_due_s(due_s: float | None, now_s: float, cadence_s: float) -> float:
    """When to ask next: in step with the cadence, without catching up on what was missed."""
    planned_s = (now_s if due_s is None else due_s) + cadence_s
    return planned_s if planned_s > now_s else now_s + cadence_s
