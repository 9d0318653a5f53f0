"""One run with missions: twin, mission vehicles, and the loop with the brains of the arm.

An arm says which signals there are and whether missions are given priority. Everything else is the same in
every arm: demand, seed, missions, their routes and vehicles. Runs in a process of its own.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from civicbrain.city.folder import load_city
from civicbrain.contracts.missions import MissionPlan
from civicbrain.evaluate.arms import Arm, open_loop
from civicbrain.evaluate.missions.record import MissionRecord, MissionRunRecord
from civicbrain.twin.missions import MissionDrive, MissionTraffic, MissionTrip, with_mission_types
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin

SAMPLE_S, HORIZON_S = 10.0, 300.0
"""How often predictions are compared with what came; how far ahead."""


@dataclass(frozen=True, slots=True)
class MissionRun:
    """One run to do."""

    city_folder: Path
    arm: Arm
    seed: int
    trips: tuple[MissionTrip, ...]
    begin_s: float
    end_s: float


def run_missions(task: MissionRun) -> MissionRunRecord:
    """Simulate one run. Raises TwinError, BrainError."""
    started = time.process_time()
    city = load_city(task.city_folder)
    running = open_loop(city, task.arm, task.seed)
    guard, loop = running.guard, running.loop
    options = TwinOptions(
        seed=task.seed, program=task.arm.program, begin_s=task.begin_s, end_s=task.end_s, emissions=False
    )
    scratch = tempfile.TemporaryDirectory(prefix="civicbrain-missions-")
    running.door.twin = twin = Twin(with_mission_types(city, Path(scratch.name)), options)
    traffic = MissionTraffic(task.trips, seed=task.seed)
    samples: dict[str, list[tuple[float, MissionPlan]]] = {trip.mission.id: [] for trip in task.trips}
    last: dict[str, MissionPlan] = {}
    try:
        while not twin.ended:
            traffic.insert(twin.time_s)
            twin.step()
            traffic.look(twin.time_s)
            if not task.arm.brains:
                continue
            advice = loop.tick([*twin.sense(), *traffic.sense(twin.time_s)], twin.time_s)
            for plan in advice.missions:
                before = last.get(plan.mission)
                if before is not None and plan.replanned != before.replanned:
                    traffic.drive_along(plan.mission, plan.edges)
                last[plan.mission] = plan
                if twin.time_s % SAMPLE_S == 0.0:
                    samples[plan.mission].append((twin.time_s, plan))
        missions_delay_s = traffic.delay_veh_s
        metrics = twin.finish()
    finally:
        twin.close()
        scratch.cleanup()
    running.check(task.end_s)
    due = metrics.vehicles_due
    others = due - len(traffic.drives)
    return MissionRunRecord(
        arm=task.arm.name,
        seed=task.seed,
        missions=[
            _record(traffic.drives[trip.mission.id], last.get(trip.mission.id), samples[trip.mission.id])
            for trip in task.trips
            if trip.mission.id in traffic.drives
        ],
        others_due=others,
        others_delay_s=(metrics.mean_delay_s * due - missions_delay_s) / max(others, 1),
        unsafe_states=metrics.unsafe_states,
        collisions=metrics.collisions,
        emergency_stops=metrics.emergency_stops,
        refused=dict(guard.refused),
        ledger_entries=guard.ledger.count,
        cpu_s=time.process_time() - started,
    )


def _record(
    drive: MissionDrive, plan: MissionPlan | None, samples: list[tuple[float, MissionPlan]]
) -> MissionRecord:
    errors = list_errors(drive, samples)
    return MissionRecord(
        drive.trip.mission.id,
        drive.trip.blue_light,
        len(plan.passages) if plan else 0,
        drive.due_s,
        None if drive.arrived_s is None else drive.arrived_s - drive.due_s,
        drive.depart_delay_s,
        round(drive.time_loss_s, 2),
        plan.cross_wait_veh_s if plan else 0.0,
        len(errors),
        round(sum(real_s - at_s for at_s, _, real_s in errors), 1),
        round(sum(abs(predicted_s - real_s) for _, predicted_s, real_s in errors), 1),
        round(sum(predicted_s - real_s for _, predicted_s, real_s in errors), 1),
        list_arrivals(drive, samples),
    )


def list_arrivals(drive: MissionDrive, samples: list[tuple[float, MissionPlan]]) -> list[tuple[float, float]]:
    """(seconds to go, seconds later than that): each expected time of arrival that was shown, beside the real
    one; none where the vehicle has not arrived."""
    arrived_s = drive.arrived_s
    if arrived_s is None:
        return []
    return [
        (round(plan.eta_s - at_s, 1), round(arrived_s - plan.eta_s, 1))
        for at_s, plan in samples
        if plan.eta_s is not None and at_s < arrived_s
    ]


def list_errors(
    drive: MissionDrive, samples: list[tuple[float, MissionPlan]]
) -> list[tuple[float, float, float]]:
    """(second, arrival predicted then, arrival): each prediction of a stop line beside when the vehicle left
    the edge before it, no more than `HORIZON_S` ahead."""
    result = []
    left = list(drive.left_s)
    for at_s, plan in samples:
        for passage in plan.passages:
            if passage.passed_s is not None or passage.predicted_s is None or not passage.edge:
                continue
            real_s = next((s for edge, s in left if edge == passage.edge and s >= at_s), None)
            if real_s is not None and plan.state == "tracked" and 0.0 < real_s - at_s <= HORIZON_S:
                result.append((at_s, passage.predicted_s, real_s))
    return result
