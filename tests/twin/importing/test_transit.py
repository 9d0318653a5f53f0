"""Timetables of scenarios: derived from their own buses, given by GTFS, refused where they are foreign."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import msgspec
import pytest

from civicbrain.city.folder import load_city
from civicbrain.city.model import City
from civicbrain.city.transit.assembly import match_feed
from civicbrain.city.transit.gtfs import read_gtfs
from civicbrain.city.transit.layout import LAYOUT, encode_layout, read_layout
from civicbrain.core.errors import CityError, ImportFailedError
from civicbrain.twin.generating import GenerateOptions, generate_city
from civicbrain.twin.importing import ImportOptions, import_city
from civicbrain.twin.importing.transit import derive_timetable


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Ten junctions, one bus line there and back, its timetable written by the generator."""
    return generate_city(GenerateOptions(10, seed=4), tmp_path_factory.mktemp("bus") / "town")


def test_buses_with_stops_and_times_give_their_own_timetable(town: City) -> None:
    demand = town.demand
    files = [town.folder / name for name in (*demand.route_files, *demand.additional_files)]
    with tempfile.TemporaryDirectory() as work:
        derived = derive_timetable(
            town.network, town.junctions, town.folder / demand.net_file, files, Path(work)
        )
    own = town.timetable
    assert derived is not None
    assert own is not None
    assert own.trips.keys() <= derived.trips.keys()  # that of the folder is cut to the window
    for name, trip in own.trips.items():
        again = derived.trips[name]
        assert derived.patterns[again.pattern].stops == own.patterns[trip.pattern].stops
        assert derived.patterns[again.pattern].edges == own.patterns[trip.pattern].edges
        assert again.departure_s.tolist() == trip.departure_s.tolist()  # `until` of the scenario


def test_a_timetable_without_its_layout_is_placed_where_the_buses_drive(town: City) -> None:
    layout = read_layout(town.folder)
    assert layout is not None
    found = match_feed(read_gtfs(town.folder / "gtfs.zip"), town.network)
    known = {(pattern.line, pattern.stops): pattern.edges for pattern in layout.patterns}
    edge_of = {stop.id: stop.edge for stop in layout.stops}
    assert found.patterns
    for pattern in found.patterns:
        assert (pattern.line, pattern.stops) in known
        right = sum(
            pattern.edges[place] == edge_of[stop]
            for stop, place in zip(pattern.stops, pattern.places, strict=True)
        )
        assert right >= 0.8 * len(pattern.stops)


def test_an_import_takes_a_given_timetable_and_refuses_one_of_elsewhere(town: City, tmp_path: Path) -> None:
    net = tmp_path / "town.net.xml.gz"
    net.write_bytes((town.folder / town.demand.net_file).read_bytes())
    options = ImportOptions(name="other", timetable=town.folder / "gtfs.zip", repair=True, vehicles_per_h=50,
                            begin_s=27_000.0, end_s=28_800.0)  # fmt: skip
    city = import_city(net, tmp_path / "other", options=options)
    again = load_city(city.folder).timetable
    assert again is not None
    assert again.patterns
    (tmp_path / "far").mkdir()
    for table in ("agency", "calendar", "routes", "trips", "stop_times", "stops"):
        text = read_table(town.folder / "gtfs.zip", table)
        if table == "stops":
            head, *rows = text.splitlines()
            text = "\n".join([head, *(",".join([*row.split(",")[:-2], "48.1", "11.5"]) for row in rows)])
        (tmp_path / "far" / f"{table}.txt").write_text(text + "\n")
    far = ImportOptions(name="far", timetable=tmp_path / "far", repair=True, vehicles_per_h=50)
    with pytest.raises(ImportFailedError, match="no bus of this timetable"):
        import_city(net, tmp_path / "none", options=far)
    assert not (tmp_path / "none").exists()


def read_table(archive: Path, table: str) -> str:
    with zipfile.ZipFile(archive) as packed:
        return packed.read(f"{table}.txt").decode().strip()


def test_a_layout_of_another_network_is_told(town: City) -> None:
    file = town.folder / LAYOUT
    whole = file.read_bytes()
    layout = read_layout(town.folder)
    assert layout is not None
    stops = (msgspec.structs.replace(layout.stops[0], edge="no-such-edge"), *layout.stops[1:])
    file.write_bytes(encode_layout(msgspec.structs.replace(layout, stops=stops)))
    try:
        with pytest.raises(CityError, match="no-such-edge") as caught:
            assert load_city(town.folder).timetable
        assert caught.value.remedy
        file.write_bytes(b'{"format": 1, "stops": 7}')
        with pytest.raises(CityError, match="cannot be read"):
            assert load_city(town.folder).timetable
    finally:
        file.write_bytes(whole)
