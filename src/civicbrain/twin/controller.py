"""The simulated controller at one junction: the last authority over its lamps.

It alone holds the safety envelope. Whatever is asked of it, and whenever:

- two groups with a prohibited conflict are never green together, and of two groups with a permitted
  conflict at most one shows 'G' (the other yields with 'g');
- a green is never shorter than the group's minimum green, a yellow never shorter than its yellow;
- a group starts only when each conflicting group has been out of green for the intergreen of the pair,
  which for pedestrians is their clearance time. A group that loses its right of way ('G' to 'g') counts
  as ended towards the groups it is permitted with;
- a switch from one stage to the next, once begun, is completed before another begins;
- it starts with all red, and goes to its local plan when a request expires or the centre falls silent.

Time is in platform seconds and never runs backwards. The controller is event-driven: `act` has to be
called at `wake_s` or later; between events it costs nothing. No I/O, no SUMO: see `roadside.py`.
"""

from __future__ import annotations

import math

import msgspec

from civicbrain.city.plan_bounds import find_broken_bound, list_plan_bounds
from civicbrain.city.signals import Capability, Conflict, ControllerMode, SignalJunction
from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import PlanRequest, Priority, StageRequest
from civicbrain.twin.plan import LocalPlan, require_sound_junction, unsafe_stages

STARTUP_ALL_RED_S = 2.0
"""Least all-red at start-up; the junction's largest intergreen where that is longer."""

MAX_REQUEST_S = 300.0
"""A stage or plan may not be asked for longer than this ahead: the centre has to keep asking."""

_EPS_S = 1e-6
_NO_STAGE = _NO_STEP = -1

DWELL_SHARE = 0.4
"""A plan that comes to the stage shown within this share of its cycle is waited for, else caught up with."""


class ControllerMemory(msgspec.Struct, frozen=True):
    """What a controller must know about its lamps to go on safely. One entry a group; -1e9 = long ago."""

    lamps: str
    green_since_s: tuple[float, ...]
    green_end_s: tuple[float, ...]
    right_end_s: tuple[float, ...]


class Controller:
    """One junction's controller.

    now_s: platform second of its start. memory: the lamps of a run that is being resumed (they are led to
    all red with full yellow and minimum green); None starts dark streets at all red.
    Raises SignalProgramError for a junction that no controller could run safely.
    """

    def __init__(
        self, junction: SignalJunction, now_s: float, memory: ControllerMemory | None = None
    ) -> None:
        require_sound_junction(junction)
        self.junction = junction
        count = len(junction.groups)
        self._unsafe = unsafe_stages(junction)
        self._stage_row = {stage.id: row for row, stage in enumerate(junction.stages)}
        self._local = LocalPlan.of(junction)
        self._plan_bounds = list_plan_bounds(junction)
        self._plan_step = _NO_STEP
        self._min_green_s = [group.min_green_s for group in junction.groups]
        self._yellow_s = [group.yellow_s for group in junction.groups]
        self._rivals = [self._rivals_of(group) for group in range(count)]
        self._startup_s = max(
            [STARTUP_ALL_RED_S] + [gap_s for rivals in self._rivals for _, gap_s, _ in rivals]
        )

        self.mode = ControllerMode.STARTUP
        self.stage = _NO_STAGE
        self.stage_since_s = now_s
        self.target = _NO_STAGE
        self.wake_s = now_s
        self.lamps_since_s = [now_s] * count
        self._now_s = self._start_s = now_s
        self._goal = "r" * count
        self._switching = True
        self._active: StageRequest | PlanRequest | None = None
        self._active_plan: LocalPlan | None = None
        self._pending: StageRequest | PlanRequest | None = None
        if memory is None or len(memory.lamps) != count or set(memory.lamps) - set("Ggyrs"):
            memory = ControllerMemory("r" * count, (-1e9,) * count, (now_s,) * count, (now_s,) * count)
        self._lamps = list(memory.lamps)
        self._green_since_s = list(memory.green_since_s)
        self._green_end_s = list(memory.green_end_s)
        self._right_end_s = list(memory.right_end_s)

    @property
    def lamps(self) -> str:
        """One lamp character a group."""
        return "".join(self._lamps)

    @property
    def memory(self) -> ControllerMemory:
        """For a checkpoint."""
        return ControllerMemory(
            self.lamps, tuple(self._green_since_s), tuple(self._green_end_s), tuple(self._right_end_s)
        )

    def request(self, request: StageRequest | PlanRequest, now_s: float) -> Verdict:
        """Judge a request. An accepted one replaces what was asked before (who holds may step down in rank);
        the switch itself waits for minimum greens, intergreens and a switch under way."""
        rule, reason = self._judge(request, now_s)
        if rule:
            return Verdict(Outcome.REFUSED, "controller", rule, reason, now_s)
        if request.not_before_s > now_s + _EPS_S:
            self._pending = request
            return Verdict(Outcome.ACCEPTED, "controller", "scheduled", "", now_s)
        self._activate(request)
        self.wake_s = min(self.wake_s, now_s)
        waits_s = self._min_green_left_s(request, now_s)
        if waits_s > _EPS_S:
            return Verdict(
                Outcome.ACCEPTED, "controller", "min-green", f"waits {waits_s:.0f} s for minimum green", now_s
            )
        return Verdict(Outcome.ACCEPTED, "controller", "accepted", "", now_s)

    def renew(self, request: StageRequest, now_s: float) -> bool:
        """True when this request asks its own holder's stage once more, which is shown or being switched to:
        it replaces the one before and nothing else happens. False, and nothing done, in any other case and
        while a minimum green is waited for: see `request`.

        Must imply that `request` would accept it at once (a test holds it to that). Most requests are so."""
        active = self._active
        if type(active) is not StageRequest or self._pending is not None:
            return False
        expires_s, from_s, priority = request.expires_s, request.not_before_s, request.priority
        if (
            request.stage != active.stage
            or request.brain != active.brain
            or type(priority) is not type(active.priority)
            or priority != active.priority
            or self._stage_row[active.stage] != self.target
            or active.expires_s <= now_s
            or type(expires_s) is not float
            or type(from_s) is not float
            or not -math.inf < from_s <= now_s < expires_s <= now_s + MAX_REQUEST_S
            or (self._switching and self._min_green_left_s(request, now_s) > _EPS_S)
        ):
            return False
        self._active = request
        # it wakes at the end of the one before, and finds this one: no need to look earlier
        if request.expires_s < self.wake_s:
            self.wake_s = request.expires_s
        return True

    def centre_lost(self, now_s: float) -> None:
        """The centre fell silent: forget its requests and take the local plan."""
        self._pending = None
        self._drop_active()
        self.wake_s = min(self.wake_s, now_s)
        if self.mode != ControllerMode.STARTUP:
            self.mode = ControllerMode.LOCAL

    def act(self, now_s: float) -> bool:
        """Do what is due at now_s; True when a lamp changed."""
        now_s = self._now_s = max(self._now_s, now_s)
        self._take_turns(now_s)
        changed, wake_s = False, math.inf
        if self._switching:
            changed, wake_s = self._switch(now_s)
        if changed and not self._switching:
            wake_s = now_s  # what was just shown has to stand for a moment before it may be left
        elif not self._switching:
            stage, until_s = self._wanted(now_s)
            wake_s = min(wake_s, until_s)
            if stage != self.target:
                self.target = stage
                self._goal = self.junction.stages[stage].lamps
                self._switching = True
                more, switch_wake_s = self._switch(now_s)
                changed = changed or more
                wake_s = switch_wake_s if self._switching else until_s
        for request in (self._active, self._pending):
            if request is not None:
                wake_s = min(wake_s, request.expires_s)
        if self._pending is not None:
            wake_s = min(wake_s, self._pending.not_before_s)
        self.wake_s = max(wake_s, now_s + _EPS_S)
        return changed

    def _judge(self, request: StageRequest | PlanRequest, now_s: float) -> tuple[str, str]:
        """(slug of the rule that refuses, reason); ("", "") when nothing speaks against it."""
        if not isinstance(request, (StageRequest, PlanRequest)):
            return "malformed", "not a request"
        if not (_finite(request.not_before_s) and _finite(request.expires_s) and _finite(request.priority)):
            return "invalid-time", "times and priority must be finite numbers"
        if request.expires_s <= now_s:
            return "expired", f"expired at {request.expires_s:.1f} s, it is {now_s:.1f} s"
        if request.not_before_s >= request.expires_s:
            return "invalid-time", "not before a time at which it has expired"
        if request.expires_s > now_s + MAX_REQUEST_S:
            return "too-long", f"expires more than {MAX_REQUEST_S:.0f} s ahead"
        if self.mode == ControllerMode.STARTUP:
            return "not-central", "the controller is starting up"
        for held in (self._active, self._pending):
            # a scheduled request of higher rank does not bar others before its time, but is not replaced
            bars = held is self._active or request.not_before_s > now_s
            if held is None or held.expires_s <= now_s or not bars:
                continue
            if held.priority > max(request.priority, Priority.SIGNALS) and held.brain != request.brain:
                return "not-central", f"held in {self.mode.name.lower()} mode by {str(held.brain)[:40]}"
        if isinstance(request, PlanRequest):
            return self._judge_plan(request)
        if self.junction.capability == Capability.PLAN:
            return "capability", "this controller takes plan changes only"
        if not isinstance(request.stage, str) or request.stage not in self._stage_row:
            return "unknown-stage", f"no stage {str(request.stage)[:40]!r}"
        if self._stage_row[request.stage] in self._unsafe:
            return "unsafe-stage", f"stage {request.stage!r} shows conflicting greens"
        return "", ""

    def _judge_plan(self, request: PlanRequest) -> tuple[str, str]:
        steps = self.junction.local_plan.steps
        durations_s = request.durations_s
        if not isinstance(durations_s, (tuple, list)) or len(durations_s) != len(steps):
            return "invalid-plan", f"needs {len(steps)} durations, one a step of the local plan"
        if not _finite(request.offset_s) or not all(_finite(duration_s) for duration_s in durations_s):
            return "invalid-plan", "durations and offset must be finite numbers"
        if not all(1.0 <= duration_s <= 3600.0 for duration_s in durations_s):
            return "invalid-plan", "a step lasts 1 s to 3600 s"
        broken = find_broken_bound(self._plan_bounds, durations_s)
        if broken is not None:
            names = ", ".join(repr(self.junction.stages[steps[row].stage].id) for row in broken.steps)
            return "min-green", f"stage {names} needs {broken.least_s:.0f} s for {broken.why}"
        return "", ""

    def _rivals_of(self, group: int) -> list[tuple[int, float, bool]]:
        """(conflicting group, least time from its end of green to our start, prohibited)."""
        junction, rivals = self.junction, []
        for other, row in enumerate(junction.conflict):
            kind = row[group]
            if kind != Conflict.NONE and other != group:
                gap_s = max(junction.intergreen_s[other][group], junction.groups[other].yellow_s)
                rivals.append((other, gap_s, kind == Conflict.PROHIBITED))
        return rivals

    def _min_green_left_s(self, request: StageRequest | PlanRequest, now_s: float) -> float:
        if isinstance(request, PlanRequest):
            return 0.0
        lamps = self.junction.stages[self._stage_row[request.stage]].lamps
        ending = [row for row, lamp in enumerate(self._lamps) if lamp in "Gg" and lamps[row] not in "Gg"]
        left_s = (self._green_since_s[row] + self._min_green_s[row] - now_s for row in ending)
        return max(left_s, default=0.0)

    def _activate(self, request: StageRequest | PlanRequest) -> None:
        if self._pending is not None and self._pending.priority <= request.priority:
            self._pending = None
        self._active = request
        self._active_plan = None
        if isinstance(request, PlanRequest):
            self._active_plan = LocalPlan.of(self.junction, request.durations_s, request.offset_s)
        if request.priority >= Priority.OPERATOR:
            self.mode = ControllerMode.MANUAL
        elif request.priority > Priority.SIGNALS:
            self.mode = ControllerMode.FORCED
        else:
            self.mode = ControllerMode.CENTRAL

    def _drop_active(self) -> None:
        self._active = self._active_plan = None

    def _take_turns(self, now_s: float) -> None:
        """Expire and start requests; no request leaves the local plan in charge."""
        if self.mode == ControllerMode.STARTUP:
            return
        if self._active is not None and now_s >= self._active.expires_s - _EPS_S:
            self._drop_active()
        if self._pending is not None and now_s >= self._pending.expires_s - _EPS_S:
            self._pending = None
        if self._pending is not None and now_s >= self._pending.not_before_s - _EPS_S:
            self._activate(self._pending)
        if self._active is None:
            self.mode = ControllerMode.LOCAL

    def _wanted(self, now_s: float) -> tuple[int, float]:
        """(stage wanted now, second until which that holds). Only called when no switch is under way."""
        if self._active_plan is not None:
            return self._follow(self._active_plan, now_s)
        self._plan_step = _NO_STEP
        if isinstance(self._active, StageRequest):
            deaf_s = self.junction.deaf_s(now_s)
            if deaf_s > 0.0 and self.target >= 0:
                return self.target, now_s + deaf_s
            return self._stage_row[self._active.stage], math.inf
        return self._local.at(now_s)

    def _follow(self, plan: LocalPlan, now_s: float) -> tuple[int, float]:
        """A plan of the centre keeps its order of stages, also when it has just begun with another offset: it
        goes on from the step nearest before the one due that shows what stands now."""
        due, end_s = plan.step_at(now_s)
        count = len(plan.stages)
        if self._plan_step == _NO_STEP:
            back = [ago for ago in range(count) if plan.stages[due - ago] == self.target]
            self._plan_step = (due - back[0]) % count if back else due
        if self._plan_step != due:
            begin_s = plan.begin_after(self._plan_step, now_s)
            onward = (self._plan_step + 1) % count
            if due != onward and begin_s - now_s <= DWELL_SHARE * plan.ends_s[-1]:
                return plan.stages[self._plan_step], begin_s
            self._plan_step = onward
        return plan.stages[self._plan_step], end_s if self._plan_step == due else now_s

    def _switch(self, now_s: float) -> tuple[bool, float]:
        """Carry the switch-over on; (a lamp changed, next second at which something is due)."""
        changed, wake_s, done = False, math.inf, True
        goal = self._goal
        for group, lamp in enumerate(self._lamps):
            wanted = goal[group]
            if lamp in "Gg":
                if wanted in "Gg":
                    if lamp == "G" and wanted == "g":
                        self._right_end_s[group] = now_s
                        changed = self._show(group, "g", now_s)
                    continue
                due_s = self._green_since_s[group] + self._min_green_s[group]
                if now_s < due_s - _EPS_S:
                    wake_s, done = min(wake_s, due_s), False
                    continue
                self._green_end_s[group] = now_s
                if lamp == "G":
                    self._right_end_s[group] = now_s
                changed = self._show(group, "y" if self._yellow_s[group] > 0.0 else "r", now_s)
            elif lamp == "s" and wanted != "s":
                changed = self._show(group, "r", now_s)
            if self._lamps[group] == "y":
                due_s = self._green_end_s[group] + self._yellow_s[group]
                if now_s < due_s - _EPS_S:
                    wake_s, done = min(wake_s, due_s), False
                else:
                    changed = self._show(group, "r", now_s)
        for group, lamp in enumerate(self._lamps):
            wanted = goal[group]
            if wanted not in "Gg" or lamp == wanted or lamp == "y":
                continue
            due_s = self._may_start_s(group, wanted, now_s)
            if now_s < due_s - _EPS_S:
                wake_s, done = min(wake_s, due_s), False
                continue
            if lamp not in "Gg":
                self._green_since_s[group] = now_s
            changed = self._show(group, wanted, now_s)
        if done:
            more, wake_s = self._complete(now_s)
            changed = changed or more
        return changed, wake_s

    def _may_start_s(self, group: int, wanted: str, now_s: float) -> float:
        """Second from which a group may show 'G' or 'g'; inf while that hangs on another group's end."""
        start_s = now_s
        for other, gap_s, prohibited in self._rivals[group]:
            lamp = self._lamps[other]
            if lamp in "Gg":
                if prohibited or self._goal[other] not in "Gg" or (lamp == "G" and wanted == "G"):
                    return math.inf
                start_s = max(start_s, self._right_end_s[other] + gap_s)
            elif lamp == "y":
                return max(start_s, self._green_end_s[other] + gap_s)
            else:
                start_s = max(start_s, self._green_end_s[other] + gap_s)
        return start_s

    def _complete(self, now_s: float) -> tuple[bool, float]:
        """All lamps of the goal stand: the stage is shown. At start-up the all-red has to last first."""
        if self.mode == ControllerMode.STARTUP:
            last_end_s = max(self._green_end_s, default=now_s - self._startup_s)
            due_s = max(last_end_s + self._startup_s, self._start_s + STARTUP_ALL_RED_S)
            if now_s < due_s - _EPS_S:
                return False, due_s
            self.mode = ControllerMode.LOCAL
            self._switching = False
            return False, now_s
        changed = False
        for group, wanted in enumerate(self._goal):
            if wanted == "s" and self._lamps[group] == "r":
                changed = self._show(group, "s", now_s)
        self._switching = False
        self.stage = self.target
        self.stage_since_s = now_s
        return changed, math.inf

    def _show(self, group: int, lamp: str, now_s: float) -> bool:
        self._lamps[group] = lamp
        self.lamps_since_s[group] = now_s
        return True


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
