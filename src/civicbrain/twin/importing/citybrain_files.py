"""Files of the City Brain Challenge (KDD Cup 2021): roadnet.txt and flow.txt, read and checked.

Format: https://kddcup2021-citybrainchallenge.readthedocs.io/en/latest/cbengine.html, "Data format". Lines of
fields between blanks: a count, then so many intersections; a count, then so many roads (a line of the road,
and one for each of its directions that says which lanes may turn where); a count, then so many signals with
the roads that leave them to the north, east, south and west. Lane 0 is the inner one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from civicbrain.core.errors import ImportFailedError

ROADNET, FLOW = "roadnet.txt", "flow.txt"
NO_ROAD = "-1"
"""Stands for an arm that a signal lacks."""
_DOCUMENT = "compare with the format's documentation, or fetch the file again"


@dataclass(frozen=True, slots=True)
class Intersection:
    """A place where roads meet. signalled: whether signals stand there."""

    id: str
    latitude: float
    longitude: float
    signalled: bool


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction of a road. turns: one (left, straight, right) a lane, from the inner lane outwards.
    reverse: the other direction, "" where there is none. line: where it stands, for messages."""

    id: str
    start: str
    end: str
    length_m: float
    speed_mps: float
    turns: tuple[tuple[bool, bool, bool], ...]
    reverse: str
    line: int

    @property
    def lanes(self) -> int:
        return len(self.turns)


@dataclass(frozen=True)
class RoadNet:
    """arms: of each signalled intersection the road that leaves it to the north, east, south and west, or
    NO_ROAD. Tables are in the order of the file."""

    intersections: dict[str, Intersection]
    roads: dict[str, Direction]
    arms: dict[str, tuple[str, str, str, str]]

    @cached_property
    def leaving(self) -> dict[str, list[Direction]]:
        """The roads that leave each intersection."""
        result: dict[str, list[Direction]] = {name: [] for name in self.intersections}
        for road in self.roads.values():
            result[road.start].append(road)
        return result


@dataclass(frozen=True, slots=True)
class Flow:
    """A vehicle each `interval_s` from begin_s on, before end_s. line: of its first line."""

    begin_s: float
    end_s: float
    interval_s: float
    route: tuple[str, ...]
    line: int


class _Lines:
    """Fields line by line; blank lines and what follows // are nothing."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.line = 0
        try:
            self._lines = iter(file.read_text(encoding="utf-8").splitlines())
        except FileNotFoundError as error:
            raise ImportFailedError(
                f"the City Brain Challenge folder has no {file.name}",
                place=str(file.parent),
                remedy=f"put {file.name} there",
            ) from error
        except UnicodeDecodeError as error:
            raise ImportFailedError(
                f"not UTF-8 text at byte {error.start}", place=str(file), remedy="fetch the file again"
            ) from error
        except OSError as error:
            raise ImportFailedError(
                f"cannot be read: {error.strerror or error}", place=str(file), remedy="check the path"
            ) from error

    def wrong(self, message: str, line: int | None = None, remedy: str = _DOCUMENT) -> ImportFailedError:
        return ImportFailedError(message, place=f"{self.file}, line {line or self.line or 1}", remedy=remedy)

    def _find(self) -> list[str] | None:
        for text in self._lines:
            self.line += 1
            fields = text.partition("//")[0].split()
            if fields:
                return fields
        return None

    def fields(self, what: str, count: int | None = None) -> list[str]:
        """The next line's fields; `what` it should be, with how many fields."""
        found = self._find()
        if found is None:
            raise self.wrong(f"the file is cut off: {what} is missing", remedy="fetch the file again")
        if count is not None and len(found) != count:
            raise self.wrong(f"{what}: {len(found)} fields instead of {count}")
        return found

    def count(self, what: str) -> int:
        return self.integer(self.fields(f"the number of {what}", 1)[0], f"the number of {what}")

    def each(self, what: str, name: str) -> Iterator[str]:
        """Read a count, then say so many times which one comes next."""
        total = self.count(what)
        for number in range(1, total + 1):
            yield f"{name} {number} of {total}"

    def integer(self, text: str, what: str) -> int:
        if not (text.isascii() and text.isdigit()):
            raise self.wrong(f"{what} is no whole number: {text!r}")
        return int(text)

    def number(self, text: str, what: str, low: float, high: float = math.inf) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and low <= value <= high):
            raise self.wrong(f"{what} makes no sense: {text!r}")
        return value

    def require_end(self) -> None:
        if self._find() is not None:
            raise self.wrong("more lines than the counts in the file announce")


def is_citybrain(folder: Path) -> bool:
    """Whether a folder holds one of the format's files."""
    return (folder / ROADNET).is_file() or (folder / FLOW).is_file()


def read_roadnet(file: Path) -> RoadNet:
    """Read and check a roadnet.txt; raises ImportFailedError with file and line."""
    lines = _Lines(file)
    places: dict[str, Intersection] = {}
    for what in lines.each("intersections", "intersection"):
        latitude, longitude, name, signalled = lines.fields(what, 4)
        if name in places:
            raise lines.wrong(f"intersection {name} stands there twice")
        if signalled not in ("0", "1"):
            raise lines.wrong(f"whether intersection {name} has signals must be 0 or 1, not {signalled!r}")
        places[name] = Intersection(
            name,
            lines.number(latitude, "the latitude", -90.0, 90.0),
            lines.number(longitude, "the longitude", -180.0, 180.0),
            signalled == "1",
        )
    roads: dict[str, Direction] = {}
    for what in lines.each("roads", "road"):
        for road in _road(lines, what, places):
            if road.id in roads:
                raise lines.wrong(f"road {road.id} stands there twice", road.line)
            roads[road.id] = road
    if not roads:
        raise lines.wrong("there is no road")
    arms: dict[str, tuple[str, str, str, str]] = {}
    for what in lines.each("signals", "signal"):
        name, *leaving = lines.fields(what, 5)
        if name not in places:
            raise lines.wrong(f"unknown intersection {name}")
        if name in arms:
            raise lines.wrong(f"the signal of intersection {name} stands there twice")
        for arm in leaving:
            if arm != NO_ROAD and (arm not in roads or roads[arm].start != name):
                raise lines.wrong(f"no road {arm} leaves intersection {name}")
        named = [arm for arm in leaving if arm != NO_ROAD]
        if len(set(named)) < len(named):
            raise lines.wrong(f"the signal of intersection {name} names a road twice")
        north, east, south, west = leaving
        arms[name] = (north, east, south, west)
    lines.require_end()
    for road in roads.values():
        if road.end in arms and road.reverse not in arms[road.end]:
            message = f"road {road.id} ends at the signal of intersection {road.end}, but is none of its arms"
            raise lines.wrong(message, road.line)
    for place in places.values():
        if place.signalled != (place.id in arms):
            said, lacks = ("signalled", "has no line") if place.signalled else ("unsignalled", "has a line")
            raise lines.wrong(f"intersection {place.id} is said to be {said}, but {lacks} among the signals")
    return RoadNet(places, roads, arms)


def _road(lines: _Lines, what: str, places: dict[str, Intersection]) -> Iterator[Direction]:
    """The directions of one road; one without lanes is none."""
    start, end, length, speed, *counts, there, back = lines.fields(what, 8)
    line = lines.line
    for name in (start, end):
        if name not in places:
            raise lines.wrong(f"unknown intersection {name}")
    length_m = lines.number(length, "the length", 0.1, 1e6)
    speed_mps = lines.number(speed, "the speed limit", 0.1, 200.0)
    lanes = [lines.integer(text, "the number of lanes") for text in counts]
    if not any(lanes) or max(lanes) > 20:
        raise lines.wrong("a road has 1 to 20 lanes a direction")
    ways = ((there, start, end, back), (back, end, start, there))
    for row, (name, first, last, other) in enumerate(ways):
        if not lanes[row]:
            continue
        marks = lines.fields(f"the turns of road {name} ({lanes[row]} lanes)", 3 * lanes[row])
        if set(marks) - {"0", "1"}:
            raise lines.wrong(f"the turns of road {name} are not all 0 or 1")
        may = [mark == "1" for mark in marks]
        turns = tuple((may[k], may[k + 1], may[k + 2]) for k in range(0, len(may), 3))
        reverse = other if lanes[1 - row] else ""
        yield Direction(name, first, last, length_m, speed_mps, turns, reverse, line)


def read_flows(file: Path, net: RoadNet) -> list[Flow]:
    """Read a flow.txt and check its routes; raises ImportFailedError with file and line."""
    lines = _Lines(file)
    flows = []
    for what in lines.each("flows", "flow"):
        begin, end, interval = lines.fields(f"the times of {what}", 3)
        line = lines.line
        begin_s = lines.number(begin, "the begin", 0.0, 1e7)
        end_s = lines.number(end, "the end", begin_s, 1e7)
        interval_s = lines.number(interval, "the interval", 0.0)
        if interval_s <= 0.0:
            raise lines.wrong("the interval between vehicles must be above 0 s")
        count = lines.count(f"roads in the route of {what}")
        route = lines.fields(f"the route of {what}", count or None)
        for name in route:
            if name not in net.roads:
                raise lines.wrong(f"unknown road {name} in the route", remedy=f"use roads of {ROADNET}")
        for a, b in itertools.pairwise(route):
            if net.roads[a].end != net.roads[b].start:
                raise lines.wrong(f"road {b} does not begin where road {a} ends", remedy="correct the route")
        flows.append(Flow(begin_s, end_s, interval_s, tuple(route), line))
    if not flows:
        raise lines.wrong("there is no flow", remedy="add vehicles")
    lines.require_end()
    return flows
