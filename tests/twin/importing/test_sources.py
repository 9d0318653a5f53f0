"""Sources of every kind, good and bad."""

from __future__ import annotations

import gzip
import importlib.util
import json
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from civicbrain.city.folder import load_city
from civicbrain.core.errors import (
    CityError,
    ConfigurationError,
    ImportFailedError,
    NotFoundError,
    SignalProgramError,
)
from civicbrain.twin.importing import ImportOptions, import_city, resolve_scenario
from civicbrain.twin.importing.importer import city_name
from civicbrain.twin.importing.network import read_net


def _nothing_left(folder: Path) -> bool:
    return not folder.exists() and not list(folder.parent.glob(f".{folder.name}*"))


def _carried(folder: Path, name: str) -> ElementTree.Element:
    return ElementTree.fromstring(gzip.decompress((folder / name).read_bytes()))


def _program(cross: Path, edit: dict[str, str], program_id: str = "own") -> None:
    """Add a program to the scenario in an additional file: the network's with some links changed."""
    states = [
        phase.state
        for light in read_net(cross.parent / "cross.net.xml").getTrafficLights()
        for phase in light.getPrograms()["0"].getPhases()
    ]
    phases = "".join(
        f'<phase duration="{20 + number}" state="{edit.get(state, state)}"/>'
        for number, state in enumerate(states)
    )
    file = cross.parent / "parts" / "tls.add.xml"
    file.write_text(
        f'<additional><tlLogic id="C" type="static" programID="{program_id}" offset="3">{phases}'
        "</tlLogic></additional>"
    )
    text = cross.read_text().replace("parts/more.add.xml", "parts/more.add.xml,parts/tls.add.xml")
    cross.write_text(text)


def _without_approach(cross: Path, edge: str) -> dict[str, str]:
    net = read_net(cross.parent / "cross.net.xml")
    links = {c.getTLLinkIndex() for lane in net.getEdge(edge).getLanes() for c in lane.getOutgoing()}
    states = [p.state for p in net.getTrafficLights()[0].getPrograms()["0"].getPhases()]
    return {s: "".join("r" if i in links else lamp for i, lamp in enumerate(s)) for s in states}


def test_sumocfg_with_buses_detectors_and_outputs(cross: Path, tmp_path: Path) -> None:
    city = import_city(cross, tmp_path / "city")
    assert city.name == "cross"
    assert (city.demand.begin_s, city.demand.end_s, city.demand.step_s) == (0.0, 400.0, 0.5)
    assert dict(city.demand.sumo_options) == {"lateral-resolution": "0.8"}
    additional = _carried(city.folder, city.demand.additional_files[0])
    assert {element.tag for element in additional} == {"busStop"}
    routes = _carried(city.folder, city.demand.route_files[0])
    assert [element.tag for element in routes] == ["vType", "vType", "flow", "vehicle"]
    assert not (cross.parent / "out").exists()
    assert load_city(tmp_path / "city").junctions == city.junctions


def test_a_program_in_an_additional_file_overrides_the_networks(cross: Path, tmp_path: Path) -> None:
    _program(cross, {})
    plan = import_city(cross, tmp_path / "city").junctions[0].local_plan
    assert plan.id == "own"
    assert plan.offset_s <= 3.0


def test_the_same_program_id_twice_is_told_apart(cross: Path, tmp_path: Path) -> None:
    _program(cross, {}, program_id="0")
    city = import_city(cross, tmp_path / "city")
    assert any("a second time" in warning for warning in city.warnings)
    assert city.junctions[0].local_plan.id != "0"


def test_an_approach_without_green_is_refused_and_can_be_repaired(cross: Path, tmp_path: Path) -> None:
    _program(cross, _without_approach(cross, "NC"))
    with pytest.raises(SignalProgramError, match=r"approach NC of junction 'C'") as caught:
        import_city(cross, tmp_path / "city")
    assert "tls.add.xml" in str(caught.value)
    assert "--repair" in str(caught.value)
    assert _nothing_left(tmp_path / "city")
    city = import_city(cross, tmp_path / "city", options=ImportOptions(repair=True))
    junction = city.junctions[0]
    group = next(row for row, g in enumerate(junction.groups) if g.approach == "NC" and g.kind == "vehicle")
    served = [step for step in junction.local_plan.steps if junction.stages[step.stage].lamps[group] in "Gg"]
    assert served
    assert any("without green" in warning for warning in city.warnings)
    assert city.demand.additional_files[-1] == "twin/repaired.add.xml"


def test_resolving_repairs_with_a_warning_and_keeps_the_result(cross: Path, cache: Path) -> None:
    _program(cross, _without_approach(cross, "NC"))
    city = resolve_scenario(cross)
    assert any("without green" in warning for warning in city.warnings)
    assert city.folder.is_relative_to(cache)
    stamp = (city.folder / "network.civic").stat().st_mtime_ns
    assert (resolve_scenario(cross).folder / "network.civic").stat().st_mtime_ns == stamp


def test_a_bare_network_gets_a_seeded_demand(cross_net: Path, tmp_path: Path) -> None:
    first = import_city(cross_net, tmp_path / "a", options=ImportOptions(seed=1))
    again = import_city(cross_net, tmp_path / "b", options=ImportOptions(seed=1))
    other = import_city(cross_net, tmp_path / "c", options=ImportOptions(seed=2))
    texts = [ElementTree.tostring(_carried(c.folder, c.demand.route_files[0])) for c in (first, again, other)]
    assert texts[0] == texts[1] != texts[2]
    routes = ElementTree.fromstring(texts[0])
    movements, lanes, edges = first.network.movements, first.network.lanes, first.network.edges
    joined = {
        (edges.ids[lanes.edge[a]], edges.ids[lanes.edge[b]])
        for a, b in zip(movements.from_lane, movements.to_lane, strict=True)
    }
    departures = [float(vehicle.get("depart", "")) for vehicle in routes.iter("vehicle")]
    assert departures == sorted(departures)
    assert len(departures) > 50
    for route in routes.iter("route"):
        way = route.get("edges", "").split()
        assert all(pair in joined for pair in pairwise(way))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
def test_a_cut_off_network_names_its_line(cross: Path, tmp_path: Path, share: float) -> None:
    net = cross.parent / "cross.net.xml"
    net.write_bytes(net.read_bytes()[: int(net.stat().st_size * share)])
    with pytest.raises(ImportFailedError, match=r"cross\.net\.xml, line \d+"):
        import_city(cross, tmp_path / "city")
    assert _nothing_left(tmp_path / "city")


def test_cut_off_routes_name_their_line(cross: Path, tmp_path: Path) -> None:
    routes = cross.parent / "parts" / "cross.rou.xml"
    routes.write_text(routes.read_text()[:150])
    with pytest.raises(ImportFailedError, match=r"cross\.rou\.xml, line \d+"):
        import_city(cross, tmp_path / "city")
    assert _nothing_left(tmp_path / "city")


def test_routes_that_sumo_refuses_are_named(cross: Path, tmp_path: Path) -> None:
    routes = cross.parent / "parts" / "cross.rou.xml"
    routes.write_text(routes.read_text().replace("NC CS", "NC nowhere"))
    with pytest.raises(ImportFailedError, match="nowhere"):
        import_city(cross, tmp_path / "city")
    assert _nothing_left(tmp_path / "city")


def test_a_missing_part_of_a_scenario_is_named(cross: Path, tmp_path: Path) -> None:
    (cross.parent / "parts" / "more.add.xml").unlink()
    with pytest.raises(ImportFailedError, match=r"'parts/more\.add\.xml' is missing"):
        import_city(cross, tmp_path / "city")


@pytest.mark.parametrize("content", ["", "<net/>", "not xml", '<net version="1.0"></net>', "<osm/>"])
def test_files_that_are_no_network(tmp_path: Path, content: str) -> None:
    source = tmp_path / "bad.net.xml"
    source.write_text(content)
    with pytest.raises(ImportFailedError, match=r"bad\.net\.xml"):
        import_city(source, tmp_path / "city")
    assert _nothing_left(tmp_path / "city")


def test_unknown_names_get_suggestions(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="did you mean cologne8"):
        resolve_scenario("cologn8")
    with pytest.raises(NotFoundError, match="no scenario, file or folder"):
        import_city(tmp_path / "missing.net.xml", tmp_path / "city")


def test_a_missing_scenario_package_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sumo_rl" else real(name))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImportFailedError, match=r"pip install '\.\[scenarios\]'"):
        resolve_scenario("cologne1")


def test_an_empty_window_is_refused(cross: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="window"):
        import_city(cross, tmp_path / "city", options=ImportOptions(begin_s=500.0))


def test_another_folder_is_never_overwritten(cross: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("x")
    with pytest.raises(CityError, match="something else"):
        import_city(cross, tmp_path / "mine")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Bad_Town.net.xml.gz", "bad-town"),
        ("x/run.sumocfg", "x"),
        ("town.osm.gz", "town"),
        ("9.osm", "city-9"),
    ],
)
def test_names_of_cities(path: str, name: str) -> None:
    assert city_name(Path(path)) == name


# OpenStreetMap


def osm_grid(size: int = 4) -> str:
    """A grid of streets with signals inside, and a footpath across."""
    nodes = [
        f'<node id="{100 + 10 * i + j}" lat="{52.5 + i * 0.0018}" lon="{13.4 + j * 0.0029}" version="1">'
        + ('<tag k="highway" v="traffic_signals"/>' if 0 < i < size - 1 and 0 < j < size - 1 else "")
        + "</node>"
        for i in range(size)
        for j in range(size)
    ]
    ways = []
    for i in range(size):
        for number, refs in ((2 * i, range(100 + 10 * i, 100 + 10 * i + size)),
                             (2 * i + 1, range(100 + i, 100 + i + 10 * size, 10))):  # fmt: skip
            points = "".join(f'<nd ref="{ref}"/>' for ref in refs)
            ways.append(
                f'<way id="{number + 1}" version="1">{points}<tag k="highway" v="secondary"/>'
                f'<tag k="name" v="Street {number}"/></way>'
            )
    path = '<way id="99" version="1"><nd ref="100"/><nd ref="111"/><tag k="highway" v="footway"/></way>'
    return '<osm version="0.6">' + "\n".join([*nodes, *ways, path]) + "</osm>"


@pytest.mark.parametrize("suffix", [".osm", ".osm.xml", ".osm.gz"])
def test_osm_extracts(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / f"town{suffix}"
    content = osm_grid().encode()
    source.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    city = import_city(source, tmp_path / "city")
    assert len(city.junctions) == 4
    assert "Street 2" in city.network.edges.names
    assert city.network.projection.proj
    assert any("synthesised" in warning for warning in city.warnings)
    assert any("has no signal programs" in warning for warning in city.warnings)
    assert (city.network.lanes.use & 1).all()


def test_osm_without_any_road(tmp_path: Path) -> None:
    source = tmp_path / "park.osm"
    source.write_text(osm_grid().replace("secondary", "footway"))
    with pytest.raises(ImportFailedError, match="no road for cars"):
        import_city(source, tmp_path / "city")
    assert _nothing_left(tmp_path / "city")


def test_osm_cut_off(tmp_path: Path) -> None:
    source = tmp_path / "town.osm"
    source.write_text(osm_grid()[:1500])
    with pytest.raises(ImportFailedError, match=r"town\.osm, line \d+"):
        import_city(source, tmp_path / "city")


# CityFlow


def cityflow_cross(folder: Path) -> Path:
    """One junction, two lanes an arm (left turn inside), two phases, no yellow; two flows."""
    folder.mkdir()
    ends = {"N": (0, 300), "E": (300, 0), "S": (0, -300), "W": (-300, 0)}
    lanes = [{"width": 3, "maxSpeed": 10}, {"width": 4, "maxSpeed": 12}]
    roads, links = [], []
    for arm, (x, y) in ends.items():
        for start, end, a, b in ((arm, "C", (x, y), (0, 0)), ("C", arm, (0, 0), (x, y))):
            roads.append(
                {"id": f"{start}{end}", "startIntersection": start, "endIntersection": end, "lanes": lanes,
                 "points": [{"x": a[0], "y": a[1]}, {"x": b[0], "y": b[1]}]}
            )  # fmt: skip
    for arm, opposite in (("N", "S"), ("E", "W"), ("S", "N"), ("W", "E")):
        links.append(
            {"type": "go_straight", "startRoad": f"{arm}C", "endRoad": f"C{opposite}",
             "laneLinks": [{"startLaneIndex": k, "endLaneIndex": k} for k in (0, 1)]}
        )  # fmt: skip
    phases = [{"time": 30, "availableRoadLinks": [0, 2]}, {"time": 20, "availableRoadLinks": [1, 3]}]
    crossings = [
        {"id": "C", "point": {"x": 0, "y": 0}, "width": 10, "roadLinks": links, "virtual": False,
         "trafficLight": {"lightphases": phases}},
        *({"id": arm, "point": {"x": x, "y": y}, "virtual": True} for arm, (x, y) in ends.items()),
    ]  # fmt: skip
    car = {"length": 5, "minGap": 2, "maxSpeed": 11, "headwayTime": 2, "usualPosAcc": 2.2, "usualNegAcc": 4}
    flows = [
        {"vehicle": car, "route": ["NC", "CS"], "interval": 10, "startTime": 5, "endTime": 95},
        {
            "vehicle": {**car, "length": 12},
            "route": ["WC", "CE"],
            "interval": 1,
            "startTime": 7,
            "endTime": 7,
        },
    ]
    (folder / "roadnet.json").write_text(json.dumps({"intersections": crossings, "roads": roads}, indent=1))
    (folder / "flow.json").write_text(json.dumps(flows))
    return folder


def test_cityflow_keeps_ids_lanes_and_departures(tmp_path: Path) -> None:
    city = import_city(cityflow_cross(tmp_path / "flow"), tmp_path / "city")
    lanes = city.network.lanes
    assert {"NC", "CS", "WC", "CE"} <= set(city.network.edges.ids)
    # CityFlow's lane 0 is the inner one, SUMO's the outer one
    assert lanes.width_m[lanes.row["NC_0"]] == 4
    assert lanes.width_m[lanes.row["NC_1"]] == 3
    assert lanes.speed_mps[lanes.row["NC_1"]] == 10
    routes = _carried(city.folder, city.demand.route_files[0])
    types = {kind.get("id"): kind for kind in routes.iter("vType")}
    assert {kind.get("length") for kind in types.values()} == {"5", "12"}
    assert types["cityflow0"].get("tau") == "2"
    assert [float(v.get("depart", "")) for v in routes.iter("vehicle")] == sorted([*range(5, 96, 10), 7])


def test_cityflow_plan_in_order_with_derived_switch_overs(tmp_path: Path) -> None:
    city = import_city(cityflow_cross(tmp_path / "flow"), tmp_path / "city")
    junction = city.junctions[0]
    assert [step.duration_s for step in junction.local_plan.steps] == [30.0, 20.0]
    assert junction.intergreen_source.startswith("0 from the plan")
    states = [p.state for p in read_net(city.folder / city.demand.net_file).getTrafficLights()[0]
              .getPrograms()["cityflow"].getPhases()]  # fmt: skip
    assert any("y" in state for state in states)
    yellow = np.asarray([group.yellow_s for group in junction.groups])
    assert (yellow == 3.0).all()


@pytest.mark.parametrize("name", ["roadnet.json", "flow.json"])
def test_cityflow_cut_off_names_line_and_byte(tmp_path: Path, name: str) -> None:
    folder = cityflow_cross(tmp_path / "flow")
    text = (folder / name).read_text()
    (folder / name).write_text(text[: len(text) // 2])
    with pytest.raises(ImportFailedError, match=rf"{name}, line \d+, column \d+ \(byte \d+"):
        import_city(folder, tmp_path / "city")
    assert _nothing_left(tmp_path / "city")


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("flow.json", '"NC"', '"nowhere"', "flow 0: unknown road 'nowhere'"),
        ("roadnet.json", '"endIntersection": "C"', '"endIntersection": "X"', "unknown intersection 'X'"),
        ("roadnet.json", '"startLaneIndex": 1', '"startLaneIndex": 7', "a lane that is not there"),
        ("roadnet.json", '"time": 30', '"time": "long"', "Expected `float`"),
        ("flow.json", '"interval": 10', '"interval": 0', "interval must be above 0"),
    ],
)
def test_cityflow_nonsense_is_placed(tmp_path: Path, name: str, old: str, new: str, message: str) -> None:
    folder = cityflow_cross(tmp_path / "flow")
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))
    with pytest.raises(ImportFailedError, match=message) as caught:
        import_city(folder, tmp_path / "city")
    assert name in str(caught.value)


def test_half_a_cityflow_folder(tmp_path: Path) -> None:
    folder = cityflow_cross(tmp_path / "flow")
    (folder / "flow.json").unlink()
    with pytest.raises(ImportFailedError, match=r"no flow\.json"):
        import_city(folder, tmp_path / "city")
