"""Which junctions do worst, why, and what can be done: rules over what is known, no model.

Ranked by the vehicles that stood there on average over the last two minutes. By Little's law that is the
time lost there each second, so the first in the list is where attention is worth most. The causes are told in
a fixed order (`CauseKind`), each with the figures that speak for it; a rule that does not hold says nothing,
and where none holds the list says so instead of guessing. What queues say is of the same two minutes
(`queue_rules.py`), which roads are full has one definition (`full_roads.py`), and what was told stands until
another cause has held for some seconds (`steady.py`): who looks twice reads the same.

A remedy names a stage only after the brain that controls the junction was heard (`stage_words.py`): green
before a full road helps nobody, and what the brain does anyway need not be asked for. What empties a full
road is looked for at the junctions ahead (`drains.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
import numpy as np

from civicbrain.city.approaches import Approach
from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.signals import OWN_PLAN, Capability
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.brain import Priority
from civicbrain.contracts.junction_recent import QueuesNow
from civicbrain.contracts.overrides import HeldFor, Holder, Override
from civicbrain.contracts.worst import Cause, CauseKind, FullRoad, StageState, WorstPlace
from civicbrain.runtime.causes import (
    held_cause,
    make_cause,
    road_cause,
    say_road,
    say_word,
    street_of,
    tell_mutual,
)
from civicbrain.runtime.drains import Drains, Scene
from civicbrain.runtime.explanations import Explained, read_words
from civicbrain.runtime.full_roads import FullRoads
from civicbrain.runtime.queue_rules import LEAST_STANDING_VEH, Judged, QueueRules
from civicbrain.runtime.recent import STANDING_SPAN, Recent
from civicbrain.runtime.roads_ahead import Road
from civicbrain.runtime.stage_words import Serving, StageWord
from civicbrain.runtime.steady import Steady

SILENT_S = 10.0
"""A camera speaks each second; ten are no longer a hiccup."""

NEAR_M = 150.0
"""An incident so near a junction weighs on it: the view of a camera."""

_WHY_LOCAL = {
    "off": "the brain is switched off",
    "starting": "the brain is starting",
    "backing-off": "the brain has failed and is started again",
}
MOST_LISTED = 50


@dataclass(frozen=True)
class Known:
    """What the brain process knows beside the snapshot. delay_s, queue_veh: (j,) by junction, now. brain:
    state of the brain that controls signals, as `BrainHealth` names it; words: what it says of each junction
    now. held_for: junction id -> the vehicle for which it is held."""

    delay_s: F64
    queue_veh: F64
    brain: str
    overrides: Mapping[str, Override]
    holders: Mapping[str, Holder]
    held_for: Mapping[str, HeldFor] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


class WorstPlaces:
    """Rules over the approaches of `recent`."""

    def __init__(self, city: City, recent: Recent) -> None:
        self._city, self._recent = city, recent
        self.approaches: tuple[Approach, ...] = recent.approaches
        self._storage_veh = np.array([max(a.storage_veh, 1.0) for a in self.approaches])
        self._junction_of = np.array([a.junction for a in self.approaches], np.int64)
        self._streets = {a.edge: a.name or a.edge for a in self.approaches}
        self.full, self._serving = FullRoads(city), Serving(city)
        self._drains = Drains(city, self.approaches, self.full, self._serving)
        self._rules, self._steady = QueueRules(recent, self._storage_veh), Steady[Judged]()
        # approach -> when the brain held most of those who wait there back, and which of their groups
        self._blocked_by: dict[int, tuple[float, tuple[int, ...]]] = {}
        self._approaches_of: dict[str, list[int]] = {}
        for k, approach in enumerate(self.approaches):
            self._approaches_of.setdefault(city.junctions[approach.junction].id, []).append(k)

    def take(self, snapshot: Snapshot, words: Mapping[str, Mapping[str, object]]) -> None:
        """What is known after a tick, and what the brain says of each junction now."""
        held_back: list[Road] = []
        for junction, said in words.items():
            if not said.get("full_outlets"):
                continue
            read, queued = read_words(said), snapshot.lanes.queued
            for k in self._approaches_of.get(junction, ()):
                groups = self._serving.full_groups(self.approaches[k], read)
                if groups:
                    self._blocked_by[k] = snapshot.time_s, groups
            for group in self._serving.list_groups(junction, read.full_outlets):
                road = self.full.ahead.fullest((group,), queued)
                held_back += [road] if road is not None else []
        self.full.take(snapshot, held_back)

    # -- for the strip

    def count_spill_backs(self) -> int | None:
        """Roads that spill back (`full_roads.py`); None while no camera has spoken."""
        return self.full.count()

    def count_silent(self, snapshot: Snapshot) -> int:
        """Junctions of which at least one approach with a camera was not seen lately."""
        cameras = self._city.cameras
        silent = snapshot.lanes.age_s[cameras.lane] > SILENT_S
        return len(np.unique(cameras.junction[silent]))

    def list_queues(self, snapshot: Snapshot) -> QueuesNow:
        """For the map: where vehicles stand, and where nobody looks any more."""
        queued, cameras = snapshot.lanes.queued, self._city.cameras
        rows = np.flatnonzero(queued > 0)
        silent = cameras.lane[snapshot.lanes.age_s[cameras.lane] > SILENT_S]
        return QueuesNow(
            snapshot.time_s, rows.tolist(), queued[rows].astype(int).tolist(), np.sort(silent).tolist()
        )

    # -- the list

    def list_now(self, snapshot: Snapshot, known: Known, limit: int) -> list[WorstPlace]:
        """The worst first; junctions at which hardly anybody stands are left out."""
        standing, scene = self._recent.standing(), self._scene(snapshot, known)
        by_junction = np.bincount(self._junction_of, standing, len(self._city.junctions))
        order = np.argsort(-by_junction, kind="stable")[: min(limit, MOST_LISTED)]
        return tell_mutual(
            [
                self._place(int(row), snapshot, known, standing, scene)
                for row in order.tolist()
                if by_junction[row] >= LEAST_STANDING_VEH
            ]
        )

    def list_full(self, snapshot: Snapshot, known: Known, limit: int) -> list[FullRoad]:
        """The roads that the strip counts, whether or not a listed place names them."""
        scene, told = self._scene(snapshot, known), []
        for road in self.full.list_spilling()[: min(limit, MOST_LISTED)]:
            row = self.full.ahead.before(road)
            judged = self._road(road, "The road", -1, {})
            drain = self._drains.advise(road, row, scene)
            cause = road_cause(road, judged.says, drain, None, **judged.figures)
            told.append(FullRoad(self._city.junctions[row].id, cause))
        return told

    def _scene(self, snapshot: Snapshot, known: Known) -> Scene:
        """Of the whole city, for what empties full roads."""
        held = {name: override.actor for name, override in known.overrides.items()}
        held |= {name: one.name or one.id for name, one in known.held_for.items() if name not in held}

        @cache
        def said(junction: str) -> Explained | None:
            words = known.words.get(junction)
            return None if words is None else read_words(words)

        return Scene(snapshot.signals, self._recent.lane_means(), said, held, snapshot.time_s)

    def _place(self, row: int, snapshot: Snapshot, known: Known, standing: F64, scene: Scene) -> WorstPlace:
        mine, words = np.flatnonzero(self._junction_of == row), scene.said(self._city.junctions[row].id)
        at = _Now(row, snapshot, standing, words, scene)
        fill = standing[mine] / self._storage_veh[mine]
        fullest = int(mine[np.argmax(fill)]) if len(mine) else -1
        delay_s, now = float(known.delay_s[row]), float(known.queue_veh[row])
        return WorstPlace(
            self._city.junctions[row].id, round(float(standing[mine].sum()), 1), round(now, 1),
            None if np.isnan(delay_s) else round(delay_s, 1),
            self.approaches[fullest].edge if fullest >= 0 else "",
            round(float(fill.max()), 2) if fullest >= 0 else 0.0,
            tuple(
                msgspec.structs.replace(cause, name=cause.name or self._streets.get(cause.about, ""))
                for cause in self._causes(at, mine, known)
            ),
            known.held_for.get(self._city.junctions[row].id),
        )  # fmt: skip

    def _causes(self, now: _Now, mine: Any, known: Known) -> list[Cause]:
        facts, judged = self._facts(now.row, mine, now.snapshot, known), self._judge(now, mine)
        lead = self._steady.keep(now.row, judged[0], now.time_s)
        # while another cause has not held for long enough it is not told beside the one that stands, either
        further = [self._tell(one, now) for one in judged[1:]] if lead.identity == judged[0].identity else []
        told = [] if lead.kind is CauseKind.UNKNOWN and facts else [self._tell(lead, now)]
        order = list(CauseKind).index
        before = [cause for cause in facts if order(cause.kind) < order(lead.kind)]
        after = [one for one in (*facts[len(before) :], *further) if one.kind is not CauseKind.UNKNOWN]
        return [*before, *told, *sorted(after, key=lambda cause: order(cause.kind))]

    def _facts(self, row: int, mine: Any, snapshot: Snapshot, known: Known) -> list[Cause]:
        """What needs no judgement, in the order of `CauseKind`."""
        junction = self._city.junctions[row]
        mode, found = int(snapshot.signals.mode[row]), []
        for incident in snapshot.incidents:
            far_m = np.hypot(incident.place.x_m - junction.x_m, incident.place.y_m - junction.y_m)
            if incident.place.junction == junction.id or far_m <= NEAR_M:
                kind = str(incident.kind).replace("_", " ")
                says = f"Incident {far_m:.0f} m away: {kind}."
                cause = make_cause("INCIDENT", "OPEN_INCIDENT", says, incident.id, distance_m=float(far_m))
                found.append(cause)
        if (override := known.overrides.get(junction.id)) is not None:
            left_s = override.expires_s - snapshot.time_s
            says = f"{override.actor} holds it for another {left_s:.0f} s."
            found.append(make_cause("OVERRIDE", "GIVE_BACK", says, override.actor, left_s=left_s))
        found += self._silent(mine, snapshot)
        if mode in OWN_PLAN:
            why = _WHY_LOCAL.get(known.brain, "it does not follow the brain")
            says = f"It runs its local plan: {why}."
            found.append(make_cause("LOCAL_MODE", "SWITCH_BRAIN_ON", says, known.brain))
        holder = known.holders.get(junction.id)
        if holder is not None and int(Priority.SIGNALS) < holder.priority < int(Priority.OPERATOR):
            found.append(held_cause(holder, known.held_for.get(junction.id), snapshot.time_s))
        return found

    def _silent(self, mine: Any, snapshot: Snapshot) -> list[Cause]:
        worst: Cause | None = None
        for k in mine.tolist():
            approach = self.approaches[k]
            age_s = float(snapshot.lanes.age_s[approach.lanes].min()) if approach.seen else np.inf
            if age_s <= SILENT_S:
                continue
            street = street_of(approach)
            if not approach.seen:
                worst = worst or make_cause(
                    "CAMERA_SILENT", "LOOK_AT_CAMERA", f"No camera sees {street}.", approach.edge
                )
            else:
                for_s = min(age_s, 86_400.0)
                says = f"The camera on {street} has been silent for {for_s:.0f} s."
                worst = make_cause("CAMERA_SILENT", "LOOK_AT_CAMERA", says, approach.edge, silent_s=for_s)
        return [worst] if worst is not None else []

    # -- what is judged

    def _judge(self, now: _Now, mine: Any) -> list[Judged]:
        """What explains most first: who is held back by a full road, a full road, what queues say."""
        queue = self._rules.judge(now.row, mine, now.standing, now.time_s)
        blocked, behind = self._blocked(queue.approach, now), self._full_behind(now.row)
        if blocked is not None:
            return [blocked] if behind is None or behind.road is blocked.road else [blocked, behind]
        return [queue] if behind is None else [behind, queue]

    def _full_behind(self, row: int) -> Judged | None:
        """The road behind the junction that was full for longest, of those that spill back."""
        spilling = [road for road in self.full.ahead.of_junction.get(row, ()) if self.full.spills(road)]
        if not spilling:
            return None
        road = max(spilling, key=self.full.full_time)
        return self._road(road, "The road ahead of it", -1, {})

    def _blocked(self, k: int, now: _Now) -> Judged | None:
        """Where the brain holds most of those who wait on an approach back because the road ahead is full:
        that is the cause, and no stage here is its remedy."""
        at_s, groups = self._blocked_by.get(k, (-np.inf, ()))
        roads = [one for g in groups for one in self.full.ahead.of_group.get(g, ()) if self.full.spills(one)]
        if not roads or not 0.0 <= now.time_s - at_s < STANDING_SPAN:
            return None
        queue_veh, road = float(now.standing[k]), max(roads, key=self.full.full_time)
        street = street_of(self.approaches[k])
        return self._road(road, f"The road ahead of {street}", k, {"queue_veh": queue_veh})

    def _road(self, road: Road, which: str, k: int, figures: dict[str, float]) -> Judged:
        share = self.full.full_time(road)
        wait = f" {figures['queue_veh']:.0f} wait before it." if figures else ""
        full = f"{say_road(road)} ({100 * share:.0f} % of two minutes)"
        says = f"{which} is full: {full}.{wait} Green here does not help."
        return Judged(CauseKind.SPILL_BACK, k, says, figures | {"full_share": share}, road)

    def _tell(self, judged: Judged, now: _Now) -> Cause:
        """With its remedy as things are now."""
        if judged.road is not None:
            approach = self.approaches[judged.approach] if judged.approach >= 0 else None
            drain = self._drains.advise(judged.road, now.row, now.scene)
            return road_cause(judged.road, judged.says, drain, approach, **judged.figures)
        if judged.approach < 0:
            return make_cause(judged.kind.name, "LOOK_AT_JUNCTION", judged.says)
        return self._ask_for(judged, now)

    def _ask_for(self, judged: Judged, now: _Now) -> Cause:
        """A cause that a stage which serves its approach remedies, where the brain has no better word."""
        approach, kind, figures = self.approaches[judged.approach], judged.kind, dict(judged.figures)
        junction, demand = self._city.junctions[now.row], judged.kind is CauseKind.DEMAND
        word = StageWord()
        if junction.capability is Capability.STAGE:
            word = self._serving.word(now.row, approach, now.said, now.snapshot.signals, now.time_s)
        if word.from_s is not None:
            figures["from_s"] = word.from_s
        if word.more_veh_s is not None:
            figures["more_veh_s"] = word.more_veh_s
        remedy = "TRY_WHAT_IF" if demand else "LOOK_AT_JUNCTION"
        if not demand and word.state is not StageState.UNKNOWN:
            remedy = "SEE_REASONS"
        elif not demand and word.stage:
            remedy = "SHOW_STAGE"
        says = f"{judged.says} {say_word(word)}".rstrip()
        cause = make_cause(kind.name, remedy, says, approach.edge, **figures)
        return msgspec.structs.replace(cause, stage=word.stage, stage_state=word.state, chosen=word.chosen)


@dataclass(frozen=True, slots=True)
class _Now:
    """What the rules look at. said: what the brain says of the junction now, None for nothing."""

    row: int
    snapshot: Snapshot
    standing: F64
    said: Explained | None
    scene: Scene

    @property
    def time_s(self) -> float:
        return self.snapshot.time_s
