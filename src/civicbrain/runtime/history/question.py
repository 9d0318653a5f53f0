"""A question to the history, its answer, and which junctions or lanes it is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from civicbrain.city.model import City
from civicbrain.core.errors import ConfigurationError, NotFoundError
from civicbrain.runtime.history.layout import JUNCTION, LANE, SERIES, WHOLE_CITY, Table
from civicbrain.runtime.history.names import Names

MOST_NAMED = 5_000
MOST_CORNERS = 200


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """indicator over [start, end), aware instants. At most one place, none: the whole city.

    junctions, lanes: ids. approach: an edge that leads into a junction. box: min x, min y, max x, max y,
    polygon: corners x, y, both in metres of the city's plane. entity: of a series. resolution: "auto", or a
    `Resolution`. each: a row a junction or lane instead of all together. run: its number, 0 the newest."""

    indicator: str
    start: datetime
    end: datetime
    junctions: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()
    approach: str = ""
    box: tuple[float, float, float, float] | None = None
    polygon: tuple[tuple[float, float], ...] = ()
    entity: str = ""
    resolution: str = "auto"
    each: bool = False
    run: int = 0


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Columns, one list an id (a single "" for all together), one entry a step from start on. None: a gap,
    nothing was observed. highest, p95: of one junction or lane, the largest where there are several; empty
    where the indicator has none. observed: how many of the `asked` had data."""

    indicator: str
    unit: str
    title: str
    run: int
    resolution: str
    step_s: int
    start: datetime
    asked: int
    ids: list[str]
    mean: list[list[float | None]]
    highest: list[list[float | None]]
    p95: list[list[float | None]]
    observed: list[list[int]]


class Place(msgspec.Struct, frozen=True):
    """numbers: of the junctions, lanes or series asked about. ids: the same for people. together: the number
    of the row that already stands for all of them, or -1."""

    table: Table
    numbers: list[int]
    ids: list[str]
    together: int = -1


def find_place(question: Question, city: City | None, names: Names) -> Place:
    """city: needed for approach, box and polygon. Raises NotFoundError, ConfigurationError."""
    given = [
        name
        for name in ("junctions", "lanes", "approach", "box", "polygon", "entity")
        if getattr(question, name)
    ]
    if len(given) > 1:
        raise ConfigurationError(f"{' and '.join(given)} are both given", remedy="give one place")
    if len(question.junctions) + len(question.lanes) > MOST_NAMED or len(question.polygon) > MOST_CORNERS:
        raise ConfigurationError(
            "too many are named", remedy=f"name at most {MOST_NAMED}, or ask for a box or polygon"
        )
    if question.entity:
        numbers = names.find_series(question.entity, question.indicator)
        if not numbers:
            raise NotFoundError(
                f"no series {question.indicator[:60]!r} of {question.entity[:60]!r}",
                remedy="the catalogue lists those there are",
            )
        return Place(SERIES, numbers, [names.series[number][0] for number in numbers])
    if question.junctions:
        return Place(JUNCTION, _numbers(question.junctions, names.find_junction, "junction"),
                     list(question.junctions))  # fmt: skip
    if question.lanes:
        return Place(LANE, _numbers(question.lanes, names.find_lane, "lane"), list(question.lanes))
    if not given:
        return Place(JUNCTION, list(range(1, len(names.junction))), names.junction[1:], together=WHOLE_CITY)
    if city is None:
        raise ConfigurationError(f"{given[0]} needs the city", remedy="name junctions or lanes")
    if question.approach:
        row = city.network.edges.row.get(question.approach)
        start = city.network.edges.lane_start
        ids = [] if row is None else [city.network.lanes.ids[i] for i in range(start[row], start[row + 1])]
        known = [lane for lane in ids if names.find_lane(lane) is not None]
        if not known:
            raise NotFoundError(
                f"no approach {question.approach[:60]!r}", remedy="give the id of an edge that a camera sees"
            )
        return Place(LANE, _numbers(known, names.find_lane, "lane"), known)
    inside = _inside(question, np.array([(j.x_m, j.y_m) for j in city.junctions]).reshape(-1, 2))
    ids = [city.junctions[row].id for row in np.flatnonzero(inside)]
    ids = [name for name in ids if names.find_junction(name) is not None]
    if not ids:
        raise NotFoundError("no junction lies in there", remedy="give the corners in the city's metres")
    return Place(JUNCTION, _numbers(ids, names.find_junction, "junction"), ids)


def _numbers(ids: Sequence[str], find: Callable[[str], int | None], what: str) -> list[int]:
    numbers = []
    for name in ids:
        number = find(name)
        if number is None or not name:
            raise NotFoundError(f"history knows no {what} {name[:60]!r}", remedy="check its id")
        numbers.append(number)
    return numbers


def _inside(question: Question, xy: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(j,) whether each point lies in the box or polygon."""
    x, y = xy[:, 0], xy[:, 1]
    if question.box is not None:
        low_x, low_y, high_x, high_y = question.box
        if not (low_x < high_x and low_y < high_y):
            raise ConfigurationError("the box is empty", remedy="give min x, min y, max x, max y")
        within: NDArray[np.bool_] = (x >= low_x) & (x <= high_x) & (y >= low_y) & (y <= high_y)
        return within
    if len(question.polygon) < 3:
        raise ConfigurationError("the polygon has no area", remedy="give at least three corners")
    # even-odd rule: how many edges does a ray to the right cross (Shimrat 1962, CACM 5(8), Algorithm 112)
    inside = np.zeros(len(xy), np.bool_)
    corners = question.polygon
    for (x1, y1), (x2, y2) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if y1 != y2:
            crosses = ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
            inside ^= crosses
    return inside
