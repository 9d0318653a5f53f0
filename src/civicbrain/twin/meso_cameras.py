"""Cameras over a mesoscopic simulation: the same frames, latency, misses and faults as in `cameras.py`, made
of the queues of `mesoscopic.MesoRoad`. What a vehicle will do next (oracle sensing) is read off its route."""

from __future__ import annotations

from itertools import pairwise

import libsumo
import numpy as np
from numpy.typing import NDArray

from civicbrain.city.model import City
from civicbrain.city.network import F32, I32, U8
from civicbrain.twin.cameras import Cameras
from civicbrain.twin.fleet import Fleet
from civicbrain.twin.mesoscopic import MesoRoad
from civicbrain.twin.options import TwinOptions

_EDGES_AHEAD = 8
"""How many edges ahead an oracle looks for the next signal: short links and all, more than 200 m."""


class MesoCameras(Cameras):
    """Takes frames of a mesoscopic simulation."""

    def __init__(self, city: City, options: TwinOptions, step_s: float, fleet: Fleet, road: MesoRoad) -> None:
        super().__init__(city, options, step_s, fleet)
        self._road = road
        self._row_of_lane: I32 = np.full(len(city.network.lanes.ids) + 1, -1, np.int32)  # the last: no lane
        self._row_of_lane[self._lane] = np.arange(len(self._lane), dtype=np.int32)
        self._speed_mps: F32 = np.empty(0, np.float32)
        self._turns = NextMovements(city)

    def _look(self) -> tuple[list[str], I32, U8, F32]:
        placed = self._road.look()
        row_of = self._row_of_lane[placed.lane]
        seen = np.flatnonzero(row_of >= 0)
        names = [placed.ids[place] for place in seen.tolist()]
        classes: U8 = np.fromiter((self._fleet.get(name)[1] for name in names), np.uint8, len(names))
        self._speed_mps = placed.speed_mps[seen]
        return names, row_of[seen], classes, placed.position_m[seen]

    def _speeds(self, names: list[str], kept: NDArray[np.intp]) -> F32:  # noqa: ARG002
        return self._speed_mps[kept]

    def _next_movements(self, names: list[str]) -> I32:
        if not self._oracle:
            return np.full(len(names), -1, np.int32)
        return np.fromiter(map(self._turns.of, names), np.int32, len(names))


class NextMovements:
    """The next signalled movement of a vehicle, from its route and its queue."""

    def __init__(self, city: City) -> None:
        lanes, moves, ids = city.network.lanes, city.network.movements, city.network.edges.ids
        self._rows: dict[tuple[str, str], dict[int, int]] = {}  # edges -> index of from-lane -> movement
        for row in city.signalled_movements.tolist():
            start, end = int(moves.from_lane[row]), int(moves.to_lane[row])
            edges = (ids[lanes.edge[start]], ids[lanes.edge[end]])
            self._rows.setdefault(edges, {})[int(lanes.index[start])] = row

    def of(self, name: str) -> int:
        """Row in Movements; -1 where none is near ahead."""
        vehicle = libsumo.vehicle
        at = vehicle.getRouteIndex(name)
        ahead = vehicle.getRoute(name)[at : at + _EDGES_AHEAD]
        for pair in pairwise(ahead):
            found = self._rows.get(pair)
            if found:
                return found.get(vehicle.getLaneIndex(name), next(iter(found.values())))
        return -1
