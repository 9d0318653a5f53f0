"""History over HTTP: a real history process behind a real API, fed through the brain process's own door."""

from __future__ import annotations

import shutil
import struct
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import patient
import pytest
from api_place import AWKWARD_ID, SIZE, Place
from grid_city import grid_city

sys.path.append(str(Path(__file__).parent.parent / "runtime"))
from history_samples import make_sample

from civicbrain.api.replay import LanePlaces
from civicbrain.runtime.history.entry import HistoryEntry

CITY = grid_city(SIZE, awkward_id=AWKWARD_ID)
EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
LANE = int(CITY.cameras.lane[0])
JUNCTION = CITY.junctions[int(CITY.cameras.junction[0])]
MINUTES = 3


@pytest.fixture(scope="module")
def kept(place_of: Callable[[], Place]) -> Iterator[Place]:
    """Three minutes and a bit: one queued vehicle on one lane, a detector, and then the feed ends."""
    place = place_of()
    place.start_backend("--vehicles", "20")
    place.start_api("--read-rate", "1e9")
    place.start_history()
    place.wait_history()
    entry = HistoryEntry(place.run_dir)
    number = entry.series("loops", "lane:x", "flow_veh_per_h", "veh/h")
    for second in range(MINUTES * 60 + 5):
        entry.offer([number], [float(second)], [float(600 + second % 60)])
        entry.take(make_sample(CITY, float(second), [(LANE, 5.0, 0.0, 0)], city={"vehicles": 7.0}))
        entry.flush()
        time.sleep(0.002)
    end = time.monotonic() + 60
    while (entry._samples or entry._batches) and time.monotonic() < end:
        entry.flush()
        time.sleep(0.01)
    place.wait_until(lambda health: health["history"]["minutes"] >= MINUTES)  # type: ignore[index]
    entry.flush()
    assert not entry.shed
    yield place
    entry.close()


def ask(place: Place, indicator: str, **parameters: str) -> httpx.Response:
    window = {"start": at(0), "end": at(MINUTES * 60)}
    return patient.get(f"{place.url}/v1/history/indicators/{indicator}", params=window | parameters)


def at(seconds: float) -> str:
    return (EPOCH + timedelta(seconds=seconds)).isoformat()


def test_the_catalogue_says_what_there_is(kept: Place) -> None:
    catalogue = patient.get(f"{kept.url}/v1/history").json()
    assert "queue_veh" in {one["name"] for one in catalogue["indicators"]}
    assert {"source": "loops", "entity": "lane:x", "property": "flow_veh_per_h", "unit": "veh/h"} in (
        catalogue["series"]
    )
    tables = {(one["resolution"], one["table"]): one for one in catalogue["kept"]}
    assert tables["1min", "junction"]["start"] == "2026-01-05T00:00:00Z"
    assert tables["1s", "vehicles"]["end"] == "2026-01-05T00:03:00Z"
    assert [run["number"] for run in catalogue["runs"]] == [1]


def test_indicators_of_places(kept: Place) -> None:
    x, y = JUNCTION.x_m, JUNCTION.y_m
    square = f"{x - 9},{y - 9};{x + 9},{y - 9};{x + 9},{y + 9};{x - 9},{y + 9}"
    one = [[1.0] * MINUTES]
    for place in (
        {},
        {"junctions": JUNCTION.id},
        {"lanes": CITY.network.lanes.ids[LANE]},
        {"approach": CITY.network.edges.ids[int(CITY.network.lanes.edge[LANE])]},
        {"box": f"{x - 9},{y - 9},{x + 9},{y + 9}"},
        {"polygon": square},
    ):
        answer = ask(kept, "queue_veh", **place)
        assert answer.status_code == 200, (place, answer.text)
        assert answer.json()["mean"] == one, place
    body = ask(kept, "queue_veh", each="true").json()
    assert body["ids"] == [junction.id for junction in CITY.junctions]
    assert body["mean"][body["ids"].index(JUNCTION.id)] == [1.0] * MINUTES
    loops = ask(kept, "flow_veh_per_h", entity="lane:x").json()
    assert loops["mean"] == [[629.5] * MINUTES]
    assert loops["unit"] == "veh/h"
    assert ask(kept, "vehicles", entity="city").json()["mean"] == [[7.0] * MINUTES]


def test_questions_that_make_no_sense_are_refused_with_the_remedy(kept: Place) -> None:
    for parameters, status, words in (
        ({"junctions": "nowhere"}, 404, "no junction"),
        ({"junctions": JUNCTION.id, "approach": "x"}, 409, "both given"),
        ({"start": at(60), "end": at(0)}, 409, "empty"),
        ({"start": "2026-01-05T00:00:00"}, 400, "zone"),
        ({"start": "tomorrow"}, 400, "fit"),
        ({"start": "0.5"}, 400, "fit"),
        ({"resolution": "1day"}, 400, "fit"),
        ({"resolution": "1min", "end": at(4e8)}, 409, "coarser"),
        ({"end": "9999-12-31T23:59:59Z"}, 409, "outside time"),
        ({"run": "77"}, 404, "no run"),
        ({"box": "1,2,3"}, 400, "fit"),
        ({"polygon": "0,0;1,1"}, 400, "fit"),
        ({"resolution": "1s", "lanes": CITY.network.lanes.ids[LANE]}, 409, "raw seconds"),
    ):
        answer = ask(kept, "queue_veh", **parameters)
        assert (answer.status_code, words in answer.text) == (status, True), answer.text
        assert str(kept.run_dir) not in answer.text  # whoever asks learns nothing of our disk
    assert ask(kept, "no_such").status_code == 404


def test_moments_are_frames_of_the_map(kept: Place) -> None:
    answer = patient.get(f"{kept.url}/v1/history/moments", params={"start": at(58), "seconds": 4})
    assert answer.headers["content-type"] == "application/octet-stream"
    frames, rest = [], answer.content
    while rest:
        (size,) = struct.unpack_from("<I", rest)
        frames.append(rest[4 : 4 + size])
        rest = rest[4 + size :]
    assert [struct.unpack_from("<d", frame, 8)[0] for frame in frames] == [58.0, 59.0, 60.0, 61.0]
    for frame in frames:
        assert frame[:4] == b"CBF1"
        vehicles, groups, junctions = struct.unpack_from("<III", frame, 20)
        assert (vehicles, groups, junctions) == (1, CITY.signals.group_count, len(CITY.junctions))


def test_replay_takes_from_the_history_what_was_not_recorded(kept: Place) -> None:
    def replayed(start_s: float, end_s: float) -> httpx.Response:
        return patient.get(f"{kept.url}/v1/replay/frames", params={"start": at(start_s), "end": at(end_s)})

    answer = replayed(150, 153)  # the stand-in itself is still in its first seconds
    assert answer.headers["x-replay-source"] == "history"
    assert [struct.unpack_from("<I", answer.content, 4 + 20)[0]] == [1]  # the vehicle that a camera saw
    window = {"start": at(60), "end": at(180)}
    strip = patient.get(f"{kept.url}/v1/replay/strip", params=window).json()
    assert strip["source"] == "history"
    assert {value for value in strip["queue_veh"] if value is not None} == {1.0}
    assert {value for value in strip["vehicles"] if value is not None} == {7.0}
    shutil.rmtree(kept.run_dir / "history" / "runs" / "000001" / "1s")  # as after two days
    answer = replayed(60, 180)
    assert answer.headers["x-replay-source"] == "history"
    size, time_s = (
        struct.unpack_from("<I", answer.content)[0],
        struct.unpack_from("<d", answer.content, 4 + 8)[0],
    )
    assert (len(answer.content), time_s) == (2 * (4 + size), 60.0)  # a frame a minute
    assert struct.unpack_from("<I", answer.content, 4 + 20)[0] == 0  # without vehicles


def test_a_vehicle_stands_where_the_camera_saw_it() -> None:
    places = LanePlaces(CITY)
    lanes = CITY.network.lanes
    (start, end), length = lanes.shape(LANE), float(lanes.length_m[LANE])
    x, y, angle = places.locate(np.array([LANE, LANE], np.int32), np.array([0.0, length / 4], np.float32))
    assert (x[0], y[0]) == pytest.approx(tuple(end))
    assert (x[1], y[1]) == pytest.approx(tuple(end + (start - end) / 4))
    heading = end - start
    assert angle[0] == pytest.approx(np.degrees(np.arctan2(heading[0], heading[1])) % 360)


def test_health_tells_of_the_history_and_of_its_loss(kept: Place, place_of: Callable[[], Place]) -> None:
    health = patient.get(f"{kept.url}/v1/health").json()
    assert health["status"] == "ok"
    assert health["history"]["rows"] > 0
    assert health["history"]["failed"] == 0
    without = place_of()
    without.start_backend("--vehicles", "5")
    without.start_api("--read-rate", "1e9")
    without.wait_ready()  # a city that keeps no history is well
    answer = patient.get(f"{without.url}/v1/history")
    assert answer.status_code == 503
    assert "history process" in answer.text
    kept.processes[-1].kill()
    kept.wait_until(lambda health: health["status"] == "degraded")
