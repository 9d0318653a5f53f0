"""A map frame as columns, and its difference to the frame before: what a segment holds, before compression.

A vehicle stands where it would have gotten by going on as in the last step, plus a residual. Residuals are
small, and lie in planes of low and high bytes, so that the compressor finds runs of zeros. Vehicles are
numbered anew in each segment, in an order drawn by lot: nothing in a segment names a vehicle of another.

    u32 kept | u32 new | u32 g | u32 j | f32 measured speed | bit for each vehicle before: still there
    kept, then new: x, y (u16 residual, two planes), angle, speed (u8 residual); class u8 (new only)
    lamp, mode, stage (u8, exclusive or), delay, queue (u16 residual, two planes)
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.api.frames import MAGIC

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
_FRAME = struct.Struct("<4sIdfIII")  # frames.py
_HEAD = struct.Struct("<IIIIf")
_VEHICLE = (("number", "<u4"), ("x", "<u2"), ("y", "<u2"), ("angle", "u1"), ("speed", "u1"), ("kind", "u1"))
_SIGNAL = (("lamp", "u1", "g"), ("delay", "<u2", "j"), ("queue", "<u2", "j"), ("mode", "u1", "j"),
           ("stage", "u1", "j"))  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """A frame "CBF1" (frames.py) taken apart; stage as its byte."""

    time_s: float
    measured: float
    number: U32
    x: U16
    y: U16
    angle: U8
    speed: U8
    kind: U8
    lamp: U8
    delay: U16
    queue: U16
    mode: U8
    stage: U8

    @staticmethod
    def read(frame: bytes) -> Columns:
        """Views into the frame. Raises ValueError when it is none."""
        magic, _, time_s, measured, n, g, j = _FRAME.unpack_from(frame)
        if magic != MAGIC:
            raise ValueError("not a map frame")
        at, found = _FRAME.size, {}
        layout = [(name, kind, n) for name, kind in _VEHICLE]
        layout += [(name, kind, {"g": g, "j": j}[rows]) for name, kind, rows in _SIGNAL]
        for name, kind, rows in layout:
            found[name] = np.frombuffer(frame, kind, rows, at)
            at += -(-found[name].nbytes // 4) * 4
        return Columns(time_s, measured, **found)

    def pack(self, sequence: int) -> bytes:
        """The frame again."""
        head = (MAGIC, sequence & 0xFFFFFFFF, self.time_s, self.measured, len(self.number), len(self.lamp),
                len(self.delay))  # fmt: skip
        parts = [_FRAME.pack(*head)]
        for name in [name for name, *_ in (*_VEHICLE, *_SIGNAL)]:
            data = getattr(self, name).tobytes()
            parts += (data, b"\0" * (-len(data) % 4))
        return b"".join(parts)


@dataclass(frozen=True)
class _Before:
    """The frame before, in the segment's order, with each vehicle's last step; twin: its number outside."""

    columns: Columns
    step_x: U16
    step_y: U16
    twin: U32


def _nothing(g: int, j: int) -> _Before:
    u8, u16 = np.zeros(0, np.uint8), np.zeros(0, np.uint16)
    empty = Columns(0.0, 0.0, np.zeros(0, np.uint32), u16, u16, u8, u8, u8, np.zeros(g, np.uint8),
                    np.zeros(j, np.uint16), np.zeros(j, np.uint16), np.zeros(j, np.uint8),
                    np.zeros(j, np.uint8))  # fmt: skip
    return _Before(empty, u16, u16, np.zeros(0, np.uint32))


class Encoder:
    """One segment's frames, one after the other. rng: draws the order of the vehicles."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._before: _Before | None = None
        self._next = 0

    def encode(self, now: Columns) -> bytes:
        """What is to be compressed. Every frame of a segment has the same numbers of groups and junctions."""
        before = self._before or _nothing(len(now.lamp), len(now.delay))
        old = before.columns
        twin, rows = np.unique(now.number, return_index=True)  # a number counts once
        at = np.searchsorted(twin, before.twin)
        still = np.zeros(len(before.twin), bool)
        if len(twin):
            still = twin[np.minimum(at, len(twin) - 1)] == before.twin
        fresh = np.setdiff1d(np.arange(len(twin)), at[still], assume_unique=True)
        order = rows[np.concatenate((at[still], self._rng.permutation(fresh)))]
        number = np.concatenate(
            (old.number[still], np.arange(self._next, self._next + len(fresh), dtype=np.uint32))
        )
        self._next += len(fresh)
        own = replace(now, number=number, x=now.x[order], y=now.y[order], angle=now.angle[order],
                      speed=now.speed[order], kind=now.kind[order])  # fmt: skip
        kept = int(still.sum())
        x0, y0, angle0, speed0 = _expected(before, still, len(fresh))
        parts = [
            _HEAD.pack(kept, len(fresh), len(now.lamp), len(now.delay), now.measured),
            np.packbits(still).tobytes(),
            _planes(own.x - x0), _planes(own.y - y0),
            (own.angle - angle0).tobytes(), (own.speed - speed0).tobytes(), own.kind[kept:].tobytes(),
            (now.lamp ^ old.lamp).tobytes(), (now.mode ^ old.mode).tobytes(),
            (now.stage ^ old.stage).tobytes(), _planes(now.delay - old.delay), _planes(now.queue - old.queue),
        ]  # fmt: skip
        self._before = _after(before, own, still, now.number[order])
        return b"".join(parts)


class Decoder:
    """Inverse of `Encoder`."""

    def __init__(self) -> None:
        self._before: _Before | None = None
        self._next = 0

    def decode(self, raw: bytes, time_s: float) -> Columns:
        """The next frame of the segment. Raises ValueError when it is cut off."""
        kept, new, g, j, measured = _HEAD.unpack_from(raw)
        before = self._before or _nothing(g, j)
        old = before.columns
        count = kept + new
        cursor = _Cursor(raw, _HEAD.size)
        bits = cursor.take((len(old.number) + 7) // 8)
        still = np.unpackbits(bits, count=len(old.number)).astype(bool)
        if int(still.sum()) != kept:
            raise ValueError("the frame does not fit the one before")
        x0, y0, angle0, speed0 = _expected(before, still, new)
        x, y = x0 + cursor.planes(count), y0 + cursor.planes(count)
        angle, speed = angle0 + cursor.take(count), speed0 + cursor.take(count)
        kind = np.concatenate((old.kind[still], cursor.take(new)))
        number = np.concatenate((old.number[still], np.arange(self._next, self._next + new, dtype=np.uint32)))
        self._next += new
        lamp, mode, stage = (
            was ^ cursor.take(rows) for was, rows in ((old.lamp, g), (old.mode, j), (old.stage, j))
        )
        delay, queue = old.delay + cursor.planes(j), old.queue + cursor.planes(j)
        own = Columns(time_s, measured, number, x, y, angle, speed, kind, lamp, delay, queue, mode, stage)
        self._before = _after(before, own, still, number)
        return own


def _expected(before: _Before, still: NDArray[np.bool_], new: int) -> tuple[U16, U16, U8, U8]:
    """Where who is still there would be, and 0 for who is new."""
    old = before.columns

    def padded(kept: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate((kept, np.zeros(new, kept.dtype)))

    return (
        padded((old.x + before.step_x)[still]), padded((old.y + before.step_y)[still]),
        padded(old.angle[still]), padded(old.speed[still]),
    )  # fmt: skip


def _after(before: _Before, own: Columns, still: NDArray[np.bool_], twin: U32) -> _Before:
    kept = int(still.sum())
    step_x, step_y = np.zeros(len(own.x), np.uint16), np.zeros(len(own.y), np.uint16)
    step_x[:kept] = own.x[:kept] - before.columns.x[still]
    step_y[:kept] = own.y[:kept] - before.columns.y[still]
    return _Before(own, step_x, step_y, twin)


def _planes(residual: U16) -> bytes:
    """Small differences of either sign as small numbers; low bytes, then high bytes."""
    signed = residual.astype(np.int16)
    folded = ((signed << 1) ^ (signed >> 15)).astype(np.uint16)
    return (folded & 0xFF).astype(np.uint8).tobytes() + (folded >> 8).astype(np.uint8).tobytes()


class _Cursor:
    def __init__(self, raw: bytes, at: int) -> None:
        self._raw, self._at = raw, at

    def take(self, count: int) -> U8:
        found = np.frombuffer(self._raw, np.uint8, count, self._at)
        self._at += count
        return found

    def planes(self, count: int) -> U16:
        folded = self.take(count).astype(np.uint16) | (self.take(count).astype(np.uint16) << 8)
        found: U16 = (folded >> 1) ^ np.negative(folded & 1).astype(np.uint16)
        return found
