"""A segment: a minute of the moving picture in one file, readable up to wherever its writer was killed.

    "CBS2" | u32 length | msgpack Head | blocks
    block: u32 bytes of figures | u32 bytes of body | u32 CRC-32 of both | f64 time_s | figures | body

figures: msgpack of `Figures`, not compressed, so that a strip of figures is read without the pictures. body:
the segment's one zstd stream, flushed after each frame (columns.py). Blocks are written at once; one that is
cut off or does not fit its checksum ends the segment.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import zstandard

from civicbrain.api.playback.columns import Columns, Decoder, Encoder
from civicbrain.core.sentences import Sentence

MAGIC = b"CBS2"
LEVEL = 3
SEGMENT_S = 60.0
_LENGTH = struct.Struct("<I")
_BLOCK = struct.Struct("<IIId")
_LONGEST_PART = 64 * 1024 * 1024  # of a damaged length


class AlertNote(msgspec.Struct, frozen=True, array_like=True):
    """An alert that was raised since the frame before. said: its title as a sentence, () where it is text."""

    key: str
    severity: str
    title: str
    junction: str
    said: tuple[Sentence, ...] = ()


class Figures(msgspec.Struct, frozen=True, array_like=True):
    """What the strip said: None where it was not known."""

    vehicles: int | None = None
    stopped: int | None = None
    delay_s: float | None = None
    throughput_veh_per_h: float | None = None
    queue_veh: float | None = None
    alerts: tuple[AlertNote, ...] = ()


class Head(msgspec.Struct, frozen=True):
    """city: what the rows and the bounds belong to; a picture of another city is not shown."""

    city: str
    written_at: float


class SegmentWriter:
    """Writes one file, which must not be there yet. Raises OSError."""

    def __init__(self, path: Path, head: Head, rng: np.random.Generator | None = None) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self._encoder = Encoder(rng or np.random.default_rng())
        self._stream = zstandard.ZstdCompressor(level=LEVEL).compressobj()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        packed = msgspec.msgpack.encode(head)
        self._write(MAGIC + _LENGTH.pack(len(packed)) + packed)

    def add(self, columns: Columns, figures: Figures) -> int:
        """One frame; returns the bytes written."""
        raw = self._encoder.encode(columns)
        body = self._stream.compress(raw) + self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        told = msgspec.msgpack.encode(figures)
        head = _BLOCK.pack(len(told), len(body), zlib.crc32(body, zlib.crc32(told)), columns.time_s)
        self._write(head + told + body)  # one write: a reader sees the block or the end of the file
        return len(head) + len(told) + len(body)

    def close(self) -> None:
        """Nothing stands at the end of a segment: closing adds nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]


def read_head(path: Path) -> Head | None:
    """None when the file is no segment, or is gone."""
    try:
        with path.open("rb") as file:
            return _head(file.read(4096))[0]
    except (OSError, ValueError, struct.error):
        return None


def read_figures(path: Path) -> Iterator[tuple[float, Figures]]:
    """(time_s, figures) of each whole block; the pictures stay compressed."""
    for time_s, told, _ in _blocks(path):
        yield time_s, msgspec.msgpack.decode(told, type=Figures)


def read_columns(path: Path) -> Iterator[Columns]:
    """Each whole frame, its vehicles numbered from 0 within the segment."""
    decoder, stream = Decoder(), zstandard.ZstdDecompressor().decompressobj()
    try:
        for time_s, _, body in _blocks(path):
            yield decoder.decode(stream.decompress(body), time_s)
    except (ValueError, struct.error, zstandard.ZstdError):
        return  # what does not fit ends the segment, as what is cut off does


def _blocks(path: Path) -> Iterator[tuple[float, bytes, bytes]]:
    try:
        data = path.read_bytes()
        _, at = _head(data)
    except (OSError, ValueError, struct.error):
        return
    while at + _BLOCK.size <= len(data):
        told, body, checksum, time_s = _BLOCK.unpack_from(data, at)
        at += _BLOCK.size
        if told > _LONGEST_PART or body > _LONGEST_PART or at + told + body > len(data):
            return
        figures, frame = data[at : at + told], data[at + told : at + told + body]
        if zlib.crc32(frame, zlib.crc32(figures)) != checksum:
            return
        yield time_s, figures, frame
        at += told + body


def _head(data: bytes) -> tuple[Head, int]:
    if data[:4] != MAGIC:
        raise ValueError("not a segment")
    (length,) = _LENGTH.unpack_from(data, 4)
    end = 8 + length
    if end > len(data):
        raise ValueError("cut off")
    return msgspec.msgpack.decode(data[8:end], type=Head), end
