"""What ends with a closed case: an alarm stands as long as sensors see what it tells of, and one that only
people reported as long as its case is open."""

from __future__ import annotations

import msgspec

from civicbrain.city.cases import case_id
from civicbrain.city.incidents import Incident, IncidentKind, IncidentReport, Place, ReporterKind
from civicbrain.core.sentences import say
from civicbrain.runtime.cases.alarms import acknowledge, clear_alarm
from civicbrain.runtime.cases.store import SYSTEM, Change


def late_key(number: int) -> str:
    """Of the alarm that a case is overdue."""
    return f"late-{case_id(number)}"


def settle(change: Change, number: int) -> None:
    """A case was closed: its reports are settled (the brain hears so and ends the incident that they alone
    tell of), and the alarms of incidents that no sensor has seen are over, noted by whoever closed it; so is
    that it was overdue."""
    change.settled += [
        IncidentReport(
            row["id"], ReporterKind(row["reporter"]), row["source"], IncidentKind(row["kind"]),
            msgspec.json.decode(row["place"], type=Place), change.now_s, settled=True,
        )
        for row in change.all("SELECT * FROM report WHERE case_number = ?", number)
    ]  # fmt: skip
    for row in change.all("SELECT * FROM incident WHERE case_number = ? AND open = 1", number):
        if msgspec.json.decode(row["body"], type=Incident).sensors:
            continue
        change.run(
            "UPDATE incident SET open = 0, cleared_s = ? WHERE session = ? AND id = ?",
            change.now_s, row["session"], row["id"],
        )  # fmt: skip
        for alarm in change.all(
            "SELECT number, source, key FROM alarm WHERE key = ? AND session = ? AND active = 1",
            row["id"], row["session"],
        ):  # fmt: skip
            why = say("case-closed", f"{case_id(number)} was closed.", case=case_id(number))
            clear_alarm(change, alarm["source"], alarm["key"], change.now_s, why)
            _note(change, number, alarm["number"])
    late = change.one("SELECT number FROM alarm WHERE source = ? AND key = ?", SYSTEM, late_key(number))
    if late is not None:
        _note(change, number, late["number"])


def _note(change: Change, number: int, alarm: int) -> None:
    """Not by the platform itself: what nobody has seen stays in the list."""
    if change.actor != SYSTEM:
        acknowledge(change, [alarm], case_id(number))
