"""Who stands inside a junction, and why: told where his way is free, never where it is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from incident_street import Street, Vehicle, all_green, driving, lamps

from civicbrain.city.incidents import IncidentKind
from civicbrain.city.observations import SignalStates

INSIDE: Vehicle = ("WA_0", -8.0, 0.0)
OTHERS = "BA_0"


def yields(time_s: float) -> SignalStates:
    """The street has had 'g' for ever."""
    states = all_green(time_s)
    return replace(states, lamps=np.where(states.lamps == ord("G"), ord("g"), states.lamps).astype(np.uint8))


def test_a_vehicle_that_stands_inside_is_a_blocked_junction_though_not_all_of_its_exits_are_in_view() -> None:
    street = Street().play(range(150), driving)
    street.play(range(150, 260), lambda t: [INSIDE, *driving(t, OTHERS)])
    [one] = street.open
    assert one.kind is IncidentKind.BLOCKED_JUNCTION
    assert one.place.junction == "A"
    assert 150.0 <= one.onset_s <= 155.0
    assert one.detected_s <= 250.0, "two of three exits are out of view: they may be full, which takes longer"
    street.play(range(260, 400), driving)
    assert street.open == []


def test_who_waits_inside_for_a_full_exit_is_none() -> None:
    exit_queue = [("AB_0", 190.0 - 7.5 * place, 0.0) for place in range(20)]
    street = Street().play(range(150), driving)
    street.play(range(150, 300), lambda _: [INSIDE, *exit_queue], states=lamps)
    assert [one for one in street.told.values() if one.place.junction == "A"] == []


def test_who_yields_inside_while_others_cross_is_none() -> None:
    street = Street().play(range(150), driving, states=yields)
    street.play(range(150, 300), lambda t: [INSIDE, *driving(t, OTHERS, every_s=3)], states=yields)
    assert street.told == {}


def test_rows_inside_are_no_first_vehicles_at_the_line_and_no_sign_of_a_camera_that_lies() -> None:
    def turning(time_s: float) -> list[Vehicle]:
        return [INSIDE, *driving(time_s, OTHERS)] if time_s % 60.0 < 12.0 else driving(time_s, OTHERS)

    assert Street().play(range(900), turning).told == {}
