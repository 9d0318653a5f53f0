"""All simulated controllers of a city, side by side: requests in, lamp states out, one watchdog.

A controller is asked to act only when something is due (`Controller.wake_s`), so steady junctions cost
nothing. No SUMO here: `simulation.py` carries the lamps over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from civicbrain.city.network import F32, I32, U8
from civicbrain.city.observations import SignalStates
from civicbrain.city.signals import ControllerMode, SignalIndex, SignalJunction
from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import Request, StageRequest
from civicbrain.twin.controller import Controller, ControllerMemory

SOURCE = "controllers"


class Roadside:
    """Controllers of all junctions of `signals`, from now_s on, starting at all red.

    watchdog_s: silence of the centre (no `heartbeat`) after which all take their local plans.
    memories: junction id -> lamps of a run that is being resumed.
    """

    def __init__(
        self,
        signals: SignalIndex,
        now_s: float,
        watchdog_s: float,
        memories: dict[str, ControllerMemory] | None = None,
    ) -> None:
        memories = memories or {}
        self.signals = signals
        self.controllers = [
            Controller(junction, now_s, memories.get(junction.id)) for junction in signals.junctions
        ]
        self.watchdog_s = watchdog_s
        self.last_heartbeat_s = -math.inf
        self.refused_requests = 0
        self.local_only = False
        self._wake_s = np.full(len(self.controllers), now_s, dtype=np.float64)
        self._centre_alive = False
        self._link_groups = [_link_groups(junction) for junction in signals.junctions]
        self._lamps: U8 = np.full(signals.group_count, ord("r"), dtype=np.uint8)
        self._since_s: F32 = np.full(signals.group_count, now_s, dtype=np.float32)
        count = len(self.controllers)
        self._stage: I32 = np.full(count, -1, dtype=np.int32)
        self._stage_since_s: F32 = np.full(count, now_s, dtype=np.float32)
        self._target: I32 = np.full(count, -1, dtype=np.int32)
        self._mode: U8 = np.zeros(count, dtype=np.uint8)
        for row in range(count):
            self._record_lamps(row)
            self._record(row)

    def act(self, now_s: float) -> list[tuple[int, str]]:
        """Let every controller do what is due; (junction row, lamp of each link) of those that changed."""
        if self._centre_alive and now_s - self.last_heartbeat_s >= self.watchdog_s:
            self.lose_centre(now_s)
        changes = []
        for row in np.flatnonzero(self._wake_s <= now_s).tolist():
            controller = self.controllers[row]
            if controller.act(now_s):
                self._record_lamps(row)
                changes.append((row, self.link_lamps(row)))
            self._record(row)
            self._wake_s[row] = controller.wake_s
        return changes

    def apply(self, requests: Sequence[Request], now_s: float) -> list[Verdict]:
        """One verdict a request, in order."""
        listening = not self.local_only and now_s - self.last_heartbeat_s < self.watchdog_s
        renewed = Verdict(Outcome.ACCEPTED, "controller", "accepted", "", now_s)
        row_of, controllers = self.signals.row, self.controllers
        verdicts = []
        for request in requests:
            # most requests ask for what is shown already: these cost next to nothing
            if listening and type(request) is StageRequest and type(request.junction) is str:
                row = row_of.get(request.junction)
                if row is not None:
                    controller = controllers[row]
                    wake_s = controller.wake_s
                    if controller.renew(request, now_s):
                        if controller.wake_s < wake_s:
                            self._wake_s[row] = min(self._wake_s[row], controller.wake_s)
                        verdicts.append(renewed)
                        continue
            verdicts.append(self._apply(request, now_s))
        return verdicts

    def heartbeat(self, now_s: float) -> None:
        """The centre is alive now."""
        self.last_heartbeat_s = max(self.last_heartbeat_s, now_s)
        self._centre_alive = True

    def lose_centre(self, now_s: float) -> None:
        """The centre is silent: every controller takes its local plan now."""
        self._centre_alive = False
        for row, controller in enumerate(self.controllers):
            controller.centre_lost(now_s)
            self._record(row)
            self._wake_s[row] = controller.wake_s

    def states(self, now_s: float) -> SignalStates:
        """What the controllers report at now_s."""
        return SignalStates(
            source=SOURCE,
            time_s=now_s,
            lamps=self._lamps.copy(),
            lamps_since_s=self._since_s.copy(),
            stage=self._stage.copy(),
            stage_since_s=self._stage_since_s.copy(),
            target=self._target.copy(),
            mode=self._mode.copy(),
        )

    @property
    def local_junctions(self) -> int:
        """Controllers that run their local plan, or are starting up into it."""
        own = (ControllerMode.LOCAL, ControllerMode.STARTUP)
        return sum(controller.mode in own for controller in self.controllers)

    @property
    def memories(self) -> dict[str, ControllerMemory]:
        """Junction id -> what its controller must know to go on; for a checkpoint."""
        return {controller.junction.id: controller.memory for controller in self.controllers}

    def link_lamps(self, row: int) -> str:
        """Lamp of each controller link of a junction; links without a group stay red."""
        lamps = self.controllers[row].lamps + "r"
        return "".join([lamps[group] for group in self._link_groups[row]])

    def _apply(self, request: Request, now_s: float) -> Verdict:
        row = self.signals.row.get(junction) if isinstance(junction := _junction_of(request), str) else None
        if row is None:
            verdict = _refusal("unknown-junction", f"no junction {str(junction)[:40]!r}", now_s)
        elif self.local_only:
            verdict = _refusal("not-central", "the controllers are switched to their local plans", now_s)
        elif not now_s - self.last_heartbeat_s < self.watchdog_s:
            verdict = _refusal("watchdog", f"no heartbeat of the centre for {self.watchdog_s:.0f} s", now_s)
        else:
            controller = self.controllers[row]
            verdict = controller.request(request, now_s)
            self._record(row)
            self._wake_s[row] = min(self._wake_s[row], controller.wake_s, _start_s(request, verdict, now_s))
        self.refused_requests += verdict.outcome == Outcome.REFUSED
        return verdict

    def _record(self, row: int) -> None:
        controller = self.controllers[row]
        self._stage[row] = controller.stage
        self._stage_since_s[row] = controller.stage_since_s
        self._target[row] = controller.target
        self._mode[row] = controller.mode

    def _record_lamps(self, row: int) -> None:
        start, stop = self.signals.group_start[row], self.signals.group_start[row + 1]
        controller = self.controllers[row]
        self._lamps[start:stop] = np.frombuffer(controller.lamps.encode(), dtype=np.uint8)
        self._since_s[start:stop] = controller.lamps_since_s


def _junction_of(request: Request) -> object:
    return getattr(request, "junction", None)


def _start_s(request: Request, verdict: Verdict, now_s: float) -> float:
    """When the controller has to look at an accepted request."""
    return max(now_s, request.not_before_s) if verdict.outcome == Outcome.ACCEPTED else math.inf


def _refusal(rule: str, reason: str, now_s: float) -> Verdict:
    return Verdict(Outcome.REFUSED, "controller", rule, reason, now_s)


def _link_groups(junction: SignalJunction) -> list[int]:
    """Group row of each link; unused links point behind the last group."""
    spare = len(junction.groups)
    return [int(group) if group >= 0 else spare for group in junction.group_of_link]
