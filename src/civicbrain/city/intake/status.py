"""How each source does, for people."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from civicbrain.city.intake.intake import Intake
from civicbrain.city.network import Bool
from civicbrain.core.errors import ConfigurationError

CHOICES = ("all", "silent", "dropping")


class SourceStatus(msgspec.Struct, frozen=True):
    """age_s: since its newest frame, None where it was never heard. dropped: by reason. lanes: ids in the
    order in which the source names them; () in lists."""

    id: str
    junction: str
    age_s: float | None
    frames: int
    rows: int
    shed_rows: int
    dropped: dict[str, int]
    lanes: tuple[str, ...] = ()


class SourcePage(msgspec.Struct, frozen=True):
    """Some sources in the city's order; count: of all that fit the choice."""

    sources: tuple[SourceStatus, ...]
    count: int


def get_source_status(intake: Intake, name: str, now_s: float) -> SourceStatus:
    """One source with its lanes. Raises NotFoundError."""
    row = intake.sources.get_source(name)
    return _status(intake, row, now_s, tuple(intake.sources.lane_ids(row)))


def list_source_statuses(intake: Intake, choice: str, offset: int, limit: int, now_s: float) -> SourcePage:
    """choice: "all", "silent" (no frame in 10 s), or "dropping" (something was dropped or shed). Raises
    ConfigurationError."""
    counts = intake.counts
    fits: Bool
    if choice == "silent":
        fits = counts.heard_s < now_s - intake.limits.max_age_s
    elif choice == "dropping":
        fits = np.asarray(counts.dropped.any(axis=0))
    elif choice in ("all", ""):
        fits = np.ones(len(counts.frames), np.bool_)
    else:
        raise ConfigurationError(f"no choice {choice[:40]!r}", remedy="use " + ", ".join(CHOICES))
    rows = np.flatnonzero(fits)
    chosen = rows[max(0, offset) : max(0, offset) + max(0, limit)].tolist()
    return SourcePage(tuple(_status(intake, row, now_s) for row in chosen), len(rows))


def _status(intake: Intake, row: int, now_s: float, lanes: tuple[str, ...] = ()) -> SourceStatus:
    sources, counts = intake.sources, intake.counts
    age_s = now_s - float(counts.heard_s[row])
    return SourceStatus(
        id=sources.ids[row],
        junction=sources.city.junctions[int(sources.junction[sources.view[row]])].id,
        age_s=round(max(0.0, age_s), 3) if math.isfinite(age_s) else None,
        frames=int(counts.frames[row]),
        rows=int(counts.rows[row]),
        shed_rows=int(counts.shed_rows[row]),
        dropped=counts.of_source(row),
        lanes=lanes,
    )
