"""`report.html` of a retiming: one page with nothing outside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from civicbrain.city.model import City
from civicbrain.evaluate import plots
from civicbrain.evaluate.retime.counts import Counts
from civicbrain.evaluate.retime.records import (
    JunctionRecord,
    Measured,
    PeriodRecord,
    PlanRecord,
    Retiming,
    Span,
)

CLAIM_SEEDS = 10


@dataclass(frozen=True, slots=True)
class PeriodView:
    span: str
    record: PeriodRecord
    bars: Markup


@dataclass(frozen=True, slots=True)
class JunctionView:
    record: JunctionRecord
    label: str
    measured_before_s: float | None
    measured_after_s: float | None
    periods: tuple[PeriodView, ...]


def render_retiming(retiming: Retiming, city: City, counts: Counts, *, command: str = "") -> str:
    """The page. counts: drawn beside the times of day. command: what makes it again."""
    measured = retiming.measured
    junctions = [_junction(record, retiming) for record in retiming.junctions]
    return _template().render(
        retiming=retiming,
        headline=make_headline(measured),
        warnings=_warnings(retiming, measured),
        junctions=junctions,
        spans=[_clock(span) for span in retiming.periods],
        flow_plot=_flow_plot(retiming, counts),
        delay_plot=_delay_plot(measured) if measured is not None else None,
        maps=[
            (title, plots.draw_map(city, delays, title))
            for title, delays in (
                ("Before: delay by junction", measured.junction_delay_before_s),
                ("After: delay by junction", measured.junction_delay_after_s),
            )
        ]
        if measured is not None
        else [],
        command=command,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("civicbrain.evaluate"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("retime.html.j2")


def make_headline(measured: Measured | None) -> str:
    """What was gained or lost, in a sentence."""
    if measured is None or measured.ratio is None:
        return "The plans were not measured."
    before = sum(measured.before_s) / len(measured.before_s)
    after = sum(measured.after_s) / len(measured.after_s)
    change = (measured.ratio - 1.0) * 100.0
    text = f"Mean delay {before:.1f} s per vehicle before, {after:.1f} s after: {change:+.1f} %"
    if measured.ratio_ci95 is not None:
        low, high = ((bound - 1.0) * 100.0 for bound in measured.ratio_ci95)
        text += f" (95 % interval {low:+.1f} to {high:+.1f} %)"
        if low <= 0.0 <= high:
            text += "; no difference is shown"
    return f"{text}. {len(measured.seeds)} seed{'s' if len(measured.seeds) != 1 else ''}."


def _warnings(retiming: Retiming, measured: Measured | None) -> list[str]:
    found = []
    if measured is not None:
        if len(measured.seeds) < CLAIM_SEEDS:
            found.append(f"{len(measured.seeds)} seeds make no claim; measure with --seeds {CLAIM_SEEDS}.")
        if measured.unsafe_states_after:
            found.append(
                f"{measured.unsafe_states_after} unsafe signal states were seen under the new plans: "
                f"{'; '.join(measured.unsafe_after)}."
            )
        if measured.deadlocks_after:
            found.append(f"{measured.deadlocks_after} runs deadlocked under the new plans.")
        if measured.ratio is not None and measured.ratio > 1.0:
            found.append("The new plans are no better than the old ones: keep those.")
    full = sum(
        any(period.after.saturation >= 1.0 for period in junction.periods) for junction in retiming.junctions
    )
    if full:
        found.append(
            f"At {full} junction{'s' if full != 1 else ''} the demand exceeds what any plan tried can carry."
        )
    return found


def _junction(record: JunctionRecord, retiming: Retiming) -> JunctionView:
    measured = retiming.measured
    return JunctionView(
        record,
        record.name if record.name and record.name != record.id else record.id,
        measured.junction_delay_before_s.get(record.id) if measured else None,
        measured.junction_delay_after_s.get(record.id) if measured else None,
        tuple(
            PeriodView(_clock(span), period, draw_splits(record, period))
            for span, period in zip(retiming.periods, record.periods, strict=True)
        ),
    )


def draw_splits(junction: JunctionRecord, period: PeriodRecord) -> Markup:
    """Both plans as bars of their stages, on one scale of seconds, from the start of the first stage."""
    longest = max(period.before.cycle_s, period.after.cycle_s, 1.0)
    width, left = 720.0, 60.0
    scale = (width - left - 60.0) / longest
    parts = [f'<svg viewBox="0 0 {width:g} 66" role="img" aria-label="stages before and after">']
    for row, (label, plan) in enumerate((("before", period.before), ("after", period.after))):
        y = 4 + row * 32
        parts.append(f'<text class="tick" x="0" y="{y + 17}">{label}</text>')
        parts += _bars(junction, plan, left, y, scale)
        x = left + plan.cycle_s * scale + 6
        parts.append(f'<text class="tick" x="{x:.1f}" y="{y + 17}">{plan.cycle_s:g} s</text>')
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704  (numbers, and names escaped where they are put in)


def _bars(junction: JunctionRecord, plan: PlanRecord, left: float, y: float, scale: float) -> list[str]:
    parts, at_s = [], 0.0
    order = {stage: number for number, stage in enumerate(dict.fromkeys(junction.stages))}
    for stage, seconds in zip(junction.stages, plan.durations_s, strict=True):
        x, wide = left + at_s * scale, seconds * scale
        parts.append(
            f'<rect class="f{order[stage] % 8}" x="{x:.1f}" y="{y}" height="24" '
            f'width="{max(wide - 1, 0.5):.1f}" '
            f'rx="3"><title>{escape(stage)}: {seconds:g} s</title></rect>'
        )
        if wide > 22:
            parts.append(
                f'<text x="{x + wide / 2:.1f}" y="{y + 16}" text-anchor="middle" style="fill:#fff">'
                f"{seconds:g}</text>"
            )
        at_s += seconds
    return parts


def _flow_plot(retiming: Retiming, counts: Counts) -> Markup:
    seconds = counts.end_s - counts.begin_s
    flow = counts.vehicles.sum(axis=1) / seconds * 3600.0
    times = (counts.begin_s + counts.end_s) / 2.0
    counted = plots.Line("counted", 1, times.tolist(), flow.tolist())
    x: list[float] = []
    y: list[float] = []
    for span in retiming.periods:
        mean = span.vehicles_counted / (span.end_s - span.begin_s) * 3600.0
        x += [span.begin_s, span.end_s]
        y += [mean, mean]
    return plots.draw_lines(
        [counted, plots.Line("mean of the period", 2, x, y)], "", "veh/h at all stop lines", clock=True
    )


def _delay_plot(measured: Measured) -> Markup:
    rows = []
    for colour, (label, values) in enumerate((("before", measured.before_s), ("after", measured.after_s))):
        if values:
            mean = sum(values) / len(values)
            rows.append(plots.IntervalRow(label, colour, mean, None, values, f"{mean:.1f}"))
    return plots.draw_intervals(rows, "Mean delay, s per vehicle due", title="Delay before and after")


def _clock(span: Span) -> str:
    return f"{plots.format_clock(span.begin_s)} to {plots.format_clock(span.end_s)}"
