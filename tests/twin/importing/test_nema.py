"""NEMA dual-ring programs: what the street sees of them, by hand, and a whole network of them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from civicbrain.city.signals import Conflict
from civicbrain.core.errors import SignalProgramError
from civicbrain.twin.importing import ImportOptions, import_city
from civicbrain.twin.importing.nema import RingPhase, write_out
from civicbrain.twin.importing.tools import run_tool

# links: 0 left and 1 straight from the south, 2 left and 3 straight from the north, 4 the east
SOUTH_LEFT = RingPhase("1", "Grrrr", 10.0, 5.0)
NORTH = RingPhase("2", "rrgGr", 30.0, 8.0)
NORTH_LEFT = RingPhase("5", "rrGrr", 20.0, 5.0)
SOUTH = RingPhase("6", "gGrrr", 20.0, 8.0)
EAST = RingPhase("4", "rrrrG", 15.0, 6.0)
PARAMS = {"ring1": "1,2,0,4", "ring2": "5,6,0,0", "barrierPhases": "4,8", "barrier2Phases": "2,6"}


def test_both_rings_run_side_by_side_to_the_barrier() -> None:
    """Both rings take 50 s to the barrier: 10 + 5 + 30 + 5, and 20 + 5 + 20 + 5."""
    cycle = write_out([SOUTH_LEFT, NORTH, NORTH_LEFT, SOUTH, EAST], PARAMS, "here")
    assert [(state, seconds) for state, seconds, _ in cycle.phases] == [
        ("GrGrr", 10.0),  # both left turns
        ("yrGrr", 3.0),
        ("rrGrr", 2.0),
        ("rrGGr", 5.0),  # the north, its left turn by right
        ("rrgGr", 3.0),  # … whose phase ends; the north's own goes on and lets it yield
        ("rrgGr", 2.0),
        ("gGgGr", 20.0),
        ("yyyyr", 3.0),
        ("rrrrr", 2.0),
        ("rrrrG", 15.0),
        ("rrrry", 3.0),
        ("rrrrr", 2.0),
    ]
    assert [least for _, _, least in cycle.phases] == [
        5,
        None,
        None,
        8,
        None,
        None,
        8,
        None,
        None,
        6,
        None,
        None,
    ]
    assert cycle.beside == ("GGrrr",), "the south alone, when the north's left turn is skipped"


def test_a_ring_without_a_phase_waits_at_the_barrier() -> None:
    params = {"ring1": "2,0,4,0", "ring2": "6,0,0,0", "barrierPhases": "2,6", "barrier2Phases": "4,8"}
    cycle = write_out([NORTH, SOUTH, EAST], params, "here")
    assert [(state, seconds) for state, seconds, _ in cycle.phases][:2] == [("gGgGr", 30.0), ("yyyyr", 3.0)]
    assert sum(seconds for _, seconds, _ in cycle.phases) == 30.0 + 5.0 + 15.0 + 5.0
    assert cycle.beside == ()


def test_a_ring_may_begin_in_the_middle_of_a_block() -> None:
    whole = write_out([SOUTH_LEFT, NORTH, NORTH_LEFT, SOUTH, EAST], PARAMS, "here")
    params = PARAMS | {"ring1": "2,0,4,1", "ring2": "6,0,0,5"}
    turned = write_out([SOUTH_LEFT, NORTH, NORTH_LEFT, SOUTH, EAST], params, "here")
    assert turned == whole


@pytest.mark.parametrize(
    ("params", "words"),
    [({}, "without rings"), ({"ring1": "1,7", "barrierPhases": "7"}, "ring1 names phase 7")],
)
def test_rings_that_do_not_fit_are_named(params: dict[str, str], words: str) -> None:
    with pytest.raises(SignalProgramError, match=words) as failure:
        write_out([SOUTH_LEFT], params, "net.xml, tlLogic 'J'")
    assert "tlLogic 'J'" in str(failure.value)


def test_a_network_of_dual_rings_serves_opposite_approaches_together(tmp_path: Path) -> None:
    net = tmp_path / "nema.net.xml"
    run_tool(
        "netgenerate",
        ["--grid", "--grid.number", "2", "--grid.attach-length", "100", "-L", "2", "--turn-lanes", "1",
         "--default-junction-type", "traffic_light", "--tls.default-type", "NEMA", "-o", str(net)],
        place="test", what="netgenerate", remedy="",
    )  # fmt: skip
    packed = tmp_path / "packed.net.xml.gz"
    packed.write_bytes(gzip.compress(net.read_bytes()))
    cities = [
        import_city(file, tmp_path / file.name[:4], options=ImportOptions(end_s=60.0))
        for file in (net, packed)
    ]
    assert cities[0].junctions == cities[1].junctions
    crossings = [
        junction for junction in cities[0].junctions if len({g.approach for g in junction.groups}) == 4
    ]
    assert len(crossings) == 4
    for junction in crossings:
        plan = [junction.stages[step.stage].lamps for step in junction.local_plan.steps]
        assert len(plan) == 4, "left turns and the rest, of two streets"
        for lamps in plan:
            green = {
                group.approach for group, lamp in zip(junction.groups, lamps, strict=True) if lamp == "G"
            }
            assert len(green) == 2, "one from each ring"
        assert any(stage.derived for stage in junction.stages), "pairs beside the plan"
        assert Conflict.PROHIBITED in {value for row in junction.conflict for value in row}
        assert any("NEMA" in text for text in junction.warnings)


def test_fractions_of_seconds_leave_no_slivers_between_the_rings() -> None:
    """Sums of the two rings that are the same in the file differ in the last digit of a float."""
    south_left = RingPhase("1", "Grrrr", 10.1, 5.0, 3.3, 1.4)
    north_left = RingPhase("5", "rrGrr", 10.1, 5.0, 3.1, 1.6)
    cycle = write_out([south_left, NORTH, north_left, SOUTH, EAST], PARAMS, "here")
    assert min(seconds for _, seconds, _ in cycle.phases) >= 0.1 - 1e-6
    assert sum(seconds for _, seconds, _ in cycle.phases) == pytest.approx(14.8 + 35.0 + 20.0)
