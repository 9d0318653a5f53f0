"""Incidents of the brain become cases, change them, and end in them.

An incident is known by (session, id): ids begin anew when the brain process or the twin does, and what it
then finds again belongs to the case it had before, by place and kind.
"""

from __future__ import annotations

import msgspec

from civicbrain.city.cases import CaseState, Outcome, case_id
from civicbrain.city.incidents import REPORT_HOLDS_S, Incident, IncidentKind
from civicbrain.runtime.cases.conduct import Conduct, facts_of, get_row
from civicbrain.runtime.cases.matching import INCIDENT_REACH_M, find_case, says_more
from civicbrain.runtime.cases.store import Change

OVER = {"sensors": "sensors say that it is over", "time": "nobody says any more that it is there"}
"""Why the platform closes a case, by who said that it is over."""

SURE = 0.5
"""From this confidence on an incident that says more than the case's kind changes it."""


class Sensed:
    """The side of the desk that sensors speak to. Everything happens in a transaction of the caller's."""

    def __init__(self, conduct: Conduct) -> None:
        self._conduct = conduct

    def take(self, change: Change, said: Incident, now_s: float, at_s: float, session: str) -> None:
        """One word on one incident. now_s: platform second of it, at_s: unix second of it."""
        row = change.one("SELECT * FROM incident WHERE session = ? AND id = ?", session, said.id)
        before = None if row is None else msgspec.json.decode(row["body"], type=Incident)
        if before is not None and before.updated_s > said.updated_s:
            return  # an older word that came late, or twice
        number = row["case_number"] if row is not None else None
        onset_s = at_s - max(0.0, now_s - said.onset_s)
        cleared_s = None if said.is_open else at_s - max(0.0, now_s - said.cleared_s)
        if row is None:
            change.run(
                "INSERT INTO incident (session, id, body, kind, x_m, y_m, open, onset_s, heard_s, cleared_s)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                session, said.id, _json(said), said.kind, said.place.x_m, said.place.y_m, int(said.is_open),
                onset_s, at_s, cleared_s,
            )  # fmt: skip
        else:
            change.run(
                "UPDATE incident SET body = ?, kind = ?, open = ?, heard_s = ?, cleared_s = ?"
                " WHERE session = ? AND id = ?",
                _json(said), said.kind, int(said.is_open), at_s, cleared_s, session, said.id,
            )  # fmt: skip
        if number is None:
            number = self._place(change, said, at_s, onset_s, session)
        if number is not None:
            # what only people reported comes back from the brain, too: nobody has seen it by that
            if said.sensors and not (before is not None and before.sensors):
                detail = {"incident": said.id, "kind": said.kind, "confidence": round(said.confidence, 2)}
                change.event(number, "incident", detail)
            whole = self._whole(change, number, said, session)
            self._follow(change, number, said, whole, was_open=row is None or bool(row["open"]))

    def end_others(self, change: Change, session: str) -> int:
        """Incidents of other sessions that are still open are open no more: nobody sees them now."""
        rows = change.all(
            "SELECT DISTINCT case_number FROM incident WHERE open = 1 AND session != ?"
            " AND case_number IS NOT NULL",
            session,
        )
        change.run(
            "UPDATE incident SET open = 0, cleared_s = ? WHERE open = 1 AND session != ?",
            change.now_s,
            session,
        )
        for row in rows:
            change.event(row["case_number"], "out-of-sight", {"why": "the brain started again"})
        return len(rows)

    def _place(self, change: Change, said: Incident, at_s: float, onset_s: float, session: str) -> int | None:
        """The case it belongs to: one that there is, or a new one where its procedure wants one."""
        number = find_case(
            change.db, said.kind, said.place, INCIDENT_REACH_M, began_s=onset_s, session=session or "-"
        )
        if number is None:
            procedure = self._conduct.procedures[said.kind]
            if not said.is_open or said.confidence < procedure.opens_from_confidence:
                return None
            detect_s = max(0.0, said.detected_s - said.onset_s)
            number = self._conduct.open(
                change, said.kind, said.place, said.confidence,
                why="seen by sensors" if said.sensors else "reported",
                capacity_left=said.capacity_left, delay_veh_h=said.delay_veh_h, onset_s=onset_s,
                detected_s=onset_s + detect_s, detect_s=detect_s,
            )  # fmt: skip
        change.run(
            "UPDATE incident SET case_number = ? WHERE session = ? AND id = ?", number, session, said.id
        )
        change.run(
            "UPDATE case_file SET onset_s = min(coalesce(onset_s, ?), ?),"
            " detected_s = coalesce(detected_s, ?), detect_s = coalesce(detect_s, ?) WHERE number = ?",
            onset_s, onset_s, at_s, max(0.0, said.detected_s - said.onset_s), number,
        )  # fmt: skip
        return number

    def _whole(self, change: Change, number: int, said: Incident, session: str) -> int | None:
        """The other case, if any, whose incident turned out to hold this one."""
        row = change.one(
            "SELECT case_number FROM incident WHERE session = ? AND id = ? AND case_number != ?",
            session, said.part_of, number,
        )  # fmt: skip
        return None if row is None else int(row["case_number"])

    def _follow(
        self, change: Change, number: int, said: Incident, whole: int | None, *, was_open: bool
    ) -> None:  # fmt: skip
        """The case after that word. whole: number of the case that its incident is part of."""
        row = get_row(change, number)
        if said.is_open:
            change.run(
                "UPDATE case_file SET confidence = max(confidence, ?), capacity_left = min(capacity_left, ?),"
                " delay_veh_h = ? WHERE number = ?",
                said.confidence, said.capacity_left, said.delay_veh_h, number,
            )  # fmt: skip
            if row["closed_s"] is not None:
                return
            if said.confidence >= SURE and says_more(said.kind, IncidentKind(row["kind"])):
                self._conduct.change_kind(change, number, said.kind, said.id)
            row = get_row(change, number)
            urgency = self._conduct.urgency_of(IncidentKind(row["kind"]), facts_of(change, row))
            self._conduct.raise_urgency(change, number, urgency, said.id)
            return
        if not was_open:
            return
        if self._only_people(change, number):
            # silence of those who reported says nothing of the road: a person looks, then closes it
            if not said.part_of:
                detail = {"incident": said.id, "after_s": REPORT_HOLDS_S}
                change.event(number, "not-confirmed", detail)
            return
        part_of = {} if whole is None else {"part_of": case_id(whole)}
        by = "sensors" if said.sensors else "time"
        change.event(number, "incident-over", {"incident": said.id, "by": by, **part_of})
        there = change.one("SELECT 1 FROM incident WHERE case_number = ? AND open = 1", number)
        closes = self._conduct.procedures[IncidentKind(row["kind"])].closes_when_cleared_in
        if there is not None or row["closed_s"] is not None or CaseState(row["state"]) not in closes:
            return
        if whole is not None and get_row(change, whole)["closed_s"] is None:
            self._conduct.merge(change, number, whole, "sensors take it for a part of that", force=True)
        else:
            self._conduct.move(
                change,
                number,
                CaseState.CLOSED,
                outcome=Outcome.RESOLVED,
                reason=OVER[by],
                force=True,
            )

    @staticmethod
    def _only_people(change: Change, number: int) -> bool:
        """Whether a case rests on reports: no sensor has seen any incident of it."""
        rows = change.all("SELECT body FROM incident WHERE case_number = ?", number)
        known = [msgspec.json.decode(row["body"], type=Incident) for row in rows]
        return all(one.reports and not one.sensors for one in known)


def _json(said: Incident) -> str:
    return msgspec.json.encode(said).decode()
