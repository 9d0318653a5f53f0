"""What becomes of buses: the newest plan of each, and their requests with their verdicts.

The ledger is given each step once: a bus seen or lost, positions refused (the first of each kind), a request
that begins, and how it ended. The requests themselves stand there, too, by the guard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from civicbrain.city.transit.buses import BusEvent
from civicbrain.contracts.actuator import Verdict
from civicbrain.contracts.brain import Request, StageRequest
from civicbrain.contracts.transit import AskEnd, BusAsk, BusPlan, TransitPlan

MAX_ASKS = 2000

Entry = tuple[str, str, dict[str, object]]
"""Kind, actor and body of a ledger entry."""


@dataclass(slots=True)
class AskRecord:
    """One request of a bus. outcome, rule, why: the newest verdict of guard or controller; refusals: how
    often it was refused. ended_s, end: None and "" while it runs."""

    trip: str
    line: str
    brain: str
    ask: BusAsk
    behind_s: float
    outcome: str = ""
    by: str = ""
    rule: str = ""
    why: str = ""
    refusals: int = 0
    ended_s: float | None = None
    end: str = ""


class TransitLog:
    """buses: trip -> newest plan, of buses under way. asks: the last MAX_ASKS requests, newest last."""

    def __init__(self) -> None:
        self.buses: dict[str, BusPlan] = {}
        self.asks: deque[AskRecord] = deque(maxlen=MAX_ASKS)
        self._open: dict[tuple[str, str], AskRecord] = {}

    def clear(self) -> None:
        """Time went back: what was under way is no more."""
        self.buses.clear()
        self.asks.clear()
        self._open.clear()

    def take(
        self,
        events: Sequence[BusEvent],
        plans: Sequence[TransitPlan],
        requests: Sequence[Request],
        verdicts: Sequence[Verdict],
    ) -> Iterator[Entry]:
        """Take in what happened in a tick; yields what the ledger is to keep."""
        for event in events:
            if event.what == "ended":
                self.buses.pop(event.trip, None)
            body: dict[str, object] = {"trip": event.trip, "what": event.what}
            yield "transit", "tracking", {**body, "rule": event.rule, "detail": event.detail}
        for plan in plans:
            for end in plan.ended:
                yield from self._end(plan.brain, end)
            self.buses = {name: bus for name, bus in self.buses.items() if bus.brain != plan.brain}
            for bus in plan.buses:
                self.buses[bus.trip] = bus
                if bus.ask is not None:
                    yield from self._begin(bus, bus.ask)
        for request, verdict in zip(requests, verdicts, strict=False):
            if isinstance(request, StageRequest) and request.claim is not None:
                record = self._open.get((request.claim.mission, request.junction))
                if record is not None and record.brain == request.brain:
                    self._judged(record, verdict)

    def _begin(self, bus: BusPlan, ask: BusAsk) -> Iterator[Entry]:
        key = (bus.trip, ask.junction)
        record = self._open.get(key)
        if record is not None and record.ask.since_s == ask.since_s:
            record.ask, record.behind_s = ask, bus.behind_s
            return
        record = AskRecord(bus.trip, bus.line, bus.brain, ask, bus.behind_s)
        self._open[key] = record
        self.asks.append(record)
        yield "transit", bus.brain, {
            "trip": bus.trip, "what": "ask", "line": bus.line, "junction": ask.junction,
            "kind": str(ask.kind), "stage": ask.stage, "behind_s": round(bus.behind_s, 1),
            "by": str(bus.mode), "eta_s": round(ask.eta_s, 1), "until_s": round(ask.until_s, 1),
            "reason": ask.reason,
        }  # fmt: skip

    def _judged(self, record: AskRecord, verdict: Verdict) -> None:
        record.outcome, record.by = str(verdict.outcome), verdict.by
        record.rule, record.why = verdict.rule, verdict.reason
        record.refusals += record.outcome == "refused"

    def _end(self, brain: str, end: AskEnd) -> Iterator[Entry]:
        record = self._open.pop((end.trip, end.junction), None)
        if record is not None:
            record.ended_s, record.end = end.ended_s, end.why
        yield "transit", brain, {
            "trip": end.trip, "what": "ask-ended", "junction": end.junction, "kind": str(end.kind),
            "asked_s": round(end.ended_s - end.since_s, 1), "why": end.why,
        }  # fmt: skip
