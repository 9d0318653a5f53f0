"""Plans for junctions that no camera sees, from what is reckoned to arrive there.

A stage asked for second by second wants to know who stands at the line; a cycle and its splits want mean
flows only, and these the estimator knows well enough from what passes the cameras around
(`estimate_sources`). Each junction is planned by itself (`plans.network`, `isolated`), because its neighbours
follow no cycle. It keeps its local plan where a new one is not expected to save clearly more than the flows
are uncertain.

What is reckoned is off by a factor of two, and green that an approach lacks costs far more than green that it
leaves unused. So what the local plan was laid out for counts as much as what is reckoned (`laid_out_for`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from civicbrain.brains.signals.ages import CameraAges
from civicbrain.brains.signals.approach import Streams
from civicbrain.brains.signals.plans.flows import StreamFlows
from civicbrain.brains.signals.plans.network import PlanNetwork, PlanOptions, Timing
from civicbrain.brains.signals.plans.requests import RENEW_S, listens, movement_shares, plan_request
from civicbrain.brains.signals.plans.tables import PlanTable, make_tables
from civicbrain.city.model import City
from civicbrain.city.network import F32, F64, Bool
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.brain import PlanRequest

FIRST_S = 120.0
"""Time that rates are learned for before the first plans."""

EVERY_S = 600.0
"""Between two plans: the longer the calmer; flows change slower than that."""

MAX_CYCLE_S = 90

WORTHWHILE = 0.95
"""Delay expected of a new plan, as a share of that of the plan in force, from which on it is taken: a change
costs a transition, and the flows are reckoned, not counted."""

PLAN_SATURATION = 0.5
"""Demand over capacity that a city's plan is taken to give each of its streams. In its peak it is 0.85 to
0.9 where the plan was made for it (HCM 6th ed., ch. 19), and less at most hours. What was tried beside it:
docs/decisions/look-ahead.md."""

VALID_S = 240.0

TABLES_A_TICK = 100


class UnseenPlans:
    """Makes plans and asks for them. The work is done in pieces, one a tick."""

    def __init__(self, city: City, streams: Streams, name: str, stale_s: float) -> None:
        """name: the brain's. stale_s: silence after which a camera counts as none."""
        self._city, self._streams, self._name = city, streams, name
        self._stale_s = stale_s
        self._ages = CameraAges(city)
        self._share = movement_shares(city, streams)
        self._tables: list[PlanTable] | None = None  # made when first needed
        self.reset()

    def reset(self) -> None:
        """Forget all plans."""
        self.plans: dict[int, Timing] = {}
        self._work: Iterator[None] | None = None
        self._next_s: float | None = None
        self._renewed_s = -np.inf

    def update(self, snapshot: Snapshot, rate_veh_per_s: F32) -> tuple[PlanRequest, ...]:
        """rate_veh_per_s: (k,) reckoned arrivals. Requests once a minute."""
        now_s = snapshot.time_s
        if self._next_s is None:
            self._next_s = now_s + FIRST_S
        fresh = False
        if self._work is not None:
            if next(self._work, self) is self:
                self._work, fresh = None, True
        elif now_s >= self._next_s:
            self._next_s = now_s + EVERY_S
            rows = np.flatnonzero(~self._seen(snapshot)).tolist()
            self._work = self._make(rows, rate_veh_per_s.astype(np.float64)) if rows else None
        if not self.plans or not (fresh or now_s - self._renewed_s >= RENEW_S):
            return ()
        self._renewed_s = now_s
        seen = self._seen(snapshot)
        return tuple(
            plan_request(self._city.junctions[row], plan, now_s, now_s + VALID_S, self._name)
            for row, plan in self.plans.items()
            if not seen[row] and listens(snapshot, row)
        )

    def _seen(self, snapshot: Snapshot) -> Bool:
        """(j,) whether a camera delivers."""
        seen: Bool = self._ages.of(snapshot) <= self._stale_s
        return seen

    def _make(self, rows: list[int], rate: F64) -> Iterator[None]:
        """Plans of these junctions, a piece of work at a time."""
        if self._tables is None:
            tables = []
            for table in make_tables(self._city, self._streams):
                tables.append(table)
                if len(tables) % TABLES_A_TICK == 0:
                    yield
            self._tables = tables
        tables = self._tables
        reckoned, rate = self._network(rate, tables), rate.copy()
        for row in rows:
            rate[tables[row].streams] = laid_out_for(reckoned, row)
            yield
        network = self._network(rate, tables)
        yield
        local = network.local
        for row in rows:
            had, new = self.plans.get(row, local[row]), network.isolated(row)
            if network.total({row: new}) < WORTHWHILE * network.total({row: had}):
                self.plans[row] = new
            yield

    def _network(self, rate: F64, tables: list[PlanTable]) -> PlanNetwork:
        movement = np.append(rate, 0.0)[self._streams.movement_stream] * self._share
        return PlanNetwork(
            self._city, StreamFlows(rate, movement), PlanOptions(max_cycle_s=MAX_CYCLE_S, coordinate=False),
            self._streams, tables,
        )  # fmt: skip


def laid_out_for(network: PlanNetwork, row: int) -> F64:
    """(k,) veh/s to plan for: the geometric mean of the flows of `network` and of what the junction's local
    plan carries at a saturation of PLAN_SATURATION."""
    flow = network.models[row].flow
    saturation = network.evaluate({row: network.local[row]})[row].saturation
    carried = flow / np.maximum(saturation, 1e-6) * PLAN_SATURATION
    result: F64 = np.sqrt(flow * carried)
    return result
