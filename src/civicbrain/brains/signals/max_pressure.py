"""The control `max-pressure`: each second, keep the stage or ask for the one worth more.

Worth of a stage: what it would serve from now on, each vehicle weighed by the pressure behind it, over the
time it takes, transition included; the best span counts (see `civicbrain.science.pressure`). The stage shown
has no transition to pay and keeps its place unless another is worth more by a margin. A stream that has
waited nearly as long as allowed is served first, oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from civicbrain.brains.signals.approach import SHORT_LINK_CARS, Streams, build_streams
from civicbrain.brains.signals.demand import HORIZON_S, SOON, Demand, DemandReader
from civicbrain.brains.signals.explanation import explain_junction
from civicbrain.brains.signals.owners import Owners, Spans
from civicbrain.brains.signals.stages import StageTable, build_stages, never_full
from civicbrain.brains.signals.waiting import Waiting
from civicbrain.city.model import City
from civicbrain.city.network import F64, I32, Bool
from civicbrain.city.signals import Capability, ControllerMode
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.brain import Advice, StageRequest
from civicbrain.science.pressure import age_weight, permitted_factor, queue_weight, stage_worth
from civicbrain.science.queues import JAM_SPACING_M, SATURATION_FLOW_VEH_PER_S, run_before_blocking

OVERDUE_SHARE = 0.7
"""A stream is served first from this share of the maximum red on: the rest is for finishing what is shown
and for others just as overdue."""

GIVE_UP_S = 45.0
"""A stage that could not serve an overdue group in this time will not: its road is blocked, or its
controller does not follow. The group starts to wait anew."""


SHORT_LINK_RED_S = 15.0
"""Wait after which a full short link is let out: about one minimum green and one intergreen."""

HARM = 0.05
"""What a stage is worth beside others while it lets traffic into a short link that takes no more."""

WALK_S = 7.0
"""Green for pedestrians after which they may be stopped while vehicles go on: time to start walking (RiLSA
2015 and MUTCD 2009 4E.06: 7 s; the crossing itself is the controller's clearance time)."""


@dataclass(frozen=True, slots=True)
class MaxPressureOptions:
    """max_red_s: bound on the wait of a stream with demand. queue_exponent: see `queue_weight`.
    margin: how much more another stage must be worth, as a factor. age_s: wait that doubles a weight.
    min_stage_s: shortest showing of a stage once all its groups are green. valid_s: how long a request holds.
    stale_s: a camera silent this long leaves its junction to the local plan. explain: build explanations."""

    max_red_s: float = 120.0
    queue_exponent: float = 0.3
    margin: float = 1.5
    age_s: float = 60.0
    min_stage_s: float = 4.0
    valid_s: float = 10.0
    stale_s: float = 10.0
    order_bonus: float = 1.05
    explain: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """One tick, for explanations. Rows as in StageTable and Streams."""

    worth: F64  # (s,) -1 where the junction was not asked
    span_s: F64  # (s,)
    chosen: I32  # (j,) stage row, -1 none
    current: I32  # (j,) stage row, -1 none
    overdue: I32  # (j,) group row served first, -1 none
    demand: Demand


class MaxPressureBrain:
    """See the module. Deterministic: no randomness, ties go to the lower stage."""

    cadence_s = 1.0
    budget_s = 0.5

    def __init__(self, city: City, options: MaxPressureOptions, name: str = "signals") -> None:
        self.name = name
        self.options = options
        self._city = city
        self.streams: Streams = build_streams(city)
        self.stages: StageTable = build_stages(city, self.streams)
        self._reader = DemandReader(city, self.streams)
        self._waiting = Waiting(city, self.streams, never_full(self.stages))
        self._camera_lane = city.cameras.lane
        self._of_camera = Owners(city.cameras.junction, len(city.junctions))
        self._of_group = Owners(self.streams.group, city.signals.group_count)
        self._of_junction = Spans(self.stages.stage_of)
        stage_junction = self.stages.junction
        self._stage_ids = [
            city.junctions[int(j)].stages[s - int(self.stages.stage_of[j])].id
            for s, j in enumerate(stage_junction)
        ]
        self._accepts: Bool = np.array([j.capability is Capability.STAGE for j in city.junctions], dtype=bool)
        self._forced = np.full(len(city.junctions), -1, dtype=np.int32)  # group being served as overdue
        self._forced_since = np.zeros(len(city.junctions))
        self._blocked_until = np.zeros(self.streams.count + 1)
        self._group = np.append(self.streams.group, 0)
        length = city.network.lanes.length_m[self.streams.lane]
        behind = np.zeros(len(city.network.lanes.ids), dtype=bool)  # lanes that a signal lets traffic into
        moves = city.network.movements
        behind[moves.to_lane[moves.junction >= 0]] = True
        self._short = behind[self.streams.lane] & (length < SHORT_LINK_CARS * JAM_SPACING_M)
        self._entries = np.arange(len(self.stages.stream))
        share = np.append(self.streams.share, 0.0)[self.stages.stream]
        share /= np.maximum(self.stages.green_share, 1e-9)  # of the lane's outflow while this stage is shown
        self._full_flow = SATURATION_FLOW_VEH_PER_S * share
        self._run = np.where(
            self.stages.whole_lane, 1e9, share * run_before_blocking(self.stages.green_share)
        )

    def advise(self, snapshot: Snapshot) -> Advice:
        """Requests for all junctions that can be decided on; explanations if asked for."""
        if self.stages.count == 0:
            return Advice()
        decision = self.decide(snapshot)
        now = snapshot.time_s
        requests: list[StageRequest] = []
        for j in np.flatnonzero(decision.chosen >= 0).tolist():
            requests.append(
                StageRequest(
                    junction=self._city.junctions[j].id,
                    stage=self._stage_ids[decision.chosen[j]],
                    not_before_s=now,
                    expires_s=now + self.options.valid_s,
                    brain=self.name,
                    reason="overdue" if decision.overdue[j] >= 0 else "",
                )
            )
        explanations = {}
        if self.options.explain:
            for j in np.flatnonzero(decision.chosen >= 0).tolist():
                explanations[self._city.junctions[j].id] = explain_junction(
                    self._city, self.streams, self.stages, decision, j
                )
        return Advice(requests=tuple(requests), explanations=explanations)

    def decide(self, snapshot: Snapshot) -> Decision:
        """One tick as arrays."""
        now, signals, table, options = snapshot.time_s, snapshot.signals, self.stages, self.options
        demand = self._reader.read(snapshot)
        self._waiting.update(now, signals.lamps, signals.lamps_since_s, demand)
        ready = self._ready(snapshot)
        local = np.where(ready, signals.stage, -1).astype(np.int32)
        current = np.where(local >= 0, table.stage_of[:-1] + local, -1).astype(np.int32)

        worth, span = self._worth(now, demand, local, current, snapshot)
        # green towards a full short link does harm: who is let in blocks the box for those who must get out
        harm = self.stages.stage[demand.run_veh[self.stages.stream] < 1.0]
        worth[np.unique(harm)] *= HARM
        chosen = self._choose(worth, current)
        clock = self._clock(snapshot, demand)
        chosen, overdue = self._serve_overdue(now, chosen, worth, current, clock)

        # pedestrians who have started to walk clear the crossing while the vehicles beside them still go:
        # a later change then does not wait for them
        shown_s = now - signals.stage_since_s
        walked = (current >= 0) & (chosen == current) & (overdue < 0) & (shown_s >= WALK_S)
        alone = np.where(walked, table.after_walk[current], -1)
        chosen = np.where(alone >= 0, alone, chosen).astype(np.int32)

        switching = ready & (signals.target >= 0) & (signals.target != signals.stage)
        # a stage just shown is given its minimum; a transition under way is completed
        young = ready & (current >= 0) & (shown_s < options.min_stage_s)
        target = (table.stage_of[:-1] + np.maximum(signals.target, 0)).astype(np.int32)
        chosen = np.where(switching, target, np.where(young, current, chosen)).astype(np.int32)
        chosen[~ready] = -1
        return Decision(worth, span, chosen, current, overdue, demand)

    def _ready(self, snapshot: Snapshot) -> Bool:
        """Junctions that follow the centre and whose camera is alive."""
        mode = snapshot.signals.mode
        listens = (mode == ControllerMode.LOCAL) | (mode == ControllerMode.CENTRAL)
        age = self._of_camera.least(snapshot.lanes.age_s[self._camera_lane], np.inf)
        ready: Bool = self._accepts & listens & (age <= self.options.stale_s)
        return ready

    def _worth(
        self, now: float, demand: Demand, local: I32, current: I32, snapshot: Snapshot
    ) -> tuple[F64, F64]:
        table, options = self.stages, self.options
        stream = table.stream
        came_from = local[table.entry_junction] + 1
        start = table.start_s[came_from, self._entries]
        vehicles = demand.vehicles

        rate = np.ones(len(stream))
        if len(table.opposing_entry):
            against = np.bincount(
                table.opposing_entry,
                weights=vehicles[table.opposing_stream, SOON],
                minlength=len(stream),
            )
            rate = np.where(table.permitted, permitted_factor(against / table.opposing_lanes), 1.0)

        self._find_blocked(now, demand, snapshot)
        blocked = self._blocked_until > now
        # who cannot leave on the lamp shown cannot on the same lamp in another stage either
        same_lamp = (table.stage == current[table.entry_junction]) | (
            table.permitted & ~self._shows_full[stream]
        )
        stuck_here = self._stands_on_green[stream] & same_lamp
        rate = np.where(stuck_here | (blocked[stream] & table.whole_lane), 0.1 * rate, rate)

        flow = self._full_flow * rate
        green = np.maximum(HORIZON_S[None, :] - start[:, None], 0.0)
        served = np.minimum(vehicles[stream], flow[:, None] * green)
        served = np.minimum(served, np.minimum(self._run, demand.run_veh[stream])[:, None])

        weight = queue_weight(vehicles[:, SOON], options.queue_exponent)
        weight *= age_weight(self._waiting.credit_s, options.age_s) * demand.outlet
        shortest = table.shortest_s[local[table.junction] + 1, np.arange(table.count)]
        return stage_worth(served * weight[stream][:, None], HORIZON_S, table.entry_of, shortest)

    def _find_blocked(self, now: float, demand: Demand, snapshot: Snapshot) -> None:
        """A head that stands though its lamp has been green for a while cannot leave, whatever the reason."""
        signals = snapshot.signals
        group = self._group
        shown = now - signals.lamps_since_s[group] >= 5.0
        full = (signals.lamps[group] == ord("G")) & shown
        self._stands_on_green = (full | ((signals.lamps[group] == ord("g")) & shown)) & demand.standing_head
        self._shows_full = full
        self._blocked_until[full & demand.standing_head] = now + 6.0
        self._blocked_until[self._blocked_until > now + 6.0] = 0.0  # the window began again
        self._blocked_until[-1] = 0.0

    def _choose(self, worth: F64, current: I32) -> I32:
        """Best stage of each junction, the shown one kept unless beaten by the margin."""
        table, options = self.stages, self.options
        valued = worth.copy()
        shown = current[current >= 0]
        local = np.where(current >= 0, current - table.stage_of[:-1], -1)
        bonus = table.order_bonus[local[table.junction] + 1, np.arange(table.count)]
        valued = np.where(bonus, valued * options.order_bonus, valued)
        valued[table.walking] *= 1.001  # of stages alike for vehicles, the one with pedestrians
        valued[shown] = worth[shown] * options.margin + 1e-9
        valued[~table.usable] = -2.0
        return self._of_junction.best(valued)

    def _clock(self, snapshot: Snapshot, demand: Demand) -> F64:
        """(g,) how long each group has waited; on a full short link the wait counts for more."""
        streams = self.streams
        wait = self._waiting.stream_s[:-1].copy()
        limit = OVERDUE_SHARE * self.options.max_red_s
        room = self._city.network.lanes.length_m[streams.lane]
        full = self._short & (room - snapshot.lanes.queued[streams.lane] * JAM_SPACING_M < JAM_SPACING_M)
        wait[full] *= max(limit / SHORT_LINK_RED_S, 1.0)
        wait[demand.run_veh[:-1] < 1.0] = 0.0  # green is of no use to who cannot leave
        return self._of_group.raise_to_greatest(self._waiting.group_s, wait)

    def _serve_overdue(
        self, now: float, chosen: I32, worth: F64, current: I32, clock: F64
    ) -> tuple[I32, I32]:
        """Replace the choice where a stream or an unseen group has waited too long."""
        table = self.stages
        limit = OVERDUE_SHARE * self.options.max_red_s
        overdue = np.full(len(chosen), -1, dtype=np.int32)
        late = clock >= limit
        if not late.any() and (self._forced < 0).all():
            return chosen, overdue
        for j in range(len(chosen)):
            first, last = int(table.group_start[j]), int(table.group_start[j + 1])
            mine = clock[first:last]
            forced = int(self._forced[j])
            if forced >= 0 and (mine[forced] == 0.0 or not 0.0 <= now - self._forced_since[j] <= GIVE_UP_S):
                self._waiting.forgive(first + forced)
                mine[forced] = 0.0
                forced = -1
            if forced < 0 and mine.size and mine.max() >= limit:
                forced = int(mine.argmax())
                self._forced_since[j] = now
            self._forced[j] = forced
            if forced < 0:
                continue
            rows = np.arange(int(table.stage_of[j]), int(table.stage_of[j + 1]))
            rows = rows[table.usable[rows]]
            able = table.stage_full[rows, forced]
            if not able.any():
                able = table.stage_greens[rows, forced]
            if not able.any():
                self._forced[j] = -1
                self._waiting.forgive(first + forced)
                continue
            overdue[j] = first + forced
            rows = rows[able]
            chosen[j] = current[j] if current[j] in rows else rows[worth[rows].argmax()]
        return chosen, overdue
