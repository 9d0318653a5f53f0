"""Which junctions do worst, why, and what can be done: rules over what is known, no model.

Ranked by the vehicles that stood there on average over the last two minutes. By Little's law that is the
time lost there each second, so the first in the list is where attention is worth most. The causes are told in
a fixed order (`CauseKind`), each with the figures that speak for it; a rule that does not hold says nothing,
and where none holds the list says so instead of guessing. What queues say is of the same two minutes, and
what was told lately goes on being told until it clearly no longer holds: who looks twice reads the same.

A remedy names a stage only after the brain that controls the junction was heard (`stage_words.py`): green
before a full road helps nobody, and what the brain does anyway need not be asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
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
from civicbrain.contracts.worst import Cause, CauseKind, StageState, WorstPlace
from civicbrain.runtime.causes import (
    held_cause,
    make_cause,
    road_cause,
    say_road,
    say_word,
    street_of,
    tell_mutual,
)
from civicbrain.runtime.explanations import Explained, read_words
from civicbrain.runtime.recent import STANDING_SPAN, Recent
from civicbrain.runtime.roads_ahead import Road, RoadsAhead
from civicbrain.runtime.stage_words import Serving, StageWord

FULL_SHARE = 0.9
"""A queue that fills so much of its camera's view may reach back farther than anybody knows."""

SILENT_S = 10.0
"""A camera speaks each second; ten are no longer a hiccup."""

NEAR_M = 150.0
"""An incident so near a junction weighs on it: the view of a camera."""

GROWN_VEH = 4.0
"""A queue that has grown by so many over the kept minutes, and that no green has cleared within the last two
of them, is beyond what a cycle varies: more comes than can be served."""

FULL_TIME = 0.25
"""Share of the two minutes in which a queue fills its camera's view: more than the end of one red."""

UNEVEN_SHARE, EMPTY_SHARE = 0.6, 0.15
LEAST_STANDING_VEH = 1.0
KEPT_SHARE = 0.6
"""What was told lately is told on while its figure is above this share of what it takes to be told at first:
figures of two minutes vary less than that within a cycle."""

BLOCKED_S = 10.0
"""A full road that lets a vehicle in now and then is full between them, too."""

BLOCKED_TIME = 0.25
"""Share of the two minutes in which the road ahead is full: it holds them up, whether it is full just now."""

TOLD_S = 20.0
"""What nobody was told for so long is judged anew."""

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
        self._roads, self._serving = RoadsAhead(city), Serving(city)
        # (junction, kind of cause) -> when it was told last, and of which approach or edge
        self._told: dict[tuple[int, str], tuple[float, int]] = {}
        # approach -> seconds of the last two minutes in which the brain said that the road ahead is full, and
        # of which groups it was so last
        self._blocked_s: dict[int, deque[float]] = {}
        self._blocked_by: dict[int, tuple[int, ...]] = {}
        self._approaches_of: dict[str, list[int]] = {}
        for k, approach in enumerate(self.approaches):
            self._approaches_of.setdefault(city.junctions[approach.junction].id, []).append(k)

    def hear(self, words: Mapping[str, Mapping[str, object]], now_s: float) -> None:
        """What the brain says of each junction in this tick."""
        for junction, said in words.items():
            if not said.get("full_outlets"):
                continue
            read = read_words(said)
            for k in self._approaches_of.get(junction, ()):
                groups = self._serving.full_groups(self.approaches[k], read)
                if groups:
                    self._blocked_by[k] = groups
                    seconds = self._blocked_s.setdefault(k, deque(maxlen=STANDING_SPAN))
                    if not seconds or seconds[-1] != now_s:
                        seconds.append(now_s)

    # -- for the strip

    def queues(self, snapshot: Snapshot) -> F64:
        """(a,) vehicles queued on each approach."""
        sums = np.bincount(self._recent.lane_approach, snapshot.lanes.queued, len(self.approaches) + 1)
        return np.asarray(sums[:-1], np.float64)

    def count_spill_backs(self, snapshot: Snapshot) -> int | None:
        """Approaches whose queue fills the view of their camera; None while no camera has spoken."""
        if not snapshot.lanes.observed.any():
            return None
        full = self.queues(snapshot) >= FULL_SHARE * self._storage_veh
        return int(np.count_nonzero(full & (self._storage_veh >= 2.0)))

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
        standing = self._recent.standing()
        by_junction = np.bincount(self._junction_of, standing, len(self._city.junctions))
        order = np.argsort(-by_junction, kind="stable")[: min(limit, MOST_LISTED)]
        return tell_mutual(
            [
                self._place(int(row), snapshot, known, standing)
                for row in order.tolist()
                if by_junction[row] >= LEAST_STANDING_VEH
            ]
        )

    def _place(self, row: int, snapshot: Snapshot, known: Known, standing: F64) -> WorstPlace:
        mine = np.flatnonzero(self._junction_of == row)
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
                for cause in self._causes(row, mine, snapshot, known, standing)
            ),
            known.held_for.get(self._city.junctions[row].id),
        )  # fmt: skip

    def _causes(self, row: int, mine: Any, snapshot: Snapshot, known: Known, standing: F64) -> list[Cause]:
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
        found += self._full_behind(row, snapshot)
        if mode in OWN_PLAN:
            why = _WHY_LOCAL.get(known.brain, "it does not follow the brain")
            says = f"It runs its local plan: {why}."
            found.append(make_cause("LOCAL_MODE", "SWITCH_BRAIN_ON", says, known.brain))
        holder = known.holders.get(junction.id)
        if holder is not None and int(Priority.SIGNALS) < holder.priority < int(Priority.OPERATOR):
            found.append(held_cause(holder, known.held_for.get(junction.id), snapshot.time_s))
        words = known.words.get(junction.id)
        now = _Now(row, snapshot, standing, None if words is None else read_words(words))
        said = self._of_queues(now, mine)
        known_already = any(cause.kind is said.kind and cause.about == said.about for cause in found)
        return found if known_already or (said.kind is CauseKind.UNKNOWN and found) else [*found, said]

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

    def _full_behind(self, row: int, snapshot: Snapshot) -> list[Cause]:
        """The fullest road behind the junction, where it is full."""
        means = self._recent.lane_means()
        before, share = self._told_of(row, "SPILL_BACK", snapshot.time_s), 0.0
        worst: Road | None = None
        for road in self._roads.of_junction.get(row, ()):
            filled = road.filled(means)  # NaN where it was not seen
            if filled > max(share, FULL_SHARE * (KEPT_SHARE if road.edge == before else 1.0)):
                worst, share = road, filled
        if worst is None:
            return []
        self._told[row, "SPILL_BACK"] = snapshot.time_s, worst.edge
        share = min(share, 1.0)
        full = f"{100 * share:.0f} % under standing vehicles"
        says = f"The road ahead of it is full: {say_road(worst)}, {full}."
        return [road_cause(worst, says, share=share)]

    def _told_of(self, row: int, kind: str, now_s: float) -> int:
        """The approach or edge of which this was told lately, -1 for none."""
        at_s, which = self._told.get((row, kind), (-np.inf, -1))
        return which if 0.0 <= now_s - at_s <= TOLD_S else -1

    # -- what the queues themselves say

    def _of_queues(self, now: _Now, mine: Any) -> Cause:
        """The first rule that holds of one of its approaches; that of which it was told lately goes first."""
        for kind, rule in (
            ("DEMAND", self._growing),
            ("FULL_APPROACH", self._full),
            ("UNEVEN", self._uneven),
        ):
            before = self._told_of(now.row, kind, now.time_s)
            cause, k = rule(now, mine, before)
            if cause is not None:
                self._told[now.row, kind] = now.time_s, k
                return cause
        return self._busy(now, mine)

    def _growing(self, now: _Now, mine: Any, before: int) -> tuple[Cause | None, int]:
        """A queue that grows over the minutes and that no green clears."""
        for k in _first(before, mine[np.argsort(-now.standing[mine] / self._storage_veh[mine])[:1]]):
            approach, slack = self.approaches[k], KEPT_SHARE if k == before else 1.0
            grown = self._recent.growth(approach)
            if grown is None or grown[1] - grown[0] < slack * GROWN_VEH or grown[2] < LEAST_STANDING_VEH:
                continue
            grew = f"its queue grew from {grown[0]:.0f} to {grown[1]:.0f} vehicles"
            says = f"{street_of(approach)}: {grew} and no longer clears."
            figures = {"before_veh": grown[0], "after_veh": grown[1]}
            return self._blocked(now, k) or self._ask_for("DEMAND", now, approach, says, **figures), k
        return None, -1

    def _full(self, now: _Now, mine: Any, before: int) -> tuple[Cause | None, int]:
        """A queue that keeps filling its camera's view. The longest counts: a stub is full with three."""
        standing = now.standing
        for k in _first(before, mine[np.argsort(-standing[mine])]):
            if standing[k] < 0.5 * standing[mine].max():
                continue
            approach, slack = self.approaches[k], KEPT_SHARE if k == before else 1.0
            if self._recent.share_above(approach, FULL_SHARE * self._storage_veh[k]) < slack * FULL_TIME:
                continue
            veh = float(standing[k])
            fills = f"keeps filling all that its camera sees: {veh:.0f} in the mean."
            says = f"The queue on {street_of(approach)} {fills}"
            return self._blocked(now, k) or self._ask_for(
                "FULL_APPROACH", now, approach, says, queue_veh=veh
            ), k
        return None, -1

    def _uneven(self, now: _Now, mine: Any, before: int) -> tuple[Cause | None, int]:
        """One approach waits while the others are nearly empty."""
        share = now.standing[mine] / self._storage_veh[mine]
        if len(mine) < 2:
            return None, -1
        k = int(mine[np.argmax(share)])
        slack = KEPT_SHARE if k == before else 1.0
        if share.max() < slack * UNEVEN_SHARE or np.sort(share)[-2] > EMPTY_SHARE / slack:
            return None, -1
        approach, veh = self.approaches[k], float(now.standing[k])
        says = f"{veh:.0f} vehicles wait on {street_of(approach)}; the other approaches are nearly empty."
        return self._blocked(now, k) or self._ask_for("UNEVEN", now, approach, says, queue_veh=veh), k

    def _busy(self, now: _Now, mine: Any) -> Cause:
        """Where no rule holds: nothing is known to be wrong, and here is where most wait."""
        before, standing = self._told_of(now.row, "UNKNOWN", now.time_s), now.standing
        most = int(mine[np.argmax(standing[mine])]) if len(mine) else -1
        if before >= 0 and standing[before] >= KEPT_SHARE * standing[most]:
            most = before
        if most < 0 or standing[most] < 0.5 * (KEPT_SHARE if most == before else 1.0):
            return make_cause("UNKNOWN", "LOOK_AT_JUNCTION", "The queue has cleared for now.")
        self._told[now.row, "UNKNOWN"] = now.time_s, most
        where, veh = self.approaches[most], float(standing[most])
        says = f"Nothing is known to be wrong; most wait on {street_of(where)}: {veh:.0f} in the mean."
        return self._blocked(now, most) or self._ask_for("UNKNOWN", now, where, says, queue_veh=veh)

    def _blocked(self, now: _Now, k: int) -> Cause | None:
        """Where the brain holds an approach back because the road ahead is full: that is the cause, and no
        stage is its remedy. Told on for a while, because the brain judges each second anew."""
        seconds = [at_s for at_s in self._blocked_s.get(k, ()) if 0.0 <= now.time_s - at_s < STANDING_SPAN]
        road = self._roads.fullest(self._blocked_by.get(k, ()), now.snapshot.lanes.queued)
        lately = bool(seconds) and now.time_s - seconds[-1] <= BLOCKED_S
        share = len(seconds) / STANDING_SPAN
        if road is None or not (lately or share >= BLOCKED_TIME):
            return None
        approach, figures = self.approaches[k], {"queue_veh": float(now.standing[k])}
        full = "is full"
        if not lately:
            full, figures["full_share"] = f"was full in {100 * share:.0f} % of two minutes", share
        helps = f"{figures['queue_veh']:.0f} wait; green does not help."
        says = f"The road ahead of {street_of(approach)} {full}: {say_road(road)}. {helps}"
        return road_cause(road, says, approach, **figures)

    def _ask_for(self, kind: str, now: _Now, approach: Approach, says: str, **figures: float) -> Cause:
        """A cause that a stage which serves this approach remedies, where the brain has no better word."""
        junction = self._city.junctions[now.row]
        word = StageWord()
        if junction.capability is Capability.STAGE:
            word = self._serving.word(now.row, approach, now.said, now.snapshot.signals, now.time_s)
        if word.from_s is not None:
            figures["from_s"] = word.from_s
        if word.more_veh_s is not None:
            figures["more_veh_s"] = word.more_veh_s
        remedy = "TRY_WHAT_IF" if kind == "DEMAND" else "LOOK_AT_JUNCTION"
        if kind != "DEMAND" and word.state is not StageState.UNKNOWN:
            remedy = "SEE_REASONS"
        elif kind != "DEMAND" and word.stage:
            remedy = "SHOW_STAGE"
        says = f"{says} {say_word(word)}".rstrip()
        cause = make_cause(kind, remedy, says, approach.edge, **figures)
        return msgspec.structs.replace(cause, stage=word.stage, stage_state=word.state, chosen=word.chosen)


@dataclass(frozen=True, slots=True)
class _Now:
    """What the rules on queues look at. said: what the brain says of the junction now, None for nothing."""

    row: int
    snapshot: Snapshot
    standing: F64
    said: Explained | None

    @property
    def time_s(self) -> float:
        return self.snapshot.time_s


def _first(before: int, rows: Any) -> list[int]:
    """Rows, with that of which something was told lately at their head."""
    return list(dict.fromkeys([before] * (before >= 0) + [int(k) for k in rows]))
