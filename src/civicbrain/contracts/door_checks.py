"""The contracts of feeds and actuators, as checks."""

from __future__ import annotations

import time

from civicbrain.city.model import City
from civicbrain.contracts.actuator import Actuator, Outcome, Verdict
from civicbrain.contracts.brain import StageRequest
from civicbrain.contracts.feed import Datum, Feed
from civicbrain.contracts.findings import Finding, Findings, name_fault, number_fault
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import CivicBrainError


def check_feed(feed: Feed, now_s: float = 0.0) -> list[Finding]:
    """A feed polls without waiting long, returns data, or says that its source is dead."""
    findings = Findings()
    findings.run(
        "protocol", lambda: "" if isinstance(feed, Feed) else "needs name, cadence_s, stale_after_s, …"
    )
    if not findings[-1].ok:
        return findings
    findings.run("name", lambda: name_fault(feed.name))
    findings.run(
        "cadence",
        lambda: (
            number_fault("cadence_s", feed.cadence_s) or number_fault("stale_after_s", feed.stale_after_s)
        ),
    )

    def poll() -> str:
        for _ in range(3):
            start = time.perf_counter()
            try:
                data = feed.poll(now_s)
            except CivicBrainError:
                return ""  # the source is dead and the feed says so in words
            if time.perf_counter() - start > 1.0:
                return "poll waits for more than a second"
            wrong = next((d for d in data if not isinstance(d, Datum)), None)
            if wrong is not None:
                return f"poll returned a {type(wrong).__name__}"
        return ""

    findings.run("poll", poll)
    findings.run("close", lambda: feed.close() or "")  # type: ignore[func-returns-value]
    return findings


def check_actuator(actuator: Actuator, city: City | None = None) -> list[Finding]:
    """An actuator is dry-run until configured otherwise, and gives one verdict a request, in order."""
    city = sandbox_city() if city is None else city
    requests = [
        StageRequest(j.id, stage.id, 0.0, 10.0, "check") for j in city.junctions for stage in j.stages
    ]
    findings = Findings()
    findings.run(
        "protocol",
        lambda: "" if isinstance(actuator, Actuator) else "needs name, dry_run, apply, heartbeat, close",
    )
    if not findings[-1].ok:
        return findings
    findings.run("name", lambda: name_fault(actuator.name))
    if not findings.run(
        "dry-run", lambda: "" if actuator.dry_run is True else "dry_run must be True by default"
    ):
        return findings  # nothing is sent to a street by a check

    def apply() -> str:
        for sent in ([], requests):
            verdicts = actuator.apply(sent, 0.0)
            if len(verdicts) != len(sent):
                return f"{len(verdicts)} verdicts for {len(sent)} requests"
            for verdict in verdicts:
                if (
                    not isinstance(verdict, Verdict)
                    or verdict.outcome not in set(Outcome)
                    or not verdict.rule
                ):
                    return f"{verdict!r} is no verdict with a rule"
        return ""

    findings.run("apply", apply)
    findings.run("heartbeat", lambda: actuator.heartbeat(0.0) or "")  # type: ignore[func-returns-value]
    findings.run("close", lambda: actuator.close() or "")  # type: ignore[func-returns-value]
    return findings
