"""What the guard writes down of a request: keys to tell repetitions, and the ledger's entries."""

from __future__ import annotations

import math

from civicbrain.contracts.actuator import Verdict
from civicbrain.contracts.brain import PlanRequest, Priority, Request, StageRequest
from civicbrain.contracts.missions import Claim
from civicbrain.guard.rules import MAX_NAME, MAX_STEPS


def what_of(request: Request) -> object:
    """What is asked for, as a key: two requests with the same key are repetitions of each other."""
    if isinstance(request, StageRequest):
        return text_of(request.stage)
    try:
        return f"{[float(d) for d in request.durations_s[:MAX_STEPS]]} from {float(request.offset_s)}"
    except Exception:  # not even that can be read out of it
        return f"<{type(request).__name__}>"


def text_of(value: object, limit: int = MAX_NAME) -> str:
    """Text that can be recorded: short, and without the lone surrogates that no encoding knows."""
    if not isinstance(value, str):
        return f"<{type(value).__name__}>"
    return value[:limit].encode("utf-8", "replace").decode()


def entry_of(request: Request, verdict: Verdict) -> tuple[str, str, dict[str, object], float]:
    """What the ledger keeps of a request: enough to say who wanted what and why it was decided so."""
    body: dict[str, object] = {
        "junction": text_of(getattr(request, "junction", None)),
        "outcome": str(verdict.outcome),
        "by": verdict.by,
        "rule": verdict.rule,
        "why": text_of(verdict.reason, 1000),
        "priority": _number(getattr(request, "priority", None)),
        "expires_s": _number(getattr(request, "expires_s", None)),
        "reason": text_of(getattr(request, "reason", None), 1000),
    }
    if isinstance(request, StageRequest):
        body["stage"] = text_of(request.stage)
        if isinstance(request.claim, Claim):
            rank = _number(request.priority)  # whatever somebody put there is recorded, too
            is_bus = rank is not None and rank <= Priority.TRANSIT
            body["trip" if is_bus else "mission"] = text_of(request.claim.mission)
    elif isinstance(request, PlanRequest):
        body["plan"] = str(what_of(request))
    return "request", text_of(getattr(request, "brain", None)), body, verdict.time_s


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
    except OverflowError:
        return None
