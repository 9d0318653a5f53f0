"""One junction under a fixed plan: its delay, and the splits that make it least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from civicbrain.brains.signals.plans.flows import saturation_of
from civicbrain.brains.signals.plans.tables import PlanTable, extended
from civicbrain.city.network import F64
from civicbrain.city.plan_bounds import find_broken_bound
from civicbrain.science.cyclic_flow import I64, delay_index, run_cycle

OVERFLOW_WEIGHT = 5.0
"""A queue that does not fit its link blocks the junction behind: each such vehicle counts as five waiting."""

_SHIFTS_S = (8, 3, 1)


@dataclass(frozen=True, slots=True, eq=False)
class CycleResult:
    """index: what is minimised, veh. departures: (k, c) veh/s. saturation: (k,) degree of saturation.
    delay_s: (k,) expected delay a vehicle, uniform + incremental. queue_veh: (k,) largest queue."""

    index: float
    departures: F64
    saturation: F64
    delay_s: F64
    queue_veh: F64


class JunctionModel:
    """A junction with its demand. flow: (k,) veh/s. storage: (k,) veh a lane up to the junction behind, inf
    where none. metered: (k,) share of the flow that a signal upstream lets through. period_s: how long the
    demand lasts."""

    def __init__(self, table: PlanTable, flow: F64, storage: F64, metered: F64, period_s: float) -> None:
        self.table = table
        self.flow = np.ascontiguousarray(flow, dtype=np.float64)
        self.saturation_flow, self.share = saturation_of(table, self.flow)
        self.storage = np.ascontiguousarray(storage, dtype=np.float64)
        self.metered = np.ascontiguousarray(metered, dtype=np.float64)
        self.period_s = period_s
        self.least_s = table.least_s

    @property
    def least_cycle_s(self) -> int:
        return int(self.least_s.sum())

    def uniform(self, cycle_s: int) -> F64:
        """(k, c) arrivals at a constant rate."""
        return np.repeat(self.flow[:, None], cycle_s, axis=1)

    def index(self, durations_s: I64, arrivals: F64) -> float:
        """What is minimised, veh; arrivals: (k, cycle) veh/s in the junction's own time."""
        queue, capacity, _, most = self._run(durations_s, arrivals)
        return float(
            delay_index(
                queue, capacity, most, self.flow, self.share, self.storage, self.metered, self.period_s,
                OVERFLOW_WEIGHT,
            )
        )  # fmt: skip

    def evaluate(self, durations_s: I64, arrivals: F64) -> CycleResult:
        """Everything of one plan."""
        from civicbrain.science.fixed_time import degree_of_saturation, incremental_delay_s

        queue, capacity, departures, most = self._run(durations_s, arrivals)
        x = np.minimum(degree_of_saturation(self.flow, capacity), 20.0)
        factor = 1.0 - 0.5 * self.metered
        lane_capacity = np.maximum(capacity / self.share, 1e-4)
        extra = np.array(
            [
                float(incremental_delay_s(one, able, self.period_s, upstream=i))
                for one, able, i in zip(x, lane_capacity, factor, strict=True)
            ]
        )
        busy = self.flow > 0.0
        uniform = np.divide(queue, self.flow, out=np.zeros_like(queue), where=busy)
        index = delay_index(
            queue, capacity, most, self.flow, self.share, self.storage, self.metered, self.period_s,
            OVERFLOW_WEIGHT,
        )  # fmt: skip
        return CycleResult(float(index), departures, x, np.where(busy, uniform + extra, 0.0), most)

    def start(self, cycle_s: int) -> I64:
        """Durations of a cycle to begin with: the bounds, and the rest as the local plan divides it."""
        spare = cycle_s - self.least_cycle_s
        if spare < 0:
            raise ValueError(f"a cycle of {cycle_s} s is below the least of {self.least_cycle_s} s")
        share = self.table.durations_s / self.table.durations_s.sum()
        more = np.floor(spare * share).astype(np.int64)
        more[int(np.argmax(share))] += spare - int(more.sum())
        durations_s: I64 = self.least_s + more
        return durations_s

    def best_splits(
        self, cycle_s: int, arrivals: F64 | None = None, begin: I64 | None = None
    ) -> tuple[I64, float]:
        """(durations, index) of least delay for a cycle: seconds are moved from step to step, by 8, 3 and 1
        s, while that helps (hill climbing, as TRANSYT does it)."""
        arrivals = self.uniform(cycle_s) if arrivals is None else arrivals
        best = self.start(cycle_s) if begin is None else begin.copy()
        value = self.index(best, arrivals)
        count = len(best)
        for shift_s in _SHIFTS_S:
            improved = True
            while improved:
                improved = False
                for giver in range(count):
                    for taker in range(count):
                        if giver == taker or best[giver] <= shift_s:
                            continue
                        tried = best.copy()
                        tried[giver] -= shift_s
                        tried[taker] += shift_s
                        if find_broken_bound(self.table.bounds, tried.tolist()) is not None:
                            continue
                        found = self.index(tried, arrivals)
                        if found < value - 1e-9:
                            best, value, improved = tried, found, True
        return best, value

    def scaled(self, durations_s: I64, cycle_s: int) -> I64:
        """The same splits in another cycle, bounds kept; the sum is exact."""
        wanted = np.floor(durations_s * (cycle_s / durations_s.sum())).astype(np.int64)
        result = extended(np.maximum(wanted, 1), self.table.bounds)
        excess = int(result.sum()) - cycle_s
        for step in np.argsort(-(result - self.least_s)).tolist() * 4:
            while excess > 0:
                tried = result.copy()
                tried[step] -= 1
                if tried[step] < 1 or find_broken_bound(self.table.bounds, tried.tolist()) is not None:
                    break
                result, excess = tried, excess - 1
        if excess > 0:
            return self.start(cycle_s)
        result[int(np.argmax(durations_s))] -= excess
        return result

    def _run(self, durations_s: I64, arrivals: F64) -> tuple[F64, F64, F64, F64]:
        table = self.table
        result: tuple[F64, F64, F64, F64] = run_cycle(
            durations_s, table.shows, table.start_s, self.saturation_flow, self.share, arrivals,
            table.rival_start, table.rivals,
        )  # fmt: skip
        return result
