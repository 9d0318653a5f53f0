"""A study as it is kept -> what the API says of it."""

from __future__ import annotations

from pathlib import Path

from civicbrain.api.models import studies as models
from civicbrain.evaluate.comparison import compare_figures, count_events
from civicbrain.evaluate.ordered.keep import Kept, read_evaluations
from civicbrain.evaluate.ordered.records import RESULT_FILE
from civicbrain.evaluate.records import Evaluation
from civicbrain.evaluate.report import CLAIM_SEEDS, best_control, headline

FILES = {
    "report.html": "text/html", "report.pdf": "application/pdf", "comparison.csv": "text/csv",
    "runs.csv": "text/csv", RESULT_FILE: "application/json",
}  # fmt: skip


def brief_of(kept: Kept, place: int = 0) -> models.StudyBrief:
    """place: how many are before it in the line."""
    order, progress = kept.order, kept.progress
    running = kept.state.state == "running"
    return models.StudyBrief(
        id=kept.id, title=(order.title if order else "") or kept.id, state=kept.state.state,
        scenarios=[Path(name).name for name in order.scenarios] if order else [],
        controls=list(order.controls) if order else [], seeds=order.seeds if order else 0,
        ordered_at=order.ordered_at if order else "", by=order.by if order else "",
        case=order.case if order else "", runs_total=progress.total, runs_done=len(progress.runs),
        runs_failed=sum(bool(run.reason) for run in progress.runs),
        left_s=progress.left_s if running else None, place=place, headlines=list(progress.headlines),
        error=kept.state.error,
    )  # fmt: skip


def view_of(kept: Kept, place: int = 0) -> models.StudyView:
    """With its runs and its files."""
    order = kept.order
    return models.StudyView(
        brief=brief_of(kept, place), baseline=order.options().baseline_name if order else "",
        sensing=order.sensing if order else "", coverage=order.coverage if order else 1.0,
        mesoscopic=order.mesoscopic if order else False, began_at=kept.state.began_at,
        ended_at=kept.state.ended_at,
        runs=[
            models.StudyRun(run.scenario, run.control, run.seed, run.mean_delay_s, run.reason)
            for run in kept.progress.runs
        ],
        files=[name for name in FILES if (kept.folder / name).is_file()],
    )  # fmt: skip


def result_of(kept: Kept) -> models.StudyResult:
    """Read and work out; a tenth of a second for a large city. Raises OSError, msgspec.MsgspecError."""
    return models.StudyResult(kept.id, [_scenario(study) for study in read_evaluations(kept.folder)])


def _scenario(study: Evaluation) -> models.ScenarioResult:
    queues, junctions = [], []
    for control, series in study.series.items():
        curve = series.queue_veh
        queues.append(models.CurveView(control, curve.time_s, curve.mean, curve.low, curve.high))
        junctions.append(models.JunctionDelays(control, series.junction_delay_s))
    names = list(study.summary)
    return models.ScenarioResult(
        scenario=study.scenario, headline=headline(study, best_control(study)), baseline=study.baseline,
        controls=[models.ControlAbout(note.name, note.summary, note.source) for note in study.controls],
        seeds=study.seeds, claim=len(study.seeds) >= CLAIM_SEEDS, sensing=study.sensing,
        coverage=study.coverage, mesoscopic=study.mesoscopic, begin_s=study.begin_s, end_s=study.end_s,
        sumo_version=study.sumo_version, civicbrain_version=study.civicbrain_version,
        city_hash=study.city_hash, figures=compare_figures(study),
        events=[
            models.ControlEvents(
                control=name, runs=sum(run.control == name for run in study.runs),
                **count_events(study.runs, name),
            )
            for name in names
        ],
        queues=queues, junctions=junctions,
        runs=[models.StudyRun("", run.control, run.seed, run.mean_delay_s, "") for run in study.runs],
        failures=[f"{one.control}, {one.seed}: {one.reason}" for one in study.failures],
    )  # fmt: skip
