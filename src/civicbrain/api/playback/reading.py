"""A window of what is kept: as frames of the live map, and as figures and alerts over time."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import ceil

import numpy as np

from civicbrain.api.models.replay import ReplayMark
from civicbrain.api.playback.columns import Columns
from civicbrain.api.playback.segment import Figures, read_columns, read_figures
from civicbrain.api.playback.shelf import Shelf

_LENGTH = struct.Struct("<I")
_NUMBERS_OF_A_SEGMENT = 1 << 20
_SLACK_S = 0.01


def read_window(
    shelf: Shelf, run: int, start_s: float, end_s: float, step_s: float = 1.0
) -> Iterator[Columns]:
    """Frames of [start_s, end_s), at least step_s apart. Vehicles of two segments never share a number."""
    due_s = start_s
    for segment in shelf.within(run, start_s, end_s):
        base = np.uint32((segment.number * _NUMBERS_OF_A_SEGMENT) & 0xFFFFFFFF)
        for columns in read_columns(segment.path):
            if columns.time_s >= min(segment.until_s, end_s):
                break
            if columns.time_s >= due_s - _SLACK_S:
                due_s = columns.time_s + step_s
                yield replace(columns, number=columns.number + base)


def pack_window(frames: Iterator[Columns], most: int) -> bytes:
    """For each frame its length (u32, little endian) and the frame "CBF1"; `most` of them at most."""
    parts: list[bytes] = []
    for sequence, columns in zip(range(most), frames, strict=False):
        frame = columns.pack(sequence)
        parts += (_LENGTH.pack(len(frame)), frame)
    return b"".join(parts)


def list_figures(shelf: Shelf, run: int, start_s: float, end_s: float) -> Iterator[tuple[float, Figures]]:
    """(time_s, figures) of every frame of [start_s, end_s)."""
    for segment in shelf.within(run, start_s, end_s):
        for time_s, figures in read_figures(segment.path):
            if time_s >= min(segment.until_s, end_s):
                break
            if time_s >= start_s:
                yield time_s, figures


SERIES = ("vehicles", "stopped", "delay_s", "throughput_veh_per_h", "queue_veh")


class Strip:
    """Figures in steps: the mean of what was known in each, None for a step without any."""

    def __init__(self, start_s: float, end_s: float, most_steps: int) -> None:
        self.step_s = float(max(1, ceil((end_s - start_s) / most_steps)))
        self.start_s = start_s
        steps = max(1, ceil((end_s - start_s) / self.step_s))
        self._sum = np.zeros((len(SERIES), steps))
        self._count = np.zeros((len(SERIES), steps), np.int64)

    def add(self, time_s: float, figures: Figures) -> None:
        for name in SERIES:
            if (value := getattr(figures, name)) is not None:
                self.put(name, time_s, value)

    def put(self, name: str, time_s: float, value: float) -> None:
        """One value of one series."""
        at, row = int((time_s - self.start_s) // self.step_s), SERIES.index(name)
        if 0 <= at < self._sum.shape[1]:
            self._sum[row, at] += value
            self._count[row, at] += 1

    def series(self) -> dict[str, list[float | None]]:
        with np.errstate(invalid="ignore"):
            mean = self._sum / self._count
        return {
            name: [None if np.isnan(value) else round(float(value), 2) for value in mean[row]]
            for row, name in enumerate(SERIES)
        }


def alerts_of(figures: Iterable[tuple[float, Figures]]) -> Iterator[ReplayMark]:
    """Where an alert was raised, oldest first: all else that happened is told by the ledgers (`happened`)."""
    for time_s, now in figures:
        yield from (
            ReplayMark(time_s, "alert", a.title, a.severity, a.junction, said=list(a.said))
            for a in now.alerts
        )
