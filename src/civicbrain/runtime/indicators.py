"""The figures of the live map: the strip's indicators from the twin's counters, and delay by junction from
what the cameras saw.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import msgspec
import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import F32, F64
from civicbrain.city.observations import Detections, VehicleClass
from civicbrain.city.snapshot import QUEUE_SPEED_MPS
from civicbrain.contracts.wire import Indicators, TwinStatus
from civicbrain.core.units import SECONDS_PER_HOUR

THROUGHPUT_WINDOW_S = 300.0
DELAY_WINDOW_S = 300.0
LONGEST_FRAME_GAP_S = 5.0
"""A camera that was silent for longer is not credited with the queue it may have missed."""


class MinuteFigures(msgspec.Struct, frozen=True):
    """The strip's figures at one moment of a run (time_s: platform seconds).
    throughput_span_s: how much of its window the throughput is of."""

    time_s: float
    vehicles: float
    mean_delay_s: float
    throughput_veh_per_h: float
    throughput_span_s: float = THROUGHPUT_WINDOW_S


class RunFigures:
    """Turns the twin's cumulative counters into the strip's figures; the same code for the live run and the
    fixed-plan comparison run, so that they compare."""

    def __init__(self) -> None:
        self._arrived: deque[tuple[float, int]] = deque()
        self._run = -1

    def update(self, status: TwinStatus) -> MinuteFigures:
        """Take in one status. A new run, or time that goes back, starts the throughput window again.

        mean delay = delay of all vehicles due so far (time loss + waiting to depart) / vehicles due so far.
        throughput = arrivals in the last 300 s (less at the beginning of a run), an hour.
        """
        if status.run != self._run or (self._arrived and status.time_s < self._arrived[-1][0]):
            self._arrived.clear()
            self._run = status.run
        if not self._arrived:
            first_s = (
                status.begin_s if status.time_s - status.begin_s <= THROUGHPUT_WINDOW_S else status.time_s
            )
            self._arrived.append((first_s, 0 if first_s == status.begin_s else status.arrived))
        self._arrived.append((status.time_s, status.arrived))
        while self._arrived[1][0] <= status.time_s - THROUGHPUT_WINDOW_S:
            self._arrived.popleft()
        since_s, before = self._arrived[0]
        span_s = status.time_s - since_s
        due = status.departed + status.waiting_to_depart
        return MinuteFigures(
            time_s=status.time_s,
            vehicles=status.running,
            mean_delay_s=status.delay_veh_s / due if due else 0.0,
            throughput_veh_per_h=(status.arrived - before) / span_s * SECONDS_PER_HOUR if span_s > 0 else 0.0,
            throughput_span_s=min(span_s, THROUGHPUT_WINDOW_S),
        )


def to_indicators(now: MinuteFigures, stopped: int, fixed: MinuteFigures | None) -> Indicators:
    """The strip: now beside the fixed plan's figures for the same minute."""
    return Indicators(
        vehicles=int(now.vehicles),
        mean_delay_s=now.mean_delay_s,
        throughput_veh_per_h=now.throughput_veh_per_h,
        stopped=stopped,
        fixed_vehicles=fixed.vehicles if fixed else None,
        fixed_mean_delay_s=fixed.mean_delay_s if fixed else None,
        fixed_throughput_veh_per_h=fixed.throughput_veh_per_h if fixed else None,
        throughput_span_s=now.throughput_span_s,
    )


@dataclass(slots=True)
class JunctionFigures:
    """queue_veh, delay_s: (j,) newest queue and estimated mean delay; delay NaN where nothing was seen."""

    queue_veh: F32
    delay_s: F32


class JunctionDelay:
    """Mean delay of the vehicles served lately at each junction, as its camera can estimate it.

    By Little's law (Little 1961, Oper. Res. 9(3), L = λW) the mean time a vehicle stands at a junction is the
    time vehicles stood there, added up, over the number served:

        delay = sum over frames of queued vehicles x dt  /  sum over frames of vehicles served

    A vehicle is queued below QUEUE_SPEED_MPS. Cameras give no identities, so a vehicle counts as served in
    the frame in which it will pass the stop line before the next one: distance < speed x dt. Both sums are
    forgotten exponentially with 300 s. Missed vehicles are missing above and below the line alike, so the
    miss rate does not bias it. What it leaves out: time lost while braking and accelerating, and queues
    beyond the camera's range; it colours a map, and is no figure of a study.
    """

    def __init__(self, city: City) -> None:
        count = len(city.junctions)
        self._queued_veh_s: F64 = np.zeros(count)
        self._served_veh: F64 = np.zeros(count)
        self._seen_s: F64 = np.full(count, math.nan)
        self._queue_veh: F64 = np.zeros(count)

    def reset(self) -> None:
        """Forget everything, as when a run starts again."""
        for column in (self._queued_veh_s, self._served_veh, self._queue_veh):
            column[:] = 0.0
        self._seen_s[:] = math.nan

    def fold(self, frame: Detections) -> None:
        """Take in one frame of some cameras."""
        frame = frame.on_approaches  # who is inside a junction has passed its line, once
        count = len(self._seen_s)
        cameras = frame.cameras[(frame.cameras >= 0) & (frame.cameras < count)]
        gap_s = np.zeros(count)
        gap_s[cameras] = np.nan_to_num(frame.end_s - self._seen_s[cameras], nan=0.0)
        gap_s = np.where((gap_s < 0) | (gap_s > LONGEST_FRAME_GAP_S), 0.0, gap_s)
        seen = (
            (frame.camera >= 0)
            & (frame.camera < count)
            & (frame.vehicle_class != VehicleClass.PEDESTRIAN)
            & np.isfinite(frame.speed_mps)
            & np.isfinite(frame.distance_m)
        )
        camera, speed_mps, distance_m = frame.camera[seen], frame.speed_mps[seen], frame.distance_m[seen]
        queued = np.bincount(camera[speed_mps < QUEUE_SPEED_MPS], minlength=count)
        passing = (speed_mps >= QUEUE_SPEED_MPS) & (distance_m < speed_mps * gap_s[camera])
        keep = np.exp(-gap_s / DELAY_WINDOW_S)
        self._queued_veh_s = self._queued_veh_s * keep + queued * gap_s
        self._served_veh = self._served_veh * keep + np.bincount(camera[passing], minlength=count)
        self._queue_veh[cameras] = queued[cameras]
        self._seen_s[cameras] = frame.end_s

    def figures(self) -> JunctionFigures:
        """The estimate now. Nobody served yet: the queue's time is laid on one vehicle."""
        delay_s = self._queued_veh_s / np.maximum(self._served_veh, 1.0)
        quiet = np.isnan(self._seen_s) | ((self._served_veh < 0.5) & (self._queued_veh_s < 1.0))
        delay_s[quiet] = math.nan
        return JunctionFigures(self._queue_veh.astype(np.float32), delay_s.astype(np.float32))
