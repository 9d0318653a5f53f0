"""Short anonymous tracks inside one camera's view: which row of a frame is which row of the one before.

A row belongs to the track that is nearest to where the row's own speed says that it was a frame ago; each
is the other's nearest (mutual nearest neighbours), first on the same lane, then on the lanes that lead to
the same stop line, for those that change lanes. A vehicle that a camera overlooks is carried on for
`KEEP_FRAMES`. Nothing is known of a vehicle beyond its view: tracks end there, and have no identity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from civicbrain.brains.incidents.layout import I64, Layout
from civicbrain.city.network import F64, I32, U8, Bool
from civicbrain.city.observations import Detections

GATE_M = 3.5
"""Half of what two standing cars are apart (7.5 m): who is nearer is the vehicle itself. Errors of position
(0.5 m), and of a second's acceleration (up to 1.5 m), stay below it."""

CHANGE_MPS = 6.5
"""More than anybody brakes in a second (4.5 m/s², a firm stop; twice an error of 0.5 m/s on top)."""

KEEP_FRAMES = 4
"""Frames that a vehicle may be overlooked in a row: at a miss rate of 5 % one track in 160,000 is lost."""

CLOSE_S = 1.5
"""Frames further apart say only who stands: the gates above are made for one second, and who brakes for two
is not known again. It would look as if he had driven over the line, and another had come from nowhere."""

AFRESH_S = 3.0
"""A camera that was away for longer begins afresh: who stands where one stood may be another."""

STILL_M = 3.0
"""Who stays within this of a place stands there: a creeping queue moves more, and a camera errs less."""

DRIVES_MPS = 2.0
"""Above what a camera errs at one that stands (0.3 m/s)."""

_SPAN = 1.0e6  # metres of key a lane, more than any d


@dataclass(slots=True)
class Step:
    """What a frame brought. Rows are of the tracks after it.

    new: (c,) junction rows of cameras whose frame this is. close: (j,) those of which this and the frame
    before lie within `CLOSE_S`; who was born or has crossed is told of these alone. matched: rows seen before
    and now, with before_d and before_lane, and where they had come onto that lane (before_entered_d). born:
    rows that nobody was before. crossed_*: lane, speed and last d of those who drove over the stop line, and
    for how long they were followed before. dt_s: since the frame before.
    """

    time_s: float
    new: I32
    close: Bool
    matched: I64
    before_d: F64
    before_lane: I32
    before_entered_d: F64
    born: I64
    crossed_lane: I32
    crossed_speed: F64
    crossed_d: F64
    crossed_age_s: F64
    dt_s: float


class Tracks:
    """Columns of all live tracks; `update` replaces them. anchor_d, anchor_s: where it stands, and since
    when. missed: frames since it was last seen. entered_d: where it came onto its lane."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.reset()

    def reset(self) -> None:
        """Forget all."""
        count = len(self._layout.city.junctions)
        self._seen_s: F64 = np.full(count, -np.inf)
        self.lane: I32 = np.zeros(0, np.int32)
        self.camera: I32 = np.zeros(0, np.int32)
        self.kind: U8 = np.zeros(0, np.uint8)
        self.d: F64 = np.zeros(0)
        self.speed: F64 = np.zeros(0)
        self.born_s: F64 = np.zeros(0)
        self.anchor_d: F64 = np.zeros(0)
        self.anchor_s: F64 = np.zeros(0)
        self.missed: I32 = np.zeros(0, np.int32)
        self.entered_d: F64 = np.zeros(0)
        self.entered_s: F64 = np.zeros(0)
        self.drove: Bool = np.zeros(0, np.bool_)

    def stood_s(self, now_s: float) -> F64:
        """How long each has stood where it is."""
        return now_s - self.anchor_s

    def update(self, frame: Detections, seen_s: F64) -> Step | None:
        """Take in a frame. seen_s: (j,) time of each camera's newest frame, -inf where it has none. None
        where no camera says anything new."""
        new = seen_s > self._seen_s + 1e-3
        if not new.any():
            return None
        now_s = float(seen_s[new].max())
        again = new & np.isfinite(self._seen_s)
        gap_s = np.full(len(new), np.inf)
        gap_s[again] = seen_s[again] - self._seen_s[again]
        dt_s = float(np.median(gap_s[again])) if again.any() else 1.0
        close, afresh = new & (gap_s <= CLOSE_S), new & (gap_s > AFRESH_S)
        self._seen_s = np.where(new, seen_s, self._seen_s)
        take = new[frame.camera]
        lane, camera = frame.lane[take], frame.camera[take]
        d, speed = frame.distance_m[take].astype(np.float64), frame.speed_mps[take].astype(np.float64)
        kind = frame.vehicle_class[take]
        waits = ~new[self.camera]
        active = (new & ~afresh)[self.camera]

        back_d = d + speed * dt_s
        gate_m = GATE_M * (1.0 + 0.7 * np.minimum(self.missed, 2))
        row_of = match(self.lane, self.d, active, lane, back_d, gate_m, self.speed, speed)
        stem = self._layout.stem
        free_tracks = active.copy()
        free_tracks[row_of[row_of >= 0]] = False
        loose = np.flatnonzero(row_of < 0)
        if len(loose) and free_tracks.any():
            row_of[loose] = match(
                stem[self.lane], self.d, free_tracks, stem[lane[loose]], back_d[loose], gate_m, self.speed,
                speed[loose],
            )  # fmt: skip

        old = row_of >= 0
        before = row_of[old]
        anchor_d, anchor_s = d.copy(), np.full(len(d), now_s)
        still = np.abs(d[old] - self.anchor_d[before]) <= STILL_M
        kept = np.flatnonzero(old)[still]
        anchor_d[kept], anchor_s[kept] = self.anchor_d[row_of[kept]], self.anchor_s[row_of[kept]]
        born_s = np.full(len(d), now_s)
        born_s[old] = self.born_s[before]
        before_d, before_lane, before_entered_d = self.d[before], self.lane[before], self.entered_d[before]
        entered_d = d.copy()
        stays = before_lane == lane[old]
        entered_d[np.flatnonzero(old)[stays]] = before_entered_d[stays]
        entered_s = np.full(len(d), now_s)
        entered_s[np.flatnonzero(old)[stays]] = self.entered_s[before[stays]]
        drove = speed > DRIVES_MPS
        drove[old] |= self.drove[before]

        gone = active.copy()
        gone[before] = False
        ahead_d = self.d - np.where(gone, self.speed * dt_s, 0.0)
        missed = self.missed + gone
        over = gone & (ahead_d < 2.0) & (self.speed > 2.0)
        # one that was overlooked before may have braked meanwhile
        plain = over & (self.missed == 0) & close[self.camera]
        end = gone & ~over & (missed > KEEP_FRAMES)
        carried = (gone & ~over & ~end) | waits
        drift_d = np.where(carried & gone, np.maximum(ahead_d, 0.0), self.d)

        step = Step(
            now_s,
            new=np.flatnonzero(new).astype(np.int32),
            close=close,
            matched=np.flatnonzero(old),
            before_d=before_d,
            before_lane=before_lane,
            before_entered_d=before_entered_d,
            born=np.flatnonzero(~old & close[camera]),
            crossed_lane=self.lane[plain],
            crossed_speed=self.speed[plain],
            crossed_d=self.d[plain],
            crossed_age_s=now_s - self.born_s[plain],
            dt_s=dt_s,
        )
        keep = np.flatnonzero(carried)
        self.lane = np.concatenate([lane, self.lane[keep]])
        self.camera = np.concatenate([camera, self.camera[keep]])
        self.kind = np.concatenate([kind, self.kind[keep]])
        self.d = np.concatenate([d, drift_d[keep]])
        self.speed = np.concatenate([speed, self.speed[keep]])
        self.born_s = np.concatenate([born_s, self.born_s[keep]])
        self.anchor_d = np.concatenate([anchor_d, self.anchor_d[keep]])
        self.anchor_s = np.concatenate([anchor_s, self.anchor_s[keep]])
        self.entered_d = np.concatenate([entered_d, self.entered_d[keep]])
        self.entered_s = np.concatenate([entered_s, self.entered_s[keep]])
        self.drove = np.concatenate([drove, self.drove[keep]])
        self.missed = np.concatenate([np.zeros(len(d), np.int32), missed[keep].astype(np.int32)])
        return step

    def ahead(self) -> tuple[F64, U8]:
        """For each track the metres to the next one ahead on its lane (front to front; inf where none) and
        that one's class."""
        order = np.lexsort((self.d, self.lane))
        gap_m = np.full(len(order), np.inf)
        kind: U8 = np.zeros(len(order), np.uint8)
        same = self.lane[order[1:]] == self.lane[order[:-1]]
        gap_m[order[1:]] = np.where(same, self.d[order[1:]] - self.d[order[:-1]], np.inf)
        kind[order[1:]] = self.kind[order[:-1]]
        return gap_m, kind


def match(
    key: I32,
    place_m: F64,
    usable: Bool,
    key_now: I32,
    place_now_m: F64,
    gate_m: F64,
    speed: F64,
    speed_now: F64,
) -> NDArray[np.int64]:
    """Row of the track of each of the rows now, -1 for none: mutual nearest of the same key within gate_m of
    each track, whose speeds differ by no more than `CHANGE_MPS`. usable: tracks that may be taken."""
    result = np.full(len(key_now), -1, np.int64)
    rows = np.flatnonzero(usable)
    if not len(rows) or not len(key_now):
        return result
    old = key[rows].astype(np.float64) * _SPAN + place_m[rows]
    order = np.argsort(old)
    old, rows = old[order], rows[order]
    now = key_now.astype(np.float64) * _SPAN + place_now_m
    right = np.searchsorted(old, now)
    left_m = np.abs(now - old[np.maximum(right - 1, 0)])
    right_m = np.abs(old[np.minimum(right, len(old) - 1)] - now)
    nearest = np.where(left_m <= right_m, np.maximum(right - 1, 0), np.minimum(right, len(old) - 1))
    far_m = np.minimum(left_m, right_m)
    sorted_rows = np.lexsort((far_m, nearest))
    first = np.ones(len(sorted_rows), np.bool_)
    first[1:] = nearest[sorted_rows[1:]] != nearest[sorted_rows[:-1]]
    chosen = sorted_rows[first]
    chosen = chosen[far_m[chosen] <= gate_m[rows[nearest[chosen]]]]
    chosen = chosen[np.abs(speed[rows[nearest[chosen]]] - speed_now[chosen]) <= CHANGE_MPS]
    result[chosen] = rows[nearest[chosen]]
    return result
