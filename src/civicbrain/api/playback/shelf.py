"""Which segments there are, and which have to go.

    playback/runs/000001/000042-0000061000.cbs     number of writing, first millisecond of the city's clock

A run is a stretch of time that goes back no further than a twin that resumes from its checkpoint. What was
written later holds: from its first instant on, it takes the place of what an earlier segment says.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from pathlib import Path

from civicbrain.api.playback.segment import read_figures, read_head

SUFFIX = ".cbs"
RESUMED_S = 120.0
"""A twin that was killed goes back to its last checkpoint, a minute at most, and a little."""

_NAME = re.compile(r"(\d{6,})-(-?\d+)" + re.escape(SUFFIX))


@dataclass(frozen=True, order=True)
class Segment:
    """until_s: from there on a later segment holds."""

    number: int
    first_s: float
    path: Path
    until_s: float = inf


@dataclass(frozen=True)
class Span:
    """A stretch without a gap, seconds of the city's clock; end exclusive."""

    start_s: float
    end_s: float


class Shelf:
    """The segments of one city below `folder`. Reading never fails: what is gone or broken is left out."""

    def __init__(self, folder: Path, city: str) -> None:
        self.folder, self.city = folder, city

    def list_runs(self) -> list[int]:
        """Numbers, oldest first."""
        with contextlib.suppress(OSError):
            return sorted(int(one.name) for one in (self.folder / "runs").iterdir() if one.name.isdigit())
        return []

    def run_folder(self, run: int) -> Path:
        return self.folder / "runs" / f"{run:06d}"

    def list_segments(self, run: int) -> list[Segment]:
        """Of one run, in the order of time, each up to where a later one holds."""
        found = sorted(_segments(self.run_folder(run)))
        until_s, holding = inf, []
        for one in reversed(found):
            if one.first_s < until_s:
                holding.append(Segment(one.number, one.first_s, one.path, until_s))
            until_s = min(until_s, one.first_s)
        return holding[::-1]

    def within(self, run: int, start_s: float, end_s: float) -> list[Segment]:
        """Those of this city that may hold something of [start_s, end_s)."""
        segments = self.list_segments(run)
        near = [one for one in segments if one.first_s < end_s and one.until_s > start_s]
        return [one for one in near if (head := read_head(one.path)) is not None and head.city == self.city]

    def last_s(self, run: int) -> float | None:
        """The newest instant of a run, None without any."""
        for segment in reversed(self.list_segments(run)):
            times = [time_s for time_s, _ in read_figures(segment.path) if time_s < segment.until_s]
            if times:
                return times[-1]
        return None

    def list_spans(self, run: int, longest_gap_s: float = 90.0) -> list[Span]:
        """Stretches that are kept, by the beginnings of segments; their ends are those of the last frames."""
        segments = self.list_segments(run)
        spans: list[Span] = []
        start = 0
        for row in range(1, len(segments) + 1):
            last = row == len(segments)
            if last or segments[row].first_s - segments[row - 1].first_s > longest_gap_s:
                end = segments[row - 1]
                times = [time_s for time_s, _ in read_figures(end.path) if time_s < end.until_s]
                if times:
                    spans.append(Span(segments[start].first_s, times[-1] + 1.0))
                start = row
        return spans

    def name(self, run: int, number: int, first_s: float) -> Path:
        """Where a new segment is written."""
        return self.run_folder(run) / f"{number:06d}-{round(first_s * 1000):010d}{SUFFIX}"

    def disk_bytes(self) -> int:
        return sum(size for _, size, _ in self._files())

    def enforce(self, keep_s: float, most_bytes: int, wall_s: float, writing: Path | None = None) -> int:
        """Delete what was last written longer than keep_s ago, then the oldest until the rest fits; returns
        how many went. Age is real time: a picture is kept so long, however fast the city's clock ran."""
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        deleted = 0
        for written_s, size, path in files:
            if path == writing or (written_s >= wall_s - keep_s and total <= most_bytes):
                continue
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                deleted += 1
            total -= size
        for folder in {path.parent for _, _, path in files}:
            if writing is None or folder != writing.parent:
                with contextlib.suppress(OSError):
                    folder.rmdir()  # only an empty one goes
        return deleted

    def _files(self) -> Iterable[tuple[float, int, Path]]:
        for run in self.list_runs():
            for segment in _segments(self.run_folder(run)):
                with contextlib.suppress(FileNotFoundError):
                    known = segment.path.stat()
                    yield known.st_mtime, known.st_size, segment.path


def _segments(folder: Path) -> Iterable[Segment]:
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if match := _NAME.fullmatch(path.name):
                yield Segment(int(match[1]), int(match[2]) / 1000, path)
