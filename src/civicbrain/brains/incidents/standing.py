"""Vehicles that stand though nothing that is known makes them: stopped, crashed, held up, blocked.

Reasons to stand are: a vehicle ahead that stands or is near (front to front below `FOLLOWS_M`), an exit that
is full, and, near a line, a standing queue of the next lane at red (he may want to get in there). Who stands
first without any of these is judged at the end of his lane by `discharge.py`; in mid-lane each second adds to
a CUSUM test of his place (`cells.py`), and a vehicle that drives through it on the same lane speaks against.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from civicbrain.brains.incidents.box import Box
from civicbrain.brains.incidents.cells import CELL_M, Cells
from civicbrain.brains.incidents.discharge import Discharge
from civicbrain.brains.incidents.layout import I64, Layout
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.tracks import Step, Tracks
from civicbrain.city.incidents import IncidentKind
from civicbrain.city.network import F32, F64, U8, Bool
from civicbrain.city.observations import SignalStates, VehicleClass
from civicbrain.core.sentences import say

STANDS_S = 4.0
FOLLOWS_M = np.full(len(VehicleClass), 13.0)
"""Front to front, who is nearer to the one ahead stands because of him: his length, 2.5 m and slack."""
FOLLOWS_M[[VehicleClass.TRUCK, VehicleClass.BUS]] = 24.0
FOLLOWS_M[VehicleClass.TRAM] = 50.0

AT_END_M = 13.0
MID_H = 28.0
"""Thresholds of the two tests, s of unexplained standing: about what the longest ordinary ones were on
scenarios that are not reported on."""

BUS_STOPS_S = 90.0
"""Longer than this a bus stands at no stop."""

SORTS_M, BESIDE_M, BESIDE_QUEUE = 60.0, 12.0, 0.25
"""Near the line, beside a queue at red: weight of a second of standing of who may wait to get in there."""

GONE_S = 15.0
"""A queue whose place has been empty for so long is another one when it is seen again."""

EXIT_M, SHORT_M, SLOW_MPS, FULL_FOR_S = 18.0, 40.0, 3.0, 10.0
QUEUED, QUEUED_FOR_S = 3, 60.0
ONE_STANDS_S = 90.0
"""Who stands longer has himself broken down, or crashed, whoever stops behind him."""

MEMORY_S = 150.0

_OPEN_ROAD = np.array([c not in (VehicleClass.BICYCLE, VehicleClass.PEDESTRIAN) for c in VehicleClass])
_PUBLIC = np.isin(np.arange(len(VehicleClass)), [VehicleClass.BUS, VehicleClass.TRAM])


class Standing:
    """Call `update` with each frame. sensitivity: above 1 says more, and sooner."""

    def __init__(self, layout: Layout, sensitivity: float = 1.0) -> None:
        self._layout = layout
        count = int(np.ceil((layout.range_m + CELL_M) / CELL_M)) + 1
        lanes = len(layout.camera)
        self._mid = Cells((lanes, count), 0.15, MID_H / sensitivity)
        self._line = Discharge(layout, sensitivity)
        self._spoke_s: F64 = np.full((lanes, count), -np.inf)
        self._others: F64 = np.zeros((lanes, count))  # how many different vehicles stood there first
        self._longest_s: F32 = np.zeros((lanes, count), np.float32)  # that one of them stood
        self._last_born: F64 = np.full((lanes, count), -1.0)
        self._queue_s: F64 = np.full((lanes, count + 2), -np.inf)  # when a queue was seen there last
        self._queue_since_s: F64 = np.full((lanes, count + 2), np.inf)
        self._full_s: F64 = np.full(lanes, -np.inf)
        self._queued_s: F64 = np.full(len(layout.city.network.edges.ids), -np.inf)

    def update(
        self, tracks: Tracks, step: Step, signals: SignalStates, watched: Bool, box: Box
    ) -> list[Suspicion]:
        """watched: (n,) lanes whose camera delivered this frame and is trusted. box: who stands inside
        junctions, whom first vehicles of his lane wait for."""
        layout, now_s = self._layout, step.time_s
        stood_s = tracks.stood_s(now_s)
        gap_m, leader = tracks.ahead()
        to_end_m = tracks.d - layout.beyond_m[tracks.lane]
        stands = (stood_s >= STANDS_S) & (tracks.speed < 1.5)
        head = (
            stands
            & (gap_m > FOLLOWS_M[leader])
            & layout.motor[tracks.lane]
            & _OPEN_ROAD[tracks.kind]
            & watched[tracks.lane]
        )
        at_end = to_end_m < AT_END_M
        patient = _PUBLIC[tracks.kind] & (stood_s < BUS_STOPS_S)
        full = self._full_exits(tracks, now_s)
        beside = self._beside_queue(tracks, to_end_m, self._line.green(signals, now_s)[0])
        weight = np.where(beside, BESIDE_QUEUE, 1.0).astype(np.float32)
        self._see_queues(tracks, gap_m, leader, now_s)
        weight[self._joins(tracks, now_s) & ~at_end] = 0.0
        first = np.flatnonzero(head & at_end & ~patient)
        seen = self._in_view(watched)
        held = self._line.update(tracks, step, first, weight[first], full | box.lanes, signals, watched, seen)
        rows = np.flatnonzero(head & ~at_end & ~patient)
        self._in_lane(tracks, step, rows, weight[rows], np.flatnonzero(stands), watched)
        beyond = self._queue_beyond(tracks, now_s)
        held = [replace(one, queue_beyond=bool(beyond[one.lane])) for one in held]
        inside = box.update(now_s, step.dt_s, full, self._line, watched)
        return [*self._mid_suspicions(now_s), *held, *inside]

    @property
    def heads(self) -> F64:
        """(j,) nats of first vehicles that did not go at reported green, as of the last frame."""
        return self._line.heads

    def _beside_queue(self, tracks: Tracks, to_end_m: F64, goes: Bool) -> Bool:
        """Who waits near a line beside somebody of the next lane who stands, one of them at red: he may want
        to go in there."""
        beside = self._layout.beside
        result: Bool = np.zeros(len(tracks.lane), np.bool_)
        standing = np.sort(tracks.lane[tracks.speed < 1.5] * 1e4 + tracks.d[tracks.speed < 1.5])
        near = to_end_m < SORTS_M
        for side in (0, 1):
            other = beside[tracks.lane, side]
            key = other * 1e4 + tracks.d
            some = np.searchsorted(standing, key + BESIDE_M) > np.searchsorted(standing, key - BESIDE_M)
            red = ~(goes[tracks.lane] & goes[other])
            result |= near & (other >= 0) & some & red
        return result

    def _see_queues(self, tracks: Tracks, gap_m: F64, leader: U8, now_s: float) -> None:
        """Remember where vehicles stand behind others, and since when."""
        rows = np.flatnonzero((tracks.speed < 1.5) & (gap_m <= FOLLOWS_M[leader]))
        at = (tracks.lane[rows], self._cell(tracks.d[rows]) + 1)
        new = now_s - self._queue_s[at] > GONE_S
        self._queue_since_s[at] = np.where(new, now_s, self._queue_since_s[at])
        self._queue_s[at] = now_s

    def _joins(self, tracks: Tracks, now_s: float) -> Bool:
        """Who stands beside a queue of the next lane that stood there before him: he may want to get in. Who
        has crashed there has no queue ahead, and those who stop beside a breakdown came later."""
        result: Bool = np.zeros(len(tracks.lane), np.bool_)
        cell = self._cell(tracks.anchor_d)
        for side in (0, 1):
            other = self._layout.beside[tracks.lane, side]
            for k in range(3):
                at = (other, cell + k)
                before = self._queue_since_s[at] < tracks.anchor_s
                result |= (other >= 0) & before & (now_s - self._queue_s[at] <= GONE_S)
        return result

    def _in_lane(
        self, tracks: Tracks, step: Step, rows: I64, weight: F32, stands: I64, watched: Bool
    ) -> None:
        now_s = step.time_s
        cell = self._cell(tracks.anchor_d)
        lane = tracks.lane
        x: F32 = np.zeros(self._mid.score.shape, np.float32)
        x[lane[rows], cell[rows]] = weight
        fresh = tracks.born_s[rows] != self._last_born[lane[rows], cell[rows]]
        self._others[lane[rows], cell[rows]] += fresh
        self._last_born[lane[rows], cell[rows]] = tracks.born_s[rows]
        self._spoke_s[lane[rows], cell[rows]] = now_s
        stood_s = (now_s - tracks.anchor_s[rows]).astype(np.float32)
        np.maximum.at(self._longest_s, (lane[rows], cell[rows]), stood_s)
        # once it is said it lasts while anybody stands there, also behind one who has just gone round
        known = stands[self._mid.alarms[lane[stands], cell[stands]]]
        self._spoke_s[lane[known], cell[known]] = now_s
        self._mid.update(x, now_s, step.dt_s, np.broadcast_to(watched[:, None], x.shape))
        # who came past a place on its lane, and has stayed on it to 10 m further on, shows that it is free
        moved = step.matched[(step.before_lane == lane[step.matched]) & (tracks.speed[step.matched] > 3.0)]
        passed = cell[moved] + 1
        through = tracks.entered_d[moved] > (passed + 0.8) * CELL_M
        occupied = np.zeros(x.shape, np.bool_)
        slow = tracks.speed < 1.0
        occupied[lane[slow], cell[slow]] = True
        free = np.zeros(x.shape, np.bool_)
        free[lane[moved][through], np.minimum(passed[through], x.shape[1] - 1)] = True
        self._mid.refute(free & ~occupied & (self._mid.score > 0.0), 0.3)
        over = self._mid.score <= 0.0
        self._others[over] = 0.0
        self._longest_s[over] = 0.0

    def _full_exits(self, tracks: Tracks, now_s: float) -> Bool:
        """(n,) some exit of the lane has a vehicle standing at its beginning."""
        layout = self._layout
        from_start_m = layout.beyond_m[tracks.lane] + layout.length_m[tracks.lane] - tracks.d
        standing: Bool = np.zeros(len(layout.camera), np.bool_)
        standing[tracks.lane[(tracks.speed < SLOW_MPS) & (from_start_m < EXIT_M)]] = True
        # a queue that reaches the end of a view goes on beyond it, for all that is known
        far_m = layout.range_m - tracks.d
        hidden = layout.beyond_m + layout.length_m > layout.range_m
        standing[tracks.lane[(tracks.speed < SLOW_MPS) & (far_m < EXIT_M) & hidden[tracks.lane]]] = True
        self._full_s[standing] = now_s
        standing = now_s - self._full_s < FULL_FOR_S
        result: Bool = np.zeros(len(layout.camera), np.bool_)
        has = np.flatnonzero(np.diff(layout.exit_start) > 0)
        # who has to go on in the next lane beyond waits as well
        edge = layout.city.network.lanes.edge
        standing = np.bincount(edge, weights=standing, minlength=int(edge.max()) + 1)[edge] > 0.0
        if len(layout.exits):
            result[has] = np.logical_or.reduceat(standing[layout.exits], layout.exit_start[has])
        return result

    def _in_view(self, watched: Bool) -> Bool:
        """(edges,) of all of whose motor lanes a part is in view, so that a queue that fills them is seen
        (see `_full_exits`). One that is short is not enough: whoever enters it looks further."""
        layout = self._layout
        enough = (layout.length_m >= SHORT_M) & watched
        edge, motor = layout.city.network.lanes.edge, layout.motor
        unseen = np.bincount(edge[motor & ~enough], minlength=len(self._queued_s))
        result: Bool = unseen == 0
        return result

    def _queue_beyond(self, tracks: Tracks, now_s: float) -> Bool:
        """(n,) lanes that lead to a road where several have stood lately."""
        layout = self._layout
        edge = layout.city.network.lanes.edge
        stood = np.bincount(edge[tracks.lane[tracks.speed < 1.5]], minlength=len(self._queued_s))
        self._queued_s[stood >= QUEUED] = now_s
        queued = now_s - self._queued_s[edge[layout.exits]] < QUEUED_FOR_S
        result: Bool = np.zeros(len(layout.camera), np.bool_)
        has = np.flatnonzero(np.diff(layout.exit_start) > 0)
        if len(queued):
            result[has] = np.logical_or.reduceat(queued, layout.exit_start[has])
        return result

    def _mid_suspicions(self, now_s: float) -> list[Suspicion]:
        found = []
        for lane, cell in zip(*np.nonzero(self._mid.alarms), strict=True):
            quiet_s = now_s - self._spoke_s[lane, cell]
            many = self._others[lane, cell] >= 3 and self._longest_s[lane, cell] < ONE_STANDS_S
            if quiet_s > MEMORY_S:
                self._mid.score[lane, cell] = 0.0
                self._others[lane, cell] = 0.0
                continue
            ratio = float(self._mid.score[lane, cell] / self._mid.threshold[lane, cell])
            since_s = float(self._mid.since_s[lane, cell]) - STANDS_S
            kind = IncidentKind.CLOSED_LANE if many else IncidentKind.STOPPED_VEHICLE
            before_m, for_s = cell * CELL_M, now_s - since_s
            where = f"{before_m:.0f} m before the line since {for_s:.0f} s, the road ahead free"
            figures = {"before_m": float(before_m), "for_s": for_s}
            said = say("stands", f"a vehicle stands {where}", **figures)
            if many:
                said = say("one-after-other", f"vehicles stop there, one after the other, {where}", **figures)
            found.append(
                Suspicion(
                    kind,
                    ratio,
                    since_s,
                    said,
                    int(lane),
                    float(cell * CELL_M),
                    quiet_s=120.0 if many else 40.0,
                )
            )
        return found

    def _cell(self, d: F64) -> I64:
        count = self._mid.score.shape[1]
        return np.clip(np.round(d / CELL_M), 0, count - 1).astype(np.int64)
