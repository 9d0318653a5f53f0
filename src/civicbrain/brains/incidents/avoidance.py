"""Lanes that everybody leaves: something lies there that no camera sees as a vehicle.

Of those who drive on a lane of several, some stay on it past a place, some leave it in the `AHEAD_M` before.
Which share leaves is learned for each place, from a and b who stayed and left (a Beta distribution of at
most `KNOWN` drivers, so that it follows the demand). That n of them leave one after the other has the
probability of a Pólya urn, whose −ln is the score:

    S = −Σ ln((b + i) / (a + b + i)),  i = 0 … n − 1                          nats

Drivers of a platoon do as the one before them did: of those within `PLATOON_S` the first counts. One who
stays proves that the lane is free: S is 0 again. Who leaves behind somebody that stands has a reason that is
seen, and does not count. Where drivers sort themselves for their turns, b is great and S small; but who turns
where changes with the stages upstream, so who has only just come onto a lane, out of a side street or across
it from the next one, counts neither as leaving it nor as staying on it (`CAME_M`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.tracks import Step, Tracks
from civicbrain.city.incidents import IncidentKind
from civicbrain.city.network import F64, I32, Bool
from civicbrain.core.sentences import say

CELL_M = 10.0
AHEAD_M = 60.0
"""How far before an obstacle drivers leave its lane at most, 5 s at 12 m/s."""
CAME_M = 20.0
"""Who has been on a lane for so long had the choice to leave it."""
REASON_M, QUEUE_M, STANDS_MPS = 80.0, 25.0, 1.5
"""Who stands so far ahead is a reason to leave: of who drives, and of who stands himself, for he is in that
one's queue or in none (24 m front to front behind a truck, see `standing.py`), or so near the line at it."""

NATS, LEAST = 13.0, 4
"""e^-13 for about ten independent places on a lane with 500 drivers an hour: once in 90 lane hours; and at
least four drivers, whatever is known of the place."""
PLATOON_S, LEAST_S = 8.0, 60.0
"""And for a minute: the queue of one red goes off within a green, and half of it may want the next lane."""
KNOWN = 24.0
MEMORY_S = 240.0
"""Where nobody came for so long, those who left before say nothing."""


class Avoidance:
    """Call `update` with each frame."""

    def __init__(self, layout: Layout, sensitivity: float = 1.0) -> None:
        self._layout, self._nats = layout, NATS / sensitivity
        shape = (len(layout.camera), int(np.ceil(layout.range_m / CELL_M)) + 1)
        self._stayed: F64 = np.ones(shape)
        self._left: F64 = np.ones(shape)
        self.score: F64 = np.zeros(shape)
        self._leavers: F64 = np.zeros(shape)
        self._first_s: F64 = np.full(shape, np.nan)
        self._last_s: F64 = np.full(shape, -np.inf)

    def update(self, tracks: Tracks, step: Step, watched: Bool) -> list[Suspicion]:
        """watched: (n,) lanes whose camera delivered this frame and is trusted."""
        now_s, edge = step.time_s, self._layout.city.network.lanes.edge
        who = step.matched
        was, lane = step.before_lane, tracks.lane[who]
        stays = (was == lane) & watched[lane]
        self._stay(lane[stays], step.before_d[stays], tracks.d[who][stays], tracks.entered_d[who][stays])
        motor = self._layout.motor
        goes = (was != lane) & (edge[was] == edge[lane]) & motor[was] & watched[lane]
        goes &= step.close[tracks.camera[who]] & (step.before_entered_d >= tracks.d[who] + CAME_M)
        stands = tracks.speed < STANDS_MPS
        goes &= ~(stands[who] & (tracks.d[who] - self._layout.beyond_m[was] < QUEUE_M))  # at the line
        standing = np.sort(tracks.lane[stands] * 1e4 + tracks.d[stands])
        for row in np.flatnonzero(goes).tolist():
            reason_m = QUEUE_M if stands[who[row]] else REASON_M
            self._leave(int(was[row]), float(tracks.d[who[row]]), reason_m, standing, now_s)
        self.score[now_s - self._last_s > MEMORY_S] = 0.0
        return self._suspicions(now_s)

    def _stay(self, lane: I32, before_d: F64, d: F64, entered_d: F64) -> None:
        first = np.floor(before_d / CELL_M).astype(np.int64)
        longest_m = float((before_d - d).max(initial=0.0))  # far, where frames were lost
        for k in range(int(longest_m / CELL_M) + 2):
            cell = first - k
            past = (cell >= 0) & (cell < self.score.shape[1]) & (cell * CELL_M >= d)
            past &= entered_d >= cell * CELL_M + CAME_M
            at = (lane[past], cell[past])
            self.score[at] = 0.0
            self._leavers[at] = 0.0
            self._stayed[at] += 1.0
            self._forget(at)

    def _leave(self, lane: int, d: float, reason_m: float, standing: F64, now_s: float) -> None:
        key = lane * 1e4 + d
        if np.searchsorted(standing, key) > np.searchsorted(standing, key - reason_m):
            return
        low = max(int(np.ceil((d - AHEAD_M) / CELL_M)), int(self._layout.beyond_m[lane] / CELL_M) + 1)
        at = (lane, slice(low, int(d / CELL_M) + 1))
        begins = self.score[at] <= 0.0
        first = begins | (now_s - self._last_s[at] >= PLATOON_S)
        self._first_s[at] = np.where(begins, now_s, self._first_s[at])
        self._leavers[at] = np.where(begins, 1.0, self._leavers[at] + first)
        self.score[at] -= first * np.log(self._left[at] / (self._left[at] + self._stayed[at]))
        self._left[at] += 1.0
        self._last_s[at] = np.where(first, now_s, self._last_s[at])
        self._forget(at)

    def _forget(self, at: Any) -> None:
        known = self._stayed[at] + self._left[at]
        keep = np.minimum(KNOWN / known, 1.0)
        self._stayed[at] *= keep
        self._left[at] *= keep

    def _suspicions(self, now_s: float) -> list[Suspicion]:
        found = []
        sure = (self.score >= self._nats) & (self._leavers >= LEAST) & (now_s - self._first_s >= LEAST_S)
        for lane in np.flatnonzero(sure.any(axis=1)).tolist():
            score = np.where(sure[lane], self.score[lane], 0.0)
            cell = int(score.argmax())
            count, since_s = int(self._leavers[lane, cell]), float(self._first_s[lane, cell])
            text = f"{count} platoons in a row have left the lane {cell * CELL_M:.0f} m before the line"
            said = say("lane-left", text, count=count, before_m=float(cell * CELL_M))
            found.append(Suspicion(
                IncidentKind.CLOSED_LANE, float(score[cell]) / self._nats, since_s, said, lane,
                cell * CELL_M, quiet_s=120.0,
            ))  # fmt: skip
        return found
