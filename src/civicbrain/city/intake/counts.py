"""What was let in and what was not, by source and reason. Each (source, reason) is logged once."""

from __future__ import annotations

import logging
import math
from collections import Counter
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.network import F64, I32

I64 = NDArray[np.int64]


class Reason(StrEnum):
    """Why something was dropped, and what is counted."""

    MALFORMED = "malformed"  # messages
    TOO_LARGE = "too-large"  # messages
    BAD_UNIT = "bad-unit"  # messages
    UNAUTHENTICATED = "unauthenticated"  # messages
    UNKNOWN_SOURCE = "unknown-source"  # frames
    FUTURE = "future"  # frames
    TOO_OLD = "too-old"  # frames
    OUT_OF_ORDER = "out-of-order"  # frames not newer than the source's last, so doubled ones too
    SHED = "shed"  # frames that made room for newer ones of their source
    BAD_ROW = "bad-row"  # rows: not a number, negative, too fast, too far
    UNKNOWN_LANE = "unknown-lane"  # rows


REASONS = tuple(Reason)
_ROW = {reason: row for row, reason in enumerate(REASONS)}
MOST_STRANGERS_LOGGED = 20

_log = logging.getLogger("civicbrain.city.intake")


class Counts:
    """Counters, one column a source (s). strangers: reason -> count where no known source can be blamed."""

    def __init__(self, ids: tuple[str, ...]) -> None:
        self._ids = ids
        self.frames: I64 = np.zeros(len(ids), np.int64)
        self.rows: I64 = np.zeros(len(ids), np.int64)
        self.shed_rows: I64 = np.zeros(len(ids), np.int64)
        self.dropped: I64 = np.zeros((len(REASONS), len(ids)), np.int64)
        self.heard_s: F64 = np.full(len(ids), -math.inf)  # platform second of the newest frame let in
        self.strangers: Counter[Reason] = Counter()
        self._named = 0

    def drop(self, reason: Reason, sources: I32) -> None:
        """Count a drop of each of these source rows."""
        if not len(sources):
            return
        before = self.dropped[_ROW[reason]]
        added = np.bincount(sources, minlength=len(self._ids))
        if reason is not Reason.SHED:  # that is a state of the whole, logged when it begins and ends
            for row in np.flatnonzero((before == 0) & (added > 0)).tolist():
                self._warn(self._ids[row], reason, "")
        self.dropped[_ROW[reason]] = before + added

    def stranger(self, reason: Reason, name: str, detail: str = "", count: int = 1) -> None:
        """Count what cannot be laid at a known source's door. name: what it called itself, or its carrier."""
        self.strangers[reason] += count
        if self._named < MOST_STRANGERS_LOGGED:  # names come from outside: no end of them
            self._named += 1
            self._warn(name, reason, detail)

    def take(self, sources: I32, rows: I32, time_s: F64) -> None:
        """Count frames that were let in."""
        count = len(self._ids)
        self.frames += np.bincount(sources, minlength=count)
        self.rows += np.bincount(sources, rows, count).astype(np.int64)
        np.maximum.at(self.heard_s, sources, time_s)

    def total(self, reason: Reason) -> int:
        return int(self.dropped[_ROW[reason]].sum()) + self.strangers[reason]

    def totals(self) -> dict[str, int]:
        """reason -> count, of those that happened."""
        return {str(reason): count for reason in REASONS if (count := self.total(reason))}

    def of_source(self, row: int) -> dict[str, int]:
        """reason -> count of one source, of those that happened."""
        column = self.dropped[:, row].tolist()
        return {str(reason): count for reason, count in zip(REASONS, column, strict=True) if count}

    def _warn(self, name: str, reason: Reason, detail: str) -> None:
        _log.warning(
            "source %r: dropped (%s)%s; counted from here on, logged once",
            name[:80], reason, f": {detail}" if detail else "",
        )  # fmt: skip
