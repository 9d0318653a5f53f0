"""First vehicles that do not go though they may: a survival test of each lane's stop line.

T is for how many seconds the first vehicle has stood at the line while all that its lane leads to was green
for `START_S` and more, no exit was full, and, where it has to yield, nobody of another approach crossed.
Ordinary heads have a T too. How long is learned for each lane: the share p of heads with any, and their
scale m, taken as ΣT²/2ΣT (the mean residual life of renewal theory, Cox 1962: longer than the mean where T
is uneven). With the scale itself uncertain, T has a Lomax distribution, and what speaks against an ordinary
head is

    S = −ln P(T > t) = −ln p + K ln(1 + t / (K m))    nats

One line alone is suspected from `LINE_NATS` on. Several approaches of one junction whose heads do not go are
independent as long as nothing is wrong: their nats add up, and tell of a blocked junction sooner.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from civicbrain.brains.incidents.layout import I64, Layout
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.tracks import Step, Tracks
from civicbrain.city.incidents import IncidentKind
from civicbrain.city.network import F32, F64, Bool
from civicbrain.city.observations import SignalStates

START_S = 5.0
"""Green until the first vehicle must have moved: start-up lost time is about 2 s (HCM 7th ed., ch. 19), the
camera's frame is up to 1 s old, and a second is lost to the frame rate."""

LINE_NATS, JUNCTION_NATS, LEAST_NATS = 11.0, 12.0, 2.5
"""e^-11: one ordinary head in 60,000. A junction of 10 lanes and 60 cycles has 600 heads an hour; most of
those that stand long do so for a reason that is seen, which is not counted."""

K = 20.0
SCALE_S = np.array([4.0, 3.0, 2.0, 25.0])
"""Scale m before anything is learned: none of the lane's green is protected, some, all; no signal."""
LEAST_SCALE_S = 2.0
"""However brisk a lane's drivers are: one may be slow once."""

PRIOR_HEADS, KEEP = 4.0, 0.985
GAP_S = 5.0
"""Who may go but has to yield cannot be expected to while others cross: about the critical gap of a left turn
(4.5 s, HCM 7th ed., ch. 20) and the frame's age."""

ANY_S = 2.0
LASTS_S = 20.0


class Discharge:
    """score: (n,) nats of each lane's line. Call `update` with each frame."""

    def __init__(self, layout: Layout, sensitivity: float = 1.0) -> None:
        self._layout = layout
        lanes = len(layout.camera)
        self._line_nats, self._junction_nats = LINE_NATS / sensitivity, JUNCTION_NATS / sensitivity
        self.unused_s: F64 = np.zeros(lanes)
        self.score: F64 = np.zeros(lanes)
        self._head_born_s: F64 = np.full(lanes, np.nan)
        self._since_s: F64 = np.full(lanes, np.nan)
        self._stood_s: F64 = np.full(lanes, -np.inf)
        self._crossed_s: F64 = np.full(lanes, -np.inf)
        self._others = _other_approaches(layout)
        self._scale0: F64 = np.full(lanes, SCALE_S[2])
        self._heads: F64 = np.zeros(lanes)
        self._slow: F64 = np.zeros(lanes)  # heads with a T above `ANY_S`
        self._sum: F64 = np.zeros(lanes)
        self._squares: F64 = np.zeros(lanes)

    def update(
        self, tracks: Tracks, step: Step, rows: I64, weight: F32, held: Bool, signals: SignalStates,
        watched: Bool,
    ) -> list[Suspicion]:  # fmt: skip
        """rows: tracks that stand first at a line, weight: of a second of theirs. held: (n,) lanes with
        another reason to stand."""
        now_s = step.time_s
        goes, protected = self.green(signals, now_s)
        lanes = tracks.lane[rows]
        first = np.zeros(len(goes), np.bool_)
        first[lanes] = True
        born_s = np.full(len(goes), np.nan)
        born_s[lanes] = tracks.born_s[rows]
        crossed = np.bincount(step.crossed_lane, minlength=len(goes)) > 0
        self._crossed_s[crossed] = now_s
        counts = goes & watched & first & ~held
        counts[self._has_to_wait(np.flatnonzero(counts & (protected < 2)), now_s)] = False
        self._scale0[counts] = SCALE_S[protected[counts]]
        self._learn(crossed & np.isfinite(self._head_born_s))
        self.unused_s[crossed] = 0.0
        self._head_born_s[crossed] = np.nan
        crept = counts & (self.unused_s > 0.0) & (born_s > self._head_born_s)
        self._learn(crept)
        self.unused_s[crept] *= 0.5  # the next one stands there: not what a free lane shows
        each = np.ones(len(goes))
        each[lanes] = weight
        self.unused_s[counts] += step.dt_s * each[counts]
        gone = goes & watched & ~first & ~held & np.isfinite(self._head_born_s)
        self._learn(gone)
        self.unused_s[gone] = 0.0
        self._head_born_s[gone] = np.nan
        self._head_born_s[first] = born_s[first]
        self._since_s[lanes] = tracks.anchor_s[rows]
        self._stood_s[first] = now_s
        stale = now_s - self._stood_s > LASTS_S
        self.unused_s[stale] = 0.0
        self._head_born_s[stale] = np.nan
        self.score = self._nats()
        return self._suspicions()

    def _has_to_wait(self, lanes: I64, now_s: float) -> list[int]:
        """Of these lanes those whose junction somebody of another approach has just crossed."""
        return [
            lane for lane in lanes.tolist() if (self._crossed_s[self._others[lane]] > now_s - GAP_S).any()
        ]

    def _learn(self, lanes: Bool) -> None:
        """Heads of these lanes have gone: their T was ordinary, where nothing was suspected."""
        lanes = lanes & (self.score < self._line_nats)
        unused_s = self.unused_s[lanes]
        self._heads[lanes] = KEEP * self._heads[lanes] + 1.0
        self._slow[lanes] = KEEP * self._slow[lanes] + (unused_s > ANY_S)
        self._sum[lanes] = KEEP * self._sum[lanes] + unused_s
        self._squares[lanes] = KEEP * self._squares[lanes] + unused_s**2

    def _nats(self) -> F64:
        prior = PRIOR_HEADS * self._scale0
        scale_s = (self._squares / 2.0 + prior * self._scale0) / (self._sum + prior)
        share = (self._slow + 1.0) / (self._heads + 2.0)
        nats = K * np.log1p(self.unused_s / (K * np.maximum(scale_s, LEAST_SCALE_S)))
        result: F64 = np.where(self.unused_s > ANY_S, nats - np.log(share), 0.0)
        return result

    def _suspicions(self) -> list[Suspicion]:
        layout = self._layout
        ratio = self.score / self._line_nats
        some = np.flatnonzero(self.score >= LEAST_NATS)
        if not len(some):
            return []
        junction = layout.junction[some]
        for row in np.unique(junction[junction >= 0]).tolist():
            own = some[junction == row]
            stems = layout.stem[own]
            best = {stem: float(self.score[own[stems == stem]].max()) for stem in stems.tolist()}
            if len(best) > 1:
                ratio[own] = np.maximum(ratio[own], sum(best.values()) / self._junction_nats)
        return [self._suspicion(lane, float(ratio[lane])) for lane in some.tolist() if ratio[lane] >= 0.5]

    def _suspicion(self, lane: int, ratio: float) -> Suspicion:
        unused_s = float(self.unused_s[lane])
        text = f"the first vehicle does not go: {unused_s:.0f} s of green unused"
        if not self._layout.signalled[lane]:
            text = f"the first vehicle has not gone for {unused_s:.0f} s, by a line without a signal"
        return Suspicion(
            IncidentKind.STOPPED_VEHICLE, ratio, float(self._since_s[lane]), text,
            lane, float(self._layout.beyond_m[lane]) + 2.0, int(self._layout.junction[lane]),
            at_line=True, quiet_s=40.0,
        )  # fmt: skip

    def green(self, signals: SignalStates, now_s: float) -> tuple[Bool, I64]:
        """(n,) nothing that a lane leads to is without green, for `START_S`; row of `SCALE_S` for it."""
        layout = self._layout
        lamps = signals.lamps[layout.groups]
        long = now_s - signals.lamps_since_s[layout.groups] >= START_S
        protected = (lamps == ord("G")) & long
        green: F32 = (((lamps == ord("g")) & long) | protected).astype(np.float32)
        free = np.diff(layout.group_start) == 0
        goes: Bool = free & (layout.camera >= 0)
        level = np.where(free, 3, 0)
        has = np.flatnonzero(layout.signalled)
        if len(green) and len(has):
            start = layout.group_start[has]
            goes[has] = np.minimum.reduceat(green, start) > 0.0
            level[has] = np.logical_or.reduceat(protected, start).astype(np.int64)
            level[has] += np.logical_and.reduceat(protected, start)
        return goes, level


def _other_approaches(layout: Layout) -> dict[int, I64]:
    """Signalled lane -> lanes of the other approaches of its junction; of others none."""
    none = np.zeros(0, np.int64)
    found: dict[int, I64] = defaultdict(lambda: none)
    for row in np.unique(layout.junction[layout.junction >= 0]).tolist():
        own = np.flatnonzero(layout.junction == row)
        for lane in own.tolist():
            found[lane] = own[layout.stem[own] != layout.stem[lane]]
    return found
