"""What operators ask of single junctions, and for how long.

An override is an ordinary request of the highest rank, asked anew each second with a short life: it goes
through the guard like any other, and the controller still holds minimum greens, intergreens and pedestrian
clearance. Its time runs from when its stage is shown (`Override`). No request of its rank outlives it, so it
ends on time whoever has died meanwhile: without the brain process the controller takes its local plan after
`RENEWED_FOR_S` at the latest (its watchdog is quicker). A brain process that comes back takes up what it
finds open in the ledger (`overrides_left.py`).

Each stands in the ledger with its user and reason before it is carried out; giving a junction back goes ahead
even when it cannot be recorded.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from civicbrain.city.model import City
from civicbrain.city.observations import SignalStates
from civicbrain.city.signals import SignalJunction
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import PlanRequest, Priority, Request, StageRequest
from civicbrain.contracts.overrides import (
    CLEARING_MOST_S,
    LONGEST_S,
    SHORTEST_S,
    Override,
    OverrideAction,
)
from civicbrain.contracts.wire import BrainCommand
from civicbrain.core.errors import ConfigurationError, LedgerError, NotFoundError, RequestRefusedError
from civicbrain.guard import Guard
from civicbrain.guard.rules import MAX_TEXT, OPERATOR
from civicbrain.runtime.overrides_left import KIND, Left

OVERRIDE_ACTIONS = ("override", "override-end", "overrides")
"""The commands of the API that are answered here."""

RENEWED_FOR_S = 8.0
"""Life of each request: some ticks may be missed."""

STEPS_DOWN_S = 2.0
"""A junction that is given back, or whose override's time is over, keeps what it shows for so long, until a
brain asks for something: brains ask nothing of a junction that an operator holds, and its local plan would
begin a change that nobody wants."""

LAST_S = 1.5
"""In the last tick before its end, a second each, an override leaves word for after it."""

EXPIRED = "expired"

PASSING = frozenset({"not-central", "watchdog", "unreachable", "actuator-failed"})
"""Refusals that may pass: the controller starts up, or has not heard yet that the centre is back."""

_log = logging.getLogger("civicbrain.runtime.overrides")


class Overrides:
    """The overrides that are in force, by junction. One thread. run: the twin's window, for the record."""

    def __init__(self, city: City, guard: Guard) -> None:
        self._city, self._guard, self.run = city, guard, 0
        self._now: dict[str, Override] = {}
        self._asked: list[str] = []
        self._leaving: set[str] = set()  # junctions whose override has left word for after its end

    def __bool__(self) -> bool:
        return bool(self._now)

    def list_now(self) -> tuple[Override, ...]:
        """Those in force, oldest first."""
        return tuple(self._now.values())

    def find(self, junction: str) -> Override | None:
        return self._now.get(junction)

    def take(
        self, junction: str, body: Mapping[str, Any], actor: str, reason: str,
        snapshot: Snapshot | None, now_s: float,
    ) -> Override:  # fmt: skip
        """Begin an override, or put it in the place of the junction's present one. body: action, stage,
        duration_s.

        Raises NotFoundError, ConfigurationError, RequestRefusedError, LedgerError; nothing has changed then.
        """
        place = self._city.signals.get_junction(junction)
        action, duration_s = _read(body)
        stage = self._stage_of(place, action, str(body.get("stage") or ""), snapshot)
        if not reason.strip():
            raise ConfigurationError("an override needs a reason", remedy="say why, for the record")
        at_once = action is OverrideAction.LOCAL or self._shows(junction, stage, snapshot)
        wanted = Override(
            junction, action, stage, actor, reason, now_s, now_s + duration_s, duration_s=duration_s,
            shown_s=now_s if at_once else None,
        )  # fmt: skip
        before = self._now.get(junction)
        begin = _entry("begin", wanted, replaces=before) | {"run": self.run}
        self._guard.ledger.append(KIND, actor, begin, now_s)
        verdict = self._guard.handle([self._request(wanted, now_s)], now_s)[0]
        if verdict.outcome is Outcome.REFUSED and verdict.rule not in PASSING:
            refused: dict[str, object] = {
                "junction": junction,
                "what": "refused",
                "rule": verdict.rule,
                "why": verdict.reason,
            }
            self._write(actor, refused, now_s)
            raise RequestRefusedError(
                f"the {verdict.by} refuses it: {verdict.reason or verdict.rule}",
                remedy="the junction goes on as before",
            )
        self._now[junction] = _heard(wanted, verdict)
        self._leaving.discard(junction)
        return self._now[junction]

    def give_back(self, junction: str, actor: str, reason: str, now_s: float) -> Override:
        """End an override before its time: the junction follows the brain again, or its local plan where none
        asks. Raises NotFoundError."""
        self._city.signals.get_junction(junction)
        override = self._now.pop(junction, None)
        if override is None:
            raise NotFoundError(
                f"nobody overrides junction {junction[:80]!r}", remedy="it may just have ended by itself"
            )
        self._step_down(override, now_s, now_s)
        self._leaving.discard(junction)
        self._write(actor, _entry("give back", override) | {"reason": reason}, now_s)
        return override

    def take_up(self, left: Sequence[Left], same_start: bool, now_s: float) -> list[tuple[Override, str]]:
        """What the brain process before this one left open: goes on for the rest of its time, where that is
        what its operator would expect. same_start: it was of the same `civicbrain run`. Returns each that is
        not simply over, with why it does not go on ("" where it does)."""
        told: list[tuple[Override, str]] = []
        for one in left:
            override, why = one.override, self._why_not(one, same_start, now_s)
            if not why:
                self._now[override.junction] = override
                self._write("runtime", _entry("resumed", override), now_s)
            elif why == EXPIRED:
                self._write("runtime", _entry(EXPIRED, override), now_s)
                continue
            else:
                self._write("runtime", _entry("not resumed", override) | {"why": why}, now_s)
            told.append((override, why))
        return told

    def _why_not(self, left: Left, same_start: bool, now_s: float) -> str:
        override = left.override
        if not same_start:
            return "the city was started anew"
        if left.run != self.run or now_s < override.since_s:
            return "the city's clock went back"
        if now_s >= override.expires_s:
            return EXPIRED
        place = self._city.signals.row.get(override.junction)
        stages = [] if place is None else [stage.id for stage in self._city.junctions[place].stages]
        known = place is not None and (not override.stage or override.stage in stages)
        return "" if known else "the city has no such junction or stage any more"

    def requests(self, now_s: float, signals: SignalStates | None = None) -> list[Request]:
        """What is to be asked in this tick; ends what has expired. signals: the controllers' last word."""
        if signals is not None:
            self._look(signals, now_s)
        for junction, override in list(self._now.items()):
            if now_s >= override.expires_s:
                del self._now[junction]
                self._leaving.discard(junction)
                self._write("runtime", _entry(EXPIRED, override), now_s)
        self._asked = [junction for junction in self._now if junction not in self._leaving]
        return [self._request(self._now[junction], now_s) for junction in self._asked]

    def hear(self, verdicts: Sequence[Verdict], now_s: float = -math.inf) -> None:
        """What became of the last `requests`, in their order. Those that end before the next tick leave word
        for after it."""
        for junction, verdict in zip(self._asked, verdicts, strict=True):
            override = self._now.get(junction)
            if override is not None and override.accepted != (verdict.outcome is Outcome.ACCEPTED):
                self._now[junction] = _heard(override, verdict)
        for junction in self._asked:
            override = self._now[junction]
            if override.accepted and override.expires_s - now_s <= LAST_S:
                self._leaving.add(junction)
                if override.action is not OverrideAction.LOCAL:
                    self._step_down(override, override.expires_s, now_s)

    def _step_down(self, override: Override, from_s: float, now_s: float) -> None:
        """What it holds is asked for with the rank of the signals for a moment."""
        step_down = msgspec.structs.replace(
            self._request(override, now_s), priority=Priority.SIGNALS, not_before_s=from_s,
            expires_s=from_s + STEPS_DOWN_S,
        )  # fmt: skip
        self._guard.handle([step_down], now_s)
        self._guard.release(override.junction, OPERATOR)

    def clear(self, now_s: float) -> None:
        """Time went back: what was meant for another moment ends."""
        for override in self._now.values():
            self._write("runtime", _entry("time went back", override), now_s)
        self._now.clear()
        self._leaving.clear()

    def obey(self, command: BrainCommand, snapshot: Snapshot | None, now_s: float) -> Any:
        """The body of the reply to one of OVERRIDE_ACTIONS; raises what `take` and `give_back` raise."""
        who, why = command.actor[:MAX_TEXT], command.reason[:MAX_TEXT]
        if command.action == "override":
            return self.take(command.text, command.body, who, why, snapshot, now_s)
        if command.action == "override-end":
            return self.give_back(command.text, who, why, now_s)
        return list(self.list_now())

    # -- steps

    def _look(self, signals: SignalStates, now_s: float) -> None:
        """Let the time of an override run from when its stage is shown."""
        for junction, override in self._now.items():
            if override.shown_s is not None or now_s - override.since_s > CLEARING_MOST_S:
                continue
            if not override.accepted or not self._stands(junction, override.stage, signals):
                later = msgspec.structs.replace(override, expires_s=now_s + override.duration_s)
                self._now[junction] = later
                continue
            stood_s = float(signals.stage_since_s[self._city.signals.row[junction]])
            shown_s = min(max(override.since_s, stood_s), now_s)
            end_s = shown_s + override.duration_s
            self._now[junction] = msgspec.structs.replace(override, shown_s=shown_s, expires_s=end_s)
            self._write("runtime", _entry("shown", self._now[junction]), now_s)

    def _shows(self, junction: str, stage: str, snapshot: Snapshot | None) -> bool:
        return snapshot is not None and self._stands(junction, stage, snapshot.signals)

    def _stands(self, junction: str, stage: str, signals: SignalStates) -> bool:
        """Whether the junction shows the stage in full."""
        row = self._city.signals.row[junction]
        shown, stages = int(signals.steady_stage[row]), self._city.junctions[row].stages
        return 0 <= shown < len(stages) and stages[shown].id == stage

    def _stage_of(
        self, place: SignalJunction, action: OverrideAction, stage: str, snapshot: Snapshot | None
    ) -> str:
        """The stage that is asked for, "" for the local plan."""
        if action is OverrideAction.LOCAL:
            return ""
        if action is OverrideAction.STAGE:
            place.get_stage(stage)
            return stage
        row = self._city.signals.row[place.id]
        target = int(snapshot.signals.target[row]) if snapshot is not None else -1
        shown = int(snapshot.signals.stage[row]) if snapshot is not None else -1
        held = target if target >= 0 else shown
        if not 0 <= held < len(place.stages):
            raise RequestRefusedError(
                "it is not known which stage the junction shows", remedy="ask for a stage instead"
            )
        return place.stages[held].id

    def _request(self, override: Override, now_s: float) -> Request:
        expires_s = min(override.expires_s, now_s + RENEWED_FOR_S)
        if override.action is not OverrideAction.LOCAL:
            return StageRequest(
                override.junction, override.stage, now_s, expires_s, OPERATOR, Priority.OPERATOR,
                override.reason,
            )  # fmt: skip
        plan = self._city.signals.get_junction(override.junction).local_plan
        durations_s = tuple(step.duration_s for step in plan.steps)
        return PlanRequest(
            override.junction, durations_s, plan.offset_s, now_s, expires_s, OPERATOR, Priority.OPERATOR,
            override.reason,
        )  # fmt: skip

    def _write(self, actor: str, body: dict[str, object], now_s: float) -> None:
        try:
            self._guard.ledger.append(KIND, actor, body, now_s)
        except LedgerError as error:
            _log.error("not recorded: %s of %s: %s", body["what"], body["junction"], error.message)


def _read(body: Mapping[str, Any]) -> tuple[OverrideAction, float]:
    try:
        action, duration_s = OverrideAction(str(body.get("action"))), float(body.get("duration_s", 0.0))
    except (ValueError, TypeError) as error:
        raise ConfigurationError(str(error), remedy="use stage, hold or local, and seconds") from error
    longest_s = LONGEST_S[action]
    if not SHORTEST_S <= duration_s <= longest_s:
        raise RequestRefusedError(
            f"duration_s is {duration_s:g}", remedy=f"use {SHORTEST_S:g} to {longest_s:g} s for {action}"
        )
    return action, duration_s


def _heard(override: Override, verdict: Verdict) -> Override:
    accepted = verdict.outcome is Outcome.ACCEPTED
    note = "" if accepted else f"{verdict.by}: {verdict.reason or verdict.rule}"
    return msgspec.structs.replace(override, accepted=accepted, note=note[:300])


def _entry(what: str, override: Override, replaces: Override | None = None) -> dict[str, object]:
    body: dict[str, object] = {
        "junction": override.junction, "what": what, "action": str(override.action),
        "stage": override.stage, "set_by": override.actor, "expires_s": override.expires_s,
        "duration_s": override.duration_s, "shown_s": override.shown_s,
        "reason": override.reason,
    }  # fmt: skip
    if replaces is not None:
        body["replaces"] = f"{replaces.action} {replaces.stage} of {replaces.actor}".replace("  ", " ")
    return body
