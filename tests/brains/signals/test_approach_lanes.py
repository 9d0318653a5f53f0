"""What stages do to approach lanes, in known junctions; and what heads of queues are known to want."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import permutations

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from street_seen import ask, frame, stage_of

from civicbrain.brains.signals import create
from civicbrain.brains.signals.approach import Streams, build_streams
from civicbrain.brains.signals.approach_lanes import ApproachLanes, transitions_s
from civicbrain.brains.signals.heads import SURE_S, Heads
from civicbrain.brains.signals.schedules import MOST_STREAMS
from civicbrain.brains.signals.stages import StageTable, build_stages
from civicbrain.city.model import City
from civicbrain.city.signals import Conflict, SignalJunction, Stage
from civicbrain.contracts.brain import BrainContext, StageRequest
from civicbrain.contracts.sandbox import INTERGREEN_S, sandbox_city, sandbox_signals
from civicbrain.twin.controller import Controller
from civicbrain.twin.importing import resolve_scenario

CITY = sandbox_city()
MIN_STAGE_S = 4.0
GREEN = ("G", "g")


# --- approach lanes ----------------------------------------------------------------------------------


@cache
def lanes_of(name: str) -> tuple[City, Streams, StageTable, ApproachLanes]:
    city = resolve_scenario(name) if name else CITY
    streams = build_streams(city)
    table = build_stages(city, streams)
    return city, streams, table, build_lanes(city, streams, table)


def build_lanes(city: City, streams: Streams, table: StageTable) -> ApproachLanes:
    return ApproachLanes(city, streams, table, loss_s=0.5, yellow_s=1.0, min_stage_s=MIN_STAGE_S)


def shown_at(made: ApproachLanes, junction: int) -> NDArray[np.uint8]:
    """[what was left, stage, seconds since, lane] of one junction."""
    lanes = made.lanes
    stages = int(lanes.stage_of[junction + 1] - lanes.stage_of[junction])
    width = int(lanes.lane_start[junction + 1] - lanes.lane_start[junction])
    own = lanes.shown[int(lanes.shown_of[junction]) : int(lanes.shown_of[junction + 1])]
    return own.reshape(stages + 1, stages, int(lanes.span[junction]), width)


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
            assert made.lanes.ready_s[a + 1, made.lanes.stage_of[j] + b] >= least_s


@known
def test_a_transition_lasts_as_long_as_the_controller_takes(name: str) -> None:
    for _, junction, a, b in pairs_of(lanes_of(name)[0], gives_up_right=False):
        assert transitions_s(junction)[a + 1, b] == controller_needs_s(junction, a, b)


@known
def test_a_transition_waits_for_who_gives_up_the_right_of_way(name: str) -> None:
    for _, junction, a, b in pairs_of(lanes_of(name)[0], gives_up_right=True):
        assert transitions_s(junction)[a + 1, b] == controller_needs_s(junction, a, b)


def test_a_stage_that_only_swaps_the_right_of_way_is_not_left_before_it_stands() -> None:
    city = with_swap()
    streams = build_streams(city)
    made = build_lanes(city, streams, build_stages(city, streams))
    needs_s = controller_needs_s(city.junctions[0], 0, 2)
    assert needs_s == 6.0
    assert made.lanes.ready_s[1, 2] >= needs_s + MIN_STAGE_S


@everywhere
def test_new_shares_replace_the_old(name: str) -> None:
    _, streams, _, made = lanes_of(name)
    prior = made.lanes.share.copy()
    try:
        made.take_shares(np.where(made.stream_bit == 1, 1.0, 0.0))
        np.testing.assert_array_equal(made.lanes.share[:, 0], 1.0)
        np.testing.assert_array_equal(made.lanes.share[:, 1:], 0.0)
    finally:
        made.take_shares(streams.share)
    np.testing.assert_array_equal(made.lanes.share, prior)


def test_a_transition_lasts_as_long_as_yellow_and_intergreens_say() -> None:
    """cologne1: yellow 5 s everywhere. Stages of the plan, eight groups:
    rrGgrrGg, then its left turns alone (rrrGrrrG), then GgrrGgrr and its left turns (rGrrrGrr)."""
    city, _, _, _ = lanes_of("cologne1")
    junction = city.junctions[0]
    assert [stage.lamps for stage in junction.stages[:3]] == ["rrGgrrGg", "rrrGrrrG", "GgrrGgrr"]
    assert transitions_s(junction)[1, 0] == 0.0
    assert transitions_s(junction)[0, 0] == 0.0
    assert transitions_s(junction)[1, 1] == 5.0  # only ends: yellow
    assert transitions_s(junction)[1, 2] == 5.0
    assert transitions_s(junction)[3, 0] == 7.0  # some clear for longer than yellow
    assert transitions_s(junction)[3, 1] == 6.0


@known
def test_in_each_second_of_a_switch_is_shown_what_the_controller_shows(name: str) -> None:
    """Nothing green before its intergreens are over, everything from then on, and 1 s of yellow used."""
    city, streams, table, made = lanes_of(name)
    for j, junction in enumerate(city.junctions):
        shown, first = shown_at(made, j), int(made.lanes.stage_of[j])
        own = np.flatnonzero(streams.junction == j)
        lane = made.stream_lane[own] - made.lanes.lane_start[j]
        group = streams.group[own] - table.group_start[j]
        bit = made.stream_bit[own]
        plan = [row for row, stage in enumerate(junction.stages) if not stage.extra]
        for a, b in permutations(plan, 2):
            if not (made.lanes.usable[first + a] and made.lanes.usable[first + b]):
                continue
            lit = np.array([shown[a + 1, b, :, i] for i in lane]).T  # [tau, stream]
            free = (lit & bit) != 0
            green = free | ((lit >> MOST_STREAMS) & bit != 0)
            expected, yellow = should_be_green(junction, group.tolist(), a, b, len(lit))
            np.testing.assert_array_equal(green, expected | yellow)
            # yellow is crossed by right, never by those who yield
            assert (free[yellow & ~expected]).all()


def should_be_green(
    junction: SignalJunction, groups: list[int], a: int, b: int, seconds: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """[tau, stream]: green by the intergreens in each second of the switch; the first second of yellow."""
    old, new = junction.stages[a].lamps, junction.stages[b].lamps
    green, yellow = (np.zeros((seconds, len(groups)), dtype=np.bool_) for _ in range(2))
    for n, g in enumerate(groups):
        wait_s = 0.0
        for other, (before, after) in enumerate(zip(old, new, strict=True)):
            gives_way = before in GREEN and (after not in GREEN or (before, after) == ("G", "g"))
            if gives_way and old[g] not in GREEN and junction.conflict_array[other, g] != Conflict.NONE:
                wait_s = max(wait_s, float(junction.intergreen_array_s[other, g]))
        if new[g] in GREEN:
            green[int(np.ceil(wait_s)) :, n] = True
        yellow[0, n] = old[g] == "G"
    return green, yellow


@known
def test_no_stage_is_left_before_the_minimum_green_of_who_started_in_it(name: str) -> None:
    city, streams, table, made = lanes_of(name)
    for j, junction in enumerate(city.junctions):
        own = (streams.group[streams.junction == j] - table.group_start[j]).tolist()
        plan = [row for row, stage in enumerate(junction.stages) if not stage.extra]
        for a, b in permutations(plan, 2):
            begins, _ = should_be_green(junction, own, a, b, 60)
            least_s = [
                int(begins[:, n].argmax()) + junction.groups[g].min_green_s
                for n, g in enumerate(own)
                if junction.stages[b].lamps[g] in GREEN and junction.stages[a].lamps[g] not in GREEN
            ]
            ready_s = int(made.lanes.ready_s[a + 1, made.lanes.stage_of[j] + b])
            assert ready_s >= max(least_s, default=0.0)
            assert ready_s >= transitions_s(junction)[a + 1, b] + MIN_STAGE_S
            assert ready_s < made.lanes.span[j]  # the tables reach that far


def test_lanes_of_a_known_junction() -> None:
    """cologne1: four arms, of two lanes each: straight on and right; straight on, and left."""
    city, streams, table, made = lanes_of("cologne1")
    lanes, ids = made.lanes, city.network.lanes.ids
    assert made.count == 8
    assert streams.count == 12
    assert lanes.lane_start.tolist() == [0, 8]
    # the first stage, shown for long: two arms, their left turns yield
    lit = {ids[made.lane[i]]: int(bits) for i, bits in enumerate(shown_at(made, 0)[0, 0, -1]) if bits}
    assert set(lit) == {"23429231#1_0", "23429231#1_1", "27115123#3_0", "27115123#3_1"}
    turns = [i for i, bits in enumerate(shown_at(made, 0)[0, 0, -1]) if bits >> MOST_STREAMS]
    assert [ids[made.lane[i]][-2:] for i in turns] == ["_1", "_1"]
    for i in range(made.count):
        rivals = slice(int(lanes.rival_of[i]), int(lanes.rival_of[i + 1]))
        if i not in turns:
            assert rivals.start == rivals.stop
            continue
        # to all streams of the other arm that go on, but not to its left turn
        arm = ids[made.lane[i]][:-2]
        found = {
            (int(other), bit)
            for other, bits in zip(lanes.rival[rivals], lanes.rival_bits[rivals], strict=True)
            for bit in (1, 2, 4, 8)
            if bits & bit
        }
        conflict = city.junctions[0].conflict_array
        left = next(k for k in range(12) if made.stream_lane[k] == i and table.permitted[entry(table, k)])
        expected = {
            (int(made.stream_lane[k]), int(made.stream_bit[k]))
            for k in range(12)
            if lit.get(ids[made.lane[made.stream_lane[k]]], 0) & int(made.stream_bit[k])
            and conflict[streams.group[left], streams.group[k]] == Conflict.PERMITTED
        }
        assert found == expected
        assert len({lane for lane, _ in found}) == 2
        assert all(ids[made.lane[lane]][:-2] != arm for lane, _ in found)


def entry(table: StageTable, stream: int) -> int:
    """Of the stream in the first stage."""
    return int(np.flatnonzero((table.stream == stream) & (table.stage == 0))[0])


def test_a_lane_that_stays_green_flows_on_and_another_starts_after_its_intergreen() -> None:
    """Sandbox: six seconds between the stages, half a second lost at the start of green."""
    city, _, _, made = lanes_of("")
    shown = shown_at(made, 0)
    main = [city.network.lanes.ids[lane] in ("WA_0", "BA_0") for lane in made.lane[: shown.shape[3]]]
    assert sum(main) == 2
    assert (shown[1, 0][:, main] != 0).all()
    assert (shown[2, 0][: int(INTERGREEN_S)][:, main] == 0).all()
    assert (shown[2, 0][int(INTERGREEN_S) :][:, main] != 0).all()
    # what is left uses one second of yellow, who has the right of way alone
    side = ~np.array(main)
    assert (shown[2, 0][0][side] != 0).all()
    assert (shown[2, 0][0][side] < 1 << MOST_STREAMS).all()
    assert (shown[2, 0][1:][:, side] == 0).all()
    # six of transition, five of minimum green, or four of showing
    assert made.lanes.ready_s[2, 0] == 11


def test_a_stage_for_nobody_with_wheels_has_no_lanes() -> None:
    a = CITY.junctions[0]
    still = msgspec.structs.replace(a, stages=(*a.stages, Stage("still", "r" * len(a.groups))))
    city = replace(CITY, junctions=(still, CITY.junctions[1]))
    streams = build_streams(city)
    made = build_lanes(city, streams, build_stages(city, streams))
    assert (shown_at(made, 0)[0, 2] == 0).all()
    assert made.count == lanes_of("")[3].count
    # and it is never what a queue gets
    seen = frame(city, 100.0, {"NAA_0": 4})
    brain = create(BrainContext(city=city, options={"control": "brain"}))
    assert stage_of(ask(brain, city, seen, sandbox_signals(city, 100.0, 0, 80.0))) == "side"


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
