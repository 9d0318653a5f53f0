"""Generated city folders: what a study, a brain and a person rely on."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import generated_runs
import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.city.places import PlaceKind
from civicbrain.cli import main as command
from civicbrain.core.errors import CityError, ConfigurationError
from civicbrain.twin.generating import GenerateOptions, generate_city
from civicbrain.twin.plan import unsafe_stages


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Ten junctions."""
    return generate_city(GenerateOptions(10, seed=4), tmp_path_factory.mktemp("small") / "town")


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A hundred junctions, half of the approaches with a camera."""
    return generate_city(GenerateOptions(100, cameras=170, seed=2), tmp_path_factory.mktemp("big") / "city")


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(town: City, tmp_path: Path) -> None:
    again = generate_city(GenerateOptions(10, seed=4), tmp_path / "again")
    other = generate_city(GenerateOptions(10, seed=5), tmp_path / "other")
    assert content(again.folder) == content(town.folder)
    assert content(other.folder)["twin/net.xml.gz"] != content(town.folder)["twin/net.xml.gz"]


@pytest.mark.parametrize("which", ["town", "big"])
def test_every_junction_is_reached_from_every_other(which: str, request: pytest.FixtureRequest) -> None:
    city: City = request.getfixturevalue(which)
    lanes, movements, edges = city.network.lanes, city.network.movements, city.network.edges
    size = len(edges.ids)
    links = lanes.edge[movements.from_lane], lanes.edge[movements.to_lane]
    graph = coo_matrix((np.ones(len(movements.node)), links), shape=(size, size))
    _, label = connected_components(graph, directed=True, connection="strong")
    assert len(set(label.tolist())) == 1
    assert len(city.junctions) == int(city.source.split()[1])


@pytest.mark.parametrize("which", ["town", "big"])
def test_every_movement_gets_green_in_the_plan_and_stages_are_safe(
    which: str, request: pytest.FixtureRequest
) -> None:
    city: City = request.getfixturevalue(which)
    cycles = set()
    for junction in city.junctions:
        plan = junction.local_plan
        shown = [junction.stages[step.stage].lamps for step in plan.steps]
        assert all(any(lamps[group] in "Gg" for lamps in shown) for group in range(len(junction.groups)))
        assert not unsafe_stages(junction)
        assert not junction.warnings
        assert min(step.duration_s for step in plan.steps) >= 4.0
        cycles.add(plan.cycle_s)
    assert max(cycles) / min(cycles) in (
        1.0,
        2.0,
    )  # one cycle or its half, so that streets can be coordinated
    assert len(cycles) <= 2
    assert len({junction.local_plan.offset_s for junction in city.junctions}) > 3


def test_demand_has_a_morning_and_an_evening_peak(big: City) -> None:
    with gzip.open(big.folder / "twin/cars.rou.xml.gz") as stream:
        departs = [
            float(element.get("depart", ""))
            for _, element in ElementTree.iterparse(stream)
            if element.tag == "vehicle"
        ]
    assert departs == sorted(departs)
    hours = np.histogram(departs, 24, (0.0, 86_400.0))[0]
    assert hours[7:9].max() > 1.3 * hours[12]
    assert hours[17:19].max() > 1.3 * hours[12]
    assert hours[2:5].max() < 0.1 * hours[8]


def test_the_demand_may_be_told(tmp_path: Path) -> None:
    city = generate_city(GenerateOptions(10, demand_peak=500.0), tmp_path / "calm")
    with gzip.open(city.folder / "twin/cars.rou.xml.gz", "rt") as stream:
        departs = np.array(
            [float(line.split('depart="')[1].split('"')[0]) for line in stream if "depart" in line]
        )
    starts = np.arange(0.0, 82_800.0, 600.0)
    busiest = max(int(((departs >= begin) & (departs < begin + 3600.0)).sum()) for begin in starts)
    assert 430 <= busiest <= 580


def test_the_folder_holds_the_city(big: City) -> None:
    read = load_city(big.folder)
    assert read.places == big.places
    assert read.demand == big.demand
    assert read.junctions == big.junctions


def test_places_lie_on_streets(big: City) -> None:
    found = {kind: big.list_places(kind) for kind in PlaceKind}
    assert all(found.values())
    assert len(found[PlaceKind.CAR_PARK]) == 8
    assert all(place.capacity > 0 for place in found[PlaceKind.CAR_PARK])
    lanes, edges = big.network.lanes, big.network.edges
    for place in big.places:
        row = edges.row[place.edge]
        lane = int(edges.lane_start[row])
        assert 0.0 <= place.position_m <= float(lanes.length_m[lane]) + 0.1
        assert not place.lane or lanes.edge[lanes.row[place.lane]] == row
    assert len({place.id for place in big.places}) == len(big.places)


def test_cameras_stand_at_the_busiest_approaches(big: City) -> None:
    eyes = big.list_places(PlaceKind.CAMERA)
    assert len(eyes) == 170
    assert len({eye.edge for eye in eyes}) == 170  # one each before any has two
    lanes, movements, edges = big.network.lanes, big.network.movements, big.network.edges
    watched = {eye.edge for eye in eyes}
    controlled = movements.junction >= 0
    seen = {edges.ids[edge] for edge in lanes.edge[big.cameras.lane[big.cameras.beyond_m == 0.0]]}
    assert seen == watched
    approaches = {edges.ids[edge] for edge in lanes.edge[movements.from_lane[controlled]]}
    assert watched < approaches
    names = {junction.id for junction in big.junctions}
    assert all(eye.junction in names for eye in eyes)


def test_without_a_number_every_approach_has_a_camera(town: City) -> None:
    movements = town.network.movements
    edges = town.network.lanes.edge[movements.from_lane[movements.junction >= 0]]
    assert len(town.list_places(PlaceKind.CAMERA)) == len(set(edges.tolist()))


def test_the_timetable_fits_the_buses(big: City) -> None:
    with zipfile.ZipFile(big.folder / "gtfs.zip") as archive:
        tables = {
            name: list(csv.DictReader(io.StringIO(archive.read(name).decode())))
            for name in archive.namelist()
        }
    stops = {row["stop_id"] for row in tables["stops.txt"]}
    assert stops == {place.id for place in big.list_places(PlaceKind.BUS_STOP)}
    assert all(0.5 < float(row["stop_lat"]) < 1.5 for row in tables["stops.txt"])
    with gzip.open(big.folder / "twin/buses.rou.xml.gz") as stream:
        buses = {bus.get("id"): bus for bus in ElementTree.parse(stream).getroot()}
    assert set(buses) == {row["trip_id"] for row in tables["trips.txt"]}
    times: dict[str, list[dict[str, Any]]] = {}
    for row in tables["stop_times.txt"]:
        times.setdefault(row["trip_id"], []).append(row)
    for name, rows in times.items():
        leave_s = [
            sum(int(p) * f for p, f in zip(row["departure_time"].split(":"), (3600, 60, 1), strict=True))
            for row in rows
        ]
        assert leave_s == sorted(leave_s)
        assert [stop.get("busStop") for stop in buses[name]] == [row["stop_id"] for row in rows]
        assert [float(stop.get("until", "")) for stop in buses[name]] == leave_s
    assert len({row["route_id"] for row in tables["routes.txt"]}) == 4


def test_a_hundred_junctions_run_for_some_minutes_without_a_lock(big: City, in_process: Any) -> None:
    found = in_process(generated_runs.drive, str(big.folder), 420.0)
    assert found["arrived"] > 200
    assert found["standing_longest_s"] < 240.0
    assert found["waiting_to_depart"] < 10
    assert found["collisions"] == 0


def test_what_cannot_be_generated_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "city"
    for arguments, words in (
        (["--junctions", "3"], "10 to 5,000"),
        (["--junctions", "6000"], "10 to 5,000"),
        (["--junctions", "10", "--cameras", "100000"], "or fewer"),
        (["--junctions", "10", "--cameras", "-1"], "0 or more"),
        (["--junctions", "10", "--seed", "-1"], "0 or more"),
        (["--junctions", "10", "--demand-peak", "nan"], "--demand-peak"),
        (["--junctions", "10", "--load", "0"], "0.01 to 5"),
        (["--junctions", "10", "--name", "My City"], "lower-case"),
    ):
        assert command.run(["generate", "city", "--out", str(out), *arguments]) == 2, arguments
        said = capsys.readouterr().err
        assert words in said
        assert "remedy:" in said
        assert "Traceback" not in said
    assert command.run(["generate", "city", "--junctions", "10", "--frobnicate"]) == 2
    assert "--frobnicate" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_replaced_unasked(town: City, tmp_path: Path) -> None:
    before = content(town.folder)
    with pytest.raises(CityError, match="--replace"):
        generate_city(GenerateOptions(10, seed=9), town.folder)
    assert content(town.folder) == before
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(CityError, match="something else"):
        generate_city(GenerateOptions(10), tmp_path, replace_city=True)
    with pytest.raises(ConfigurationError):
        generate_city(GenerateOptions(10, load=2.0, demand_peak=10.0), tmp_path / "x")
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]
