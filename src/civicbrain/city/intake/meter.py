"""Rates and latencies of the last ten seconds, in buckets of one second."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from civicbrain.city.intake.counts import I64
from civicbrain.city.network import F64

WINDOW_S = 10

_EDGES_MS: F64 = np.geomspace(1.0, 60_000.0, 166)
"""Upper edges of the latency classes: each 6.9 % above the one before, so a percentile is that exact."""


@dataclass(slots=True)
class _Bucket:
    second: int
    frames: int = 0
    rows: int = 0
    shed_rows: int = 0
    latencies: I64 = field(default_factory=lambda: np.zeros(len(_EDGES_MS) + 1, np.int64))


class Meter:
    """All times are monotonic wall seconds, given by the caller."""

    def __init__(self) -> None:
        self._buckets: deque[_Bucket] = deque(maxlen=WINDOW_S + 1)

    def let_in(self, wall_s: float, frames: int, rows: int, shed_rows: int) -> None:
        bucket = self._now(wall_s)
        bucket.frames += frames
        bucket.rows += rows
        bucket.shed_rows += shed_rows

    def in_snapshot(self, wall_s: float, latency_s: F64) -> None:
        """Note how long frames took from arrival until a snapshot held them."""
        classes = np.searchsorted(_EDGES_MS, latency_s * 1000.0)
        self._now(wall_s).latencies += np.bincount(classes, minlength=len(_EDGES_MS) + 1)

    def rates(self, wall_s: float) -> tuple[float, float, float]:
        """Frames, rows and shed rows a second, over the full seconds of the window."""
        now = int(wall_s)
        full = [b for b in self._buckets if now - WINDOW_S <= b.second < now]
        if not full:
            return 0.0, 0.0, 0.0
        span_s = now - full[0].second
        return (
            sum(b.frames for b in full) / span_s,
            sum(b.rows for b in full) / span_s,
            sum(b.shed_rows for b in full) / span_s,
        )

    def latency_ms(self, wall_s: float, *shares: float) -> list[float]:
        """Percentiles (0 to 1) of the window's latencies, in ms, upper edges of their classes; 0 for none."""
        now = int(wall_s)
        total = np.zeros(len(_EDGES_MS) + 1, np.int64)
        for bucket in self._buckets:
            if bucket.second >= now - WINDOW_S:
                total += bucket.latencies
        count = int(total.sum())
        if not count:
            return [0.0 for _ in shares]
        rows = np.searchsorted(np.cumsum(total), np.array(shares) * count)
        return [float(_EDGES_MS[min(int(row), len(_EDGES_MS) - 1)]) for row in rows]

    def _now(self, wall_s: float) -> _Bucket:
        second = int(wall_s)
        if not self._buckets or self._buckets[-1].second != second:
            self._buckets.append(_Bucket(second))
        return self._buckets[-1]
