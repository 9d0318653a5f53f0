"""Bounds of a real junction and a street: in order, repeatable, below what is driven."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import fake_runs
import pytest

from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.evaluate.bound import measure_bound
from civicbrain.evaluate.plan import StudyOptions
from civicbrain.evaluate.records import Bound
from civicbrain.evaluate.study import run_study

needs_scenarios = pytest.mark.skipif(
    importlib.util.find_spec("sumo_rl") is None, reason="the scenarios extra is not installed"
)
COLOGNE1_PLAN_S = 30.0
"""More than this is lost under the city's own plan in the first ten minutes (and 43 s in the whole hour)."""


@needs_scenarios
def test_limits_are_in_order_and_below_the_citys_own_plan() -> None:
    from civicbrain.twin.importing import resolve_scenario

    city = resolve_scenario("cologne1")
    bound = measure_bound(city.folder, 1, 25200.0, 25800.0)
    assert 1.0 < bound.free_road_s <= bound.conflicts_s < 5.0
    assert bound.free_road_s <= bound.open_signals_s <= bound.foresight_s < bound.plan_in_model_s
    assert bound.plan_in_model_s > COLOGNE1_PLAN_S / 2
    assert bound.vehicles_due > 200
    assert 0.9 < bound.stop_lines_per_vehicle <= 1.0
    assert bound == measure_bound(city.folder, 1, 25200.0, 25800.0)


def _bound(folder: Path, seed: int, begin_s: float, end_s: float) -> Bound:
    assert folder.is_dir()
    assert (begin_s, end_s) == (fake_runs.BEGIN_S, fake_runs.END_S)
    return Bound(
        seed=seed, vehicles_due=2000, free_road_s=2.5, conflicts_s=4.5, open_signals_s=3.5, foresight_s=12.5,
        plan_in_model_s=47.5, stop_lines_per_vehicle=1.0,
    )  # fmt: skip


@pytest.mark.parametrize("wanted", [True, False])
def test_a_study_shows_the_bound_where_it_was_asked_for(tmp_path: Path, wanted: bool) -> None:
    city = replace(fake_runs.fake_city(tmp_path / "city"), junctions=sandbox_city().junctions)
    options = StudyOptions(controls=("fixed", "max-pressure"), seeds=(1, 2), bound=wanted)
    run_study(
        [str(city.folder)], options, tmp_path / "out", executor=fake_runs.AtOnce(),
        simulate=fake_runs.simulate, resolve=lambda _: city, find_bound=_bound,
    )  # fmt: skip
    written = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    page = (tmp_path / "out" / "report.html").read_text()
    if wanted:
        assert written["bound"]["foresight_s"] == 12.5
        assert "12.5 s" in page
        assert "How low delay could go" in page
    else:
        assert written["bound"] is None
        assert "How low delay could go" not in page
