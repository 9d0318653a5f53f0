"""The margin of expected arrivals: how it is derived, and that the brain's is the one that was."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "priority"


@pytest.fixture(scope="module")
def margin():
    spec = importlib.util.spec_from_file_location("priority_margin", FOLDER / "margin.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        spec.loader.exec_module(module)
    return module


def test_the_margin_is_the_line_below_which_nine_of_ten_misses_lie(margin):
    draw = np.random.default_rng(1)
    to_go_s = draw.uniform(5.0, 300.0, 20_000)
    # nine of ten of these misses are smaller than 4 s + 0.3 of the time to go
    missed_s = (4.0 + 0.3 * to_go_s) * draw.uniform(0.0, 1.0 / 0.9, 20_000) * draw.choice((-1, 1), 20_000)
    rows = list(zip(to_go_s.tolist(), missed_s.tolist(), strict=True))
    base_s, share = margin.derive({"a": rows[:15_000], "b": rows[15_000:]})
    assert base_s == pytest.approx(4.0, abs=1.0)
    assert share == pytest.approx(0.3, abs=0.02)
    assert margin.covered(rows, base_s, share) == pytest.approx(0.9, abs=0.01)


def test_a_scenario_weighs_the_same_however_many_predictions_it_has(margin):
    few, many = [(60.0, 30.0)] * 10, [(60.0, 3.0)] * 10_000
    base_s, share = margin.derive({"few": few, "many": many})
    assert base_s + share * 60.0 >= 30.0
