"""How the cases process does, as `/v1/health` says it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class CasesHealth(Struct, frozen=True):
    """The cases process. to_do: open cases, and alarms not acknowledged that are about none of them. waiting,
    dead: notices. last_error: why nothing can be written, empty while all is well. changes: counts what was
    written: another figure, and lists are worth reading again. at: the server's clock, where it is told on
    the stream."""

    answering: bool
    age_s: float | None
    open_cases: int = 0
    late_cases: int = 0
    standing_alarms: int = 0
    unacknowledged: int = 0
    waiting: int = 0
    dead: int = 0
    last_error: str = ""
    changes: int = 0
    to_do: int = 0
    at: datetime | None = None
