"""`Loop`: sense, know, decide, guard, act. The same code for a study and for a live city.

One tick folds in what the feeds delivered, asks the brains that are due, and passes what they advise to the
guard. The loop never waits for a brain in another process.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence, Set

import msgspec
import numpy as np

from civicbrain.city.asked import StagesAsked
from civicbrain.city.incidents import Incident
from civicbrain.city.model import City
from civicbrain.city.observations import Observation
from civicbrain.city.snapshot import Snapshot
from civicbrain.city.store import Store
from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import Advice, Alert, Request, Severity, StageRequest
from civicbrain.contracts.feed import Datum
from civicbrain.contracts.missions import MissionPlan
from civicbrain.contracts.transit import TransitPlan
from civicbrain.contracts.wire import BrainHealth
from civicbrain.core.errors import LedgerError, NotFoundError
from civicbrain.core.sentences import Sentence, say
from civicbrain.guard import Guard
from civicbrain.runtime.explanations import Explanations
from civicbrain.runtime.hosts import Host
from civicbrain.runtime.mission_log import MissionLog
from civicbrain.runtime.overrides import Overrides
from civicbrain.runtime.transit_log import TransitLog

ALERT_OPEN_S = 60.0
"""An alert that its brain has not repeated for this long is closed."""

MAX_OPEN_ALERTS = 200_000
"""Of brains; about 100 MB. What finds no room is counted (`Loop.alerts_lost`), and an alert says so."""

RUNTIME = "runtime"
"""The name under which the loop itself raises alerts and writes to the ledger."""

MAX_DECISIONS = 100_000
"""Decision times kept; the older half goes when there are twice as many."""

_log = logging.getLogger("civicbrain.runtime.loop")


class Loop:
    """The closed loop over `city`. One thread.

    decision_ms: wall time of each decision (snapshot, brain, guard; not the actuator's street), newest last.
    explanations: what brains last said about each junction. open_alerts: "brain/key" -> alert.
    alerts_lost: how often one of them found no room. verdicts: those of the last tick, in the order of its
    advice's requests. asked: what that tick let through. missions: the missions' record. transit: that of
    buses and their requests. overrides: the operators', asked with each tick.
    """

    def __init__(self, city: City, store: Store, guard: Guard, hosts: Sequence[Host]) -> None:
        self.city = city
        self.store = store
        self.guard = guard
        self.hosts: dict[str, Host] = {host.name: host for host in hosts}
        self.decision_ms: list[float] = []
        self.explanations = Explanations()
        self.open_alerts: dict[str, Alert] = {}
        self.alerts_lost = 0
        self.verdicts: list[Verdict] = []
        self.asked: StagesAsked | None = None
        self.last_snapshot: Snapshot | None = None
        self.overrides = Overrides(city, guard)
        self.missions = MissionLog()
        self.transit = TransitLog()
        self._stage_rows = {
            junction.id: (row, {stage.id: number for number, stage in enumerate(junction.stages)})
            for row, junction in enumerate(city.junctions)
        }
        self._last_s: float | None = None
        self._failures: dict[str, int] = {}
        self._runs_at_failure: dict[str, int] = {}
        self._ledger_troubled = False
        self._losing_alerts = False
        self._ended: list[Alert] = []

    def tick(self, data: Sequence[Datum], now_s: float) -> Advice:
        """Take in data, decide, act. Returns what all brains advised, merged: `alerts` are those that are
        new, changed or ended, the loop's own included; `incidents` those that began, changed or ended."""
        if self._last_s is not None and now_s < self._last_s:
            self._start_over(now_s)
        self._last_s = now_s
        self.store.fold(data, now_s)
        self.guard.heartbeat(now_s)

        snapshot_ms = 0.0
        made: Snapshot | None = None

        def snapshot() -> Snapshot:
            nonlocal made, snapshot_ms
            if made is None:
                start = time.perf_counter()
                made = self.last_snapshot = self.store.snapshot(now_s)
                snapshot_ms = (time.perf_counter() - start) * 1000.0
            return made

        answers = [
            (name, answer)
            for name, host in self.hosts.items()
            if (answer := host.step(now_s, snapshot)) is not None
        ]
        requests: list[Request] = []
        derived: list[Observation] = []
        alerts: list[Alert] = []
        explanations: dict[str, Mapping[str, object]] = {}
        plans: list[MissionPlan] = []
        incidents: list[Incident] = []
        buses: list[TransitPlan] = []
        for name, answer in answers:
            requests += answer.advice.requests
            derived += answer.advice.derived
            alerts += answer.advice.alerts
            explanations.update(answer.advice.explanations)
            if answer.advice.explanations:
                self.explanations.take(name, answer.advice.explanations, now_s)
            plans += answer.advice.missions
            incidents += filter(self.store.incidents.take, answer.advice.incidents)
            if answer.advice.transit is not None:
                buses.append(answer.advice.transit)
        start = time.perf_counter()
        standing = self.overrides.requests(now_s, self.store.signals)
        asking = [*standing, *requests]
        verdicts = self.guard.handle(asking, now_s) if asking else []
        self.overrides.hear(verdicts[: len(standing)], now_s)
        self.verdicts = verdicts[len(standing) :]
        guard_ms = (time.perf_counter() - start) * 1000.0
        if answers:
            self._note_decision(snapshot_ms + max(answer.ms for _, answer in answers) + guard_ms)
        self.asked = self._asked(asking, verdicts, now_s)
        self.store.fold([*derived, self.asked], now_s)
        for kind, actor, body in self.missions.take(self.store.tracks.drain(), plans):
            self._write(kind, body, now_s, actor)
        for kind, actor, body in self.transit.take(self.store.buses.drain(), buses, requests, self.verdicts):
            self._write(kind, body, now_s, actor)
        over = {one.id for one in incidents if not one.is_open}
        changed = self._alert([*alerts, *self._trouble(now_s)], now_s, over)
        return Advice(
            tuple(requests), tuple(changed), tuple(derived), explanations, tuple(plans), tuple(incidents),
            buses[0] if buses else None,
        )  # fmt: skip

    def observe(self, data: Sequence[Datum], now_s: float) -> Snapshot:
        """Take in data between two ticks; nobody is asked. now_s may run ahead of the next tick a little."""
        self.store.fold(data, now_s)
        self.last_snapshot = self.store.snapshot(now_s)
        return self.last_snapshot

    def snapshot(self, now_s: float) -> Snapshot:
        """What is known now, for people; brains are given theirs in `tick`."""
        return self.store.snapshot(now_s)

    def health(self, now_s: float) -> tuple[BrainHealth, ...]:
        """How each brain does."""
        return tuple(host.health(now_s) for host in self.hosts.values())

    def switch_brain(self, name: str, enabled: bool, *, actor: str, reason: str, now_s: float) -> None:
        """Ask a brain, or no longer; its requests are then refused too. Raises NotFoundError, LedgerError."""
        host = self.hosts.get(name)
        if host is None:
            raise NotFoundError(
                f"no brain {name!r} runs", remedy="running: " + (", ".join(self.hosts) or "none")
            )
        self.guard.switch_brain(name, enabled, actor=actor, reason=reason, now_s=now_s)
        host.enabled = enabled
        if not enabled:
            self.explanations.clear()

    def close(self) -> None:
        """End all brains."""
        for host in self.hosts.values():
            host.close()

    # -- steps

    def _start_over(self, now_s: float) -> None:
        """Time went back: the twin began its window again, or was resumed from a checkpoint."""
        _log.info("time went back; what was known is forgotten and the brains start afresh")
        self.store.reset()
        self.overrides.clear(now_s)
        self.guard.reset()
        self.explanations.clear()
        self._ended += [
            msgspec.structs.replace(alert, ended_s=alert.time_s)
            for alert in self.open_alerts.values()
            if alert.brain != RUNTIME
        ]
        self.open_alerts.clear()
        self._losing_alerts = False
        self.missions.clear()
        self.transit.clear()
        for host in self.hosts.values():
            host.reset()

    def _asked(self, requests: Sequence[Request], verdicts: Sequence[Verdict], now_s: float) -> StagesAsked:
        """What was let through, for those who see to it that controllers follow."""
        count = len(self.city.junctions)
        asked = StagesAsked(np.full(count, -1, np.int32), np.full(count, -np.inf))
        for request, verdict in zip(requests, verdicts, strict=True):
            if verdict.outcome is Outcome.ACCEPTED and isinstance(request, StageRequest):
                row, stages = self._stage_rows.get(request.junction, (-1, {}))
                stage = stages.get(request.stage, -1)
                if stage >= 0 and request.not_before_s <= now_s:
                    asked.stage[row], asked.until_s[row] = stage, request.expires_s
        return asked

    def _note_decision(self, ms: float) -> None:
        self.decision_ms.append(ms)
        if len(self.decision_ms) > 2 * MAX_DECISIONS:
            del self.decision_ms[:MAX_DECISIONS]

    def _trouble(self, now_s: float) -> list[Alert]:
        """Alerts about brains that failed or recovered, and about a record that cannot be kept."""
        alerts = []
        for name, host in self.hosts.items():
            failures, runs = host.record.failures, host.record.runs
            if failures < self._failures.get(name, 0):  # another host under the same name
                self._failures[name] = 0
                self._runs_at_failure[name] = 0
            if failures > self._failures.get(name, 0):
                self._failures[name] = failures
                self._runs_at_failure[name] = runs
                health = host.health(now_s)
                title = say("brain-failed", f"The brain “{name}” has failed", brain=name)
                text = f"{health.last_error}; tried again in {health.retry_in_s:.0f} s"
                detail = say("tried-again", text, error=health.last_error, in_s=health.retry_in_s)
                alerts.append(_own(f"brain-{name}", Severity.CRITICAL, title, detail, now_s))
                self._write("brain-failed", {"brain": name, "error": health.last_error}, now_s)
            elif name in self._runs_at_failure and runs > self._runs_at_failure[name]:
                del self._runs_at_failure[name]
                title = say("brain-works", f"The brain “{name}” works again", brain=name)
                alerts.append(_own(f"brain-{name}", Severity.INFO, title, "", now_s))
                self._write("brain-recovered", {"brain": name, "failures": failures}, now_s)
        if bool(self.guard.ledger_error) != self._ledger_troubled:
            self._ledger_troubled = bool(self.guard.ledger_error)
            if self._ledger_troubled:
                title = say("ledger-failed", "The record cannot be written: no request to signals is granted")
                alerts.append(_own("ledger", Severity.CRITICAL, title, self.guard.ledger_error, now_s))
            else:
                title = say("ledger-works", "The record is written again")
                alerts.append(_own("ledger", Severity.INFO, title, "", now_s))
        return alerts

    def _write(self, kind: str, body: dict[str, object], now_s: float, actor: str = RUNTIME) -> None:
        try:
            self.guard.ledger.append(kind, actor, body, now_s)
        except LedgerError as error:
            _log.warning("not recorded: %s: %s", kind, error.message)

    def _alert(self, alerts: Sequence[Alert], now_s: float, over: Set[str] = frozenset()) -> list[Alert]:
        """Keep the open alerts; returns those that are new, say something else than before, or have ended.
        over: ids of incidents that have: so have the alerts of that key."""
        changed = []
        lost = 0
        for alert in alerts:
            key = f"{alert.brain}/{alert.key}"
            before = self.open_alerts.get(key)
            if before is None and alert.brain != RUNTIME and len(self.open_alerts) >= MAX_OPEN_ALERTS:
                lost += 1
                continue
            if before is None or _says_more(before, alert):
                changed.append(alert)
            if alert.brain == RUNTIME and alert.severity is Severity.INFO:
                self.open_alerts.pop(key, None)  # the trouble is over
            else:
                self.open_alerts[key] = alert
        for key, alert in list(self.open_alerts.items()):
            if alert.brain != RUNTIME and (alert.key in over or alert.time_s < now_s - ALERT_OPEN_S):
                del self.open_alerts[key]
                self._ended.append(msgspec.structs.replace(alert, ended_s=alert.time_s))
        ended, self._ended = self._ended, []
        return changed + ended + self._count_lost(lost, now_s)

    def _count_lost(self, lost: int, now_s: float) -> list[Alert]:
        """Say it once when alerts find no room, and once when they do again."""
        self.alerts_lost += lost
        full = len(self.open_alerts) >= MAX_OPEN_ALERTS
        if lost and not self._losing_alerts:
            self._losing_alerts = True
            title = say("alerts-lost", "Too many alarms: some are not shown")
            text = f"More than {MAX_OPEN_ALERTS} are active; further ones are lost."
            detail = say("alerts-most", text, most=MAX_OPEN_ALERTS)
            alert = _own("alerts-lost", Severity.CRITICAL, title, detail, now_s)
            self.open_alerts[f"{RUNTIME}/{alert.key}"] = alert
            return [alert]
        if self._losing_alerts and not lost and not full:
            self._losing_alerts = False
            self.open_alerts.pop(f"{RUNTIME}/alerts-lost", None)
            title = say("alerts-fit", "All alarms are shown again")
            return [_own("alerts-lost", Severity.INFO, title, "", now_s)]
        return []


def _own(key: str, severity: Severity, title: Sentence, detail: Sentence | str, now_s: float) -> Alert:
    return Alert.of(key, severity, title, detail, now_s, RUNTIME)


def _says_more(before: Alert, after: Alert) -> bool:
    """True when the alert says something new; its time alone does not count."""
    return (before.severity, before.title, before.detail, before.junction) != (
        after.severity, after.title, after.detail, after.junction,
    )  # fmt: skip
