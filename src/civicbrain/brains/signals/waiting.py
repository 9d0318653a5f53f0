"""Who has waited how long: the bound on red.

A stream waits from the moment it has demand and no green. Its clock is set back when it got a real chance:
its group showed 'G' for some seconds, or 'g' and its head moved (where no stage shows 'G', 'g' will do).
Signal groups that no camera can ask for (pedestrians, cycle crossings, approaches out of view) are taken to
have demand always.
"""

from __future__ import annotations

import numpy as np
from numba import boolean, float32, float64, int32, uint8, void

from civicbrain.brains.signals.approach import Streams
from civicbrain.brains.signals.demand import SOON, Demand
from civicbrain.city.model import City
from civicbrain.city.network import F32, F64, I32, U8, Bool
from civicbrain.science.compiled import array_in, compiled

CHANCE_S = 4.0
"""Green that counts as a chance: start-up and the first vehicle."""

MEMORY_S = 3.0
"""A vehicle that was there this long ago still is: cameras overlook some in single frames, and a clock set
back by such a frame would let a lone vehicle wait for ever."""

PRESENT_VEH = 0.4
"""Expected vehicles from which on a stream counts as asked for; below it is a share of somebody else."""

_G, _YIELDS, _AFTER_STOP = ord("G"), ord("g"), ord("s")


class Waiting:
    """Clocks of streams and of unseen groups, in seconds of red with demand."""

    def __init__(self, city: City, streams: Streams, never_full: Bool) -> None:
        """never_full: (g,) groups that no stage shows 'G'."""
        groups = city.signals.group_count
        self._streams = streams
        self.stream_s: F64 = np.zeros(streams.count + 1)
        self.credit_s: F64 = np.zeros(streams.count + 1)
        self.group_s: F64 = np.zeros(groups)
        seen_lane = np.zeros(len(city.network.lanes.ids), dtype=bool)
        seen_lane[city.cameras.lane] = True
        seen_group = np.zeros(groups, dtype=bool)
        seen_group[streams.group[seen_lane[streams.lane]]] = True
        self.unseen: Bool = ~seen_group
        self._group: I32 = np.append(streams.group, 0).astype(np.int32)
        self._never_full = never_full
        self._last_s: float | None = None
        self._asked_s = np.full(streams.count + 1, -np.inf)  # second of the last frame with demand
        self._stood_s = np.full(streams.count + 1, -np.inf)  # … with a vehicle standing at the line

    def update(self, now_s: float, lamps: U8, since_s: F32, demand: Demand) -> None:
        """lamps, since_s: (g,) as in SignalStates. Advances all clocks to now_s."""
        passed = 0.0 if self._last_s is None else now_s - self._last_s
        if passed < 0.0:  # the window began again
            self.stream_s[:] = 0.0
            self.credit_s[:] = 0.0
            self.group_s[:] = 0.0
            self._asked_s[:] = self._stood_s[:] = -np.inf
            passed = 0.0
        self._last_s = now_s
        _advance(
            now_s, passed, lamps, since_s, demand.vehicles, demand.standing_head, self._group,
            self._never_full, self.unseen,
            self.stream_s, self.credit_s, self.group_s, self._asked_s, self._stood_s,
        )  # fmt: skip

    def forgive(self, group: int) -> None:
        """Set back the clocks of one city-wide group."""
        self.stream_s[:-1][self._streams.group == group] = 0.0
        self.group_s[group] = 0.0


@compiled(
    void(
        float64, float64, array_in(uint8), array_in(float32), array_in(float64, 2), array_in(boolean),
        array_in(int32), array_in(boolean), array_in(boolean),
        float64[::1], float64[::1], float64[::1], float64[::1], float64[::1],
    )
)  # fmt: skip
def _advance(
    now_s: float, passed_s: float, lamps: U8, since_s: F32, vehicles: F64, standing_head: Bool,
    group: I32, never_full: Bool, unseen: Bool,
    stream_s: F64, credit_s: F64, group_s: F64, asked_s: F64, stood_s: F64,
) -> None:  # fmt: skip
    """Move the clocks (the last five) on by passed_s. group: (k + 1,) of each stream."""
    streams = len(stream_s)
    now = np.float32(now_s)
    for k in range(streams):
        lamp = lamps[group[k]]
        full, yielding = lamp == _G, lamp in (_YIELDS, _AFTER_STOP)
        shown = now - since_s[group[k]] >= CHANCE_S
        if standing_head[k]:
            stood_s[k] = now_s
        if standing_head[k] or vehicles[k, SOON] >= PRESENT_VEH:
            asked_s[k] = now_s
        stands = now_s - stood_s[k] < MEMORY_S
        asked = k < streams - 1 and now_s - asked_s[k] < MEMORY_S
        chance = (full or (yielding and never_full[group[k]])) and shown
        moved = yielding and shown and not stands
        stream_s[k] = 0.0 if chance or moved or not asked else stream_s[k] + passed_s
        # the wait still counts for those behind, until the queue that has waited is gone
        green = full or yielding
        credit_s[k] = max(credit_s[k], stream_s[k]) if green else stream_s[k]
        if vehicles[k, 0] < PRESENT_VEH:
            credit_s[k] = 0.0
    for g in range(len(group_s)):
        lamp = lamps[g]
        green = lamp in (_G, _YIELDS, _AFTER_STOP)
        group_s[g] = group_s[g] + passed_s if unseen[g] and not green else 0.0
