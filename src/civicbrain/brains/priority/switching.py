"""What a junction's stages give to a movement, how long the controller takes to show one, and who waits.

Times are reckoned as the controller will have them: minimum greens that still run, then the intergreens.
"""

from __future__ import annotations

import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import F64, I32, U8, Bool
from civicbrain.city.signals import Capability, Conflict, SignalJunction
from civicbrain.city.snapshot import Snapshot

ASKING_S = 1.0
"""A request is carried out in the second after it is made."""

_G, _YIELDING, _YELLOW = ord("G"), ord("g"), ord("y")


class JunctionTable:
    """One junction. lanes: rows of its approach lanes; green: (s, l) 1 where the stage gives the lane right
    of way for all it may do, less where it yields or serves a part."""

    def __init__(self, city: City, row: int) -> None:
        self.row = row
        self.junction: SignalJunction = city.junctions[row]
        self.start = int(city.signals.group_start[row])
        self.stop = int(city.signals.group_start[row + 1])
        stages = self.junction.stages
        self.lamps: U8 = np.array([[ord(c) for c in stage.lamps] for stage in stages], np.uint8).reshape(
            len(stages), len(self.junction.groups)
        )
        self.sound: Bool = np.array([_is_sound(self.junction, row) for row in self.lamps], np.bool_)
        self.takes_stages = self.junction.capability is Capability.STAGE and len(stages) > 0
        movements = city.network.movements
        own = np.flatnonzero((movements.junction == row) & (movements.group >= 0))
        self.lanes: I32 = np.unique(movements.from_lane[own]).astype(np.int32)
        self.green: F64 = np.zeros((len(stages), len(self.lanes)))
        self.groups_of_lane: list[I32] = []
        for place, lane in enumerate(self.lanes.tolist()):
            groups = np.unique(movements.group[own[movements.from_lane[own] == lane]]) - self.start
            self.groups_of_lane.append(groups.astype(np.int32))
            self.green[:, place] = _worth(self.lamps[:, groups]).mean(axis=1)
        self._gap_s = self.junction.intergreen_array_s
        self._conflict = self.junction.conflict_array > 0
        self._yellow_s = np.array([group.yellow_s for group in self.junction.groups])
        self._min_green_s = np.array([group.min_green_s for group in self.junction.groups])

    def serving(self, lanes: I32, groups: I32) -> F64:
        """(s,) how well each stage serves a movement from these lanes: 1 right of way for the best lane, 0.4
        where it yields, 0 without green; and up to 0.3 where the lane's other movements go as well, so that
        nobody in front stands."""
        best = np.zeros(len(self.junction.stages))
        for lane, group in zip(lanes.tolist(), groups.tolist(), strict=True):
            own = _worth(self.lamps[:, [group]])[:, 0]
            rest = self.green[:, int(np.searchsorted(self.lanes, lane))]
            best = np.maximum(best, own + 0.3 * rest * (own > 0))
        return best * self.sound

    def freedom(self, lanes: I32, groups: I32) -> F64:
        """(s,) right of way in the worst of these lanes: 1 where all its movements have it; 0 where the one
        wanted yields or stands."""
        places = np.searchsorted(self.lanes, lanes)
        free: F64 = self.green[:, places].min(axis=1)
        return free * (self.serving(lanes, groups) >= 1.0)

    def switch_s(self, snapshot: Snapshot, stage: int) -> float:
        """Seconds until `stage` is shown in full if it is asked for now; 0 where it is."""
        own = slice(self.start, self.stop)
        lamps = snapshot.signals.lamps[own]
        since_s = snapshot.time_s - snapshot.signals.lamps_since_s[own].astype(np.float64)
        wanted = self.lamps[stage]
        green = (lamps == _G) | (lamps == _YIELDING)
        ends = green & ~((wanted == _G) | (wanted == _YIELDING))
        starts = ((wanted == _G) | (wanted == _YIELDING)) & ~green
        if not starts.any():
            return 0.0
        # seconds from now to the end of each rival's green: a running one needs its minimum, others are over
        over_s = np.where(lamps == _YELLOW, -since_s, -since_s - self._yellow_s)
        end_s = np.where(ends, np.maximum(self._min_green_s - since_s, 0.0), over_s)
        ready_s = np.where(self._conflict & (ends | ~green)[:, None], end_s[:, None] + self._gap_s, 0.0)
        return ASKING_S + float(max(0.0, ready_s[:, starts].max()))

    def shows(self, snapshot: Snapshot, groups: I32) -> Bool:
        """(groups,) which of these groups are green now."""
        lamps = snapshot.signals.lamps[self.start + groups]
        result: Bool = (lamps == _G) | (lamps == _YIELDING)
        return result

    def waiting_veh(self, snapshot: Snapshot, stage: int) -> float:
        """Vehicles that stand in lanes to which `stage` gives no green."""
        queued = snapshot.lanes.queued[self.lanes]
        return float(queued[self.green[stage] <= 0.0].sum())

    def served_share(self, snapshot: Snapshot) -> F64:
        """(s,) how much of what stands at the junction each stage lets go; 0 where nobody stands."""
        queued = snapshot.lanes.queued[self.lanes].astype(np.float64)
        served: F64 = self.green @ queued / max(float(queued.sum()), 1.0)
        return served

    def relief(self, snapshot: Snapshot, shown: int) -> tuple[int, float]:
        """(stage that serves most of those who stand, the longest of its queues in vehicles); (-1, 0) where
        the stage shown is as good as any."""
        queued = snapshot.lanes.queued[self.lanes].astype(np.float64)
        worth = (self.green @ queued) * self.sound
        best = int(np.argmax(worth))
        if worth[best] <= 0.0 or (shown >= 0 and worth[shown] >= worth[best] - 1e-9):
            return -1, 0.0
        return best, float((queued * (self.green[best] > 0.0)).max())


def _worth(lamps: U8) -> F64:
    return np.where(lamps == _G, 1.0, np.where(lamps == _YIELDING, 0.4, 0.0))


def _is_sound(junction: SignalJunction, lamps: U8) -> bool:
    """Whether the controller would show it: some cities have stages with conflicting greens."""
    shown = np.flatnonzero((lamps == _G) | (lamps == _YIELDING)).tolist()
    for place, first in enumerate(shown):
        for second in shown[place + 1 :]:
            kind = junction.conflict[first][second]
            both_right = lamps[first] == lamps[second] == _G
            if kind == Conflict.PROHIBITED or (kind == Conflict.PERMITTED and both_right):
                return False
    return True
