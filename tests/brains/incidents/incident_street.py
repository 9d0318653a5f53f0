"""A hand-made street for the tests of incidents: the sandbox city, seen second by second.

Junction A, approach WA (300 m, one lane): signals are set by hand, vehicles are given as (lane id, distance,
speed), everything else is left out. A camera errs as little as told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from civicbrain.brains.incidents import IncidentsBrain
from civicbrain.city.asked import StagesAsked
from civicbrain.city.incidents import Incident, IncidentReport
from civicbrain.city.observations import Detections, SignalStates, VehicleClass
from civicbrain.city.signals import ControllerMode
from civicbrain.city.store import Store
from civicbrain.contracts.sandbox import sandbox_city

CITY = sandbox_city()
Vehicle = tuple[str, float, float]  # lane, m before the stop line, m/s
CYCLE_S, GREEN_S = 60.0, 30.0


def is_green(time_s: float) -> bool:
    """The street W-E of both junctions has green in the first half of each minute."""
    return time_s % CYCLE_S < GREEN_S


def frame(time_s: float, vehicles: Sequence[Vehicle], cameras: Sequence[int] = (0, 1)) -> Detections:
    lanes = CITY.network.lanes.row
    camera_of = dict(zip(CITY.cameras.lane.tolist(), CITY.cameras.junction.tolist(), strict=True))
    rows = sorted((camera_of[lanes[name]], lanes[name], d, v) for name, d, v in vehicles)
    rows = [row for row in rows if row[0] in cameras]
    return replace(
        Detections.empty("cameras", time_s, np.array(cameras, np.int32)),
        camera=np.array([row[0] for row in rows], np.int32),
        lane=np.array([row[1] for row in rows], np.int32),
        distance_m=np.array([row[2] for row in rows], np.float32),
        speed_mps=np.array([row[3] for row in rows], np.float32),
        vehicle_class=np.full(len(rows), int(VehicleClass.CAR), np.uint8),
        next_movement=np.full(len(rows), -1, np.int32),
    )


def lamps(time_s: float, green: Callable[[float], bool] = is_green) -> SignalStates:
    """What both controllers report: all groups of W and E 'G' in their half, those of N and S else."""
    shown, since = [], []
    begun = time_s - time_s % (CYCLE_S / 2)
    for junction in CITY.junctions:
        for group in junction.groups:
            main = group.approach[0] in "WABE"
            shown.append(ord("G") if main == green(time_s) else ord("r"))
            since.append(begun)
    count = len(CITY.junctions)
    return SignalStates(
        "controllers", time_s, np.array(shown, np.uint8), np.array(since, np.float32),
        np.zeros(count, np.int32), np.full(count, begun, np.float32), np.zeros(count, np.int32),
        np.full(count, int(ControllerMode.LOCAL), np.uint8),
    )  # fmt: skip


def all_green(time_s: float) -> SignalStates:
    """The street has had green for ever."""
    states = lamps(time_s, lambda _: True)
    return replace(states, lamps_since_s=np.zeros_like(states.lamps_since_s))


class Street:
    """Plays a street to the brain. told: newest word on each incident, by id; ever: every word."""

    def __init__(self, **options: float) -> None:
        self.brain = IncidentsBrain(CITY, **options)
        self.store = Store(CITY)
        self.told: dict[str, Incident] = {}
        self.alerts: set[tuple[str, str]] = set()  # (key, what it says)
        self.ever: list[Incident] = []

    def play(
        self,
        seconds: Iterable[int],
        vehicles: Callable[[float], Sequence[Vehicle]],
        *,
        cameras: Callable[[float], Sequence[int]] = lambda _: (0, 1),
        states: Callable[[float], SignalStates] = all_green,
        reports: Sequence[IncidentReport] = (),
        asked: Callable[[float], int] = lambda _: -1,
    ) -> Street:
        for second in seconds:
            now_s = float(second)
            data: list[object] = [states(now_s), *(r for r in reports if r.reported_s == now_s)]
            stages = np.full(len(CITY.junctions), asked(now_s), np.int32)
            data.append(StagesAsked(stages, np.full(len(stages), now_s + 5.0)))
            seen = cameras(now_s)
            if seen:
                data.append(frame(now_s, vehicles(now_s), seen))
            self.store.fold(data, now_s)
            advice = self.brain.advise(self.store.snapshot(now_s))
            self.alerts.update((alert.key, alert.detail) for alert in advice.alerts)
            for incident in advice.incidents:
                self.told[incident.id] = incident
                self.ever.append(incident)
        return self

    @property
    def open(self) -> list[Incident]:
        return [one for one in self.told.values() if one.is_open]


def driving(time_s: float, lane: str = "WA_0", every_s: int = 12, speed: float = 10.0) -> list[Vehicle]:
    """Vehicles 120 m apart that cross the stop line without stopping: a street that flows, in green only."""
    return [
        (lane, d, speed)
        for start in range(int(time_s) - 15, int(time_s) + 1)
        if start % every_s == 0 and (d := 150.0 - (time_s - start) * speed) > 0.0
    ]
