"""What the platform asks of its controllers, for those who see to it that they follow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from civicbrain.city.arrays import frozen
from civicbrain.city.network import F64, I32


@dataclass(frozen=True, slots=True, eq=False)
class StagesAsked:
    """The stage of each request that guard and actuator have let through. j junctions."""

    stage: I32  # (j,) -1 where nothing new was asked for
    until_s: F64  # (j,) when that request expires


class Asked:
    """Keeps the newest request of each of `count` junctions."""

    def __init__(self, count: int) -> None:
        self._stage: I32 = np.full(count, -1, np.int32)
        self._until_s: F64 = np.full(count, -math.inf)

    def take(self, asked: StagesAsked) -> None:
        """Newer requests take the place of older ones."""
        new = asked.stage >= 0
        self._stage[new], self._until_s[new] = asked.stage[new], asked.until_s[new]

    def now(self, now_s: float) -> I32:
        """(j,) stage that a request in force asks for, -1 none. Read-only."""
        now: I32 = frozen(np.where(self._until_s > now_s, self._stage, -1), np.int32)
        return now
