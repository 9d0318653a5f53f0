"""What people report, put to what sensors saw; reports about something that no sensor saw."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from civicbrain.brains.incidents.effects import CLEARS_AFTER_S
from civicbrain.brains.incidents.matching import LATE_S, confidence_of, find_match, say_the_same
from civicbrain.city.incidents import Incident, IncidentReport
from civicbrain.core.sentences import say


class Reported:
    """Keeps which reports belong together. name: the brain's."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._of_incident: dict[str, list[IncidentReport]] = {}
        self._alone: dict[str, list[IncidentReport]] = {}  # id of an incident that only reports tell of
        self._known: set[str] = set()
        self._settled: set[str] = set()

    def merged(
        self, incidents: Sequence[Incident], reports: Sequence[IncidentReport], now_s: float
    ) -> list[Incident]:
        """The incidents with their reports, and those that only reports tell of; ended ones once. A report
        that is settled counts no more: what only it told of is over, what sensors see is not."""
        result = self._settle([report.id for report in reports if report.settled], now_s)
        for report in reports:
            if report.id not in self._known:
                self._known.add(report.id)
                if not report.settled:
                    self._put(report, incidents)
        result += self._adopt(incidents, now_s)
        for one in incidents:
            own = self._of_incident.get(one.id, [])
            if own:
                one = msgspec.structs.replace(
                    one,
                    reports=tuple(report.id for report in own),
                    confidence=round(confidence_of(own, one.confidence), 2),
                    evidence=(*one.evidence, say("reported", f"reported by {len(own)}", count=len(own)))[:9],
                )
            result.append(one)
            if not one.is_open:
                self._of_incident.pop(one.id, None)
        result += [self._incident(name, own, now_s) for name, own in self._alone.items()]
        for name in [n for n, own in self._alone.items() if own[-1].reported_s + LATE_S < now_s]:
            del self._alone[name]
        return result

    def _settle(self, ids: Sequence[str], now_s: float) -> list[Incident]:
        """Let these reports go; the incidents that nothing tells of any more, ended."""
        settled = set(ids) - self._settled
        if not settled:
            return []
        self._settled |= settled
        over = self._let_go(self._alone, settled)
        self._let_go(self._of_incident, settled)
        return [
            msgspec.structs.replace(self._incident(name, own, now_s), cleared_s=now_s)
            for name, own in over.items()
        ]

    @staticmethod
    def _let_go(known: dict[str, list[IncidentReport]], settled: set[str]) -> dict[str, list[IncidentReport]]:
        """Take them out of `known`; those of which none is left, as they were."""
        over = {}
        for name, own in list(known.items()):
            known[name] = [report for report in own if report.id not in settled]
            if not known[name]:
                del known[name]
                over[name] = own
        return over

    def _put(self, report: IncidentReport, incidents: Sequence[Incident]) -> None:
        found = find_match(report, incidents)
        if found is not None:
            self._of_incident.setdefault(found.id, []).append(report)
            return
        for own in self._alone.values():
            if any(say_the_same(report, other) for other in own):
                own.append(report)
                return
        self._alone[f"{self._name}-reported-{report.id}"] = [report]

    def _adopt(self, incidents: Sequence[Incident], now_s: float) -> list[Incident]:
        """Sensors now see what only reports told of: one incident, that of the sensors; the other ends."""
        ended = []
        for name, own in list(self._alone.items()):
            found = next((one for report in own if (one := find_match(report, incidents)) is not None), None)
            if found is not None:
                self._of_incident.setdefault(found.id, []).extend(own)
                del self._alone[name]
                over = self._incident(name, own, now_s)
                ended.append(msgspec.structs.replace(over, cleared_s=now_s, part_of=found.id))
        return ended

    def _incident(self, name: str, own: list[IncidentReport], now_s: float) -> Incident:
        first = own[0]
        began_s = min(r.happened_s if r.happened_s >= 0.0 else r.reported_s for r in own)
        over_s = own[-1].reported_s + LATE_S
        return Incident(
            id=name,
            kind=first.kind,
            place=first.place,
            confidence=round(confidence_of(own), 2),
            onset_s=began_s,
            detected_s=first.reported_s,
            updated_s=now_s,
            evidence=tuple(
                say(
                    "reported-by",
                    f"{r.reporter} ({r.source}) reports it",
                    reporter=str(r.reporter),
                    source=r.source,
                )
                for r in own[:8]
            ),
            clears_s=began_s + CLEARS_AFTER_S[first.kind],
            cleared_s=over_s if over_s < now_s else -1.0,
            reports=tuple(r.id for r in own),
        )
