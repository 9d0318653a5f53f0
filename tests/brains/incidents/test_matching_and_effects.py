"""Reports and incidents: what belongs together; what an incident costs, worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicbrain.brains.incidents.effects import capacity_left, delay_veh_h
from civicbrain.brains.incidents.matching import (
    NEAR_M,
    apart_m,
    confidence_of,
    find_match,
    fits,
    say_the_same,
)
from civicbrain.city.incidents import Incident, IncidentKind, IncidentReport, Place, ReporterKind

CRASH, STOPPED = IncidentKind.CRASH, IncidentKind.STOPPED_VEHICLE


def incident(name: str, x_m: float, kind: IncidentKind = STOPPED, onset_s: float = 1000.0) -> Incident:
    return Incident(name, kind, Place(x_m, 0.0, edge="e"), 0.8, onset_s, onset_s + 30.0, onset_s + 30.0)


def report(x_m: float, kind: IncidentKind = CRASH, at_s: float = 1100.0, **more: object) -> IncidentReport:
    return IncidentReport("r", ReporterKind.CITIZEN, "app", kind, Place(x_m, 0.0), at_s, **more)


def test_a_report_goes_to_the_nearest_incident_that_fits_in_kind_place_and_time() -> None:
    near, far = incident("near", 50.0), incident("far", 100.0)
    assert find_match(report(0.0), [far, near]) is near
    assert find_match(report(0.0, IncidentKind.WRONG_WAY), [near]) is None
    assert find_match(report(50.0 + NEAR_M + 1.0), [near]) is None
    assert find_match(report(0.0, at_s=650.0), [near]) is None
    assert find_match(report(0.0, at_s=9000.0, happened_s=1050.0), [near]) is near


def test_a_dark_signal_may_be_called_a_blocked_junction() -> None:
    dark = incident("dark", 0.0, IncidentKind.SIGNAL_FAULT)
    assert fits(report(0.0, IncidentKind.BLOCKED_JUNCTION), dark)
    assert not fits(report(0.0, IncidentKind.SENSOR_FAULT), dark)


def test_a_place_without_a_position_is_as_near_as_its_junction_or_edge() -> None:
    assert apart_m(Place(0, 0, junction="A"), Place(900, 0, junction="A")) == 0.0
    assert apart_m(Place(0, 0, edge="e"), Place(900, 0, edge="e", position_m=5.0)) == 0.0
    assert apart_m(Place(0, 0, edge="e", position_m=1.0), Place(30, 40, edge="e", position_m=5.0)) == 50.0


@given(st.floats(-200, 200), st.floats(-2000, 2000))
def test_saying_the_same_is_mutual(x_m: float, later_s: float) -> None:
    one, other = report(0.0), report(x_m, at_s=1100.0 + later_s)
    assert say_the_same(one, other) == say_the_same(other, one)


def test_independent_reporters_make_it_surer_and_one_who_repeats_himself_does_not() -> None:
    """Two citizens: 1 − 0.5 × 0.5; the same one twice: 0.5."""
    other = IncidentReport("s", ReporterKind.CITIZEN, "phone", CRASH, Place(0, 0), 1100.0)
    assert confidence_of([report(0.0), other]) == pytest.approx(0.75)
    assert confidence_of([report(0.0), report(0.0)]) == pytest.approx(0.5)
    assert confidence_of([report(0.0)], seen=0.9) == pytest.approx(0.95)


def test_one_of_two_lanes_leaves_a_third_of_the_capacity_and_all_leave_none() -> None:
    assert capacity_left(STOPPED, 1, 2) == 0.35
    assert capacity_left(CRASH, 2, 2) == 0.0
    assert capacity_left(IncidentKind.SENSOR_FAULT, 1, 2) == 1.0
    assert capacity_left(IncidentKind.CLOSED_LANE, 1, 6) == pytest.approx(5 / 6 * 0.75)


def test_delay_is_that_of_two_triangles_of_a_queue() -> None:
    """One lane, capacity 0.2 veh/s, 0.1 veh/s arrive, closed for 600 s: 60 vehicles queue, gone after another
    600 s at a spare 0.1 veh/s: 60 × 1200 / 2 vehicle seconds = 10 vehicle hours."""
    assert delay_veh_h(0.1, 1, 0.0, 600.0) == pytest.approx(10.0)
    assert delay_veh_h(0.1, 1, 1.0, 600.0) == 0.0
