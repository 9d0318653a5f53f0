"""From suspicions to incidents: one for one thing, from its first sign to its end.

What excludes each other is settled first: whose camera lies says nothing of the road; where the lamps do
not obey, nobody is to blame for standing. Then suspicions of one place go together: a spot of a road within
`SAME_M` along it (several lanes of it are a crash), or a junction (heads on several approaches that do not
go are a blocked junction). An incident keeps its id while its kind may change as more is seen.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from civicbrain.brains.incidents.drivers import Drivers
from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.things import MOST_EFFECTS, SAME_M, Thing, ThingIndex
from civicbrain.city.incidents import IncidentKind

_ROAD = (
    IncidentKind.STOPPED_VEHICLE, IncidentKind.CRASH, IncidentKind.CLOSED_LANE, IncidentKind.BLOCKED_JUNCTION,
    IncidentKind.SIGNAL_FAULT,
)  # fmt: skip
_SPOT = (IncidentKind.STOPPED_VEHICLE, IncidentKind.CRASH, IncidentKind.CLOSED_LANE)
APPROACH_M = 150.0
JAM_M, AFTERMATH_S = 400.0, (120.0, 600.0)
"""How far from an incident, and for how long after it, queues hold up first vehicles: at least, at most; a
queue goes off in about the time in which it grew."""

REOPENS_S = (600.0, 900.0)
"""What shows again so soon after it seemed over is the same: its id is open again. At least, at most, and as
long as it lasted. Where few come, an obstacle is not seen to hold up anybody for minutes."""


class Fusion:
    """things: what is open now. Call `update` with each second's suspicions."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.things: list[Thing] = []
        self._now_s = 0.0
        self._ended: list[Thing] = []
        self._index = ThingIndex(layout)
        self._drivers = Drivers(layout)
        self._edges_at: dict[int, set[int]] = defaultdict(set)  # junction row -> edges that lead to it
        edge = layout.city.network.lanes.edge
        for row in np.flatnonzero(layout.junction >= 0).tolist():
            self._edges_at[int(layout.junction[row])].add(int(edge[row]))

    def update(self, suspicions: list[Suspicion], now_s: float) -> list[Thing]:
        """Take in what is suspected now; returns those that are over, or turned out to be part of others."""
        self._now_s = now_s
        groups = self._groups(self._primary(self._settled(suspicions)))
        self._index = ThingIndex(self._layout, self.things)
        for group in groups:
            self._take(group, now_s)
        merged = [*self._merge(), *self._explained()]
        over = [thing for thing in self.things if now_s - thing.last_s > thing.quiet_s]
        for thing in over:
            thing.cleared_s = thing.last_s
        self.things = [thing for thing in self.things if thing.cleared_s < 0.0]
        self._ended = [t for t in (*self._ended, *over) if _lately(t, now_s, REOPENS_S)]
        return [*over, *merged]

    def _settled(self, suspicions: list[Suspicion]) -> list[Suspicion]:
        layout = self._layout
        lying = {s.junction for s in suspicions if s.kind is IncidentKind.SENSOR_FAULT}
        lying |= {t.junction for t in self.things if t.kind is IncidentKind.SENSOR_FAULT}
        disobeying = {s.junction for s in suspicions if s.kind is IncidentKind.SIGNAL_FAULT} - lying
        faults = {t.junction: t for t in self.things if t.kind is IncidentKind.SIGNAL_FAULT}
        blocked = self._blocked()
        held = {t.junction: t for t in self.things if t.at_line and t.lanes and t.kind in _SPOT}
        known = {row for t in self.things for row in t.lanes}
        kept = []
        for one in suspicions:
            if one.kind is IncidentKind.SENSOR_FAULT:
                kept.append(one)
                continue
            camera = int(layout.camera[one.lane]) if one.lane >= 0 else one.junction
            if camera in lying:
                continue
            if one.at_line and (camera in disobeying or camera in faults):
                if camera in faults:
                    self._affects(faults[camera], one.lane, one.d, one.onset_s)
                continue
            elsewhere = one.lane >= 0 and one.junction != camera and one.kind is not IncidentKind.WRONG_WAY
            cause = blocked.get(camera) if elsewhere else None
            if elsewhere and one.at_line and cause is None:
                cause = held.get(camera)  # its own first vehicles do not go, either
            if cause is not None and one.lane not in known:
                began_s = self._now_s if one.at_line else one.onset_s  # at a line one is judged by waiting
                if began_s > cause.onset_s:
                    self._affects(cause, one.lane, one.d, one.onset_s)
                    continue  # in mid-lane or by a line without a signal, before a junction that is blocked
            kept.append(one)
        return kept

    def _blocked(self) -> dict[int, Thing]:
        """Blocked junctions that are known, by row."""
        return {t.junction: t for t in self.things if t.kind is IncidentKind.BLOCKED_JUNCTION}

    def _affects(self, thing: Thing, lane: int, d: float, onset_s: float) -> None:
        """Who stands there does so because of it: noted once for each edge."""
        edge = int(self._layout.city.network.lanes.edge[lane])
        if lane not in thing.lanes and len(thing.effects) < MOST_EFFECTS:
            thing.effects.setdefault(edge, (lane, d, onset_s))

    def _primary(self, suspicions: list[Suspicion]) -> list[Suspicion]:
        """Without first vehicles that wait upstream of an incident whose queue is before them."""
        if not any(one.queue_beyond for one in suspicions):
            return suspicions
        lately = [t for t in self._ended if _lately(t, self._now_s, AFTERMATH_S)]
        jams: dict[int, Thing] = {}
        for thing in (*self.things, *lately):
            if thing.kind in _ROAD:
                own = self._own_edges(thing)
                for row in self._layout.behind(own, JAM_M):
                    if row not in own:
                        jams.setdefault(row, thing)
        edge = self._layout.city.network.lanes.edge
        kept = []
        for one in suspicions:
            cause = jams.get(int(edge[one.lane])) if one.queue_beyond else None
            if cause is None:
                kept.append(one)
            else:
                self._affects(cause, one.lane, one.d, one.onset_s)
        return kept

    def _own_edges(self, thing: Thing) -> frozenset[int]:
        """Edges that an incident is on."""
        edge = self._layout.city.network.lanes.edge
        own = {int(edge[row]) for row in thing.lanes}
        if thing.kind in (IncidentKind.BLOCKED_JUNCTION, IncidentKind.SIGNAL_FAULT) and thing.junction >= 0:
            own |= self._edges_at[thing.junction]
        return frozenset(own)

    def _groups(self, suspicions: list[Suspicion]) -> list[list[Suspicion]]:
        """Suspicions of one thing together."""
        layout = self._layout
        junctions: dict[tuple[str, int], list[Suspicion]] = defaultdict(list)
        spots: dict[int, list[Suspicion]] = defaultdict(list)
        heads: dict[int, list[Suspicion]] = defaultdict(list)
        rest: list[list[Suspicion]] = []
        for one in suspicions:
            if one.lane < 0:
                junctions[one.kind.value, one.junction].append(one)
            elif one.kind is IncidentKind.WRONG_WAY:
                rest.append([one])
            else:
                spots[int(layout.city.network.lanes.edge[one.lane])].append(one)
                if one.at_line and one.junction >= 0:
                    heads[one.junction].append(one)
        blocked = {
            row for row, found in heads.items() if len({int(layout.stem[one.lane]) for one in found}) > 1
        }
        for row in sorted(blocked):
            rest.append(heads[row])
        for found in spots.values():
            found = [one for one in found if not (one.at_line and one.junction in blocked)]
            found.sort(key=lambda one: one.d)
            group: list[Suspicion] = []
            for one in found:
                if group and one.d - group[-1].d > SAME_M:
                    rest.append(group)
                    group = []
                group.append(one)
            if group:
                rest.append(group)
        return [*junctions.values(), *rest]

    def _take(self, group: list[Suspicion], now_s: float) -> None:
        layout = self._layout
        kind = _kind_of(group, layout)
        thing = next((t for t in self._index.near(group) if self._same(t, group, kind)), None)
        onset_s = min(one.onset_s for one in group)
        if thing is None:
            thing = next((t for t in self._ended if self._again(t, group, kind)), None)
            if thing is not None:
                self._ended.remove(thing)
                thing.cleared_s = -1.0
                self.things.append(thing)
        if thing is None:
            thing = Thing(kind, onset_s, now_s, now_s, max(one.quiet_s for one in group))
            self.things.append(thing)
        thing.last_s = now_s
        if thing.kind is IncidentKind.WRONG_WAY:
            thing.lanes.clear()
            speed_mps = group[0].speed_mps
            thing.speed_mps = 0.7 * thing.speed_mps + 0.3 * speed_mps if thing.speed_mps else speed_mps
        whole = kind in (IncidentKind.BLOCKED_JUNCTION, IncidentKind.SIGNAL_FAULT)
        together = self._held_together(thing, group)
        whole = whole and not (kind is IncidentKind.BLOCKED_JUNCTION and _in_lane(thing))
        parts = [one for one in group if whole or together or one.lane < 0 or self._is_part(thing, one)]
        for one in group:
            if one not in parts:
                self._affects(thing, one.lane, one.d, one.onset_s)
        if not parts:
            return  # what stands about because of it
        thing.kind = _graver(thing.kind, _kind_of(parts, layout))
        if together:
            stems = {int(layout.stem[row]) for row in (*thing.lanes, *(one.lane for one in parts))}
            if len(stems) > 1:
                thing.kind = _graver(thing.kind, IncidentKind.BLOCKED_JUNCTION)
        thing.at_line &= all(one.at_line for one in parts)
        if thing.kind is not IncidentKind.WRONG_WAY:
            thing.onset_s = min(thing.onset_s, onset_s)
        thing.quiet_s = max(thing.quiet_s, *(one.quiet_s for one in parts))
        thing.ratio = max(one.ratio for one in parts)
        thing.most = max(thing.most, thing.ratio)
        for one in sorted(parts, key=lambda each: -each.ratio):
            if one.lane >= 0:
                thing.lanes.setdefault(one.lane, one.d)
            if one.junction >= 0:
                thing.junction = one.junction
            thing.evidence[f"{one.kind}{one.lane}{one.at_line}"] = one.evidence
        self._index.add(thing)

    def _same(self, thing: Thing, group: list[Suspicion], kind: IncidentKind) -> bool:
        one = group[0]
        if IncidentKind.SENSOR_FAULT in (thing.kind, kind):
            return thing.kind is kind and thing.junction == one.junction
        if IncidentKind.WRONG_WAY in (thing.kind, kind):
            return thing.kind is kind and self._drivers.same(thing, one, self._now_s)
        if one.junction >= 0 and one.junction == thing.junction and (one.lane < 0 or one.at_line):
            at_junction = (IncidentKind.SIGNAL_FAULT, IncidentKind.BLOCKED_JUNCTION)
            if thing.kind in at_junction or kind in at_junction:
                return True
        if self._held_together(thing, group):
            return True
        return any(
            self._near(s.lane, s.d, lane, d) for s in group if s.lane >= 0 for lane, d in thing.lanes.items()
        )

    def _again(self, thing: Thing, group: list[Suspicion], kind: IncidentKind) -> bool:
        """Whether what was over shows again: in mid-lane at its place; at the line its queue may last."""
        here = thing.kind is IncidentKind.WRONG_WAY or any(
            one.lane < 0 or one.at_line or self._is_part(thing, one) for one in group
        )
        return here and self._same(thing, group, kind)

    def _held_together(self, thing: Thing, group: list[Suspicion]) -> bool:
        """First vehicles of one junction that do not go, one approach after the other: one thing."""
        held = thing.at_line and bool(thing.lanes) and thing.kind in _ROAD
        return held and all(one.at_line and one.junction == thing.junction >= 0 for one in group)

    def _near(self, lane: int, d: float, other: int, other_d: float) -> bool:
        """One approach: what stands about on it beside an incident is its consequence."""
        layout = self._layout
        return bool(layout.stem[lane] == layout.stem[other]) and abs(d - other_d) <= APPROACH_M

    def _is_part(self, thing: Thing, one: Suspicion) -> bool:
        """Of the thing itself, not what stands about because of it: at its place, or at its junction."""
        if not thing.lanes or thing.kind in (IncidentKind.BLOCKED_JUNCTION, IncidentKind.SIGNAL_FAULT):
            return True
        lane, d = next(iter(thing.lanes.items()))
        edge = self._layout.city.network.lanes.edge
        return bool(edge[lane] == edge[one.lane]) and abs(one.d - d) <= SAME_M

    def _merge(self) -> list[Thing]:
        """Two that have grown into one are one: the older stays. Those that do not."""
        kept: list[Thing] = []
        merged: list[Thing] = []
        index = ThingIndex(self._layout)
        for thing in sorted(self.things, key=lambda each: (each.first_s, each.onset_s)):
            twin = next((each for each in index.beside(thing) if self._one(each, thing)), None)
            if twin is None:
                kept.append(thing)
                index.add(thing)
                continue
            thing.part_of, thing.cleared_s = twin, self._now_s
            merged.append(thing)
            twin.last_s, twin.most = max(twin.last_s, thing.last_s), max(twin.most, thing.most)
            if _in_lane(twin) and thing.kind is IncidentKind.BLOCKED_JUNCTION:
                for row, d in thing.lanes.items():
                    self._affects(twin, row, d, thing.onset_s)
                continue  # what waits because of it
            twin.kind = _graver(twin.kind, thing.kind)
            twin.lanes = twin.lanes | {row: d for row, d in thing.lanes.items() if row not in twin.lanes}
            twin.onset_s = min(twin.onset_s, thing.onset_s)
            twin.evidence = {**twin.evidence, **thing.evidence}
            index.add(twin)
        self.things = kept
        return merged

    def _explained(self) -> list[Thing]:
        """What was told on an approach before its junction was known to be blocked, but after that began, is
        part of it: the junction has its id from now on, where it has none yet."""
        blocked, kept, explained = self._blocked(), list[Thing](), list[Thing]()
        for thing in self.things:
            lane, d = next(iter(thing.lanes.items()), (-1, 0.0))
            cause = blocked.get(int(self._layout.camera[lane])) if lane >= 0 else None
            began_s = thing.first_s if thing.at_line else thing.onset_s
            if thing.kind not in _SPOT or cause is None or began_s <= cause.onset_s:
                kept.append(thing)
                continue
            self._affects(cause, lane, d, thing.onset_s)
            if cause.id:
                thing.part_of, thing.cleared_s = cause, self._now_s
                explained.append(thing)
            else:
                cause.id, cause.first_s = thing.id, min(thing.first_s, cause.first_s)
        self.things = kept
        return explained

    def _one(self, a: Thing, b: Thing) -> bool:
        lone = (IncidentKind.SENSOR_FAULT, IncidentKind.WRONG_WAY)
        if a.kind in lone or b.kind in lone:
            return a.kind is b.kind and a.junction == b.junction and a.kind is IncidentKind.SENSOR_FAULT
        if a.kind not in _SPOT and b.kind not in _SPOT and a.junction == b.junction:
            return True
        return any(self._near(x, dx, y, dy) for x, dx in a.lanes.items() for y, dy in b.lanes.items())


_GRAVE = (
    IncidentKind.CLOSED_LANE, IncidentKind.STOPPED_VEHICLE, IncidentKind.CRASH, IncidentKind.BLOCKED_JUNCTION,
    IncidentKind.SIGNAL_FAULT,
)  # fmt: skip


def _in_lane(thing: Thing) -> bool:
    """Whether it was seen on the road, not only by first vehicles that do not go: it has its place, and a
    junction whose approaches do not go beside it is no reason to look for it there."""
    return thing.kind in _SPOT and not thing.at_line


def _lately(thing: Thing, now_s: float, limits_s: tuple[float, float]) -> bool:
    """Whether it ended no longer ago than it lasted, within these limits."""
    lasted_s = thing.last_s - thing.onset_s
    return now_s - thing.last_s < min(max(lasted_s, limits_s[0]), limits_s[1])


def _graver(one: IncidentKind, other: IncidentKind) -> IncidentKind:
    """The kind that explains more; a lane where one vehicle after the other stops is closed."""
    if {one, other} == {IncidentKind.CLOSED_LANE, IncidentKind.STOPPED_VEHICLE}:
        return IncidentKind.CLOSED_LANE
    if one in _GRAVE and other in _GRAVE:
        return max(one, other, key=_GRAVE.index)
    return one


def _kind_of(group: list[Suspicion], layout: Layout) -> IncidentKind:
    kinds = {one.kind for one in group}
    if len({int(layout.stem[one.lane]) for one in group if one.lane >= 0}) > 1:
        return IncidentKind.BLOCKED_JUNCTION
    if kinds == {IncidentKind.CLOSED_LANE}:
        return IncidentKind.CLOSED_LANE
    if len({one.lane for one in group if one.lane >= 0}) > 1:
        return IncidentKind.CRASH
    return next((kind for kind in reversed(_GRAVE) if kind in kinds), group[0].kind)
