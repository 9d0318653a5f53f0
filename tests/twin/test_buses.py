"""Buses in the twin: they report with error and delay, know their timetable; late ones are sooner through."""

from __future__ import annotations

import pytest
from bus_runs import bus_loss, follow_buses


@pytest.fixture(scope="module")
def followed(in_process):
    return in_process(follow_buses, 600.0)


def test_every_bus_of_the_scenario_is_a_trip_of_its_timetable(followed):
    assert followed["loaded"] == followed["seen"] != []
    assert (followed["line"], followed["direction"]) == ("60", 1)
    assert followed["start_s"] == pytest.approx(57633.5, abs=5.0)


def test_positions_have_error_and_age(followed):
    # mean distance of a two-dimensional normal error of 5 m each way: 5 sqrt(pi / 2) = 6.3 m
    assert followed["mean_error_m"] == pytest.approx(6.3, abs=1.5)
    assert followed["ages_s"] == [2.0]
    assert followed["positions"] > 10
    assert followed["refused"] == {}


def test_times_at_stops_are_kept(followed):
    assert any(followed["through"].values())
    assert followed["in_order"]


def test_late_buses_get_their_green_sooner_and_nothing_is_unsafe(in_process):
    with_, without = in_process(bus_loss, "plan+priority"), in_process(bus_loss, "plan")
    trips = with_["loss_s"].keys() & without["loss_s"].keys()
    assert len(trips) >= 4
    assert sum(with_["loss_s"][trip] for trip in trips) < 0.9 * sum(without["loss_s"][trip] for trip in trips)
    assert with_["asks"]
    assert with_["unsafe_states"] == with_["collisions"] == 0
