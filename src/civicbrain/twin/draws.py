"""Random draws that depend on the seed, the stream and the instant alone, not on what was drawn before."""

from __future__ import annotations

import numpy as np

from civicbrain.city.network import F64


class Draws:
    """Uniform draws that depend on the seed, the stream and the instant alone. Philox counts by itself
    (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): setting its counter costs a
    quarter of seeding a generator anew."""

    def __init__(self, seed: int, stream: int) -> None:
        self._philox = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64))
        self._generator = np.random.Generator(self._philox)
        self._start = self._philox.state

    def at(self, instant: int, count: int) -> F64:
        """`count` draws from [0, 1) for an instant (any whole number from 0 on)."""
        self._set(instant)
        return self._generator.random(count)

    def normal_at(self, instant: int, count: int) -> F64:
        """`count` draws from the standard normal distribution for an instant."""
        self._set(instant)
        return self._generator.standard_normal(count)

    def _set(self, instant: int) -> None:
        self._start["state"]["counter"] = np.array([0, instant, 0, 0], dtype=np.uint64)
        self._philox.state = self._start
