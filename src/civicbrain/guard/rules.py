"""The rules of the safety envelope: one pure function each, named by its slug.

A rule returns None when the request may pass, else the reason in words. They run in the order of `RULES`;
the first that objects decides. Rules that depend on what else was asked (who holds the junction, how often
it was switched, whether the record can be kept) are in `gate.py`; which of two missions goes first, in
`claims.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from civicbrain.city.plan_bounds import find_broken_bound, list_plan_bounds
from civicbrain.city.signals import Capability, SignalJunction
from civicbrain.contracts.brain import PlanRequest, Priority, Request, StageRequest
from civicbrain.guard.claims import is_sound

MAX_TEXT = 1000
MAX_NAME = 200
MAX_STEPS = 100
MAX_STEP_S = 600.0


@dataclass(frozen=True, slots=True)
class GuardOptions:
    """max_lifetime_s: how far in the future a stage request may expire; a centre that dies is forgotten
    after it. max_plan_lifetime_s: the same for plans. max_changes, per_s: accepted changes of stage a
    junction within that time; controllers take at most one request a second. priorities:
    the highest priority each brain may claim; brains not named may claim SIGNALS, `operator` all."""

    max_lifetime_s: float = 30.0
    max_plan_lifetime_s: float = 900.0
    max_changes: int = 60
    per_s: float = 60.0
    priorities: Mapping[str, int] = field(default_factory=lambda: dict(GRANTED))


OPERATOR = "operator"
"""The name under which people in the operation centre make requests."""

GRANTED: Mapping[str, int] = {OPERATOR: int(Priority.OPERATOR), "priority": int(Priority.EMERGENCY)}
"""The highest priority each name may claim where nothing else is configured."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the rules may know. stages: junction id -> its stage ids. off: brains switched off."""

    now_s: float
    junctions: Mapping[str, SignalJunction]
    stages: Mapping[str, frozenset[str]]
    off: Collection[str]
    options: GuardOptions


Rule = Callable[[Request, Envelope], str | None]

_PRIORITIES = frozenset(Priority)


def malformed(request: Request, _envelope: Envelope) -> str | None:
    """Types are what the contract says. A Struct built in this process may hold anything."""
    if not isinstance(request, (StageRequest, PlanRequest)):
        return f"a {type(request).__name__} is no request"
    texts: tuple[object, ...] = (request.junction, request.brain, request.reason)
    names: tuple[object, ...] = (request.junction, request.brain)
    if isinstance(request, StageRequest):
        texts, names = (*texts, request.stage), (*names, request.stage)
    if not all(isinstance(text, str) and len(text) <= MAX_TEXT for text in texts):
        return f"junction, stage, brain and reason must be texts of at most {MAX_TEXT} characters"
    if not all(isinstance(name, str) and 0 < len(name) <= MAX_NAME for name in names):
        return f"junction, stage and brain must be names of 1 to {MAX_NAME} characters"
    numbers: tuple[object, ...] = (request.not_before_s, request.expires_s)
    if isinstance(request, PlanRequest):
        if not isinstance(request.durations_s, (tuple, list)) or len(request.durations_s) > MAX_STEPS:
            return f"durations_s must be a tuple of at most {MAX_STEPS} seconds"
        numbers = (*numbers, request.offset_s, *request.durations_s)
    if not all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in numbers):
        return "times must be numbers"
    claim = request.claim if isinstance(request, StageRequest) else None
    if claim is not None and not is_sound(claim, MAX_NAME):
        return "a claim names its mission, its urgency and finite numbers"
    if type(request.priority) not in (int, Priority) or not 0 <= request.priority <= 1000:
        return "priority must be a whole number from 0 to 1000"
    return None


def not_finite(request: Request, _envelope: Envelope) -> str | None:
    """Times are finite."""
    numbers = [request.not_before_s, request.expires_s]
    if isinstance(request, PlanRequest):
        numbers += [request.offset_s, *request.durations_s]
    for number in numbers:
        try:
            if not math.isfinite(number):
                return f"{number} is no time"
        except OverflowError:  # an int beyond any float
            return "a time is beyond all bounds"
    return None


def brain_off(request: Request, envelope: Envelope) -> str | None:
    """A brain that is switched off is not heard."""
    return f"brain {request.brain!r} is switched off" if request.brain in envelope.off else None


def priority(request: Request, envelope: Envelope) -> str | None:
    """Nobody claims more than was granted: the names are TRANSIT, EMERGENCY, OPERATOR."""
    if request.priority not in _PRIORITIES:
        return f"{request.priority} is no priority; they are " + ", ".join(
            f"{p.value} ({p.name.lower()})" for p in Priority
        )
    granted = envelope.options.priorities.get(request.brain, int(Priority.SIGNALS))
    if request.priority > granted:
        return f"{request.brain!r} may claim priority {granted} at most, not {request.priority}"
    return None


def unknown_junction(request: Request, envelope: Envelope) -> str | None:
    """The junction exists and has a controller."""
    if request.junction in envelope.junctions:
        return None
    return f"the city has no signal junction {request.junction!r}"


def unknown_stage(request: Request, envelope: Envelope) -> str | None:
    """The stage is one of the junction's."""
    if isinstance(request, PlanRequest):
        return None
    stages = envelope.stages[request.junction]
    if request.stage in stages:
        return None
    return f"no stage {request.stage!r} at {request.junction!r}; it has {', '.join(sorted(stages))}"


def capability(request: Request, envelope: Envelope) -> str | None:
    """Controllers that take only plans are not sent stages."""
    if isinstance(request, StageRequest):
        able = envelope.junctions[request.junction].capability
        if able is not Capability.STAGE:
            return f"the controller of {request.junction!r} takes only plan changes"
    return None


def plan_shape(request: Request, envelope: Envelope) -> str | None:
    """A plan has one duration a step of the local plan, none below the greens it must hold."""
    if isinstance(request, StageRequest):
        return None
    junction = envelope.junctions[request.junction]
    steps = junction.local_plan.steps
    if len(request.durations_s) != len(steps):
        return f"the local plan has {len(steps)} steps, the request {len(request.durations_s)} durations"
    for step, duration_s in zip(steps, request.durations_s, strict=True):
        if not 1.0 <= duration_s <= MAX_STEP_S:
            stage = junction.stages[step.stage].id
            return f"stage {stage!r} cannot last {duration_s:g} s (1 to {MAX_STEP_S:g})"
    broken = find_broken_bound(list_plan_bounds(junction), request.durations_s)
    if broken is not None:
        names = ", ".join(junction.stages[steps[row].stage].id for row in broken.steps)
        return f"stage {names} needs {broken.least_s:g} s for {broken.why}"
    return None


def expired(request: Request, envelope: Envelope) -> str | None:
    """It is still wanted now, and there is a time at which it is wanted."""
    if request.expires_s <= envelope.now_s:
        return f"expired at {request.expires_s:g} s; it is {envelope.now_s:g} s"
    if request.not_before_s >= request.expires_s:
        return f"not wanted before {request.not_before_s:g} s, but expires at {request.expires_s:g} s"
    return None


def expiry_cap(request: Request, envelope: Envelope) -> str | None:
    """No request outlives the centre by more than the cap."""
    options = envelope.options
    cap_s = options.max_lifetime_s if isinstance(request, StageRequest) else options.max_plan_lifetime_s
    if request.expires_s - envelope.now_s > cap_s:
        return f"expires in {request.expires_s - envelope.now_s:g} s; at most {cap_s:g} s are allowed"
    return None


RULES: tuple[tuple[str, Rule], ...] = (
    ("malformed", malformed),
    ("not-finite", not_finite),
    ("brain-off", brain_off),
    ("priority", priority),
    ("unknown-junction", unknown_junction),
    ("unknown-stage", unknown_stage),
    ("capability", capability),
    ("plan-shape", plan_shape),
    ("expired", expired),
    ("expiry-cap", expiry_cap),
)
"""Slug and rule, in the order in which they run. Later rules rely on earlier ones."""


def check(request: Request, envelope: Envelope) -> tuple[str, str] | None:
    """The first objection as (slug, reason), or None."""
    for slug, rule in RULES:
        reason = rule(request, envelope)
        if reason is not None:
            return slug, reason
    return None
