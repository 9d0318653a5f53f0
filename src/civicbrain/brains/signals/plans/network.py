"""Plans for all junctions together: a common cycle where it pays, splits, offsets.

The network is climbed as TRANSYT does it (Robertson 1969; Vincent, Mitchell and Robertson 1980): with the
cyclic flow profiles of `science.cyclic_flow`, offsets and splits are shifted while the delay index falls.
Neighbours that send platoons to each other make a region; it runs one cycle, junctions with little demand
half of it, unless every junction at its own best cycle is expected to do better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from civicbrain.brains.signals.approach import Streams, build_streams
from civicbrain.brains.signals.plans.flows import StreamFlows
from civicbrain.brains.signals.plans.junction import CycleResult, JunctionModel
from civicbrain.brains.signals.plans.links import Approach, build_approaches
from civicbrain.brains.signals.plans.tables import PlanTable, build_tables
from civicbrain.city.model import City
from civicbrain.city.network import F64, I32
from civicbrain.science.cyclic_flow import I64, disperse

_SWEEPS = 4
_SHORTLIST = 3
_WORTHWHILE = 0.995
"""A change that is expected to save less than 0.5 % is not made."""


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """max_cycle_s: longest cycle considered (120 s: beyond, HCM and RiLSA find little gain and long waits).
    period_s: how long the demand lasts. coordinate: False leaves every junction by itself. max_region:
    regions of more junctions are not coordinated (the climb takes time in proportion)."""

    max_cycle_s: int = 120
    period_s: float = 900.0
    coordinate: bool = True
    max_region: int = 60


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """One junction's plan: (n,) whole seconds a step of its local plan, and the offset in s."""

    durations_s: I64
    offset_s: int

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Timing)
            and self.offset_s == other.offset_s
            and bool(np.array_equal(self.durations_s, other.durations_s))
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def cycle_s(self) -> int:
        return int(self.durations_s.sum())


class PlanNetwork:
    """All junctions of a city with one demand. Rows are those of the city's junctions."""

    def __init__(
        self,
        city: City,
        flows: StreamFlows,
        options: PlanOptions,
        streams: Streams | None = None,
        tables: list[PlanTable] | None = None,
    ) -> None:
        streams = build_streams(city) if streams is None else streams
        self._city, self._streams = city, streams
        self.tables = build_tables(city, streams) if tables is None else tables
        self.options = options
        self.approaches: list[list[Approach]]
        self.approaches, storage, metered = build_approaches(city, streams, flows, self.tables)
        self.models = [
            JunctionModel(table, flows.flow[table.streams], storage[row], metered[row], options.period_s)
            for row, table in enumerate(self.tables)
        ]
        self._down: list[set[int]] = [set() for _ in self.models]
        for row, approaches in enumerate(self.approaches):
            for approach in approaches:
                for source in approach.sources:
                    self._down[source.junction].add(row)

    def group_of(self, row: int) -> I32:
        """(k,) row in the junction's groups of each of its streams."""
        streams = self.tables[row].streams
        groups: I32 = self._streams.group[streams] - self._city.signals.group_start[row]
        return groups

    @property
    def local(self) -> dict[int, Timing]:
        """The local plans, in whole seconds."""
        return {
            row: Timing(table.durations_s, round(table.offset_s) % int(table.durations_s.sum()))
            for row, table in enumerate(self.tables)
        }

    def regions(self) -> list[list[int]]:
        """Rows of junctions that send platoons to each other, directly or through others."""
        left, found = set(range(len(self.models))), []
        both: list[set[int]] = [set(rows) for rows in self._down]
        for row, rows in enumerate(self._down):
            for other in rows:
                both[other].add(row)
        while left:
            region, frontier = [], [min(left)]
            left.discard(frontier[0])
            while frontier:
                row = frontier.pop()
                region.append(row)
                frontier += sorted(both[row] & left)
                left -= both[row]
            found.append(sorted(region))
        return found

    def evaluate(self, plans: Mapping[int, Timing]) -> dict[int, CycleResult]:
        """What every junction is expected to do under these plans. Junctions of one cycle (or half of it) see
        each other's platoons; others a constant rate."""
        cycle_s = max((plan.cycle_s for plan in plans.values()), default=0)
        state = _Profiles(self, dict(plans), cycle_s)
        return {row: state.result(row) for row in plans}

    # -- making plans

    def isolated(self, row: int) -> Timing:
        """The best plan of a junction by itself; its local plan where nothing is expected to be better."""
        model, table = self.models[row], self.tables[row]
        best = table.durations_s
        value = model.index(best, model.uniform(int(best.sum()))) * _WORTHWHILE
        for cycle_s in self._cycles([row]):
            durations, found = model.best_splits(cycle_s)
            if found < value:
                best, value = durations, found
        return Timing(best, round(table.offset_s) % int(best.sum()))

    def make_plans(self) -> dict[int, Timing]:
        """The best plans of all junctions: region by region, coordinated where that is expected to pay."""
        plans: dict[int, Timing] = {}
        for region in self.regions():
            found: dict[int, Timing] = {}
            for found in self.plan_region(region):  # noqa: B007  (the last one is the answer)
                pass
            plans.update(found)
        return plans

    def plan_region(self, region: Sequence[int]) -> Iterator[dict[int, Timing]]:
        """Make the plans of a region in pieces of work of less than a second or two each; what is yielded
        last is the answer, what comes before is the best so far."""
        plans: dict[int, Timing] = {}
        for row in region:
            plans[row] = self.isolated(row)
            yield plans
        if not 2 <= len(region) <= self.options.max_region or not self.options.coordinate:
            return
        best = self.total(plans)
        for cycle_s in self._shortlist(region):
            yield plans
            together = self._coordinate(region, cycle_s)
            value = self.total(together)
            if value < best:
                best, plans = value, together
        local = {row: self.local[row] for row in region}
        if self.total(local) * _WORTHWHILE < best:
            plans = local
        yield plans

    def total(self, plans: Mapping[int, Timing]) -> float:
        """The delay index of these plans together, veh."""
        return sum(result.index for result in self.evaluate(plans).values())

    def _cycles(self, region: Sequence[int]) -> list[int]:
        least = max(self.models[row].least_cycle_s for row in region)
        local = [int(self.tables[row].durations_s.sum()) for row in region]
        longest = max(self.options.max_cycle_s, least)
        steps = list(range(-(-least // 10) * 10, longest + 1, 10)) or [least]
        return sorted({least, *steps, *(c for c in local if least <= c <= longest)})

    def _shortlist(self, region: Sequence[int]) -> list[int]:
        """Common cycles worth a closer look, by their delay at constant rates."""
        totals = []
        for cycle_s in self._cycles(region):
            cycle_s += cycle_s % 2
            totals.append((sum(self._best(row, cycle_s)[1] for row in region), cycle_s))
        return [cycle_s for _, cycle_s in sorted(totals)[:_SHORTLIST]]

    def _best(self, row: int, cycle_s: int) -> tuple[I64, float]:
        """Splits of a junction in a common cycle, or in half of it where that is better."""
        model = self.models[row]
        durations, value = model.best_splits(cycle_s)
        if cycle_s % 2 == 0 and model.least_cycle_s <= cycle_s // 2:
            half, half_value = model.best_splits(cycle_s // 2)
            if half_value < value:
                return half, half_value
        return durations, value

    def _coordinate(self, region: Sequence[int], cycle_s: int) -> dict[int, Timing]:
        plans = {
            row: Timing(self._best(row, cycle_s)[0], round(self.tables[row].offset_s) % cycle_s)
            for row in region
        }
        state = _Profiles(self, plans, cycle_s)
        order = sorted(region, key=lambda row: -float(self.models[row].flow.sum()))
        self._climb_offsets(state, order)
        for row in order:
            plan = state.plans[row]
            durations, _ = self.models[row].best_splits(plan.cycle_s, state.arrivals(row), plan.durations_s)
            state.change(row, Timing(durations, plan.offset_s))
        self._climb_offsets(state, order)
        return state.plans

    def _climb_offsets(self, state: _Profiles, order: Sequence[int]) -> None:
        """Shift one junction after the other, by large steps and small ones (TRANSYT's 15 % and 40 % of the
        cycle and single seconds), while what it and its neighbours lose falls."""
        cycle_s = state.cycle_s
        shifts = [round(share * cycle_s) for share in (0.4, -0.4, 0.15, -0.15)] + [5, -5, 2, -2, 1, -1]
        for _ in range(_SWEEPS):
            improved = False
            for row in order:
                watched = [row, *sorted(self._down[row] & set(state.plans))]
                value = sum(state.index(one) for one in watched)
                for shift_s in shifts:
                    before = state.plans[row]
                    offset_s = (before.offset_s + shift_s) % before.cycle_s
                    kept = state.change(row, Timing(before.durations_s, offset_s))
                    found = sum(state.index(one) for one in watched)
                    if found < value - 1e-6:
                        value, improved = found, True
                    else:
                        state.restore(row, before, kept)
            if not improved:
                break


class _Profiles:
    """The flow profiles of a set of plans in a common cycle, kept up as plans change."""

    def __init__(self, network: PlanNetwork, plans: dict[int, Timing], cycle_s: int) -> None:
        self.cycle_s = cycle_s
        self.plans = plans
        self._network = network
        self._out: dict[int, F64] = {}  # (k, cycle) of each junction, in the time of the region
        for _ in range(3):  # what leaves hangs on what arrives: from the outside in
            for row in plans:
                self._update(row)

    def arrivals(self, row: int) -> F64:
        """(k, the junction's cycle) veh/s in the junction's own time."""
        model, plan = self._network.models[row], self.plans[row]
        own_s = plan.cycle_s
        result = model.uniform(own_s)
        if not self._fits(plan):
            return result
        for approach in self._network.approaches[row]:
            shape = np.zeros(self.cycle_s)
            weight = 0.0
            for source in approach.sources:
                out = self._out.get(source.junction)
                if out is None:
                    continue
                leaving = out[source.stream]
                mean = float(leaving.mean())
                if mean > 0.0:
                    shape += source.flow / mean * disperse(leaving, source.travel_s)
                    weight += source.flow
            if weight <= 0.0:
                continue
            fed = sum(source.flow for source in approach.sources)
            part = approach.metered * weight / fed
            shape = 1.0 - part + part * np.roll(shape / weight, -plan.offset_s)
            if own_s != self.cycle_s:
                shape = shape.reshape(-1, own_s).mean(axis=0)
            rows = list(approach.streams)
            result[rows] = model.flow[rows, None] * shape
        return result

    def index(self, row: int) -> float:
        return self._network.models[row].index(self.plans[row].durations_s, self.arrivals(row))

    def result(self, row: int) -> CycleResult:
        return self._network.models[row].evaluate(self.plans[row].durations_s, self.arrivals(row))

    def change(self, row: int, plan: Timing) -> F64 | None:
        """Give a junction another plan; returns its profile before, for `restore`."""
        before = self._out.get(row)
        self.plans[row] = plan
        self._update(row)
        return before

    def restore(self, row: int, plan: Timing, out: F64 | None) -> None:
        self.plans[row] = plan
        if out is not None:
            self._out[row] = out

    def _fits(self, plan: Timing) -> bool:
        return self.cycle_s % plan.cycle_s == 0 and self.cycle_s // plan.cycle_s <= 2

    def _update(self, row: int) -> None:
        plan = self.plans[row]
        if not self._fits(plan):
            return
        out = self.result(row).departures
        out = np.tile(out, (1, self.cycle_s // plan.cycle_s))
        self._out[row] = np.roll(out, plan.offset_s, axis=1)
