"""One run with buses: twin, the buses' radios, and the loop with the brains of the arm.

An arm says which signals there are and whether buses are given priority. Everything else is the same in every
arm: demand, seed, timetable, dwell times, how late each bus comes in. Runs in a process of its own.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from civicbrain.city.folder import load_city
from civicbrain.city.transit.timetable import Timetable, Trip
from civicbrain.contracts.transit import AskEnd
from civicbrain.core.errors import StudyError
from civicbrain.evaluate.arms import Arm, open_loop
from civicbrain.evaluate.transit.timing import LineTimes, timed
from civicbrain.twin.buses import BusDrive, BusOptions, BusTraffic
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Twin


@dataclass(frozen=True, slots=True)
class TransitRun:
    """One run to do. times: scheduled running times in place of the city's timetable, () for that.
    entry_late_s: mean of the lateness with which buses come in from outside (exponential), drawn with the
    seed; what they are late already is in their timetable, not in the traffic."""

    city_folder: Path
    arm: Arm
    seed: int
    begin_s: float
    end_s: float
    times: tuple[LineTimes, ...] = ()
    entry_late_s: float = 0.0
    dwell_cv: float = 0.0


class BusRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One bus in one arm. Seconds at each stop of its pattern: scheduled, and real (None where it has not
    been); entry_late_s is part of the scheduled times."""

    trip: str
    line: str
    pattern: str
    frequent: bool
    entry_late_s: float
    scheduled_s: list[float]
    left_s: list[float | None]
    arrived_s: list[float | None]
    time_loss_s: float
    over: bool


class TransitRunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run. others_delay_s: mean delay of all other vehicles due, s. asks: by kind and how they ended,
    "extension passed" -> count."""

    arm: str
    seed: int
    buses: list[BusRecord]
    others_due: int
    others_delay_s: float
    unsafe_states: int
    collisions: int
    asks: dict[str, int]
    refused: dict[str, int]
    positions_refused: dict[str, int]
    ledger_entries: int
    cpu_s: float


def run_transit(task: TransitRun) -> TransitRunRecord:
    """Simulate one run. Raises StudyError (a city without buses), TwinError, BrainError."""
    started = time.process_time()
    plain = load_city(task.city_folder)
    own = plain.timetable
    if own is None:
        raise StudyError("this city has no timetable", place=plain.name, remedy="import one with --timetable")
    timetable, entry_s = timed(own, task.times, task.entry_late_s, task.seed)
    city = replace(plain, given_timetable=timetable)
    running = open_loop(city, task.arm, task.seed)
    guard, loop = running.guard, running.loop
    options = TwinOptions(
        seed=task.seed, program=task.arm.program, begin_s=task.begin_s, end_s=task.end_s,
        emissions=False,
    )  # fmt: skip
    running.door.twin = twin = Twin(city, options)
    traffic = BusTraffic(city, task.seed, BusOptions(dwell_cv=task.dwell_cv))
    ended: list[AskEnd] = []
    try:
        while not twin.ended:
            twin.step()
            traffic.look(twin.time_s)
            if task.arm.brains:
                advice = loop.tick([*twin.sense(), *traffic.sense(twin.time_s)], twin.time_s)
                if advice.transit is not None:
                    ended += advice.transit.ended
        buses_delay_s, buses = traffic.delay_veh_s, len(traffic.drives)
        metrics = twin.finish()
    finally:
        twin.close()
    running.check(task.end_s)
    others = metrics.vehicles_due - buses
    refused: dict[str, int] = {}
    for (_, rule), count in loop.store.buses.refused.items():
        refused[rule] = refused.get(rule, 0) + count
    return TransitRunRecord(
        arm=task.arm.name,
        seed=task.seed,
        buses=[
            _record(drive, timetable, timetable.trips[name], entry_s.get(name, 0.0))
            for name, drive in traffic.drives.items()
        ],
        others_due=others,
        others_delay_s=(metrics.mean_delay_s * metrics.vehicles_due - buses_delay_s) / max(others, 1),
        unsafe_states=metrics.unsafe_states,
        collisions=metrics.collisions,
        asks=_counted(f"{end.kind} {end.why}" for end in ended),
        refused=dict(guard.refused),
        positions_refused=refused,
        ledger_entries=guard.ledger.count,
        cpu_s=time.process_time() - started,
    )


def _record(drive: BusDrive, timetable: Timetable, trip: Trip, entry_late_s: float) -> BusRecord:
    pattern = timetable.patterns[trip.pattern]
    return BusRecord(
        trip=trip.id,
        line=pattern.line,
        pattern=pattern.id,
        frequent=timetable.frequent[pattern.id],
        entry_late_s=entry_late_s,
        scheduled_s=trip.departure_s.tolist(),
        left_s=[_known(second) for second in drive.left_s],
        arrived_s=[_known(second) for second in drive.arrived_s],
        time_loss_s=drive.time_loss_s,
        over=drive.over,
    )


def _known(second: float) -> float | None:
    return None if math.isnan(second) else second


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
