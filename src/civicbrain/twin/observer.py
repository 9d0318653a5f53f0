"""The independent observer: counts unsafe lamp states from what SUMO shows, not from what a controller says.

It shares no code with the controller. It is given the lamp string of each junction as SUMO shows it, step
by step, and knows the junction's conflict, intergreen and minimum-green tables. One event counts once:

    prohibited-pair   two groups with a prohibited conflict turned green together
    permitted-pair    two groups with a permitted conflict both show 'G'
    intergreen        a group got green (or its right of way) too soon after a conflicting one lost it
    min-green         a green ended before the group's minimum green
    split-group       links of one group show different lamps
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from civicbrain.city.signals import SignalJunction

_TOLERANCE_S = 1e-3
_UNKNOWN_S = float("-inf")  # before the first look: nothing is held against a lamp that was already on


class UnsafeKind(msgspec.Struct, frozen=True):
    """Events of one rule with the same group(s) of one junction: how many, and when first."""

    rule: str
    junction: str
    groups: tuple[str, ...]
    count: int
    first_s: float


@dataclass(frozen=True, slots=True)
class UnsafeState:
    """One event. groups: the group(s) concerned, the one that started (or ended) last."""

    rule: str
    junction: str
    time_s: float
    groups: tuple[str, ...]
    detail: str = ""


_Key = tuple[str, str, tuple[str, ...]]  # rule, junction, groups


class JunctionObserver:
    """Watches one junction. `look` takes each lamp string that SUMO shows, with the second it began."""

    def __init__(self, junction: SignalJunction) -> None:
        self.junction = junction
        size = len(junction.groups)
        self._shown: str | None = None
        self._colour = [""] * size  # 'G', 'g' or '' for anything not green
        self._green_from = [_UNKNOWN_S] * size
        self._green_to = [_UNKNOWN_S] * size
        self._right_to = [_UNKNOWN_S] * size  # when it last stopped showing 'G'
        self._pairs: set[tuple[int, int]] = set()  # pairs found unsafe and not yet cleared
        self._split: set[int] = set()

    def look(self, lamps: str, time_s: float) -> list[UnsafeState]:
        """Events that this lamp string (one character a link) brings."""
        if lamps == self._shown:
            return []
        first_look = self._shown is None
        self._shown = lamps
        found: list[UnsafeState] = []
        now = self._colours(lamps, time_s, found)
        before, self._colour = self._colour, now
        for group, (old, new) in enumerate(zip(before, now, strict=True)):
            if old and not new:
                self._ended(group, time_s, found)
            if old == "G" and new != "G":
                self._right_to[group] = time_s
        for group, (old, new) in enumerate(zip(before, now, strict=True)):
            if first_look or new == old or not new:
                continue
            if not old:
                self._green_from[group] = time_s
            if not old or new == "G":
                self._started(group, time_s, found)
        self._check_pairs(now, time_s, found)
        return found

    def _colours(self, lamps: str, time_s: float, found: list[UnsafeState]) -> list[str]:
        result = []
        for row, group in enumerate(self.junction.groups):
            shown = {lamps[link] for link in group.links if link < len(lamps)}
            if len(shown) > 1 and row not in self._split:
                self._split.add(row)
                found.append(self._event("split-group", time_s, row, detail="".join(sorted(shown))))
            elif len(shown) == 1:
                self._split.discard(row)
            result.append("G" if "G" in shown else "g" if "g" in shown else "")
        return result

    def _ended(self, group: int, time_s: float, found: list[UnsafeState]) -> None:
        lasted_s = time_s - self._green_from[group]
        self._green_to[group] = time_s
        least_s = self.junction.groups[group].min_green_s
        if lasted_s < least_s - _TOLERANCE_S:
            detail = f"{lasted_s:.1f} s of {least_s:.1f} s"
            found.append(self._event("min-green", time_s, group, detail=detail))

    def _started(self, group: int, time_s: float, found: list[UnsafeState]) -> None:
        """A green began, or a yielding green got its right of way: look back at every rival's end."""
        for rival in range(len(self._colour)):
            if rival == group or not self.junction.conflict[rival][group]:
                continue
            lost_s = self._right_to[rival]
            if not self._colour[rival]:
                lost_s = max(lost_s, self._green_to[rival])
            gap_s, least_s = time_s - lost_s, self.junction.intergreen_s[rival][group]
            if gap_s < least_s - _TOLERANCE_S:
                detail = f"{gap_s:.1f} s of {least_s:.1f} s"
                found.append(self._event("intergreen", time_s, rival, group, detail=detail))

    def _check_pairs(self, colour: list[str], time_s: float, found: list[UnsafeState]) -> None:
        green = [row for row, char in enumerate(colour) if char]
        unsafe: set[tuple[int, int]] = set()
        for place, first in enumerate(green):
            for second in green[place + 1 :]:
                kind = self.junction.conflict[first][second]
                if kind == 2 or (kind == 1 and colour[first] == colour[second] == "G"):
                    unsafe.add((first, second))
                    if (first, second) not in self._pairs:
                        rule = "prohibited-pair" if kind == 2 else "permitted-pair"
                        found.append(self._event(rule, time_s, first, second))
        self._pairs = unsafe

    def _event(self, rule: str, time_s: float, *rows: int, detail: str = "") -> UnsafeState:
        names = tuple(self.junction.groups[row].id for row in rows)
        return UnsafeState(rule, self.junction.id, time_s, names, detail)


class Observer:
    """Watches all junctions. count: events found."""

    def __init__(self, junctions: tuple[SignalJunction, ...]) -> None:
        self._watchers = [JunctionObserver(junction) for junction in junctions]
        self._found: dict[_Key, tuple[int, float]] = {}  # how many, first second
        self.count = 0

    @property
    def kinds(self) -> list[UnsafeKind]:
        """What was found, most frequent first."""
        return _in_order(self._found)

    def forget(self, row: int) -> None:
        """Hold nothing against junction `row` of what it showed until now: its lamps did not obey, or do so
        no longer, and no control is to blame."""
        self._watchers[row] = JunctionObserver(self._watchers[row].junction)

    def look(self, row: int, lamps: str, time_s: float) -> None:
        """Take the lamp string that junction `row` shows from time_s on."""
        for event in self._watchers[row].look(lamps, time_s):
            self.count += 1
            key = event.rule, event.junction, event.groups
            _add(self._found, key, 1, event.time_s)


def merge_kinds(kinds: Iterable[UnsafeKind]) -> list[UnsafeKind]:
    """Of several runs: one for each rule, junction and group(s), most frequent first."""
    found: dict[_Key, tuple[int, float]] = {}
    for kind in kinds:
        _add(found, (kind.rule, kind.junction, kind.groups), kind.count, kind.first_s)
    return _in_order(found)


def _add(found: dict[_Key, tuple[int, float]], key: _Key, count: int, first_s: float) -> None:
    before, before_s = found.get(key, (0, first_s))
    found[key] = before + count, min(before_s, first_s)


def _in_order(found: dict[_Key, tuple[int, float]]) -> list[UnsafeKind]:
    kinds = [UnsafeKind(*key, count, first_s) for key, (count, first_s) in found.items()]
    return sorted(kinds, key=lambda kind: (-kind.count, kind.first_s, kind.junction, kind.groups))
