"""Approaches of junctions: which of the lanes in view carry the queue of which edge that leads in.

A camera sees some 150 m along the road, upstream edges included. Vehicles on an upstream edge stand before
the edge that leads into the junction: both are one approach, named after that edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import I32

VEHICLE_M = 7.5
"""Road that a standing vehicle takes, gap included (SUMO's default length 5 m and gap 2.5 m)."""


@dataclass(frozen=True, eq=False)
class Approach:
    """One edge that leads into a junction. junction: its row. lanes: rows of the lanes whose queue is its
    own, those upstream included; stop_lanes: of them those that end at the stop line. groups: city-wide rows
    of its signal groups. storage_m: lane metres in view. seen: whether a camera looks at it."""

    junction: int
    edge: str
    name: str
    lanes: I32
    stop_lanes: I32
    groups: tuple[int, ...]
    storage_m: float
    seen: bool

    @property
    def storage_veh(self) -> float:
        return self.storage_m / VEHICLE_M


def list_approaches(city: City) -> tuple[Approach, ...]:
    """All approaches of all junctions, in the junctions' order. One without a camera has no lane in view: its
    stop lanes stand for it, and `seen` is False."""
    network, cameras = city.network, city.cameras
    lanes, edges, movements = network.lanes, network.edges, network.movements
    stop: dict[tuple[int, int], set[int]] = {}
    groups: dict[tuple[int, int], set[int]] = {}
    for k in np.flatnonzero(movements.junction >= 0).tolist():
        lane = int(movements.from_lane[k])
        key = (int(movements.junction[k]), int(lanes.edge[lane]))
        stop.setdefault(key, set()).add(lane)
        if movements.group[k] >= 0:
            groups.setdefault(key, set()).add(int(movements.group[k]))
    order = np.argsort(cameras.beyond_m, kind="stable")
    seen = {int(cameras.lane[k]): int(k) for k in order.tolist()}
    owner: dict[int, tuple[int, int]] = {}
    for key, own in stop.items():
        edge_lanes = range(int(edges.lane_start[key[1]]), int(edges.lane_start[key[1] + 1]))
        owner |= dict.fromkeys((*edge_lanes, *own), key)
    # nearest first: what a lane upstream leads to has been settled by then
    leads, start = network.movements_from
    for k in order.tolist():
        lane = int(cameras.lane[k])
        if lane in owner:
            continue
        onward = movements.to_lane[leads[start[lane] : start[lane + 1]]].tolist()
        mine = [owner[to] for to in onward if to in owner and owner[to][0] == int(cameras.junction[k])]
        if mine:
            owner[lane] = mine[0]
    members: dict[tuple[int, int], list[int]] = {}
    for lane, key in owner.items():
        if key[0] == (int(cameras.junction[seen[lane]]) if lane in seen else key[0]):
            members.setdefault(key, []).append(lane)
    return tuple(
        _approach(city, key, stop[key], members.get(key, []), groups.get(key, set()), seen)
        for key in sorted(stop)
    )


def _approach(
    city: City, key: tuple[int, int], stop: set[int], members: list[int], groups: set[int],
    seen: dict[int, int],
) -> Approach:  # fmt: skip
    lanes, edges, cameras = city.network.lanes, city.network.edges, city.cameras
    in_view = sorted(lane for lane in members if lane in seen)
    reach_m = 0.0
    for lane in in_view:
        left_m = cameras.range_m - float(cameras.beyond_m[seen[lane]])
        reach_m += max(0.0, min(left_m, float(lanes.length_m[lane])))
    return Approach(
        junction=key[0],
        edge=edges.ids[key[1]],
        name=edges.names[key[1]],
        lanes=np.array(in_view or sorted(stop), np.int32),
        stop_lanes=np.array(sorted(stop), np.int32),
        groups=tuple(sorted(groups)),
        storage_m=reach_m if in_view else float(lanes.length_m[sorted(stop)].sum()),
        seen=bool(in_view),
    )
