"""What an engineer expects of the control `brain`: its advice, taking turns, a short run."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import pairwise
from multiprocessing import get_context

import numpy as np
import pytest
from street_seen import ask, drive, frame, side_road_served, stage_of

from civicbrain.brains.signals import CONTROLS, create
from civicbrain.brains.signals.lookahead import LookAheadBrain
from civicbrain.city.model import City
from civicbrain.city.signals import ControllerMode
from civicbrain.city.store import Store
from civicbrain.contracts.brain import Brain, BrainContext, PlanRequest
from civicbrain.contracts.brain_checks import check_brain
from civicbrain.contracts.sandbox import sandbox_city, sandbox_signals, sandbox_snapshots
from civicbrain.core.errors import ConfigurationError
from civicbrain.twin.importing import resolve_scenario

CITY = sandbox_city()


def brain(city: City = CITY, **options: object) -> LookAheadBrain:
    made = create(BrainContext(city=city, options={"control": "brain", **options}))
    assert isinstance(made, LookAheadBrain)
    return made


# --- advice ------------------------------------------------------------------------------------------


def test_it_conforms_to_the_contract_of_brains() -> None:
    def make(context: BrainContext) -> Brain:
        return brain(context.city, explain=True)

    assert [finding for finding in check_brain(make) if not finding.ok] == []


def test_it_is_offered_as_a_control() -> None:
    control = {control.name: control for control in CONTROLS}["brain"]
    assert control.program == "central"
    assert control.brain == "signals"


def test_an_option_that_does_not_fit_is_named() -> None:
    with pytest.raises(ConfigurationError, match="horizn_s"):
        brain(horizn_s=30)


def test_a_junction_without_a_camera_is_left_to_the_local_plan() -> None:
    cameras = CITY.cameras
    at_b = cameras.junction == 1
    city = replace(
        CITY,
        cameras=replace(
            cameras, junction=cameras.junction[at_b], lane=cameras.lane[at_b], beyond_m=cameras.beyond_m[at_b]
        ),
    )
    seen = replace(frame(city, 100.0, {"NBB_0": 4}), cameras=np.array([1], np.int32))
    advice = ask(brain(city), city, seen, sandbox_signals(city, 100.0, 0, 50.0))
    assert [request.junction for request in advice.requests] == ["B"]
    assert stage_of(advice, "B") == "side"


def test_a_city_without_signals_is_not_asked_for_anything() -> None:
    moves = CITY.network.movements
    nobody = np.full(len(moves.from_lane), -1, np.int32)
    nodes = replace(CITY.network.nodes, junction=np.full(len(CITY.network.nodes.ids), -1, np.int32))
    empty = np.zeros(0, np.int32)
    city = replace(
        CITY,
        network=replace(
            CITY.network, nodes=nodes, movements=replace(moves, junction=nobody, group=nobody, link=nobody)
        ),
        junctions=(),
        cameras=replace(CITY.cameras, junction=empty, lane=empty, beyond_m=np.zeros(0, np.float32)),
    )
    assert brain(city).advise(Store(city).snapshot(0.0)).requests == ()


def test_when_time_goes_back_it_starts_afresh() -> None:
    used, fresh = brain(), brain()
    snapshots = sandbox_snapshots(CITY, 60)
    for snapshot in sandbox_snapshots(CITY, 60, seed=5):
        used.advise(snapshot)
    for snapshot in snapshots:
        assert used.advise(snapshot).requests == fresh.advise(snapshot).requests


def test_when_time_goes_back_nobody_is_taken_for_who_stood_there_later() -> None:
    """Who stands at the line of NA through ten seconds of green wants to turn left; anew, nobody knows."""
    used, fresh, store = brain(), brain(), Store(CITY)
    for now in range(200, 212):
        t = float(now)
        store.fold([frame(CITY, t, {"NAA_0": 3}), sandbox_signals(CITY, t, 1, 200.0)], t)
        used.advise(store.snapshot(t))
    again = Store(CITY)
    again.fold([frame(CITY, 50.0, {"NAA_0": 3}), sandbox_signals(CITY, 50.0, 0, 20.0)], 50.0)
    first, second = used.decide(again.snapshot(50.0)), fresh.decide(again.snapshot(50.0))
    np.testing.assert_array_equal(first.cost_veh_s, second.cost_veh_s)
    np.testing.assert_array_equal(first.chosen, second.chosen)


def test_when_time_goes_back_what_was_planned_is_forgotten() -> None:
    """A junction that somebody else holds by then promises its neighbour nobody."""
    used, fresh, store = brain(), brain(), Store(CITY)
    for now in range(200, 206):
        t = float(now)
        store.fold([frame(CITY, t, {"WA_0": 12, "NAA_0": 6}), sandbox_signals(CITY, t, 0, 190.0)], t)
        used.advise(store.snapshot(t))
    again = Store(CITY)
    for now in (50.0, 51.0):
        signals = sandbox_signals(CITY, now, 0, 20.0)
        held = np.array([ControllerMode.MANUAL, ControllerMode.CENTRAL], np.uint8)
        again.fold([frame(CITY, now, {"NBB_0": 1}), replace(signals, mode=held)], now)
        snapshot = again.snapshot(now)
        first, second = used.decide(snapshot), fresh.decide(snapshot)
        np.testing.assert_array_equal(first.cost_veh_s, second.cost_veh_s)
        np.testing.assert_array_equal(first.estimate.arrivals_veh, second.estimate.arrivals_veh)


def test_the_schedule_is_told_stage_by_stage_from_now_on() -> None:
    """Nobody on the main road, a queue on the side road: it changes, and says until when it means to stay.
    While the controller is still switching, the same schedule goes on."""
    told, store = brain(explain=True), Store(CITY)
    schedules = []
    for t in (100.0, 101.0):
        shown = sandbox_signals(CITY, t, 0, 80.0)
        switching = replace(shown, target=np.array([int(t) - 100, 0], np.int32))
        store.fold([frame(CITY, t, {"NAA_0": 4, "WA_0": 0}), switching], t)
        said = told.advise(store.snapshot(t)).explanations["A"]
        assert said["chosen"] == "side"
        schedules.append(said["schedule"])
    for now_s, schedule in zip((100.0, 101.0), schedules, strict=True):
        assert schedule[0]["stage"] == "side"
        assert schedule[0]["from_s"] == now_s
        assert schedule[-1]["until_s"] == 120.0
        assert all(a["until_s"] == b["from_s"] and a["stage"] != b["stage"] for a, b in pairwise(schedule))


def test_no_schedule_is_told_where_another_rule_chose() -> None:
    """Who has waited nearly as long as allowed is served, whatever promises the least delay."""
    told, store = brain(explain=True, max_red_s=20.0), Store(CITY)
    for now in range(100, 160):
        t = float(now)
        store.fold([frame(CITY, t, {"WA_0": 18, "NAA_0": 1}), sandbox_signals(CITY, t, 0, 50.0)], t)
        said = told.advise(store.snapshot(t)).explanations["A"]
        if said["chosen"] == "side":
            break
    assert "waited" in said["why"]
    assert said["schedule"] == []


def test_a_plan_for_a_junction_that_no_camera_sees_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    told, silent = brain(explain=True), brain()
    plan = PlanRequest("A", (30.0, 20.0), 4.0, 100.0, 160.0, "signals")
    seen, signals = frame(CITY, 100.0, {"NBB_0": 4}), sandbox_signals(CITY, 100.0, 0, 50.0)
    for one in (told, silent):
        monkeypatch.setattr(one._unseen, "update", lambda *_: (plan,))
    said = ask(told, CITY, seen, signals)
    assert said.explanations["A"]["durations_s"] == [30.0, 20.0]
    assert said.explanations["A"]["offset_s"] == 4.0
    assert plan in said.requests
    assert ask(silent, CITY, seen, signals).explanations == {}


def expected_at_b(mode: ControllerMode, **options: object) -> float:
    """Vehicles expected at B from A within the horizon, with a queue at A that A's controller lets go."""
    asked, store = brain(**options), Store(CITY)
    for now in range(100, 150):
        t = float(now)
        signals = sandbox_signals(CITY, t, 0, 50.0)
        signals = replace(signals, mode=np.array([mode, ControllerMode.CENTRAL], np.uint8))
        # one leaves the queue every other second
        queue = frame(CITY, t, {"WA_0": 12}) if now % 2 else frame(CITY, t, {"WA_0": 11})
        store.fold([queue, signals], t)
        seen = asked.decide(store.snapshot(t))
    from_a = asked.streams.lane == CITY.network.get_lane("AB_0")
    return float(seen.estimate.arrivals_veh[from_a].sum())


def test_what_a_junction_plans_to_let_go_is_expected_downstream() -> None:
    assert expected_at_b(ControllerMode.CENTRAL) > 2.0


def test_a_junction_that_is_not_decided_for_still_lets_its_usual_flow_go() -> None:
    """Held by hand, out of view, or taking only plans: its traffic comes all the same."""
    assert expected_at_b(ControllerMode.MANUAL) > 0.3


def test_without_coordination_it_decides_too() -> None:
    advice = ask(
        brain(coordinate=False, width=1),
        CITY,
        frame(CITY, 100.0, {"NAA_0": 4}),
        sandbox_signals(CITY, 100.0, 0, 80.0),
    )
    assert stage_of(advice) == "side"


def test_nobody_waits_longer_than_the_maximum_red_however_strong_the_main_road() -> None:
    served = side_road_served(brain(), CITY, 700)
    waits = np.diff([0.0, *served, 700.0])
    assert len(served) > 4
    assert waits.max() <= 120.0


# --- taking turns ------------------------------------------------------------------------------------


def decided(most_a_second: int, seconds: int = 6) -> list[tuple[bool, bool]]:
    """For each second whether A and B were searched, with a queue at red in both that nobody lets go."""
    asked, store = brain(most_a_second=most_a_second), Store(CITY)
    found = []
    for now in range(100, 100 + seconds):
        t = float(now)
        store.fold([frame(CITY, t, {"NAA_0": 4, "NBB_0": 4}), sandbox_signals(CITY, t, 0, 50.0)], t)
        seen = asked.decide(store.snapshot(t))
        first, second = np.split(np.isfinite(seen.cost_veh_s), [len(CITY.junctions[0].stages)])
        for junction, searched in enumerate((first.any(), second.any())):
            own = seen.chosen[junction] - asked.stages.stage_of[junction]
            assert own == (1 if searched else 0)  # who is not on turn keeps its stage
        found.append((bool(first.any()), bool(second.any())))
    return found


def test_where_there_is_time_all_junctions_are_decided_each_second() -> None:
    assert decided(2) == [(True, True)] * 6


def test_in_a_larger_city_each_junction_gets_its_turn_and_the_others_keep_their_stage() -> None:
    turns = decided(1)
    assert all(first != second for first, second in turns)
    assert all(now != after for now, after in pairwise(turns))


def test_no_more_are_decided_in_a_second_than_asked_for() -> None:
    city = resolve_scenario("cologne3")
    asked, store = brain(city, most_a_second=1), Store(city)
    searched = []
    for now in range(100, 106):
        t = float(now)
        store.fold([frame(city, t, {}), sandbox_signals(city, t, 0, 50.0)], t)
        of_stage = np.isfinite(asked.decide(store.snapshot(t)).cost_veh_s)
        searched.append(sorted(set(asked.stages.junction[of_stage].tolist())))
    assert all(len(junctions) == 1 for junctions in searched)
    assert sorted(row for junctions in searched[:3] for row in junctions) == [0, 1, 2]
    assert searched[3:] == searched[:3]


def test_who_is_not_on_turn_still_lets_go_what_it_planned() -> None:
    always, in_turn = (expected_at_b(ControllerMode.CENTRAL, most_a_second=most) for most in (2, 1))
    assert in_turn == pytest.approx(always, rel=0.3)


# --- in the twin -------------------------------------------------------------------------------------


def test_ten_minutes_in_the_twin_are_safe_and_better_than_the_fixed_plan() -> None:
    figures = {}
    for program in ("fixed", "central"):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            figures[program] = pool.submit(drive, "ingolstadt1", 600.0, program).result(timeout=200)
    central = figures["central"]
    assert central["unsafe"] == 0
    assert central["collisions"] == 0
    assert central["refused"] == 0
    assert central["requests"] > 500
    assert central["due"] == figures["fixed"]["due"]
    assert central["delay_s"] < figures["fixed"]["delay_s"]


@pytest.mark.parametrize(("queue", "chosen"), [("NAA_0", "side"), ("WA_0", "main")])
def test_what_it_would_show_where_an_operator_holds_is_told_and_not_asked_for(
    queue: str, chosen: str
) -> None:
    """The operator keeps the main road green. Its neighbour is decided for as if nobody watched."""
    told, silent, store = brain(explain=True), brain(), Store(CITY)
    for now in range(100, 106):
        t = float(now)
        held = np.array([ControllerMode.MANUAL, ControllerMode.CENTRAL], np.uint8)
        signals = replace(sandbox_signals(CITY, t, 0, 80.0), mode=held)
        store.fold([frame(CITY, t, {queue: 6}), signals], t)
        snapshot = store.snapshot(t)
        advice, unwatched = told.advise(snapshot), silent.advise(snapshot)
        assert {request.junction for request in advice.requests} == {"B"}
        assert advice.requests == unwatched.requests
        assert unwatched.explanations == {}
        assert advice.explanations["A"]["chosen"] == chosen
