"""The plots beside the README's tables: small SVG files, drawn as those of a study's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from brain.run import BEST_KNOWN_S, TARGET
from held_out.run import AGAINST
from held_out.run import TARGET as HELD_OUT_TARGET
from markupsafe import Markup, escape
from sections import OURS, Results, by_name

from civicbrain.evaluate.plots import IntervalRow, draw_intervals

_WIDTH = 720
_STYLE = """<style>
svg { --ink: #1c2630; --muted: #5d6976; --grid: #e3e8ee;
--card: #fff; --c0: #6b7480; --c1: #1f63c6; --c2: #c4560a }
@media (prefers-color-scheme: dark) {
svg { --ink: #e6ebf0; --muted: #a3adb9; --grid: #37424e; --card: #1c2630; --c1: #6aa8ff; --c2: #f79a55 } }
rect.card { fill: var(--card) }
text { font: 12px system-ui, sans-serif; fill: var(--ink) }
.tick, .axis { fill: var(--muted) }
.head { font-weight: 600 } .grid { stroke: var(--grid) }
.reference { stroke: var(--c0); stroke-width: 1.5; stroke-dasharray: 4 3 }
.faint { opacity: .28 } .mean { stroke: var(--card); stroke-width: 1.5 }
.whisker { fill: none; stroke-width: 2 }
.f1 { fill: var(--c1) } .s1 { stroke: var(--c1) } .f2 { fill: var(--c2) } .s2 { stroke: var(--c2) }
</style>"""
_MET, _MISSED = 1, 2


def draw_all(results: Results) -> dict[str, bytes]:
    """File name -> SVG, of those whose benchmark has results."""
    made = {
        "scenarios.svg": draw_scenarios(results),
        "robustness.svg": draw_robustness(results),
        "held-out.svg": draw_held_out(results),
    }
    return {name: content.encode() for name, content in made.items() if content}


def draw_scenarios(results: Results) -> str:
    """Delay of each scenario as a share of the best entry of the design's table."""
    measured, rows = by_name(results["brain"]), []
    for name, best_s in BEST_KNOWN_S.items():
        if name not in measured:
            continue
        delay = measured[name]["controls"][OURS]["mean_delay_s"]
        interval = None if delay["ci95"] is None else [bound / best_s for bound in delay["ci95"]]
        rows.append(_row(name, {"mean": delay["mean"] / best_s, "ci95": interval}, TARGET))
    axis = (
        f"delay as a share of the best simple rule known, all movements known to it; dashed: {TARGET} asked"
    )
    return _sheet([("", _plot(rows, axis, TARGET))])


def draw_robustness(results: Results) -> str:
    """One plot a scenario: delay under each fault as a share of the fixed plan's."""
    plots = []
    for name, row in (results["robustness"] or {}).items():
        rows = [_row(case, one["to_fixed"], 1.0) for case, one in row["cases"].items() if one["to_fixed"]]
        axis = "delay as a share of the fixed plan's under the same fault; dashed: the plan itself"
        plots.append((name, _plot([one for one in rows if one], axis, 1.0)))
    return _sheet(plots)


def draw_held_out(results: Results) -> str:
    """One plot a reference: delay in cities never seen as a share of the reference's."""
    plots = []
    for reference in AGAINST:
        cities: Mapping[str, Any] = results["held_out"] or {}
        rows = [_row(name, row["ratio"][reference], HELD_OUT_TARGET) for name, row in cities.items()]
        axis = f"delay as a share of that under {reference}; dashed: {HELD_OUT_TARGET} asked"
        plots.append((f"against {reference}", _plot([one for one in rows if one], axis, HELD_OUT_TARGET)))
    return _sheet(plots)


def _row(label: str, ratio: Mapping[str, Any], most: float) -> IntervalRow | None:
    mean, interval = ratio["mean"], ratio["ci95"]
    if mean is None:
        return None
    colour = _MET if mean <= most else _MISSED
    return IntervalRow(label, colour, mean, tuple(interval) if interval else None, (), f"{mean:.2f}")


def _plot(rows: Sequence[IntervalRow | None], axis: str, reference: float) -> Markup | None:
    known = [row for row in rows if row is not None]
    return draw_intervals(known, axis, reference=reference) if known else None


def _sheet(plots: Sequence[tuple[str, Markup | None]]) -> str:
    """Plots one below the other, each under its heading, with the colours in the file; empty without any."""
    parts, y = [], 4.0
    for heading, plot in plots:
        if plot is None:
            continue
        if heading:
            parts.append(f'<text class="head" x="12" y="{y + 16:.0f}">{escape(heading)}</text>')
            y += 24.0
        drawing = str(plot)  # Markup would escape what is put in
        height = float(drawing.split('viewBox="0 0 ', 1)[1].split('"', 1)[0].split()[1])
        parts.append(drawing.replace("<svg ", f'<svg y="{y:.0f}" width="{_WIDTH}" height="{height:.0f}" ', 1))
        y += height + 10.0
    if not parts:
        return ""
    head = f'<svg viewBox="0 0 {_WIDTH} {y:.0f}" xmlns="http://www.w3.org/2000/svg">'
    card = f'<rect class="card" width="{_WIDTH}" height="{y:.0f}"/>'
    return f"{head}{_STYLE}{card}{''.join(parts)}</svg>\n"
