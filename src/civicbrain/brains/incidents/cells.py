"""One-sided CUSUM tests over places: every lane in view, in cells of 10 m before the stop line.

S ← max(0, S + x − a), alarm at S ≥ h (Page 1954, "Continuous inspection schemes"). x is what speaks for an
incident in this second, a what is usual there and a margin: the mean of x over the last half hour, learned
while nothing is suspected. The threshold is h + `PEAK_FACTOR` × the mean peak that S reached before traffic
showed that nothing was wrong: where queues from further on hold up the first vehicle cycle after cycle, it
takes more than that.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from civicbrain.city.network import F32, F64, Bool

CELL_M = 10.0
USUAL_S = 1800.0
USUAL_FACTOR = 2.0
PEAK_FACTOR, PEAK_SHARE = 1.5, 0.25


class Cells:
    """shape: of the places. margin: least a. h: least threshold."""

    def __init__(self, shape: tuple[int, ...], margin: float, h: float) -> None:
        self.score: F32 = np.zeros(shape, np.float32)
        self.usual: F32 = np.zeros(shape, np.float32)
        self.since_s: F64 = np.full(shape, np.nan)
        self.peak: F32 = np.zeros(shape, np.float32)
        self.h = h
        self._margin = margin

    def update(self, x: F32, now_s: float, dt_s: float, watched: Bool | None = None) -> None:
        """x: as many as places, per second. watched: places that were looked at (all where None)."""
        change = (x - (self._margin + USUAL_FACTOR * self.usual)) * dt_s
        if watched is not None:
            change = np.where(watched, change, 0.0)
        threshold = self.threshold
        score = np.clip(self.score + change, 0.0, 2.0 * threshold)
        begun = (score > 0.0) & (self.score <= 0.0)
        self.since_s[begun] = now_s
        calm = score < 0.5 * threshold
        if watched is not None:
            calm &= watched
        self.usual += np.where(calm, (x - self.usual) * (dt_s / USUAL_S), 0.0).astype(np.float32)
        self.score = score.astype(np.float32)

    @property
    def threshold(self) -> F32:
        """What S has to reach at each place."""
        return np.float32(self.h) + np.float32(PEAK_FACTOR) * self.peak

    @property
    def alarms(self) -> Bool:
        """Places at which it has."""
        return self.score >= self.threshold

    def refute(self, where: Any, left: float = 0.0) -> None:
        """Traffic shows that nothing is wrong there: S falls to a share `left` of what it was, and what it
        had reached is remembered as usual."""
        score = self.score[where]
        told = score > 1.0
        peak = self.peak[where]
        self.peak[where] = np.where(told, peak + PEAK_SHARE * (score - peak), peak)
        self.score[where] = score * np.float32(left)
