"""What runs in the twin's own process for the tests of faults; returns plain figures."""

from __future__ import annotations

from typing import Any

import libsumo
from twin_runs import open_twin

from civicbrain.twin.faults import Faults, LaneBlock

SCENARIO = "cologne1"


def busiest_lane() -> str:
    """Approach lane of the first junction that most vehicles stood on under the plan within 200 s."""
    twin = open_twin(SCENARIO, 200.0, program="fixed")
    movements, lanes = twin.city.network.movements, twin.city.network.lanes
    rows = {int(movements.from_lane[row]) for row in twin.city.signalled_movements.tolist()}
    seen: dict[str, set[str]] = {lanes.ids[row]: set() for row in sorted(rows) if lanes.length_m[row] > 80.0}
    while not twin.ended:
        twin.step()
        for lane, names in seen.items():
            names.update(libsumo.lane.getLastStepVehicleIDs(lane))
    twin.close()
    return max(seen, key=lambda lane: len(seen[lane]))


def blocked_lane(position_m: float, after_s: float, until_s: float) -> dict[str, Any]:
    """Block the busiest lane, seconds counted from the begin of the run."""
    lane = busiest_lane()
    twin = open_twin(SCENARIO, 400.0, program="fixed")
    while not twin.ended:
        twin.step()
    without = twin.finish()
    begin_s = twin.begin_s
    block = LaneBlock(lane, position_m, begin_s + after_s, begin_s + until_s)
    twin = open_twin(SCENARIO, 400.0, program="fixed", faults=Faults(lanes=(block,)))
    stands_s = goes_on_s = place_m = -1.0
    upstream: set[str] = set()
    passed = 0
    while not twin.ended:
        twin.step()
        held = twin._blocks.held.get(block)
        if held is None or goes_on_s >= 0.0:
            continue
        if stands_s < 0.0 and libsumo.vehicle.isStopped(held):
            stands_s, place_m = twin.time_s, libsumo.vehicle.getLanePosition(held)
        elif stands_s >= 0.0 and not libsumo.vehicle.isStopped(held):
            goes_on_s = twin.time_s
        if stands_s >= 0.0 and goes_on_s < 0.0:
            place = {n: libsumo.vehicle.getLanePosition(n) for n in libsumo.lane.getLastStepVehicleIDs(lane)}
            # who was behind on this lane and now is in front on this lane would have driven through
            passed += sum(
                name in upstream and place_m + 5.0 < at < place_m + 20.0 for name, at in place.items()
            )
            upstream = {name for name, at in place.items() if at < place_m - 1.0}
    metrics = twin.finish()
    return {
        "position_m": place_m,
        "stands_s": stands_s - begin_s,
        "goes_on_s": goes_on_s - begin_s,
        "passed_meanwhile": passed,
        "due": metrics.vehicles_due,
        "due_without": without.vehicles_due,
        "delay_s": metrics.mean_delay_s,
        "delay_without_s": without.mean_delay_s,
    }
