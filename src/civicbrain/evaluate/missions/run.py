"""One run with missions: twin, mission vehicles, and the loop with the brains of the arm.

An arm says which signals there are and whether missions are given priority. Everything else is the same in
every arm: demand, seed, missions, their routes and vehicles. Runs in a process of its own.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from civicbrain.city.folder import load_city
from civicbrain.contracts.missions import MissionPlan
from civicbrain.evaluate.arms import Arm, open_loop
from civicbrain.twin.missions import MissionDrive, MissionTraffic, MissionTrip, with_mission_types
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin

SAMPLE_S = 10.0
"""How often a prediction is kept for the comparison with what came."""


@dataclass(frozen=True, slots=True)
class MissionRun:
    """One run to do."""

    city_folder: Path
    arm: Arm
    seed: int
    trips: tuple[MissionTrip, ...]
    begin_s: float
    end_s: float


class MissionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One mission in one arm. travel_s: from when it was due to its arrival, None where it did not arrive.
    errors: (second, junction, predicted arrival, real arrival) each 10 s for every stop line ahead."""

    id: str
    blue_light: bool
    urgency: int
    signals: int
    due_s: float
    travel_s: float | None
    depart_delay_s: float
    time_loss_s: float
    cross_wait_veh_s: float
    eta_without_s: float | None
    errors: list[tuple[float, str, float, float]]


class MissionRunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run. others_delay_s: mean delay of all other vehicles due, s."""

    arm: str
    seed: int
    missions: list[MissionRecord]
    others_due: int
    others_delay_s: float
    unsafe_states: int
    collisions: int
    emergency_stops: int
    refused: dict[str, int]
    ledger_entries: int
    cpu_s: float


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
    mission = drive.trip.mission
    return MissionRecord(
        id=mission.id,
        blue_light=drive.trip.blue_light,
        urgency=int(mission.urgency),
        signals=len(plan.passages) if plan else 0,
        due_s=drive.due_s,
        travel_s=None if drive.arrived_s is None else drive.arrived_s - drive.due_s,
        depart_delay_s=drive.depart_delay_s,
        time_loss_s=drive.time_loss_s,
        cross_wait_veh_s=plan.cross_wait_veh_s if plan else 0.0,
        eta_without_s=plan.eta_without_s if plan else None,
        errors=_errors(drive, samples),
    )


def _errors(
    drive: MissionDrive, samples: list[tuple[float, MissionPlan]]
) -> list[tuple[float, str, float, float]]:
    """Each prediction beside what came: when the vehicle left the edge before the stop line."""
    result = []
    left = list(drive.left_s)
    for at_s, plan in samples:
        for passage in plan.passages:
            if passage.passed_s is not None or passage.predicted_s is None or not passage.edge:
                continue
            real_s = next((s for edge, s in left if edge == passage.edge and s >= at_s), None)
            if real_s is not None and plan.state == "tracked":
                result.append((at_s, passage.junction, passage.predicted_s, real_s))
    return result
