"""Who waits inside a junction is let out before those who cross.

Junction A of the sandbox city: `main` (W-E) and `side` (N-S), left turns permitted; here with `left`, which
shows the left turns of `main` 'G' alone.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from street_seen import Seen, ask, detections, stage_of

from civicbrain.brains.signals import create
from civicbrain.brains.signals.inside import SNEAKERS, before_the_line, clears_the_box
from civicbrain.brains.signals.plan_change import PlanChangeBrain
from civicbrain.city.model import City
from civicbrain.city.observations import INSIDE_M
from civicbrain.city.signals import Stage
from civicbrain.city.store import Store
from civicbrain.contracts.brain import BrainContext
from civicbrain.contracts.sandbox import sandbox_city, sandbox_signals

SIDE_QUEUE: tuple[Seen, ...] = tuple(("NAA_0", 3.0 + 7.5 * place, 0.0) for place in range(6))
TURNER: Seen = ("WA_0", -6.0, 0.0)
TURNERS: tuple[Seen, ...] = tuple(("WA_0", -3.0 - 7.0 * place, 0.0) for place in range(SNEAKERS + 1))


def yellow_alone(here: City) -> City:
    """Its controllers switch within the yellow, as under the rules of `benchmarks/resco`."""
    junctions = []
    for junction in here.junctions:
        yellow = zip(junction.groups, junction.intergreen_s, strict=True)
        gaps = tuple(tuple(group.yellow_s if gap else 0.0 for gap in row) for group, row in yellow)
        junctions.append(msgspec.structs.replace(junction, intergreen_s=gaps))
    return replace(here, junctions=tuple(junctions))


def city(*stages: tuple[str, str]) -> City:
    plain = yellow_alone(sandbox_city())
    a, *others = plain.junctions
    a = msgspec.structs.replace(a, stages=(*a.stages, *(Stage(name, lamps) for name, lamps in stages)))
    return replace(plain, junctions=(a, *others))


LEFT = ("left", "rGrGrrrr")


def asked(control: str, inside: tuple[Seen, ...], *stages: tuple[str, str], shown: int = 0) -> str | None:
    here = city(*stages)
    brain = create(BrainContext(city=here, options={"control": control}))
    seen = detections(here, 100.0, (*SIDE_QUEUE, *inside), range(len(here.junctions)))
    return stage_of(ask(brain, here, seen, sandbox_signals(here, 100.0, shown, 60.0)))


@pytest.mark.parametrize("control", ["brain", "max-pressure"])
def test_who_waits_inside_is_let_out_first(control: str) -> None:
    assert asked(control, (), LEFT) == "side"
    assert asked(control, TURNERS, LEFT) == "left"


@pytest.mark.parametrize("control", ["brain", "max-pressure"])
def test_the_explanation_says_so(control: str) -> None:
    here = city(LEFT)
    brain = create(BrainContext(city=here, options={"control": control, "explain": True}))
    seen = detections(here, 100.0, (*SIDE_QUEUE, *TURNERS), range(len(here.junctions)))
    advice = ask(brain, here, seen, sandbox_signals(here, 100.0, 0, 60.0))
    assert "wait inside the junction: stage left" in str(advice.explanations["A"]["why"])


@pytest.mark.parametrize("control", ["brain", "max-pressure"])
def test_where_the_intergreen_lets_them_out_the_choice_stands(control: str) -> None:
    here = city(LEFT)
    here = replace(here, junctions=tuple(
        msgspec.structs.replace(one, intergreen_s=other.intergreen_s)
        for one, other in zip(here.junctions, sandbox_city().junctions, strict=True)
    ))  # fmt: skip
    assert clears_the_box(here.junctions[0])
    assert not clears_the_box(city(LEFT).junctions[0])
    brain = create(BrainContext(city=here, options={"control": control}))
    seen = detections(here, 100.0, (*SIDE_QUEUE, *TURNERS), range(len(here.junctions)))
    assert stage_of(ask(brain, here, seen, sandbox_signals(here, 100.0, 0, 60.0))) == "side"


def test_who_leaves_in_yellow_needs_no_stage() -> None:
    assert asked("brain", TURNERS[:SNEAKERS], LEFT) == "side"


@pytest.mark.parametrize("control", ["brain", "max-pressure"])
def test_who_drives_on_does_not_hold_up_the_cross_street(control: str) -> None:
    assert asked(control, tuple((lane, metres, 9.0) for lane, metres, _ in TURNERS), LEFT) == "side"


@pytest.mark.parametrize("control", ["brain", "max-pressure"])
def test_where_no_stage_lets_them_out_the_choice_stands(control: str) -> None:
    assert asked(control, TURNERS) == "side"
    cross = tuple(("NAA_0", metres, 0.0) for _, metres, _ in TURNERS)  # the cross street's own turners
    assert asked(control, cross, LEFT) == "side"


def test_who_is_shown_green_already_is_on_the_way_out() -> None:
    assert asked("brain", TURNERS, LEFT, shown=2) == "side"


def test_of_two_stages_the_one_that_lets_more_out() -> None:
    from_west, from_east = ("west", "GGrrrrrr"), ("east", "rrGGrrrr")
    both = (*TURNERS, *(("BA_0", metres, 0.0) for _, metres, _ in TURNERS), ("BA_0", -30.0, 0.0))
    assert asked("brain", both, from_west, from_east) == "east"


@pytest.mark.parametrize(("length_m", "stage"), [(12.0, "left"), (200.0, "main")])
def test_from_a_short_link_the_first_is_let_out_at_once(length_m: float, stage: str) -> None:
    here = yellow_alone(sandbox_city())
    lanes = here.network.lanes
    lengths = lanes.length_m.copy()
    lengths[here.network.get_lane("AB_0")] = length_m
    a, b = here.junctions
    b = msgspec.structs.replace(b, stages=(*b.stages, Stage(*LEFT)))
    network = replace(here.network, lanes=replace(lanes, length_m=lengths))
    here = replace(here, junctions=(a, b), network=network)
    brain = create(BrainContext(city=here))
    queue = tuple(("EB_0", 3.0 + 7.5 * place, 0.0) for place in range(5))
    seen = detections(here, 100.0, (*queue, ("AB_0", -4.0, 0.0)), range(2))
    assert stage_of(ask(brain, here, seen, sandbox_signals(here, 100.0, 0, 60.0)), "B") == stage


def test_vehicles_inside_are_no_queue_of_the_lane_they_came_from() -> None:
    here = sandbox_city()
    line = ("WA_0", -INSIDE_M / 2.0, 0.0)
    seen = detections(here, 100.0, (line, TURNER, ("WA_0", -12.0, 5.0)), range(len(here.junctions)))
    store = Store(here)
    store.fold([seen, sandbox_signals(here, 100.0, 0, 60.0)], 100.0)
    snapshot = store.snapshot(100.0)
    lane = here.network.get_lane("WA_0")
    assert (snapshot.lanes.vehicles[lane], snapshot.lanes.queued[lane]) == (1.0, 1.0)
    assert len(snapshot.detections.lane) == 3
    rest, slow = before_the_line(snapshot)
    np.testing.assert_allclose(rest.detections.distance_m, [line[1]])
    assert slow.tolist() == [lane]
    same, none = before_the_line(rest)
    assert same is rest
    assert len(none) == 0


def test_the_flow_meter_of_plan_change_counts_approaches_alone() -> None:
    flows = []
    for inside in ((), tuple((lane, metres, 9.0) for lane, metres, _ in TURNERS)):
        here = sandbox_city()
        brain = create(BrainContext(city=here, options={"control": "plan-change"}))
        assert isinstance(brain, PlanChangeBrain)
        seen = detections(here, 100.0, (("WA_0", 20.0, 9.0), *inside), range(len(here.junctions)))
        ask(brain, here, seen, sandbox_signals(here, 100.0, 0, 60.0))
        flows.append(brain._meter.flow())
    np.testing.assert_array_equal(flows[0], flows[1])
