"""From seconds to minutes: what each sample adds, and the rows of a closed minute.

Means over time are ratios of sums, so that they can be added up over time and over lanes without error:
mean queue = Σ queued / Σ seconds; space-mean speed = Σ speeds / Σ vehicles (Edie 1963, total distance over
total time); delay of those served = Σ queued / Σ served (Little 1961, L = λW, as in `runtime/indicators.py`);
occupancy = Σ metres under vehicles / Σ metres in view.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.model import City
from civicbrain.city.network import F32, F64, I32, Bool
from civicbrain.city.observations import VehicleClass
from civicbrain.city.signals import ControllerMode
from civicbrain.city.snapshot import QUEUE_SPEED_MPS
from civicbrain.runtime.history.layout import WHOLE_CITY

LENGTH_M = {
    VehicleClass.CAR: 5.0,
    VehicleClass.TRUCK: 7.1,
    VehicleClass.BUS: 12.0,
    VehicleClass.TRAM: 22.0,
    VehicleClass.MOTORCYCLE: 2.2,
    VehicleClass.BICYCLE: 1.6,
    VehicleClass.PEDESTRIAN: 0.0,
    VehicleClass.EMERGENCY: 6.5,
    VehicleClass.OTHER: 5.0,
}
"""Usual lengths by class: defaults of SUMO's vehicle classes (manual, "Vehicle Type Parameter Defaults")."""

NOT_SEEN = -1
SECONDS = 60
P95 = 0.95
LARGEST_QUEUE = 32_767

Columns = dict[str, NDArray[Any]]
_OVERRIDE = (ControllerMode.MANUAL, ControllerMode.FORCED)


def nearest_rank_p95(values: NDArray[np.int16]) -> NDArray[np.int16]:
    """(60, n) -> (n,) 95th percentile of each column by nearest rank; NOT_SEEN entries do not count."""
    ordered = np.sort(values, axis=0)  # NOT_SEEN comes first
    seen = (values != NOT_SEEN).sum(axis=0)
    rank = len(values) - seen + np.ceil(P95 * seen).astype(np.int64) - 1
    result: NDArray[np.int16] = ordered[np.clip(rank, 0, len(values) - 1), np.arange(values.shape[1])]
    return result


class View:
    """What does not change: which junction's camera sees which lane, and how much of it."""

    def __init__(self, city: City) -> None:
        lanes, cameras = city.network.lanes, city.cameras
        self.lane_count, self.junction_count = len(lanes.ids), len(city.junctions)
        self.junction_of_lane: I32 = np.full(self.lane_count, -1, np.int32)
        self.junction_of_lane[cameras.lane] = cameras.junction
        self.seen_m: F32 = lanes.length_m.astype(np.float32).copy()
        in_range = np.clip(cameras.range_m - cameras.beyond_m, 0.0, lanes.length_m[cameras.lane])
        self.seen_m[cameras.lane] = in_range
        self.watched = np.flatnonzero(self.junction_of_lane >= 0)
        self.length_m = np.array([LENGTH_M[kind] for kind in VehicleClass])

    def by_junction(self, values: NDArray[Any]) -> F64:
        """(n,) of lanes, added up to (j,)."""
        sums = np.bincount(
            self.junction_of_lane[self.watched], weights=values[self.watched], minlength=self.junction_count
        )
        return np.asarray(sums, np.float64)


class Minute:
    """Sums of one minute over n lanes and j junctions; the last entry of `queue` is the whole city."""

    def __init__(self, view: View) -> None:
        n, j = view.lane_count, view.junction_count
        self.view = view
        self.samples = np.zeros(n, np.int32)
        self.sums = {
            name: np.zeros(n)
            for name in ("vehicle_s", "queued_s", "travelled_m", "served_veh", "covered_m_s")
        }
        self.queue = np.full((SECONDS, n + j + 1), NOT_SEEN, np.int16)
        self.taken = np.zeros(SECONDS, np.bool_)
        self.signals = {
            name: np.zeros(j, np.int32)
            for name in ("signal_s", "central_s", "local_s", "override_s", "stage_changes")
        }

    def add_traffic(
        self, second: int, lane: I32, speed_mps: F32, kind: NDArray[Any], observed: Bool, served: NDArray[Any]
    ) -> None:
        """second: 0..59. lane, speed_mps, kind: (v,) vehicles in view. observed, served: (n,)."""
        view, n = self.view, self.view.lane_count
        self.taken[second] = True
        self.samples += observed
        queued = np.bincount(lane[speed_mps < QUEUE_SPEED_MPS], minlength=n)
        self.sums["vehicle_s"] += np.bincount(lane, minlength=n)
        self.sums["queued_s"] += queued
        self.sums["travelled_m"] += np.bincount(lane, weights=speed_mps, minlength=n)
        self.sums["served_veh"] += served
        self.sums["covered_m_s"] += np.bincount(lane, weights=view.length_m[kind], minlength=n)
        row = self.queue[second]
        small = np.minimum(queued, LARGEST_QUEUE)
        row[:n] = np.where(observed, small, NOT_SEEN)
        seen = view.by_junction(observed) > 0
        row[n:-1] = np.where(seen, np.minimum(view.by_junction(queued), LARGEST_QUEUE), NOT_SEEN)
        if observed.any():
            row[-1] = min(int(queued.sum()), LARGEST_QUEUE)

    def add_signals(self, mode: NDArray[Any], changed: Bool) -> None:
        """mode: (j,) ControllerMode. changed: (j,) whether the stage is another than a second ago."""
        self.signals["signal_s"] += 1
        self.signals["central_s"] += mode == ControllerMode.CENTRAL
        self.signals["local_s"] += mode == ControllerMode.LOCAL
        self.signals["override_s"] += np.isin(mode, _OVERRIDE)
        self.signals["stage_changes"] += changed

    def lanes(self, minute: int, numbers: I32) -> Columns:
        """Rows of the lanes that were seen at least once."""
        n = self.view.lane_count
        rows = np.flatnonzero(self.samples > 0)
        queue = self.queue[:, :n][:, rows]
        columns: Columns = {"minute": np.full(len(rows), minute, np.int32), "lane": numbers[rows]}
        columns["samples"] = self.samples[rows]
        columns |= {name: np.rint(values[rows]) for name, values in self.sums.items()}
        columns["seen_m_s"] = np.rint(self.samples[rows] * self.view.seen_m[rows])
        columns["queue_max"] = queue.max(axis=0, initial=NOT_SEEN)
        columns["queue_p95"] = columns["queue_max"].copy()
        some = np.flatnonzero(columns["queue_max"] > 0)  # few lanes have a queue: sort only those
        columns["queue_p95"][some] = nearest_rank_p95(queue[:, some])
        return columns

    def junctions(self, minute: int, numbers: I32) -> Columns:
        """Rows of the junctions that were seen at least once, and one of the whole city."""
        view, n = self.view, self.view.lane_count
        queue = self.queue[:, n:]
        samples = (queue != NOT_SEEN).sum(axis=0)
        everything = np.concatenate((numbers, [WHOLE_CITY])).astype(np.int32)
        known = samples > 0
        known[:-1] |= self.signals["signal_s"] > 0
        known[-1] = known.any()
        rows = np.flatnonzero(known)

        def with_city(values: NDArray[Any]) -> NDArray[Any]:
            return np.concatenate((values, [values.sum()]))[rows]

        columns: Columns = {"minute": np.full(len(rows), minute, np.int32), "junction": everything[rows]}
        columns["samples"] = samples[rows]
        for name, values in self.sums.items():
            columns[name] = np.rint(with_city(view.by_junction(values)))
        columns["seen_m_s"] = np.rint(with_city(view.by_junction(self.samples * view.seen_m)))
        columns["queue_max"] = np.maximum(queue[:, rows].max(axis=0, initial=NOT_SEEN), 0)
        columns["queue_p95"] = np.maximum(nearest_rank_p95(queue[:, rows]), 0)
        return columns | {name: with_city(values) for name, values in self.signals.items()}
