"""Which lanes a camera sees: the table of the city, or one for another range.

From each stop line upstream along the road, through nodes without signals, up to the range; other signal
junctions end the view. A lane belongs to the camera whose stop line is nearest along the road.
"""

from __future__ import annotations

import heapq

import numpy as np

from civicbrain.city.model import Cameras as CameraTable
from civicbrain.city.model import City


def reach_of(city: City, range_m: float) -> CameraTable:
    """The city's camera table when it reaches range_m, else one that does."""
    if city.cameras.range_m >= range_m:
        return city.cameras
    movements, length_m = city.network.movements, city.network.lanes.length_m
    order, start = city.network.movements_to
    nearest: dict[int, tuple[float, int]] = {}  # lane -> (metres from its end to the stop line, junction)
    queue = [
        (0.0, int(movements.from_lane[row]), int(movements.junction[row]))
        for row in city.signalled_movements.tolist()
    ]
    heapq.heapify(queue)
    while queue:
        beyond_m, lane, junction = heapq.heappop(queue)
        if lane in nearest or beyond_m > range_m:
            continue
        nearest[lane] = (beyond_m, junction)
        for row in order[start[lane] : start[lane + 1]].tolist():
            if movements.junction[row] < 0:
                further_m = beyond_m + float(length_m[lane]) + float(movements.length_m[row])
                heapq.heappush(queue, (further_m, int(movements.from_lane[row]), junction))
    lanes = sorted(nearest, key=lambda lane: (nearest[lane][1], lane))
    return CameraTable(
        range_m=range_m,
        junction=np.array([nearest[lane][1] for lane in lanes], dtype=np.int32),
        lane=np.array(lanes, dtype=np.int32),
        beyond_m=np.array([nearest[lane][0] for lane in lanes], dtype=np.float32),
    )
