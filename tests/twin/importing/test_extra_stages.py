"""Extra stages: what is compatible and not in the plan, on junctions small enough to see and on real ones."""

from __future__ import annotations

import importlib.util
from itertools import combinations, islice
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civicbrain.city.signals import (
    Conflict,
    GroupKind,
    PlanStep,
    SignalGroup,
    SignalIndex,
    SignalJunction,
    SignalPlan,
    Stage,
)
from civicbrain.evaluate.junction_model import junction_model, plan_stages
from civicbrain.twin.importing import resolve_scenario
from civicbrain.twin.importing.extra_stages import (
    MOST_EXTRA_STAGES,
    maximal_cliques,
    with_extra_stages,
)
from civicbrain.twin.plan import require_sound_junction, unsafe_stages
from civicbrain.twin.program_view import ProgramView

# --- by hand -------------------------------------------------------------------------------------------

NORTH, NORTH_LEFT, SOUTH, SOUTH_LEFT, EAST, WALK = range(6)


def junction(
    stages: tuple[str, ...] = ("GgGgrr", "rrrrGr"), kinds: dict[int, GroupKind] | None = None
) -> SignalJunction:
    """Left turns yield to who comes the other way, the side road crosses all; a crossing out of the way."""
    conflict = np.zeros((6, 6), dtype=int)
    conflict[EAST, :EAST] = conflict[:EAST, EAST] = Conflict.PROHIBITED
    for left, oncoming in ((NORTH_LEFT, SOUTH), (SOUTH_LEFT, NORTH)):
        conflict[left, oncoming] = conflict[oncoming, left] = Conflict.PERMITTED
    table = tuple(tuple(row) for row in conflict.tolist())
    kind_of = {WALK: GroupKind.PEDESTRIAN} | (kinds or {})
    return SignalJunction(
        "x", "x", 0.0, 0.0, ("x",), 6,
        tuple(SignalGroup(f"g{row}", kind_of.get(row, GroupKind.VEHICLE), (row,), 3.0, 5.0)
              for row in range(6)),
        table, tuple(tuple(5.0 if value else 0.0 for value in row) for row in table),
        tuple(Stage(f"s{row + 1}", lamps) for row, lamps in enumerate(stages)),
        SignalPlan("p", (PlanStep(0, 30.0), PlanStep(1, 20.0))),
    )  # fmt: skip


def extras(of: SignalJunction) -> list[tuple[str, str]]:
    return [(stage.id, stage.lamps) for stage in of.stages if stage.extra]


def test_each_approach_alone_and_both_left_turns_are_added() -> None:
    found = with_extra_stages(junction())
    # beside the north alone the left turn from the south yields, as the plan lets it; its straight traffic
    # would meet a left turn at 'G', which the plan never shows. The crossing stays red.
    assert extras(found) == [("s3", "GGrgrr"), ("s4", "rGrGrr"), ("s5", "rgGGrr")]
    assert found.stages[:2] == junction().stages
    assert all(stage.derived and stage.origin == "extra" for stage in found.stages[2:])
    assert found.local_plan == junction().local_plan
    require_sound_junction(found)
    assert not unsafe_stages(found)


def test_nobody_yields_where_the_plan_shows_no_yielding() -> None:
    found = with_extra_stages(junction(("GrGrrr", "rrrrGr")))
    assert extras(found) == [("s3", "GGrrrr"), ("s4", "rGrGrr"), ("s5", "rrGGrr")]


def test_what_the_plan_contains_is_not_added_again() -> None:
    found = with_extra_stages(junction(("GgGgrr", "rrrrGr", "GGrrrr", "rGrGrG", "rrGGrr")))
    assert extras(found) == []


def test_a_stage_that_no_controller_shows_contains_nothing() -> None:
    with_unsafe = junction(("GgGgrr", "rrrrGr", "GGGGrr"))
    assert [lamps for _, lamps in extras(with_extra_stages(with_unsafe))] == ["GGrgrr", "rGrGrr", "rgGGrr"]


def test_trams_and_bicycles_count_as_vehicles() -> None:
    found = with_extra_stages(junction(kinds={NORTH_LEFT: GroupKind.TRANSIT, SOUTH_LEFT: GroupKind.BICYCLE}))
    assert [lamps for _, lamps in extras(found)] == ["GGrgrr", "rGrGrr", "rgGGrr"]


def test_the_limit_takes_the_first_and_a_second_call_adds_nothing() -> None:
    found = with_extra_stages(junction(), limit=2)
    assert [stage_id for stage_id, _ in extras(found)] == ["s3", "s4"]
    assert with_extra_stages(found) == found
    assert with_extra_stages(junction(), limit=0) == junction()


def test_a_single_vehicle_group_has_no_choice() -> None:
    walks = dict.fromkeys(range(1, 6), GroupKind.PEDESTRIAN)
    single = junction(("GrrrrG",), kinds=walks)
    assert with_extra_stages(single) == single


def test_bounds_and_reported_stages_of_programs_leave_them_out() -> None:
    plain, found = junction(), with_extra_stages(junction())
    model, same = junction_model(found), junction_model(plain)
    assert all(np.array_equal(a, b) for a, b in zip(vars(model).values(), vars(same).values(), strict=True))
    assert np.array_equal(plan_stages(found, 0.0, 100.0), plan_stages(plain, 0.0, 100.0))
    view = ProgramView(SignalIndex((found,)), 0.0)
    view.saw_lamps(0, "GgGgrr", 10.0)
    view.saw_lamps(0, "GGrgrr", 20.0)  # on the way to the next stage
    assert view.states(21.0).stage.tolist() == [0]


# --- cliques -------------------------------------------------------------------------------------------


@given(st.integers(1, 7), st.data())
@settings(deadline=None)
def test_cliques_are_those_of_trying_every_set(count: int, data: st.DataObject) -> None:
    pairs = [pair for pair in combinations(range(count), 2) if data.draw(st.booleans())]
    beside = {a: frozenset(b for b in range(count) if (min(a, b), max(a, b)) in pairs) for a in range(count)}
    complete = [
        frozenset(some)
        for size in range(1, count + 1)
        for some in combinations(range(count), size)
        if all(pair in pairs for pair in combinations(some, 2))
    ]
    largest = {one for one in complete if not any(one < other for other in complete)}
    found = list(maximal_cliques(beside))
    assert len(found) == len(largest)
    assert set(found) == largest


def test_a_junction_with_more_cliques_than_can_be_listed_is_done_in_time() -> None:
    """Moon and Moser (1965): 20 triples, of which each clique takes one each, 3^20 cliques."""
    beside = {a: frozenset(b for b in range(60) if b // 3 != a // 3) for a in range(60)}
    assert len(list(islice(maximal_cliques(beside), 50))) == 50
    assert 1_000 < sum(1 for _ in maximal_cliques(beside)) < 20_000
    assert list(maximal_cliques({})) == []


# --- real junctions ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def junctions(cache: Path) -> list[SignalJunction]:
    if importlib.util.find_spec("sumo_rl") is None:
        pytest.skip("the scenarios extra is not installed")
    names = ("cologne1", "cologne3", "cologne8", "ingolstadt1", "ingolstadt7", "ingolstadt21", "grid4x4")
    return [one for name in names for one in resolve_scenario(name).junctions]


def test_an_import_adds_what_is_compatible_and_new(junctions: list[SignalJunction]) -> None:
    assert any(extras(one) for one in junctions)
    for one in junctions:
        require_sound_junction(one)
        own = [stage for stage in one.stages if stage.extra]
        assert len(own) <= MOST_EXTRA_STAGES
        assert len({stage.id for stage in one.stages}) == len(one.stages)
        assert one.stages[len(one.stages) - len(own) :] == tuple(own)
        assert not {step.stage for step in one.local_plan.steps} & {one.stages.index(stage) for stage in own}
        full = [{row for row, lamp in enumerate(stage.lamps) if lamp == "G"} for stage in one.stages]
        wheels = {row for row, group in enumerate(one.groups) if group.kind is not GroupKind.PEDESTRIAN}
        for stage in own:
            row = one.stages.index(stage)
            assert row not in unsafe_stages(one)
            assert all(stage.lamps[walk] == "r" for walk in range(len(one.groups)) if walk not in wheels)
            assert all(one.conflict[a][b] == Conflict.NONE for a, b in combinations(sorted(full[row]), 2))
            assert all(any(one.conflict[g][a] for a in full[row]) for g in wheels - full[row]), "maximal"
            assert not any(full[row] <= other for at, other in enumerate(full) if at != row)


def test_they_are_the_same_each_time(junctions: list[SignalJunction]) -> None:
    for one in junctions:
        bare = msgspec.structs.replace(one, stages=tuple(stage for stage in one.stages if not stage.extra))
        assert with_extra_stages(bare) == one
