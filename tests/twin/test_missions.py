"""Emergency vehicles in the twin: set out, report, arrive, are cancelled."""

from __future__ import annotations

import pytest
from mission_runs import drive_mission, refused_route


@pytest.fixture(scope="module")
def driven(in_process):
    return in_process(drive_mission, False, -1.0)


def test_it_sets_out_when_it_is_ordered_and_arrives_along_its_route(driven):
    assert driven["ordered_s"] == [11.0]
    assert driven["departed_s"] <= 14.0
    assert driven["arrived_s"] is not None
    assert driven["left"] == driven["route"]
    assert driven["ends"] == ["arrived"]
    assert driven["collisions"] == 0


def test_its_positions_have_error_and_latency(driven):
    assert driven["late_s"] == [1.0]
    # mean distance of a two-dimensional normal error of 4 m each way: 4 sqrt(pi / 2) = 5.0 m
    assert driven["mean_error_m"] == pytest.approx(5.0, abs=1.5)
    assert driven["positions"] >= driven["arrived_s"] - driven["departed_s"] - 3.0


def test_its_own_delay_is_told_apart(driven):
    assert driven["delay_veh_s"] == pytest.approx(driven["loss_s"])
    assert driven["delay_veh_s"] > 0.0


def test_a_blue_light_is_not_slower_and_safe(in_process, driven):
    blue = in_process(drive_mission, True, -1.0)
    assert blue["arrived_s"] <= driven["arrived_s"]
    assert blue["collisions"] == 0


def test_a_cancelled_one_leaves_the_street(in_process):
    cancelled = in_process(drive_mission, False, 20.0)
    assert cancelled["arrived_s"] is None
    assert cancelled["ends"] == []
    assert cancelled["positions"] < 20


def test_a_route_that_is_none_is_refused_with_a_remedy(in_process):
    assert "connected edges" in in_process(refused_route)
