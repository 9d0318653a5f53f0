"""What cameras see of the box: rows of vehicles inside a junction, past the line of the lane they came from.

A camera that looks down 150 m of approach looks across the junction first. Rows have the distance below 0,
as `Detections` says, the misses and errors of all others, and come from streams of draws of their own: rows
of the approaches are the same whether the box is in view or not.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import compress, repeat

import libsumo
import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import F32, I32, U8
from civicbrain.city.observations import INSIDE_M, Detections
from civicbrain.twin.draws import Draws
from civicbrain.twin.fleet import Fleet, compiled

FARTHEST_M = 100.0
"""Past the line; the store takes nothing from further inside."""

_MISS_STREAM, _NOISE_STREAM = 5, 6

_get_lane = compiled("vehicle", "getLaneID")
_get_position = compiled("vehicle", "getLanePosition")
_get_speed = compiled("vehicle", "getSpeed")


class BoxViews:
    """Adds who is inside the junctions to frames. equipped: junction rows with a camera. miss_rate,
    position_sd_m, speed_sd_mps: as for all other rows."""

    def __init__(
        self, city: City, equipped: I32, fleet: Fleet, seed: int, miss_rate: float, position_sd_m: float,
        speed_sd_mps: float,
    ) -> None:  # fmt: skip
        self._fleet, self._miss_rate = fleet, miss_rate
        self._position_sd_m, self._speed_sd_mps = position_sd_m, speed_sd_mps
        self._misses, self._noise = Draws(seed, _MISS_STREAM), Draws(seed, _NOISE_STREAM)
        row = city.network.lanes.row
        ways = [
            (via, junction, row[start], past_m)
            for junction in equipped.tolist()
            for start, first in _first_lanes(city.junctions[junction].id)
            for via, past_m in lanes_inside(first)
            if start in row
        ]
        self._number_of = {way[0]: number + 1 for number, way in enumerate(ways)}
        self._junction: I32 = np.array([way[1] for way in ways], np.int32)
        self._lane: I32 = np.array([way[2] for way in ways], np.int32)
        self._past_m: F32 = np.array([way[3] for way in ways], np.float32)

    def added(self, seen: Detections) -> Detections:
        """The frame with those inside. Who is nearer to the line than `INSIDE_M` is not told from one at it,
        and is left out, as without the box."""
        (lanes,) = self._fleet.ask(_get_lane)
        number_of = list(map(self._number_of.get, lanes, repeat(0)))
        names = list(compress(self._fleet.under_way, number_of))
        if not names:
            return seen
        at = np.fromiter(filter(None, number_of), np.int32, len(names)) - 1
        classes: U8 = np.frombuffer(bytes(compress(self._fleet.classes, number_of)), np.uint8)
        past_m = self._past_m[at] + np.fromiter(map(_get_position, names), np.float32, len(names))
        speed_mps = np.fromiter(map(_get_speed, names), np.float32, len(names))
        instant = int(seen.end_s * 1000.0)
        if self._position_sd_m or self._speed_sd_mps:
            error = self._noise.normal_at(instant, 2 * len(names)).astype(np.float32)
            past_m = past_m + np.float32(self._position_sd_m) * error[: len(names)]
            speed_mps = np.maximum(speed_mps + np.float32(self._speed_sd_mps) * error[len(names) :], 0.0)
        kept = np.flatnonzero(
            (self._misses.at(instant, len(names)) >= self._miss_rate)
            & (past_m > INSIDE_M)
            & (past_m <= FARTHEST_M)
        )
        order = np.argsort(np.concatenate([seen.camera, self._junction[at[kept]]]), kind="stable")
        return replace(
            seen,
            camera=np.concatenate([seen.camera, self._junction[at[kept]]])[order],
            lane=np.concatenate([seen.lane, self._lane[at[kept]]])[order],
            distance_m=np.concatenate([seen.distance_m, -past_m[kept]])[order].astype(np.float32),
            speed_mps=np.concatenate([seen.speed_mps, speed_mps[kept]])[order].astype(np.float32),
            vehicle_class=np.concatenate([seen.vehicle_class, classes[kept]])[order],
            next_movement=np.concatenate([seen.next_movement, np.full(len(kept), -1, np.int32)])[order],
        )


def _first_lanes(junction: str) -> list[tuple[str, str]]:
    """(approach lane, first lane inside the junction) of each of its links, each lane inside once."""
    links = libsumo.trafficlight.getControlledLinks(junction)
    return list({via: (start, via) for link in links for start, _, via in link if via}.values())


def lanes_inside(first: str) -> list[tuple[str, float]]:
    """The lanes inside a node that a way consists of, with the metres from the line before it to each."""
    found: list[tuple[str, float]] = []
    lane, past_m = first, 0.0
    while lane.startswith(":") and lane not in {name for name, _ in found}:
        found.append((lane, past_m))
        past_m += libsumo.lane.getLength(lane)
        onward = libsumo.lane.getLinks(lane)
        lane = onward[0][4] if onward else ""
    return found
