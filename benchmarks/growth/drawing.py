"""Growth as three small plots, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 300, 230, 48, 34, 34
_STYLE = """<style>
svg { --ink: #1c2630; --muted: #5d6976; --grid: #e3e8ee; --card: #fff; --c1: #1f63c6; --c2: #c4560a }
@media (prefers-color-scheme: dark) {
svg { --ink: #e6ebf0; --muted: #a3adb9; --grid: #37424e; --card: #1c2630; --c1: #6aa8ff; --c2: #f79a55 } }
rect { fill: var(--card) } text { font: 12px system-ui, sans-serif; fill: var(--ink) }
.tick { fill: var(--muted); font-size: 11px } line { stroke: var(--grid) }
.s1 { stroke: var(--c1) } .s2 { stroke: var(--c2); stroke-dasharray: 5 3 }
polyline { fill: none; stroke-width: 2 }
.f1 { fill: var(--c1) } .f2 { fill: var(--c2) }
</style>"""

Reader = Callable[[dict[str, Any]], float]
_PANELS: tuple[tuple[str, tuple[tuple[str, Reader], ...]], ...] = (
    ("ms of processor a simulated second", (
        ("everything", lambda row: row["attached"]["cpu_ms_a_second"]),
        ("SUMO alone", lambda row: row["bare"]["step"]["mean_ms"]),
    )),
    ("decision p99, ms", (("decision", lambda row: row["attached"]["decision"]["p99_ms"]),)),
    ("memory, MB", (
        ("twin and brain", lambda row: row["attached"]["rss_mb"]), ("brain", lambda row: row["brain_mb"]),
    )),
)  # fmt: skip


def draw(rows: dict[str, dict[str, Any]]) -> str:
    """One SVG; rows by size as in results.json."""
    width = _WIDTH * len(_PANELS)
    said = "Growth with the number of junctions"
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT}" role="img">']
    parts += [f"<title>{said}</title>{_STYLE}", f'<rect width="{width}" height="{_HEIGHT}"/>']
    for number, (title, lines) in enumerate(_PANELS):
        parts.append(f'<g transform="translate({number * _WIDTH} 0)">')
        parts += _panel(title, lines, list(rows.values()))
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(title: str, lines: Sequence[tuple[str, Reader]], rows: list[dict[str, Any]]) -> list[str]:
    sizes = [float(row["junctions"]) for row in rows]
    values = [[max(read(row), 1e-3) for row in rows] for _, read in lines]
    across = _scale(min(sizes), max(sizes), _LEFT, _WIDTH - 16)
    up = _scale(min(map(min, values)), max(map(max, values)), _HEIGHT - _BOTTOM, _TOP)
    parts = [f'<text x="{_LEFT}" y="16">{title}</text>']
    for power in range(-3, 7):
        y = up(10.0**power)
        if _TOP - 1 <= y <= _HEIGHT - _BOTTOM + 1:
            parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 16}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(
                f'<text class="tick" text-anchor="end" x="{_LEFT - 5}" y="{y + 4:.1f}">{10**power:g}</text>'
            )
    below = f'<text class="tick" text-anchor="middle" y="{_HEIGHT - 18}"'
    parts += [f'{below} x="{across(size):.1f}">{size:g}</text>' for size in sizes]
    parts.append(f'<text class="tick" text-anchor="end" x="{_WIDTH - 16}" y="{_HEIGHT - 4}">junctions</text>')
    for style, ((name, _), row) in enumerate(zip(lines, values, strict=True), 1):
        points = [(across(size), up(value)) for size, value in zip(sizes, row, strict=True)]
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline class="s{style}" points="{joined}"/>')
        parts += [f'<circle class="f{style}" r="3.5" cx="{x:.1f}" cy="{y:.1f}"/>' for x, y in points]
        if len(lines) > 1:
            parts.append(f'<text class="f{style}" x="{_LEFT + 8}" y="{_TOP + 4 + 15 * style}">{name}</text>')
    return parts


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """A logarithmic axis with a little room at both ends."""
    first, last = math.log10(low) - 0.1, math.log10(high) + 0.1
    return lambda value: start + (end - start) * (math.log10(value) - first) / (last - first)
