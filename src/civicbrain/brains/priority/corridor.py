"""What is asked of the junctions for the missions of this second, and how they are given back.

A stop goes AHEAD → OPEN (its stage is asked for) → PASSED → RECOVERS (who waited is served) → RELEASED; an
open one WAITS while another mission is served there, and is HELD_BACK for a while when the vehicle is late.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from civicbrain.brains.priority.arrival import clear_s
from civicbrain.brains.priority.options import PriorityOptions
from civicbrain.brains.priority.pursuit import PASSED_M, Pursuit, Stop
from civicbrain.brains.priority.switching import ASKING_S
from civicbrain.city.missions import TrackState
from civicbrain.city.signals import ControllerMode
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.brain import Priority, StageRequest
from civicbrain.contracts.missions import Claim, PassageState, goes_before

HANDOVER_S = 1.0
"""A junction given back keeps its stage until the next decision of whoever comes after."""

ASKED = (PassageState.OPEN, PassageState.WAITS)
SWITCH_WEIGHT = 0.015
"""Worth of a second less of switching against the full right of way (1.0)."""

OTHERS_WEIGHT = 0.2
"""Worth of letting go all who stand at the junction, beside the full right of way (1.0): of two stages that
serve the mission alike, the one that serves the others."""

BETWEEN_S = 2.0  # from one mission's passing until the junction may turn to the next


def choose_stage(stop: Stop, after: Stop | None, snapshot: Snapshot) -> int:
    """The stage that serves the stop best, soonest; -1 where none gives it any green. after: the next stop,
    which counts where it is the same junction's."""
    table = stop.table
    if not table.takes_stages:
        return -1
    serving = table.serving(stop.crossing.lanes, stop.crossing.groups)
    if serving.max() <= 0.0:
        return -1
    best, chosen = -1.0, -1
    share = table.served_share(snapshot)
    for stage in range(len(serving)):
        if serving[stage] < serving.max() - 0.35:
            continue
        worth = float(serving[stage]) - SWITCH_WEIGHT * table.switch_s(snapshot, stage)
        worth += OTHERS_WEIGHT * float(share[stage])
        if after is not None and after.crossing.junction == stop.crossing.junction:
            worth += 0.5 * float(table.serving(after.crossing.lanes, after.crossing.groups)[stage])
        if worth > best:
            best, chosen = worth, stage
    return chosen


class Corridors:
    """Steps all stops of all missions, once a second. name: the brain's."""

    def __init__(self, name: str, options: PriorityOptions) -> None:
        self.name = name
        self.options = options

    def waits_s(self, pursuits: Sequence[Pursuit]) -> dict[tuple[str, int], float]:
        """(mission, place of the stop) -> second from which its junction turns to it, where another mission
        goes first by `goes_before`."""
        result: dict[tuple[str, int], float] = {}
        for junction, asking in self._asked(pursuits).items():
            claims = {p.mission.id: self._claim(p, s, asking) for p, s in asking}
            for pursuit, stop in asking:
                own = claims[pursuit.mission.id]
                before = [
                    other_stop.predicted_s
                    for other, other_stop in asking
                    if other_stop.stage != stop.stage and goes_before(claims[other.mission.id], own)
                ]
                if before:
                    place = pursuit.stops.index(stop)
                    result[pursuit.mission.id, place] = max(before) + BETWEEN_S
            del junction
        return result

    def step(self, pursuits: Sequence[Pursuit], snapshot: Snapshot) -> list[StageRequest]:
        """Advance every stop; what to ask now."""
        now_s = snapshot.time_s
        requests: list[StageRequest] = []
        for pursuit in pursuits:
            self._advance(pursuit, snapshot, requests)
        asked = self._asked(pursuits)
        for pursuit, stop in [pair for asking in asked.values() for pair in asking]:
            asking = asked[stop.crossing.junction]
            claim = self._claim(pursuit, stop, asking)
            first = all(
                other is pursuit
                or not goes_before(self._claim(other, s, asking), claim)
                or s.stage == stop.stage
                for other, s in asking
            )
            stop.state = PassageState.OPEN if first else PassageState.WAITS
            stop.reason = f"{pursuit.mission.kind} {pursuit.mission.id}, due {stop.predicted_s:.0f} s"
            stop.cross_wait_veh_s += stop.table.waiting_veh(snapshot, stop.stage) if first else 0.0
            requests.append(
                self._request(stop, stop.stage, Priority.EMERGENCY, now_s, self.options.valid_s, claim)
            )
        for pursuit in pursuits:
            for stop in pursuit.stops:
                if stop.state is PassageState.RECOVERS and stop.crossing.junction not in asked:
                    self._recover(stop, snapshot, requests)
                elif stop.state is PassageState.RECOVERS:
                    self._release(stop, now_s, "another mission comes")
        return requests

    def give_back(self, pursuit: Pursuit, snapshot: Snapshot, why: str) -> list[StageRequest]:
        """Release everything that a mission holds: it is over, lost, or drives another way."""
        requests: list[StageRequest] = []
        for stop in pursuit.stops:
            if stop.state in ASKED or stop.state is PassageState.RECOVERS:
                self._hand_over(stop, snapshot, requests)
                self._release(stop, snapshot.time_s, why)
        return requests

    def _advance(self, pursuit: Pursuit, snapshot: Snapshot, requests: list[StageRequest]) -> None:
        now_s = snapshot.time_s
        tracked = pursuit.state is TrackState.TRACKED and not pursuit.off_way
        held: set[int] = set()  # junctions of stops ahead: the nearest one decides
        for place, stop in enumerate(pursuit.stops):
            # no lamp changes before the second in which a request made now is carried out
            if stop.passed_s is None and pursuit.comes_to_m(ASKING_S) > stop.crossing.stop_m + PASSED_M:
                self._pass(pursuit, place, snapshot, requests)
            if stop.passed_s is not None:
                continue
            nearest = stop.crossing.junction not in held
            held.add(stop.crossing.junction)
            if stop.state in ASKED:
                if now_s - (stop.opened_s or now_s) > self.options.max_hold_s:
                    stop.state = PassageState.HELD_BACK
                    stop.until_s = now_s + self.options.pause_s * 2.0**stop.pauses
                    stop.pauses += 1
                    stop.reason = f"held for {self.options.max_hold_s:g} s and not passed"
                    self._hand_over(stop, snapshot, requests)
                elif not tracked:
                    self._hand_over(stop, snapshot, requests)
                    stop.state, stop.reason = PassageState.AHEAD, f"position {pursuit.state}"
                elif nearest:
                    self._let_all_go(pursuit, stop, now_s)
                continue
            if stop.state is PassageState.HELD_BACK and now_s < stop.until_s:
                continue
            after = pursuit.stops[place + 1] if place + 1 < len(pursuit.stops) else None
            stop.stage = choose_stage(stop, after, snapshot)
            due = stop.predicted_s - now_s <= pursuit.lead_s(stop)
            if self.options.corridors and tracked and nearest and due and stop.stage >= 0:
                stop.state, stop.opened_s, stop.shown_s = PassageState.OPEN, now_s, None
                mode = int(snapshot.signals.mode[stop.crossing.junction])
                stop.central_before = mode == ControllerMode.CENTRAL

    def _let_all_go(self, pursuit: Pursuit, stop: Stop, now_s: float) -> None:
        """Who stands at green stands behind one who yields, in another lane than the stage was chosen for:
        take the stage that gives right of way to all lanes that lead on."""
        if stop.switch_s > 0.0:
            stop.shown_s = None
            return
        stop.shown_s = now_s if stop.shown_s is None else stop.shown_s
        if not pursuit.is_stuck(stop, now_s):
            return
        freedom = stop.table.freedom(stop.crossing.lanes, stop.crossing.groups)
        best = int(np.argmax(freedom))
        if freedom[best] > freedom[stop.stage] + 1e-6:
            stop.stage, stop.shown_s = best, None

    def _pass(self, pursuit: Pursuit, place: int, snapshot: Snapshot, requests: list[StageRequest]) -> None:
        stop, now_s = pursuit.stops[place], snapshot.time_s
        was_asked = stop.state in ASKED
        stop.passed_s, stop.state = now_s, PassageState.PASSED
        if not was_asked:
            return
        again = any(s.crossing.junction == stop.crossing.junction for s in pursuit.stops[place + 1 :])
        stage, queue_veh = stop.table.relief(snapshot, stop.stage)
        if again:
            self._release(stop, now_s, "the mission comes through once more")
        elif stop.central_before or stage < 0:
            self._hand_over(stop, snapshot, requests)
            self._release(stop, now_s, "given back")
        else:
            wanted_s = stop.table.switch_s(snapshot, stage) + clear_s(self.options, queue_veh)
            stop.state, stop.stage = PassageState.RECOVERS, stage
            stop.until_s = now_s + min(wanted_s, self.options.max_recovery_s)
            stop.reason = f"{queue_veh:.0f} vehicles a lane waited"

    def _recover(self, stop: Stop, snapshot: Snapshot, requests: list[StageRequest]) -> None:
        now_s = snapshot.time_s
        if now_s >= stop.until_s or (
            stop.table.waiting_veh(snapshot, stop.stage) > 0 and self._served(stop, snapshot)
        ):
            self._hand_over(stop, snapshot, requests)
            self._release(stop, now_s, "who waited has been served")
            return
        requests.append(self._request(stop, stop.stage, Priority.TRANSIT, now_s, self.options.valid_s, None))

    def _served(self, stop: Stop, snapshot: Snapshot) -> bool:
        """Nobody stands any more in the lanes that the stage lets go."""
        table = stop.table
        if table.switch_s(snapshot, stop.stage) > 0.0:
            return False
        queued = snapshot.lanes.queued[table.lanes]
        return not bool((queued[table.green[stop.stage] > 0.0] > 0).any())

    def _hand_over(self, stop: Stop, snapshot: Snapshot, requests: list[StageRequest]) -> None:
        """Step down, keeping the stage shown, so that whoever decides next finds no switch begun."""
        row = stop.crossing.junction
        target = int(snapshot.signals.target[row])
        if target >= 0:
            now_s = snapshot.time_s
            requests.append(self._request(stop, target, Priority.SIGNALS, now_s, HANDOVER_S, None))

    def _release(self, stop: Stop, now_s: float, why: str) -> None:
        stop.state, stop.released_s, stop.reason = PassageState.RELEASED, now_s, why

    def _asked(self, pursuits: Sequence[Pursuit]) -> dict[int, list[tuple[Pursuit, Stop]]]:
        """Junction -> the missions that ask for it."""
        result: dict[int, list[tuple[Pursuit, Stop]]] = {}
        for pursuit in pursuits:
            for stop in pursuit.stops:
                if stop.state in ASKED:
                    result.setdefault(stop.crossing.junction, []).append((pursuit, stop))
        return result

    def _claim(self, pursuit: Pursuit, stop: Stop, asking: Sequence[tuple[Pursuit, Stop]]) -> Claim:
        """delay_veh_s: what the other missions there would wait if this one went first, with the vehicles a
        lane that stand before them."""
        cost = 0.0
        for other, theirs in asking:
            if other is not pursuit and theirs.stage != stop.stage:
                turn_s = (
                    stop.predicted_s + BETWEEN_S + theirs.switch_s + clear_s(self.options, theirs.queue_veh)
                )
                cost += max(0.0, turn_s - theirs.predicted_s) * (1.0 + theirs.queue_veh)
        mission = pursuit.mission
        return Claim(mission.id, int(mission.urgency), round(stop.predicted_s, 1), round(cost, 1))

    def _request(
        self, stop: Stop, stage: int, rank: Priority, now_s: float, valid_s: float, claim: Claim | None
    ) -> StageRequest:
        junction = stop.table.junction
        return StageRequest(
            junction.id,
            junction.stages[stage].id,
            now_s,
            now_s + valid_s,
            self.name,
            rank,
            stop.reason,
            claim,
        )
