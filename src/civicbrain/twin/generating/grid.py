"""The frame of a generated city: lines of streets that cross, unevenly spaced and bent, and a river.

Lines run roughly west to east (rows) and south to north (columns). Every third to fifth line is an arterial,
the others are collectors; arterials lead on to gates outside the city. The river flows through from south to
north; a few rows cross it on bridges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from civicbrain.city.network import F64, Bool

SPACING_M = 280.0
"""Mean distance of neighbouring lines: blocks of European and Chinese inner cities measure 100 m to 400 m."""
SPACING_SPREAD = 0.28
SPACING_RANGE_M = (180.0, 480.0)
GATE_M = 400.0
MISSING_SHARE = 0.14
"""Share of collector sections that are left out: larger blocks and T-junctions come of it."""
_BANK_M = 45.0
_REACH_M = 500.0
"""How far from the river streets make room for it."""


class Kind(IntEnum):
    """Kinds of streets, by rank."""

    LOCAL = 0
    COLLECTOR = 1
    ARTERIAL = 2


@dataclass(frozen=True)
class Section:
    """A piece of a line between two nodes (rows of Frame.xy)."""

    a: int
    b: int
    kind: Kind
    name: str
    line: int  # rows from 0 on, then columns
    bridge: bool = False


@dataclass(frozen=True, eq=False)
class Frame:
    """xy (n, 2) m. sections: of the lines and to the gates. gates: rows of xy. blocks: corner rows
    (south-west, south-east, north-west, north-east) of each cell of the grid that the river leaves whole.
    one_way_lines: +1 where all drive from a to b, -1 back."""

    xy: F64
    sections: tuple[Section, ...]
    gates: tuple[int, ...]
    blocks: tuple[tuple[int, int, int, int], ...]
    river_xy: F64
    river_width_m: float
    one_way_lines: dict[int, int]


def draw_frame(rows: int, columns: int, rng: np.random.Generator) -> Frame:
    """Draw the frame of rows by columns crossings."""
    y0, x0 = _positions(rows, rng), _positions(columns, rng)
    major_row, major_column = _majors(rows, rng), _majors(columns, rng)
    width_m, height_m = float(x0[-1]), float(y0[-1])
    x, y = np.meshgrid(x0, y0)
    x, y = _bend(x, y, rng)
    course = _River(width_m, height_m, rng)
    x = course.push_away(x, y)
    bridges = _bridges(rows, major_row)
    east = x > course.x_at(y)
    names = [f"{_ordinal(j + 1)} Street" for j in range(rows)]
    names += [f"{_ordinal(i + 1)} Avenue" for i in range(columns)]
    sections: list[Section] = []
    for j in range(rows):
        for i in range(columns):
            here = j * columns + i
            if i + 1 < columns:
                over = bool(east[j, i] != east[j, i + 1])
                if not over or j in bridges:
                    major = bool(major_row[j]) or over
                    sections.append(_section(here, here + 1, major, names[j], j, over))
            if j + 1 < rows:
                over = bool(east[j, i] != east[j + 1, i])
                if not over:
                    line = rows + i
                    sections.append(
                        _section(here, here + columns, bool(major_column[i]), names[line], line, over)
                    )
    xy = np.stack([x.ravel(), y.ravel()], axis=1)
    sections = _thin_out(sections, len(xy), rows, columns, rng)
    xy, gates, outward = _gates(xy, rows, columns, major_row, major_column, names)
    blocks = tuple(
        (c, c + 1, c + columns, c + columns + 1)
        for j in range(rows - 1)
        for i in range(columns - 1)
        if east[j : j + 2, i : i + 2].all() or not east[j : j + 2, i : i + 2].any()
        for c in [j * columns + i]
    )
    pairs = _one_way_lines(major_row, 0, rng) | _one_way_lines(major_column, rows, rng)
    centre_y: F64 = np.arange(-GATE_M, height_m + GATE_M + 1.0, 50.0, dtype=np.float64)
    return Frame(
        np.round(xy, 1),
        (*sections, *outward),
        gates,
        blocks,
        np.stack([course.x_at(centre_y), centre_y], axis=1),
        course.width_m,
        pairs,
    )


def _section(a: int, b: int, major: bool, name: str, line: int, bridge: bool) -> Section:
    kind = Kind.ARTERIAL if major else Kind.COLLECTOR
    return Section(a, b, kind, f"{name} Bridge" if bridge else name, line, bridge)


def _positions(count: int, rng: np.random.Generator) -> F64:
    gaps = SPACING_M * np.exp(rng.normal(-0.5 * SPACING_SPREAD**2, SPACING_SPREAD, count - 1))
    return np.concatenate(([0.0], np.cumsum(np.clip(gaps, *SPACING_RANGE_M))))


def _majors(count: int, rng: np.random.Generator) -> Bool:
    """Which lines are arterials: one in three to five, none at the edge of a city of some size."""
    major = np.zeros(count, dtype=np.bool_)
    line = int(rng.integers(1, 3))
    while line < count - (1 if count > 3 else 0):
        major[line] = True
        line += int(rng.integers(3, 6))
    return major


def _bend(x: F64, y: F64, rng: np.random.Generator) -> tuple[F64, F64]:
    """Long waves over the whole plan, and each crossing a little off its place."""
    reach_m = float(max(np.ptp(x), np.ptp(y)))
    high_m = min(0.04 * reach_m, 260.0)
    phases = rng.uniform(0.0, 2.0 * math.pi, 4)
    wave_m = rng.uniform(0.55, 0.9, 2) * max(reach_m, 1500.0)
    dx = high_m * np.sin(2 * math.pi * y / wave_m[0] + phases[0])
    dy = high_m * np.sin(2 * math.pi * x / wave_m[1] + phases[1])
    off_m = np.clip(rng.normal(0.0, 14.0, (2, *x.shape)), -35.0, 35.0)
    return x + dx + off_m[0], y + dy + off_m[1]


class _River:
    """A course x(y) of two waves, not far from the middle of the city."""

    def __init__(self, width_m: float, height_m: float, rng: np.random.Generator) -> None:
        self.width_m = float(np.clip(40.0 + 0.008 * width_m, 45.0, 140.0))
        self._middle_m = width_m * rng.uniform(0.35, 0.65)
        self._high_m = np.array([0.06, 0.02]) * width_m
        self._wave_m = max(height_m, 1000.0) * rng.uniform([0.9, 0.35], [1.4, 0.6])
        self._phase = rng.uniform(0.0, 2.0 * math.pi, 2)

    def x_at(self, y: F64) -> F64:
        turns = 2.0 * math.pi * y[..., None] / self._wave_m + self._phase
        course: F64 = self._middle_m + (self._high_m * np.sin(turns)).sum(axis=-1)
        return course

    def push_away(self, x: F64, y: F64) -> F64:
        """Crossings that would stand in the water are moved inland, those behind them by less and less."""
        centre = self.x_at(y)
        distance_m = np.abs(x - centre)
        clear_m = self.width_m / 2.0 + _BANK_M
        inland_m = clear_m + distance_m * (1.0 - clear_m / _REACH_M)
        moved = centre + np.where(x > centre, inland_m, -inland_m)
        result: F64 = np.where(distance_m < _REACH_M, moved, x)
        return result


def _bridges(rows: int, major: Bool) -> set[int]:
    """Rows that cross the river: the arterials, and at least two."""
    chosen = {int(row) for row in np.flatnonzero(major)}
    for row in (rows // 2, 0, rows - 1, 1):
        if len(chosen) < 2:
            chosen.add(row)
    return chosen


def _thin_out(
    sections: list[Section], count: int, rows: int, columns: int, rng: np.random.Generator
) -> list[Section]:
    """Leave out collector sections inside the city where both ends keep three streets."""
    degree = np.zeros(count, dtype=np.int64)
    for section in sections:
        degree[[section.a, section.b]] += 1
    draws = rng.random(len(sections))
    kept = []
    for section, draw in zip(sections, draws, strict=True):
        edge = section.line in (0, rows - 1, rows, rows + columns - 1)
        spare = degree[section.a] > 3 and degree[section.b] > 3
        if section.kind is Kind.COLLECTOR and not edge and draw < MISSING_SHARE and spare:
            degree[[section.a, section.b]] -= 1
        else:
            kept.append(section)
    return kept


def _gates(
    xy: F64, rows: int, columns: int, major_row: Bool, major_column: Bool, names: list[str]
) -> tuple[F64, tuple[int, ...], list[Section]]:
    """Where arterials leave the city."""
    points, sections = [xy], []
    count = len(xy)
    for line in range(rows + columns):
        if line < rows:
            major, ends = major_row[line], (line * columns, line * columns + columns - 1)
            step = np.array([GATE_M, 0.0])
        else:
            i = line - rows
            major, ends = major_column[i], (i, (rows - 1) * columns + i)
            step = np.array([0.0, GATE_M])
        for node, sign in zip(ends, (-1.0, 1.0), strict=True) if major else ():
            points.append((xy[node] + sign * step)[None])
            a, b = (count, node) if sign < 0 else (node, count)
            sections.append(Section(a, b, Kind.ARTERIAL, names[line], line))
            count += 1
    gates = tuple(range(len(xy), count))
    return np.concatenate(points), gates, sections


def _one_way_lines(major: Bool, first: int, rng: np.random.Generator) -> dict[int, int]:
    """Neighbouring collectors, in pairs of opposite direction; none at the edge of the city."""
    result: dict[int, int] = {}
    line = 1
    while line + 2 < len(major):
        if not major[line] and not major[line + 1] and rng.random() < 0.35:
            sign = 1 if rng.random() < 0.5 else -1
            result[first + line], result[first + line + 1] = sign, -sign
            line += 2
        line += 1
    return result


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
