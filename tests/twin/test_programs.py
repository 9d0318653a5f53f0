"""Programs written for SUMO, and the small parts around them that need no simulation."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace

import pytest

from civicbrain.city.signals import GroupKind, PlanStep, SignalGroup, SignalJunction, SignalPlan, Stage
from civicbrain.core.errors import TwinError
from civicbrain.twin.deadlock import DeadlockWatch
from civicbrain.twin.metrics import read_safety, read_trips
from civicbrain.twin.programs import without_switching, write_programs


def logic(*phases: tuple[float, str]) -> SimpleNamespace:
    return SimpleNamespace(
        phases=[SimpleNamespace(duration=s, state=state, next=(), minDur=s, maxDur=s) for s, state in phases]
    )


def junction(*stages: str) -> SignalJunction:
    """One group a link; the stages' lamps are the links'."""
    size = len(stages[0])
    return SignalJunction(
        id="x", name="x", x_m=0.0, y_m=0.0, node_ids=("x",), link_count=size,
        groups=tuple(SignalGroup(str(row), GroupKind.VEHICLE, (row,), 3.0, 5.0) for row in range(size)),
        conflict=((0,) * size,) * size, intergreen_s=((0.0,) * size,) * size,
        stages=tuple(Stage(f"s{row}", lamps) for row, lamps in enumerate(stages)),
        local_plan=SignalPlan("0", tuple(PlanStep(row, 30.0) for row in range(len(stages)))),
    )  # fmt: skip


def written(plan: SimpleNamespace, at: SignalJunction, kind: str, folder: Path) -> list[ElementTree.Element]:
    write_programs({"x": plan, "lone": logic((90, "GG"))}, [at], kind, folder / "p.xml")
    return ElementTree.parse(folder / "p.xml").getroot().findall("tlLogic")


@pytest.mark.parametrize(("kind", "sumo_type"), [("actuated", "actuated"), ("delay-based", "delay_based")])
def test_the_phases_stay_and_only_stages_may_stretch(tmp_path, kind, sumo_type) -> None:
    plan = logic((30, "GGrr"), (3, "yyrr"), (2, "rrrr"), (20, "rrGG"), (3, "rryy"))
    programs = written(plan, junction("GGrr", "rrGG"), kind, tmp_path)
    assert [program.get("id") for program in programs] == ["x"]
    assert programs[0].get("type") == sumo_type
    phases = programs[0].findall("phase")
    assert [phase.get("state") for phase in phases] == ["GGrr", "yyrr", "rrrr", "rrGG", "rryy"]
    assert [(p.get("minDur"), p.get("maxDur")) for p in phases] == [
        ("5", "50"), (None, None), (None, None), ("5", "50"), (None, None),
    ]  # fmt: skip


def test_a_switch_over_beside_a_turn_that_is_always_open_does_not_stretch(tmp_path) -> None:
    plan = logic((20, "Grg"), (3, "yrg"), (2, "rrg"), (20, "rGg"), (3, "ryg"), (2, "rrg"))
    (program,) = written(plan, junction("Grg", "rGg"), "actuated", tmp_path)
    assert [p.get("maxDur") for p in program.findall("phase")] == ["50", None, None, "50", None, None]


def test_a_stage_that_the_plan_writes_in_pieces_is_one_phase(tmp_path) -> None:
    plan = logic((6, "Gr"), (4, "Gr"), (3, "yr"), (9, "rG"), (3, "ry"))
    (program,) = written(plan, junction("Gr", "rG"), "actuated", tmp_path)
    assert [(p.get("state"), p.get("duration")) for p in program.findall("phase")] == [
        ("Gr", "10"), ("yr", "3"), ("rG", "9"), ("ry", "3"),
    ]  # fmt: skip


def test_time_of_day_switching_is_taken_out_and_the_rest_kept(tmp_path) -> None:
    source = tmp_path / "a.add.xml"
    source.write_text(
        '<additional><tlLogic id="x" programID="2" type="static"/>'
        '<WAUT refTime="0" id="w" startProg="1"><wautSwitch time="100" to="2"/></WAUT>'
        '<wautJunction wautID="w" junctionID="x"/></additional>'
    )
    (tmp_path / "scratch").mkdir()
    still = without_switching(source, tmp_path / "scratch")
    assert [child.tag for child in ElementTree.parse(still).getroot()] == ["tlLogic"]
    source.write_text('<additional><tlLogic id="x"/></additional>')
    assert without_switching(source, tmp_path) == source


def test_greens_are_counted_from_when_a_vehicle_began_to_stand() -> None:
    watch = DeadlockWatch(["x"])
    for cycle in range(5):
        watch.saw_lamps(0, "Gr", 100.0 * cycle)
        watch.saw_lamps(0, "rG", 100.0 * cycle + 50.0)
    assert watch.greens(0, 1, since_s=0.0) == 5
    assert watch.greens(0, 1, since_s=251.0) == 2
    assert watch.greens(0, 0, since_s=1.0) == 4
    assert watch.greens(0, 9, since_s=0.0) == 0


TRIP = '<tripinfo id="a" {} waitingTime="4" waitingCount="2" timeLoss="10" duration="60"/>'


def test_every_vehicle_due_counts(tmp_path) -> None:
    """By hand: arrived, still running, never let in."""
    trips = [
        TRIP.format('depart="5" departDelay="1" arrival="65"'),
        TRIP.format('depart="9" departDelay="0" arrival="-1"'),
        TRIP.format('depart="-1" departDelay="70" arrival="-1"'),
    ]
    (tmp_path / "t.xml").write_text(f"<tripinfos>{''.join(trips)}</tripinfos>")
    found = read_trips(tmp_path / "t.xml")
    assert (found.departed, found.arrived, found.undeparted) == (2, 1, 1)
    assert (found.time_loss_s, found.depart_delay_s, found.travel_time_s) == (20.0, 71.0, 120.0)
    assert (found.waiting_s, found.max_waiting_s, found.stops) == (8.0, 4.0, 4)


def test_records_cut_off_are_named(tmp_path) -> None:
    (tmp_path / "t.xml").write_text("<tripinfos><tripinfo id='a'")
    for read in (read_trips, read_safety):
        with pytest.raises(TwinError, match=r"t\.xml"):
            read(tmp_path / "t.xml")
