"""One-sided CUSUM tests over places: every lane in view, in cells of 10 m before the stop line.

S ← max(0, S + x − a), alarm at S ≥ h (Page 1954, "Continuous inspection schemes"). x is what speaks for an
incident in this second, a what is usual there and a margin: the mean of x over the last half hour, learned
while nothing is suspected, so that a place where vehicles stand every cycle has to show more than that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.network import F32, F64, Bool

CELL_M = 10.0
USUAL_S = 1800.0
USUAL_FACTOR = 2.0


class Cells:
    """shape: of the places. margin: least a. limit: largest S kept, so that an end shows soon."""

    def __init__(self, shape: tuple[int, ...], margin: float, limit: float) -> None:
        self.score: F32 = np.zeros(shape, np.float32)
        self.usual: F32 = np.zeros(shape, np.float32)
        self.since_s: F64 = np.full(shape, np.nan)
        self._margin, self._limit = margin, limit

    def update(self, x: F32, now_s: float, dt_s: float, watched: Bool | None = None) -> None:
        """x: as many as places, per second. watched: places that were looked at (all where None)."""
        change = (x - (self._margin + USUAL_FACTOR * self.usual)) * dt_s
        if watched is not None:
            change = np.where(watched, change, 0.0)
        score = np.clip(self.score + change, 0.0, self._limit)
        begun = (score > 0.0) & (self.score <= 0.0)
        self.since_s[begun] = now_s
        calm = score < 0.25 * self._limit
        if watched is not None:
            calm &= watched
        self.usual += np.where(calm, (x - self.usual) * (dt_s / USUAL_S), 0.0).astype(np.float32)
        self.score = score.astype(np.float32)

    def clear(self, where: NDArray[np.intp] | tuple[NDArray[np.intp], ...]) -> None:
        """Nothing is wrong there."""
        self.score[where] = 0.0
