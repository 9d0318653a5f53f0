"""Vehicles that break down where a `LaneBlock` says, and stand there until it ends.

It is a vehicle of the demand that stops, the first that can: nothing is added to the traffic that is counted,
and SUMO counts no scheduled stop as time loss, so that delay is what the others lose.
"""

from __future__ import annotations

from collections.abc import Sequence

import libsumo

from civicbrain.twin.faults import LaneBlock

_MARGIN_M = 1.0


class LaneBlocks:
    """Call `act` before every step. step_s: length of a simulation step."""

    def __init__(self, blocks: Sequence[LaneBlock], step_s: float) -> None:
        self._waiting = list(blocks)
        self._step_s = step_s
        self.held: dict[LaneBlock, str] = {}
        """Block -> id of the vehicle that stands for it, also after it has gone on."""

    def act(self, now_s: float) -> None:
        """Stop a vehicle for each block that is due and has none yet."""
        if not self._waiting:
            return
        self._waiting = [block for block in self._waiting if now_s < block.end_s]
        for block in [block for block in self._waiting if block.begin_s <= now_s]:
            vehicle_id = self._stop_one(block)
            if vehicle_id:
                self.held[block] = vehicle_id
                self._waiting.remove(block)

    def _stop_one(self, block: LaneBlock) -> str:
        return stop_one(block.lane, block.position_m, self._step_s, until_s=block.end_s)


def stop_one(
    lane: str, position_m: float, step_s: float, *, until_s: float = 0.0, duration_s: float = 0.0
) -> str:
    """Have a vehicle on a lane stop at position_m and stand until until_s, or for duration_s: the nearest to
    the place that can still brake for it. Its id; "" where there is none now."""
    vehicle = libsumo.vehicle
    edge, _, index = lane.rpartition("_")
    end = {"until": until_s} if until_s else {}
    for vehicle_id in reversed(libsumo.lane.getLastStepVehicleIDs(lane)):  # upstream first in SUMO
        speed_mps, decel_mps2 = vehicle.getSpeed(vehicle_id), vehicle.getDecel(vehicle_id)
        braking_m = speed_mps * step_s + speed_mps**2 / (2.0 * decel_mps2) + _MARGIN_M
        if vehicle.getLanePosition(vehicle_id) + braking_m > position_m:
            continue
        if vehicle.getStops(vehicle_id):
            continue  # on its way to a stop of its own (a bus): that one must not be mixed up
        try:
            vehicle.setStop(
                vehicle_id, edge, pos=position_m, laneIndex=int(index), duration=duration_s, **end
            )
        except libsumo.TraCIException:
            continue  # SUMO finds it cannot stop there: the next one may
        return str(vehicle_id)
    return ""
