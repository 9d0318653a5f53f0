"""What a shift hands over to the next, and how well an operation centre did in a week."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from civicbrain.city.alarms import AlarmGroup, AlarmView
from civicbrain.city.cases import CaseSummary
from civicbrain.city.incidents import IncidentKind


class ShiftEvent(msgspec.Struct, frozen=True):
    """Something that changed. case: "" where it is about the platform itself. time_s: second of the city's
    clock, None where it is not known."""

    at: datetime
    actor: str
    what: str
    case: str = ""
    detail: dict[str, Any] = {}
    time_s: float | None = None


class Override(msgspec.Struct, frozen=True):
    """Something that people, or a fault, hold otherwise than the platform would: a brain switched off, the
    fixed plan, a junction in manual or flashing operation."""

    what: str
    which: str
    detail: str = ""


class MissionUnderWay(msgspec.Struct, frozen=True):
    """An emergency mission that the next shift takes over. to_edge: where to; eta_s: expected arrival on the
    city's clock, None where it is not known."""

    id: str
    vehicle: str
    to_edge: str
    state: str
    eta_s: float | None = None


class LostNotice(msgspec.Struct, frozen=True):
    """A notice that was given up, or had no address."""

    id: int
    case: str
    recipient: str
    error: str


class Handover(msgspec.Struct, frozen=True):
    """One shift's note to the next. live: whether the brain process was asked; without it overrides,
    missions under way and silent sources are not known. changed: of the shift, oldest first, at most 500
    (`changes` counts all). since_s, until_s: the same on the city's clock, None where it is not known."""

    since: datetime
    until: datetime
    open_cases: list[CaseSummary]
    groups: list[AlarmGroup]
    shelved: list[AlarmView]
    lost_notices: list[LostNotice]
    changed: list[ShiftEvent]
    changes: int
    closed_cases: int
    live: bool = False
    overrides: list[Override] = []
    silent_sources: list[str] = []
    since_s: float | None = None
    until_s: float | None = None
    missions: list[MissionUnderWay] = []


class Signature(msgspec.Struct, frozen=True):
    """A shift that was handed over: who signed the note, to whom, and who took it. sha256: of the note as it
    was signed, which stands in the ledger too."""

    id: int
    since: datetime
    until: datetime
    signed_by: str
    given_to: str
    sha256: str
    remark: str = ""
    taken_by: str = ""
    taken: datetime | None = None


class SignedNote(msgspec.Struct, frozen=True):
    """A signature with its note: as plain text, and as the JSON of `Handover` ("" of a note from before that
    was kept). intact: both still have the hash that was signed: SHA-256 of text, a line feed and record, or
    of the text alone where there is no record."""

    signature: Signature
    text: str
    record: str = ""
    intact: bool = True


class Times(msgspec.Struct, frozen=True):
    """Of so many: median and 90th percentile, seconds; None of none."""

    count: int
    median_s: float | None
    p90_s: float | None


class KindQuality(msgspec.Struct, frozen=True):
    """Cases of one kind that were opened in the week. detection: onset to detection, as the brain tells it
    (platform seconds). The others from the case's opening. false_alarms: closed as such."""

    kind: IncidentKind
    opened: int
    closed: int
    false_alarms: int
    duplicates: int
    reported_by_people: int
    detection: Times
    to_triage: Times
    to_assignment: Times
    to_scene: Times
    to_closed: Times


class DayQuality(msgspec.Struct, frozen=True):
    """One day of the week, UTC: times that an alarm was raised; cases opened in it, and closed in it."""

    day: datetime
    alarms: int
    opened: int
    closed: int


class Outage(msgspec.Struct, frozen=True):
    """A stretch in which a part did not work, as far as it lies in the week. end: None while it lasts."""

    what: str
    start: datetime
    end: datetime | None
    duration_s: float


class Quality(msgspec.Struct, frozen=True):
    """A week, Monday 00:00 to Monday 00:00 UTC. alarms: times that one was raised; flood_minutes: minutes
    with more than ten in the ten minutes before them (ISA-18.2). days: seven, from Monday."""

    week: str
    start: datetime
    end: datetime
    kinds: list[KindQuality]
    deadlines_missed: int
    escalations: int
    alarms: int
    alarms_an_hour: float
    flood_minutes: int
    acknowledge: Times
    notices: int
    notices_delivered: int
    notices_dead: int
    delivery: Times
    outages: list[Outage]
    outage_s: float
    days: list[DayQuality] = []
