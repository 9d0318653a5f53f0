"""`Recorder`: folds what the brain process says into open minutes and writes those that are over.

A *run* is a stretch of time that never goes back. A twin that is resumed from its last checkpoint goes back
by less than REWIND_S: the minutes since are written again. Anything that goes further back (a window that
begins again, another `civicbrain run`) begins a new run, and what was before stays in its own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import structlog

from civicbrain.city.model import City
from civicbrain.city.network import F64, I32
from civicbrain.city.observations import VehicleClass
from civicbrain.contracts.wire import unpack_array
from civicbrain.core.time import require_aware
from civicbrain.runtime.history import layout
from civicbrain.runtime.history.crossings import Crossings
from civicbrain.runtime.history.files import write_whole
from civicbrain.runtime.history.indicators import CITY_SERIES
from civicbrain.runtime.history.layout import (
    JUNCTION,
    LANE,
    SECOND_SIGNALS,
    SECOND_VEHICLES,
    SERIES,
    Resolution,
    Table,
)
from civicbrain.runtime.history.minutes import Columns, Minute, View
from civicbrain.runtime.history.names import Names
from civicbrain.runtime.history.run_state import RUN_FILE, RunState, read_run_state
from civicbrain.runtime.history.seconds import RawMinute
from civicbrain.runtime.history.series import SeriesMinutes
from civicbrain.runtime.history.storage import Storage
from civicbrain.runtime.history.wire import Batch, Sample, SeriesList

REWIND_S = 180.0
"""A twin's checkpoint is at most 60 s old; with that, what a restart takes."""

GRACE_S = 2.0
"""Observations are waited for so long after the end of their minute."""

STATE = "state"
"""Source of the city-wide series."""

_log = structlog.get_logger("civicbrain.runtime.history")


@dataclass
class Counts:
    """What happened so far. failed: files that could not be written."""

    samples: int = 0
    odd_samples: int = 0
    observations: int = 0
    unnamed: int = 0
    minutes: int = 0
    rows: int = 0
    failed: int = 0
    last_write_ms: float = 0.0
    last_error: str = ""


class Recorder:
    """Writes the history of one city into `folder`. One thread."""

    def __init__(self, folder: Path, city: City, storage: Storage, *, keep_vehicles: bool = True,
                 wall: Callable[[], float] = time.time) -> None:  # fmt: skip
        self.folder, self.counts = folder, Counts()
        self._storage, self._keep_vehicles, self._wall = storage, keep_vehicles, wall
        self._epoch_s = require_aware(city.epoch).timestamp()
        self._group_start = city.signals.group_start
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.names = Names.open(folder, city.name, city.epoch)
        self._junctions = self.names.junctions([junction.id for junction in city.junctions])
        self._lanes = self.names.lanes(city.network.lanes.ids)
        self._city_series = {
            name: self.names.series_number(STATE, "city", name, unit) for name, unit in CITY_SERIES.items()
        }
        self.names.save()
        self._view = View(city)
        self._crossings = Crossings(city)
        self._series = SeriesMinutes()
        self._number_of: dict[int, int] = {}  # number in the brain process -> ours
        self._known: I32 = np.zeros(0, np.int32)
        self._stage: I32 | None = None
        self._minute_index = 0
        self._minute: Minute | None = None
        self._raw = RawMinute()
        runs = layout.list_runs(folder)
        self.run = runs[-1] if runs else None
        before = read_run_state(self.run) if self.run else None
        self.newest_s = before.newest_s if before else -math.inf

    # -- what comes in

    def take(self, sample: Sample) -> None:
        """Fold in one sample. One that does not fit the city is counted and dropped."""
        now_s = self._epoch_s + sample.time_s
        if not math.isfinite(now_s) or not self._fits(sample):
            self.counts.odd_samples += 1
            return
        self._place(now_s)
        self.newest_s = now_s
        self.counts.samples += 1
        index = math.floor(now_s / 60)
        if self._minute is None or index != self._minute_index:
            self._close()
            self._minute, self._minute_index, self._raw = Minute(self._view), index, RawMinute()
        self._fold(self._minute, sample, now_s)
        if now_s % 60 >= GRACE_S:
            self._write_series(index)

    def take_series(self, told: SeriesList) -> None:
        """Learn the names of series. A brain process that started again numbers them anew."""
        for one in told.series:
            number = self.names.series_number(one.source, one.entity, one.property, one.unit)
            self._number_of[one.number] = number
        self._known = np.full(max(self._number_of, default=-1) + 1, -1, np.int32)
        self._known[list(self._number_of)] = list(self._number_of.values())

    def take_batch(self, batch: Batch) -> None:
        """Fold in observations; those whose series has not been named yet are counted and dropped."""
        number, time_s, value = (unpack_array(a) for a in (batch.series, batch.time_s, batch.value))
        ours = np.full(len(number), -1, np.int32)
        inside = (number >= 0) & (number < len(self._known))
        ours[inside] = self._known[number[inside]]
        good = ours >= 0
        self.counts.unnamed += int((~good).sum())
        self.counts.observations += len(number)
        minute = np.floor((self._epoch_s + time_s[good]) / 60)
        self._series.add(ours[good], minute.astype(np.int32), value[good].astype(np.float64))

    def flush(self) -> None:
        """Write the minute that goes on, as at the end."""
        self._close()
        if self.run is not None:
            self._write_series(2**30)
        self._minute = None

    @property
    def late(self) -> int:
        """Observations that came after their minute was written."""
        return self._series.late

    # -- steps

    def _fits(self, sample: Sample) -> bool:
        view = self._view
        groups = int(self._group_start[-1])
        expected = ((sample.observed, view.lane_count), (sample.age_s, view.lane_count),
                    (sample.stage, view.junction_count), (sample.mode, view.junction_count),
                    (sample.lamps, groups))  # fmt: skip
        vehicles = len({array.shape for array in (sample.lane, sample.distance_m, sample.speed_mps,
                                                  sample.vehicle_class)}) == 1  # fmt: skip
        return vehicles and all(array.shape == (count,) for array, count in expected)

    def _place(self, now_s: float) -> None:
        """The run that this second belongs to."""
        back_s = self.newest_s - now_s
        if self.run is not None and back_s <= 0.0:
            return
        if self.run is not None and back_s <= REWIND_S:
            _log.info("time went back; its minutes are written again", seconds=round(back_s, 1))
            self._minute = None
            self._series.reopen(math.floor(now_s / 60))
        else:
            if self.run is not None:  # what came before the first sample of all belongs to it
                self.flush()
                self._series = SeriesMinutes()
            number = int(self.run.name) + 1 if self.run else 1
            self.run = self.folder / layout.RUNS / f"{number:06d}"
            self.run.mkdir(mode=0o700, parents=True)
            _log.info("a new run begins", run=number)
        self._stage = None
        self._crossings.reset()

    def _fold(self, minute: Minute, sample: Sample, now_s: float) -> None:
        second = int(now_s % 60)
        lane, distance_m, speed_mps, kind, observed, age_s, lamps, stage, mode = (
            unpack_array(a)
            for a in (
                sample.lane, sample.distance_m, sample.speed_mps, sample.vehicle_class, sample.observed,
                sample.age_s, sample.lamps, sample.stage, sample.mode,
            )
        )  # fmt: skip
        driving = kind != VehicleClass.PEDESTRIAN
        if not driving.all():
            lane, distance_m, speed_mps, kind = (a[driving] for a in (lane, distance_m, speed_mps, kind))
        seen_s: F64 = np.where(np.isfinite(age_s), sample.time_s - age_s.astype(np.float64), -math.inf)
        served = self._crossings.served(lane, distance_m, speed_mps, seen_s, lamps)
        changed = np.zeros(len(stage), np.bool_) if self._stage is None else stage != self._stage
        self._stage = stage.copy()
        if minute.taken[second]:
            minute.sums["served_veh"] += (
                served  # a second that is told twice counts once, its crossings do not
            )
            return
        minute.add_traffic(second, lane, speed_mps, kind, observed, served)
        minute.add_signals(mode, changed)
        queue = minute.queue[second, self._view.lane_count : -1]
        self._raw.add_signals(int(now_s), stage, mode, queue, lamps, self._group_start)
        if self._keep_vehicles:
            self._raw.add_vehicles(int(now_s), lane, distance_m, speed_mps, kind)
        self._add_series(sample, math.floor(now_s / 60))

    def _add_series(self, sample: Sample, minute: int) -> None:
        numbers = [self._city_series[name] for name in sample.city if name in self._city_series]
        values = [value for name, value in sample.city.items() if name in self._city_series]
        for source, age_s in sample.staleness_s.items():
            numbers.append(self.names.series_number(STATE, f"source:{source}", "staleness_s", "s"))
            values.append(age_s)
        number, value = np.array(numbers, np.int32), np.array(values, np.float64)
        good = np.isfinite(value)
        self._series.add(number[good], np.full(int(good.sum()), minute, np.int32), value[good])

    # -- writing

    def _close(self) -> None:
        """Write the open minute."""
        if self._minute is None or self.run is None:
            return
        start, failed = time.perf_counter(), self.counts.failed
        index, minute = self._minute_index, self._minute
        self._write(Resolution.MINUTE, JUNCTION, index, minute.junctions(index, self._junctions))
        self._write(Resolution.MINUTE, LANE, index, minute.lanes(index, self._lanes))
        self._write(Resolution.SECOND, SECOND_SIGNALS, index, self._raw.signals(self._junctions))
        if self._keep_vehicles:
            self._write(Resolution.SECOND, SECOND_VEHICLES, index, self._raw.vehicles(self._lanes))
        state = RunState(self.newest_s, self._wall())
        self._guarded(lambda: write_whole(self._run() / RUN_FILE, msgspec.json.encode(state)))
        if self.counts.last_error and self.counts.failed == failed:
            _log.info("history is written again", failed=failed)
            self.counts.last_error = ""
        self.counts.minutes += 1
        self.counts.last_write_ms = (time.perf_counter() - start) * 1000.0

    def _write_series(self, before: int) -> None:
        for index, columns in self._series.close_before(before).items():
            self._write(Resolution.MINUTE, SERIES, index, columns)

    def _write(self, resolution: Resolution, table: Table, index: int, columns: Columns) -> None:
        def write() -> None:
            self.names.save()
            self.counts.rows += self._storage.write(self._run(), resolution, table, index, columns)

        self._guarded(write)

    def _guarded(self, write: Callable[[], Any]) -> None:
        """A disk that is full or gone leaves a gap, counted and logged once; the history goes on."""
        try:
            write()
        except Exception as error:
            self.counts.failed += 1
            if not self.counts.last_error:
                _log.error("history cannot be written; further failures are only counted", reason=str(error))
            self.counts.last_error = str(error)[:300]

    def _run(self) -> Path:
        assert self.run is not None
        return self.run
