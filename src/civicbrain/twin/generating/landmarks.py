"""Hospitals, stations and car parks, spread over the city as services are: where people are, apart from each
other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from civicbrain.city.network import F64, Network
from civicbrain.city.places import Place, PlaceKind
from civicbrain.twin.generating.grid import Kind
from civicbrain.twin.generating.land import Land
from civicbrain.twin.generating.routing import I64

JUNCTIONS_EACH = {
    PlaceKind.HOSPITAL: 80,
    PlaceKind.AMBULANCE_STATION: 50,
    PlaceKind.FIRE_STATION: 60,
    PlaceKind.POLICE_STATION: 100,
    PlaceKind.RAILWAY_STATION: 250,
    PlaceKind.CAR_PARK: 12,
}
"""Signal junctions for one of each; two car parks and one of the others at least. A junction stands for some
1,500 people, so a hospital serves 120,000 and an ambulance station 75,000."""
_SHORTEST_M = 60.0
_CAR_PARK_SPACES = (60, 420)


def draw_landmarks(
    network: Network, kind: F64, land: Land, junctions: int, rng: np.random.Generator
) -> tuple[Place, ...]:
    """Places of all kinds; one stands in the middle of a street section inside the city."""
    lane = network.edges.lane_start[:-1]
    length_m = network.lanes.length_m[lane]
    roomy = (length_m >= _SHORTEST_M) & (land.home > 0.0)
    places: list[Place] = []
    free = roomy.copy()
    for what, each in JUNCTIONS_EACH.items():
        count = max(2 if what is PlaceKind.CAR_PARK else 1, round(junctions / each))
        if what is PlaceKind.CAR_PARK:
            candidates, weight = np.flatnonzero(free & (kind < Kind.ARTERIAL)), land.work
        else:
            candidates, weight = np.flatnonzero(free & (kind > Kind.LOCAL)), land.home + land.work
        for number, edge in enumerate(_spread(candidates, weight, land.middle_xy, count, rng), start=1):
            free[edge] = False
            spaces = int(rng.integers(*_CAR_PARK_SPACES)) if what is PlaceKind.CAR_PARK else 0
            places.append(_place(network, what, number, edge, spaces))
    return tuple(places)


def _spread(candidates: I64, weight: F64, xy: F64, count: int, rng: np.random.Generator) -> list[int]:
    """Draw by weight, each time a few, and take the one farthest from those taken."""
    chosen: list[int] = []
    chance = weight[candidates] / weight[candidates].sum()
    for _ in range(min(count, len(candidates))):
        few = rng.choice(candidates, size=12, p=chance)
        apart_m = [
            min((float(np.hypot(*(xy[edge] - xy[other]))) for other in chosen), default=0.0) for edge in few
        ]
        edge = int(few[int(np.argmax(apart_m))])
        if edge not in chosen:
            chosen.append(edge)
    return chosen


def _place(network: Network, what: PlaceKind, number: int, edge: int, spaces: int) -> Place:
    lane = int(network.edges.lane_start[edge])
    ends = network.lanes.shape(lane)[[0, -1]]
    x_m, y_m = ends.mean(axis=0).tolist()
    return Place(
        id=f"{what.value}-{number}",
        kind=what,
        name=f"{what.value.replace('-', ' ').capitalize()} {number}, {network.edges.names[edge]}",
        edge=network.edges.ids[edge],
        lane=network.lanes.ids[lane],
        x_m=round(x_m, 1),
        y_m=round(y_m, 1),
        position_m=round(float(network.lanes.length_m[lane]) / 2.0, 1),
        capacity=spaces,
    )


def parking_lines(places: tuple[Place, ...]) -> Iterator[str]:
    """Car parks as SUMO's parking areas, beside the kerb lane."""
    for place in places:
        if place.kind is PlaceKind.CAR_PARK:
            begin_m, end_m = place.position_m - 10.0, place.position_m + 10.0
            yield (
                f'<parkingArea id="{place.id}" lane="{place.lane}" startPos="{begin_m:.1f}" '
                f'endPos="{end_m:.1f}" roadsideCapacity="{place.capacity}"/>\n'
            )
