"""What becomes of missions: the newest plan of each, and the steps that go to the ledger.

The ledger is given each step once: orders, positions refused, missions lost and ended (from the tracking), a
route that changed, and each junction that is opened, waits, is passed, recovers and is released.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from civicbrain.city.tracking import TrackEvent
from civicbrain.contracts.missions import MissionPlan, Passage, PassageState

MAX_ENDED = 500

Entry = tuple[str, str, dict[str, object]]
"""Kind, actor and body of a ledger entry."""


class MissionLog:
    """plans: mission id -> newest plan, of missions under way. ended: mission id -> last plan, newest last,
    at most MAX_ENDED. ends: mission id -> (second, reason). events: mission id -> its tracking events."""

    def __init__(self) -> None:
        self.plans: dict[str, MissionPlan] = {}
        self.ended: dict[str, MissionPlan] = {}
        self.ends: dict[str, tuple[float, str]] = {}
        self.events: dict[str, list[TrackEvent]] = {}

    def clear(self) -> None:
        """Time went back: what was under way is no more."""
        for name, plan in self.plans.items():
            self.ends[name] = (plan.time_s, "the city's time went back")
            self.ended[name] = plan
        self.plans.clear()
        self.events.clear()

    def take(self, events: Sequence[TrackEvent], plans: Sequence[MissionPlan]) -> Iterator[Entry]:
        """Take in what happened in a tick; yields what the ledger is to keep."""
        for plan in plans:
            yield from self._steps(self.plans.get(plan.mission), plan)
            self.plans[plan.mission] = plan
        for event in events:
            yield from self._event(event)

    def _event(self, event: TrackEvent) -> Iterator[Entry]:
        if event.what == "ordered":
            self.ended.pop(event.mission, None)
            self.ends.pop(event.mission, None)
            self.events[event.mission] = []
        if event.mission in self.events:
            self.events[event.mission].append(event)
        if event.what == "ended":
            self.ends[event.mission] = (event.time_s, event.rule)
            plan = self.plans.pop(event.mission, None)
            if plan is not None:
                self.ended[event.mission] = plan
            while len(self.ends) > MAX_ENDED:
                oldest = next(iter(self.ends))
                for kept in (self.ends, self.ended, self.events):
                    kept.pop(oldest, None)
        body: dict[str, object] = {"mission": event.mission, "vehicle": event.vehicle, "what": event.what}
        yield "mission", "tracking", {**body, "rule": event.rule, "detail": event.detail}

    def _steps(self, before: MissionPlan | None, plan: MissionPlan) -> Iterator[Entry]:
        if before is None or before.replanned != plan.replanned or (plan.edges and not before.edges):
            yield "mission", plan.brain, {
                "mission": plan.mission, "what": "route", "edges": list(plan.edges), "eta_s": plan.eta_s,
                "eta_without_s": plan.eta_without_s, "note": plan.note,
            }  # fmt: skip
            before = None
        for row, passage in enumerate(plan.passages):
            old = before.passages[row] if before is not None and row < len(before.passages) else None
            if passage.state is not (old.state if old else PassageState.AHEAD):
                yield "corridor", plan.brain, _passage(plan, passage)


def _passage(plan: MissionPlan, passage: Passage) -> dict[str, object]:
    return {
        "mission": plan.mission, "junction": passage.junction, "state": str(passage.state),
        "stage": passage.stage, "predicted_s": passage.predicted_s, "passed_s": passage.passed_s,
        "cross_wait_veh_s": round(passage.cross_wait_veh_s, 1), "reason": passage.reason,
    }  # fmt: skip
