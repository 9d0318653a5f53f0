"""Timing sheets: the plans as an engineer reads them, in Markdown and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from civicbrain.evaluate.plots import format_clock
from civicbrain.evaluate.retime.records import JunctionRecord, PlanRecord, Retiming


def sheets_markdown(retiming: Retiming) -> str:
    """One section a junction: a row a period, a column a stage."""
    lines = [
        f"# Timing sheets of {retiming.city}",
        "",
        "Seconds from the start of a stage's switch-over to the start of the next one's.",
        "A stage begins at (clock − offset) mod cycle. x: highest degree of saturation expected.",
        "",
    ]
    for junction in retiming.junctions:
        lines += [f"## {_cell(junction.name or junction.id)}", "", f"Junction `{junction.id}`.", ""]
        heads = [
            "period",
            "cycle",
            "offset",
            *(_cell(stage) for stage in junction.stages),
            "x",
            "delay, s/veh",
        ]
        lines += [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
        for label, plan in _plans(retiming, junction):
            cells = [label, f"{plan.cycle_s:g}", f"{plan.offset_s:g}", *(f"{s:g}" for s in plan.durations_s)]
            lines.append(f"| {' | '.join([*cells, f'{plan.saturation:.2f}', f'{plan.delay_s:.1f}'])} |")
        lines.append("")
        for stage, lamps in dict(zip(junction.stages, junction.shown, strict=True)).items():
            shown = [
                f"{group} {lamp}" for group, lamp in zip(junction.groups, lamps, strict=True) if lamp in "Ggs"
            ]
            lines.append(f"- {_cell(stage)}: {', '.join(shown) or 'all red'}")
        lines.append("")
    return "\n".join(lines)


def sheets_csv(retiming: Retiming) -> bytes:
    """One row a junction, period and step."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["junction", "program", "begin_s", "end_s", "cycle_s", "offset_s", "step", "stage", "duration_s"]
    )
    for junction in retiming.junctions:
        for span, period in zip(retiming.periods, junction.periods, strict=True):
            plan = period.after
            for step, (stage, seconds) in enumerate(
                zip(junction.stages, plan.durations_s, strict=True), start=1
            ):
                writer.writerow(
                    [junction.id, span.program, f"{span.begin_s:g}", f"{span.end_s:g}", f"{plan.cycle_s:g}",
                     f"{plan.offset_s:g}", step, stage, f"{seconds:g}"]
                )  # fmt: skip
    return out.getvalue().encode()


def _plans(retiming: Retiming, junction: JunctionRecord) -> Iterator[tuple[str, PlanRecord]]:
    yield "before", junction.periods[0].before
    for span, period in zip(retiming.periods, junction.periods, strict=True):
        yield f"{format_clock(span.begin_s)}–{format_clock(span.end_s)}", period.after


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
