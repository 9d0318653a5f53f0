"""incidents: the contract, each kind on a hand-made street, and what must never be said."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from incident_street import CITY, CYCLE_S, GREEN_S, Street, all_green, driving, is_green, lamps

from civicbrain.brains.incidents import create
from civicbrain.city.incidents import IncidentKind, IncidentReport, Place, ReporterKind
from civicbrain.city.observations import SignalStates
from civicbrain.city.signals import ControllerMode
from civicbrain.contracts.brain import BrainContext
from civicbrain.contracts.conformance import check_brain, require
from civicbrain.core.errors import ConfigurationError

STOPPED, WRONG_WAY = IncidentKind.STOPPED_VEHICLE, IncidentKind.WRONG_WAY
SENSOR, SIGNAL = IncidentKind.SENSOR_FAULT, IncidentKind.SIGNAL_FAULT


def queue(count: int, front_m: float = 1.0, lane: str = "WA_0") -> list[tuple[str, float, float]]:
    return [(lane, front_m + 7.5 * place, 0.0) for place in range(count)]


def at_red(time_s: float, most: int = 5) -> list[tuple[str, float, float]]:
    """A queue that grows at red by a vehicle each 5 s and drives off in green."""
    into_s = time_s % CYCLE_S
    if not is_green(time_s):
        return queue(min(most, int((into_s - GREEN_S) / 5.0)))
    return [(lane, d - 8.0 * into_s, 8.0) for lane, d, _ in queue(most) if d > 8.0 * into_s]


def test_the_room_keeps_the_contract_and_refuses_what_it_does_not_know() -> None:
    require(check_brain(create))
    with pytest.raises(ConfigurationError, match="sensitivity"):
        create(BrainContext(CITY, options={"sensitivity": "much"}))
    with pytest.raises(ConfigurationError, match="volume"):
        create(BrainContext(CITY, options={"volume": 11}))


def test_a_vehicle_that_stands_on_an_open_road_is_told_within_a_minute_and_ends_when_it_goes() -> None:
    stopped = ("WA_0", 80.0, 0.0)
    street = Street().play(range(100), driving)
    assert street.told == {}
    street.play(range(100, 250), lambda _: [stopped])
    [one] = street.open
    assert one.kind is STOPPED
    assert one.place.edge == "WA"
    assert one.place.lanes == (0,)
    assert abs(one.place.position_m - 220.0) <= 10.0
    assert 100.0 <= one.detected_s <= 160.0
    assert abs(one.onset_s - 100.0) <= 10.0
    assert one.capacity_left == 0.0
    assert one.clears_s > 250.0
    assert one.sensors == ("camera:A",)
    street.play(range(250, 700), driving)
    assert street.open == []
    assert 250.0 <= street.told[one.id].cleared_s <= 450.0
    assert len(street.told) == 1


def test_a_first_vehicle_that_does_not_go_at_green_is_told_and_a_queue_at_red_is_not() -> None:
    street = Street().play(range(420), at_red, states=lamps)
    assert street.told == {}
    street.play(range(420, 620), lambda _: queue(5), states=lamps)
    assert [one.kind for one in street.open] == [STOPPED]
    assert street.open[0].place.position_m > 290.0


def test_first_vehicles_of_two_approaches_that_do_not_go_are_one_blocked_junction() -> None:
    street = Street().play(range(200), at_red, states=lamps)
    street.play(range(200, 420), lambda _: queue(3) + queue(3, lane="BA_0"), states=lamps)
    [one] = street.open
    assert one.kind is IncidentKind.BLOCKED_JUNCTION
    assert one.place.junction == "A"


def test_one_who_drives_away_from_the_stop_line_is_a_wrong_way_driver_at_once() -> None:
    street = Street().play(range(100), driving)
    street.play(range(100, 113), lambda t: [("WA_0", (t - 100.0) * 11.0, 11.0)])
    [one] = street.told.values()
    assert one.kind is WRONG_WAY
    assert one.detected_s <= 110.0
    street.play(range(113, 200), driving)
    assert street.open == []


def test_a_platoon_whose_headway_is_twice_the_frame_is_no_wrong_way_driver() -> None:
    """Every second 10 m on, one behind the other by 20 m: each seems to stand where one 10 m back was."""
    street = Street().play(range(300), lambda t: driving(t, every_s=2))
    assert street.told == {}


def test_drivers_who_go_at_reported_red_show_that_the_signal_is_other_than_reported() -> None:
    street = Street().play(range(180), driving)
    street.play(range(180, 400), lambda t: driving(t, speed=12.0), states=lambda t: lamps(t, lambda _: False))
    assert SIGNAL in {one.kind for one in street.open}
    assert all(one.place.junction for one in street.open)


def braking(time_s: float) -> list[tuple[str, float, float]]:
    """At red one drives up each 7 s at 17 m/s and stops firmly (4.5 m/s²) in the last second in which he can,
    on both approaches of the street to A; in green they go."""
    into_s = int(time_s % CYCLE_S)
    seen = []
    for place in range(3):
        stop_m = 1.5 + 7.5 * place
        d, speed = stop_m + 25.0 + 7 * 17.0, 17.0
        for _ in range(max(0, into_s - int(GREEN_S) - 7 * place)):
            speed = max(0.0, speed - 4.5) if d <= stop_m + 25.0 else speed
            d = max(stop_m, d - speed)
        if is_green(time_s):
            d, speed = stop_m - 8.0 * into_s, 8.0
        if 0.0 < d < 150.0:
            seen += [(lane, d, speed if d > stop_m or is_green(time_s) else 0.0) for lane in ("WA_0", "BA_0")]
    return seen


@pytest.mark.parametrize(("first_s", "late_s"), [(0, 1), (0, 2), (1, 2), (0, 3), (0, 7)])
def test_who_brakes_at_red_between_frames_that_lie_apart_has_not_gone_over_the_line(first_s, late_s) -> None:
    """The brain is asked late, as by a machine that is busy: who brakes is not known again, and was taken
    for one who had gone over the line at red."""
    street = Street().play(range(first_s, 900, late_s), braking, states=lamps)
    assert {one.kind for one in street.told.values()} & {SIGNAL, SENSOR, WRONG_WAY} == set()


def test_frames_that_now_and_then_lie_apart_say_nothing_of_signals_or_cameras() -> None:
    """As when the twin runs ahead of a brain that is still starting."""
    rng = np.random.default_rng(1)
    seconds = np.cumsum(rng.choice([1, 1, 2, 3, 6], 600)).tolist()
    street = Street().play(seconds, braking, states=lamps)
    assert street.told == {}


def test_lamps_that_were_last_heard_of_long_ago_say_nothing_of_who_drives_or_stands() -> None:
    """The controllers are no longer heard, the cameras are: red that was reported is no red any more."""
    street = Street().play(range(180), driving)
    street.play(
        range(180, 400), lambda t: driving(t, speed=12.0), states=lambda _: lamps(180.0, lambda _: False)
    )
    assert street.told == {}
    street = Street().play(range(180), driving)
    street.play(range(180, 400), lambda _: queue(3), states=lambda _: all_green(180.0))
    assert street.told == {}


def test_the_first_minute_counts_from_the_first_frame_and_not_from_the_first_question() -> None:
    """The brain is asked once before the twin warms up, then minutes later."""
    street = Street().play([0], driving, cameras=lambda _: ())
    street.play(range(300, 420), lambda _: [("WA_0", 80.0, 0.0)])
    [one] = street.told.values()
    assert one.detected_s == 360.0


def test_a_camera_that_was_away_for_long_begins_afresh() -> None:
    """Another one stands where somebody stood before: nobody has seen that he stood there for a minute."""
    street = Street().play(range(90), driving)
    street.play(range(90, 110), lambda _: [("WA_0", 80.0, 0.0)])
    street.play([140], lambda _: [("WA_0", 80.0, 0.0)])
    assert street.brain._tracks.stood_s(140.0).tolist() == [0.0]


def test_lamps_that_do_not_change_while_somebody_waits_are_stuck() -> None:
    street = Street().play(range(300), at_red, states=lamps)
    fixed = lamps(299.0)
    street.play(range(300, 460), lambda _: queue(3), states=lambda t: replace(fixed, time_s=t))
    [one] = street.open
    assert one.kind is SIGNAL
    assert one.detected_s <= 400.0
    assert len(street.alerts) == 1  # not one a second with other seconds in it


@pytest.mark.parametrize("mode", [ControllerMode.MANUAL, ControllerMode.FORCED])
def test_a_stage_that_is_held_on_purpose_is_no_stuck_signal_nor_is_it_just_after(mode) -> None:
    street = Street().play(range(300), at_red, states=lamps)
    fixed = lamps(299.0)
    held = np.full_like(fixed.mode, int(mode))
    street.play(range(300, 460), lambda _: queue(3), states=lambda t: replace(fixed, time_s=t, mode=held))
    street.play(range(460, 480), lambda _: queue(3), states=lambda t: replace(fixed, time_s=t))
    assert street.told == {}
    street.play(range(480, 700), lambda _: queue(3), states=lambda t: replace(fixed, time_s=t))
    assert [one.kind for one in street.open] == [SIGNAL], "given back, and still nothing changes"


@pytest.mark.parametrize("stands_at_green", [False, True])
def test_two_who_cross_at_red_are_a_signal_fault_where_another_does_not_go_at_green(
    stands_at_green: bool,
) -> None:
    """Lamps show another thing than reported: each lane alone says too little of it."""

    def vehicles(time_s: float) -> list[tuple[str, float, float]]:
        crossing = [("WA_0", (at_s - time_s) * 10.0, 10.0) for at_s in (340.0, 400.0)]
        head = [("NAA_0", 2.0, 0.0)] if stands_at_green else []
        return [one for one in crossing if 0.0 < one[1] < 150.0] + head

    street = Street().play(range(300), at_red, states=lamps)
    street.play(range(300, 411), vehicles, states=lamps)
    assert [one.kind for one in street.open] == ([SIGNAL] if stands_at_green else [])


def test_a_stage_that_stays_because_nobody_else_asks_is_no_stuck_signal() -> None:
    street = Street().play(range(300), at_red, states=lamps)
    fixed = lamps(299.0)

    def crossing(time_s: float) -> list[tuple[str, float, float]]:
        return driving(time_s, "NAA_0")

    states = {"states": lambda t: replace(fixed, time_s=t)}
    street.play(range(300, 440), crossing, **states)
    street.play(range(440, 475), lambda t: [*crossing(t), *queue(1)], **states)
    assert street.told == {}, "he has waited for half a minute"
    street.play(range(475, 560), lambda t: [*crossing(t), *queue(1)], **states)
    assert [one.kind for one in street.open] == [SIGNAL]


def central(time_s: float) -> SignalStates:
    """The street has had green for ever, kept by the centre."""
    states = all_green(time_s)
    return replace(states, mode=np.full_like(states.mode, int(ControllerMode.CENTRAL)))


def test_a_controller_that_does_not_do_what_the_centre_asks_is_told_before_anybody_has_waited_for_long() -> (
    None
):
    """Minimum greens and intergreens of the sandbox are 10 s at most, so half a minute is a fault."""
    street = Street().play(range(300), driving, states=central, asked=lambda _: 0)
    assert street.told == {}
    street.play(range(300, 335), driving, states=central, asked=lambda _: 1)
    assert [(one.kind, one.onset_s) for one in street.open] == [(SIGNAL, 300.0)] * len(CITY.junctions)
    assert {one.evidence[0].key for one in street.open} == {"lamps-unfollowed"}


def test_a_controller_that_is_asked_for_another_stage_now_and_then_is_in_order() -> None:
    street = Street().play(range(400), driving, states=central, asked=lambda t: int(t % 20 > 10))
    assert street.told == {}


def test_one_who_waits_at_red_while_the_centre_keeps_a_stage_waits_for_no_fault() -> None:
    """The signals room lets nobody wait for longer than two minutes."""
    street = Street().play(range(300), driving, states=central, asked=lambda _: 0)
    waiting = [("NAA_0", 2.0, 0.0)]
    play = {"states": central, "asked": lambda _: 0}
    street.play(range(300, 420), lambda t: [*driving(t), *waiting], **play)
    assert street.told == {}
    street.play(range(420, 500), lambda t: [*driving(t), *waiting], **play)
    assert [one.kind for one in street.open] == [SIGNAL]


def test_a_camera_that_was_heard_and_falls_silent_is_told_and_one_never_heard_is_not() -> None:
    street = Street().play(range(120), driving, cameras=lambda _: (0,))
    street.play(range(120, 160), driving, cameras=lambda _: ())
    [one] = street.open
    assert one.kind is SENSOR
    assert one.place.sensor == "camera:A"
    assert one.detected_s <= 135.0
    assert one.capacity_left == 1.0


def test_a_camera_that_repeats_itself_while_vehicles_drive_is_frozen() -> None:
    street = Street().play(range(120), driving)
    street.play(range(120, 150), lambda _: driving(119.0))
    assert [one.kind for one in street.open] == [SENSOR]
    assert street.open[0].evidence[0].key == "camera-frozen"


def test_vehicles_that_others_drive_through_are_none() -> None:
    street = Street().play(range(120), driving)
    street.play(range(120, 200), lambda t: queue(5, 20.0) + driving(t))
    assert [one.kind for one in street.open] == [SENSOR]


def test_one_who_drove_up_is_real_whoever_passes_him_on_a_wide_lane() -> None:
    def vehicles(time_s: float) -> list[tuple[str, float, float]]:
        drives_up = ("WA_0", max(60.0, 150.0 - (time_s - 120.0) * 9.0), 9.0 if time_s < 130.0 else 0.0)
        return [drives_up, *(one for one in driving(time_s) if abs(one[1] - drives_up[1]) > 3.0)]

    street = Street().play(range(120), driving).play(range(120, 180), vehicles)
    assert SENSOR not in {one.kind for one in street.told.values()}


def test_a_report_is_put_to_what_the_camera_saw_and_makes_it_surer() -> None:
    place = Place(180.0, 0.0, edge="WA", lanes=(0,), position_m=180.0)
    said = [
        IncidentReport(f"r{at}", ReporterKind.CITIZEN, f"app{at}", IncidentKind.CRASH, place, float(at))
        for at in (170, 190)
    ]
    street = Street().play(range(100), driving)
    street.play(range(100, 250), lambda _: [("WA_0", 80.0, 0.0)], reports=said)
    [one] = street.open
    assert one.reports == ("r170", "r190")
    alone = Street().play(range(100), driving).play(range(100, 250), lambda _: [("WA_0", 80.0, 0.0)])
    assert one.confidence > alone.open[0].confidence


def test_a_report_of_what_no_camera_sees_is_an_incident_as_sure_as_its_reporter() -> None:
    place = Place(500.0, 250.0)
    said = [
        IncidentReport("r1", ReporterKind.CITIZEN, "app", STOPPED, place, 100.0),
        IncidentReport("r2", ReporterKind.POLICE, "radio", STOPPED, Place(520.0, 250.0), 130.0),
    ]
    street = Street().play(range(120), driving, reports=said)
    assert [one.confidence for one in street.open] == [0.5]
    street.play(range(120, 160), driving, reports=said)
    [one] = street.open
    assert one.reports == ("r1", "r2")
    assert one.confidence == pytest.approx(0.97, abs=0.01)
    street.play(range(160, 1300), driving)
    assert street.open == []


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 6), st.integers(4, 30), st.floats(5.0, 14.0), st.integers(0, 1000))
def test_nothing_is_said_of_an_empty_road_or_of_queues_at_red(queued, every_s, speed, seed) -> None:
    """Whatever the queue at red, the flow in green and what the camera overlooks."""
    rng = np.random.default_rng(seed)

    def vehicles(time_s: float) -> list[tuple[str, float, float]]:
        seen = at_red(time_s, queued) if queued else driving(time_s, every_s=every_s, speed=speed)
        return [one for one in seen if rng.random() >= 0.05]

    states = lamps if queued else all_green
    assert Street().play(range(300), vehicles, states=states).told == {}


@settings(max_examples=5, deadline=None)
@given(st.floats(25.0, 130.0), st.integers(1, 4), st.integers(0, 1000), st.floats(0.0, 0.7))
def test_one_thing_is_never_two_incidents(front_m, behind, seed, error_m) -> None:
    """A stopped vehicle and those behind it, seen with misses and errors, for five minutes: one incident."""
    rng = np.random.default_rng(seed)

    def vehicles(_: float) -> list[tuple[str, float, float]]:
        standing = [one for one in queue(behind, front_m) if one[1] < 148.0 and rng.random() >= 0.05]
        return [
            (lane, max(d + rng.normal() * error_m, 0.0), abs(rng.normal()) * 0.3) for lane, d, _ in standing
        ]

    street = Street().play(range(90), driving).play(range(90, 400), vehicles)
    assert len(street.told) == 1
    assert len(street.open) == 1


def settle(said: IncidentReport, at_s: float) -> IncidentReport:
    return msgspec.structs.replace(said, reported_s=at_s, settled=True)


def test_what_only_people_reported_is_over_when_its_case_is_closed() -> None:
    place = Place(500.0, 250.0)
    first = IncidentReport("r1", ReporterKind.CITIZEN, "app", STOPPED, place, 100.0)
    second = IncidentReport("r2", ReporterKind.POLICE, "radio", STOPPED, place, 110.0)
    reports = [first, second, settle(first, 140.0), settle(second, 160.0)]
    street = Street().play(range(150), driving, reports=reports)
    assert [one.reports for one in street.open] == [("r2",)]  # somebody else still says it
    street.play(range(150, 180), driving, reports=reports)
    assert street.open == []


def test_what_a_camera_sees_stays_when_the_case_of_its_reports_is_closed() -> None:
    place = Place(180.0, 0.0, edge="WA", lanes=(0,), position_m=180.0)
    said = IncidentReport("r1", ReporterKind.CITIZEN, "app", STOPPED, place, 170.0)
    street = Street().play(range(100), driving)
    reports = [said, settle(said, 220.0)]
    street.play(range(100, 210), lambda _: [("WA_0", 80.0, 0.0)], reports=reports)
    assert [one.reports for one in street.open] == [("r1",)]
    street.play(range(210, 250), lambda _: [("WA_0", 80.0, 0.0)], reports=reports)
    assert [one.reports for one in street.open] == [()]


def test_what_people_reported_ends_in_what_a_camera_then_sees() -> None:
    place = Place(180.0, 0.0, edge="WA", lanes=(0,), position_m=180.0)
    said = IncidentReport("r1", ReporterKind.CITIZEN, "app", STOPPED, place, 105.0)
    street = Street().play(range(100), driving)
    street.play(range(100, 210), lambda _: [("WA_0", 80.0, 0.0)], reports=[said])
    [seen] = street.open
    [only_said] = [one for one in street.told.values() if "reported" in one.id and not one.is_open]
    assert only_said.part_of == seen.id
