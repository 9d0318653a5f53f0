"""Simulated sensing: what cameras at the junctions see of the vehicles, or an oracle that sees them all.

`camera`: one camera a signal junction sees the lanes of `City.cameras` up to a range along the road. It
overlooks each vehicle with the miss rate in each frame, and its frames arrive late. Only an equipped share
of the junctions delivers. What a vehicle will do next is known only from its lane.
`oracle`: every vehicle within 200 m of the stop line, none overlooked, no latency, next movement known.

With `sees_inside` cameras see the box before their approaches as well (`box_views.py`).

The draws are seeded by (seed, second), so that a frame does not depend on which frames were taken before.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace
from itertools import compress, repeat

import libsumo
import numpy as np
from numpy.typing import NDArray

from civicbrain.city.model import City
from civicbrain.city.network import F32, I32, U8
from civicbrain.city.observations import Detections
from civicbrain.twin.box_views import BoxViews, lanes_inside
from civicbrain.twin.draws import Draws
from civicbrain.twin.faults import FaultyCameras
from civicbrain.twin.fleet import Fleet, compiled
from civicbrain.twin.incident_views import WrongWayViews
from civicbrain.twin.incidents import camera_faults
from civicbrain.twin.options import ORACLE_RANGE_M, TwinOptions
from civicbrain.twin.reach import reach_of

SOURCE = "cameras"
_COVERAGE_STREAM, _MISS_STREAM, _NOISE_STREAM = 1, 2, 3

_get_lane = compiled("vehicle", "getLaneID")
_get_position = compiled("vehicle", "getLanePosition")
_get_speed = compiled("vehicle", "getSpeed")


class Cameras:
    """Takes frames of the running simulation. step_s: length of a simulation step."""

    def __init__(self, city: City, options: TwinOptions, step_s: float, fleet: Fleet) -> None:
        self._oracle = options.sensing == "oracle"
        self._range_m = ORACLE_RANGE_M if self._oracle else options.range_m
        self._miss_rate = 0.0 if self._oracle else options.miss_rate
        self.latency_s = 0.0 if self._oracle else math.ceil(options.latency_s / step_s - 1e-9) * step_s
        self._misses = Draws(options.seed, _MISS_STREAM)
        self._fleet = fleet
        self._noise = Draws(options.seed, _NOISE_STREAM)
        self._position_sd_m, self._speed_sd_mps = (
            (0.0, 0.0) if self._oracle else (options.position_sd_m, options.speed_sd_mps)
        )
        self._faulty = FaultyCameras(city, options.faults.cameras + camera_faults(options.incidents))
        self._frames: deque[Detections] = deque()
        self.equipped = equipped_junctions(len(city.junctions), options)
        table = reach_of(city, self._range_m)
        wanted = np.isin(table.junction, self.equipped)
        junction, lane = table.junction[wanted], table.lane[wanted]
        lanes = city.network.lanes
        before = before_short_lanes(city, {row: number for number, row in enumerate(lane.tolist())})
        own = np.array([*range(len(lane)), *(number for number, _ in before.values())], np.int32)
        further_m = np.array([*np.zeros(len(lane)), *(metres for _, metres in before.values())], np.float32)
        self._junction: I32 = junction[own]
        self._lane: I32 = lane[own]
        self._stop_line_m: F32 = (lanes.length_m[lane] + table.beyond_m[wanted])[own] + further_m
        names = [*(lanes.ids[row] for row in lane.tolist()), *before]
        self._number_of_lane = {name: number + 1 for number, name in enumerate(names)}
        self.wrong_way = WrongWayViews(city, options.incidents, self.equipped, junction, lane)
        self._movement_of = _movements_by_link(city) if self._oracle else {}
        self._box: BoxViews | None = None
        if options.sees_inside:
            self._box = BoxViews(
                city, self.equipped, fleet, options.seed, self._miss_rate, self._position_sd_m,
                self._speed_sd_mps,
            )  # fmt: skip

    def take(self, time_s: float) -> None:
        """Take a frame of this instant; it is delivered when its latency is over."""
        seen = self.wrong_way.added(self._frame(time_s), self._miss_rate)
        seen = self._noisy(seen)
        self._frames.append(self._faulty.says(seen if self._box is None else self._box.added(seen)))

    def deliver(self, now_s: float) -> list[Detections]:
        """Frames whose latency is over, oldest first; each once."""
        due = []
        while self._frames and self._frames[0].end_s + self.latency_s <= now_s + 1e-6:
            due.append(self._frames.popleft())
        return due

    def _frame(self, time_s: float) -> Detections:
        names, row_of, classes, position_m = self._look()
        distance_m = self._stop_line_m[row_of] - position_m
        seen = distance_m <= self._range_m
        if self._miss_rate > 0.0:
            seen &= self._misses.at(int(time_s * 1000.0), len(names)) >= self._miss_rate
        # SUMO is asked in the order of its own table of vehicles: half the cost of any other order
        names = list(compress(names, seen.tolist()))
        kept = np.flatnonzero(seen)
        speed_mps, next_movement = self._speeds(names, kept), self._next_movements(names)
        # one camera after the other, each in the order of SUMO
        order = np.argsort(self._junction[row_of[kept]], kind="stable")
        kept = kept[order]
        lane_row = row_of[kept]
        camera: I32 = self._junction[lane_row]
        return Detections(
            source=SOURCE,
            start_s=time_s,
            end_s=time_s,
            cameras=self.equipped,
            camera=camera,
            lane=self._lane[lane_row],
            distance_m=np.maximum(distance_m[kept], np.float32(0.0)),
            speed_mps=speed_mps[order],
            vehicle_class=classes[kept],
            next_movement=next_movement[order],
        )

    def _noisy(self, seen: Detections) -> Detections:
        """The frame with errors of position and speed."""
        count = len(seen.lane)
        if count == 0 or not (self._position_sd_m or self._speed_sd_mps):
            return seen
        error = self._noise.normal_at(int(seen.end_s * 1000.0), 2 * count).astype(np.float32)
        distance_m = seen.distance_m + np.float32(self._position_sd_m) * error[:count]
        speed_mps = seen.speed_mps + np.float32(self._speed_sd_mps) * error[count:]
        return replace(seen, distance_m=np.maximum(distance_m, 0.0), speed_mps=np.maximum(speed_mps, 0.0))

    def _look(self) -> tuple[list[str], I32, U8, F32]:
        """Id, row in this camera table, class and position (m from the beginning of its lane) of every
        vehicle on a lane that a camera sees."""
        # map() and compress() over compiled functions: this loop over all vehicles is what sensing costs
        (lanes,) = self._fleet.ask(_get_lane)
        number_of = list(map(self._number_of_lane.get, lanes, repeat(0)))  # 0: a lane that no camera sees
        names = list(compress(self._fleet.under_way, number_of))
        row_of: I32 = np.fromiter(filter(None, number_of), np.int32, len(names)) - 1
        classes = np.frombuffer(bytes(compress(self._fleet.classes, number_of)), np.uint8)
        return names, row_of, classes, np.fromiter(map(_get_position, names), np.float32, len(names))

    def _speeds(self, names: list[str], kept: NDArray[np.intp]) -> F32:  # noqa: ARG002
        """Speeds (m/s) of those seen: `names`, which are the rows `kept` of the last look."""
        return np.fromiter(map(_get_speed, names), np.float32, len(names))

    def _next_movements(self, names: list[str]) -> I32:
        """Row of the next signalled movement of each vehicle, -1 where its way leads through none."""
        result: I32 = np.full(len(names), -1, dtype=np.int32)
        if not self._oracle:
            return result
        for place, name in enumerate(names):
            for tls_id, link, _, _ in libsumo.vehicle.getNextTLS(name):
                candidates = self._movement_of.get((tls_id, link))
                if candidates:
                    result[place] = candidates.get(_get_lane(name), next(iter(candidates.values())))
                    break
        return result


def equipped_junctions(count: int, options: TwinOptions) -> I32:
    """Rows of the junctions with a camera: a share `coverage` of them, drawn with the seed."""
    share = 1.0 if options.sensing == "oracle" else options.coverage
    order = np.random.default_rng((options.seed, _COVERAGE_STREAM)).permutation(count)
    return np.sort(order[: round(share * count)]).astype(np.int32)


CAR_M = 5.0
"""SUMO's passenger car. A lane that holds one shows the first who waits; who waits behind is in the node."""


def before_short_lanes(city: City, number_of: dict[int, int]) -> dict[str, tuple[int, float]]:
    """SUMO's id of each lane inside a node without a signal that leads to a lane in view shorter than a
    vehicle -> (number of that lane, metres from its own begin to the other's). number_of: lane row -> number.

    Who waits at the line of such a lane stands, with his front, still inside the node before it, which is no
    lane of the city; a camera sees him (docs/decisions/short-lanes.md).
    """
    network = city.network
    movements, ids, length_m = network.movements, network.lanes.ids, network.lanes.length_m
    found: dict[str, tuple[int, float]] = {}
    for row in np.flatnonzero((movements.junction < 0) & (length_m[movements.to_lane] < CAR_M)).tolist():
        number = number_of.get(int(movements.to_lane[row]))
        if number is None:
            continue
        onto = ids[int(movements.to_lane[row])]
        links = libsumo.lane.getLinks(ids[int(movements.from_lane[row])])
        lane = next((inner for ahead, _, _, _, inner, *_ in links if ahead == onto), "")
        inside = lanes_inside(lane)
        if inside:
            through_m = inside[-1][1] + libsumo.lane.getLength(inside[-1][0])
            found |= {name: (number, through_m - past_m) for name, past_m in inside}
    return found


def _movements_by_link(city: City) -> dict[tuple[str, int], dict[str, int]]:
    """(junction id, link) -> {id of the lane it leaves: movement row}; several may share a link."""
    movements, ids = city.network.movements, city.network.lanes.ids
    result: dict[tuple[str, int], dict[str, int]] = {}
    for row in city.signalled_movements.tolist():
        key = (city.junctions[movements.junction[row]].id, int(movements.link[row]))
        result.setdefault(key, {})[ids[movements.from_lane[row]]] = row
    return result
