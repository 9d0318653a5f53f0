"""What runs in the twin's own process; returns plain figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import libsumo
import msgspec
import numpy as np

from civicbrain.city.observations import Detections, SignalStates
from civicbrain.city.signals import ControllerMode
from civicbrain.contracts.brain import StageRequest
from civicbrain.contracts.wire import unpack_array
from civicbrain.core.errors import CivicBrainError
from civicbrain.twin.importing import resolve_scenario
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin


def open_twin(scenario: str, length_s: float | None = 300.0, **options: Any) -> Twin:
    city = resolve_scenario(scenario)
    end_s = None if length_s is None else city.demand.begin_s + length_s
    return Twin(city, TwinOptions(end_s=end_s, **options))


def rotate(twin: Twin, steps: int) -> None:
    """A centre that asks every junction for the next stage each 20 s, sensing all the while."""
    for tick in range(steps):
        twin.heartbeat()
        if tick % 20 == 0:
            now_s = twin.time_s
            twin.apply(
                [
                    StageRequest(j.id, j.stages[tick // 20 % len(j.stages)].id, now_s, now_s + 25.0, "test")
                    for j in twin.city.junctions
                ]
            )
        twin.step()
        twin.sense()


def whole_run(scenario: str, program: str, length_s: float | None, seed: int, drive: bool) -> dict[str, Any]:
    twin = open_twin(scenario, length_s, program=program, seed=seed)
    if drive:
        rotate(twin, round(twin.end_s - twin.begin_s))
    while not twin.ended:
        twin.step()
    return msgspec.to_builtins(twin.finish())


def shared_lamps(scenario: str, length_s: float) -> tuple[list[str], list[str]]:
    """Lamps of the first junction, second by second: SUMO's own plan, then our controller's local plan."""
    shown: dict[str, list[str]] = {}
    for program in ("fixed", "central"):
        twin = open_twin(scenario, length_s, program=program)
        shown[program] = []
        while not twin.ended:
            twin.step()
            shown[program].append(libsumo.trafficlight.getRedYellowGreenState(twin.city.junctions[0].id))
        twin.close()
    return shown["fixed"], shown["central"]


def frames(scenario: str, steps: int, **options: Any) -> dict[str, Any]:
    """Camera frames beside the truth at the moment they show."""
    twin = open_twin(scenario, steps + 10.0, **options)
    city = twin.city
    truth: dict[float, dict[str, tuple[float, float]]] = {}
    found: list[tuple[float, Detections]] = []
    for _ in range(steps):
        twin.step()
        truth[twin.time_s] = {
            name: (libsumo.vehicle.getLanePosition(name), libsumo.vehicle.getSpeed(name))
            for name in libsumo.vehicle.getIDList()
        }
        for datum in twin.sense():
            if isinstance(datum, Detections):
                found.append((twin.time_s, datum))
    length_m = city.network.lanes.length_m
    of_lane = dict(zip(city.cameras.lane.tolist(), range(len(city.cameras.lane)), strict=True))
    unmatched, rows = 0, 0
    for _, frame in found:
        for row in range(len(frame.lane)):
            rows += 1
            table = of_lane.get(int(frame.lane[row]))
            if table is not None and frame.distance_m[row] > 0:
                position_m = length_m[frame.lane[row]] + city.cameras.beyond_m[table] - frame.distance_m[row]
                if position_m < 0.0:
                    continue  # before a lane shorter than a vehicle: `before_short_lanes`
                speed_mps = frame.speed_mps[row]
                unmatched += not any(
                    abs(position - position_m) < 0.05 and abs(speed - speed_mps) < 0.001
                    for position, speed in truth[frame.end_s].values()
                )
    result = {
        "ages_s": sorted({now_s - frame.end_s for now_s, frame in found}),
        "rows": rows,
        "unmatched": unmatched,
        "farthest_m": max((float(frame.distance_m.max(initial=0)) for _, frame in found), default=0.0),
        "cameras": found[-1][1].cameras.tolist(),
        "grouped": all(bool(np.all(np.diff(frame.camera) >= 0)) for _, frame in found),
        "next_known": sum(int((frame.next_movement >= 0).sum()) for _, frame in found),
        "next_lane_right": sum(
            int((city.network.movements.from_lane[f.next_movement[f.next_movement >= 0]] >= 0).sum())
            for _, f in found
        ),
        "counts": [len(frame.lane) for _, frame in found],
    }
    twin.close()
    return result


def frames_with(options: dict[str, Any]) -> dict[str, Any]:
    return frames("cologne3", 120, **options)


def seen_with(options: dict[str, Any]) -> dict[str, Any]:
    """Rows of the approaches, and rows inside junctions: (junction, lane, metres past the line)."""
    twin = open_twin("cologne3", 120.0, **options)
    approaches, inside = [], []
    while not twin.ended:
        twin.step()
        for one in twin.sense():
            if isinstance(one, Detections):
                rows = zip(
                    one.camera.tolist(), one.lane.tolist(), one.distance_m.tolist(), one.speed_mps.tolist(),
                    strict=True,
                )  # fmt: skip
                for camera, lane, distance_m, speed_mps in rows:
                    if distance_m >= 0.0:
                        approaches.append((one.end_s, camera, lane, distance_m, speed_mps))
                    else:
                        inside.append((camera, lane, -distance_m))
    lanes = twin.city.network.movements.from_lane[twin.city.network.movements.junction >= 0].tolist()
    twin.close()
    return {"approaches": approaches, "inside": inside, "signalled": set(lanes)}


def who_stands(net_file: str) -> list[tuple[int, int]]:
    """(vehicles that stand within 60 m before a signal, rows of cameras that stand there) for each second, in
    a network whose turning lanes are shorter than a vehicle."""
    twin = open_twin(net_file, 240.0, program="fixed", miss_rate=0.0, latency_s=0.0)
    result = []
    while not twin.ended:
        twin.step()
        rows = [one for one in twin.sense() if isinstance(one, Detections)]
        standing = 0
        for vehicle in libsumo.vehicle.getIDList():
            ahead = libsumo.vehicle.getNextTLS(vehicle)
            near = (
                bool(ahead)
                and ahead[0][2] <= 60.0
                and f":{ahead[0][0]}_" not in libsumo.vehicle.getLaneID(vehicle)
            )
            standing += near and libsumo.vehicle.getSpeed(vehicle) < 0.1
        seen = sum(int(((one.speed_mps < 0.1) & (one.distance_m <= 80.0)).sum()) for one in rows)
        result.append((standing, seen))
    twin.close()
    return result


def silence(scenario: str) -> list[tuple[float, list[int]]]:
    """(second, modes of all junctions) while the centre speaks for 60 s and then never again."""
    twin = open_twin(scenario, 120.0)
    result = []
    for tick in range(90):
        if tick < 60:
            now_s = twin.time_s
            twin.heartbeat()
            twin.apply(
                [StageRequest(j.id, j.stages[0].id, now_s, now_s + 100, "t") for j in twin.city.junctions]
            )
        twin.step()
        states = twin.sense()[-1]
        assert isinstance(states, SignalStates)
        result.append((float(tick), states.mode.tolist()))
    twin.close()
    return result


def save_and_resume(scenario: str, folder: Path) -> dict[str, Any]:
    twin = open_twin(scenario, 400.0)
    rotate(twin, 200)
    twin.save(folder)
    twin.save(folder)
    before = twin.status()
    ids = set(libsumo.vehicle.getIDList())
    twin.close()
    city = resolve_scenario(scenario)
    twin = Twin.resume(city, TwinOptions(end_s=city.demand.begin_s + 400.0), folder)
    after = twin.status()
    same = ids == set(libsumo.vehicle.getIDList())
    modes = [twin.sense()[-1].mode.tolist()]
    while not twin.ended:
        twin.step()
        modes.append(twin.sense()[-1].mode.tolist())
    metrics = twin.finish()
    return {
        "same_vehicles": same,
        "time": (before.time_s, after.time_s),
        "departed": (before.departed, after.departed),
        "first_modes": modes[0],
        "last_modes": modes[-1],
        "unsafe": metrics.unsafe_states,
        "files": sorted(path.name for path in folder.iterdir()),
        "departed_end": metrics.departed,
    }


def live_figures(scenario: str, length_s: float) -> dict[str, Any]:
    """The running delay of status() beside what SUMO's trip records say at the end."""
    twin = open_twin(scenario, length_s, program="fixed", track_live=True)
    while not twin.ended:
        twin.step()
    status, frame = twin.status(), twin.vehicle_frame()
    numbers = unpack_array(frame.number)
    xy = np.stack([unpack_array(frame.x_m), unpack_array(frame.y_m)])
    metrics = twin.finish()
    due = metrics.vehicles_due
    return {
        "status": msgspec.to_builtins(status),
        "delay_veh_s": metrics.mean_delay_s * due,
        "running": metrics.departed - metrics.arrived,
        "numbers": len(set(numbers.tolist())),
        "xy_finite": bool(np.isfinite(xy).all()),
        "departed": metrics.departed,
    }


def error_of(scenario: str, change: dict[str, Any], **options: Any) -> tuple[str, str]:
    """(kind, text) of the error that a broken city brings."""
    city = resolve_scenario(scenario)
    city = replace(city, demand=replace(city.demand, **change))
    try:
        Twin(city, TwinOptions(**options)).close()
    except CivicBrainError as error:
        return type(error).__name__, str(error)
    return "", ""


def program_changes(scenario: str) -> dict[str, Any]:
    twin = open_twin(scenario, 120.0)
    rotate(twin, 60)
    central = ControllerMode.CENTRAL in twin.sense()[-1].mode
    twin.set_program("local")
    junction = twin.city.junctions[0]
    now_s = twin.time_s
    twin.heartbeat()
    verdict = twin.apply([StageRequest(junction.id, junction.stages[0].id, now_s, now_s + 20, "t")])[0]
    modes = set(twin.sense()[-1].mode.tolist())
    shown = twin.status().program
    try:
        twin.set_program("actuated")
        refused = False
    except CivicBrainError:
        refused = True
    twin.set_program("central")
    again = twin.apply([StageRequest(junction.id, junction.stages[0].id, now_s, now_s + 20, "t")])[0]
    twin.close()
    return {
        "central": central,
        "rule": verdict.rule,
        "modes": modes,
        "shown": shown,
        "refused": refused,
        "again": again.outcome.value,
    }


def blocked_junction(scenario: str) -> tuple[bool, bool]:
    """(deadlock before, after) a vehicle has been held inside a junction for good."""
    twin = open_twin(scenario, 1000.0, program="fixed")
    held = ""
    while not held:
        twin.step()
        for name in libsumo.vehicle.getIDList():
            if libsumo.vehicle.getLaneID(name).startswith(":"):
                held = name
                libsumo.vehicle.setSpeed(held, 0.0)
                libsumo.vehicle.setSpeedMode(held, 0)
                break
    for _ in range(290):
        twin.step()
    before = twin._probe.deadlock
    for _ in range(60):
        twin.step()
    return before, twin.finish().deadlock
