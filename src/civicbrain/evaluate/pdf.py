"""A study as PDF, for the file and for the council: the page of `report.py` on paper, as far as paper goes.

Texts stand in Bitstream Vera, which comes with ReportLab; what it lacks (Korean, Chinese) in the fonts that
every PDF reader brings for them. Single runs are left to runs.csv.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import reportlab
from reportlab.lib import units
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    KeepTogether,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from civicbrain.city.model import City
from civicbrain.evaluate.comparison import Compared, compare_figures
from civicbrain.evaluate.pdf_drawing import GRID, INK, MUTED, to_drawing
from civicbrain.evaluate.records import Evaluation
from civicbrain.evaluate.report import Row, Section, make_section

_FONT, _BOLD = "Vera", "VeraBd"
_KOREAN, _CHINESE = "HYSMyeongJo-Medium", "STSong-Light"
_MARGIN = 18 * units.mm
_WIDTH = A4[0] - 2 * _MARGIN
_MOST_COLUMNS = 6
_LABELS = {
    "mean_delay_s": "Mean delay", "mean_time_loss_s": "Time loss", "mean_depart_delay_s": "Departure delay",
    "mean_travel_time_s": "Travel time", "mean_waiting_s": "Waiting", "max_waiting_s": "Worst wait",
    "stops_per_vehicle": "Stops", "co2_kg": "CO2", "arrived": "Throughput (arrived)",
    "undeparted": "Undeparted",
}  # fmt: skip
_READING = {"better": "better", "worse": "worse", "open": "not significant", "": "no interval"}


def render_pdf(studies: Sequence[tuple[Evaluation, City]], *, command: str = "") -> bytes:
    """The document of one or several scenarios. command: what makes it again, as typed."""
    _register()
    story: list[Any] = []
    for number, (study, city) in enumerate(studies):
        if number:
            story.append(PageBreak())
        story += _scenario(study, make_section(study, city))
    if command:
        story += [_heading("Made again by"), _text(command, "small")]
    out = io.BytesIO()
    title = "Before and after: " + ", ".join(study.scenario for study, _ in studies)
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN, bottomMargin=_MARGIN,
        title=title, author="Civic Brain", subject="Before/after study of signal control", lang="en",
    )  # fmt: skip

    def footer(canvas: Any, _: Any) -> None:
        canvas.setFont(_FONT, 7)
        canvas.setFillColor(MUTED)
        canvas.drawString(_MARGIN, 10 * units.mm, f"Civic Brain {studies[0][0].civicbrain_version}")
        canvas.drawRightString(A4[0] - _MARGIN, 10 * units.mm, str(canvas.getPageNumber()))

    document.build(story, onFirstPage=footer, onLaterPages=footer)
    return out.getvalue()


def _scenario(study: Evaluation, section: Section) -> list[Any]:
    controls = ", ".join(section.controls) or "no run finished"
    story: list[Any] = [
        _text(study.scenario, "title"),
        _text(f"Before and after: {controls}. Baseline: {study.baseline}.", "sub"),
    ]
    if section.headline:
        story += [Spacer(1, 6), _text(section.headline, "lead")]
    if section.warnings:
        story += [_heading("Read this first"), *(_text(f"• {note}", "small") for note in section.warnings)]
    if section.controls:
        story += [_heading("Results by control"), *_results(section), *_plots(section)]
        story += _paired(study)
    facts = [[_text(name, "small"), _text(value, "small")] for name, value in section.facts]
    story += [
        _heading("What was run"),
        Table(facts, colWidths=[0.25 * _WIDTH, 0.75 * _WIDTH], style=_plain()),
    ]
    return story


def _results(section: Section) -> list[Any]:
    tables: list[Any] = []
    for first in range(0, len(section.controls), _MOST_COLUMNS):
        columns = slice(first, first + _MOST_COLUMNS)
        head = ["", *(_text(control, "head") for control in section.controls[columns])]
        rows = [head, *(_result_row(row, columns) for row in (*section.rows, *section.safety))]
        count = len(head) - 1
        widths = [0.26 * _WIDTH, *[0.74 * _WIDTH / count] * count]
        tables += [Table(rows, colWidths=widths, repeatRows=1, style=_plain()), Spacer(1, 4)]
    note = "Means over seeds; small: 95 % confidence interval. Bold: best of the row. Red: should be 0."
    return [*tables, _text(note, "sub")]


def _result_row(row: Row, columns: slice) -> list[Any]:
    cells = []
    for cell in row.cells[columns]:
        value = escape(cell.value)
        value = f'<font name="{_BOLD}">{value}</font>' if cell.best else value
        value = f'<font color="#b3261e" name="{_BOLD}">{value}</font>' if cell.bad else value
        small = f'<br/><font size="6" color="#5b6776">{escape(cell.interval)}</font>' if cell.interval else ""
        cells.append(Paragraph(value + small, _styles()["figure"]))
    return [_text(f"{row.label} ({row.unit})" if row.unit else row.label, "small"), *cells]


def _plots(section: Section) -> list[Any]:
    found = (
        ("Delay with 95 % confidence intervals (dots: single runs)", section.delay_plot),
        (f"Paired with {section.study.baseline}, seed by seed", section.ratio_plot),
        (
            "Vehicles standing over time (colours as above; line: mean over seeds; band: least to greatest)",
            section.queue_plot,
        ),
    )
    return [
        KeepTogether([_heading(title), to_drawing(str(plot), _WIDTH, _FONT)]) for title, plot in found if plot
    ]


def _paired(study: Evaluation) -> list[Any]:
    """Every figure's paired difference, losses in red and open questions as such."""
    rows = [row for row in compare_figures(study) if row.difference is not None]
    if not rows:
        return []
    head = [
        _text(name, "head")
        for name in ("Figure", "Control", "Difference", "95 % interval", "Pairs", "Reading")
    ]
    table = [head, *(_paired_row(row) for row in rows)]
    widths = [part * _WIDTH for part in (0.26, 0.18, 0.14, 0.2, 0.07, 0.15)]
    title = _heading(f"Differences to {study.baseline}, paired by seed")
    return [title, Table(table, colWidths=widths, repeatRows=1, style=_plain())]


def _paired_row(row: Compared) -> list[Any]:
    def signed(value: float) -> str:
        text = f"{value:+,.{row.digits}f}".replace("-", "−").replace(",", " ")
        return text if any(digit in "123456789" for digit in text) else text.lstrip("+−")

    interval = row.difference_ci95
    span = f"{signed(interval[0])} to {signed(interval[1])}" if interval else "–"
    reading = _READING[row.verdict]
    if row.verdict == "worse":
        reading = f'<font color="#b3261e" name="{_BOLD}">worse</font>'
    return [
        _text(f"{_LABELS[row.metric]} ({row.unit})", "small"), _text(row.control, "small"),
        _text(signed(row.difference or 0.0), "figure"), _text(span, "figure"),
        _text(str(row.pairs), "figure"),
        Paragraph(reading, _styles()["small"]),
    ]  # fmt: skip


def _heading(text: str) -> Paragraph:
    return _text(text, "heading")


def _text(text: str, style: str) -> Paragraph:
    return Paragraph(_in_fonts(text), _styles()[style])


def _in_fonts(text: str) -> str:
    """Escaped, with what the main font lacks in one that has it."""
    parts: list[str] = []
    for char in text.replace("₂", "2"):
        code = ord(char)
        if 0xAC00 <= code <= 0xD7A3 or 0x1100 <= code <= 0x11FF:
            parts.append(f'<font name="{_KOREAN}">{char}</font>')
        elif code >= 0x2E80:
            parts.append(f'<font name="{_CHINESE}">{escape(char)}</font>')
        else:
            parts.append(escape(char))
    return "".join(parts)


def _plain() -> TableStyle:
    return TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, GRID),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ]
    )


@cache
def _styles() -> dict[str, ParagraphStyle]:
    base = ParagraphStyle("base", fontName=_FONT, fontSize=9, leading=12, textColor=INK)

    def style(name: str, **changes: Any) -> ParagraphStyle:
        return ParagraphStyle(name, parent=base, **changes)

    return {
        "title": style("title", fontName=_BOLD, fontSize=17, leading=22),
        "heading": style("heading", fontName=_BOLD, fontSize=11, leading=14, spaceBefore=12, spaceAfter=4),
        "lead": style("lead", fontSize=10.5, leading=15),
        "sub": style("sub", fontSize=8, leading=11, textColor=MUTED),
        "small": style("small", fontSize=7.5, leading=10),
        "head": style("head", fontName=_BOLD, fontSize=7.5, leading=10, alignment=0),
        "figure": style("figure", fontSize=7.5, leading=9.5),
    }


@cache
def _register() -> None:
    fonts = Path(reportlab.__file__).parent / "fonts"
    pdfmetrics.registerFont(TTFont(_FONT, str(fonts / "Vera.ttf")))
    pdfmetrics.registerFont(TTFont(_BOLD, str(fonts / "VeraBd.ttf")))
    for name in (_KOREAN, _CHINESE):
        pdfmetrics.registerFont(UnicodeCIDFont(name))
