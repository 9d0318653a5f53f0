"""The control `brain`: each second, the first move of the best schedule found for the coming seconds.

What is expected at every stop line comes from the estimator (`estimate`): vehicles in view, those under way
between cameras, those that neighbouring junctions plan to let go. For each junction the best schedule of
stages for the next `look_s` seconds is searched on a queue model (`schedules`, `search`); its first move
decides this second. The vehicles it plans to let go are what the junctions downstream expect in the next:
so a platoon is awaited, and a full link holds back its feeders. Junctions that no camera sees get fixed plans
from what is reckoned to arrive (`unseen`).

The bound on red, pedestrians and what has just begun are treated as under `max-pressure` (`choice`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from civicbrain.brains.signals.approach import Streams, build_streams
from civicbrain.brains.signals.approach_lanes import ApproachLanes
from civicbrain.brains.signals.asking import Asking, Explain
from civicbrain.brains.signals.choice import Choice, held_by_hand
from civicbrain.brains.signals.demand import Demand, DemandReader
from civicbrain.brains.signals.estimate import Estimate, Estimator
from civicbrain.brains.signals.explanation import Words, explain_plan
from civicbrain.brains.signals.heads import Heads
from civicbrain.brains.signals.inside import LettingOut, before_the_line
from civicbrain.brains.signals.reach_back import ReachBack
from civicbrain.brains.signals.schedules import I64, Scene, Weights, gather
from civicbrain.brains.signals.search import REQUESTS_AHEAD, search
from civicbrain.brains.signals.stages import StageTable, build_stages, never_full
from civicbrain.brains.signals.stalled import Stalled, leave_out
from civicbrain.brains.signals.unseen import UnseenPlans
from civicbrain.brains.signals.waiting import Waiting
from civicbrain.city.model import City
from civicbrain.city.network import F64, I32, Bool
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.brain import Advice
from civicbrain.core.errors import ConfigurationError

SHARES_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class LookAheadOptions:
    """max_red_s: bound on the wait of a stream with demand. horizon_s: how far arrivals are expected. look_s:
    how far schedules are searched. width: schedules kept of those alike. most_a_second: junctions decided
    each second; those of a larger city take turns. flow_veh_per_s, loss_s, yellow_s: saturation flow of a
    lane, time lost at the start of green, use made of yellow. min_stage_s: shortest showing of a stage.
    age_s: wait that doubles the weight of a lane. reach_back: weight of the vehicles of a queue that reaches
    back to where others pass, 1 as others. coordinate: expect what neighbours plan to let go.
    extra_stages: ask for combinations that the city's plan does not show, too. valid_s: how long a request
    holds. stale_s: a camera silent this long leaves its junction to the local plan. explain: build
    explanations. The others: see `schedules.Weights`."""

    max_red_s: float = 120.0
    horizon_s: int = 40
    look_s: int = 20
    width: int = 3
    most_a_second: int = 400
    flow_veh_per_s: float = 0.5
    loss_s: float = 0.5
    min_stage_s: float = 4.0
    stop_s: float = 2.0
    yellow_s: float = 1.0
    gap_s: int = 3
    change_veh_s: float = 1.0
    left_s: float = 4.0
    left_by_queue_s: float = 1.0
    crowded_veh: float = 4.0
    age_s: float = 30.0
    reach_back: float = 3.0
    extra_stages: bool = True
    valid_s: float = 10.0
    stale_s: float = 10.0
    coordinate: bool = True
    explain: bool = False

    def __post_init__(self) -> None:
        for name in ("horizon_s", "look_s", "width", "most_a_second", "flow_veh_per_s", "age_s"):
            if not getattr(self, name) > 0:
                raise ConfigurationError(
                    f"{getattr(self, name)} is not above 0", place=f"brains.signals option {name!r}",
                    remedy="leave it out, or give a number above 0",
                )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """One tick, for explanations. Rows as in StageTable and Streams."""

    cost_veh_s: F64  # (s,) expected delay if the stage is shown next; inf where not asked
    chosen: I32  # (j,) stage row, -1 none
    current: I32  # (j,) stage row, -1 none
    overdue: I32  # (j,) group row served first, -1 none
    time_s: float
    plan: I64  # (j, furthest look) stage in each second of the newest schedule, -1 beyond it
    plan_s: F64  # (j,) second from which that schedule counts, -inf none; both change with the next tick
    demand: Demand
    estimate: Estimate
    held: Bool  # (j,) by an operator: not asked, but what would be chosen is told
    let_out: frozenset[int] = frozenset()  # junction rows where who waits inside goes first


class LookAheadBrain:
    """See the module. Deterministic: guesses follow from the count of its seconds; ties go to the stage
    shown, then to the lower one."""

    cadence_s = 1.0
    budget_s = 0.5

    def __init__(self, city: City, options: LookAheadOptions, name: str = "signals") -> None:
        self.name = name
        self.options = options
        self._city = city
        self.streams: Streams = build_streams(city)
        self.stages: StageTable = build_stages(city, self.streams, extra=options.extra_stages)
        self._lanes = ApproachLanes(
            city, self.streams, self.stages, loss_s=options.loss_s, yellow_s=options.yellow_s,
            min_stage_s=options.min_stage_s,
        )  # fmt: skip
        self._heads = Heads(self._lanes, self.streams.group)
        self._stalled = Stalled(self._lanes, self.streams.group, city.network)
        self._reach_back = ReachBack(self._lanes.lane, city.network, options.reach_back)
        self._reader = DemandReader(city, self.streams)
        self._estimator = Estimator(city, self.streams, options.horizon_s)
        self._waiting = Waiting(city, self.streams, never_full(self.stages))
        self._choice = Choice(
            city, self.streams, self.stages, self._waiting, max_red_s=options.max_red_s, margin=1.0,
            min_stage_s=options.min_stage_s, stale_s=options.stale_s, order_bonus=1.0,
        )  # fmt: skip
        self._weights = Weights(
            options.stop_s, options.gap_s, options.change_veh_s, options.left_s, options.left_by_queue_s,
            options.crowded_veh,
        )  # fmt: skip
        self._letting_out = LettingOut(city, self.streams, self.stages)
        self._asking = Asking(city, name, options.valid_s)
        self._words = Words(city, self.streams, self.stages)
        self._phase_s: F64 = np.array([junction.request_phase_s for junction in city.junctions])
        self._unseen = UnseenPlans(city, self.streams, name, options.stale_s)
        count, seconds = self._lanes.count, options.horizon_s
        self._junction_of_lane = np.repeat(
            np.arange(len(city.junctions)), np.diff(self._lanes.lanes.lane_start)
        )
        self._served = np.zeros((count, seconds))
        rare_s = self._lanes.lanes.every_s.max(initial=1)
        furthest_s = max(options.look_s, REQUESTS_AHEAD * int(rare_s) if rare_s > 1 else 0)
        self._plan = np.full((len(city.junctions), min(furthest_s, seconds)), -1, np.int64)
        self._plan_s = np.full(len(city.junctions), -np.inf)
        self._scene = Scene(
            np.zeros((count, seconds)), np.zeros(count), self._heads.bit,
            np.zeros(len(city.junctions), dtype=np.int32), np.zeros(count), np.zeros(count), np.zeros(count),
        )  # fmt: skip
        self._planned = np.full((self.streams.count, seconds), np.nan, dtype=np.float32)
        self._shares_s = self._last_s = -np.inf
        self._tick = 0
        self._warm()

    def _warm(self) -> None:
        """Compile before the first decision."""
        streams, seconds, groups = self.streams.count, self.options.horizon_s, self._city.signals.group_count
        nobody = np.zeros(len(self._city.junctions), dtype=np.bool_)
        none_f32, none_f64 = np.zeros(streams, np.float32), np.zeros(streams)
        gather(
            self._lanes.stream_lane, np.zeros((streams, seconds), np.float32), none_f32, none_f64, none_f64,
            none_f64, 1.0, self._scene,
        )  # fmt: skip
        self._foresee(nobody, np.full(len(nobody), -1, dtype=np.int32))
        self._planned[:] = np.nan
        lamps, since_s = np.zeros(groups, np.uint8), np.zeros(groups, np.float32)
        lanes, metres = np.zeros(0, np.int32), np.zeros(0, np.float32)
        queued = np.zeros(len(self._city.network.lanes.ids), np.float32)
        for array in (lamps, since_s, lanes, metres, queued):
            array.flags.writeable = False  # as a snapshot's are
        self._reach_back.update(-np.inf, queued)
        self._heads.update(0.0, lamps, since_s, np.zeros(streams, dtype=np.bool_), self.streams.share)
        self._stalled.update(0.0, lamps, since_s, queued, lanes, metres, metres)
        leave_out(self._stalled.dead_veh, self._scene.arrivals)

    def advise(self, snapshot: Snapshot) -> Advice:
        """Requests for all junctions that can be decided on; explanations if asked for."""
        if self.stages.count == 0:
            return Advice()
        outlook = self.decide(snapshot)
        explain: Explain | None = None
        if self.options.explain:
            explain = self._words.of_outlook(outlook)
        advice = self._asking.advice(snapshot.time_s, outlook.chosen, outlook.overdue, explain, outlook.held)
        plans = self._unseen.update(snapshot, outlook.estimate.rate_veh_per_s)
        if not plans:
            return advice
        said: dict[str, Mapping[str, object]] = {}
        for plan in plans if explain else ():
            cycle_s = sum(plan.durations_s)
            why = f"no camera sees this junction: plan of {cycle_s:.0f} s for what is reckoned to arrive"
            said[plan.junction] = explain_plan(plan, why)
        return replace(advice, requests=advice.requests + plans, explanations={**advice.explanations, **said})

    def decide(self, snapshot: Snapshot) -> Outlook:
        """One tick as arrays."""
        snapshot, inside = before_the_line(snapshot)
        now, signals, options = snapshot.time_s, snapshot.signals, self.options
        if now < self._last_s:  # the window began again
            self._planned[:] = np.nan
            self._served[:] = 0.0
            self._plan_s[:] = -np.inf
            self._heads.bit[:] = 0
            self._stalled.reset()
            self._tick = 0
            self._shares_s = -np.inf
            self._unseen.reset()
        self._last_s = now
        demand = self._reader.read(snapshot)
        self._waiting.update(now, signals.lamps, signals.lamps_since_s, demand)
        estimate = self._estimator.update(snapshot, self._planned if options.coordinate else None)
        if now - self._shares_s >= SHARES_EVERY_S:
            self._lanes.take_shares(estimate.share)
            self._shares_s = now
        standing = demand.standing_head[:-1]
        self._heads.update(now, signals.lamps, signals.lamps_since_s, standing, estimate.share)
        seen = snapshot.detections
        self._stalled.update(
            now, signals.lamps, signals.lamps_since_s, snapshot.lanes.queued, seen.lane, seen.distance_m,
            seen.speed_mps,
        )  # fmt: skip
        self._reach_back.update(now, snapshot.lanes.queued)
        ready, current = self._choice.look(snapshot, held_too=options.explain)
        held = held_by_hand(snapshot)
        steady = (signals.target < 0) | (signals.target == signals.stage)
        young = (current >= 0) & (now - signals.stage_since_s < options.min_stage_s)
        every_s, heard_s = self._lanes.lanes.every_s, self._scene.heard_s
        heard_s[:] = np.round(self._phase_s - now) % every_s
        self._tick += 1
        turns = -(-len(ready) // options.most_a_second)
        if turns > 1:
            others = (np.arange(len(ready)) + self._tick) % turns != 0
            young |= others & ((every_s == 1) | (heard_s > 0))
        self._look_at(estimate, demand)
        asked = ready & steady & ~young
        cost, first = self._foresee(asked, current)
        self._plan_s[asked] = now
        # others, and those whom an operator holds: their usual flow
        self._planned[(held | ~ready)[self.streams.junction]] = np.nan
        # the choice's own rules (overdue, walking, what has begun) go by a worth: the less delay the more
        worth = 1.0 / (1.0 + np.maximum(cost, 0.0))
        worth[first[first >= 0]] = 2.0
        chosen, overdue = self._choice.choose(snapshot, demand, worth, ready, current)
        let_out = self._letting_out.revise(inside, snapshot, worth, current, chosen, overdue)
        return Outlook(
            cost, chosen, current, overdue, now, self._plan, self._plan_s, demand, estimate, held, let_out
        )

    def _look_at(self, estimate: Estimate, demand: Demand) -> None:
        """What is expected, lane by lane."""
        weight = 1.0 + (self._waiting.credit_s[:-1] / self.options.age_s) ** 2
        gather(
            self._lanes.stream_lane, estimate.arrivals_veh, estimate.rate_veh_per_s, demand.outlet[:-1],
            demand.run_veh[:-1], weight, self.options.flow_veh_per_s, self._scene,
        )  # fmt: skip
        leave_out(self._stalled.dead_veh, self._scene.arrivals)
        self._scene.weight[:] *= self._reach_back.weight

    def _foresee(self, asked: Bool, current: I32) -> tuple[F64, I32]:
        cost = np.full(self.stages.count, np.inf)
        first = np.full(len(asked), -1, dtype=np.int32)
        search(
            self._lanes.lanes, self._scene, self._weights, asked, current, self.options.width,
            self.options.look_s, self._tick, cost, first, self._served, self._plan,
        )  # fmt: skip
        idle = ~asked[self._junction_of_lane]  # their plans are a second older now
        self._served[idle, :-1] = self._served[idle, 1:]
        self._served[idle, -1] = 0.0
        self._planned[:] = self._served[self._lanes.stream_lane] * self.streams.share[:, None]
        return cost, first
