"""The samples of `probe.py` and the deadlocks of `deadlock.py` in a mesoscopic simulation."""

from __future__ import annotations

import libsumo

from civicbrain.city.model import City
from civicbrain.core.units import HALTING_SPEED_MPS
from civicbrain.twin.deadlock import LEAST_GREENS, STANDING_S, DeadlockWatch
from civicbrain.twin.mesoscopic import MesoRoad
from civicbrain.twin.probe import SAMPLE_S, Probe


class MesoProbe(Probe):
    """Counts who stands from the queues of `MesoRoad`: SUMO itself says it of the heads only. CO2 is that of
    driving at constant speed and idling; nobody accelerates."""

    def __init__(self, city: City, begin_s: float, road: MesoRoad, emissions: bool = True) -> None:
        super().__init__(city, begin_s, emissions)
        self._road = road
        self._lane_ids = city.network.lanes.ids

    def _make_watch(self, city: City) -> DeadlockWatch:
        return MesoDeadlockWatch(city)

    def _look(self) -> tuple[int, int, list[str]]:
        vehicle = libsumo.vehicle
        placed = self._road.look()
        halting = 0
        standing: list[str] = []
        for name, lane, speed_mps in zip(
            placed.ids, placed.lane.tolist(), placed.speed_mps.tolist(), strict=True
        ):
            if speed_mps < HALTING_SPEED_MPS:
                halting += 1
                if vehicle.getWaitingTime(name) >= STANDING_S:
                    standing.append(name)
            junction = self._junction_of.get(self._lane_ids[lane]) if lane >= 0 else None
            if junction is not None:
                allowed_mps = max(vehicle.getAllowedSpeed(name), HALTING_SPEED_MPS)
                self._lost_s[junction] += SAMPLE_S * max(0.0, 1.0 - speed_mps / allowed_mps)
                self._served[junction].add(name)
        if self._emissions:
            self.co2_mg += SAMPLE_S * sum(map(vehicle.getCO2Emission, placed.ids))
        return vehicle.getIDCount(), halting, standing


class MesoDeadlockWatch(DeadlockWatch):
    """A head of a queue is stuck when it has stood for 300 s, at no stop of its own, before a signal that
    showed it green at least three times, and the edge it wants to enter is empty or holds somebody who has
    stood for 300 s too."""

    def __init__(self, city: City) -> None:
        super().__init__([junction.id for junction in city.junctions])
        lanes, moves, ids = city.network.lanes, city.network.movements, city.network.edges.ids
        self._links: dict[tuple[str, str], tuple[int, int]] = {}  # edges -> row of the junction, link
        for row in city.signalled_movements.tolist():
            edges = (ids[lanes.edge[moves.from_lane[row]]], ids[lanes.edge[moves.to_lane[row]]])
            self._links[edges] = (int(moves.junction[row]), int(moves.link[row]))

    def _is_stuck(self, vehicle_id: str, now_s: float) -> bool:
        vehicle = libsumo.vehicle
        if vehicle.isStopped(vehicle_id):
            return False
        at = vehicle.getRouteIndex(vehicle_id)
        edges = tuple(vehicle.getRoute(vehicle_id)[at : at + 2])
        found = self._links.get(edges)
        if found is None:
            return False
        if self.greens(*found, now_s - vehicle.getWaitingTime(vehicle_id)) < LEAST_GREENS:
            return False
        ahead = libsumo.edge.getLastStepVehicleIDs(edges[1])
        return not ahead or any(vehicle.getWaitingTime(name) >= STANDING_S for name in ahead)
