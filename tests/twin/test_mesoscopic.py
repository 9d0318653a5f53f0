"""The mesoscopic twin: what cameras see of its queues, safety, repetition, checkpoints, what it refuses."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from meso_runs import blocked, next_movements, queues, save_and_resume, whole


def test_queues_stand_front_to_front_and_cameras_see_them(in_process) -> None:
    found = in_process(queues, 400)
    assert found["on_lanes"]
    assert found["short_gaps"] == 0
    assert found["standing"] > 1.2 * found["heads"] > 0  # SUMO says only of the heads that they stand
    assert all(expected == seen for expected, seen in found["counts"])
    assert sum(seen for _, seen in found["counts"]) > 100


def test_a_run_repeats_keeps_the_lamps_safe_and_gives_no_figures_that_it_cannot_know(in_process) -> None:
    first, again, other = in_process(whole, 1), in_process(whole, 1), in_process(whole, 2)
    assert str(first) == str(again) != str(other)
    assert first["unsafe_states"] == 0
    assert first["arrived"] > 100
    assert 0.0 < first["mean_delay_s"] < 120.0
    for unknown in ("mean_waiting_s", "max_waiting_s", "stops_per_vehicle"):
        assert math.isnan(first[unknown])


def test_an_oracle_reads_the_next_movement_off_the_route(in_process) -> None:
    known, right = in_process(next_movements)
    assert known == right > 500


def test_a_checkpoint_is_gone_on_from(in_process, tmp_path: Path) -> None:
    found = in_process(save_and_resume, tmp_path)
    assert found["same"]
    assert found["count"] > 10
    assert found["metrics"]["unsafe_states"] == 0
    assert found["metrics"]["arrived"] > found["count"] // 2


def test_nobody_passes_a_closed_road_until_it_opens(in_process) -> None:
    found = in_process(blocked, "-28675510#11_0", 200.0)
    assert found["held"] == 1
    assert found["before"] > 3
    assert found["during"] == 0
    assert found["after"] > 10


@pytest.mark.parametrize("lane", ["-186623965#16_0"])
def test_a_lane_with_another_beside_it_is_not_closed(in_process, lane: str) -> None:
    error = in_process(blocked, lane, 60.0)["error"]
    assert lane in error
    assert "microscopically" in error
