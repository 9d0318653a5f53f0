"""Which incidents a run is given: all kinds, at random times and places, several at once and far apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.incidents import IncidentKind
from civicbrain.city.model import City
from civicbrain.city.network import RoadUse
from civicbrain.twin.incidents import SIGNAL_MODES, RoadIncident

WARM_UP_S = 600.0
"""Before the first: the street fills, and detectors see what is usual there."""

APART_M = 250.0
CALM_S = 180.0
"""Between the end of an incident and the next one within `APART_M`, so that its queue is gone."""

LASTS_S = {
    IncidentKind.STOPPED_VEHICLE: (240.0, 600.0),
    IncidentKind.CRASH: (240.0, 600.0),
    IncidentKind.BLOCKED_JUNCTION: (240.0, 480.0),
    IncidentKind.CLOSED_LANE: (480.0, 900.0),
    IncidentKind.WRONG_WAY: (30.0, 60.0),
    IncidentKind.SIGNAL_FAULT: (240.0, 480.0),
    IncidentKind.SENSOR_FAULT: (240.0, 480.0),
}
SENSOR_MODES = ("silent", "blind", "frozen", "inflated", "phantom")

LEAST_LANE_VEH_H = 60.0
LEAST_JUNCTION_VEH_H = 240.0
LEAST_BESIDE_VEH_H = 240.0
"""Where next to nobody drives nothing happens, and nothing can be seen: an obstacle is known by those who go
round it, a dark signal by those who drive on."""

MOST_OF_A_KIND = 0.2  # short ones find room more easily, and would else be the most
_KEEP_OFF_M = 8.0  # from both ends of a lane, for things that stand in mid-lane
_LEAST_M = 40.0


@dataclass(frozen=True)
class Flows:
    """Vehicles an hour of each lane, as a run without incidents showed (Edie 1963: distance travelled in a
    stretch over its length and time)."""

    lane: NDArray[np.float64]


def draw(
    city: City, flows: Flows, seed: int, begin_s: float, end_s: float, wanted: int
) -> list[RoadIncident]:
    """At most `wanted` incidents between begin_s + `WARM_UP_S` and end_s, as many of each kind as fit."""
    rng = np.random.default_rng((seed, 77))
    places = _Places(city, flows)
    kinds = list(LASTS_S)
    taken: list[tuple[float, float, float, float]] = []  # x, y, from, to
    drawn: list[RoadIncident] = []
    for attempt in range(wanted * 30):
        if len(drawn) >= wanted:
            break
        kind = kinds[attempt % len(kinds)]
        if sum(one.kind is kind for one in drawn) >= max(2, round(MOST_OF_A_KIND * wanted)):
            continue
        low_s, high_s = LASTS_S[kind]
        lasts_s = round(float(rng.uniform(low_s, high_s)))
        latest_s = end_s - lasts_s - 60.0
        if latest_s <= begin_s + WARM_UP_S:
            continue
        at_s = round(float(rng.uniform(begin_s + WARM_UP_S, latest_s)))
        found = places.draw(kind, rng, f"{kind}-{len(drawn)}", at_s, lasts_s)
        if found is None:
            continue
        one, x_m, y_m = found
        span = (at_s - CALM_S, one.begin_s + 2.0 * lasts_s + CALM_S)
        if any(
            np.hypot(x_m - x, y_m - y) < APART_M and span[0] < until and since < span[1]
            for x, y, since, until in taken
        ):
            continue
        taken.append((x_m, y_m, *span))
        drawn.append(one)
    return sorted(drawn, key=lambda one: one.begin_s)


class _Places:
    """Where each kind can happen in view of a camera, were there one at every junction."""

    def __init__(self, city: City, flows: Flows) -> None:
        self._city, self._flow = city, flows.lane
        lanes, table = city.network.lanes, city.cameras
        motor = (lanes.use & int(RoadUse.MOTOR)) > 0
        length_m = lanes.length_m.astype(np.float64)
        self._near_m = {  # lane -> how far from its end it is in view
            int(lane): min(float(table.range_m) - float(beyond), float(length_m[lane]))
            for lane, beyond in zip(table.lane, table.beyond_m, strict=True)
        }
        wide = np.bincount(lanes.edge[motor], minlength=len(city.network.edges.ids))
        self._wide = wide
        rows = [row for row in self._near_m if motor[row] and self._near_m[row] >= _LEAST_M]
        self._busy = [row for row in rows if flows.lane[row] >= LEAST_LANE_VEH_H]
        self._beside = [
            row
            for row in self._busy
            if wide[lanes.edge[row]] > 1 and self._edge_flow(row) - flows.lane[row] >= LEAST_BESIDE_VEH_H
        ]
        of_junction = np.zeros(len(city.junctions))
        approach = np.unique(city.network.movements.from_lane[city.signalled_movements])
        camera_of = dict(zip(table.lane.tolist(), table.junction.tolist(), strict=True))
        for row in approach.tolist():
            if row in camera_of:
                of_junction[camera_of[row]] += flows.lane[row]
        self._junctions = np.flatnonzero(of_junction >= LEAST_JUNCTION_VEH_H).tolist()
        self._approach = [row for row in self._busy if row in set(approach.tolist())]

    def draw(
        self, kind: IncidentKind, rng: np.random.Generator, name: str, at_s: float, lasts_s: float
    ) -> tuple[RoadIncident, float, float] | None:
        """The incident and where it is; None where this city has no place for it."""
        city = self._city
        lanes = city.network.lanes
        if kind in (IncidentKind.BLOCKED_JUNCTION, IncidentKind.SIGNAL_FAULT, IncidentKind.SENSOR_FAULT):
            if not self._junctions:
                return None
            junction = city.junctions[int(rng.choice(self._junctions))]
            mode, on = "", ()
            if kind is IncidentKind.SIGNAL_FAULT:
                mode = str(rng.choice(SIGNAL_MODES))
            elif kind is IncidentKind.SENSOR_FAULT:
                mode = str(rng.choice(SENSOR_MODES))
                if mode == "phantom":
                    own = self._lanes_at(junction.id)
                    if not own:
                        return None
                    on = (lanes.ids[int(rng.choice(own))],)
            one = RoadIncident(name, kind, at_s, lasts_s, lanes=on, junction=junction.id, mode=mode)
            return one, junction.x_m, junction.y_m
        rows = {IncidentKind.CLOSED_LANE: self._beside, IncidentKind.WRONG_WAY: self._approach}
        choice = rows.get(kind, self._busy)
        if not choice:
            return None
        row = int(rng.choice(choice))
        back_m = float(rng.uniform(_KEEP_OFF_M, self._near_m[row] - _KEEP_OFF_M))
        position_m = round(float(lanes.length_m[row]) - back_m, 1)
        on = (row,)
        if kind is IncidentKind.CRASH:
            on = self._crash(row, rng)
        elif kind is IncidentKind.WRONG_WAY:
            position_m = float(lanes.length_m[row])
        names = tuple(lanes.ids[each] for each in on)
        one = RoadIncident(name, kind, at_s, lasts_s, names, position_m, speed_mps=float(rng.uniform(7, 14)))
        x_m, y_m = lanes.shape(row).mean(axis=0)
        return one, float(x_m), float(y_m)

    def _crash(self, row: int, rng: np.random.Generator) -> tuple[int, ...]:
        """1 to n neighbouring busy lanes of the edge, this one among them."""
        lanes = self._city.network.lanes
        on = [row]
        for beside in (row - 1, row + 1):
            if (
                0 <= beside < len(lanes.ids)
                and lanes.edge[beside] == lanes.edge[row]
                and beside in self._near_m
                and self._flow[beside] >= LEAST_LANE_VEH_H
                and rng.random() < 0.7
            ):
                on.append(beside)
        return tuple(sorted(on))

    def _edge_flow(self, row: int) -> float:
        edge = self._city.network.lanes.edge
        return float(self._flow[edge == edge[row]].sum())

    def _lanes_at(self, junction: str) -> list[int]:
        movements = self._city.network.movements
        mine = movements.junction == self._city.signals.row[junction]
        return [row for row in np.unique(movements.from_lane[mine]).tolist() if row in self._busy]
