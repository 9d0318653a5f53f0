"""`Thing`: one thing that is wrong, as it is built up; `ThingIndex`: who may be the same, by place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.city.incidents import IncidentKind
from civicbrain.core.sentences import Sentence

SAME_M = 40.0
"""So far apart on a road two suspicions are of one spot."""

MOST_EFFECTS = 12
"""So many effects of one thing are kept: the first are the nearest."""


@dataclass(slots=True)
class Thing:
    """One thing that is wrong, as it is built up. lanes: rows, with the d of each. at_line: no more
    is known of it than that first vehicles do not go. effects: of each edge on which somebody stands because
    of it the lane, d and onset. part_of: what it turned out to be part of."""

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
    cleared_s: float = -1.0
    speed_mps: float = 0.0
    at_line: bool = True
    effects: dict[int, tuple[int, float, float]] = field(default_factory=dict)
    part_of: Thing | None = None

    @property
    def whole(self) -> Thing:
        """What it is part of, or itself."""
        return self if self.part_of is None else self.part_of.whole


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
