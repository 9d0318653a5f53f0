"""Vehicles that break down in a mesoscopic simulation, on roads where nobody can pass them.

A vehicle that stops holds its queue (one lane, up to 98 m of road) and everybody who has entered it. On a
road with one lane that is what happens in the street, and both models lose about the same. On a road with
several lanes drivers go round it and lose next to nothing, but in SUMO's queues who chose a lane stays in
it: the model invents delay where there is none (figures in benchmarks/mesoscopic). It is refused there
(`Faults.check`).
"""

from __future__ import annotations

from collections.abc import Sequence

import libsumo

from civicbrain.city.model import City
from civicbrain.twin.faults import LaneBlock
from civicbrain.twin.lane_blocks import LaneBlocks
from civicbrain.twin.mesoscopic import count_queues


class MesoLaneBlocks(LaneBlocks):
    """Call `act` before every step."""

    def __init__(self, city: City, blocks: Sequence[LaneBlock], step_s: float) -> None:
        super().__init__(blocks, step_s)
        self._city = city
        self._asked: dict[LaneBlock, str] = {}

    def _stop_one(self, block: LaneBlock) -> str:
        """The vehicle that stands in the queue of the block; it was asked before it entered."""
        vehicle = libsumo.vehicle
        edge, _, lane = block.lane.rpartition("_")
        length_m = float(self._city.network.lanes.length_m[self._city.network.lanes.row[block.lane]])
        queues = count_queues(length_m)
        place = min(int(block.position_m / length_m * queues), queues - 1)
        name = self._asked.get(block, "")
        if name and name in vehicle.getIDList():
            there = vehicle.getRoadID(name) == edge and vehicle.getSegmentIndex(name) == place
            return name if there else ""
        for coming in self._coming(edge, place):
            if vehicle.getStops(coming):
                continue  # on its way to a stop of its own
            try:
                vehicle.setStop(
                    coming, edge, pos=block.position_m, laneIndex=int(lane), until=block.end_s, duration=0.0
                )
            except libsumo.TraCIException:
                continue  # it cannot stop there: its way ends before
            self._asked[block] = coming
            break
        return ""

    def _coming(self, edge: str, place: int) -> list[str]:
        """Vehicles that will enter that queue of the edge, the nearest first."""
        vehicle = libsumo.vehicle
        found = [
            name
            for name in reversed(libsumo.edge.getLastStepVehicleIDs(edge))
            if vehicle.getSegmentIndex(name) < place
        ]
        if place > 0:
            return found
        network = self._city.network
        lanes, moves, ids = network.lanes, network.movements, network.edges.ids
        into = lanes.edge[moves.to_lane] == network.edges.row[edge]
        for upstream in sorted({ids[row] for row in lanes.edge[moves.from_lane[into]].tolist()}):
            for name in reversed(libsumo.edge.getLastStepVehicleIDs(upstream)):
                at = vehicle.getRouteIndex(name)
                if tuple(vehicle.getRoute(name)[at + 1 : at + 2]) == (edge,):
                    found.append(name)
        return found
