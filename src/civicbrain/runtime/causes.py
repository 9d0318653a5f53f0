"""Causes and remedies as they are told: their figures, what they speak of, and one English sentence."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from civicbrain.city.approaches import Approach
from civicbrain.contracts.overrides import HeldFor, Holder
from civicbrain.contracts.worst import Cause, CauseKind, Drain, DrainKind, Remedy, StageState, WorstPlace
from civicbrain.runtime.held_for import BUS
from civicbrain.runtime.roads_ahead import Road
from civicbrain.runtime.stage_words import StageWord


def street_of(approach: Approach) -> str:
    """How an approach is called."""
    return approach.name or approach.edge


def say_road(road: Road) -> str:
    """How a road is called, and which junction ends it."""
    return (road.name or road.edge_id) + (f", up to {road.ahead}" if road.ahead else "")


def say_word(word: StageWord) -> str:
    """One English sentence on the stage that serves an approach."""
    stage, chosen = word.stage, word.chosen
    match word.state:
        case StageState.SHOWN:
            return f"Stage {stage}, which serves it, is shown now."
        case StageState.NEXT:
            return f"Stage {stage}, which serves it, comes next."
        case StageState.COSTS_MORE:
            return f"The brain expects {word.more_veh_s:.0f} veh s more of stage {stage} than of {chosen}."
        case StageState.LEFT_OUT:
            return "The brain puts off every stage that serves it for now."
        case StageState.OTHER:
            return f"The brain has chosen stage {chosen} for now."
    return ""


def held_cause(holder: Holder, vehicle: HeldFor | None, now_s: float) -> Cause:
    """Held for a mission or a bus."""
    bus = vehicle is not None and vehicle.kind == BUS
    name = (vehicle.name if vehicle is not None else "") or holder.mission
    whom = f"{'bus ' * bus}{name}" if name else "a bus"
    figures = {}
    if vehicle is not None and vehicle.until_s is not None and vehicle.until_s > now_s:
        figures["left_s"] = vehicle.until_s - now_s
    remedy = "FOLLOW_MISSION" if holder.mission else "LOOK_AT_JUNCTION"
    about = holder.mission or holder.trip
    cause = make_cause("PRIORITY", remedy, f"It is held for {whom}.", about, **figures)
    return msgspec.structs.replace(cause, name=name, stage=holder.what)


def road_cause(
    road: Road, says: str, drain: Drain, approach: Approach | None = None, **figures: float
) -> Cause:
    """A road ahead that is full: what helps is at the junction that ends it. approach: which it holds back,
    None where it holds back all."""
    remedy = "REQUEST_DRAIN" if drain.stage else "LOOK_DOWNSTREAM"
    cause = make_cause("SPILL_BACK", remedy, f"{says} {say_drain(drain)}".rstrip(), road.ahead, **figures)
    cause = msgspec.structs.replace(cause, road=road.edge_id, road_name=road.name, drain=drain)
    if approach is None:
        return cause
    return msgspec.structs.replace(cause, name=approach.name, approach=approach.edge)


ALL_SERVED = 0.95


def say_drain(drain: Drain) -> str:
    """What can be done about a full road, in one or two English sentences."""
    at, stage = drain.junction, drain.stage
    match drain.kind:
        case DrainKind.EMPTY:
            rest = f" but for those who go on to {drain.shut or 'other full roads'}"
            says = f"Stage {stage} at {at} empties it{'' if drain.serves >= ALL_SERVED else rest}."
        case DrainKind.BEYOND:
            says = f"Where they want to go is full, too. Stage {stage} at {at} empties that."
        case DrainKind.HOLD_BACK:
            says = f"No stage ahead has room for them. Stage {stage} here sends nobody more into it."
        case DrainKind.HELD:
            says = f"{at} is held by {drain.held_by}."
        case DrainKind.NONE:
            says = "No stage is known that empties it."
    feeds = f"It also lets vehicles into the full road to {drain.feeds}." if drain.feeds else ""
    return " ".join(filter(None, (says, feeds, _say_wish(drain))))


def _say_wish(drain: Drain) -> str:
    """What the brain of that junction has in mind with the stage."""
    match drain.stage_state:
        case StageState.SHOWN:
            return "It is shown now."
        case StageState.NEXT:
            return "It comes next."
        case StageState.COSTS_MORE:
            more = f"{drain.more_veh_s or 0.0:.0f} veh s"
            return f"The brain there expects {more} more of it than of {drain.chosen}."
        case StageState.LEFT_OUT:
            return "The brain there puts it off for now."
        case StageState.OTHER:
            return f"The brain there has chosen stage {drain.chosen} for now."
    return ""


def tell_mutual(places: Sequence[WorstPlace]) -> list[WorstPlace]:
    """Two junctions that wait for each other to empty are said to: looking at the other is no help."""
    ahead_of = {p.junction: {c.about for c in p.causes if c.kind is CauseKind.SPILL_BACK} for p in places}

    def told(place: WorstPlace, cause: Cause) -> Cause:
        if cause.kind is not CauseKind.SPILL_BACK or place.junction not in ahead_of.get(cause.about, ()):
            return cause
        says = f"{cause.says} The two junctions hold each other up."
        return msgspec.structs.replace(cause, says=says, figures=cause.figures | {"mutual": 1.0})

    return [
        msgspec.structs.replace(place, causes=tuple(told(place, cause) for cause in place.causes))
        for place in places
    ]


def make_cause(kind: str, remedy: str, says: str, about: str = "", **figures: float) -> Cause:
    """kind, remedy: names of their members."""
    rounded = {name: round(float(value), 2) for name, value in figures.items()}
    return Cause(CauseKind[kind], Remedy[remedy], says, rounded, about)
