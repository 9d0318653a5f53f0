"""What the live map needs of all vehicles: true positions, and the delay and the standing up to now."""

from __future__ import annotations

from itertools import chain

import libsumo
import numpy as np
from numpy.typing import NDArray

from civicbrain.contracts.wire import VehicleFrame, pack_array
from civicbrain.twin.fleet import Fleet, compiled

_get_xy = compiled("vehicle", "getPosition")
_get_angle = compiled("vehicle", "getAngle")
_get_speed = compiled("vehicle", "getSpeed")
_get_allowed = compiled("vehicle", "getAllowedSpeed")

LOOKED_AT_A_STEP = 5000
"""Vehicles whose delay is looked at each step, on average: above it all are looked at each second, third, …
step, and count for the time since the last look (28 ms for 22,000)."""
STANDING_MPS = 0.1


class LiveView:
    """Looks at the vehicles of one run. delay_veh_s: time lost up to now as SUMO defines it, of all vehicles
    and of those not yet let in; standing: vehicles slower than 0.1 m/s at the last look."""

    def __init__(self, fleet: Fleet, now_s: float, delay_veh_s: float = 0.0) -> None:
        self._fleet, self._looked_s = fleet, now_s
        self._steps_to_look = 0
        self.delay_veh_s, self.standing = delay_veh_s, 0

    def follow(self, now_s: float) -> None:
        """Keep delay and standing up to date; call after each step."""
        self._steps_to_look -= 1
        if self._steps_to_look > 0:
            return
        answers = self._fleet.ask(_get_speed, _get_allowed)
        speed_mps, allowed_mps = np.array(answers, np.float64).reshape(2, -1)
        present = (speed_mps > Fleet.OFF_ROAD) & (allowed_mps > 0.0)
        speed_mps, allowed_mps = speed_mps[present], allowed_mps[present]
        lost = float(np.maximum(1.0 - speed_mps / allowed_mps, 0.0).sum())
        pending = len(libsumo.simulation.getPendingVehicles())
        self.delay_veh_s += (lost + pending) * (now_s - self._looked_s)
        self.standing = int((speed_mps < STANDING_MPS).sum())
        self._looked_s = now_s
        self._steps_to_look = round(len(self._fleet.under_way) / LOOKED_AT_A_STEP)

    def frame(self, now_s: float) -> VehicleFrame:
        """True positions of all vehicles on the road."""
        fleet = self._fleet
        places, angles, speeds = fleet.ask(_get_xy, _get_angle, _get_speed)
        count = len(fleet.under_way)
        xy: NDArray[np.float32] = np.fromiter(chain.from_iterable(places), np.float32, 2 * count)
        x_m, y_m = xy[::2], xy[1::2]
        present = x_m > Fleet.OFF_ROAD
        return VehicleFrame(
            time_s=now_s,
            number=pack_array(np.array(fleet.numbers, np.uint32)[present]),
            x_m=pack_array(x_m[present]),
            y_m=pack_array(y_m[present]),
            angle_deg=pack_array(np.array(angles, np.float32)[present]),
            speed_mps=pack_array(np.array(speeds, np.float32)[present]),
            vehicle_class=pack_array(np.frombuffer(bytes(fleet.classes), np.uint8)[present]),
        )
