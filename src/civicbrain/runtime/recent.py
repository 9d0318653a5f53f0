"""The last five minutes of every junction, in memory: lamps, stages, modes, and vehicles by lane.

A tick copies four arrays into a ring and counts who passes; nothing is worked out until somebody asks for one
junction. Kept: `KEPT` ticks x (groups + 2 junctions + 4 lanes) bytes: 28 MB for 1,004 junctions with 18,246
lanes, at 0.2 ms a tick (measured on one core of the development machine).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.approaches import Approach, list_approaches
from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.signals import mode_name
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.junction_recent import (
    ApproachFigures,
    GroupStretches,
    JunctionRecent,
    Stretch,
)

KEPT = 330
"""Ticks, a second each: five minutes and a little."""

STEP_S = 10.0
STARTING_MPS, GAINED_M = 8.0, 0.8
"""A vehicle slower than this is speeding up towards a green line, and gets so much farther within a second
than its speed says. Fitted on the twin's own count of who left (`docs/decisions/vehicles-served.md`)."""

PASSABLE = np.frombuffer(b"GgyYs", np.uint8)
"""Lamps at which vehicles cross the stop line: green, yellow, and red where a right turn may after a stop."""

LONGEST_GAP_S = 5.0
STANDING_SPAN = 120
"""Ticks over which queues are averaged to say where it is worst now: a cycle or two, so that a red does not
count as a jam, nor a jam that has gone as one that is."""

_MOST = 255


class Recent:
    """`take` once a tick, `of` when somebody looks at a junction."""

    def __init__(self, city: City) -> None:
        self._city = city
        groups, junctions = city.signals.group_count, len(city.junctions)
        self._lane_count = len(city.network.lanes.ids)
        self._time_s: F64 = np.full(KEPT, np.nan)
        self._lamps = np.zeros((KEPT, groups), np.uint8)
        self._stage = np.full((KEPT, junctions), -1, np.int8)
        self._mode = np.zeros((KEPT, junctions), np.uint8)
        lanes = (KEPT, self._lane_count)
        self._queued, self._vehicles, self._served = (np.zeros(lanes, np.uint8) for _ in range(3))
        self._seen = np.zeros(lanes, np.bool_)
        movements = city.network.movements
        led = np.flatnonzero(movements.junction >= 0)
        self._from_lane, self._group = movements.from_lane[led], movements.group[led]
        self._count = 0
        # sums over the last STANDING_SPAN ticks, kept up with each
        self._stood, self._looks = np.zeros((2, self._lane_count), np.int32)
        self._approaches: tuple[Approach, ...] | None = None

    @property
    def approaches(self) -> tuple[Approach, ...]:
        """Worked out when first needed."""
        if self._approaches is None:
            self._approaches = list_approaches(self._city)
        return self._approaches

    def take(self, snapshot: Snapshot) -> None:
        """What is known after a tick. Time that goes back begins anew."""
        last_s = self._time_s[(self._count - 1) % KEPT] if self._count else np.nan
        if snapshot.time_s == last_s:
            return
        if snapshot.time_s < last_s:
            self._count = 0
            self._stood[:] = self._looks[:] = 0
            last_s = np.nan
        at = self._count % KEPT
        lanes, signals, seen = snapshot.lanes, snapshot.signals, snapshot.detections.on_approaches
        self._time_s[at] = snapshot.time_s
        self._lamps[at] = signals.lamps
        self._stage[at] = np.minimum(signals.steady_stage, 127)
        self._mode[at] = signals.mode
        self._queued[at] = np.minimum(lanes.queued, _MOST)
        self._vehicles[at] = np.minimum(lanes.vehicles, _MOST)
        self._seen[at] = lanes.observed
        self._stood += self._queued[at]
        self._looks += self._seen[at]
        if self._count >= STANDING_SPAN:
            gone = (self._count - STANDING_SPAN) % KEPT
            self._stood -= self._queued[gone]
            self._looks -= self._seen[gone]
        gap_s = snapshot.time_s - last_s
        if 0.0 < gap_s <= LONGEST_GAP_S:
            # no identities: who will be past the stop line by the next frame counts as served in this one,
            # but not who creeps up to a red light
            reach_m = seen.speed_mps * gap_s + GAINED_M * gap_s * (seen.speed_mps < STARTING_MPS)
            passing = (seen.distance_m < reach_m) & self._may_pass(signals.lamps)[seen.lane]
            served = np.bincount(seen.lane[passing], minlength=self._lane_count)[: self._lane_count]
            self._served[at] = np.minimum(served, _MOST)
        else:
            self._served[at] = 0
        self._count += 1

    def _may_pass(self, lamps: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """(n,) lanes of which a movement may cross its stop line now, and all that lead to no signal."""
        free = self._group < 0
        free[~free] = np.isin(lamps[self._group[~free]], PASSABLE)
        may = np.ones(self._lane_count, np.bool_)
        may[self._from_lane] = False
        may[self._from_lane[free]] = True
        return may

    def lane_means(self) -> F64:
        """(n,) vehicles that stood on each lane, on average over those of the last STANDING_SPAN ticks that
        saw it; NaN where none did."""
        means: F64 = np.full(self._lane_count, np.nan)
        return np.divide(self._stood, self._looks, out=means, where=self._looks > 0)

    def standing(self) -> F64:
        """(a,) the same for each approach; what was not seen counts as empty."""
        count = len(self.approaches)
        sums = np.bincount(self.lane_approach, np.nan_to_num(self.lane_means()), count + 1)
        return np.asarray(sums[:-1], np.float64)

    def standing_at_junctions(self) -> F64:
        """(j,) the same for each junction; NaN where none of its approaches was seen."""
        count = len(self._city.junctions)
        sums = np.bincount(self._lane_junction, np.nan_to_num(self.lane_means()), count + 1)[:-1]
        seen = np.bincount(self._lane_junction, self._looks, count + 1)[:-1] > 0
        return np.where(seen, sums, np.nan)

    @cached_property
    def lane_approach(self) -> NDArray[np.int64]:
        """(n,) place in `approaches` of the one whose queue stands on a lane, their number for none."""
        found = np.full(self._lane_count, len(self.approaches), np.int64)
        for k, approach in enumerate(self.approaches):
            found[approach.lanes] = k
        return found

    @cached_property
    def _lane_junction(self) -> NDArray[np.int64]:
        """(n,) row of the junction on whose approach a lane lies, the number of junctions for none."""
        found = np.full(self._lane_count, len(self._city.junctions), np.int64)
        for approach in self.approaches:
            found[approach.lanes] = approach.junction
        return found

    def share_above(self, approach: Approach, veh: float) -> float:
        """Of the last STANDING_SPAN ticks, the share in which so many or more stood on an approach."""
        rows = np.arange(max(0, self._count - STANDING_SPAN), self._count) % KEPT
        queued = self._queued[np.ix_(rows, approach.lanes)].sum(axis=1, dtype=np.int64)
        return float((queued >= veh).mean()) if len(rows) else 0.0

    def growth(self, approach: Approach) -> tuple[float, float, float] | None:
        """(before, after, least) vehicles queued on an approach: mean of the first and of the last
        STANDING_SPAN ticks that are kept, and the fewest within the last, but for one look that missed them.
        None while less than two such spans are kept."""
        order = np.arange(max(0, self._count - KEPT), self._count) % KEPT
        if len(order) < 2 * STANDING_SPAN:
            return None
        queued = self._queued[np.ix_(order, approach.lanes)].sum(axis=1, dtype=np.float64)
        last = queued[-STANDING_SPAN:]
        return float(queued[:STANDING_SPAN].mean()), float(last.mean()), float(np.sort(last)[1])

    def of(self, junction: str) -> JunctionRecent:
        """Raises NotFoundError."""
        place = self._city.signals.get_junction(junction)
        row = self._city.signals.row[junction]
        order = np.arange(max(0, self._count - KEPT), self._count) % KEPT
        times = self._time_s[order]
        if not len(order):
            return JunctionRecent(0.0, 0.0, STEP_S, [], [], [], [], [])
        first = int(self._city.signals.group_start[row])
        groups = [
            GroupStretches(
                group.id, _stretches(times, [chr(c) for c in self._lamps[order, first + k].tolist()])
            )
            for k, group in enumerate(place.groups)
        ]
        stages = [
            place.stages[s].id if 0 <= s < len(place.stages) else "" for s in self._stage[order, row].tolist()
        ]
        modes = [mode_name(m) for m in self._mode[order, row].tolist()]
        first_s = float(times[0])
        step_of = ((times - first_s) // STEP_S).astype(np.int64)
        starts = first_s + STEP_S * np.arange(int(step_of[-1]) + 1)
        return JunctionRecent(
            first_s, float(times[-1]), STEP_S, groups, _stretches(times, stages), _stretches(times, modes),
            starts.tolist(),
            [
                self._figures(approach, place.groups, first, order, step_of, len(starts))
                for approach in self.approaches
                if approach.junction == row
            ],
        )  # fmt: skip

    def _figures(
        self, approach: Approach, groups: Any, first: int, order: NDArray[Any], step_of: NDArray[Any],
        count: int,
    ) -> ApproachFigures:  # fmt: skip
        def over(values: NDArray[Any], lanes: NDArray[Any]) -> F64:
            summed: F64 = values[np.ix_(order, lanes)].sum(axis=1, dtype=np.float64)
            return summed

        queued, vehicles = over(self._queued, approach.lanes), over(self._vehicles, approach.lanes)
        served = over(self._served, approach.stop_lanes)
        seen = self._seen[np.ix_(order, approach.lanes)].any(axis=1)
        # vehicles are neither made nor lost between two looks: who came = more in view now + who passed. A
        # look that overlooks some makes it negative: that is made up for, else every gap would add vehicles
        arrived = np.diff(vehicles, prepend=vehicles[:1]) + served
        arrived[~seen] = 0.0
        came = _without_negative(np.bincount(step_of, arrived, count).astype(np.float64))
        known = np.bincount(step_of[seen], minlength=count) > 0
        highest = np.zeros(count)
        np.maximum.at(highest, step_of, np.where(seen, queued, 0.0))

        def told(values: F64) -> list[float | None]:
            return [
                round(float(v), 1) if k else None
                for v, k in zip(values.tolist(), known.tolist(), strict=True)
            ]

        return ApproachFigures(
            approach.edge, approach.name, [groups[g - first].id for g in approach.groups],
            round(approach.storage_veh, 1), approach.seen, told(highest),
            told(came),
            told(np.bincount(step_of, served, count).astype(np.float64)),
            float(queued[-1]) if seen[-1] else None,
        )  # fmt: skip


def _without_negative(steps: F64) -> F64:
    """The same sums without a negative step: its debt is paid by the steps after it, at the end by those
    before. The total stays, where it is positive."""
    total = np.maximum.accumulate(np.maximum(np.cumsum(steps), 0.0))
    total = np.minimum(total, max(float(steps.sum()), 0.0))
    return np.diff(total, prepend=0.0)


def _stretches(times: F64, values: list[str]) -> list[Stretch]:
    """Runs of equal values; each ends where the next begins."""
    found: list[Stretch] = []
    start = 0
    for k in range(1, len(values) + 1):
        if k == len(values) or values[k] != values[start]:
            until = times[min(k, len(values) - 1)]
            found.append(Stretch(float(times[start]), float(until), values[start]))
            start = k
    return found
