"""The control `plan-change`: every 5 to 15 minutes a new fixed plan, for controllers that take nothing finer.

Cameras count what passes (space-mean flow over the last metres before the stop line: Edie 1963, "Discussion
of traffic stream measurements and definitions"; a camera knows no identities, but speeds and places suffice),
the queue that grew is added, and `plans.network` makes cycle, splits and offsets from the flows, as
`civicbrain retime` does from counts. The work is spread over many ticks; the plan in force is asked for again
each minute, so that a controller whose centre falls silent is back in its local plan a few minutes later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from civicbrain.brains.signals.approach import Streams, build_streams
from civicbrain.brains.signals.explanation import explain_plan
from civicbrain.brains.signals.inside import before_the_line
from civicbrain.brains.signals.plans.flows import StreamFlows
from civicbrain.brains.signals.plans.network import PlanNetwork, PlanOptions, Timing
from civicbrain.brains.signals.plans.requests import RENEW_S, listens, movement_shares, plan_request
from civicbrain.brains.signals.plans.tables import build_tables
from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.observations import Detections
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.brain import Advice
from civicbrain.core.errors import ConfigurationError

ZONE_M = 50.0
"""Stretch before the stop line over which flow is measured: long enough for a vehicle at full speed to be
seen four times, short enough for most drivers to be in the lane that they turn from."""

SEEN_SHARE = 0.95
"""Share of the vehicles that a camera does not overlook in a frame."""

RESIDUAL_S = 120.0
"""The fewest vehicles in view over the longest usual cycle are those that no green clears."""

WORTHWHILE = 0.97
"""Plans are changed for 3 % of expected delay or more: each change costs a transition."""

_MEMORY = 0.35
"""Weight of what was known before in the flows of a new interval."""


@dataclass(frozen=True, slots=True)
class PlanChangeOptions:
    """interval_s: time between two plans, 300 to 900 s. max_cycle_s: longest cycle (flows of a few
    minutes are noisy, and a long cycle made from noise costs most). coordinate: look for common
    cycles and offsets, too. valid_s: how long a request holds. stale_s: a camera silent this long counts
    nothing. explain: build explanations."""

    interval_s: float = 300.0
    max_cycle_s: int = 80
    coordinate: bool = True
    valid_s: float = 240.0
    stale_s: float = 10.0
    explain: bool = False

    def __post_init__(self) -> None:
        place = "brains.signals options of plan-change"
        if not 60.0 <= self.interval_s <= 3600.0:
            raise ConfigurationError(
                f"interval_s {self.interval_s:g} is not between 60 and 3600",
                place=place,
                remedy="use 300 to 900",
            )
        if not 30 <= self.max_cycle_s <= 300:
            raise ConfigurationError(
                f"max_cycle_s {self.max_cycle_s} is not between 30 and 300",
                place=place,
                remedy="use 60 to 150",
            )
        if not RENEW_S < self.valid_s <= 300.0:
            raise ConfigurationError(
                f"valid_s {self.valid_s:g} is not above {RENEW_S:g} and at most 300",
                place=place,
                remedy="use 240",
            )


class FlowMeter:
    """Flow of each stream over an interval, from camera frames."""

    def __init__(self, city: City, streams: Streams) -> None:
        self._streams = streams
        lanes, cameras = city.network.lanes, city.cameras
        reach = np.zeros(streams.count + 1)
        far_m = np.minimum(cameras.beyond_m + lanes.length_m[cameras.lane], cameras.range_m)
        for column in range(streams.lane_stream.shape[1]):
            np.maximum.at(reach, streams.lane_stream[cameras.lane, column], far_m)
        self._zone_m = np.clip(reach, 1.0, ZONE_M)
        self.reset()

    def reset(self) -> None:
        """Begin a new interval."""
        count = self._streams.count + 1
        self._metres = np.zeros(count)  # travelled within the zone
        self._frames: list[F64] = []  # vehicles in view of each stream
        self.span_s = 0.0

    def see(self, seen: Detections, span_s: float) -> None:
        """A frame that stands for span_s."""
        count = self._streams.count + 1
        target = self._streams.lane_stream[seen.lane]
        share = self._streams.lane_share[seen.lane]
        near = seen.distance_m[:, None] <= self._zone_m[target]
        weight = np.where(near, share * seen.speed_mps[:, None] * span_s, 0.0)
        self._metres += np.bincount(target.ravel(), weight.ravel(), count)
        self._frames.append(np.bincount(target.ravel(), share.ravel(), count).astype(np.float64))
        self.span_s += span_s

    def flow(self) -> F64:
        """(k,) veh/s that arrived: what passed, and what the queue that no green clears grew by."""
        if self.span_s <= 0.0:
            return np.zeros(self._streams.count)
        passed = self._metres / (self._zone_m * SEEN_SHARE * self.span_s)
        part = max(1, round(len(self._frames) * min(1.0, RESIDUAL_S / self.span_s)))
        left_over = [np.min(frames, axis=0) for frames in (self._frames[:part], self._frames[-part:])]
        grown = np.maximum(left_over[1] - left_over[0], 0.0)
        flow: F64 = (passed + grown / max(self.span_s - RESIDUAL_S, 60.0))[:-1]
        return flow


class PlanChangeBrain:
    """See the module. Deterministic."""

    cadence_s = 1.0
    budget_s = 5.0

    def __init__(self, city: City, options: PlanChangeOptions, name: str = "signals") -> None:
        self.name = name
        self.options = options
        self._city = city
        self._streams = build_streams(city)
        self._tables = build_tables(city, self._streams)
        self._meter = FlowMeter(city, self._streams)
        self._flow: F64 | None = None
        self._begin_s: float | None = None
        self._last_s = 0.0
        self._plans: dict[int, Timing] = {}
        self._regions: list[list[int]] = []
        self._renewed_s = -1e9
        self._work: Iterator[dict[int, Timing] | None] | None = None
        self._why = "local plan"
        self._movement_share = movement_shares(city, self._streams)

    def advise(self, snapshot: Snapshot) -> Advice:
        """Count; at the end of an interval begin to make plans; ask for those in force once a minute."""
        now_s = snapshot.time_s
        if self._begin_s is None or now_s < self._last_s:
            self._begin_s = now_s
            self._meter.reset()
        self._meter.see(before_the_line(snapshot)[0].detections, self.cadence_s)
        self._last_s = now_s
        changed = False
        if self._work is not None:
            done = next(self._work, None)
            if done is not None:
                self._work = None
                changed = done != self._plans
                self._plans = self._aligned(done, snapshot)
        elif now_s - self._begin_s >= self.options.interval_s:
            self._work = self._make_plans(self._demand())
            self._begin_s = now_s
            self._meter.reset()
        if not self._plans or not (changed or now_s - self._renewed_s >= RENEW_S):
            return Advice()
        self._renewed_s = now_s
        expires_s = now_s + self.options.valid_s
        requests = tuple(
            plan_request(self._city.junctions[row], plan, now_s, expires_s, self.name)
            for row, plan in self._plans.items()
            if listens(snapshot, row)
        )
        explanations: Mapping[str, Mapping[str, object]] = {}
        if self.options.explain:
            source = f"from flows of {self.options.interval_s / 60.0:.0f} min"
            explanations = {
                r.junction: explain_plan(r, f"plan of {sum(r.durations_s):.0f} s {source}") for r in requests
            }
        return Advice(requests=requests, explanations=explanations)

    def _demand(self) -> StreamFlows:
        flow = self._meter.flow()
        self._flow = flow if self._flow is None else _MEMORY * self._flow + (1.0 - _MEMORY) * flow
        movement = np.append(self._flow, 0.0)[self._streams.movement_stream] * self._movement_share
        return StreamFlows(self._flow, movement)

    def _make_plans(self, flows: StreamFlows) -> Iterator[dict[int, Timing] | None]:
        """Plans piece by piece; what comes last is not None."""
        network = PlanNetwork(
            self._city,
            flows,
            PlanOptions(max_cycle_s=self.options.max_cycle_s, coordinate=self.options.coordinate),
            self._streams,
            self._tables,
        )
        current = {**network.local, **self._plans}
        self._regions = network.regions()
        for region in self._regions:
            plans: dict[int, Timing] = {}
            for plans in network.plan_region(region):  # noqa: B007  (the last one is the answer)
                yield None
            had = {row: current[row] for row in region}
            if network.total(plans) < WORTHWHILE * network.total(had):
                current.update(plans)
        yield current

    def _aligned(self, plans: dict[int, Timing], snapshot: Snapshot) -> dict[int, Timing]:
        """Offsets count against each other only: those of a region that changes are all shifted by the
        seconds that fit best to the stages shown now, so that the change disturbs few."""
        result = dict(plans)
        for region in self._regions:
            if all(plans[row] == self._plans.get(row) for row in region):
                continue
            cycle_s = max(plans[row].cycle_s for row in region)
            shifts = np.arange(cycle_s)
            misfit = np.zeros(cycle_s)
            for row in region:
                steps = self._city.junctions[row].local_plan.steps
                stage = int(snapshot.signals.stage[row])
                at = [number for number, step in enumerate(steps) if step.stage == stage]
                if not at:
                    continue
                plan = plans[row]
                begin_s = float(plan.durations_s[: at[0]].sum()) + plan.offset_s
                late_s = (snapshot.signals.stage_since_s[row] - begin_s - shifts) % plan.cycle_s
                misfit += np.minimum(late_s, plan.cycle_s - late_s)
            shift_s = int(shifts[int(np.argmin(misfit))])
            for row in region:
                plan = plans[row]
                result[row] = Timing(plan.durations_s, (plan.offset_s + shift_s) % plan.cycle_s)
        return result
