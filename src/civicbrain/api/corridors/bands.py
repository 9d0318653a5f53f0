"""Green bands: when a vehicle that keeps the progression speed meets green at every stop line.

Bandwidth is the width of that window of time, efficiency its share of the cycle, attainability its share of
the shortest green (Little, Kelson and Gartner 1981, MAXBAND, Transportation Research Record 795). They are
defined for plans that repeat; here they are taken from greens as they were, so each band has a width of its
own and the bandwidth is the mean over the cycles that were seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from statistics import median

Interval = tuple[float, float]
Timeline = Sequence[tuple[float, float, str]]
"""(start_s, end_s, state), in order, without overlaps; what is missing is not known. state: "green",
"yellow", "red"."""

LEAST_BAND_S = 1.0


@dataclass(frozen=True)
class Bands:
    """bands: at the first stop line, seconds. bandwidth_s: mean width over the cycles seen. cycle_s: median
    of the stop lines' mean cycles. efficiency: share of the cycle; attainability: share of the shortest
    mean green. None where not enough was seen."""

    bands: tuple[Interval, ...]
    bandwidth_s: float | None
    cycle_s: float | None
    efficiency: float | None
    attainability: float | None


def greens_of(timeline: Timeline) -> list[Interval]:
    """Intervals of green, joined where they touch."""
    greens: list[Interval] = []
    for start, end, state in timeline:
        if state != "green":
            continue
        if greens and greens[-1][1] == start:
            greens[-1] = (greens[-1][0], end)
        else:
            greens.append((start, end))
    return greens


def known_of(timeline: Timeline) -> list[Interval]:
    """Intervals in which anything is known."""
    return greens_of([(start, end, "green") for start, end, _ in timeline])


def cycle_of(timeline: Timeline) -> float | None:
    """Mean time from one start of green to the next, s; None below two starts that were seen."""
    starts = [
        start
        for (start, _, state), (_, before_end, before) in zip(timeline[1:], timeline[:-1], strict=True)
        if state == "green" and before != "green" and start == before_end
    ]
    return (starts[-1] - starts[0]) / (len(starts) - 1) if len(starts) >= 2 else None


def intersect(a: Sequence[Interval], b: Sequence[Interval]) -> list[Interval]:
    """Where both hold."""
    found: list[Interval] = []
    i = k = 0
    while i < len(a) and k < len(b):
        start, end = max(a[i][0], b[k][0]), min(a[i][1], b[k][1])
        if start < end:
            found.append((start, end))
        if a[i][1] < b[k][1]:
            i += 1
        else:
            k += 1
    return found


def bands_of(timelines: Sequence[Timeline], travel_s: Sequence[float]) -> Bands:
    """timelines: one a stop line; travel_s: from the first stop line to each."""
    open_: list[Interval] | None = None
    seen: list[Interval] | None = None
    for timeline, travel in zip(timelines, travel_s, strict=True):
        greens = [(start - travel, end - travel) for start, end in greens_of(timeline)]
        known = [(start - travel, end - travel) for start, end in known_of(timeline)]
        open_ = greens if open_ is None else intersect(open_, greens)
        seen = known if seen is None else intersect(seen, known)
    bands = [band for band in open_ or [] if band[1] - band[0] >= LEAST_BAND_S]
    seen_s = sum(end - start for start, end in seen or [])
    cycles = [cycle for timeline in timelines if (cycle := cycle_of(timeline)) is not None]
    if not cycles or seen_s <= 0 or len(cycles) < len(timelines):
        return Bands(tuple(bands), None, None, None, None)
    cycle_s = median(cycles)
    # a whole number of cycles, up to the newest: a cut one has more or less than its share of green
    whole_s = seen_s - seen_s % cycle_s if len(seen or []) == 1 and seen_s >= cycle_s else seen_s
    from_s = (seen or [])[-1][1] - whole_s if whole_s < seen_s else -inf
    counted = intersect(bands, [(from_s, inf)])
    efficiency = sum(end - start for start, end in counted) / whole_s
    bandwidth_s = efficiency * cycle_s
    shares = [
        sum(end - start for start, end in greens_of(timeline))
        / sum(end - start for start, end in known_of(timeline))
        for timeline in timelines
    ]
    attainability = efficiency / min(shares) if min(shares) > 0 else None
    return Bands(tuple(bands), bandwidth_s, cycle_s, efficiency, attainability)
