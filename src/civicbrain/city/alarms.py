"""Alarms as an operation centre has them: what needs somebody to act, until they have taken note of it.

The states and words are those of ANSI/ISA-18.2-2016 and IEC 62682:2014: an alarm is raised, acknowledged,
returns to normal, and may be shelved for a limited time. One that has returned stays in the list until it is
acknowledged. More than ten in ten minutes are a flood (ISA-18.2, 16.5): the list then shows groups.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from civicbrain.city.cases import Urgency
from civicbrain.core.sentences import Sentence

FLOOD_COUNT, FLOOD_WINDOW_S = 10, 600.0
"""ISA-18.2: a flood begins when more than this many alarms come in this time for one operator."""


class AlarmState(StrEnum):
    UNACKNOWLEDGED = "unacknowledged"  # it stands, and nobody has taken note
    ACKNOWLEDGED = "acknowledged"  # it stands, and somebody has
    RETURNED = "returned"  # it is over, and nobody has taken note
    SHELVED = "shelved"  # put aside by somebody until a time
    NORMAL = "normal"  # over and noted


class AlarmView(msgspec.Struct, frozen=True):
    """One alarm. source: the brain or process that says it; matter: what it has in common with others of its
    group. count: how often it was raised. raised, changed, cleared: of the last time. case: the case that it
    is about, "" for none. title, detail: in English; said: the same as sentences, where they are not free
    text."""

    id: int
    source: str
    key: str
    matter: str
    group: str
    urgency: Urgency
    state: AlarmState
    title: str
    detail: str
    junction: str
    raised: datetime
    changed: datetime
    count: int
    cleared: datetime | None = None
    acknowledged_by: str = ""
    acknowledged: datetime | None = None
    shelved_until: datetime | None = None
    shelved_by: str = ""
    shelved_why: str = ""
    case: str = ""
    said: list[Sentence] = []


class AlarmTime(msgspec.Struct, frozen=True):
    """One time that an alarm stood. cleared, acknowledged: None where it was not."""

    urgency: Urgency
    raised: datetime
    cleared: datetime | None = None
    acknowledged: datetime | None = None


class AlarmFile(msgspec.Struct, frozen=True):
    """One alarm and the newest 100 times that it stood, newest first."""

    alarm: AlarmView
    times: list[AlarmTime]


class AlarmGroup(msgspec.Struct, frozen=True):
    """Alarms of one matter. id "rest": the least urgent matters, together. urgency: the highest in it.
    junction: at which all of them are, "" for none or several. said: the title of one of them, where it is a
    sentence; of several alarms without its values."""

    id: str
    matter: str
    source: str
    urgency: Urgency
    alarms: int
    unacknowledged: int
    active: int
    junctions: int
    first: datetime
    newest: datetime
    junction: str = ""
    said: list[Sentence] = []


class AlarmList(msgspec.Struct, frozen=True):
    """What an operator looks at. groups: a handful, all standing alarms are in one of them. alarms: a page of
    those of the group that was asked for, or of all. standing, shelved: how many there are. flood: more come
    than one person can follow; rate: raised in the last ten minutes. lost: how many found no room on their
    way here, ever (0 is what it should say)."""

    groups: list[AlarmGroup]
    alarms: list[AlarmView]
    standing: int
    unacknowledged: int
    shelved: int
    flood: bool
    rate: int
    lost: int = 0


class AlarmsChanged(msgspec.Struct, frozen=True):
    """How many alarms were acknowledged, shelved, taken back from the shelf, or cleared by hand."""

    alarms: int
