"""The margin of expected arrivals: how it is derived, and that the brain's is the one that was."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from civicbrain.brains.priority.arrival import MARGIN_S, MARGIN_SHARE, MARGIN_SLIDE, SLIDE_S

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


def test_nine_of_ten_misses_lie_below_the_plane(margin):
    draw = np.random.default_rng(1)
    to_go_s = draw.uniform(5.0, 300.0, 4000)
    # nine of ten of these misses are smaller than 4 s + 0.3 of the time to go
    late_s = (4.0 + 0.3 * to_go_s) * draw.uniform(0.0, 1.0 / 0.9, 4000) * draw.choice((-1, 1), 4000)
    missions = [[one] for one in zip(to_go_s.tolist(), late_s.tolist(), strict=True)]
    found = margin.derive({"a": missions[:3000], "b": missions[3000:]})
    assert found[0] == pytest.approx(4.0, abs=1.5)
    assert found[1] == pytest.approx(0.3, abs=0.03)
    assert margin.covered(missions, found) == pytest.approx(0.9, abs=0.03)


def test_what_slid_back_within_a_minute_is_seen(margin):
    rows = margin.readings([[(60.0, 50.0), *[(60.0, 50.0 - 10.0 * k) for k in range(1, 6)]]])
    assert rows[:, 1].tolist() == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
    assert margin.readings([[(60.0, -5.0), (40.0, 5.0)]])[:, 1].tolist() == [0.0, 0.0]  # told earlier now


def test_a_scenario_weighs_the_same_however_many_predictions_it_has(margin):
    few, many = [[(60.0, 30.0)]] * 10, [[(60.0, 3.0)]] * 1_000
    base_s, share, _ = margin.derive({"few": few, "many": many})
    assert base_s + share * 60.0 >= 29.0


def test_the_brains_margin_is_the_one_derived_from_the_recorded_runs(margin):
    recorded = json.loads((FOLDER / "arrivals.json").read_text())["arrivals"]
    assert margin.derive(recorded) == (MARGIN_S, MARGIN_SHARE, MARGIN_SLIDE)
    assert margin.SLIDE_S == SLIDE_S
    shares = [
        margin.covered(missions, (MARGIN_S, MARGIN_SHARE, MARGIN_SLIDE)) for missions in recorded.values()
    ]
    assert np.mean(shares) == pytest.approx(0.9, abs=0.03)
