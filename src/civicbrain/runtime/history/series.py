"""Minutes of everything that is a number with a name: city-wide indicators, ages of sources, observations."""

from __future__ import annotations

from collections import Counter

import numpy as np

from civicbrain.city.network import F64, I32
from civicbrain.runtime.history.minutes import Columns

MOST_OPEN = 3
"""Minutes that are open at a time: the one that goes on, the one before, and a clock that runs ahead."""


class SeriesMinutes:
    """Sums of the open minutes, one entry a series. late: observations of minutes that are closed."""

    def __init__(self) -> None:
        self._open: dict[int, list[F64]] = {}
        self._closed_to = -(2**31)
        self.late = 0

    def add(self, number: I32, minute: I32, value: F64) -> None:
        """All (k,): number of the series, minute (since 1970), value."""
        late = minute < self._closed_to
        if late.any():
            self.late += int(late.sum())
            number, minute, value = number[~late], minute[~late], value[~late]
        for one, count in Counter(minute.tolist()).items() if len(minute) < 64 else _counted(minute):
            if one not in self._open and len(self._open) >= MOST_OPEN:
                self.late += count
                continue
            rows = slice(None) if count == len(minute) else minute == one
            self._add(one, number[rows], value[rows])

    def _add(self, minute: int, number: I32, value: F64) -> None:
        size = int(number.max()) + 1
        sums = self._open.get(minute)
        if sums is None or len(sums[0]) < size:
            grown = [np.zeros(size), np.zeros(size), np.full(size, -np.inf), np.full(size, np.inf)]
            for old, new in zip(sums or (), grown, strict=False):
                new[: len(old)] = old
            sums = self._open[minute] = grown
        samples, total, highest, lowest = sums
        samples += np.bincount(number, minlength=len(samples))
        total += np.bincount(number, weights=value, minlength=len(total))
        np.maximum.at(highest, number, value)
        np.minimum.at(lowest, number, value)

    def close_before(self, minute: int) -> dict[int, Columns]:
        """Columns of every minute before that one; what comes for them later is late."""
        self._closed_to = max(self._closed_to, minute)
        closed = sorted(one for one in self._open if one < minute)
        return {one: _columns(one, self._open.pop(one)) for one in closed}

    def reopen(self, minute: int) -> None:
        """Time went back: minutes from that one on are open again, and empty."""
        self._closed_to = minute
        self._open = {one: sums for one, sums in self._open.items() if one < minute}


def _counted(minute: I32) -> list[tuple[int, int]]:
    values, counts = np.unique(minute, return_counts=True)
    return list(zip(values.tolist(), counts.tolist(), strict=True))


def _columns(minute: int, sums: list[F64]) -> Columns:
    samples, total, highest, lowest = sums
    rows = np.flatnonzero(samples)
    return {
        "minute": np.full(len(rows), minute, np.int32),
        "series": rows.astype(np.int32),
        "samples": samples[rows],
        "total": total[rows],
        "highest": highest[rows],
        "lowest": lowest[rows],
    }
