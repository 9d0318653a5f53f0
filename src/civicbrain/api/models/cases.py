"""What the API takes about cases, reports, alarms and notices. What it says are the records of
`city/cases.py`, `city/alarms.py` and `city/shifts.py`, as they are.

Who does it stands in the record by their log-in; no body says it. version: of the case that was looked at;
where it has changed since, nothing is done. key: of the caller's own; repeated under the same key, a call is
done once and answered the same."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from civicbrain.api.models.city import Reason
from civicbrain.city.alarms import AlarmList, AlarmsChanged
from civicbrain.city.cases import (
    CaseFile,
    CaseState,
    CaseSummary,
    Evidence,
    Outcome,
    Statement,
    Urgency,
)
from civicbrain.city.incidents import MAX_TEXT, IncidentKind, Place, ReporterKind
from civicbrain.city.shifts import Handover, Quality
from civicbrain.runtime.cases.outbox import NoticePage, NoticeView

_PLAIN = r"^[^\u0000-\u001f\u007f]*$"
Key = Annotated[str, Meta(max_length=80, pattern=r"^[A-Za-z0-9_.:-]*$", description="of a repeated call")]
Version = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Text = Annotated[
    str,
    Meta(max_length=MAX_TEXT, pattern=r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"),
]
SomeText = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_TEXT, pattern=r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"),
]
Label = Annotated[str, Meta(min_length=1, max_length=80, pattern=_PLAIN)]
Id = Annotated[str, Meta(max_length=200, pattern=_PLAIN)]
Metres = Annotated[float, Meta(ge=-1e7, le=1e7)]
Numbers = Annotated[
    list[Annotated[int, Meta(ge=1, le=2**53 - 1)]], Meta(max_length=1000, description="ids of alarms")
]


class PlaceOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """Where, in the city's plane; edge, junction and sensor as far as they are known."""

    x_m: Metres
    y_m: Metres
    edge: Id = ""
    lanes: Annotated[list[Annotated[int, Meta(ge=0, le=99)]], Meta(max_length=32)] = []
    junction: Id = ""
    sensor: Id = ""


class CaseOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """A case opened by hand. urgency: null: as the procedure says."""

    kind: IncidentKind
    place: PlaceOrder
    note: Text = ""
    urgency: Urgency | None = None
    key: Key = ""


class CaseMove(Struct, frozen=True, forbid_unknown_fields=True):
    """to: where the case goes; outcome: only with "closed", and then always. From closed to triage:
    reopened."""

    to: CaseState
    outcome: Outcome | None = None
    assigned_to: Label | None = None
    reason: Reason = ""
    version: Version | None = None
    key: Key = ""


class CaseGiven(Struct, frozen=True, forbid_unknown_fields=True):
    """to: the crew that is to go, or the person or department that holds the case from now on."""

    to: Label
    reason: Reason = ""
    version: Version | None = None
    key: Key = ""


class CaseUrgency(Struct, frozen=True, forbid_unknown_fields=True):
    to: Urgency
    reason: Reason = ""
    version: Version | None = None
    key: Key = ""


class CaseMerge(Struct, frozen=True, forbid_unknown_fields=True):
    """into: the case that stays; this one is closed as a duplicate."""

    into: Annotated[str, Meta(max_length=40, pattern=r"^case-[1-9][0-9]{0,14}$")]
    reason: Reason = ""
    version: Version | None = None
    key: Key = ""


class CaseNote(Struct, frozen=True, forbid_unknown_fields=True):
    text: SomeText
    key: Key = ""


class StepChange(Struct, frozen=True, forbid_unknown_fields=True):
    """skipped: with a reason."""

    state: Literal["done", "skipped"]
    reason: Reason = ""
    key: Key = ""


class CaseNotice(Struct, frozen=True, forbid_unknown_fields=True):
    """recipient: NAME of [notices.recipients.NAME]."""

    recipient: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_-]*$")]
    reason: Reason = ""
    key: Key = ""


class WhatIfOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """what_if: id of a what-if (`/v1/what-ifs`); title: what it asks, for people."""

    what_if: Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.:-]+$")]
    title: Annotated[str, Meta(max_length=200, pattern=_PLAIN)] = ""
    key: Key = ""


class ShiftOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """to: who has the next shift. hours: how far back the note goes. remark: what the lists do not say."""

    to: Label
    hours: Annotated[float, Meta(gt=0, le=168)] = 8.0
    remark: Text = ""


class ShiftTaking(Struct, frozen=True, forbid_unknown_fields=True):
    """Whoever sends it takes the shift."""

    reason: Reason = ""


class EvidenceOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is looked at; that stands in the record."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=_PLAIN)]


class ReportOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody says. reporter: null: the role of the key. source: how they call it, e.g. a call's
    number. ago_s: how long ago it began, as they say. Send nothing of the person that is not needed."""

    kind: IncidentKind
    place: PlaceOrder
    reporter: ReporterKind | None = None
    source: Annotated[str, Meta(max_length=80, pattern=_PLAIN)] = ""
    text: Text = ""
    ago_s: Annotated[float, Meta(ge=0, le=86_400)] | None = None
    key: Key = ""


class AlarmChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Which alarms: by id, or all of a group. A reason is needed to clear them by hand."""

    alarms: Numbers = []
    group: Annotated[str, Meta(max_length=12, pattern=r"^[0-9a-f]*$")] = ""
    reason: Reason = ""


class AlarmShelving(Struct, frozen=True, forbid_unknown_fields=True):
    """for_s: how long, a day at most."""

    for_s: Annotated[float, Meta(gt=0, le=86_400)]
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=_PLAIN)]
    alarms: Numbers = []
    group: Annotated[str, Meta(max_length=12, pattern=r"^[0-9a-f]*$")] = ""


class NoticeAgain(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason = ""


class CasePage(Struct, frozen=True):
    """The open ones first, by urgency, then the newest. count: of all that fit."""

    cases: list[CaseSummary]
    count: int
    offset: int
    limit: int


class ReportPage(Struct, frozen=True):
    """Without their words: those are evidence of their case."""

    reports: list[Statement]
    count: int
    offset: int
    limit: int


class ReportMade(Struct, frozen=True):
    """case: to which it belongs; new_case: it was opened for it."""

    report: Statement
    case: str
    new_case: bool


class ProcedureView(Struct, frozen=True):
    """A procedure as it holds, its file's keys in `rules`."""

    kind: IncidentKind
    title: str
    digest: str
    rules: dict[str, Any]


__all__ = [
    "AlarmList", "AlarmsChanged", "CaseFile", "Evidence", "Handover", "NoticePage", "NoticeView", "Place",
    "Quality",
]  # fmt: skip
