"""What holds for every control that asks for stages, on the hand-made junctions of the sandbox city."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from street_seen import ask, frame, stage_of

from civicbrain.brains.signals import create
from civicbrain.city.model import City
from civicbrain.city.signals import ControllerMode
from civicbrain.city.store import Store
from civicbrain.contracts.brain import Brain, BrainContext
from civicbrain.contracts.sandbox import sandbox_city, sandbox_signals, sandbox_snapshots

CITY = sandbox_city()
Make = Callable[..., Brain]


@pytest.fixture(params=["max-pressure", "brain"])
def brain(request: pytest.FixtureRequest) -> Make:
    def make(city: City = CITY, **options: object) -> Brain:
        return create(BrainContext(city=city, options={"control": request.param, **options}))

    return make


def test_an_empty_street_keeps_the_stage_it_shows(brain: Make) -> None:
    for shown, name in ((0, "main"), (1, "side")):
        advice = ask(brain(), CITY, frame(CITY, 100.0, {}), sandbox_signals(CITY, 100.0, shown, 50.0))
        assert stage_of(advice) == name


def test_a_queue_where_nobody_is_served_gets_the_next_stage(brain: Make) -> None:
    advice = ask(brain(), CITY, frame(CITY, 100.0, {"NAA_0": 4}), sandbox_signals(CITY, 100.0, 0, 80.0))
    assert stage_of(advice) == "side"
    assert stage_of(advice, "B") == "main"


def test_a_stage_just_shown_is_not_left(brain: Make) -> None:
    advice = ask(brain(), CITY, frame(CITY, 100.0, {"NAA_0": 9}), sandbox_signals(CITY, 100.0, 0, 99.0))
    assert stage_of(advice) == "main"


def test_a_transition_under_way_is_completed(brain: Make) -> None:
    signals = replace(sandbox_signals(CITY, 100.0, 0, 50.0), target=np.array([1, 0], np.int32))
    advice = ask(brain(), CITY, frame(CITY, 100.0, {"WA_0": 9}), signals)
    assert stage_of(advice) == "side"


def test_requests_expire_soon_and_name_the_brain(brain: Make) -> None:
    advice = ask(brain(), CITY, frame(CITY, 100.0, {}), sandbox_signals(CITY, 100.0, 0, 50.0))
    assert {request.junction for request in advice.requests} == {"A", "B"}
    for request in advice.requests:
        assert request.brain == "signals"
        assert 100.0 < request.expires_s <= 130.0


@pytest.mark.parametrize(
    "mode", [ControllerMode.MANUAL, ControllerMode.FORCED, ControllerMode.FLASHING, ControllerMode.STARTUP]
)
def test_a_controller_that_somebody_else_holds_is_left_alone(brain: Make, mode: ControllerMode) -> None:
    signals = sandbox_signals(CITY, 100.0, 0, 50.0)
    signals = replace(signals, mode=np.array([mode, ControllerMode.LOCAL], np.uint8))
    advice = ask(brain(), CITY, frame(CITY, 100.0, {"NAA_0": 4}), signals)
    assert stage_of(advice) is None
    assert stage_of(advice, "B") == "main"


def test_a_controller_that_takes_only_plans_is_not_asked_for_stages(brain: Make) -> None:
    city = sandbox_city(plan_only=("A",))
    advice = ask(brain(city), city, frame(city, 100.0, {}), sandbox_signals(city, 100.0, 0, 50.0))
    assert [request.junction for request in advice.requests] == ["B"]


def test_a_silent_camera_leaves_its_junction_to_the_local_plan(brain: Make) -> None:
    store, asked = Store(CITY), brain()
    store.fold([frame(CITY, 100.0, {"NAA_0": 4})], 100.0)
    for now in range(101, 125):
        only_b = replace(frame(CITY, float(now), {}), cameras=np.array([1], np.int32))
        store.fold([only_b, sandbox_signals(CITY, float(now), 0, 50.0)], float(now))
        asked_for = [request.junction for request in asked.advise(store.snapshot(float(now))).requests]
        assert asked_for == (["A", "B"] if now <= 110 else ["B"])


def test_the_same_snapshots_give_the_same_advice(brain: Make) -> None:
    first, second = brain(explain=True), brain(explain=True)
    for snapshot in sandbox_snapshots(CITY, 40):
        assert first.advise(snapshot) == second.advise(snapshot)
