"""`HistoryEntry`: the brain process's door to the history. It copies, sends and never waits.

    entry = HistoryEntry(run_dir)
    flow = entry.series("loops", "lane:gneE3_0", "flow_veh_per_h", "veh/h")   # once
    entry.offer(series, time_s, value)   # arrays, from any thread, as often as wanted
    entry.take(sample)                   # the loop, once a tick
    entry.flush()                        # the loop, once a tick: sends what lies ready

What finds no room is shed, oldest first, and counted by source in `shed`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from civicbrain.city.network import F64, I32
from civicbrain.city.observations import Kind, Observation
from civicbrain.contracts.transport import HISTORY_IN, encode, open_pusher, push, ready_to_push
from civicbrain.contracts.wire import pack_array
from civicbrain.core.time import to_seconds
from civicbrain.runtime.history.wire import (
    BATCH_TOPIC,
    SAMPLE_TOPIC,
    SERIES_TOPIC,
    Batch,
    Sample,
    Series,
    SeriesList,
)

MOST_ROWS = 500_000
"""Observations that wait to be sent: ten seconds of the greatest load the platform is built for, 50,000/s."""

MOST_SAMPLES = 120
"""Samples that wait. One of a city of 1,300 junctions takes about 0.4 MB."""

MOST_SERIES = 50_000
ROWS_A_MESSAGE = 50_000
QUEUE_MESSAGES = 16
SAID_AGAIN_S = 10.0
"""A history process that starts again has its names of the series back after this long."""

STATE_SOURCE = "state"
"""The name under which samples are counted when they are shed."""


class HistoryEntry:
    """One a brain process. `offer`, `observe` and `series` may be called by any thread, the rest by the loop.

    shed: source -> observations (or samples, under "state") that found no room. refused_series: how many
    series were asked for beyond MOST_SERIES.
    """

    def __init__(self, run_dir: Path, *, most_rows: int = MOST_ROWS) -> None:
        self.shed: Counter[str] = Counter()
        self.refused_series = 0
        self._socket = open_pusher(run_dir, HISTORY_IN, QUEUE_MESSAGES)
        self._most_rows = most_rows
        self._lock = threading.Lock()
        self._numbers: dict[tuple[str, str, str, str], int] = {}
        self._series: list[Series] = []
        self._said = 0  # how many of them the other side was told since the last time that all were
        self._said_all_at = time.monotonic()
        self._batches: deque[tuple[I32, F64, F64]] = deque()
        self._rows = 0
        self._samples: deque[bytes] = deque()

    def series(self, source: str, entity: str, property_: str, unit: str) -> int:
        """The number of a series, made when it is new; -1 when there are too many."""
        key = (source, entity, property_, unit)
        with self._lock:
            number = self._numbers.get(key)
            if number is not None:
                return number
            if len(self._series) >= MOST_SERIES:
                self.refused_series += 1
                return -1
            number = self._numbers[key] = len(self._series)
            self._series.append(Series(number, *key))
            return number

    def offer(self, series: ArrayLike, time_s: ArrayLike, value: ArrayLike) -> int:
        """Hand over observations, all (k,): number of the series, platform second of their end, value.

        Returns how many were taken. Rows of no series and values that are not finite are left out; the
        oldest that wait go when there is no room. The arrays are copied. Raises ValueError when the shapes
        differ.
        """
        numbers = np.array(series, np.int32, ndmin=1)
        times, values = np.array(time_s, np.float64, ndmin=1), np.array(value, np.float64, ndmin=1)
        if numbers.ndim != 1 or not numbers.shape == times.shape == values.shape:
            raise ValueError(f"shapes differ: {numbers.shape}, {times.shape}, {values.shape}")
        good = (numbers >= 0) & (numbers < len(self._series)) & np.isfinite(times) & np.isfinite(values)
        if not good.all():
            numbers, times, values = numbers[good], times[good], values[good]
        if len(numbers) == 0:
            return 0
        with self._lock:
            self._batches.append((numbers, times, values))
            self._rows += len(numbers)
            self._shed_surplus()
        return len(numbers)

    def observe(self, data: Iterable[Observation], epoch: datetime) -> int:
        """The same for observations of slow sources, one record each; forecasts are left out."""
        rows = [
            (
                self.series(one.source, one.entity, one.property, one.unit),
                to_seconds(epoch, one.end),
                one.value,
            )
            for one in data
            if one.kind is not Kind.FORECAST
        ]
        if not rows:
            return 0
        numbers, times, values = zip(*rows, strict=True)
        return self.offer(numbers, times, values)

    def take(self, sample: Sample) -> None:
        """Hand over what was known after a tick."""
        self._samples.append(encode(sample))
        while len(self._samples) > MOST_SAMPLES:
            self._samples.popleft()
            self.shed[STATE_SOURCE] += 1

    def flush(self) -> None:
        """Send what lies ready, as far as the other side takes it."""
        while self._batches and ready_to_push(self._socket):
            parts: list[tuple[I32, F64, F64]] = []
            with self._lock:
                while self._batches and sum(len(part[0]) for part in parts) < ROWS_A_MESSAGE:
                    parts.append(self._batches.popleft())
                self._rows -= sum(len(part[0]) for part in parts)
            numbers, times, values = (np.concatenate(column) for column in zip(*parts, strict=True))
            body = encode(Batch(*map(pack_array, (numbers, times, values))))
            # names first: who registers a series does so before offering rows of it
            if not (self._say_series() and push(self._socket, BATCH_TOPIC, body)):
                with self._lock:
                    self._batches.appendleft((numbers, times, values))
                    self._rows += len(numbers)
                    self._shed_surplus()
                break
        while self._samples and push(self._socket, SAMPLE_TOPIC, self._samples[0]):
            self._samples.popleft()

    def close(self) -> None:
        """Let the socket go; what was not sent is lost."""
        self._socket.close()

    def _say_series(self) -> bool:
        """Whether the other side was told all names that there are now."""
        now = time.monotonic()
        first, count = self._said, len(self._series)
        if now - self._said_all_at >= SAID_AGAIN_S:
            first = 0
        new = tuple(self._series[first:count])
        if new and push(self._socket, SERIES_TOPIC, encode(SeriesList(new))):
            self._said = count
            if first == 0:
                self._said_all_at = now
        return self._said >= count

    def _shed_surplus(self) -> None:
        """Drop the oldest until the rest fits (held: the lock)."""
        while (surplus := self._rows - self._most_rows) > 0:
            numbers, times, values = self._batches.popleft()
            count = min(len(numbers), surplus)
            self._count_shed(numbers[:count])
            self._rows -= count
            if count < len(numbers):
                self._batches.appendleft((numbers[count:], times[count:], values[count:]))

    def _count_shed(self, numbers: I32) -> None:
        gone, often = np.unique(numbers, return_counts=True)
        for number, count in zip(gone.tolist(), often.tolist(), strict=True):
            self.shed[self._series[number].source] += count
