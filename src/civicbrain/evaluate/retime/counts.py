"""Observed counts: vehicles per turn (edge to edge at a signal junction) and interval.

The form on disk is a CSV file with a header, one row an interval and turn:

    begin_s,end_s,junction,from_edge,to_edge,vehicles
    25200,25500,360082,-32038056#3,32038051#0,42

begin_s, end_s: seconds of the city's clock (its `epoch`), the same intervals for every turn, not overlapping;
a turn without a row in an interval had no vehicles. vehicles: a number, 0 or more (a mean of several days may
have decimals). junction: for people, and checked. Turns that are nowhere counted carry no traffic.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from civicbrain.brains.signals.plans.flows import Turn, list_turns
from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.core.errors import ConfigurationError, TwinError

COLUMNS = ("begin_s", "end_s", "junction", "from_edge", "to_edge", "vehicles")
MAX_ROWS = 5_000_000
INTERVAL_S = 300.0
_REMEDY = "see docs/how-to/retime.md for the form"


@dataclass(frozen=True, eq=False)
class Counts:
    """i intervals, t turns. source: who counted, for people. vehicles: (i, t)."""

    source: str
    begin_s: F64  # (i,)
    end_s: F64  # (i,)
    turns: tuple[Turn, ...]
    vehicles: F64

    def flows(self, first: int, last: int) -> dict[Turn, float]:
        """Mean veh/s of each turn over the intervals first … last − 1."""
        span_s = float((self.end_s[first:last] - self.begin_s[first:last]).sum())
        means = self.vehicles[first:last].sum(axis=0) / span_s
        return dict(zip(self.turns, means.tolist(), strict=True))


def read_counts(path: Path, city: City) -> Counts:
    """Read a CSV file. Raises ConfigurationError with the line that is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            "not UTF-8 text", place=str(path), remedy="save the counts as UTF-8"
        ) from error
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing and ";" in (text.splitlines() or [""])[0]:
        raise ConfigurationError(
            "the columns are separated by semicolons", place=f"{path}, line 1",
            remedy="save the counts with commas between columns and points in decimals",
        )  # fmt: skip
    if missing:
        raise ConfigurationError(
            f"the column {missing[0]!r} is missing", place=f"{path}, line 1",
            remedy=f"the header is {','.join(COLUMNS)}; {_REMEDY}",
        )  # fmt: skip
    known = _junction_of_turn(city)
    edge_row = city.network.edges.row
    found: dict[tuple[float, float, Turn], float] = {}
    for number, row in enumerate(reader, start=2):
        place = f"{path}, line {reader.line_num}"
        if number > MAX_ROWS:
            raise ConfigurationError(f"more than {MAX_ROWS} rows", place=str(path), remedy="split the file")
        begin_s, end_s, vehicles = (_number(row, name, place) for name in ("begin_s", "end_s", "vehicles"))
        if end_s <= begin_s:
            raise ConfigurationError(
                f"the interval from {begin_s:g} s to {end_s:g} s is empty",
                place=place,
                remedy="end_s is later",
            )
        if vehicles < 0.0:
            raise ConfigurationError(f"{vehicles:g} vehicles", place=place, remedy="counts are 0 or more")
        edges = [edge_row.get(row[name] or "", -1) for name in ("from_edge", "to_edge")]
        for name, edge in zip(("from_edge", "to_edge"), edges, strict=True):
            if edge < 0:
                raise ConfigurationError(
                    f"the city has no edge {str(row[name])[:60]!r}", place=place,
                    remedy="edges are named as in the city's network (`civicbrain city show CITY --lanes`)",
                )  # fmt: skip
        turn = edges[0], edges[1]
        if turn not in known:
            raise ConfigurationError(
                f"no signal controls the turn from {row['from_edge']!r} to {row['to_edge']!r}", place=place,
                remedy="leave it out: only turns at signal junctions are counted",
            )  # fmt: skip
        if row["junction"] not in known[turn]:
            raise ConfigurationError(
                f"that turn is at junction {sorted(known[turn])[0]!r}, not {str(row['junction'])[:60]!r}",
                place=place, remedy="correct the junction or the edges",
            )  # fmt: skip
        key = begin_s, end_s, turn
        if key in found:
            raise ConfigurationError(
                "this interval and turn stand there twice", place=place, remedy="remove one"
            )
        found[key] = vehicles
    if not found:
        raise ConfigurationError("no counts", place=str(path), remedy=_REMEDY)
    return _fold(f"counts in {path.name}", found, str(path), tuple(list_turns(city)))


def _fold(
    source: str, found: dict[tuple[float, float, Turn], float], place: str, turns: tuple[Turn, ...]
) -> Counts:
    intervals = sorted({(begin_s, end_s) for begin_s, end_s, _ in found})
    for (_, end_s), (begin_s, _) in pairwise(intervals):
        if begin_s < end_s:
            raise ConfigurationError(
                f"intervals overlap: one begins at {begin_s:g} s, before the one before ends at {end_s:g} s",
                place=place, remedy="count all turns in the same intervals",
            )  # fmt: skip
    vehicles = np.zeros((len(intervals), len(turns)))
    row_of = {interval: row for row, interval in enumerate(intervals)}
    column_of = {turn: column for column, turn in enumerate(turns)}
    for (begin_s, end_s, turn), count in found.items():
        vehicles[row_of[begin_s, end_s], column_of[turn]] = count
    return Counts(
        source, np.array([b for b, _ in intervals]), np.array([e for _, e in intervals]), turns, vehicles
    )


def _number(row: dict[str, str], name: str, place: str) -> float:
    try:
        value = float(row[name])
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ConfigurationError(f"{name} {str(row[name])[:40]!r} is no number", place=place, remedy=_REMEDY)
    return value


def write_counts(counts: Counts, city: City) -> bytes:
    """The CSV form; turns that were never used are left out."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    junction_of = _junction_of_turn(city)
    edges = city.network.edges.ids
    used = np.flatnonzero(counts.vehicles.sum(axis=0) > 0.0)
    for row in range(len(counts.begin_s)):
        for column in used.tolist():
            turn = counts.turns[column]
            junction = sorted(junction_of[turn])[0]
            span = f"{counts.begin_s[row]:g}", f"{counts.end_s[row]:g}"
            vehicles = f"{counts.vehicles[row, column]:g}"
            writer.writerow([*span, junction, edges[turn[0]], edges[turn[1]], vehicles])
    return out.getvalue().encode()


def _junction_of_turn(city: City) -> dict[Turn, set[str]]:
    moves, edge = city.network.movements, city.network.lanes.edge
    found: dict[Turn, set[str]] = {}
    for row in city.signalled_movements.tolist():
        turn = int(edge[moves.from_lane[row]]), int(edge[moves.to_lane[row]])
        found.setdefault(turn, set()).add(city.junctions[int(moves.junction[row])].id)
    return found


def read_passages(files: Sequence[Path], city: City, begin_s: float, end_s: float, source: str) -> Counts:
    """Counts from the routes that SUMO writes with exit times (`vehroute-output.exit-times`): a vehicle is
    counted when it leaves its approach edge, as a camera at the stop line counts it. The mean of the files
    (one a seed); intervals of 5 min, the last one shorter. Raises TwinError."""
    turns = tuple(list_turns(city))
    wanted = set(turns)
    edge_row = city.network.edges.row
    starts = np.arange(begin_s, end_s, INTERVAL_S)
    ends = np.minimum(starts + INTERVAL_S, end_s)
    seen: Counter[tuple[int, Turn]] = Counter()
    for file in files:
        try:
            for _, element in ElementTree.iterparse(file):  # noqa: S314  (SUMO wrote it a moment ago)
                if element.tag != "vehicle":
                    continue
                route = element.find("route")
                routes = element.findall("routeDistribution/route") if route is None else [route]
                for one in routes[-1:]:
                    edges = [edge_row.get(name, -1) for name in one.get("edges", "").split()]
                    times = [float(text) for text in one.get("exitTimes", "").split()]
                    for here, onward, time_s in zip(edges, edges[1:], times, strict=False):
                        if begin_s <= time_s < end_s and (here, onward) in wanted:
                            seen[int((time_s - begin_s) // INTERVAL_S), (here, onward)] += 1
                element.clear()
        except (OSError, ElementTree.ParseError, ValueError) as error:
            raise TwinError(
                f"SUMO's record of the routes is broken ({error})", place=str(file),
                remedy="see whether the disk is full, then run again",
            ) from error  # fmt: skip
    vehicles = np.zeros((len(starts), len(turns)))
    column_of = {turn: column for column, turn in enumerate(turns)}
    for (row, turn), count in seen.items():
        vehicles[row, column_of[turn]] = count / max(len(files), 1)
    return Counts(source, starts, ends, turns, vehicles)
