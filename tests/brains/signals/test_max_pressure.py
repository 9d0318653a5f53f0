"""What an engineer expects of the control, on the hand-made junctions of the sandbox city.

Junction A has two stages: `main` (W-E) and `side` (N-S), six seconds apart.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from street_seen import ask, frame, side_road_served, stage_of

from civicbrain.brains.signals import CONTROLS, create
from civicbrain.brains.signals.approach import build_streams
from civicbrain.brains.signals.max_pressure import MaxPressureBrain
from civicbrain.brains.signals.stages import build_stages
from civicbrain.city.model import City
from civicbrain.city.signals import Conflict, GroupKind, SignalGroup, Stage
from civicbrain.city.store import Store
from civicbrain.contracts.brain import BrainContext
from civicbrain.contracts.sandbox import sandbox_city, sandbox_signals, sandbox_snapshots
from civicbrain.core.errors import ConfigurationError

CITY = sandbox_city()


def brain(city: City = CITY, **options: object) -> MaxPressureBrain:
    made = create(BrainContext(city=city, options={"control": "max-pressure", **options}))
    assert isinstance(made, MaxPressureBrain)
    return made


def test_a_queue_that_discharges_is_not_cut_for_one_waiting_car() -> None:
    moving = frame(CITY, 100.0, {"NAA_0": 1}, {"WA_0": 20.0, "BA_0": 25.0})
    assert stage_of(ask(brain(), CITY, moving, sandbox_signals(CITY, 100.0, 0, 90.0))) == "main"


def test_a_full_road_behind_the_stop_line_takes_the_pressure_away() -> None:
    # the link A -> B is not in view up to A, so shorten it: 15 cars of 7.5 m fill 120 m
    lanes = CITY.network.lanes
    length = lanes.length_m.copy()
    length[CITY.network.get_lane("AB_0")] = 120.0
    city = replace(CITY, network=replace(CITY.network, lanes=replace(lanes, length_m=length)))
    signals = sandbox_signals(city, 100.0, 1, 50.0)
    queues = {"WA_0": 6, "NAA_0": 2}
    free, full = brain(city), brain(city)
    store = Store(city)
    store.fold([frame(city, 100.0, queues), signals], 100.0)
    before = free.decide(store.snapshot(100.0))
    store = Store(city)
    store.fold([frame(city, 100.0, {**queues, "AB_0": 16}), signals], 100.0)
    after = full.decide(store.snapshot(100.0))
    assert after.worth[0] < 0.6 * before.worth[0]


def test_nobody_waits_longer_than_the_maximum_red_however_strong_the_main_road() -> None:
    served = side_road_served(brain(), CITY, 1200)
    assert len(served) > 8
    assert np.diff([0.0, *served, 1200.0]).max() <= 120.0


def test_an_explanation_says_what_was_asked_for_and_why() -> None:
    advice = ask(
        brain(explain=True), CITY, frame(CITY, 100.0, {"NAA_0": 4}), sandbox_signals(CITY, 100.0, 0, 80.0)
    )
    told = advice.explanations["A"]
    assert told["chosen"] == "side"
    assert told["demand_veh"]["NA-through"] + told["demand_veh"]["NA-left"] == pytest.approx(4.0, abs=0.2)  # type: ignore[index]
    assert "side" in str(told["why"])
    assert not brain().options.explain


def test_oracle_sensing_knows_the_movement() -> None:
    seen = frame(CITY, 100.0, {"NAA_0": 4})
    moves = CITY.network.movements
    lane = CITY.network.get_lane("NAA_0")
    left = np.flatnonzero((moves.from_lane == lane) & (moves.turn == ord("l")))[0]
    seen = replace(seen, next_movement=np.full(4, left, np.int32))
    told = ask(brain(explain=True), CITY, seen, sandbox_signals(CITY, 100.0, 0, 80.0)).explanations["A"]
    assert told["demand_veh"]["NA-left"] == 4.0  # type: ignore[index]
    assert told["demand_veh"]["NA-through"] == 0.0  # type: ignore[index]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"control": "magic"}, "magic"),
        ({"max_rd_s": 3}, "max_rd_s"),
        ({"max_red_s": "long"}, "long"),
        ({"look_s": 2.5}, "2.5"),
        ({"width": 0}, "width"),
        ({"explain": 1}, "explain"),
    ],
)
def test_an_option_that_does_not_fit_is_named(options: dict[str, object], word: str) -> None:
    with pytest.raises(ConfigurationError, match=word):
        create(BrainContext(city=CITY, options=options))


def test_the_first_control_is_the_brain() -> None:
    assert CONTROLS[0].name == "brain"
    assert CONTROLS[0].program == "central"
    assert CONTROLS[0].brain == "signals"


def with_crossing() -> City:
    """Junction A with a pedestrian group beside `main`, and `main` once more without it."""
    a = CITY.junctions[0]
    side = [lamp in "Gg" for lamp in a.stages[1].lamps]
    never = int(Conflict.PROHIBITED)
    conflict = (
        *((*row, never * side[r]) for r, row in enumerate(a.conflict)),
        (*(never * lamp for lamp in side), 0),
    )
    intergreen = (
        *((*row, 6.0 * side[r]) for r, row in enumerate(a.intergreen_s)),
        (*(14.0 * lamp for lamp in side), 0.0),
    )
    walk = SignalGroup("walk", GroupKind.PEDESTRIAN, (), 0.0, 5.0, crossing_m=14.0)
    stages = (
        Stage("main", a.stages[0].lamps + "G"),
        Stage("side", a.stages[1].lamps + "r"),
        Stage("main-alone", a.stages[0].lamps + "r"),
    )
    junction = msgspec.structs.replace(
        a, groups=(*a.groups, walk), conflict=conflict, intergreen_s=intergreen, stages=stages
    )
    moves = CITY.network.movements
    group = moves.group + (moves.junction == 1)  # the groups of B moved one row on
    network = replace(CITY.network, movements=replace(moves, group=group.astype(np.int32)))
    return replace(CITY, network=network, junctions=(junction, CITY.junctions[1]))


def test_pedestrians_clear_the_crossing_while_the_vehicles_beside_them_go_on() -> None:
    city = with_crossing()
    seen = frame(city, 100.0, {"WA_0": 3})
    early = ask(brain(city), city, seen, sandbox_signals(city, 100.0, 0, 94.0))
    assert stage_of(early) == "main"
    later = ask(brain(city), city, seen, sandbox_signals(city, 100.0, 0, 92.0))
    assert stage_of(later) == "main-alone"
    # and from the side road the next main stage comes with pedestrians
    again = ask(brain(city), city, seen, sandbox_signals(city, 100.0, 1, 80.0))
    assert stage_of(again) == "main"


def test_pedestrians_whom_nobody_sees_are_served_within_the_maximum_red() -> None:
    city = with_crossing()
    store, asked = Store(city), brain(city)
    for now in range(1, 120):
        t = float(now)
        moving = {"WA_0": 13.9 * (10 - now % 11)}  # one vehicle after another, each to the stop line
        store.fold([frame(city, t, {}, moving), sandbox_signals(city, t, 2, 0.0)], t)
        if stage_of(asked.advise(store.snapshot(t))) == "main":
            break
    assert 60 < now <= 110


def test_a_stage_with_conflicting_greens_is_never_asked_for() -> None:
    a = CITY.junctions[0]
    broken = msgspec.structs.replace(a, stages=(*a.stages, Stage("all", "G" * len(a.groups))))
    city = replace(CITY, junctions=(broken, CITY.junctions[1]))
    queues = {"WA_0": 9, "BA_0": 9, "NAA_0": 9, "SAA_0": 9}
    advice = ask(brain(city), city, frame(city, 100.0, queues), sandbox_signals(city, 100.0, 0, 50.0))
    assert stage_of(advice) in ("main", "side")


def test_extra_stages_change_nothing() -> None:
    """Not even which groups it takes for never served with right of way."""
    junctions = []
    for one in CITY.junctions:
        count = len(one.groups)  # straight on and left of each arm, in this order
        alone = ["r" * row + "GG" + "r" * (count - row - 2) for row in range(0, count, 2)]
        more = tuple(Stage(f"x{row}", lamps, derived=True, extra=True) for row, lamps in enumerate(alone))
        junctions.append(msgspec.structs.replace(one, stages=one.stages + more))
    city = replace(CITY, junctions=tuple(junctions))
    plain, other = brain(), brain(city)
    for mine, theirs in zip(sandbox_snapshots(CITY, 120), sandbox_snapshots(city, 120), strict=True):
        assert plain.advise(mine).requests == other.advise(theirs).requests
    offered = build_stages(city, other.streams, extra=True)
    assert offered.usable.all()
    assert not other.stages.usable[[stage.extra for one in junctions for stage in one.stages]].any()
    # offered to others, too, is only what frees a lane: not a group that leaves the lane's other at red
    half = Stage("half", "G" + "r" * (len(CITY.junctions[0].groups) - 1), derived=True, extra=True)
    halved = msgspec.structs.replace(CITY.junctions[0], stages=(*CITY.junctions[0].stages, half))
    city_halved = replace(CITY, junctions=(halved, CITY.junctions[1]))
    assert not build_stages(city_halved, build_streams(city_halved), extra=True).usable[2]
    # one that a person at the street set is left for what the control would choose
    queues = {"WA_0": 9, "BA_0": 9}
    advice = ask(
        brain(city),
        city,
        frame(city, 100.0, queues),
        sandbox_signals(city, 100.0, len(CITY.junctions[0].stages), 50.0),
    )
    assert stage_of(advice) == "main"


def test_a_link_of_one_car_is_full_when_a_car_stands_on_it() -> None:
    lanes = CITY.network.lanes
    length = lanes.length_m.copy()
    length[CITY.network.get_lane("AB_0")] = 12.0
    city = replace(CITY, network=replace(CITY.network, lanes=replace(lanes, length_m=length)))
    signals = sandbox_signals(city, 100.0, 1, 50.0)
    worth = []
    for queues in ({"WA_0": 6}, {"WA_0": 6, "AB_0": 1}):
        store = Store(city)
        store.fold([frame(city, 100.0, queues), signals], 100.0)
        worth.append(brain(city).decide(store.snapshot(100.0)).worth[0])
    assert worth[1] < 0.6 * worth[0]
