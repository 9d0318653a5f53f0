"""A study as CSV, for whoever calculates on: the comparison, and every run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from civicbrain.evaluate.comparison import compare_figures
from civicbrain.evaluate.records import METRICS, Evaluation

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def comparison_csv(studies: Sequence[Evaluation]) -> str:
    """One row a scenario, figure and control: mean, its 95 % interval, paired difference and its interval."""
    header = (
        "scenario", "metric", "unit", "better", "control", "mean", "ci95_low", "ci95_high", "baseline",
        "difference", "difference_ci95_low", "difference_ci95_high", "pairs", "verdict",
    )  # fmt: skip
    rows = [
        (
            study.scenario, row.metric, row.unit, row.better, row.control, row.mean,
            *(row.ci95 or (None, None)),
            study.baseline, row.difference, *(row.difference_ci95 or (None, None)), row.pairs, row.verdict,
        )
        for study in studies
        for row in compare_figures(study)
    ]  # fmt: skip
    return _write(header, rows)


def runs_csv(studies: Sequence[Evaluation]) -> str:
    """One row a run, with every figure (`METRICS`)."""
    names = ("control", "seed", *METRICS)
    rows = [
        (study.scenario, *(getattr(run, name) for name in names)) for study in studies for run in study.runs
    ]
    return _write(("scenario", *names), rows)


def _write(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    """A name that a spreadsheet would take for a formula is kept a name."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
