"""What the cases process is told and asked, and what it says of itself. Sockets as in `contracts/wire.py`:

cases.in   ROUTER  Delivery (from the brain process) -> Taken
cases.cmd  ROUTER  BrainCommand (its actions stand in `commands.py`) -> Reply
cases.pub  PUB     b"cases" CasesStatus, once a wall second and soon after a change; b"report"
                   IncidentReport, for the brain
"""

from __future__ import annotations

import msgspec

from civicbrain.city.incidents import Incident
from civicbrain.contracts.brain import Alert

STATUS_TOPIC, REPORT_TOPIC = b"cases", b"report"


class IncidentSaid(msgspec.Struct, frozen=True, tag="incident"):
    """A word of the loop on an incident. now_s: platform second, at_s: unix second when it was said."""

    session: str
    incident: Incident
    now_s: float
    at_s: float


class AlertSaid(msgspec.Struct, frozen=True, tag="alert"):
    session: str
    alert: Alert
    at_s: float


class AlertOver(msgspec.Struct, frozen=True, tag="over"):
    """Its brain says it no more."""

    source: str
    key: str
    at_s: float


Word = IncidentSaid | AlertSaid | AlertOver


class Delivery(msgspec.Struct, frozen=True):
    """Words in order; sent again until they are taken. sender: one life of the brain process; session: that,
    and how often time went back in it (incidents are named anew then). first: number of the first word in
    that life. time_s: the platform's clock. lost: words that found no room, in that life."""

    sender: str
    session: str
    first: int
    words: tuple[Word, ...]
    time_s: float
    lost: int = 0


class Taken(msgspec.Struct, frozen=True):
    """newest: number of the last word that is on the disk."""

    sender: str
    newest: int


class CasesStatus(msgspec.Struct, frozen=True):
    """How it does. to_do: open cases, and alarms that nobody has noted and that are about none of them.
    waiting, dead: notices. last_error: why nothing can be written, "" while all is well.
    changes: counts what was written since the process started: another figure, another picture."""

    open_cases: int
    late_cases: int
    standing_alarms: int
    unacknowledged: int
    waiting: int
    dead: int
    words: int
    last_error: str = ""
    changes: int = 0
    to_do: int = 0
