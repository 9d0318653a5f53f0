"""Which approaches have a camera: those with most traffic first, one each, then a second one."""

from __future__ import annotations

import numpy as np

from civicbrain.city.model import Cameras
from civicbrain.city.network import F64, I32, Network
from civicbrain.city.places import Place, PlaceKind
from civicbrain.city.signals import SignalJunction
from civicbrain.core.errors import ConfigurationError

MOST_AN_APPROACH = 2


def check_count(network: Network, count: int | None) -> None:
    """Raise ConfigurationError where there are more cameras than the approaches take."""
    most = MOST_AN_APPROACH * len(list_approaches(network))
    if count is not None and count > most:
        raise ConfigurationError(
            f"there is no room for {count} cameras: {most // MOST_AN_APPROACH} approaches take "
            f"{MOST_AN_APPROACH} each",
            place="--cameras",
            remedy=f"give {most} or fewer, or more --junctions",
        )


def list_approaches(network: Network) -> list[tuple[int, int]]:
    """(junction, edge) rows of each signalled approach, ascending."""
    movements = network.movements
    rows = np.flatnonzero(movements.junction >= 0)
    edges = network.lanes.edge[movements.from_lane[rows]]
    return sorted({(int(j), int(e)) for j, e in zip(movements.junction[rows], edges, strict=True)})


def equip(
    network: Network,
    junctions: tuple[SignalJunction, ...],
    table: Cameras,
    flow_veh_h: F64,
    count: int | None,
) -> tuple[Cameras, tuple[Place, ...]]:
    """What the cameras see, and each of them as a place.

    table: what they would see with one on every approach. flow_veh_h: of each row of Movements. The lanes of
    an approach without a camera, and those that lead only to it, are seen by none.
    """
    approaches = list_approaches(network)
    load = np.bincount(
        network.lanes.edge[network.movements.from_lane], flow_veh_h, minlength=len(network.edges.ids)
    )
    ranked = sorted(approaches, key=lambda entry: (-load[entry[1]], entry))
    wanted = len(ranked) if count is None else count
    chosen = [ranked[number % len(ranked)] for number in range(wanted)]
    places = tuple(
        _camera(network, junctions[junction].id, edge, number)
        for number, (junction, edge) in enumerate(chosen, start=1)
    )
    watched = {edge for _, edge in chosen}
    owner = _approach_of(network, table)
    seen = np.array([edge in watched for edge in owner.tolist()], dtype=np.bool_)
    cameras = Cameras(table.range_m, table.junction[seen], table.lane[seen], table.beyond_m[seen])
    return cameras, places


def _approach_of(network: Network, table: Cameras) -> I32:
    """Edge of the approach that each row of the table leads to."""
    lanes, movements = network.lanes, network.movements
    edge_of = lanes.edge[table.lane]
    junction_of = dict(zip(edge_of.tolist(), table.junction.tolist(), strict=True))
    onward: dict[int, list[int]] = {}
    for a, b in zip(lanes.edge[movements.from_lane], lanes.edge[movements.to_lane], strict=True):
        onward.setdefault(int(a), []).append(int(b))
    owner: dict[int, int] = {}
    for row in np.argsort(table.beyond_m, kind="stable").tolist():
        edge = int(edge_of[row])
        if edge in owner:
            continue
        nearer = [
            owner[b] for b in onward.get(edge, ()) if junction_of.get(b) == junction_of[edge] and b in owner
        ]
        owner[edge] = edge if table.beyond_m[row] == 0.0 or not nearer else nearer[0]
    return np.array([owner[int(edge)] for edge in edge_of], dtype=np.int32)


def _camera(network: Network, junction: str, edge: int, number: int) -> Place:
    lane = int(network.edges.lane_start[edge])
    x_m, y_m = network.lanes.shape(lane)[-1].tolist()
    return Place(
        id=f"camera-{number}",
        kind=PlaceKind.CAMERA,
        edge=network.edges.ids[edge],
        x_m=round(x_m, 1),
        y_m=round(y_m, 1),
        position_m=round(float(network.lanes.length_m[lane]), 1),
        junction=junction,
    )
