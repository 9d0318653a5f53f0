"""What cameras see of a wrong-way driver: rows of their own, because SUMO drives nobody against traffic.

The driver enters a lane at its end and keeps his speed, lane by lane upstream (the straightest way back),
until the incident is over. Rows carry his distance, which grows, and his speed, which has no sign, as all
rows do; cameras miss him as often as anybody. Between two lanes, inside a junction, nobody sees him.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from civicbrain.city.incidents import IncidentKind
from civicbrain.city.model import City
from civicbrain.city.network import F64, I32
from civicbrain.city.observations import Detections, VehicleClass
from civicbrain.twin.incidents import RoadIncident
from civicbrain.twin.reach import reach_of

_STREAM = 4


class WrongWayViews:
    """Adds wrong-way drivers to frames. equipped: junction rows with a camera; junction, lane: what these
    cameras see."""

    def __init__(
        self, city: City, incidents: Sequence[RoadIncident], equipped: I32, junction: I32, lane: I32
    ) -> None:
        self._drivers = [one for one in incidents if one.kind is IncidentKind.WRONG_WAY]
        if not self._drivers:
            return
        self._camera_of = dict(zip(lane.tolist(), junction.tolist(), strict=True))
        self._equipped = set(equipped.tolist())
        self._length_m = city.network.lanes.length_m
        table = reach_of(city, city.cameras.range_m)
        self._beyond_m = dict(zip(table.lane.tolist(), table.beyond_m.tolist(), strict=True))
        self._range_m = city.cameras.range_m
        self._ways = {one.id: way_back(city, one) for one in self._drivers}

    def added(self, seen: Detections, miss_rate: float) -> Detections:
        """The frame with the wrong-way drivers that are in view."""
        if not self._drivers:
            return seen
        rows: list[tuple[int, int, float, float]] = []
        for number, one in enumerate(self._drivers):
            if not one.begin_s <= seen.end_s < one.end_s:
                continue
            found = self.place(one, seen.end_s)
            camera = -1 if found is None else self._camera_of.get(found[0], -1)
            missed = np.random.default_rng((_STREAM, number, int(seen.end_s * 1000.0))).random() < miss_rate
            if found is None or camera not in self._equipped or missed:
                continue
            lane, back_m = found
            distance_m = self._beyond_m[lane] + back_m
            if distance_m <= self._range_m:
                rows.append((camera, lane, distance_m, one.speed_mps))
        if not rows:
            return seen
        cameras, lanes, distance_m, speed_mps = (np.array(column) for column in zip(*rows, strict=True))
        order = np.argsort(np.concatenate([seen.camera, cameras]), kind="stable")
        count = len(rows)
        return replace(
            seen,
            camera=np.concatenate([seen.camera, cameras])[order].astype(np.int32),
            lane=np.concatenate([seen.lane, lanes])[order].astype(np.int32),
            distance_m=np.concatenate([seen.distance_m, distance_m])[order].astype(np.float32),
            speed_mps=np.concatenate([seen.speed_mps, speed_mps])[order].astype(np.float32),
            vehicle_class=np.concatenate(
                [seen.vehicle_class, np.full(count, int(VehicleClass.CAR), np.uint8)]
            )[order],
            next_movement=np.concatenate([seen.next_movement, np.full(count, -1, np.int32)])[order],
        )

    def place(self, one: RoadIncident, time_s: float) -> tuple[int, float] | None:
        """(lane row, metres from its end) at a time; None inside a junction, or off his way."""
        lanes, starts_m = self._ways[one.id]
        gone_m = (time_s - one.begin_s) * one.speed_mps
        place = int(np.searchsorted(starts_m, gone_m, side="right")) - 1
        back_m = gone_m - float(starts_m[place])
        return (lanes[place], back_m) if back_m < float(self._length_m[lanes[place]]) else None


def way_back(city: City, one: RoadIncident) -> tuple[list[int], F64]:
    """Lanes that a wrong-way driver takes, and where on his way each begins, m."""
    lanes, movements = city.network.lanes, city.network.movements
    order, start = city.network.movements_to
    row, at_m = lanes.row[one.lanes[0]], 0.0
    ways, starts_m = [row], [0.0]
    while at_m < one.lasts_s * one.speed_mps and len(ways) < 100:
        into = order[start[row] : start[row + 1]]
        into = into[np.lexsort((into, movements.turn[into] != ord("s")))]
        back = [move for move in into.tolist() if int(movements.from_lane[move]) not in ways]
        if not back:
            break
        at_m += float(lanes.length_m[row]) + float(movements.length_m[back[0]])
        row = int(movements.from_lane[back[0]])
        ways.append(row)
        starts_m.append(at_m)
    return ways, np.array(starts_m)
