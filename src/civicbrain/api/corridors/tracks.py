"""Signals and vehicles along ways, read out of the recorded picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from civicbrain.api.corridors.ways import Way
from civicbrain.api.playback.columns import Columns
from civicbrain.city.network import F64, I32, U8

LONGEST_HOLD_S = 5.0
"""A lamp that was seen holds until it is seen again, but no longer: beyond lies a gap."""

TRACK_EVERY_S = 2.0
_SAME_WAY = np.cos(np.radians(50.0))
_BACK_M = 15.0  # a vehicle that is so far back is on another part of the way
_STRAIGHT_M = 1.5  # points of a track that lie so near to the line between their neighbours are left out
_STATES = {ord("G"): "green", ord("g"): "green", ord("y"): "yellow", ord("Y"): "yellow", ord("u"): "yellow",
           ord("r"): "red", ord("R"): "red", ord("s"): "red"}  # fmt: skip
_RANK = {"green": 0, "yellow": 1, "red": 2}


@dataclass
class Track:
    kind: int
    time_s: list[float] = field(default_factory=list)
    distance_m: list[float] = field(default_factory=list)


@dataclass
class Seen:
    """Of one way. timelines: one a stop line, (start_s, end_s, state)."""

    timelines: list[list[tuple[float, float, str]]]
    tracks: list[Track]


class _Matcher:
    """Which vehicles drive along a way, and how far they are."""

    def __init__(self, way: Way) -> None:
        self._start = way.xy[:-1]
        step = way.xy[1:] - way.xy[:-1]
        length = np.maximum(np.linalg.norm(step, axis=1), 1e-9)
        self._step, self._square = step, length**2
        self._heading = step / length[:, None]
        self._along, self._stretch = way.along_m[:-1], np.diff(way.along_m)
        self._reach = way.reach_m[:-1]
        margin = float(self._reach.max())
        self._low, self._high = way.xy.min(axis=0) - margin, way.xy.max(axis=0) + margin

    def match(self, xy: F64, heading: F64) -> tuple[I32, F64]:
        """(rows, distance_m) of those on the way. xy, heading: (v, 2)."""
        near = np.flatnonzero(((xy >= self._low) & (xy <= self._high)).all(axis=1))
        offset = xy[near, None, :] - self._start
        share = np.clip((offset * self._step).sum(axis=2) / self._square, 0.0, 1.0)
        apart = np.linalg.norm(offset - share[:, :, None] * self._step, axis=2)
        apart[(apart > self._reach) | (heading[near] @ self._heading.T < _SAME_WAY)] = np.inf
        best = apart.argmin(axis=1) if len(near) else np.zeros(0, np.int64)
        rows = np.arange(len(near))
        good = np.isfinite(apart[rows, best])
        best, rows = best[good], rows[good]
        return near[good].astype(np.int32), self._along[best] + share[rows, best] * self._stretch[best]


class Reader:
    """Follows several ways through the same frames. bounds_m: those that the frames' positions count over."""

    def __init__(self, ways: Sequence[Way], bounds_m: tuple[float, float, float, float]) -> None:
        self._ways = ways
        self._matchers = [_Matcher(way) for way in ways]
        low_x, low_y, high_x, high_y = bounds_m
        self._low, self._size = np.array((low_x, low_y)), np.array((high_x - low_x, high_y - low_y)) / 65535.0
        self._samples: list[list[list[tuple[float, str]]]] = [[[] for _ in way.stop_lines] for way in ways]
        self._tracks: list[dict[int, Track]] = [{} for _ in ways]
        self._done: list[list[Track]] = [[] for _ in ways]
        self._tracked_s = -np.inf
        self.known_s = 0.0
        self._last_s = -np.inf

    def take(self, columns: Columns) -> None:
        """The next frame."""
        time_s = columns.time_s
        self.known_s += min(LONGEST_HOLD_S, time_s - self._last_s) if np.isfinite(self._last_s) else 1.0
        self._last_s = time_s
        for w, way in enumerate(self._ways):
            for k, stop in enumerate(way.stop_lines):
                if state := _state(columns.lamp, stop.groups):
                    self._samples[w][k].append((time_s, state))
        if time_s < self._tracked_s + TRACK_EVERY_S - 0.01 and time_s >= self._tracked_s:
            return
        self._tracked_s = time_s
        xy = self._low + np.column_stack((columns.x, columns.y)) * self._size
        angle = columns.angle.astype(np.float64) * (2 * np.pi / 256)
        heading = np.column_stack((np.sin(angle), np.cos(angle)))
        for w, matcher in enumerate(self._matchers):
            rows, distance_m = matcher.match(xy, heading)
            self._follow(w, time_s, columns, rows, distance_m)

    def _follow(self, w: int, time_s: float, columns: Columns, rows: I32, distance_m: F64) -> None:
        tracks = self._tracks[w]
        for row, at_m in zip(rows.tolist(), distance_m.tolist(), strict=True):
            number = int(columns.number[row])
            track = tracks.get(number)
            if track is not None:
                gone_s, back_m = time_s - track.time_s[-1], track.distance_m[-1] - at_m
                if gone_s > LONGEST_HOLD_S + TRACK_EVERY_S or back_m > _BACK_M:
                    self._done[w].append(track)
                    track = None
            if track is None:
                track = tracks[number] = Track(int(columns.kind[row]))
            track.time_s.append(time_s)
            track.distance_m.append(at_m)

    def seen(self) -> list[Seen]:
        """What was seen, a way each."""
        return [
            Seen(
                [_timeline(samples) for samples in self._samples[w]],
                [_thinned(one) for one in (*self._done[w], *self._tracks[w].values()) if len(one.time_s) > 1],
            )
            for w in range(len(self._ways))
        ]


def _state(lamp: U8, groups: Iterable[int]) -> str:
    """Of lamps that let the same way go: the freest; "" where they are dark."""
    states = [_STATES[int(lamp[g])] for g in groups if g < len(lamp) and int(lamp[g]) in _STATES]
    return min(states, key=_RANK.__getitem__, default="")


def _timeline(samples: list[tuple[float, str]]) -> list[tuple[float, float, str]]:
    timeline: list[tuple[float, float, str]] = []
    for k, (time_s, state) in enumerate(samples):
        following = samples[k + 1][0] if k + 1 < len(samples) else time_s + 1.0
        end_s = following if following - time_s <= LONGEST_HOLD_S else time_s + 1.0
        if timeline and timeline[-1][2] == state and timeline[-1][1] == time_s:
            timeline[-1] = (timeline[-1][0], end_s, state)
        else:
            timeline.append((time_s, end_s, state))
    return timeline


def _thinned(track: Track) -> Track:
    """Without the points that a straight line goes through anyway."""
    time_s, distance_m = track.time_s, track.distance_m
    kept = [0]
    for k in range(1, len(time_s) - 1):
        last = kept[-1]
        slope = (distance_m[k + 1] - distance_m[last]) / max(time_s[k + 1] - time_s[last], 1e-9)
        between = range(last + 1, k + 1)
        if any(
            abs(distance_m[last] + slope * (time_s[m] - time_s[last]) - distance_m[m]) > _STRAIGHT_M
            for m in between
        ):
            kept.append(k)
    kept.append(len(time_s) - 1)
    return Track(track.kind, [time_s[k] for k in kept], [distance_m[k] for k in kept])
