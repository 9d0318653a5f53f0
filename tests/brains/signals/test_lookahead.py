"""What an engineer expects of the control `brain`: lanes and stages, heads of queues, advice, a short run."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import permutations
from multiprocessing import get_context

import msgspec
import numpy as np
import pytest
from street_seen import ask, drive, frame, stage_of

from civicbrain.brains.signals import CONTROLS, create
from civicbrain.brains.signals.approach import Streams, build_streams
from civicbrain.brains.signals.approach_lanes import ApproachLanes, transition_s
from civicbrain.brains.signals.heads import SURE_S, Heads
from civicbrain.brains.signals.lookahead import LookAheadBrain
from civicbrain.brains.signals.stages import StageTable, build_stages
from civicbrain.city.model import City
from civicbrain.city.signals import ControllerMode, SignalJunction, Stage
from civicbrain.city.store import Store
from civicbrain.contracts.brain import Brain, BrainContext, StageRequest
from civicbrain.contracts.brain_checks import check_brain
from civicbrain.contracts.sandbox import sandbox_city, sandbox_signals, sandbox_snapshots
from civicbrain.core.errors import ConfigurationError
from civicbrain.twin.controller import Controller
from civicbrain.twin.importing import resolve_scenario

CITY = sandbox_city()
MIN_STAGE_S = 4.0


def brain(city: City = CITY, **options: object) -> LookAheadBrain:
    made = create(BrainContext(city=city, options={"control": "brain", **options}))
    assert isinstance(made, LookAheadBrain)
    return made


# --- approach lanes ----------------------------------------------------------------------------------


@cache
def lanes_of(name: str) -> tuple[City, Streams, StageTable, ApproachLanes]:
    city = resolve_scenario(name) if name else CITY
    streams = build_streams(city)
    table = build_stages(city, streams)
    made = ApproachLanes(city, streams, table, flow_veh_per_s=0.48, loss_s=0.5, min_stage_s=MIN_STAGE_S)
    return city, streams, table, made


everywhere = pytest.mark.parametrize("name", ["", "cologne1", "ingolstadt1", "cologne3"])


@everywhere
def test_the_streams_of_a_lane_share_its_vehicles(name: str) -> None:
    _, streams, _, lanes = lanes_of(name)
    np.testing.assert_allclose(lanes.lanes.share.sum(axis=1), 1.0)
    for stream in range(streams.count):
        lane, bit = lanes.stream_lane[stream], int(lanes.stream_bit[stream])
        assert lanes.lane[lane] == streams.lane[stream]
        assert lanes.lanes.share[lane, bit.bit_length() - 1] == pytest.approx(streams.share[stream])
    # no two streams of a lane are taken for one another
    assert len(set(zip(lanes.stream_lane.tolist(), lanes.stream_bit.tolist(), strict=True))) == streams.count


def controller_needs_s(junction: SignalJunction, from_stage: int, to_stage: int) -> float:
    """Seconds from leaving a stage, shown for long, until a controller shows all lamps of the other."""
    controller = Controller(junction, 0.0)
    for now in range(300):
        row = from_stage if now < 150 else to_stage
        request = StageRequest(junction.id, junction.stages[row].id, float(now), now + 25.0, "test")
        controller.request(request, float(now))
        controller.act(float(now))
        if now >= 150 and controller.lamps == junction.stages[to_stage].lamps:
            return now - 150.0
    raise AssertionError("the controller never showed the stage")


def pairs_of(city: City, *, gives_up_right: bool) -> list[tuple[int, SignalJunction, int, int]]:
    """(junction row, junction, from stage, to stage) where some group goes from 'G' to 'g', or none does."""
    found = []
    for j, junction in enumerate(city.junctions):
        lamps = [stage.lamps for stage in junction.stages if not stage.extra]
        for a, b in permutations(range(len(lamps)), 2):
            if (("G", "g") in zip(lamps[a], lamps[b], strict=True)) is gives_up_right:
                found.append((j, junction, a, b))
    assert found
    return found


def with_swap() -> City:
    """At A through and left traffic of the street change who has right of way: `GgGg` and `gGgG`."""
    a = CITY.junctions[0]
    swapped = a.stages[0].lamps.translate(str.maketrans("Gg", "gG"))
    junction = msgspec.structs.replace(a, stages=(*a.stages, Stage("left-first", swapped)))
    return replace(CITY, junctions=(junction, CITY.junctions[1]))


known = pytest.mark.parametrize("name", ["cologne1", "ingolstadt1", "cologne3"])


@known
def test_no_stage_is_thought_to_be_left_before_a_controller_has_shown_it(name: str) -> None:
    city, _, _, made = lanes_of(name)
    for gives_up_right in (False, True):
        for j, junction, a, b in pairs_of(city, gives_up_right=gives_up_right):
            least_s = controller_needs_s(junction, a, b) + MIN_STAGE_S
            assert made.lanes.span_s[a + 1, made.lanes.stage_of[j] + b] >= least_s


@known
def test_a_transition_lasts_as_long_as_the_controller_takes(name: str) -> None:
    for _, junction, a, b in pairs_of(lanes_of(name)[0], gives_up_right=False):
        assert transition_s(junction, a, b) == controller_needs_s(junction, a, b)


@known
def test_a_transition_waits_for_who_gives_up_the_right_of_way(name: str) -> None:
    for _, junction, a, b in pairs_of(lanes_of(name)[0], gives_up_right=True):
        assert transition_s(junction, a, b) == controller_needs_s(junction, a, b)


def test_a_stage_that_only_swaps_the_right_of_way_is_not_left_before_it_stands() -> None:
    city = with_swap()
    streams = build_streams(city)
    made = ApproachLanes(
        city, streams, build_stages(city, streams), flow_veh_per_s=0.48, loss_s=0.5, min_stage_s=MIN_STAGE_S
    )
    needs_s = controller_needs_s(city.junctions[0], 0, 2)
    assert needs_s == 6.0
    assert made.lanes.span_s[1, 2] >= needs_s + MIN_STAGE_S


@everywhere
def test_new_shares_replace_the_old(name: str) -> None:
    _, streams, _, made = lanes_of(name)
    prior_run = made.lanes.run_veh.copy()
    try:
        made.take_shares(np.where(made.stream_bit == 1, 1.0, 0.0))
        np.testing.assert_array_equal(made.lanes.share[:, 0], 1.0)
        assert (made.lanes.run_veh > 0.0).all()
        assert np.isfinite(made.lanes.run_veh).all()
    finally:
        made.take_shares(streams.share)
    np.testing.assert_array_equal(made.lanes.run_veh, prior_run)


def test_a_transition_lasts_as_long_as_yellow_and_intergreens_say() -> None:
    """cologne1: yellow 5 s everywhere. Stages of the plan, eight groups:
    rrGgrrGg, then its left turns alone (rrrGrrrG), then GgrrGgrr and its left turns (rGrrrGrr)."""
    city, _, _, _ = lanes_of("cologne1")
    junction = city.junctions[0]
    assert [stage.lamps for stage in junction.stages[:3]] == ["rrGgrrGg", "rrrGrrrG", "GgrrGgrr"]
    assert transition_s(junction, 0, 0) == 0.0
    assert transition_s(junction, -1, 0) == 0.0
    assert transition_s(junction, 0, 1) == 5.0  # only ends: yellow
    assert transition_s(junction, 0, 2) == 5.0
    assert transition_s(junction, 2, 0) == 7.0  # some clear for longer than yellow
    assert transition_s(junction, 2, 1) == 6.0


def test_lanes_of_a_known_junction() -> None:
    """cologne1: four arms, of two lanes each: straight on and right; straight on, and left."""
    city, streams, _, made = lanes_of("cologne1")
    lanes = made.lanes
    assert made.count == 8
    assert streams.count == 12
    assert lanes.mixed.tolist() == [True]
    first = slice(int(lanes.entry_of[0]), int(lanes.entry_of[1]))
    names = {city.network.lanes.ids[row] for row in made.lane[lanes.lane[first]]}
    assert names == {"23429231#1_0", "23429231#1_1", "27115123#3_0", "27115123#3_1"}
    # the left turns have to yield to the other arm's lanes: the lane runs until the first of them
    turns = [row for row in range(first.start, first.stop) if lanes.permitted[row]]
    assert len(turns) == 2
    for row in turns:
        share = streams.share[made.stream_lane == lanes.lane[row]]
        left = share.min()
        assert lanes.run_veh[row] == pytest.approx((1.0 - left) / left)
        rivals = lanes.rival[lanes.rival_of[row] : lanes.rival_of[row + 1]]
        own_arm = city.network.lanes.ids[made.lane[lanes.lane[row]]][:-2]
        assert len(rivals) == 2
        assert all(city.network.lanes.ids[made.lane[lane]][:-2] != own_arm for lane in rivals)
    # through lanes are stopped by nobody
    assert (lanes.run_veh[[row for row in range(first.start, first.stop) if row not in turns]] > 1e6).all()


def test_a_lane_that_stays_green_flows_on_and_another_starts_after_its_intergreen() -> None:
    """Sandbox: six seconds between the stages, half a second lost at the start of green."""
    _, _, _, made = lanes_of("")
    lanes = made.lanes
    main = slice(int(lanes.entry_of[0]), int(lanes.entry_of[1]))
    assert (lanes.start_s[1, main] == 0.0).all()
    np.testing.assert_allclose(lanes.start_s[2, main], 6.5)
    np.testing.assert_allclose(lanes.start_s[0, main], 0.5)


def test_a_stage_for_nobody_with_wheels_has_no_lanes() -> None:
    a = CITY.junctions[0]
    still = msgspec.structs.replace(a, stages=(*a.stages, Stage("still", "r" * len(a.groups))))
    city = replace(CITY, junctions=(still, CITY.junctions[1]))
    streams = build_streams(city)
    table = build_stages(city, streams)
    made = ApproachLanes(city, streams, table, flow_veh_per_s=0.48, loss_s=0.5, min_stage_s=MIN_STAGE_S)
    assert made.lanes.entry_of[2] == made.lanes.entry_of[3]
    assert made.count == lanes_of("")[3].count
    # and it is never what a queue gets
    seen = frame(city, 100.0, {"NAA_0": 4})
    assert stage_of(ask(brain(city), city, seen, sandbox_signals(city, 100.0, 0, 80.0))) == "side"


# --- heads -------------------------------------------------------------------------------------------


class Line:
    """The stop line of one lane shared by two groups in cologne1, all else red and empty."""

    def __init__(self) -> None:
        city, self.streams, _, self.lanes = lanes_of("cologne1")
        self.through, self.left = np.flatnonzero(self.lanes.stream_lane == 1)
        self.heads = Heads(self.lanes, self.streams.group)
        self.groups = city.signals.group_count

    def look(self, now_s: float, green: int | None, since_s: float = 0.0, *, stands: bool = True) -> int:
        """green: the stream shown 'G' since that second. Returns the bit known."""
        lamps, since = np.full(self.groups, ord("r"), np.uint8), np.zeros(self.groups, np.float32)
        if green is not None:
            lamps[self.streams.group[green]] = ord("G")
            since[self.streams.group[green]] = since_s
        standing = np.zeros(self.streams.count, dtype=np.bool_)
        standing[[self.through, self.left]] = stands
        for array in (lamps, since):
            array.flags.writeable = False
        self.heads.update(now_s, lamps, since, standing, self.streams.share)
        assert (np.delete(self.heads.bit, 1) == 0).all()
        return int(self.heads.bit[1])

    def bit(self, stream: int) -> int:
        return int(self.lanes.stream_bit[stream])


def test_who_stands_on_green_wants_the_other_group() -> None:
    line = Line()
    assert line.look(SURE_S - 1.0, line.through) == 0
    assert line.look(SURE_S, line.through) == line.bit(line.left)
    line = Line()
    assert line.look(SURE_S, line.left) == line.bit(line.through)


def test_who_stands_at_red_may_want_anything() -> None:
    line = Line()
    for second in range(60):
        assert line.look(float(second), None) == 0


def test_what_a_head_wants_is_remembered_over_red_and_forgotten_when_it_leaves() -> None:
    line = Line()
    line.look(5.0, line.through)
    assert line.look(10.0, None) == line.bit(line.left)
    assert line.look(11.0, None, stands=False) == 0
    assert line.look(12.0, None) == 0


def test_what_a_head_wants_is_forgotten_once_it_was_served() -> None:
    line = Line()
    line.look(5.0, line.through)
    assert line.look(12.0, line.left, since_s=10.0) == line.bit(line.left)
    # whoever stands there after its green is somebody else, and did not want that one
    assert line.look(10.0 + SURE_S, line.left, since_s=10.0) in (0, line.bit(line.through))


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


def expected_at_b(mode: ControllerMode) -> float:
    """Vehicles expected at B from A within the horizon, with a queue at A that A's controller lets go."""
    asked, store = brain(), Store(CITY)
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
        brain(coordinate=False, thorough=0),
        CITY,
        frame(CITY, 100.0, {"NAA_0": 4}),
        sandbox_signals(CITY, 100.0, 0, 80.0),
    )
    assert stage_of(advice) == "side"


def test_nobody_waits_longer_than_the_maximum_red_however_strong_the_main_road() -> None:
    """A closed loop: main is flooded for ever, one car stands in the side road."""
    asked, store = brain(), Store(CITY)
    stage, since, target, left = 0, 0.0, 0, None
    lamp_change, served = 0.0, [0.0]
    for now in range(1, 700):
        t = float(now)
        signals = replace(
            sandbox_signals(CITY, t, stage, lamp_change),
            stage_since_s=np.array([since, 0.0], np.float32),
            target=np.array([target, 0], np.int32),
        )
        if target != stage:
            lamps = signals.lamps.copy()
            lamps[: len(CITY.junctions[0].groups)] = ord("r")
            signals = replace(signals, lamps=lamps)
        store.fold([frame(CITY, t, {"WA_0": 12, "BA_0": 12, "NAA_0": 1}), signals], t)
        wanted = stage_of(asked.advise(store.snapshot(t)))
        if target == stage and wanted != CITY.junctions[0].stages[stage].id:
            target, left, lamp_change = 1 - stage, t, t
        elif left is not None and t - left >= 6.0:
            stage, since, lamp_change, left = target, t, t, None
        if stage == 1 and target == 1:
            served.append(t)
    waits = np.diff([*served, 700.0])
    assert len(served) > 4
    assert waits.max() <= 120.0


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
