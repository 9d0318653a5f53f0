"""Corridors against answers worked out by hand.

The stand-in's junctions: a cycle of 90 s, north-south green for its first 43 s, each junction 7 s ahead of
the one before it. Blocks of 200 m: 180 m at 13.9 m/s and 20 m at 50 km/h, so 14.39 s from stop line to stop
line."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import patient
import pytest
from api_place import AWKWARD_ID, Place
from grid_city import grid_city
from stand_in import StandIn

from civicbrain.api.corridors.bands import bands_of, cycle_of, greens_of, intersect
from civicbrain.api.corridors.diagram import axis_of, stretches_of, way_view
from civicbrain.api.corridors.tracks import Reader
from civicbrain.api.corridors.ways import Ways
from civicbrain.api.frames import FrameEncoder
from civicbrain.api.playback.columns import Columns
from civicbrain.contracts.junction_recent import Planned, PlannedBy
from civicbrain.core.errors import NotFoundError, RequestRefusedError

CITY = grid_city(3)
WAYS = Ways(CITY)
HOP_S = 180 / 13.9 + 20 / (50 / 3.6)
GREEN_S, CYCLE_S, AHEAD_S = 43.0, 90.0, 7.0
SOUTH_TO_NORTH, NORTH_TO_SOUTH = (0, 2), (2, 0)  # J1_1, J1_2, J1_3


def plan(green_from_s: float, green_s: float, until_s: float = 360.0) -> list[tuple[float, float, str]]:
    """Green for green_s in each 90 s, seen from 0 on."""
    samples = ["green" if (t - green_from_s) % CYCLE_S < green_s else "red" for t in range(int(until_s))]
    timeline: list[tuple[float, float, str]] = []
    for t, state in enumerate(samples):
        if timeline and timeline[-1][2] == state:
            timeline[-1] = (timeline[-1][0], t + 1.0, state)
        else:
            timeline.append((float(t), t + 1.0, state))
    return timeline


def test_greens_and_cycles_of_a_timeline() -> None:
    timeline = plan(30, 40, 300)
    assert greens_of(timeline) == [(30, 70), (120, 160), (210, 250)]
    assert cycle_of(timeline) == 90
    assert cycle_of(plan(30, 40, 100)) is None  # one start alone
    assert intersect([(0, 10), (20, 30)], [(5, 25)]) == [(5, 10), (20, 25)]


def test_two_signals_without_offset_lose_the_travel_time() -> None:
    """Green together for 40 s, 15 s apart: who passes the first in [0, 25) meets green at the second."""
    found = bands_of([plan(0, 40), plan(0, 40)], [0.0, 15.0])
    assert found.bands[:2] == ((0, 25), (90, 115))
    assert found.cycle_s == 90
    # seen at both: 345 s of the first's time, of which the last three cycles count
    assert found.efficiency == pytest.approx(25 / 90)
    assert found.bandwidth_s == pytest.approx(25)


def test_a_perfect_offset_gives_the_whole_green() -> None:
    found = bands_of([plan(0, 40), plan(15, 40)], [0.0, 15.0])
    assert found.bands[0] == (0, 40)
    assert found.attainability == pytest.approx(1.0)


def test_no_band_and_nothing_known() -> None:
    assert bands_of([plan(0, 40), plan(60, 20)], [0.0, 0.0]).efficiency == 0.0
    nothing = bands_of([plan(0, 40), []], [0.0, 15.0])
    assert (nothing.bands, nothing.bandwidth_s, nothing.efficiency) == ((), None, None)


def test_a_gap_in_the_picture_is_not_red() -> None:
    """Of the last quarter nothing is known at the second signal: the share is that of the first three."""
    halved = [one for one in plan(0, 40) if one[1] <= 270]
    found = bands_of([plan(0, 40), halved], [0.0, 0.0])
    assert found.efficiency == pytest.approx(120 / 270)


def test_the_way_goes_straight_through_both_ends() -> None:
    way = WAYS.find(*SOUTH_TO_NORTH)
    assert [stop.junction for stop in way.stop_lines] == [0, 1, 2]
    assert [CITY.network.edges.ids[edge] for edge in way.edges] == [
        "E1_0-1_1",
        "E1_1-1_2",
        "E1_2-1_3",
        "E1_3-1_4",
    ]
    assert [stop.distance_m for stop in way.stop_lines] == [180, 380, 580]
    assert [stop.travel_s for stop in way.stop_lines] == pytest.approx([0, HOP_S, 2 * HOP_S])
    assert [stop.groups for stop in way.stop_lines] == [(0,), (4,), (8,)]  # who comes from the south
    assert way.length_m == 4 * 180 + 3 * 20
    with pytest.raises(RequestRefusedError):
        WAYS.find(1, 1)


def test_a_way_that_is_not_there() -> None:
    from dataclasses import replace

    movements = CITY.network.movements
    shut = replace(CITY.network, movements=replace(movements, **{
        name: getattr(movements, name)[:0]
        for name in ("from_lane", "to_lane", "node", "junction", "link", "group", "turn", "length_m")
    }))  # fmt: skip
    with pytest.raises(NotFoundError):
        Ways(replace(CITY, network=shut)).find(0, 2)


def test_arterials_are_the_streets_of_the_grid() -> None:
    found = WAYS.suggest(20)
    assert len(found) == 6  # three each way, one direction of each
    assert {frozenset(one.junctions) for one in found} == {
        *(frozenset((3 * i, 3 * i + 1, 3 * i + 2)) for i in range(3)),
        *(frozenset((k, k + 3, k + 6)) for k in range(3)),
    }
    assert {one.name for one in found} == {"Street 1", "Street 2", "Street 3"}
    assert {round(one.length_m) for one in found} == {400}


@pytest.fixture(scope="module")
def watched() -> list[Columns]:
    """Six minutes of the stand-in, a frame a second."""
    stand_in, encoder = StandIn(CITY, 200), FrameEncoder(CITY)
    frames = []
    for _ in range(360):
        stand_in.step()
        frames.append(Columns.read(encoder.encode(0, stand_in.vehicle_frame(), stand_in.city_state(), 1.0)))
    return frames


def test_bands_of_the_grid_are_those_worked_out_by_hand(watched: list[Columns]) -> None:
    forward, back = WAYS.find(*SOUTH_TO_NORTH), WAYS.find(*NORTH_TO_SOUTH)
    reader = Reader([forward, back], CITY.network.bounds_m)
    for columns in watched:
        reader.take(columns)
    assert reader.known_s == 360
    axes = axis_of(forward, back)
    views = [way_view(CITY, way, seen, axis, None, {}, 0.0)
             for way, seen, axis in zip((forward, back), reader.seen(), axes, strict=True)]  # fmt: skip
    for k, stop in enumerate(views[0].stops):
        greens = [one for one in stop.signals if one.state == "green"]
        # junction k turns green when (t + 7 k) is a whole number of cycles
        assert {one.start_s % CYCLE_S for one in greens[1:-1]} == {(-AHEAD_S * k) % CYCLE_S}
        assert {one.end_s - one.start_s for one in greens[1:-1]} == {GREEN_S}
        assert stop.cycle_s == CYCLE_S
    # northwards each junction is 21.39 s too early for who comes from the one before: the third closes as the
    # first opens. Southwards: [-14, 14.22) of each cycle is open at all three
    assert [band for band in views[0].bands if band.end_s - band.start_s > 1] == []
    assert views[0].efficiency == 0.0
    inner = [one for one in views[1].bands if one.start_s > 60 and one.end_s < 300]
    assert {round(one.end_s - one.start_s, 1) for one in inner} == {
        round(2 * AHEAD_S + GREEN_S - 2 * HOP_S, 1)
    }
    assert [one.start_s % CYCLE_S for one in inner] == [CYCLE_S - 2 * AHEAD_S] * len(inner)
    assert views[1].bandwidth_s == pytest.approx(28.2, abs=0.1)
    # a common axis: the same junction at about the same place, driven the other way round
    assert [stop.axis_m for stop in views[1].stops] == [580, 380, 180]


def test_vehicles_of_the_way_and_no_others(watched: list[Columns]) -> None:
    forward, back = WAYS.find(*SOUTH_TO_NORTH), WAYS.find(*NORTH_TO_SOUTH)
    reader = Reader([forward, back], CITY.network.bounds_m)
    for columns in watched[:60]:
        reader.take(columns)
    for way, seen in zip((forward, back), reader.seen(), strict=True):
        assert len(seen.tracks) > 5
        for track in seen.tracks:
            assert (np.diff(track.time_s) > 0).all()
            assert (np.diff(track.distance_m) >= -1).all()  # nobody drives back
            assert min(track.distance_m) >= 0
            assert max(track.distance_m) <= way.length_m
            speed = np.diff(track.distance_m) / np.diff(track.time_s)
            assert (speed < 25).all()  # the fastest drives 14 m/s, and jumps over the 20 m inside a junction


def test_how_many_are_on_the_way_is_as_counted_from_lanes() -> None:
    stand_in, encoder = StandIn(CITY, 300, seed=3), FrameEncoder(CITY)
    way = WAYS.find(*SOUTH_TO_NORTH)
    lanes = {lane for edge in way.edges for lane in (2 * edge, 2 * edge + 1)}
    for _ in range(20):
        stand_in.step()
        reader = Reader([way], CITY.network.bounds_m)
        columns = Columns.read(encoder.encode(0, stand_in.vehicle_frame(), None, 1.0))
        reader.take(columns)
        truly = sum(int(lane) in lanes for lane in stand_in.lane)
        assert len(reader._tracks[0]) == truly


def test_what_is_planned_is_green_or_red_to_the_groups_of_a_way() -> None:
    junction = CITY.junctions[0]
    north_south, east_west = (stage.id for stage in junction.stages[:2])

    def ahead(*parts: tuple[float, float, str]) -> list[tuple[float, float, str]]:
        planned = [Planned(start_s, end_s, stage, PlannedBy.BRAIN) for start_s, end_s, stage in parts]
        return [(one.start_s, one.end_s, one.state) for one in stretches_of(junction, [0], planned, 200.0)]

    assert ahead(
        (100, 120, north_south), (120, 130, north_south), (130, 150, east_west), (160, 300, north_south)
    ) == [(100, 130, "green"), (130, 150, "red"), (160, 200, "green")]
    assert ahead() == []
    assert ahead((100, 120, "unknown"), (150, 150, north_south)) == []  # a mission that is only expected


def at(seconds: float) -> str:
    return (datetime(2026, 1, 5, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat()


def get(place: Place, **parameters: Any) -> httpx.Response:
    return patient.get(f"{place.url}/v1/corridors/diagram", params=parameters)


def test_a_diagram_over_http(live: Place) -> None:
    choices = patient.get(f"{live.url}/v1/corridors").json()
    assert len(choices) == 6
    assert choices[0]["junctions"][0] == choices[0]["from_junction"]
    end = time.monotonic() + 60
    ends = {"from_junction": AWKWARD_ID, "to_junction": "J1_3"}
    while (diagram := get(live, **ends, seconds=60).json())["known_s"] < 4:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert [stop["junction"] for stop in diagram["forward"]["stops"]] == [AWKWARD_ID, "J1_2", "J1_3"]
    assert [stop["junction"] for stop in diagram["back"]["stops"]] == ["J1_3", "J1_2", AWKWARD_ID]
    assert diagram["end_s"] - diagram["start_s"] == 60
    stretch = diagram["forward"]["stops"][0]["signals"][-1]
    seen = (stretch["start_s"] + stretch["end_s"]) / 2 % CYCLE_S
    now_s, planned = diagram["end_s"], diagram["forward"]["stops"][0]["planned"]
    assert all(now_s - 10 < one["start_s"] < one["end_s"] < now_s + 120 for one in planned)  # by the stand-in
    assert planned
    assert stretch["state"] == ("green" if seen < GREEN_S else "yellow" if seen < 45 else "red")
    slow = get(live, **ends, speed_mps=5).json()["forward"]
    assert slow["progression_mps"] == 5
    assert slow["stops"][1]["travel_s"] == 40
    assert "corridor" in (live.run_dir / "playback" / "access.jsonl").read_text()


def test_diagrams_that_cannot_be_drawn(live: Place) -> None:
    for parameters, status in (
        ({"from_junction": "nowhere", "to_junction": "J1_3"}, 404),
        ({"from_junction": "J1_3", "to_junction": "J1_3"}, 409),
        ({"from_junction": "J1_3"}, 400),
        ({"from_junction": "J1_2", "to_junction": "J1_3", "end": "tomorrow"}, 400),
        ({"from_junction": "J1_2", "to_junction": "J1_3", "seconds": 5}, 400),
    ):
        answer = get(live, **parameters)
        assert answer.status_code == status, answer.text
    empty = get(live, from_junction="J1_2", to_junction="J1_3", end=at(-5000)).json()
    assert (empty["known_s"], empty["forward"]["bandwidth_s"]) == (0, None)
