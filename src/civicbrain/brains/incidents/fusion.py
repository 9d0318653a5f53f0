"""From suspicions to incidents: one for one thing, from its first sign to its end.

What excludes each other is settled first: whose camera lies says nothing of the road; where the lamps do
not obey, nobody is to blame for standing. Then suspicions of one place go together: a spot of a road within
`SAME_M` along it (several lanes of it are a crash), or a junction (heads on several approaches that do not
go are a blocked junction). An incident keeps its id while its kind may change as more is seen.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.city.incidents import IncidentKind
from civicbrain.core.sentences import Sentence

SAME_M = 40.0
_ROAD = (
    IncidentKind.STOPPED_VEHICLE, IncidentKind.CRASH, IncidentKind.CLOSED_LANE, IncidentKind.BLOCKED_JUNCTION,
    IncidentKind.SIGNAL_FAULT,
)  # fmt: skip
_SPOT = (IncidentKind.STOPPED_VEHICLE, IncidentKind.CRASH, IncidentKind.CLOSED_LANE)
JUNCTION_WAIT_S = 12.0
"""A first vehicle that does not go is held back so long: other approaches would show a blocked junction."""

DRIVER_SHARE, DRIVER_LOST_S = (0.7, 1.3), 60.0
"""Of a wrong-way driver's last speed, what he may have driven at since; for how long he may be out of view
and still be taken for himself."""

SPEED_SHARE, UNSEEN_S = 0.15, 5.0
"""And by how much his speed may differ when he was out of view for longer than this."""

APPROACH_M = 150.0
JAM_M, AFTERMATH_S = 400.0, (120.0, 600.0)
"""How far from an incident, and for how long after it, queues hold up first vehicles: at least, at most; a
queue goes off in about the time in which it grew."""

REOPENS_S = (600.0, 900.0)
"""What shows again so soon after it seemed over is the same: its id is open again. At least, at most, and as
long as it lasted. Where few come, an obstacle is not seen to hold up anybody for minutes."""


@dataclass(slots=True)
class Thing:
    """One thing that is wrong, as it is built up. lanes: rows, with the d of each. at_line: no more
    is known of it than that first vehicles do not go."""

    kind: IncidentKind
    onset_s: float
    first_s: float
    last_s: float
    quiet_s: float
    ratio: float = 0.0
    most: float = 0.0
    lanes: dict[int, float] = field(default_factory=dict)
    junction: int = -1
    evidence: dict[str, Sentence] = field(default_factory=dict)
    id: str = ""
    said_s: float = -math.inf
    cleared_s: float = -1.0
    speed_mps: float = 0.0
    at_line: bool = True


class ThingIndex:
    """Things by junction and by stem: whoever may be the same, in the order in which they were put in,
    without looking at all of them. What has changed is put in again."""

    def __init__(self, layout: Layout, things: Iterable[Thing] = ()) -> None:
        self._stem = layout.stem
        self._rank: dict[int, int] = {}
        self._at: dict[tuple[str, int], dict[int, Thing]] = defaultdict(dict)
        for thing in things:
            self.add(thing)

    def add(self, thing: Thing) -> None:
        """Put in, or put in what it has grown by."""
        key = id(thing)
        self._rank.setdefault(key, len(self._rank))
        for place in self._places(thing):
            self._at[place][key] = thing

    def near(self, group: Sequence[Suspicion]) -> list[Thing]:
        """Things at the junction or on a stem of a group of suspicions."""
        one = group[0]
        places = {("stem", int(self._stem[each.lane])) for each in group if each.lane >= 0}
        if one.kind is IncidentKind.WRONG_WAY:
            places = {("drivers", 0)}
        return self._list(places | {("junction", one.junction)})

    def beside(self, thing: Thing) -> list[Thing]:
        """Things at the junction or on a stem of a thing."""
        return self._list(self._places(thing))

    def _places(self, thing: Thing) -> set[tuple[str, int]]:
        places = {("stem", int(self._stem[row])) for row in thing.lanes} | {("junction", thing.junction)}
        return places | {("drivers", 0)} if thing.kind is IncidentKind.WRONG_WAY else places

    def _list(self, places: set[tuple[str, int]]) -> list[Thing]:
        found: dict[int, Thing] = {}
        for place in places:
            found.update(self._at.get(place, {}))
        return sorted(found.values(), key=lambda each: self._rank[id(each)])


class Fusion:
    """things: what is open now. Call `update` with each second's suspicions."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.things: list[Thing] = []
        self._now_s = 0.0
        self._ended: list[Thing] = []
        self._index = ThingIndex(layout)
        self._edges_at: dict[int, set[int]] = defaultdict(set)  # junction row -> edges that lead to it
        edge = layout.city.network.lanes.edge
        for row in np.flatnonzero(layout.junction >= 0).tolist():
            self._edges_at[int(layout.junction[row])].add(int(edge[row]))

    def update(self, suspicions: list[Suspicion], now_s: float) -> list[Thing]:
        """Take in what is suspected now; returns those that are over."""
        self._now_s = now_s
        groups = self._groups(self._primary(self._settled(suspicions)))
        self._index = ThingIndex(self._layout, self.things)
        for group in groups:
            self._take(group, now_s)
        self._merge()
        over = [thing for thing in self.things if now_s - thing.last_s > thing.quiet_s]
        for thing in over:
            thing.cleared_s = thing.last_s
        self.things = [thing for thing in self.things if thing.cleared_s < 0.0]
        self._ended = [t for t in (*self._ended, *over) if _lately(t, now_s, REOPENS_S)]
        return over

    def _settled(self, suspicions: list[Suspicion]) -> list[Suspicion]:
        layout = self._layout
        lying = {s.junction for s in suspicions if s.kind is IncidentKind.SENSOR_FAULT}
        lying |= {t.junction for t in self.things if t.kind is IncidentKind.SENSOR_FAULT}
        disobeying = {s.junction for s in suspicions if s.kind is IncidentKind.SIGNAL_FAULT} - lying
        disobeying |= {t.junction for t in self.things if t.kind is IncidentKind.SIGNAL_FAULT}
        blocked = {t.junction: t.onset_s for t in self.things if t.kind is IncidentKind.BLOCKED_JUNCTION}
        kept = []
        for one in suspicions:
            if one.kind is IncidentKind.SENSOR_FAULT:
                kept.append(one)
                continue
            camera = int(layout.camera[one.lane]) if one.lane >= 0 else one.junction
            if camera in lying or (one.at_line and camera in disobeying):
                continue
            elsewhere = one.lane >= 0 and one.junction != camera and one.kind is not IncidentKind.WRONG_WAY
            if elsewhere and one.onset_s > blocked.get(camera, math.inf):
                continue  # in mid-lane or by a line without a signal, before a junction that is blocked
            kept.append(one)
        return kept

    def _primary(self, suspicions: list[Suspicion]) -> list[Suspicion]:
        """Without first vehicles that wait upstream of an incident whose queue is before them."""
        if not any(one.queue_beyond for one in suspicions):
            return suspicions
        lately = [t for t in self._ended if _lately(t, self._now_s, AFTERMATH_S)]
        jammed: set[int] = set()
        for thing in (*self.things, *lately):
            if thing.kind in _ROAD:
                own = self._own_edges(thing)
                jammed.update(edge for edge in self._layout.behind(own, JAM_M) if edge not in own)
        edge = self._layout.city.network.lanes.edge
        return [one for one in suspicions if not one.queue_beyond or int(edge[one.lane]) not in jammed]

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
            thing = next((t for t in self._ended if self._same(t, group, kind)), None)
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
            return thing.kind is kind and self._same_driver(thing, one)
        if one.junction >= 0 and one.junction == thing.junction and (one.lane < 0 or one.at_line):
            at_junction = (IncidentKind.SIGNAL_FAULT, IncidentKind.BLOCKED_JUNCTION)
            if thing.kind in at_junction or kind in at_junction:
                return True
        if self._held_together(thing, group):
            return True
        return any(
            self._near(s.lane, s.d, lane, d) for s in group if s.lane >= 0 for lane, d in thing.lanes.items()
        )

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

    def _same_driver(self, thing: Thing, one: Suspicion) -> bool:
        """Whether who was seen there may be here now: further upstream, as far as he may have come since."""
        layout = self._layout
        lane, d = next(iter(thing.lanes.items()))
        since_s = self._now_s - thing.last_s
        gone_m = since_s * thing.speed_mps
        if since_s > DRIVER_LOST_S:
            return False
        other_mps = abs(one.speed_mps - thing.speed_mps)
        if since_s > UNSEEN_S and other_mps > SPEED_SHARE * thing.speed_mps:
            return False
        low_m, high_m = DRIVER_SHARE[0] * gone_m - SAME_M, DRIVER_SHARE[1] * gone_m + SAME_M
        if layout.stem[lane] == layout.stem[one.lane] and low_m <= one.d - d <= high_m:
            return True
        edge = layout.city.network.lanes.edge
        behind = layout.behind(frozenset([int(edge[lane])]), 100.0 * math.ceil(high_m / 100.0))
        if edge[one.lane] == edge[lane] or int(edge[one.lane]) not in behind:
            return False
        rest_m = float(layout.length_m[lane] - (d - layout.beyond_m[lane]))
        driven_m = rest_m + behind[int(edge[one.lane])] + one.d - float(layout.beyond_m[one.lane])
        return low_m <= driven_m <= high_m

    def _merge(self) -> None:
        """Two that have grown into one are one: the older stays."""
        kept: list[Thing] = []
        index = ThingIndex(self._layout)
        for thing in sorted(self.things, key=lambda each: (each.first_s, each.onset_s)):
            twin = next((each for each in index.beside(thing) if self._one(each, thing)), None)
            if twin is None:
                kept.append(thing)
                index.add(thing)
                continue
            twin.last_s, twin.most = max(twin.last_s, thing.last_s), max(twin.most, thing.most)
            if _in_lane(twin) and thing.kind is IncidentKind.BLOCKED_JUNCTION:
                continue  # what waits because of it
            twin.kind = _graver(twin.kind, thing.kind)
            twin.lanes = twin.lanes | {row: d for row, d in thing.lanes.items() if row not in twin.lanes}
            twin.onset_s = min(twin.onset_s, thing.onset_s)
            twin.evidence = {**twin.evidence, **thing.evidence}
            index.add(twin)
        self.things = kept

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
