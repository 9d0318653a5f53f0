"""Plots of the report as small SVG drawings that take their colours from the page (light, dark, print).

Colours are CSS classes: c0, c1, … one a control (c0 the baseline), d0 … d5 the classes of delay. Every
text that comes from outside is escaped here; the results may stand in the page as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from civicbrain.city.model import City
from civicbrain.city.network import F32, RoadUse

DELAY_CLASSES_S = (10.0, 20.0, 35.0, 55.0, 80.0)
"""Upper bounds of the classes of delay on the map: levels of service A to E of signalised junctions
(Highway Capacity Manual, 6th edition, 2016, exhibit 19-8). Above the last is F."""

_WIDTH = 720.0


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One row: points of single runs, their mean, its interval (None with one run). colour: class number."""

    label: str
    colour: int
    mean: float
    interval: tuple[float, float] | None
    points: Sequence[float]
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line; low and high, where given, bound a band."""

    label: str
    colour: int
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


def draw_intervals(
    rows: Sequence[IntervalRow], axis: str, *, reference: float | None = None, title: str = ""
) -> Markup:
    """Mean and interval a row, single runs as faint dots; `reference` is marked by a vertical line."""
    left, right, row_height, top = 130.0, 150.0, 38.0, 8.0
    height = top + row_height * len(rows) + 44
    values = [v for row in rows for v in (row.mean, *row.points, *(row.interval or ()))]
    if reference is not None:
        values.append(reference)
    low, high = float(min(values)), float(max(values))
    if reference is None and low <= 0.6 * high:
        low = 0.0  # delay has a true zero; show it unless it squeezes the differences away
    ticks = nice_ticks(low, high, 6)
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    scale = (_WIDTH - left - right) / ((high - low) or 1.0)

    def x(value: float) -> float:
        return left + (value - low) * scale

    bottom = top + row_height * len(rows)
    parts = [_open(height, title or axis)]
    for tick in ticks:
        parts.append(f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top}" y2="{bottom}"/>')
        parts.append(f'<text class="tick" x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle">')
        parts.append(f"{format_number(tick)}</text>")
    if reference is not None:
        at = f"{x(reference):.1f}"
        parts.append(f'<line class="reference" x1="{at}" x2="{at}" y1="{top}" y2="{bottom}"/>')
    for number, row in enumerate(rows):
        y = top + row_height * (number + 0.5)
        parts.append(f'<text class="label" x="{left - 12}" y="{y + 4:.1f}" text-anchor="end">')
        parts.append(f"{escape(row.label)}</text>")
        for point in row.points:
            parts.append(f'<circle class="f{row.colour} faint" cx="{x(point):.1f}" cy="{y:.1f}" r="4"/>')
        if row.interval is not None:
            a, b = x(row.interval[0]), x(row.interval[1])
            parts.append(
                f'<path class="s{row.colour} whisker" d="M{a:.1f} {y:.1f}H{b:.1f}'
                f'M{a:.1f} {y - 6:.1f}v12M{b:.1f} {y - 6:.1f}v12"/>'
            )
        parts.append(f'<circle class="f{row.colour} mean" cx="{x(row.mean):.1f}" cy="{y:.1f}" r="5.5"/>')
        parts.append(
            f'<text class="value" x="{_WIDTH - right + 14}" y="{y + 4:.1f}">{escape(row.text)}</text>'
        )
    parts.append(
        f'<text class="axis" x="{(left + _WIDTH - right) / 2:.1f}" y="{height - 6}" text-anchor="middle">'
        f"{escape(axis)}</text></svg>"
    )
    return _drawing(parts)


def draw_lines(
    lines: Sequence[Line], x_axis: str, y_axis: str, *, clock: bool = False, percent: bool = False
) -> Markup:
    """Lines with bands; y starts at 0. clock: x is seconds and is labelled h:mm. percent: y is a share."""
    left, right, top, height = 56.0, 16.0, 12.0, 300.0
    bottom = height - 46
    x_low = min(min(line.x) for line in lines)
    x_high = max(max(line.x) for line in lines)
    y_high = 1.0 if percent else max(max(line.high or line.y) for line in lines) or 1.0
    y_ticks = [0.0, 0.25, 0.5, 0.75, 1.0] if percent else nice_ticks(0.0, y_high, 5)
    y_high = max(y_high, y_ticks[-1])
    x_ticks = clock_ticks(x_low, x_high) if clock else nice_ticks(x_low, x_high, 8)
    x_ticks = [tick for tick in x_ticks if x_low <= tick <= x_high]
    x_scale = (_WIDTH - left - right) / ((x_high - x_low) or 1.0)
    y_scale = (bottom - top) / y_high

    def at(x: float, y: float) -> str:
        return f"{left + (x - x_low) * x_scale:.1f} {bottom - y * y_scale:.1f}"

    parts = [_open(height, f"{y_axis} over {x_axis}")]
    for tick in y_ticks:
        y = bottom - tick * y_scale
        text = f"{tick:.0%}" if percent else format_number(tick)
        parts.append(f'<line class="grid" x1="{left}" x2="{_WIDTH - right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    for tick in x_ticks:
        text = format_clock(tick) if clock else format_number(tick)
        x = left + (tick - x_low) * x_scale
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{text}</text>')
    for line in lines:
        if line.low is not None and line.high is not None:
            there = [at(a, b) for a, b in zip(line.x, line.high, strict=True)]
            back = [at(a, b) for a, b in zip(reversed(line.x), reversed(line.low), strict=True)]
            parts.append(f'<path class="f{line.colour} band" d="M{"L".join(there + back)}Z"/>')
    for line in lines:
        path = "L".join(at(a, b) for a, b in zip(line.x, line.y, strict=True))
        parts.append(
            f'<path class="s{line.colour} line" d="M{path}"><title>{escape(line.label)}</title></path>'
        )
    parts.append(
        f'<text class="axis" x="{(left + _WIDTH - right) / 2:.1f}" y="{height - 8}" text-anchor="middle">'
        f"{escape(x_axis)}</text></svg>"
    )
    return _drawing(parts)


def draw_map(city: City, delay_s: Mapping[str, float], title: str) -> Markup:
    """The city's streets, and each junction as a disc coloured and sized by its class of delay."""
    width, margin, tallest = 352.0, 10.0, 420.0
    low_x, low_y, high_x, high_y = city.network.bounds_m
    span_x, span_y = max(high_x - low_x, 1.0), max(high_y - low_y, 1.0)
    scale = min((width - 2 * margin) / span_x, (tallest - 2 * margin) / span_y)
    height = max(span_y * scale + 2 * margin, 90.0)
    shift_x, shift_y = (width - span_x * scale) / 2, (height - span_y * scale) / 2

    def to_page(points: F32) -> F32:
        page = np.empty_like(points)
        page[:, 0] = shift_x + (points[:, 0] - low_x) * scale
        page[:, 1] = height - shift_y - (points[:, 1] - low_y) * scale
        return page

    streets: dict[int, list[str]] = {}
    lanes, edges = city.network.lanes, city.network.edges
    drivable = (lanes.use & (RoadUse.MOTOR | RoadUse.BUS | RoadUse.TRAM)) != 0
    for edge in range(len(edges.ids)):
        rows = [r for r in range(edges.lane_start[edge], edges.lane_start[edge + 1]) if drivable[r]]
        if rows:
            path = _path(to_page(lanes.shape(rows[len(rows) // 2])))
            streets.setdefault(min(len(rows), 4), []).append(path)
    parts = [_open(height, title, width)]
    for count, paths in sorted(streets.items()):
        parts.append(f'<path class="street" stroke-width="{0.6 + 0.5 * count:.1f}" d="{"".join(paths)}"/>')
    # discs must not hide each other where many junctions stand close
    largest = min(9.0, max(2.2, 0.32 * math.sqrt(width * height / max(len(city.junctions), 1))))
    placed = sorted(city.junctions, key=lambda junction: delay_s.get(junction.id, -1.0))
    for junction in placed:
        x, y = to_page(np.array([[junction.x_m, junction.y_m]], dtype=np.float32))[0]
        delay = delay_s.get(junction.id)
        if delay is None:
            kind, radius, text = "unknown", largest * 0.4, "no vehicle served"
        else:
            number = delay_class(delay)
            kind, radius, text = f"d{number}", largest * (0.55 + 0.09 * number), f"{delay:.1f} s a vehicle"
        name = junction.name or junction.id
        parts.append(f'<circle class="junction {kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">')
        parts.append(f"<title>{escape(name)}: {text}</title></circle>")
    parts.append("</svg>")
    return _drawing(parts)


def delay_class(delay_s: float) -> int:
    """0 (A) to 5 (F)."""
    return int(np.searchsorted(DELAY_CLASSES_S, delay_s, side="left"))


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` round numbers that enclose low to high."""
    if high - low <= 1e-9 * max(abs(low), 1.0):  # one value, but for the error of a sum
        high = low + (abs(low) if abs(low) > 1e-6 else 1.0)
    raw = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def clock_ticks(low_s: float, high_s: float) -> list[float]:
    """Round times of day, eight at most."""
    steps = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600)
    step = next((s for s in steps if (high_s - low_s) / s <= 8), 43200)
    return [float(t) for t in range(math.ceil(low_s / step) * step, int(high_s) + 1, step)]


def format_clock(time_s: float) -> str:
    """h:mm of a platform second."""
    minutes = round(time_s / 60)
    return f"{minutes // 60}:{minutes % 60:02d}"


def format_number(value: float) -> str:
    """Short, without needless zeros, thousands apart."""
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.6g}"


def _path(points: F32) -> str:
    """An SVG path, without points closer than a third of a pixel to the one before."""
    kept = [points[0]]
    for point in points[1:-1]:
        if abs(point - kept[-1]).sum() >= 0.35:
            kept.append(point)
    kept.append(points[-1])
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in kept)


def _drawing(parts: Sequence[str]) -> Markup:
    # what comes from outside (names of controls, junctions, scenarios) was escaped where it was put in
    return Markup("".join(parts))  # noqa: S704


def _open(height: float, title: str, width: float = _WIDTH) -> str:
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title>"
    )
