"""A stand-in backend and a real API process in front of it, once for all tests that only look."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import patient
from api_place import AWKWARD_ID, SIZE, Place
from bus_line import grid_timetable
from grid_city import grid_city

from civicbrain.city.folder import save_city
from civicbrain.city.transit.assembly import encode_gtfs, layout_of
from civicbrain.city.transit.layout import GTFS, LAYOUT, encode_layout


@pytest.fixture(scope="session")
def city_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city") / "grid"
    # no simulation runs on it: the network file only has to be there
    city = grid_city(SIZE, awkward_id=AWKWARD_ID)
    timetable = grid_timetable(city)
    files = {GTFS: encode_gtfs(timetable, city.network), LAYOUT: encode_layout(layout_of(timetable))}
    save_city(city, folder, {"twin/net.xml.gz": b"", **files})
    return folder


@contextlib.contextmanager
def making_places(city: Path) -> Iterator[Callable[[], Place]]:
    """Makes places, and ends all that runs in them; run folders are short, for Unix sockets."""
    places: list[Place] = []
    with tempfile.TemporaryDirectory(prefix="cb-") as base, contextlib.ExitStack() as ends:

        def make() -> Place:
            run_dir = Path(base) / str(len(places))
            run_dir.mkdir(mode=0o700)
            places.append(Place(run_dir, city))
            ends.callback(places[-1].end)
            return places[-1]

        yield make


@pytest.fixture(scope="module")
def place_of(city_folder: Path) -> Iterator[Callable[[], Place]]:
    """Makes places of the module's own."""
    with making_places(city_folder) as make:
        yield make


@pytest.fixture(scope="session")
def shared(city_folder: Path) -> Iterator[Place]:
    """All processes but the twin, without rate limits, shared; who kills or fills anything makes a place."""
    with making_places(city_folder) as make:
        yield started(make())


def started(place: Place) -> Place:
    place.start_backend("--vehicles", "400", "--alert-every", "1")
    place.start_api("--read-rate", "1e9", "--write-rate", "1e9")
    place.start_history()
    place.start_cases()
    place.wait_ready()
    place.wait_cases()
    place.wait_history()
    return place


@pytest.fixture(scope="module")
def live(shared: Place) -> Place:
    """The shared place, running at real time: other modules may have left it paused."""
    patient.patch(f"{shared.url}/v1/twin", json={"paused": False, "speed": 1}).raise_for_status()
    return shared


@pytest.fixture
def client(live: Place) -> Iterator[httpx.Client]:
    with patient.Client(base_url=live.url) as opened:
        yield opened
