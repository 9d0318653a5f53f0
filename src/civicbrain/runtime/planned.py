"""What a junction is meant to show next, and whose intention that is.

Whoever decides is asked: an operator's override, the controller's own plan where it follows nobody, a
mission's corridor or a bus, then a brain by its explanation: a `schedule` (stages with `from_s` and
`until_s`), or a plan (`durations_s`, `offset_s`), else the stage that it asks for. Nothing is made up: where
nobody says, the list is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from civicbrain.city.signals import SignalJunction, SignalPlan
from civicbrain.contracts.brain import Priority
from civicbrain.contracts.junction_recent import Planned, PlannedBy
from civicbrain.contracts.missions import MissionPlan, Passage, PassageState
from civicbrain.contracts.overrides import Holder, Override, OverrideAction
from civicbrain.runtime.explanations import Explained, Part, read_words

AHEAD_S = 120.0
"""Plans are told so far ahead."""

MOST = 32
"""Entries that are told."""

_COMING = frozenset({PassageState.AHEAD, PassageState.WAITS, PassageState.HELD_BACK})
_FOLLOWS = frozenset({"central", "manual", "forced"})


@dataclass(frozen=True, slots=True)
class Claims:
    """Who wants what of a junction now. mode: its controller's, "" unknown. missions: those under way."""

    mode: str
    holder: Holder | None = None
    override: Override | None = None
    explanation: Mapping[str, object] = field(default_factory=dict)
    missions: Iterable[MissionPlan] = ()


def planned_at(place: SignalJunction, claims: Claims, now_s: float) -> list[Planned]:
    """What is meant from now on, soonest first; missions that are expected at the end."""
    passages = _passages(place.id, claims.missions)
    known = {stage.id for stage in place.stages}
    parts = [part for part in _next(place, claims, passages, now_s) if part.stage in known]
    served = claims.holder.mission if claims.holder is not None else ""
    for mission, passage in sorted(passages.items()):
        at_s = passage.predicted_s
        if mission != served and passage.state in _COMING and at_s is not None and at_s > now_s:
            stage = passage.stage if passage.stage in known else ""
            parts.append(Planned(at_s, at_s, stage, PlannedBy.MISSION, mission))
    return parts[:MOST]


def _next(
    place: SignalJunction, claims: Claims, passages: Mapping[str, Passage], now_s: float
) -> Iterator[Planned]:
    override, holder = claims.override, claims.holder
    if override is not None:
        until_s = override.expires_s
        if override.action is OverrideAction.LOCAL:
            yield from _of_plan(
                place,
                place.local_plan,
                now_s,
                min(until_s, now_s + AHEAD_S),
                PlannedBy.OVERRIDE,
                override.actor,
            )
        elif until_s > now_s:
            yield Planned(now_s, until_s, override.stage, PlannedBy.OVERRIDE, override.actor)
    elif claims.mode == "local":
        yield from _of_plan(place, place.local_plan, now_s, now_s + AHEAD_S, PlannedBy.LOCAL, "")
    elif holder is not None and claims.mode in _FOLLOWS and holder.expires_s > now_s:
        yield from _of_holder(place, holder, claims, passages, now_s)


def _of_holder(
    place: SignalJunction, holder: Holder, claims: Claims, passages: Mapping[str, Passage], now_s: float
) -> Iterator[Planned]:
    said = read_words(claims.explanation)
    if holder.mission:
        passage = passages.get(holder.mission)
        at_s = passage.predicted_s if passage is not None and passage.passed_s is None else None
        until_s = at_s if at_s is not None and at_s > now_s else holder.expires_s
        yield Planned(now_s, until_s, holder.what, PlannedBy.MISSION, holder.mission)
    elif holder.priority == Priority.TRANSIT:
        yield Planned(now_s, holder.expires_s, holder.what, PlannedBy.BUS, said.line or said.bus)
    elif holder.what == "plan":
        plan = _with_durations(place.local_plan, said)
        if plan is not None:
            yield from _of_plan(place, plan, now_s, now_s + AHEAD_S, PlannedBy.PLAN, holder.brain)
    else:
        ahead = [part for part in said.schedule if part.until_s > now_s]
        if not ahead or ahead[0].stage != holder.what:  # it asks for something else than it said
            ahead = [Part(holder.what, now_s, holder.expires_s)]
        for part in ahead:
            yield Planned(max(part.from_s, now_s), part.until_s, part.stage, PlannedBy.BRAIN, holder.brain)


def _of_plan(
    place: SignalJunction, plan: SignalPlan, from_s: float, until_s: float, by: PlannedBy, who: str
) -> Iterator[Planned]:
    """The stages of a fixed plan between two seconds, as its clock has them. Neighbours alike are one."""
    steps = [step for step in plan.steps if step.duration_s > 0.0]
    cycle_s = sum(step.duration_s for step in steps)
    if not steps or not cycle_s > 0.0:
        return
    at_s = from_s - (from_s - plan.offset_s) % cycle_s
    begun_s, number = from_s, 0
    while at_s < until_s and number < MOST * len(steps):
        step, following = steps[number % len(steps)], steps[(number + 1) % len(steps)]
        at_s += step.duration_s
        number += 1
        end_s = min(at_s, until_s)
        if end_s > begun_s and (following.stage != step.stage or end_s == until_s):
            yield Planned(begun_s, end_s, place.stages[step.stage].id, by, who)
            begun_s = end_s


def _with_durations(plan: SignalPlan, said: Explained) -> SignalPlan | None:
    """The local plan with the durations that a brain told; None where they do not fit."""
    if len(said.durations_s) != len(plan.steps):
        return None
    steps = tuple(
        msgspec.structs.replace(step, duration_s=duration_s)
        for step, duration_s in zip(plan.steps, said.durations_s, strict=True)
    )
    return msgspec.structs.replace(plan, steps=steps, offset_s=said.offset_s)


def _passages(junction: str, missions: Iterable[MissionPlan]) -> dict[str, Passage]:
    """Mission -> its next passage of the junction."""
    found: dict[str, Passage] = {}
    for plan in missions:
        for passage in plan.passages:
            if passage.junction == junction and passage.passed_s is None:
                found.setdefault(plan.mission, passage)
    return found
