"""What empties a full road: a stage at the junction that ends it, else further on, else one that spares it.

A stage is named only where it serves movements that leave the full road into roads with room: green onto the
next full road would move the jam, not the vehicles. Where all exits of the road are shut, the road that shuts
most of them in is followed to the junction that ends it; where that leads nowhere, or comes back to where it
began, the stage of the junction behind the road that sends nobody into it and serves most others is named.
Which of several would do is left to the brain that controls the junction (`stage_words.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from civicbrain.city.approaches import Approach
from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.observations import SignalStates
from civicbrain.city.signals import Capability, ControllerMode, SignalJunction
from civicbrain.contracts.worst import Drain, DrainKind
from civicbrain.runtime.explanations import Explained
from civicbrain.runtime.full_roads import FullRoads
from civicbrain.runtime.roads_ahead import Road
from civicbrain.runtime.stage_words import Serving, StageWord

FURTHEST = 4
"""Full roads in a row that are followed: further on an operator sees no connection any more."""

UNKNOWN_VEH = 0.1
"""A movement of which nobody is seen to wait weighs so much: letting it go is better than not."""

MOST = 0.5
"""A stage that lets fewer of them out comes after one that empties the road that shuts the others in."""

AS_GOOD = 0.6
"""Stages that let out this share of what the best would are about as good."""

TOLD_VEH = 1.0
"""Fewer who would drive on into a full road are no reason against a stage."""

OFFERED_S = 20.0
RIGHT_OF_WAY = {"G": 1.0, "g": 0.5}
"""A movement that yields passes in gaps: half as much (as in `stage_words.py`)."""

DEAF = (ControllerMode.STARTUP, ControllerMode.FLASHING)


@dataclass(frozen=True)
class Scene:
    """lane_veh: (n,) standing on each lane, mean of two minutes. said: junction -> what its brain says. held:
    junction -> who holds it that goes before this request."""

    signals: SignalStates
    lane_veh: F64
    said: Callable[[str], Explained | None]
    held: Mapping[str, str]
    now_s: float


@dataclass(frozen=True)
class _Fed:
    """Vehicles that wait before a group of which a road is full."""

    group: int
    veh: float
    road: Road


class Drains:
    """`advise` for a full road."""

    def __init__(
        self, city: City, approaches: tuple[Approach, ...], full: FullRoads, serving: Serving
    ) -> None:
        self._city, self._full, self._serving = city, full, serving
        self._of: dict[tuple[int, str], Approach] = {(one.junction, one.edge): one for one in approaches}
        self._at: dict[int, list[Approach]] = {}
        for one in approaches:
            self._at.setdefault(one.junction, []).append(one)
        self._groups_of_lane: dict[int, list[int]] = {}
        moves = city.network.movements
        for k in np.flatnonzero((moves.junction >= 0) & (moves.group >= 0)).tolist():
            groups = self._groups_of_lane.setdefault(int(moves.from_lane[k]), [])
            if int(moves.group[k]) not in groups:
                groups.append(int(moves.group[k]))
        # (edge of the road, row of the junction) -> when which stage was offered
        self._offered: dict[tuple[int, int], tuple[float, str]] = {}

    def advise(self, road: Road, here: int, scene: Scene) -> Drain:
        """here: row of the junction before the road."""
        at, seen, kind, shut, few = road, {road.edge}, DrainKind.EMPTY, "", None
        for _ in range(FURTHEST):
            if at.ahead_row < 0 or at.ahead_row == here:
                break
            found, beyond = self._emptying(at, scene)
            if found is not None and (found.serves >= MOST or not found.stage):
                if few is not None and not found.stage:
                    break  # who holds a junction further on is no news where some can be let out before it
                return msgspec.structs.replace(found, kind=kind if found.stage else found.kind)
            few = few or (found and msgspec.structs.replace(found, kind=kind))
            if beyond is None or beyond.edge in seen:
                break
            seen.add(beyond.edge)
            at, kind, shut = beyond, DrainKind.BEYOND, shut or beyond.ahead
        return few or self._sparing(road, here, shut, scene)

    def _emptying(self, road: Road, scene: Scene) -> tuple[Drain | None, Road | None]:
        """The best stage of the junction that ends the road, and the full road that shuts most of them in."""
        row = road.ahead_row
        junction, approach = self._city.junctions[row], self._of.get((row, road.last))
        if approach is None:
            return None, None
        waiting = self._waiting(approach, scene)
        shut = {g: full for g in waiting if (full := self._shut_exit(g)) is not None}
        worst = max(shut, key=lambda g: waiting[g], default=None)
        beyond = shut[worst] if worst is not None else None
        if junction.id in scene.held:
            drain = Drain(DrainKind.HELD, junction.id, road=road.edge_id, road_name=road.name)
            return msgspec.structs.replace(drain, held_by=scene.held[junction.id]), None
        open_veh = {g: veh for g, veh in waiting.items() if g not in shut}
        fed = self._fed(row, scene)
        word = self._choose(road.edge, row, self._worths(junction, row, open_veh), scene, fed)
        if not word.stage:
            return None, beyond
        green = self._green(junction, row, word.stage)
        serves = sum(veh for g, veh in open_veh.items() if g in green) / sum(waiting.values())
        away = beyond.ahead if beyond is not None else ""
        feeds = max((one for one in fed if one.group in green), key=lambda one: one.veh, default=None)
        return _drain(
            DrainKind.EMPTY, junction.id, road, word, serves=round(serves, 2), shut=away,
            feeds=feeds.road.ahead if feeds is not None and feeds.veh >= TOLD_VEH else "",
        ), beyond  # fmt: skip

    def _sparing(self, road: Road, here: int, shut: str, scene: Scene) -> Drain:
        """The stage of the junction before the road that sends nobody into it and lets most others go."""
        junction = self._city.junctions[here]
        nothing = Drain(DrainKind.NONE, road.ahead, road=road.edge_id, road_name=road.name, shut=shut)
        if junction.id in scene.held:
            return nothing
        first, ahead = int(self._city.signals.group_start[here]), self._full.ahead
        feeds = {g for g in range(first, first + len(junction.groups)) if road in ahead.of_group.get(g, ())}
        open_veh: dict[int, float] = {}
        feeding: dict[Approach, float] = {}
        for approach in self._at.get(here, ()):
            for group, veh in self._waiting(approach, scene).items():
                if group in feeds:
                    feeding[approach] = feeding.get(approach, 0.0) + veh
                elif self._shut_exit(group) is None:
                    open_veh[group] = open_veh.get(group, 0.0) + veh
        worths = {
            stage: worth
            for stage, worth in self._worths(junction, here, open_veh).items()
            if not self._green(junction, here, stage) & feeds
        }
        word = self._choose(road.edge, here, worths, scene)
        if not word.stage:
            return nothing
        feeder = max(feeding, key=lambda one: feeding[one], default=None)
        drain = _drain(DrainKind.HOLD_BACK, junction.id, road, word, shut=shut)
        return drain if feeder is None else msgspec.structs.replace(
            drain, feeder=feeder.edge, feeder_name=feeder.name
        )  # fmt: skip

    def _fed(self, row: int, scene: Scene) -> list[_Fed]:
        """Who waits at a junction to drive into roads into which nobody should be sent now."""
        return [
            _Fed(group, veh, road)
            for approach in self._at.get(row, ())
            for group, veh in self._waiting(approach, scene).items()
            if (road := self._shut_exit(group)) is not None
        ]

    def _shut_exit(self, group: int) -> Road | None:
        """Of the roads that a group leads to, into which nobody should be sent now, the longest full."""
        shut = [road for road in self._full.ahead.of_group.get(group, ()) if self._full.is_shut(road)]
        return max(shut, key=self._full.full_time, default=None)

    def _waiting(self, approach: Approach, scene: Scene) -> dict[int, float]:
        """City-wide row of a group -> vehicles that want to go with it: by the brain, else by stop lane."""
        junction = self._city.junctions[approach.junction]
        first = int(self._city.signals.group_start[approach.junction])
        found = dict.fromkeys(approach.groups, UNKNOWN_VEH)
        said = scene.said(junction.id)
        if said is not None and said.queue_veh:
            for group in found:
                name = junction.groups[group - first].id
                found[group] += said.queue_veh.get(name, 0.0) + said.demand_veh.get(name, 0.0)
            return found
        for lane in approach.stop_lanes.tolist():
            groups = [g for g in self._groups_of_lane.get(lane, ()) if g in found]
            for group in groups:
                found[group] += float(np.nan_to_num(scene.lane_veh[lane])) / len(groups)
        return found

    def _worths(self, junction: SignalJunction, row: int, open_veh: Mapping[int, float]) -> dict[str, float]:
        """Stage -> vehicles to which it gives right of way; none where the controller takes no stage."""
        first, deaf = int(self._city.signals.group_start[row]), junction.capability is not Capability.STAGE
        worths = {
            stage.id: sum(RIGHT_OF_WAY.get(stage.lamps[g - first], 0.0) * v for g, v in open_veh.items())
            for stage in junction.stages
        }
        return {} if deaf else {stage: worth for stage, worth in worths.items() if worth > 0.0}

    def _green(self, junction: SignalJunction, row: int, stage: str) -> set[int]:
        first = int(self._city.signals.group_start[row])
        lamps = next(one.lamps for one in junction.stages if one.id == stage)
        return {first + k for k, lamp in enumerate(lamps) if lamp in RIGHT_OF_WAY}

    def _choose(
        self, edge: int, row: int, worths: dict[str, float], scene: Scene, fed: Sequence[_Fed] = ()
    ) -> StageWord:
        """Of those about as good as the best, those that send fewest into full roads: of them what was
        offered lately, else what the brain likes best."""
        if not worths or int(scene.signals.mode[row]) in DEAF:
            return StageWord()
        junction = self._city.junctions[row]
        fed_veh = {
            stage: sum(one.veh for one in fed if one.group in self._green(junction, row, stage))
            for stage, worth in worths.items()
            if worth >= AS_GOOD * max(worths.values())
        }
        as_good = {stage: 1.0 for stage, veh in fed_veh.items() if veh < min(fed_veh.values()) + TOLD_VEH}
        at_s, before = self._offered.get((edge, row), (-np.inf, ""))
        if before in as_good and 0.0 <= scene.now_s - at_s <= OFFERED_S:
            as_good = {before: 1.0}
        said = scene.said(junction.id)
        word = self._serving.weigh(row, as_good, said, scene.signals, scene.now_s)
        # what the brain puts off is none the less what empties the road: it is named, and that it is put off
        word = replace(word, stage=word.stage or max(as_good, key=lambda one: worths[one]))
        self._offered[edge, row] = scene.now_s, word.stage
        return word


def _drain(kind: DrainKind, junction: str, road: Road, word: StageWord, **more: object) -> Drain:
    drain = Drain(
        kind, junction, word.stage, road.edge_id, road.name, stage_state=word.state, chosen=word.chosen,
        from_s=word.from_s, more_veh_s=word.more_veh_s,
    )  # fmt: skip
    return msgspec.structs.replace(drain, **more)
