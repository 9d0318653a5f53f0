"""A study compared figure by figure, and taken away as CSV and PDF."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from fake_runs import AtOnce, fake_city, simulate

from civicbrain.evaluate.comparison import compare_figures, count_events
from civicbrain.evaluate.ordered.__main__ import main as carry_out
from civicbrain.evaluate.ordered.keep import StudyFolder, read_evaluations
from civicbrain.evaluate.ordered.records import StudyOrder, StudyProgressNow
from civicbrain.evaluate.pdf import render_pdf
from civicbrain.evaluate.plan import StudyOptions
from civicbrain.evaluate.records import Evaluation
from civicbrain.evaluate.study import run_study
from civicbrain.evaluate.tables import comparison_csv, runs_csv

CONTROLS = ("fixed", "max-pressure", "delay-based")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("study")
    city = replace(fake_city(base / "city"), name="서울 중구")
    run_study(
        ["x"], StudyOptions(CONTROLS, (1, 2, 3)), base / "out", executor=AtOnce(), simulate=simulate,
        resolve=lambda _: city,
    )  # fmt: skip
    return base / "out"


@pytest.fixture(scope="module")
def study(folder: Path) -> Evaluation:
    return read_evaluations(folder)[0]


def test_wins_losses_and_open_questions_are_told_apart(study: Evaluation) -> None:
    by = {(row.metric, row.control): row for row in compare_figures(study)}
    won, lost = by["mean_delay_s", "max-pressure"], by["mean_delay_s", "delay-based"]
    assert won.verdict == "better"
    assert lost.verdict == "worse"
    assert by["arrived", "max-pressure"].verdict == "open"  # the same number in every run
    assert by["mean_delay_s", "fixed"].difference is None
    delay = {(run.control, run.seed): run.mean_delay_s or 0.0 for run in study.runs}
    differences = [delay["max-pressure", seed] - delay["fixed", seed] for seed in (1, 2, 3)]
    assert won.difference == pytest.approx(sum(differences) / 3)
    assert won.difference_ci95 is not None
    assert won.difference_ci95[0] < min(differences) + 5.0
    assert won.pairs == 3


def test_one_pair_gives_no_verdict(study: Evaluation) -> None:
    one = [run for run in study.runs if run.seed == 1]
    row = next(
        row
        for row in compare_figures(msgspec.structs.replace(study, runs=one))
        if (row.metric, row.control) == ("mean_delay_s", "max-pressure")
    )
    assert (row.verdict, row.difference_ci95, row.pairs) == ("", None, 1)
    assert count_events(one, "fixed")["unsafe_states"] == 0


def test_csv_says_the_same_and_cannot_be_a_formula(study: Evaluation) -> None:
    rows = list(csv.DictReader(io.StringIO(comparison_csv([study]))))
    row = next(r for r in rows if r["metric"] == "mean_delay_s" and r["control"] == "max-pressure")
    assert float(row["difference"]) < 0.0
    assert row["scenario"] == "서울 중구"
    evil = msgspec.structs.replace(study, scenario="=cmd()")
    runs = list(csv.DictReader(io.StringIO(runs_csv([evil]))))
    assert len(runs) == 9
    assert {r["scenario"] for r in runs} == {"'=cmd()"}


def test_a_study_leaves_every_form_of_its_report(folder: Path, study: Evaluation, tmp_path: Path) -> None:
    for name in ("evaluation.json", "report.html", "report.pdf", "comparison.csv", "runs.csv"):
        assert (folder / name).stat().st_size > 500
    body = (folder / "report.pdf").read_bytes()
    assert body.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", body)) >= 2
    assert b"HYSMyeongJo" in body  # the name of the city
    # markup in names is text, not markup
    evil = msgspec.structs.replace(study, scenario="<b>&amp;</i>")
    assert render_pdf([(evil, fake_city(tmp_path))]).startswith(b"%PDF-")


def test_the_process_of_an_ordered_study_says_what_is_wrong(tmp_path: Path) -> None:
    kept = StudyFolder(tmp_path / "studies")
    order = StudyOrder("t", ("no-such-city",), ("fixed", "actuated"), 1, "2026-11-22T10:00:00+00:00")
    kept.add("one", order)
    assert kept.open_ids() == ["one"]
    assert carry_out([str(tmp_path / "studies" / "one")]) == 2
    found = kept.find("one")
    assert found is not None
    assert "no-such-city" in found.progress.error
    for name in ("../one", ".", "", "one/..", "nothing"):
        assert kept.find(name) is None


def test_time_left_is_of_this_go() -> None:
    from civicbrain.evaluate.ordered.records import RunDone

    before = RunDone("c", "fixed", 1, 30.0, before=True)
    assert StudyProgressNow(4, (before,)).left_s is None
    assert StudyProgressNow(4, (before, RunDone("c", "fixed", 2, 31.0)), spent_s=10.0).left_s == 20.0
