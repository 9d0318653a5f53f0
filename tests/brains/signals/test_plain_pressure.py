"""The yardstick: what a textbook's max pressure asks for on the hand-made street, and when."""

from __future__ import annotations

import pytest
from street_seen import ask, frame, stage_of

from civicbrain.brains.signals import create
from civicbrain.brains.signals.plain_pressure import PlainPressureBrain
from civicbrain.city.store import Store
from civicbrain.contracts.brain import BrainContext
from civicbrain.contracts.sandbox import sandbox_city, sandbox_signals

CITY = sandbox_city()


def brain(**options: object) -> PlainPressureBrain:
    made = create(BrainContext(city=CITY, options={"control": "plain-pressure", **options}))
    assert isinstance(made, PlainPressureBrain)
    return made


def test_the_longer_queue_goes_whatever_a_switch_costs() -> None:
    seen = frame(CITY, 100.0, {"NAA_0": 3, "WA_0": 2})
    assert stage_of(ask(brain(), CITY, seen, sandbox_signals(CITY, 100.0, 0, 90.0))) == "side"


def test_vehicles_on_the_road_behind_count_against_it() -> None:
    # by hand: 0.8 of the 3 on the lane are shown 'G'; half of these enter the road with 10 on its one lane
    seen = frame(CITY, 100.0, {"WA_0": 3, "AB_0": 10})
    made = brain()
    store = Store(CITY)
    store.fold([seen, sandbox_signals(CITY, 100.0, 1, 90.0)], 100.0)
    assert made.weigh(store.snapshot(100.0))[0] == pytest.approx(0.8 * 3 - 0.4 * 10)


def test_it_decides_each_ten_seconds_and_keeps_to_it_between() -> None:
    made = brain()
    for second, main, side, expected in ((100.0, 3, 1, "main"), (107.0, 1, 9, "main"), (110.0, 1, 9, "side")):
        seen = frame(CITY, second, {"WA_0": main, "NAA_0": side})
        assert stage_of(ask(made, CITY, seen, sandbox_signals(CITY, second, 0, 90.0))) == expected


def test_of_stages_alike_the_one_shown_stays() -> None:
    for row, stage in enumerate(("main", "side")):
        nobody = frame(CITY, 100.0, {})
        assert stage_of(ask(brain(), CITY, nobody, sandbox_signals(CITY, 100.0, row, 90.0))) == stage
