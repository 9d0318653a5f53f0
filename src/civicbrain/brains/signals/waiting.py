"""Who has waited how long: the bound on red.

A stream waits from the moment it has demand and no green. Its clock is set back when it got a real chance:
its group showed 'G' for some seconds, or 'g' and its head moved (where no stage shows 'G', 'g' will do).
Signal groups that no camera can ask for (pedestrians, cycle crossings, approaches out of view) are taken to
have demand always.
"""

from __future__ import annotations

import numpy as np

from civicbrain.brains.signals.approach import Streams
from civicbrain.brains.signals.demand import SOON, Demand
from civicbrain.city.model import City
from civicbrain.city.network import F32, F64, U8, Bool

CHANCE_S = 4.0
"""Green that counts as a chance: start-up and the first vehicle."""

MEMORY_S = 3.0
"""A vehicle that was there this long ago still is: cameras overlook some in single frames, and a clock set
back by such a frame would let a lone vehicle wait for ever."""

PRESENT_VEH = 0.4
"""Expected vehicles from which on a stream counts as asked for; below it is a share of somebody else."""


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
        self._group = np.append(streams.group, 0)
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
        full, yielding = lamps == ord("G"), (lamps == ord("g")) | (lamps == ord("s"))
        shown_s = now_s - since_s
        chance = (full | (yielding & self._never_full)) & (shown_s >= CHANCE_S)

        here = demand.vehicles[:, SOON] >= PRESENT_VEH
        self._stood_s[demand.standing_head] = now_s
        self._asked_s[here | demand.standing_head] = now_s
        stands = now_s - self._stood_s < MEMORY_S
        asked = now_s - self._asked_s < MEMORY_S
        asked[-1] = False
        group = self._group
        self.stream_s += passed
        moved = yielding[group] & (shown_s[group] >= CHANCE_S) & ~stands
        self.stream_s[chance[group] | moved | ~asked] = 0.0
        # the wait still counts for those behind, until the queue that has waited is gone
        green = (full | yielding)[group]
        np.maximum(self.credit_s, self.stream_s, out=self.credit_s)
        self.credit_s[~green] = self.stream_s[~green]
        self.credit_s[demand.vehicles[:, 0] < PRESENT_VEH] = 0.0

        self.group_s += passed
        self.group_s[full | yielding | ~self.unseen] = 0.0

    def forgive(self, group: int) -> None:
        """Set back the clocks of one city-wide group."""
        self.stream_s[:-1][self._streams.group == group] = 0.0
        self.group_s[group] = 0.0
