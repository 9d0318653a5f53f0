"""What runs in the process of a mesoscopic twin; returns plain figures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import libsumo
import msgspec
import numpy as np
from twin_runs import open_twin, rotate

from civicbrain.city.observations import Detections
from civicbrain.core.errors import CivicBrainError
from civicbrain.twin.faults import Faults, LaneBlock
from civicbrain.twin.importing import resolve_scenario
from civicbrain.twin.mesoscopic import MesoRoad
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin

ROOM_M = 5.8  # of the smallest car in these scenarios: 4.3 m and its gap


def whole(seed: int) -> dict[str, Any]:
    """cologne3 with a centre that asks for every stage in turn."""
    twin = open_twin("cologne3", 400.0, seed=seed, mesoscopic=True)
    rotate(twin, 300)
    while not twin.ended:
        twin.step()
    return msgspec.to_builtins(twin.finish())


def queues(steps: int) -> dict[str, Any]:
    """What the cameras deliver beside what SUMO holds in its queues, and the gaps in the lanes."""
    twin = open_twin("cologne8", steps + 60.0, mesoscopic=True, miss_rate=0.0, latency_s=0.0, seed=3)
    city = twin.city
    road = MesoRoad(city)
    beyond_m = dict(zip(city.cameras.lane.tolist(), city.cameras.beyond_m, strict=True))
    result: dict[str, Any] = {"short_gaps": 0, "standing": 0, "heads": 0, "counts": [], "on_lanes": True}
    length_m = city.network.lanes.length_m
    for tick in range(steps):
        twin.heartbeat()
        twin.step()
        frames = [datum for datum in twin.sense() if isinstance(datum, Detections)]
        if tick % 20 or not frames:
            continue
        placed = road.look()
        result["on_lanes"] &= bool((placed.position_m >= 0).all())
        result["on_lanes"] &= bool((placed.position_m <= length_m[placed.lane] + 0.5).all())
        for lane in set(placed.lane.tolist()):
            mine = placed.position_m[placed.lane == lane]
            gaps = -np.diff(mine)
            result["short_gaps"] += int(((gaps < ROOM_M - 0.01) & (mine[1:] > 0)).sum())
        result["standing"] += int((placed.speed_mps < 0.1).sum())
        result["heads"] += sum(libsumo.vehicle.getWaitingTime(name) > 0 for name in placed.ids)
        near = [
            length_m[lane] + beyond_m[lane] - position <= 150.0
            for lane, position in zip(placed.lane.tolist(), placed.position_m, strict=True)
            if lane in beyond_m
        ]
        result["counts"].append((sum(near), len(frames[-1].lane)))
    twin.close()
    return result


def next_movements() -> tuple[int, int]:
    """(vehicles of an oracle's frames, those whose next movement leads where their route does)."""
    twin = open_twin("cologne3", 300.0, mesoscopic=True, sensing="oracle")
    lanes, moves = twin.city.network.lanes, twin.city.network.movements
    known = right = 0
    for _ in range(250):
        twin.step()
        routes = {
            pair
            for name in libsumo.vehicle.getIDList()
            for pair in zip(libsumo.vehicle.getRoute(name), libsumo.vehicle.getRoute(name)[1:], strict=False)
        }
        for datum in twin.sense():
            if isinstance(datum, Detections):
                for row in datum.next_movement[datum.next_movement >= 0].tolist():
                    edges = (lanes.edge[moves.from_lane[row]], lanes.edge[moves.to_lane[row]])
                    known += 1
                    right += tuple(twin.city.network.edges.ids[edge] for edge in edges) in routes
    twin.close()
    return known, right


def save_and_resume(folder: Path) -> dict[str, Any]:
    twin = open_twin("cologne3", 400.0, mesoscopic=True)
    rotate(twin, 200)
    twin.save(folder)
    before = sorted(libsumo.vehicle.getIDList())
    twin.close()
    city = resolve_scenario("cologne3")
    options = TwinOptions(end_s=city.demand.begin_s + 400.0, mesoscopic=True)
    twin = Twin.resume(city, options, folder)
    after = sorted(libsumo.vehicle.getIDList())
    while not twin.ended:
        twin.step()
    return {"same": before == after, "count": len(before), "metrics": msgspec.to_builtins(twin.finish())}


def blocked(lane: str, position_m: float) -> dict[str, Any]:
    """A road of cologne8 closed from second 100 to 500: how many left it before, during (a minute after the
    vehicle that closes it stood there) and after."""
    city = resolve_scenario("cologne8")
    begin_s = city.demand.begin_s
    faults = Faults(lanes=(LaneBlock(lane, position_m, begin_s + 100, begin_s + 500),))
    try:
        options = TwinOptions(program="fixed", end_s=begin_s + 900, faults=faults, mesoscopic=True, seed=1)
        twin = Twin(city, options)
    except CivicBrainError as error:
        return {"error": str(error)}
    edge = lane.rpartition("_")[0]
    left = {"before": 0, "during": 0, "after": 0}
    on_it: set[str] = set()
    held_s = math.inf
    while not twin.ended:
        twin.step()
        now_s = twin.time_s - begin_s
        gone, on_it = on_it, set(libsumo.edge.getLastStepVehicleIDs(edge))
        if twin._blocks.held:
            held_s = min(held_s, now_s)
        when = "before" if now_s < min(held_s, 500) + 60 else "during" if now_s < 500 else "after"
        left[when] += len(gone - on_it)
    held = list(twin._blocks.held.values())
    twin.close()
    return {"held": len(held), **left}
