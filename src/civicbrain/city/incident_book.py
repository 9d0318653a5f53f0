"""`IncidentBook`: the incidents that are open now and the reports that people sent lately.

Part of the store, with its one writer. A brain says what is new or changed; the book keeps the newest word
on each incident and tells what really changed, so that a repeated word costs nobody anything.
"""

from __future__ import annotations

import math

from civicbrain.city.incidents import Incident, IncidentReport

REPORT_KEPT_S = 3600.0
"""Reports older than this are no longer matched to what sensors see; cases keep them for good."""

SILENT_AFTER_S = 300.0
"""An open incident of which its brain has said nothing for so long is taken off the book: a brain repeats
what is open at least each minute, so it has failed or been switched off."""

MAX_OPEN, MAX_REPORTS = 10_000, 20_000


class IncidentBook:
    """Open incidents by id, newest word; reports of the last hour, oldest first."""

    def __init__(self) -> None:
        self._open: dict[str, Incident] = {}
        self._reports: dict[str, IncidentReport] = {}
        self._tuples: tuple[tuple[Incident, ...], tuple[IncidentReport, ...]] | None = ((), ())

    def reset(self) -> None:
        """Forget everything."""
        self._open.clear()
        self._reports.clear()
        self._tuples = ((), ())

    def take(self, incident: Incident) -> bool:
        """Keep the newest word on an incident; True when it says more than that it still lasts. An older
        word, one that cannot be kept (`MAX_OPEN`) or is none at all (`is_sound`) is dropped."""
        before = self._open.get(incident.id)
        if not is_sound(incident) or (before is not None and incident.updated_s < before.updated_s):
            return False
        self._tuples = None
        if not incident.is_open:
            return self._open.pop(incident.id, None) is not None
        if before is None and len(self._open) >= MAX_OPEN:
            return False
        self._open[incident.id] = incident
        return before is None or _without_time(before) != _without_time(incident)

    def report(self, report: IncidentReport, now_s: float) -> bool:
        """Keep a report; False where it is known already, from the future or not to be kept. One that is
        settled takes the place of what was known, and is news only there."""
        known = self._reports.get(report.id)
        if not math.isfinite(report.reported_s) or (known is None and report.settled):
            return False
        if known is not None and (known.settled or not report.settled):
            return False
        if not now_s - REPORT_KEPT_S < report.reported_s <= now_s + 1.5:
            return False
        if known is None and len(self._reports) >= MAX_REPORTS:
            return False
        self._reports[report.id] = report
        self._tuples = None
        return True

    def list_now(self, now_s: float) -> tuple[tuple[Incident, ...], tuple[IncidentReport, ...]]:
        """Open incidents and live reports at now_s; the silent and the old ones go."""
        silent = [name for name, one in self._open.items() if one.updated_s < now_s - SILENT_AFTER_S]
        old = [name for name, one in self._reports.items() if one.reported_s < now_s - REPORT_KEPT_S]
        for name in silent:
            del self._open[name]
        for name in old:
            del self._reports[name]
        if silent or old or self._tuples is None:
            self._tuples = (tuple(self._open.values()), tuple(self._reports.values()))
        return self._tuples


def is_sound(incident: Incident) -> bool:
    """Whether its numbers are numbers: finite times and place, confidence and capacity from 0 to 1."""
    place = incident.place
    numbers = (
        place.x_m, place.y_m, place.position_m, incident.onset_s, incident.detected_s, incident.updated_s,
        incident.delay_veh_h, incident.clears_s, incident.cleared_s,
        *(n for one in incident.effects for n in (one.since_s, one.place.x_m, one.place.y_m)),
    )  # fmt: skip
    shares = (incident.confidence, incident.capacity_left)
    return bool(incident.id) and all(map(math.isfinite, numbers)) and all(0.0 <= s <= 1.0 for s in shares)


def _without_time(incident: Incident) -> tuple[object, ...]:
    """What counts as a change: all but the time of the word and what is only reckoned on."""
    return (
        incident.kind, incident.place, round(incident.confidence, 1), incident.onset_s, incident.evidence,
        round(incident.capacity_left, 1), incident.sensors, incident.reports, round(incident.clears_s, -2),
        incident.effects,
    )  # fmt: skip
