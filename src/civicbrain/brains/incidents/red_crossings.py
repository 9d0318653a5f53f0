"""Who drives over the line at reported red, and who stops for it: a sequential ratio test (Wald 1945).

A crossing is a vehicle that was followed for `FOLLOWED_S`, is no longer seen at a line that has been reported
red for `RED_S`, and does not turn up before it within `CONFIRM_S`: one that was only overlooked does. So
those count as well who slow down, look, and drive on, as at a dark signal. A stop is a first vehicle that has
stood at reported red for `STOPS_S`. Each adds ln(P(it | fault) / P(it | obeyed)), in nats; sums stay above 0
and fade with `MEMORY_S`:

    dark      of a junction: whoever comes drives on as soon as he can, or has to wait for others
    other     of a lane, added over the lanes of a junction: lamps show another thing than reported, so that
              everybody drives, while on other lanes everybody stops

Some cross at red at any junction: drivers who leave the road just before the line, and those that a camera
loses. Which share is learned for each junction, and at least `ERRS` of `KNOWN`. Of a platoon one counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.tracks import Step, Tracks
from civicbrain.city.network import F64, I32, Bool

FOLLOWED_S = 3.0
"""A row that was there for less may be anything: a wrong-way driver, a camera that invents vehicles."""

CONFIRM_S, NEAR_M = 3.0, 9.0
"""So long, and so near to the line, a vehicle that was overlooked would turn up: in three frames but one of
10,000, at a miss rate of 5 %."""

LATE_S = CONFIRM_S + 2.0

STOPS_S = 8.0
PLATOON_S = 4.0
MEMORY_S = 240.0

ERRS, KNOWN = 1.0, 160.0
"""Share of those who come at red that seem to cross it in ordinary traffic, as crossings, and of how
many: 1 in 200 to 1 in 500 on development runs."""
DARK, OTHER = 0.6, 0.97
"""Share of those that do at a dark signal, and where the lamp is green though reported red."""

NATS = 10.5
"""Three crossings and hardly a stop."""


@dataclass(slots=True)
class _Gone:
    """Somebody who seems to have crossed."""

    lane: int
    at_s: float


class RedCrossings:
    """score: (j,) nats of each junction; other: (j,) those that its lamps show another thing. first_s,
    last_s: (j,) when the first and the last that count crossed, nan and -inf for none. Call `update` with
    each frame."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        lanes, junctions = len(layout.camera), len(layout.city.junctions)
        self.score: F64 = np.zeros(junctions)
        self.other: F64 = np.zeros(junctions)
        self.first_s: F64 = np.full(junctions, np.nan)
        self.last_s: F64 = np.full(junctions, -np.inf)
        self._dark: F64 = np.zeros(junctions)
        self._errs: F64 = np.full(junctions, ERRS)
        self._came: F64 = np.full(junctions, KNOWN)
        self._lane: F64 = np.zeros(lanes)
        self._gone: list[_Gone] = []
        self._counted_s: F64 = np.full(lanes, -np.inf)
        self._stopped: F64 = np.full(lanes, np.nan)  # born_s of who has been counted as one that stops

    def update(self, tracks: Tracks, step: Step, red: Bool, watched: Bool) -> None:
        """red: (n,) lanes reported red for `RED_S`. watched: (n,) lanes whose camera is trusted."""
        now_s = step.time_s
        fade = math.exp(-step.dt_s / MEMORY_S)
        self._dark *= fade
        self._lane *= fade
        self._crossed(tracks, now_s, watched)
        lane = step.crossed_lane
        new = (
            red[lane]
            & watched[lane]
            & (step.crossed_age_s >= FOLLOWED_S)
            & (self._layout.junction[lane] >= 0)
        )
        self._gone += [_Gone(row, now_s) for row in lane[new].tolist()]
        self._stops(tracks, now_s, red, watched)
        has = self._layout.junction >= 0
        by_lane = np.bincount(self._layout.junction[has], weights=self._lane[has], minlength=len(self._dark))
        self.other = by_lane.astype(np.float64)
        self.score = np.maximum(self._dark, self.other)
        self.first_s[self.score <= 0.1] = np.nan

    def _crossed(self, tracks: Tracks, now_s: float, watched: Bool) -> None:
        """Those who have not turned up again count now."""
        if not self._gone:
            return
        layout = self._layout
        near = (tracks.d - layout.beyond_m[tracks.lane] < NEAR_M) & (tracks.missed == 0)
        stem, since_s = layout.stem[tracks.lane[near]], tracks.entered_s[near]
        still = []
        for one in self._gone:
            if now_s - one.at_s > LATE_S or not watched[one.lane]:
                continue  # not looked at second by second since
            if ((stem == layout.stem[one.lane]) & (since_s >= one.at_s)).any():
                continue
            if now_s - one.at_s < CONFIRM_S:
                still.append(one)
                continue
            if one.at_s - self._counted_s[one.lane] >= PLATOON_S:
                row = int(layout.junction[one.lane])
                self._counted_s[one.lane] = one.at_s
                share = max(self._errs[row] / self._came[row], ERRS / KNOWN)
                self._dark[row] += math.log(DARK / share)
                self._lane[one.lane] += math.log(OTHER / share)
                self._errs[row] += 1.0
                self._came[row] += 1.0
                self.first_s[row] = np.fmin(self.first_s[row], one.at_s)
                self.last_s[row] = one.at_s
        self._gone = still

    def _stops(self, tracks: Tracks, now_s: float, red: Bool, watched: Bool) -> None:
        layout = self._layout
        lane: I32 = tracks.lane
        stands = (tracks.d - layout.beyond_m[lane] < NEAR_M) & (tracks.stood_s(now_s) >= STOPS_S)
        rows = np.flatnonzero(stands & red[lane] & watched[lane] & (layout.junction[lane] >= 0))
        rows = rows[tracks.born_s[rows] != self._stopped[lane[rows]]]
        rows = rows[np.lexsort((tracks.d[rows], lane[rows]))]
        rows = rows[np.unique(lane[rows], return_index=True)[1]]  # the first of each lane
        self._stopped[lane[rows]] = tracks.born_s[rows]
        junction = layout.junction[lane[rows]]
        np.add.at(self._came, junction, 1.0)
        self._lane[lane[rows]] += math.log(1.0 - OTHER)
        np.add.at(self._dark, junction, math.log(1.0 - DARK))
        np.maximum(self._lane, 0.0, out=self._lane)
        np.maximum(self._dark, 0.0, out=self._dark)
