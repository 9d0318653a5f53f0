"""The City Brain Challenge's format: what is kept, what its phases become, and what is said of bad files."""

from __future__ import annotations

import gzip
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import msgspec
import pytest
from citybrain_towns import (
    CROSS_FLOW,
    CROSS_ROADNET,
    LANES,
    run_to_the_end,
    write_cross,
    write_crossroads,
    write_tee,
)

from civicbrain.city.model import City
from civicbrain.core.errors import ImportFailedError
from civicbrain.twin.importing import import_city, resolve_scenario
from civicbrain.twin.importing.citybrain_files import read_flows, read_roadnet
from civicbrain.twin.importing.plans import plan_phases
from civicbrain.twin.observer import JunctionObserver

NANCHANG = Path(__file__).parents[4] / "shared" / "scenarios" / "nanchang"


@pytest.fixture(scope="module")
def cross_city(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("citybrain")
    return import_city(write_cross(folder / "cross"), folder / "city")


def _turns(city: City, edge: str) -> dict[int, set[tuple[str, int, str]]]:
    """Of each lane of an edge, counted from the kerb: (edge entered, its lane, turn)."""
    lanes, moves, ids = city.network.lanes, city.network.movements, city.network.edges.ids
    found: dict[int, set[tuple[str, int, str]]] = {}
    for row in range(len(moves.from_lane)):
        start, end = int(moves.from_lane[row]), int(moves.to_lane[row])
        if ids[lanes.edge[start]] == edge:
            entry = (ids[lanes.edge[end]], int(lanes.index[end]), chr(moves.turn[row]))
            found.setdefault(int(lanes.index[start]), set()).add(entry)
    return found


def _green(city: City, stage: int) -> set[str]:
    """What a stage shows at junction C, right turns aside: approach and turn, such as "2l"."""
    junction = city.junctions[0]
    moves, lanes = city.network.movements, city.network.lanes
    shown = set()
    for row in range(len(moves.from_lane)):
        link, turn = int(moves.link[row]), chr(moves.turn[row])
        if link >= 0 and turn != "r":
            group = int(junction.group_of_link[link])
            if junction.stages[stage].lamps[group] in "Gg":
                shown.add(city.network.edges.ids[lanes.edge[moves.from_lane[row]]] + turn)
    return shown


def test_ids_lengths_limits_and_lanes_are_the_files(cross_city: City) -> None:
    lanes = cross_city.network.lanes
    assert set(cross_city.network.edges.ids) == {str(number) for number in range(1, 11)}
    assert lanes.length_m[lanes.row["4_0"]] == pytest.approx(333.5)
    assert lanes.speed_mps[lanes.row["4_2"]] == pytest.approx(12.5)
    assert len(lanes.ids) == 30
    assert cross_city.network.projection.proj
    assert (cross_city.demand.begin_s, cross_city.demand.end_s) == (0.0, 100.0)


def test_each_lane_turns_where_the_file_says_and_enters_any_lane(cross_city: City) -> None:
    # road 2 comes from the north; to its left lies the east (road 3), the west (road 7) to its right; the
    # inner lane has suffix 2
    onward = _turns(cross_city, "2")
    assert {lane: {(name, turn) for name, _, turn in ways} for lane, ways in onward.items()} == {
        2: {("3", "l")}, 1: {("5", "s")}, 0: {("7", "r")},
    }  # fmt: skip
    assert all({lane for _, lane, _ in ways} == {0, 1, 2} for ways in onward.values())


def test_without_signals_every_lane_goes_on_in_its_own(cross_city: City) -> None:
    assert _turns(cross_city, "1") == {lane: {("9", lane, "s")} for lane in range(3)}
    assert not _turns(cross_city, "9"), "nobody turns round at a dead end"


def test_streams_pass_each_other_where_no_signals_stand(tmp_path: Path, in_process: Any) -> None:
    write_crossroads(tmp_path / "town")
    import_city(tmp_path / "town", tmp_path / "city")
    figures = in_process(run_to_the_end, str(tmp_path / "city"))
    assert figures["arrived"] == figures["due"] == 600
    assert figures["collisions"] == 0
    # with SUMO's right of way they lost 69 s on average, and 106 were still waiting
    assert figures["time_loss_s"] < 5.0


def test_the_contests_eight_phases_become_stages_and_the_first_four_the_plan(cross_city: City) -> None:
    junction = cross_city.junctions[0]
    assert [(step.stage, step.duration_s) for step in junction.local_plan.steps] == [
        (0, 20.0), (1, 20.0), (2, 20.0), (3, 20.0),
    ]  # fmt: skip
    # roads 2, 4, 6, 8 come from the north, east, south, west
    expected = [
        {"2l", "6l"}, {"2s", "6s"}, {"4l", "8l"}, {"4s", "8s"},
        {"2l", "2s"}, {"4l", "4s"}, {"6l", "6s"}, {"8l", "8s"},
    ]  # fmt: skip
    assert [_green(cross_city, row) for row in range(8)] == expected
    assert [(stage.derived, stage.extra) for stage in junction.stages[:8]] == [(False, False)] * 4 + [
        (True, False)
    ] * 4
    assert all(stage.extra for stage in junction.stages[8:])


def test_intergreens_and_minimum_greens_are_derived_as_everywhere(cross_city: City) -> None:
    junction = cross_city.junctions[0]
    assert junction.intergreen_source.startswith("0 from the plan")
    assert max(map(max, junction.intergreen_s)) >= 5.0
    assert {group.min_green_s for group in junction.groups} == {5.0}


def test_a_long_switch_over_leaves_who_starts_last_its_minimum_green(cross_city: City) -> None:
    junction = cross_city.junctions[0]
    intergreens = tuple(tuple(18.0 if seconds else 0.0 for seconds in row) for row in junction.intergreen_s)
    slow = msgspec.structs.replace(junction, intergreen_s=intergreens)
    observer, second = JunctionObserver(slow), 0.0
    for _ in range(3):
        for lamps, seconds in plan_phases(slow):
            assert observer.look(lamps, second) == []
            second += seconds
    assert second == 3 * 4 * 23.0


def test_phases_that_serve_nobody_are_left_out(tmp_path: Path) -> None:
    city = import_city(write_tee(tmp_path / "tee"), tmp_path / "city")
    assert [step.duration_s for step in city.junctions[0].local_plan.steps] == [20.0] * 3
    assert [_green(city, row) for row in range(5)] == [
        {"2l"}, {"2s", "6s"}, {"4l"}, {"2l", "2s"}, {"6s"},
    ]  # fmt: skip


def test_a_vehicle_each_interval_from_the_begin_to_before_the_end(cross_city: City) -> None:
    text = gzip.decompress((cross_city.folder / cross_city.demand.route_files[0]).read_bytes())
    flows = [dict(flow.attrib) for flow in ElementTree.fromstring(text).iter("flow")]
    assert [(flow["begin"], flow["end"], flow["period"]) for flow in flows] == [
        ("0", "100", "10"), ("0", "30", "12.5"),
    ]  # fmt: skip


def test_a_folder_is_a_scenario_and_imported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = write_cross(tmp_path / "town")
    first = resolve_scenario(folder)
    assert resolve_scenario(folder).folder == first.folder
    (folder / "flow.txt").write_text((folder / "flow.txt").read_text().replace("0\t100\t10", "0\t90\t10"))
    assert resolve_scenario(folder).folder != first.folder


@pytest.mark.parametrize("name", ["roadnet.txt", "flow.txt"])
def test_a_file_cut_off_after_any_line_is_named_with_the_line(tmp_path: Path, name: str) -> None:
    folder = write_cross(tmp_path / "town")
    lines = (folder / name).read_text().splitlines()
    for kept in range(len(lines)):
        (folder / name).write_text("\n".join(lines[:kept]))
        with pytest.raises(ImportFailedError, match=rf"(?s){name}, line \d+.*cut off.*fetch") as caught:
            read_flows(folder / "flow.txt", read_roadnet(folder / "roadnet.txt"))
        assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("roadnet.txt", "C N 320 10 3 3 1 2", "C Q 320 10 3 3 1 2", "line 9: unknown intersection Q"),
        ("roadnet.txt", "C N 320 10 3 3 1 2", "C N 320 10 3 3 1", "line 9: .*7 fields instead of 8"),
        ("roadnet.txt", "C N 320", "C N -5", "line 9: the length makes no sense: '-5'"),
        ("roadnet.txt", "C N 320 10", "C N 320 nan", "line 9: the speed limit makes no sense: 'nan'"),
        ("roadnet.txt", "C N 320 10 3", "C N 320 10 1.5", "line 9: the number of lanes is no whole number"),
        ("roadnet.txt", f"7 8\n{LANES}", "7 8\n1 0 0", "line 19: .*3 fields instead of 9"),
        ("roadnet.txt", f"7 8\n{LANES}", "7 8\n1 0 0 0 2 0 0 0 1", "the turns of road 7 are not all"),
        ("roadnet.txt", "3 3 5 6", "3 3 5 1", "line 15: road 1 stands there twice"),
        ("roadnet.txt", "N 0", "C 0", "line 3: intersection C stands there twice"),
        ("roadnet.txt", "28.7030", "128.7030", "line 3: the latitude makes no sense"),
        ("roadnet.txt", "C 1 3 5 7", "C 1 3 5 8", "line 25: no road 8 leaves intersection C"),
        ("roadnet.txt", "C 1 3 5 7", "C 1 3 5 7\n5", "line 26: more lines than the counts"),
        ("roadnet.txt", "C 1 3 5 7", "C 1 3 1 7", "line 25: .*names a road twice"),
        ("roadnet.txt", "C 1 3 5 7", "C 1 3 5 -1", "line 18: road 8 ends at the signal .* none of its arms"),
        ("roadnet.txt", "C 1\n", "C 0\n", "C is said to be unsignalled, but has a line"),
        ("flow.txt", "8 3", "8 77", "line 4: unknown road 77 in the route"),
        ("flow.txt", "8 3", "8 4", "line 4: road 4 does not begin where road 8 ends"),
        ("flow.txt", "2\n8 3", "3\n8 3", "line 4: the route of flow 1 of 2: 2 fields instead of 3"),
        ("flow.txt", "0\t100\t10", "0\t100\t0", "line 2: the interval between vehicles must be above 0"),
        ("flow.txt", "0\t100\t10", "200\t100\t10", "line 2: the end makes no sense"),
        ("flow.txt", "0\t100\t10", "0\t100", "line 2: the times of flow 1 of 2: 2 fields instead of 3"),
    ],
)  # fmt: skip
def test_nonsense_is_placed(tmp_path: Path, name: str, old: str, new: str, message: str) -> None:
    folder = write_cross(tmp_path / "town")
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))
    with pytest.raises(ImportFailedError, match=message) as caught:
        import_city(folder, tmp_path / "city")
    assert str(folder / name) in str(caught.value)
    assert not (tmp_path / "city").exists()


def test_a_turn_that_no_lane_may_take_is_refused(tmp_path: Path) -> None:
    folder = write_cross(tmp_path / "town", CROSS_ROADNET, CROSS_FLOW)
    with pytest.raises(ImportFailedError, match=r"line 11: no lane of road 6 may turn into road 5"):
        import_city(folder, tmp_path / "city")


def test_half_a_folder(tmp_path: Path) -> None:
    folder = write_cross(tmp_path / "town")
    (folder / "flow.txt").unlink()
    with pytest.raises(ImportFailedError, match=r"no flow\.txt"):
        import_city(folder, tmp_path / "city")


@pytest.mark.skipif(not NANCHANG.is_dir(), reason=f"the contest's data are not at {NANCHANG}")
def test_nanchang_is_read_whole() -> None:
    net = read_roadnet(NANCHANG / "roadnet.txt")
    assert (len(net.intersections), len(net.arms), len(net.roads)) == (2067, 1004, 6082)
    assert sum(road.length_m for road in net.roads.values()) / 2e3 == pytest.approx(1302, abs=0.1)
    flows = read_flows(NANCHANG / "flow.txt", net)
    assert (len(flows), max(flow.end_s for flow in flows)) == (12669, 1200.0)
