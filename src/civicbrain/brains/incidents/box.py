"""Who stands inside a junction though his way is free: as in a crash or breakdown there.

Known only from cameras that see the box: rows of `Detections` past the stop line (INSIDE_M). A driver who
turns across oncoming traffic waits there for a gap, a cross street's queue may reach into it, and who is
behind another waits for him. A second counts for nobody of these, that is while

- nobody from the same lane stands further in,
- no exit of his lane is full, nor of anybody else who stands inside (he may be in the way),
- nobody of another approach has just crossed, unless all that his lane leads to is shown `G`.

What is left over goes through the survival test of `survival.py`, learned for each junction. Those of several
approaches are added up as at the line: one full exit may hold up all who want to go there. An exit that
nobody sees may be full, and whoever stands inside with no reason that is seen most likely waits for it: until
it is proven free (`discharge.py`), a second counts for `UNPROVEN_INSIDE`.
"""

from __future__ import annotations

import numpy as np

from civicbrain.brains.incidents.discharge import Discharge, together
from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.survival import Survival
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.city.incidents import IncidentKind
from civicbrain.city.network import F64, I32, Bool
from civicbrain.city.observations import INSIDE_M, Detections
from civicbrain.core.sentences import say

STANDS_MPS, STILL_M = 1.5, 3.0
"""As in `tracks.py`: above what a camera errs."""

LOST_S = 4.5
"""So long one who stands may be overlooked: in four frames at a miss rate of 5 % one of 160,000."""

AHEAD_M = 13.0
SCALE_S, LEAST_K = 2.5, 12.0
"""Before anything is learned: most who stand inside have a reason that is seen."""
UNPROVEN_INSIDE = 0.5
"""At the line it is 0.75: who drove in expected to drive on, and most who cannot are held up beyond."""

BOX_NATS, SEVERAL_NATS = 11.0, 12.0
LEAST_STOOD_S = 15.0


class Box:
    """Call `look` and `update` with each frame. lanes: (n,) those of which somebody stands inside who has a
    reason: who is behind him at the line has it too."""

    def __init__(self, layout: Layout, sensitivity: float = 1.0) -> None:
        self._layout = layout
        count = len(layout.city.junctions)
        self._nats, self._several = BOX_NATS / sensitivity, SEVERAL_NATS / sensitivity
        self._usual = Survival(np.full(count, SCALE_S), np.full(count, LEAST_K))
        self.lanes: Bool = np.zeros(len(layout.camera), np.bool_)
        # who stands inside, one row each
        self._lane: I32 = np.zeros(0, np.int32)
        self._m: F64 = np.zeros(0)
        self._since_s: F64 = np.zeros(0)
        self._last_s: F64 = np.zeros(0)
        self._idle_s: F64 = np.zeros(0)
        self._told: Bool = np.zeros(0, np.bool_)

    def look(self, inside: Detections, now_s: float, watched: Bool) -> None:
        """Take in who stands inside. inside: rows past the line. watched: (n,) as everywhere."""
        rows = inside.speed_mps < STANDS_MPS
        lane = inside.lane[rows]
        past_m = -inside.distance_m[rows].astype(np.float64)
        kept = watched[lane]
        lane, past_m = lane[kept], past_m[kept]
        known = np.full(len(lane), -1, np.int64)
        for row in range(len(lane)):
            same = np.flatnonzero((self._lane == lane[row]) & (np.abs(self._m - past_m[row]) <= STILL_M))
            if len(same):
                known[row] = same[np.argmin(np.abs(self._m[same] - past_m[row]))]
        self._last_s[known[known >= 0]] = now_s
        new = known < 0
        count = int(new.sum())
        self._lane = np.concatenate([self._lane, lane[new]]).astype(np.int32)
        self._m = np.concatenate([self._m, past_m[new]])
        self._since_s = np.concatenate([self._since_s, np.full(count, now_s)])
        self._last_s = np.concatenate([self._last_s, np.full(count, now_s)])
        self._idle_s = np.concatenate([self._idle_s, np.zeros(count)])
        self._told = np.concatenate([self._told, np.zeros(count, np.bool_)])
        gone = now_s - self._last_s > LOST_S
        for row in np.flatnonzero(gone & watched[self._lane]).tolist():
            place = np.array([self._layout.camera[self._lane[row]]])
            self._usual.learn(place, self._idle_s[[row]], self._nats)
        for name in ("_lane", "_m", "_since_s", "_last_s", "_idle_s", "_told"):
            setattr(self, name, getattr(self, name)[~gone])

    def update(
        self, now_s: float, dt_s: float, full: Bool, line: Discharge, watched: Bool
    ) -> list[Suspicion]:
        """full: (n,) lanes with an exit that is. line: what is known of who crosses, and of exits."""
        self.lanes[:] = False
        if not len(self._lane):
            return []
        layout, lane = self._layout, self._lane
        junction = layout.camera[lane]
        held = np.unique(junction[full[lane]])
        behind = [
            bool(((lane == one) & (self._m > m + STILL_M) & (self._m < m + AHEAD_M)).any())
            for one, m in zip(lane.tolist(), self._m.tolist(), strict=True)
        ]
        waits = np.isin(lane, line.has_to_wait(np.unique(lane).astype(np.int64), now_s))
        counts = watched[lane] & ~np.isin(junction, held) & ~waits & ~np.array(behind)
        weight = np.array([1.0 if line.is_proven(one) else UNPROVEN_INSIDE for one in lane.tolist()])
        self._idle_s[counts] += dt_s * weight[counts]
        self.lanes[lane[~counts & (now_s - self._since_s >= LOST_S)]] = True
        found = []
        long = (self._idle_s > 0.0) & (now_s - self._since_s >= LEAST_STOOD_S)
        for row in np.unique(junction[long]).tolist():
            best: dict[int, int] = {}
            for one in np.flatnonzero(long & (junction == row)).tolist():
                stem = int(layout.stem[lane[one]])
                if stem not in best or self._idle_s[one] > self._idle_s[best[stem]]:
                    best[stem] = one
            longest = max(best.values(), key=lambda one: float(self._idle_s[one]))
            idle_s = np.zeros(len(layout.city.junctions))
            heads = []
            for one in best.values():
                idle_s[row] = self._idle_s[one]
                heads.append((float(self._usual.nats(idle_s)[row]), layout.exit_edges[lane[one]]))
            most = max(nats for nats, _ in heads)
            ratio = max(most / self._nats, together(heads, line.proven) / self._several)
            if ratio >= 1.0:
                self._told[list(best.values())] = True
            elif self._told[list(best.values())].any():
                ratio = 1.0  # he stands there still, whatever was learned of others meanwhile
            if ratio < 0.5:
                continue
            stood_s, onset_s = now_s - self._since_s[longest], float(min(self._since_s[list(best.values())]))
            found.append(
                Suspicion(
                    IncidentKind.BLOCKED_JUNCTION, ratio, onset_s,
                    say(
                        "inside-junction", f"a vehicle stands inside the junction for {stood_s:.0f} s, "
                        f"{self._idle_s[longest]:.0f} s of them with its way free",
                        stood_s=float(stood_s), idle_s=float(self._idle_s[longest]),
                    ),
                    junction=row, quiet_s=30.0,
                )
            )  # fmt: skip
        return found


def split(seen: Detections) -> tuple[Detections, Detections]:
    """Rows on the approaches, and rows inside junctions."""
    inside = seen.distance_m < -INSIDE_M
    if not inside.any():
        return seen, seen.only(inside)
    return seen.only(~inside), seen.only(inside)
