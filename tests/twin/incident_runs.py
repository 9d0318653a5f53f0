"""What runs in the twin's own process for the tests of incidents; returns plain figures."""

from __future__ import annotations

from typing import Any

import libsumo
import numpy as np
from fault_runs import SCENARIO, busiest_lane
from twin_runs import open_twin

from civicbrain.city.incidents import IncidentKind
from civicbrain.city.observations import Detections, SignalStates
from civicbrain.twin.incidents import RoadIncident


def incident_run(
    kind: str, mode: str = "", length_s: float = 300.0, lasts_s: float = 100.0
) -> dict[str, Any]:
    """One incident from 60 s on. What SUMO and the observations show while it lasts and after."""
    lane = busiest_lane()
    twin = open_twin(SCENARIO, length_s, miss_rate=0.0)
    city, begin_s = twin.city, twin.begin_s
    twin.close()
    junction = city.junctions[0].id
    place = {"lanes": (lane,), "position_m": 60.0}
    if kind in ("blocked_junction", "signal_fault", "sensor_fault"):
        place = {"junction": junction}
    one = RoadIncident("one", IncidentKind(kind), begin_s + 60.0, lasts_s, mode=mode, **place)
    twin = open_twin(SCENARIO, length_s, miss_rate=0.0, incidents=(one,))
    truth = twin.truths["one"]
    shown: list[str] = []
    reported: list[bytes] = []
    rows: list[int] = []
    ghosts: list[tuple[float, float]] = []
    seen: set[str] = set()
    unsafe = 0
    while not twin.ended:
        twin.step()
        lasts = truth.began_s >= 0 and truth.ended_s < 0
        seen.update(libsumo.vehicle.getIDList())
        for datum in twin.sense():
            if isinstance(datum, SignalStates) and lasts:
                reported.append(datum.lamps.tobytes())
                shown.append(libsumo.trafficlight.getRedYellowGreenState(junction))
            elif isinstance(datum, Detections) and lasts:
                rows.append(len(datum.lane))
                on_lane = datum.lane == city.network.lanes.row[lane]
                exact = on_lane & (np.abs(datum.speed_mps - one.speed_mps) < 1e-6)
                ghosts += [(datum.end_s, float(d)) for d in datum.distance_m[exact]]
        unsafe = twin.unsafe_states
    still = sorted(
        name for name in seen if name.startswith("civicbrain") and name in libsumo.vehicle.getIDList()
    )
    metrics = twin.finish()
    return {
        "began_s": truth.began_s - begin_s,
        "ended_s": truth.ended_s - begin_s,
        "vehicles": len(truth.vehicles),
        "shown": len(set(shown)),
        "dark": all(set(lamps) == {"o"} for lamps in shown),
        "reported": len(set(reported)),
        "first_shown": shown[0] if shown else "",
        "first_reported": reported[0].decode() if reported else "",
        "rows": rows,
        "ghosts": ghosts,
        "left_over": still,
        "due": metrics.vehicles_due,
        "unsafe": unsafe,
    }


def lanes_of_an_obstacle(length_s: float = 120.0) -> tuple[str, set[str]]:
    """The left lane of a road, and the lanes on which an obstacle that lies there was seen."""
    twin = open_twin(SCENARIO, length_s)
    lanes, begin_s = twin.city.network.lanes, twin.begin_s
    twin.close()
    row = next(r for r in range(1, len(lanes.ids)) if lanes.index[r] == 1 and lanes.length_m[r] > 100.0)
    one = RoadIncident(
        "one", IncidentKind.CLOSED_LANE, begin_s + 5.0, 200.0, lanes=(lanes.ids[row],), position_m=60.0
    )
    twin = open_twin(SCENARIO, length_s, incidents=(one,))
    seen = set()
    while not twin.ended:
        twin.step()
        there = [name for name in libsumo.vehicle.getIDList() if name.startswith("civicbrain")]
        seen.update(libsumo.vehicle.getLaneID(name) for name in there)
    twin.close()
    return lanes.ids[row], seen


def camera_errors(position_sd_m: float, speed_sd_mps: float) -> tuple[float, float]:
    """Standard deviations of what cameras say of places and speeds, of those that drive in mid-view."""
    seen: list[list[Detections]] = []
    for sds in ((0.0, 0.0), (position_sd_m, speed_sd_mps)):
        twin = open_twin(SCENARIO, 150.0, miss_rate=0.0, position_sd_m=sds[0], speed_sd_mps=sds[1])
        frames = []
        while not twin.ended:
            twin.step()
            frames += [datum for datum in twin.sense() if isinstance(datum, Detections)]
        twin.close()
        seen.append(frames)
    exact, noisy = seen
    position, speed = [], []
    for a, b in zip(exact, noisy, strict=True):
        inside = (a.distance_m > 10.0) & (a.speed_mps > 4.0)
        position += (b.distance_m - a.distance_m)[inside].tolist()
        speed += (b.speed_mps - a.speed_mps)[inside].tolist()
    return float(np.std(position)), float(np.std(speed))
