"""The page stands alone, says what must be said, and never lets names become markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import fake_runs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from civicbrain.contracts.brain import ControlSpec
from civicbrain.evaluate import plots
from civicbrain.evaluate.plan import RunTask
from civicbrain.evaluate.records import Evaluation, Failure, RunFile
from civicbrain.evaluate.report import best_control, headline, render_report
from civicbrain.evaluate.summary import collect_series, compare, summarise


def make_runs(controls: tuple[str, ...], seeds: int, folder: Path) -> list[RunFile]:
    tasks = [
        RunTask(folder, ControlSpec(control, "fixed"), seed, 25200.0, 28800.0, folder, "key")
        for control in controls
        for seed in range(1, seeds + 1)
    ]
    return [fake_runs.simulate(task) for task in tasks]


def make_study(files: list[RunFile], scenario: str = "sandbox") -> Evaluation:
    runs = [file.run for file in files]
    controls = list(dict.fromkeys(run.control for run in runs))
    return Evaluation(
        scenario=scenario, sumo_version="1.28.0", civicbrain_version="0.1.0", sensing="camera", coverage=1.0,
        begin_s=25200.0, end_s=28800.0, runs=runs, summary=summarise(runs, controls),
        paired=compare(runs, controls, "fixed"), baseline="fixed", seeds=sorted({run.seed for run in runs}),
        series=collect_series(files, controls),
    )  # fmt: skip


class Addresses(HTMLParser):
    """Collects everything a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data"}]


def test_the_page_fetches_nothing_and_its_drawings_are_sound(tmp_path: Path) -> None:
    city = fake_runs.fake_city(tmp_path)
    page = render_report([(make_study(make_runs(("fixed", "max-pressure"), 10, tmp_path)), city)])
    addresses = Addresses()
    addresses.feed(page)
    assert [address for address in addresses.found if not address.startswith(("#", "data:"))] == []
    assert "url(" not in page
    assert "<script" not in page
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 6  # delay, ratio, queues, travel times, two maps
    for drawing in drawings:
        ElementTree.fromstring(drawing)
        assert "nan" not in drawing
    assert "fewer than the 10" not in page
    assert "A: " in page, "junctions are named on the map"


def test_names_from_outside_stay_text(tmp_path: Path) -> None:
    city = fake_runs.fake_city(tmp_path)
    evil = "<script>alert(1)</script>"
    junctions = tuple(
        type(junction)(**{f: getattr(junction, f) for f in junction.__struct_fields__} | {"name": evil})
        for junction in city.junctions
    )
    study = make_study(make_runs(("fixed", "actuated"), 2, tmp_path), evil)
    study.failures = [Failure(control=evil, seed=1, reason=evil)]
    page = render_report([(study, replace(city, junctions=junctions, source=evil))], command=evil)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_page_says_what_a_fair_reader_must_know(tmp_path: Path) -> None:
    files = make_runs(("fixed", "actuated"), 2, tmp_path)
    files[2].run.deadlock = True
    files[3].run.undeparted = 500
    files[3].run.refused_requests = 120
    study = make_study(files)
    study.sensing = "oracle"
    page = render_report([(study, fake_runs.fake_city(tmp_path))])
    told = (
        "fewer than the 10 that a claim needs",
        "upper bound",
        "deadlocked",
        "oversaturated",
        "120 requests of",
    )
    for words in told:
        assert words in page


def test_a_study_in_which_nothing_finished_still_makes_a_page(tmp_path: Path) -> None:
    study = make_study([])
    study.failures = [Failure(control="fixed", seed=1, reason="SUMO died")]
    page = render_report([(study, fake_runs.fake_city(tmp_path))])
    assert "no run finished" in page
    assert "SUMO died" in page


def test_the_headline_claims_no_more_than_the_interval_allows(tmp_path: Path) -> None:
    clear = make_study(make_runs(("fixed", "max-pressure"), 5, tmp_path))
    assert best_control(clear) == "max-pressure"
    assert "not significant" not in headline(clear, "max-pressure")
    assert "−3" in headline(clear, "max-pressure")
    files = make_runs(("fixed", "actuated"), 2, tmp_path)
    files[2].run.mean_delay_s, files[3].run.mean_delay_s = 10.0, 90.0
    vague = make_study(files)
    assert "not significant" in headline(vague, "actuated")


@pytest.mark.parametrize(("delay_s", "number"), [(0.0, 0), (10.0, 0), (10.1, 1), (55.0, 3), (80.1, 5)])
def test_classes_of_delay_are_those_of_the_manual(delay_s: float, number: int) -> None:
    assert plots.delay_class(delay_s) == number


@given(st.floats(-1e6, 1e6), st.floats(0.0, 1e6), st.integers(2, 10))
@example(0.0, 5e-324, 2)
@example(1e6, 1e-9, 2)
def test_ticks_enclose_the_data_and_are_few(low: float, span: float, count: int) -> None:
    ticks = plots.nice_ticks(low, low + span, count)
    slack = 1e-6 * max(abs(low), span, 1.0)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + span - slack
    assert 2 <= len(ticks) <= 2 * count + 3
    assert ticks == sorted(ticks)
