"""What the API says of the past, as types (see `models.py`)."""

from __future__ import annotations

from msgspec import Struct

from civicbrain.runtime.history.question import Answer
from civicbrain.runtime.history.wire import Catalogue


class HistoryCatalogue(Catalogue, frozen=True):
    """What history can be asked. series: at most 5,000 of series_count."""


class HistoryAnswer(Answer, frozen=True, kw_only=True):
    """One list an id (a single "" for all together), one entry a step from `start` on; null: nothing was
    observed. highest, p95: of one junction or lane, the largest where there are several; empty where the
    indicator has none. observed: how many of `asked` had data."""


class HistoryHealth(Struct, frozen=True):
    """The history process. time_s: newest second it has. failed: files that could not be written, last_error:
    why, empty while all is well. shed: what found no room on its way there, by source."""

    answering: bool
    age_s: float | None
    run: int = 0
    time_s: float | None = None
    minutes: int = 0
    rows: int = 0
    disk_bytes: int = 0
    observations: int = 0
    late: int = 0
    failed: int = 0
    last_error: str = ""
    shed: dict[str, int] = {}
