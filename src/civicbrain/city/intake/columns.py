"""Frames as columns, and what is done with many at a time: join, choose, bound each source's queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from civicbrain.city.intake.frames import Message
from civicbrain.city.network import F32, F64, I32, U8, Bool


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """k frames in order of arrival, n rows; the rows of a frame stand together, in the order of frames."""

    source: I32  # (k,) row in Sources, -1: unknown
    time_s: F64  # (k,) platform second at which it was taken
    received_s: F64  # (k,) platform second at which it arrived
    arrived: F64  # (k,) monotonic wall second at which it arrived
    rows: I32  # (k,) vehicles in it
    place: U8  # (n,) of the lane in the source's list
    distance_m: F32  # (n,)
    speed_mps: F32  # (n,)
    vehicle_class: U8  # (n,)

    @staticmethod
    def empty() -> Frames:
        none, times = np.zeros(0, np.int32), np.zeros(0)
        codes, numbers = np.zeros(0, np.uint8), np.zeros(0, np.float32)
        return Frames(none, times, times, times, none, codes, numbers, numbers, codes)

    def choose(self, keep: Bool) -> Frames:
        """Those frames, in the same order."""
        if keep.all():
            return self
        at = np.repeat(keep, self.rows)
        return Frames(
            self.source[keep], self.time_s[keep], self.received_s[keep], self.arrived[keep], self.rows[keep],
            self.place[at], self.distance_m[at], self.speed_mps[at], self.vehicle_class[at],
        )  # fmt: skip


class Arrival(msgspec.Struct):
    """One message as it lies in the queue. source_rows: as many as it has frames."""

    message: Message
    source_rows: list[int]
    received_s: float
    arrived: float


def join_frames(parts: Sequence[Frames]) -> Frames:
    """All of them, one after the other."""
    full = [part for part in parts if len(part.source)]
    if len(full) <= 1:
        return full[0] if full else Frames.empty()
    return Frames(*(np.concatenate([getattr(part, name) for part in full]) for name in Frames.__slots__))


def to_frames(arrivals: Sequence[Arrival], epoch_unix_s: float) -> Frames:
    """Many messages as columns: one copy of each column, whatever the number of messages."""
    if not arrivals:
        return Frames.empty()
    messages = [arrival.message for arrival in arrivals]
    counts = [len(arrival.source_rows) for arrival in arrivals]
    rows = _column([m.rows for m in messages], "<u2").astype(np.int32)
    distance_m, speed_mps = _column([m.distance for m in messages], "<f4"), _column(
        [m.speed for m in messages], "<f4"
    )  # fmt: skip
    if any(m.metres != 1.0 or m.mps != 1.0 for m in messages):
        totals = [m.row_count for m in messages]
        with np.errstate(over="ignore", invalid="ignore"):
            distance_m = distance_m * np.repeat(np.array([m.metres for m in messages], np.float32), totals)
            speed_mps = speed_mps * np.repeat(np.array([m.mps for m in messages], np.float32), totals)
    sources = [row for arrival in arrivals for row in arrival.source_rows]
    return Frames(
        np.array(sources, np.int32),
        _column([m.time_s for m in messages], "<f8") - epoch_unix_s,
        np.repeat(np.array([a.received_s for a in arrivals]), counts),
        np.repeat(np.array([a.arrived for a in arrivals]), counts),
        rows,
        _column([m.lane for m in messages], "u1"),
        distance_m,
        speed_mps,
        _column([m.vehicle_class for m in messages], "u1"),
    )


def newest_that_fit(frames: Frames, queue_rows: int) -> Bool:
    """(k,) True for the newest frames of each source that make up queue_rows rows at most, its very newest
    whatever its size. A frame of an empty street takes the room of one row, so that they are bounded too."""
    order = np.argsort(frames.source, kind="stable")[::-1]  # by source, newest first
    source, room = frames.source[order], np.maximum(frames.rows[order], 1)
    first = np.ones(len(order), np.bool_)
    first[1:] = source[1:] != source[:-1]
    used = np.cumsum(room)
    before = (used - room)[first]  # used by the sources in front
    used = used - before[np.cumsum(first) - 1]
    keep = np.empty(len(order), np.bool_)
    keep[order] = first | (used <= queue_rows)
    return keep


def in_turn(frames: Frames, budget_rows: int, turn: int, source_count: int) -> tuple[Bool, int]:
    """(k,) True for all frames of the sources whose turn it is, starting with source row `turn`, until
    budget_rows are used up (at least one that has something); and whose turn is next."""
    per_source = np.bincount(frames.source, np.maximum(frames.rows, 1), source_count)
    around = np.roll(per_source, -turn)
    used = np.cumsum(around)
    served = int(np.searchsorted(used, budget_rows, side="right"))
    if served == 0 or used[served - 1] == 0:
        served += 1
    if served >= source_count:
        return np.ones(len(frames.source), np.bool_), turn
    has_turn = np.zeros(source_count, np.bool_)
    has_turn[(turn + np.arange(served)) % source_count] = True
    return has_turn[frames.source], (turn + served) % source_count


def _column(parts: Sequence[bytes], dtype: Any) -> NDArray[Any]:
    return np.frombuffer(parts[0] if len(parts) == 1 else b"".join(parts), dtype)
