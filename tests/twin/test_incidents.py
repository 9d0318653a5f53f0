"""Incidents brought about on purpose: what the road and the sensors then show, and what is refused."""

from __future__ import annotations

from itertools import pairwise

import pytest
from incident_runs import camera_errors, incident_run, lanes_of_an_obstacle

from civicbrain.city.incidents import IncidentKind
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import ConfigurationError
from civicbrain.twin.incidents import RoadIncident, check_incidents

CITY = sandbox_city()
LANE, JUNCTION = CITY.network.lanes.ids[0], CITY.junctions[0].id


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": IncidentKind.CONGESTION}, "not brought about"),
        ({"lasts_s": 0.0}, "it lasts 0 s"),
        ({"begin_s": float("nan")}, "from nan s"),
        ({"lanes": ("nowhere",)}, "a lane that the city does not have"),
        ({"lanes": ()}, "names no lane"),
        ({"position_m": 1e6}, "not on the lane"),
        ({"mode": "dark"}, "no mode 'dark'"),
        ({"kind": IncidentKind.SIGNAL_FAULT, "junction": JUNCTION}, "use dark, stuck"),
        ({"kind": IncidentKind.BLOCKED_JUNCTION}, "no signal junction ''"),
        ({"kind": IncidentKind.WRONG_WAY, "speed_mps": 0.0}, "nobody drives at 0"),
    ],
)
def test_incidents_that_a_city_cannot_have_are_refused(changes: dict[str, object], message: str) -> None:
    sound: dict[str, object] = {
        "id": "x", "kind": IncidentKind.CRASH, "begin_s": 0.0, "lasts_s": 60.0, "lanes": (LANE,),
        "position_m": 50.0,
    }  # fmt: skip
    check_incidents(CITY, [RoadIncident(**sound)])
    with pytest.raises(ConfigurationError, match=message) as caught:
        check_incidents(CITY, [RoadIncident(**(sound | changes))])
    assert caught.value.remedy
    with pytest.raises(ConfigurationError, match="mesoscopic"):
        check_incidents(CITY, [RoadIncident(**sound)], mesoscopic=True)


def test_a_vehicle_breaks_down_for_as_long_as_told_and_drives_on(in_process) -> None:
    run = in_process(incident_run, "stopped_vehicle")
    assert run["vehicles"] == 1
    assert 60.0 <= run["began_s"] < 200.0
    assert run["ended_s"] - run["began_s"] == pytest.approx(100.0, abs=1.0)


def test_an_obstacle_is_no_vehicle_and_is_taken_away(in_process) -> None:
    run = in_process(incident_run, "closed_lane")
    assert 60.0 <= run["began_s"] < 160.0  # when there is room for it
    assert run["ended_s"] > run["began_s"]
    assert run["left_over"] == []
    assert run["due"] == in_process(incident_run, "sensor_fault", "blind")["due"]


def test_an_obstacle_stays_on_the_lane_that_it_closes(in_process) -> None:
    """SUMO would have it keep to the right, as a driver does, and close another lane than the one told."""
    lane, seen = in_process(lanes_of_an_obstacle)
    assert seen == {lane}


def test_vehicles_stand_inside_a_blocked_junction(in_process) -> None:
    run = in_process(incident_run, "blocked_junction")
    assert run["vehicles"] >= 1
    assert 60.0 <= run["began_s"] < 120.0


@pytest.mark.parametrize(
    ("mode", "shown", "reported"), [("dark", 1, 3), ("stuck", 1, 1), ("disagreeing", 1, 3)]
)
def test_lamps_disobey_and_the_controller_says_what_it_knows(in_process, mode, shown, reported) -> None:
    """Within 100 s the plan shows several lamp strings; a stuck signal that knows it reports one. No unsafe
    state is held against the control for lamps that did not obey it."""
    run = in_process(incident_run, "signal_fault", mode)
    assert run["shown"] == shown
    assert run["dark"] == (mode == "dark")
    assert (run["reported"] == 1) if reported == 1 else (run["reported"] >= reported)
    assert run["unsafe"] == 0


def test_a_signal_stuck_in_what_it_should_show_is_no_fault_yet(in_process) -> None:
    """The fault begins in the second in which the controller wants other lamps than those that are stuck: at
    an end of green, not in the midst of one."""
    run = in_process(incident_run, "signal_fault", "disagreeing")
    assert run["began_s"] > 60.0
    assert "y" in run["first_reported"]
    assert "y" not in run["first_shown"]


def test_a_wrong_way_driver_is_seen_to_move_away_from_the_stop_line(in_process) -> None:
    """10 m/s against the lane: each second 10 m further from the stop line, from 0 on."""
    run = in_process(incident_run, "wrong_way", "", 120.0, 20.0)
    track = run["ghosts"]
    assert len(track) >= 5
    assert track[0][1] <= 20.0
    steps = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(track[:5])]
    assert steps == pytest.approx([10.0] * 4, abs=0.01)


def test_cameras_err_as_much_as_told(in_process) -> None:
    assert in_process(camera_errors, 0.5, 0.3) == pytest.approx((0.5, 0.3), rel=0.1)
