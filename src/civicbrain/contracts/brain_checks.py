"""The contract of brains, as checks that run a brain in a hand-made city."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from civicbrain.city.model import City
from civicbrain.city.signals import Capability
from civicbrain.city.snapshot import Snapshot
from civicbrain.city.store import Store
from civicbrain.contracts.brain import Advice, Brain, BrainContext, PlanRequest, Priority, StageRequest
from civicbrain.contracts.findings import Finding, Findings, name_fault, number_fault
from civicbrain.contracts.plain import plain
from civicbrain.contracts.sandbox import sandbox_city, sandbox_snapshots
from civicbrain.contracts.snapshot_wire import pack_snapshot

MAX_LIFETIME_S = 30.0
MAX_PLAN_LIFETIME_S = 900.0
SNAPSHOTS = 60


def check_brain(create: Callable[[BrainContext], Brain], city: City | None = None) -> list[Finding]:
    """Run a brain through its contract. city: the sandbox, with one plan-only controller, by default."""
    city = sandbox_city(plan_only=("B",)) if city is None else city
    context = BrainContext(city, seed=1)
    findings = Findings()
    made: list[Brain] = []

    def make() -> str:
        made.append(create(context))
        return "" if isinstance(made[0], Brain) else "needs name, cadence_s, budget_s and advise(snapshot)"

    if not findings.run("create", make):
        return findings
    brain = made[0]
    findings.run("name", lambda: name_fault(brain.name))
    findings.run(
        "cadence",
        lambda: number_fault("cadence_s", brain.cadence_s) or number_fault("budget_s", brain.budget_s),
    )
    snapshots = sandbox_snapshots(city, SNAPSHOTS, step_s=_step_s(brain))
    said: list[tuple[Snapshot, Advice]] = []
    times_s: list[float] = []

    def advise() -> str:
        for snapshot in snapshots:
            before = _digest(snapshot)
            start = time.perf_counter()
            advice = brain.advise(snapshot)
            times_s.append(time.perf_counter() - start)
            if not isinstance(advice, Advice):
                return f"advise returned a {type(advice).__name__}, not Advice"
            if _digest(snapshot) != before:
                return "advise changed the snapshot"
            said.append((snapshot, advice))
        return ""

    if findings.run("advise", advise):
        findings.run("requests", lambda: _requests(said, brain.name, city))
        findings.run("alerts", lambda: _alerts(said, brain.name, city))
        findings.run("explanations", lambda: _explanations(said, city))
        findings.run("budget", lambda: _budget(times_s, brain.budget_s))
        findings.run("same-again", lambda: _same_again(create(context), snapshots, said))
    findings.run("empty-snapshot", lambda: _survives(create(context), [Store(city).snapshot(0.0)]))
    findings.run("stale-snapshot", lambda: _survives(create(context), _stale(city)))
    findings.run("time-jump", lambda: _survives(create(context), [*snapshots[-2:], *snapshots[:2]]))
    return findings


def _step_s(brain: Brain) -> float:
    return float(brain.cadence_s) if not number_fault("cadence_s", brain.cadence_s) else 1.0


def _digest(snapshot: Snapshot) -> bytes:
    return hashlib.sha256(pack_snapshot(snapshot)).digest()


def _requests(said: Sequence[tuple[Snapshot, Advice]], name: str, city: City) -> str:
    for snapshot, advice in said:
        for request in advice.requests:
            wrong = _request(request, snapshot.time_s, name, city)
            if wrong:
                return f"at {snapshot.time_s:g} s: {wrong}"
    return ""


def _request(request: object, now_s: float, name: str, city: City) -> str:
    if not isinstance(request, (StageRequest, PlanRequest)):
        return f"a {type(request).__name__} is no request"
    if request.brain != name:
        return f"a request is made in the name of {request.brain!r}"
    if request.priority not in set(Priority):
        return f"priority {request.priority!r} is none of Priority"
    row = city.signals.row.get(request.junction)
    if row is None:
        return f"unknown junction {request.junction!r}"
    junction = city.junctions[row]
    times = [request.not_before_s, request.expires_s]
    if isinstance(request, StageRequest):
        junction.get_stage(request.stage)
        if junction.capability is not Capability.STAGE:
            return f"junction {request.junction!r} takes only plans (SignalJunction.capability)"
        longest_s = MAX_LIFETIME_S
    else:
        times += [request.offset_s, *request.durations_s]
        longest_s = MAX_PLAN_LIFETIME_S
        if len(request.durations_s) != len(junction.local_plan.steps):
            return f"{len(request.durations_s)} durations for {len(junction.local_plan.steps)} steps"
    if not all(math.isfinite(value) for value in times):
        return "a time is not finite"
    if not now_s < request.expires_s <= now_s + longest_s:
        return f"expires_s must be at most {longest_s:g} s from now, not {request.expires_s - now_s:g} s"
    return "" if request.not_before_s < request.expires_s else "not_before_s is not before expires_s"


def _alerts(said: Sequence[tuple[Snapshot, Advice]], name: str, city: City) -> str:
    for _, advice in said:
        for alert in advice.alerts:
            if alert.brain != name:
                return f"an alert is raised in the name of {alert.brain!r}"
            if alert.junction and alert.junction not in city.signals.row:
                return f"alert {alert.key!r} names the unknown junction {alert.junction!r}"
    return ""


def _explanations(said: Sequence[tuple[Snapshot, Advice]], city: City) -> str:
    for _, advice in said:
        _encode(advice)
        for junction in advice.explanations:
            if junction not in city.signals.row:
                return f"an explanation names the unknown junction {junction!r}"
    return ""


def _budget(times_s: Sequence[float], budget_s: float) -> str:
    """The median: single calls are late on a busy machine."""
    median_s = float(np.median(times_s[1:] or times_s))
    return (
        "" if median_s <= budget_s else f"takes {median_s:.3f} s a call in the sandbox; budget {budget_s:g} s"
    )


def _same_again(brain: Brain, snapshots: Sequence[Snapshot], said: Sequence[tuple[Snapshot, Advice]]) -> str:
    for snapshot, (_, before) in zip(snapshots, said, strict=True):
        if _encode(brain.advise(snapshot)) != _encode(before):
            return f"at {snapshot.time_s:g} s: other advice for the same snapshots and seed"
    return ""


def _encode(advice: Advice) -> bytes:
    """Raises TypeError for explanations that JSON cannot say."""
    return msgspec.json.encode(
        [
            advice.requests,
            advice.alerts,
            advice.derived,
            dict(advice.explanations),
            advice.incidents,
            advice.transit,
        ],
        enc_hook=plain,
        order="sorted",
    )


def _survives(brain: Brain, snapshots: Sequence[Snapshot]) -> str:
    for snapshot in snapshots:
        advice = brain.advise(snapshot)
        if not isinstance(advice, Advice):
            return f"returned a {type(advice).__name__}"
    return ""


def _stale(city: City) -> list[Snapshot]:
    """Two good snapshots, then ten minutes of silence from all sources."""
    store = Store(city)
    good = sandbox_snapshots(city, 2)
    for snapshot in good:
        store.fold([snapshot.detections, snapshot.signals], snapshot.time_s)
    last_s = good[-1].time_s
    return [*good, *(store.snapshot(last_s + wait_s) for wait_s in (5.0, 30.0, 600.0))]
