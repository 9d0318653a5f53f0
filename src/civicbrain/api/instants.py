"""Instants of a window, as they come in a query."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from litestar.params import Parameter

from civicbrain.api.problems import ProblemError

Start = Annotated[
    str, Parameter(schema_extra={"format": "date-time"}, description="first instant, RFC 3339 with its zone")
]
End = Annotated[
    str,
    Parameter(schema_extra={"format": "date-time"}, description="end (exclusive), RFC 3339 with its zone"),
]


def instant(text: str) -> datetime:
    """RFC 3339; a leap second is taken as the second before it, as UTC clocks of computers do. Raises
    ProblemError (400)."""
    try:
        moment = datetime.fromisoformat(text.upper().replace(":60", ":59"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or "T" not in text.upper():
        raise ProblemError(400, "a time does not fit; write it with its zone, e.g. 2026-01-05T08:00:00Z")
    return moment
