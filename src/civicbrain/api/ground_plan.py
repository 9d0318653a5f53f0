"""A junction as it lies on the ground: lanes, movements and crossings, from the network."""

from __future__ import annotations

import numpy as np

from civicbrain.api.models.junctions import CameraViews, GroundPlan, PlanCrossing, PlanLane, PlanMovement
from civicbrain.city.model import City
from civicbrain.city.signals import Conflict, GroupKind, SignalJunction


def ground_plan_of(city: City, row: int) -> GroundPlan:
    """The plan of the junction of that row."""
    junction, network, cameras = city.junctions[row], city.network, city.cameras
    movements = network.movements
    mine = np.flatnonzero(movements.junction == row)
    seen = {int(lane) for lane in cameras.lane[cameras.junction == row]}
    roles: dict[int, str] = {}
    edges = network.edges
    for k in mine.tolist():
        for lane, role in ((int(movements.from_lane[k]), "approach"), (int(movements.to_lane[k]), "exit")):
            edge = int(network.lanes.edge[lane])
            for beside in range(int(edges.lane_start[edge]), int(edges.lane_start[edge + 1])):
                roles.setdefault(beside, role)
    for lane in sorted(seen):
        roles.setdefault(lane, "view")
    place = {lane: at for at, lane in enumerate(roles)}
    first = int(city.signals.group_start[row])
    return GroundPlan(
        id=junction.id,
        x_m=round(junction.x_m, 1),
        y_m=round(junction.y_m, 1),
        view_m=float(cameras.range_m),
        lanes=[_lane(city, lane, role, lane in seen) for lane, role in roles.items()],
        movements=[
            PlanMovement(
                place[int(movements.from_lane[k])],
                place[int(movements.to_lane[k])],
                int(movements.group[k]) - first if movements.group[k] >= 0 else -1,
                chr(int(movements.turn[k])),
            )
            for k in mine.tolist()
        ],
        crossings=_crossings(city, row, junction),
        kinds=[group.kind for group in junction.groups],
    )


def _lane(city: City, lane: int, role: str, seen: bool) -> PlanLane:
    lanes, edges = city.network.lanes, city.network.edges
    edge = int(lanes.edge[lane])
    points = np.round(lanes.shape(lane).ravel().astype(np.float64), 2).tolist()
    return PlanLane(
        lanes.ids[lane], edges.ids[edge], edges.names[edge], round(float(lanes.width_m[lane]), 2),
        int(lanes.use[lane]), points, role, seen,  # type: ignore[arg-type]
    )  # fmt: skip


def _crossings(city: City, row: int, junction: SignalJunction) -> list[PlanCrossing]:
    """The network has no geometry of crossings. Who walks over an approach conflicts with all that comes from
    it: where that is true of one approach only, the crossing lies there."""
    movements, lanes = city.network.movements, city.network.lanes
    first = int(city.signals.group_start[row])
    coming: dict[int, set[int]] = {}
    for k in np.flatnonzero((movements.junction == row) & (movements.group >= 0)).tolist():
        edge = int(lanes.edge[int(movements.from_lane[k])])
        coming.setdefault(edge, set()).add(int(movements.group[k]) - first)
    found = []
    for g, group in enumerate(junction.groups):
        if group.kind is not GroupKind.PEDESTRIAN:
            continue
        over = [
            edge
            for edge, groups in coming.items()
            if all(junction.conflict[g][other] != Conflict.NONE for other in groups)
        ]
        edge_id = city.network.edges.ids[over[0]] if len(over) == 1 else ""
        found.append(PlanCrossing(g, edge_id, group.crossing_m))
    return found


def camera_views_of(city: City) -> CameraViews:
    """Each lane in view with how far back from its end, and approach lanes that nobody sees."""
    cameras, movements = city.cameras, city.network.movements
    reach_m = np.clip(cameras.range_m - cameras.beyond_m, 0.0, city.network.lanes.length_m[cameras.lane])
    signalled = np.unique(movements.from_lane[movements.junction >= 0])
    return CameraViews(
        float(cameras.range_m),
        cameras.lane.tolist(),
        np.round(reach_m.astype(np.float64), 1).tolist(),
        np.setdiff1d(signalled, cameras.lane).tolist(),
    )
