"""Streets and lanes of generated cities, over many seeds and sizes."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from civicbrain.twin.generating.grid import Kind
from civicbrain.twin.generating.lanes import connect
from civicbrain.twin.generating.streets import LANES, ONE_WAY_LANES, Streets, draw_streets

SIZES, SEEDS = st.integers(10, 60), st.integers(0, 10**9)


@settings(max_examples=40, deadline=None)
@given(SIZES, SEEDS)
def test_exactly_the_wanted_junctions_have_signals_and_three_streets(junctions: int, seed: int) -> None:
    city = draw_streets(junctions, seed)
    neighbours: dict[int, set[int]] = {}
    for street in city.streets:
        neighbours.setdefault(street.a, set()).add(street.b)
        neighbours.setdefault(street.b, set()).add(street.a)
    assert len(set(city.signals)) == junctions
    assert all(len(neighbours[node]) >= 3 for node in city.signals)
    assert [city.node_ids[node] for node in city.signals] == [f"J{n + 1}" for n in range(junctions)]


@settings(max_examples=40, deadline=None)
@given(SIZES, SEEDS)
def test_every_street_is_reached_from_every_other_by_car(junctions: int, seed: int) -> None:
    city = draw_streets(junctions, seed)
    row = {street.id: number for number, street in enumerate(city.streets)}
    links = [(row[link.from_id], row[link.to_id]) for link in connect(city)]
    heads, tails = np.array(links).T
    graph = coo_matrix((np.ones(len(links)), (heads, tails)), shape=(len(row), len(row)))
    count, _ = connected_components(graph, directed=True, connection="strong")
    assert count == 1


@settings(max_examples=40, deadline=None)
@given(SIZES, SEEDS)
def test_no_two_lanes_of_a_street_end_in_one_and_no_lane_is_made_up(junctions: int, seed: int) -> None:
    city = draw_streets(junctions, seed)
    by_id = {street.id: street for street in city.streets}
    links = connect(city)
    assert len(by_id) == len(city.streets)
    assert all(0 <= link.from_lane < by_id[link.from_id].lanes for link in links)
    assert all(0 <= link.to_lane < by_id[link.to_id].lanes for link in links)
    into = Counter((link.from_id, link.to_id, link.to_lane) for link in links)
    assert max(into.values()) == 1


def test_the_hierarchy_of_a_city_of_400_junctions() -> None:
    city = draw_streets(400, 3)
    share = {kind: _length_m(city, kind) / _length_m(city) for kind in Kind}
    assert 0.15 < share[Kind.ARTERIAL] < 0.45
    assert 0.4 < share[Kind.COLLECTOR] < 0.8
    assert 0.03 < share[Kind.LOCAL] < 0.3
    two_way = {(street.a, street.b) for street in city.streets}
    one_way = [street for street in city.streets if (street.b, street.a) not in two_way]
    assert {street.kind for street in one_way} == {Kind.LOCAL, Kind.COLLECTOR}
    assert all(street.lanes in (1, ONE_WAY_LANES) for street in one_way)
    assert all(
        street.lanes == LANES[Kind.ARTERIAL] for street in city.streets if street.kind is Kind.ARTERIAL
    )


def test_the_river_is_crossed_on_a_few_bridges_only() -> None:
    city = draw_streets(400, 3)
    course = city.frame.river_xy
    across = [
        street
        for street in city.streets
        if street.kind is not Kind.LOCAL
        and _side(course, city.xy[street.a]) != _side(course, city.xy[street.b])
    ]
    assert across
    assert all(street.bridge for street in across)
    assert 4 <= len(across) <= 24  # both directions
    clear_m = [np.abs(_offset_m(course, city.xy[node])) for node in city.signals]
    assert min(clear_m) > city.frame.river_width_m / 2.0


def test_blocks_are_of_uneven_size() -> None:
    frame = draw_streets(400, 3).frame
    corners = frame.xy[np.array(frame.blocks)]
    areas = np.ptp(corners[:, :, 0], axis=1) * np.ptp(corners[:, :, 1], axis=1)
    assert np.quantile(areas, 0.9) > 2.0 * np.quantile(areas, 0.1)


def _length_m(city: Streets, kind: Kind | None = None) -> float:
    return sum(
        float(np.hypot(*(city.xy[street.a] - city.xy[street.b])))
        for street in city.streets
        if kind is None or street.kind is kind
    )


def _offset_m(course: np.ndarray, point: np.ndarray) -> float:
    return float(point[0] - np.interp(point[1], course[:, 1], course[:, 0]))


def _side(course: np.ndarray, point: np.ndarray) -> bool:
    return _offset_m(course, point) > 0.0
