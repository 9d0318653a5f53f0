"""First vehicles that do not go though they may: a survival test of each lane's stop line.

T is for how many seconds the first vehicle has stood at the line while all that its lane leads to was green
for `START_S` and more, no exit was full, nobody of its lane stood inside the junction before it, and, where
it has to yield, nobody of another approach crossed. How unlike the other heads of its lane that is, in nats,
`survival.py` tells. While an exit is not proven free, being neither in view nor entered by others, a queue
that nobody sees may hold up the head: a second counts for `UNPROVEN`.

One line alone is suspected from `LINE_NATS` on. Of several approaches of one junction whose heads do not go,
the nats add up, and tell of a blocked junction sooner; but one full exit may hold up all who want to go
there. Of approaches that share an exit the greatest counts, and ln k for each of the others: that its head
wants just this one of its k exits (`together`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from civicbrain.brains.incidents.layout import I64, Layout
from civicbrain.brains.incidents.survival import K, Survival
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.tracks import Step, Tracks
from civicbrain.city.incidents import IncidentKind
from civicbrain.city.network import F32, F64, Bool
from civicbrain.city.observations import SignalStates
from civicbrain.core.sentences import say

START_S = 5.0
"""Green until the first vehicle must have moved: start-up lost time is about 2 s (HCM 7th ed., ch. 19), the
camera's frame is up to 1 s old, and a second is lost to the frame rate."""

LINE_NATS, JUNCTION_NATS, LEAST_NATS = 11.0, 12.0, 2.5
"""e^-11: one ordinary head in 60,000. A junction of 10 lanes and 60 cycles has 600 heads an hour; most of
those that stand long do so for a reason that is seen, which is not counted."""

UNPROVEN = 0.75
ENTERED_S = 15.0
"""Who drove into an exit so lately shows that it is not full."""

LEAST_K = 8.0
"""Of a line under a signal of which nothing is known: lines differ, some for reasons that are not seen."""

SCALE_S = np.array([4.0, 3.0, 2.0, 25.0])
"""Scale m before anything is learned: none of the lane's green is protected, some, all; no signal."""
GAP_S = 5.0
"""Who may go but has to yield cannot be expected to while others cross: about the critical gap of a left turn
(4.5 s, HCM 7th ed., ch. 20) and the frame's age."""

LASTS_S = 20.0


class Discharge:
    """score: (n,) nats of each lane's line. heads: (j,) of all heads of a junction `together`. proven:
    (edges,) known to be free. Call `update` with each frame."""

    def __init__(self, layout: Layout, sensitivity: float = 1.0) -> None:
        self._layout = layout
        lanes = len(layout.camera)
        self._line_nats, self._junction_nats = LINE_NATS / sensitivity, JUNCTION_NATS / sensitivity
        self.unused_s: F64 = np.zeros(lanes)
        self.score: F64 = np.zeros(lanes)
        self.heads: F64 = np.zeros(len(layout.city.junctions))
        self._head_born_s: F64 = np.full(lanes, np.nan)
        self._since_s: F64 = np.full(lanes, np.nan)
        self._stood_s: F64 = np.full(lanes, -np.inf)
        self._crossed_s: F64 = np.full(lanes, -np.inf)
        self._others = _other_approaches(layout)
        self._usual = Survival(np.full(lanes, SCALE_S[2]), np.where(layout.signalled, LEAST_K, K))
        self._only_exit = np.array([next(iter(es)) if len(es) == 1 else -1 for es in layout.exit_edges])
        self._entered_s: F64 = np.full(len(layout.city.network.edges.ids), -np.inf)
        self.proven: Bool = np.zeros(len(self._entered_s), np.bool_)
        self._protected: I64 = np.zeros(lanes, np.int64)

    def update(
        self, tracks: Tracks, step: Step, rows: I64, weight: F32, held: Bool, signals: SignalStates,
        watched: Bool, seen: Bool,
    ) -> list[Suspicion]:  # fmt: skip
        """rows: tracks that stand first at a line, weight: of a second of theirs. held: (n,) lanes with
        another reason to stand. seen: (edges,) on which a queue would be seen."""
        now_s = step.time_s
        goes, protected = self.green(signals, now_s)
        lanes = tracks.lane[rows]
        first = np.zeros(len(goes), np.bool_)
        first[lanes] = True
        born_s = np.full(len(goes), np.nan)
        born_s[lanes] = tracks.born_s[rows]
        crossed = np.bincount(step.crossed_lane, minlength=len(goes)) > 0
        self._crossed_s[crossed] = now_s
        into = self._only_exit[step.crossed_lane]
        self._entered_s[into[into >= 0]] = now_s
        self.proven = seen | (now_s - self._entered_s <= ENTERED_S)
        counts = goes & watched & first & ~held
        self._protected = protected
        counts[self.has_to_wait(np.flatnonzero(counts), now_s)] = False
        self._usual.scale0_s[counts] = SCALE_S[protected[counts]]
        self._learn(crossed & np.isfinite(self._head_born_s))
        self.unused_s[crossed] = 0.0
        self._head_born_s[crossed] = np.nan
        crept = counts & (self.unused_s > 0.0) & (born_s > self._head_born_s)
        self._learn(crept)
        self.unused_s[crept] *= 0.5  # the next one stands there: not what a free lane shows
        each = np.ones(len(goes))
        each[lanes] = weight
        for lane in np.flatnonzero(counts & self._layout.signalled).tolist():
            if not self.is_proven(lane):
                each[lane] *= UNPROVEN
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
        self.score = self._usual.nats(self.unused_s)
        return self._suspicions()

    def has_to_wait(self, lanes: I64, now_s: float) -> list[int]:
        """Of these lanes those who may have to yield: not all that they lead to is protected, and somebody of
        another approach has just crossed."""
        return [
            lane
            for lane in lanes.tolist()
            if self._protected[lane] < 2 and (self._crossed_s[self._others[lane]] > now_s - GAP_S).any()
        ]

    def is_proven(self, lane: int) -> bool:
        """Whether all its exits are known to be free: in view, or entered lately."""
        return all(self.proven[edge] for edge in self._layout.exit_edges[lane])

    def _learn(self, lanes: Bool) -> None:
        """Heads of these lanes have gone."""
        self._usual.learn(np.flatnonzero(lanes), self.unused_s[lanes], self._line_nats)

    def _suspicions(self) -> list[Suspicion]:
        layout = self._layout
        ratio = self.score / self._line_nats
        some = np.flatnonzero(self.score >= LEAST_NATS)
        self.heads[:] = 0.0
        if not len(some):
            return []
        junction = layout.junction[some]
        for row in np.unique(junction[junction >= 0]).tolist():
            own = some[junction == row]
            best: dict[int, tuple[float, int]] = {}
            for lane in own.tolist():
                stem = int(layout.stem[lane])
                best[stem] = max(best.get(stem, (0.0, -1)), (float(self.score[lane]), lane))
            nats = together([(each, layout.exit_edges[lane]) for each, lane in best.values()], self.proven)
            self.heads[row] = nats
            if len(best) > 1:
                ratio[own] = np.maximum(ratio[own], nats / self._junction_nats)
        return [self._suspicion(lane, float(ratio[lane])) for lane in some.tolist() if ratio[lane] >= 0.5]

    def _suspicion(self, lane: int, ratio: float) -> Suspicion:
        unused_s = float(self.unused_s[lane])
        text = f"the first vehicle does not go: {unused_s:.0f} s of green unused"
        said = say("first-stays", text, unused_s=unused_s)
        if not self._layout.signalled[lane]:
            text = f"the first vehicle has not gone for {unused_s:.0f} s, by a line without a signal"
            said = say("first-stays-unsignalled", text, unused_s=unused_s)
        return Suspicion(
            IncidentKind.STOPPED_VEHICLE, ratio, float(self._since_s[lane]), said,
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


def together(heads: Sequence[tuple[float, frozenset[int]]], proven: Bool) -> float:
    """Nats of several approaches, where the one full exit that explains most of them may be the reason.
    heads: of each its nats and the edges that it leads to. proven: (edges,) that are not full."""
    total = sum(nats for nats, _ in heads)
    saved = 0.0
    for edge in frozenset().union(*(exits for _, exits in heads)):
        if proven[edge]:
            continue
        held = [(nats, math.log(len(exits))) for nats, exits in heads if edge in exits]
        most = max(held)
        rest = sum(min(nats, wants) for nats, wants in held) - min(most) + most[1]
        saved = max(saved, sum(nats for nats, _ in held) - most[0] - rest)
    return total - saved


def _other_approaches(layout: Layout) -> dict[int, I64]:
    """Signalled lane -> lanes of the other approaches of its junction; of others none."""
    none = np.zeros(0, np.int64)
    found: dict[int, I64] = defaultdict(lambda: none)
    for row in np.unique(layout.junction[layout.junction >= 0]).tolist():
        own = np.flatnonzero(layout.junction == row)
        for lane in own.tolist():
            found[lane] = own[layout.stem[own] != layout.stem[lane]]
    return found
