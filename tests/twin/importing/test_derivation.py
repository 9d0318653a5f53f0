"""What must hold of every derived junction, on all built-in cities."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civicbrain.city.model import City
from civicbrain.city.signals import Conflict, GroupKind, PlanStep, SignalJunction
from civicbrain.twin.importing import resolve_scenario
from civicbrain.twin.importing.network import build_controllers, read_net
from civicbrain.twin.importing.plans import plan_phases, switch_over
from civicbrain.twin.importing.programs import Program, network_programs
from civicbrain.twin.plan import unsafe_stages

CITIES = (
    "cologne1",
    "cologne3",
    "cologne8",
    "ingolstadt1",
    "ingolstadt7",
    "ingolstadt21",
    "grid4x4",
    "arterial4x4",
)
GREEN = "Gg"


@pytest.fixture(scope="module")
def cities(cache: Path) -> dict[str, City]:
    if importlib.util.find_spec("sumo_rl") is None:
        pytest.skip("the scenarios extra is not installed")
    return {name: resolve_scenario(name) for name in CITIES}


@pytest.fixture(scope="module")
def junctions(cities: dict[str, City]) -> list[SignalJunction]:
    return [junction for city in cities.values() for junction in city.junctions]


def test_counts_are_those_of_the_networks(cities: dict[str, City]) -> None:
    assert [len(cities[name].junctions) for name in CITIES] == [1, 3, 8, 1, 7, 21, 16, 16]


def test_conflicts_are_symmetric_and_no_group_fights_itself(junctions: list[SignalJunction]) -> None:
    for junction in junctions:
        conflict = junction.conflict_array
        assert (conflict == conflict.T).all()
        assert (np.diag(conflict) == Conflict.NONE).all()


def test_every_link_of_a_movement_has_one_group(cities: dict[str, City]) -> None:
    for city in cities.values():
        movements = city.network.movements
        for m in city.signalled_movements:
            junction = city.junctions[movements.junction[m]]
            start = city.signals.group_start[movements.junction[m]]
            assert junction.group_of_link[movements.link[m]] == movements.group[m] - start
        for junction in city.junctions:
            links = [link for group in junction.groups for link in group.links]
            assert len(links) == len(set(links))


def test_every_vehicle_group_has_green_in_a_stage(junctions: list[SignalJunction]) -> None:
    for junction in junctions:
        for row, group in enumerate(junction.groups):
            if group.kind is not GroupKind.PEDESTRIAN:
                assert any(stage.lamps[row] in "Ggs" for stage in junction.stages), (junction.id, group.id)


def test_no_stage_shows_a_prohibited_pair(junctions: list[SignalJunction]) -> None:
    for junction in junctions:
        for stage in junction.stages:
            green = np.asarray([lamp in GREEN for lamp in stage.lamps])
            major = np.asarray([lamp == "G" for lamp in stage.lamps])
            together = junction.conflict_array * np.outer(green, green)
            assert together.max(initial=0) < Conflict.PROHIBITED
            assert (junction.conflict_array * np.outer(major, major)).max(initial=0) == Conflict.NONE


def test_intergreens_cover_the_yellow_where_groups_conflict(junctions: list[SignalJunction]) -> None:
    for junction in junctions:
        yellow = np.asarray([group.yellow_s for group in junction.groups])[:, None]
        conflicting = junction.conflict_array != Conflict.NONE
        assert (junction.intergreen_array_s >= yellow)[conflicting].all()
        assert (junction.intergreen_array_s[~conflicting] == 0.0).all()


def test_minimum_greens_fit_the_plan(junctions: list[SignalJunction]) -> None:
    for junction in junctions:
        for group in junction.groups:
            assert 0.0 < group.min_green_s <= junction.local_plan.cycle_s


def _program_lamps(program: Program, second: float) -> str:
    into = (second - program.offset_s) % program.cycle_s
    for state, duration_s in zip(program.states, program.durations_s, strict=True):
        if into < duration_s:
            return state
        into -= duration_s
    raise AssertionError


def test_the_local_plan_is_the_shipped_programs_cycle(cities: dict[str, City]) -> None:
    """Whenever the program shows a stage, the plan's step of that second asks for that stage."""
    for city in cities.values():
        programs = network_programs(read_net(city.folder / city.demand.net_file), "net")
        for junction in city.junctions:
            program, plan = programs[junction.id], junction.local_plan
            assert plan.cycle_s == pytest.approx(program.cycle_s)
            seen = set()
            for second in np.arange(0.5, program.cycle_s, 1.0):
                shown = _program_lamps(program, second)
                lamps = "".join(shown[group.links[0]] for group in junction.groups)
                into, step = (second - plan.offset_s) % plan.cycle_s, 0
                while into >= plan.steps[step].duration_s:
                    into -= plan.steps[step].duration_s
                    step += 1
                stage = junction.stages[plan.steps[step].stage]
                if lamps in {other.lamps for other in junction.stages}:
                    assert stage.lamps == lamps, (city.name, junction.id, second)
                    seen.add(stage.id)
            assert seen == {stage.id for stage in junction.stages if not stage.derived}


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_switch_over_keeps_every_intergreen(data: st.DataObject, junctions: list[SignalJunction]) -> None:
    junction = data.draw(st.sampled_from(junctions), label="junction")
    before = data.draw(st.sampled_from(junction.stages)).lamps
    target = data.draw(st.sampled_from(junction.stages)).lamps
    timeline = [*switch_over(junction, before, target), (target, 1.0)]
    rows = range(len(junction.groups))
    for a in rows:
        for b in rows:
            if (
                before[a] in GREEN
                and target[a] not in GREEN
                and before[b] not in GREEN
                and target[b] in GREEN
            ):
                waited_s = 0.0
                for lamps, seconds in timeline:
                    if lamps[b] in GREEN:
                        break
                    waited_s += seconds
                assert waited_s >= junction.intergreen_s[a][b]
    for lamps, _ in timeline:
        green = [row for row in rows if lamps[row] in GREEN]
        assert all(junction.conflict[a][b] != Conflict.PROHIBITED for a in green for b in green)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_plan_keeps_intergreens_over_steps_shorter_than_they_are(
    data: st.DataObject, junctions: list[SignalJunction]
) -> None:
    junction = data.draw(st.sampled_from(junctions), label="junction")
    dark = msgspec.structs.replace(junction.stages[0], id="dark", lamps="r" * len(junction.groups))
    junction = msgspec.structs.replace(junction, stages=(*junction.stages, dark))
    safe = sorted(set(range(len(junction.stages))) - unsafe_stages(junction))
    stages = data.draw(st.lists(st.sampled_from(safe), min_size=2, max_size=5), label="stages")
    steps = tuple(PlanStep(stage, float(data.draw(st.integers(1, 12)))) for stage in stages)
    plan = msgspec.structs.replace(junction.local_plan, steps=steps)
    phases = plan_phases(msgspec.structs.replace(junction, local_plan=plan))
    link = {group: number for number, group in enumerate(junction.group_of_link) if group >= 0}
    for a in link:
        for b in link:
            if a != b and junction.conflict[a][b] == Conflict.PROHIBITED:
                dark_s = None  # seconds since a was green
                for state, seconds in [*phases, *phases]:
                    if state[link[b]] in GREEN and dark_s is not None:
                        assert dark_s >= junction.intergreen_s[a][b] - 1e-9, (junction.id, a, b)
                    if state[link[a]] in GREEN:
                        dark_s = 0.0
                    elif dark_s is not None:
                        dark_s += seconds


def test_plan_phases_last_a_cycle(junctions: list[SignalJunction]) -> None:
    for junction in junctions:
        phases = plan_phases(junction)
        assert {len(state) for state, _ in phases} == {junction.link_count}
        assert sum(seconds for _, seconds in phases) >= junction.local_plan.cycle_s - 1e-6


def test_cameras_see_each_lane_once_and_within_reach(cities: dict[str, City]) -> None:
    for city in cities.values():
        cameras, movements = city.cameras, city.network.movements
        assert len(set(cameras.lane.tolist())) == len(cameras.lane)
        assert (np.diff(cameras.junction) >= 0).all()
        assert cameras.beyond_m.min() >= 0.0
        assert cameras.beyond_m.max() <= 250.0
        approaches = set(movements.from_lane[movements.junction >= 0].tolist())
        assert approaches <= set(cameras.lane[cameras.beyond_m == 0.0].tolist())


def test_a_crossing_conflicts_with_the_vehicles_over_it(cross_net: Path) -> None:
    controller = build_controllers(read_net(cross_net))[0]
    crossings = [row for row, path in enumerate(controller.paths) if path.is_crossing]
    assert len(crossings) == 4
    for row in crossings:
        foes = {controller.paths[other] for x, other in controller.foes if x == row}
        assert foes
        # the crossing of an arm is crossed by what comes from and what leaves by that arm
        arms = {path.from_edge[0] for path in foes} | {path.to_lane[1] for path in foes}
        assert all(not path.is_crossing for path in foes)
        assert len(arms & set("NESW")) >= 3


def test_ways_from_one_edge_never_conflict(cross_net: Path) -> None:
    controller = build_controllers(read_net(cross_net))[0]
    for x, y in controller.foes:
        assert controller.paths[x].from_edge != controller.paths[y].from_edge
        assert (y, x) in controller.foes
