"""What stands where in a history folder, and how one finds the files of a window.

    history/
      entities.json                     names of the numbers that stand in the files
      runs/000001/run.json              one a stretch of time that never goes back
      runs/000001/1min/junction/        2026-01-05.parquet         a closed day
                                        2026-01-06T08.parquet      an hour of the day that goes on
                                        2026-01-06T09-15.parquet   a minute of the hour that goes on
      runs/000001/15min/…  1h/…         the same tables, rolled up
      runs/000001/1s/signals/ vehicles/ raw seconds, kept for a short time

Names are in UTC. `minute` and `second` in the files count from 1970-01-01T00:00Z. A file that a longer one
covers holds nothing new and is passed over, so joining files is safe against a kill at any moment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

HOUR_MIN, DAY_MIN = 60, 1440
SUFFIX = ".parquet"
RUNS = "runs"


class Resolution(StrEnum):
    """The steps in which history is kept."""

    SECOND = "1s"
    MINUTE = "1min"
    QUARTER = "15min"
    HOUR = "1h"

    @property
    def seconds(self) -> int:
        return {"1s": 1, "1min": 60, "15min": 900, "1h": 3600}[self.value]


ROLLED = (Resolution.QUARTER, Resolution.HOUR)


@dataclass(frozen=True)
class Column:
    """type: of DuckDB. over_time: how it is rolled up: sum, max, min or p95 (of what the finer rows hold)."""

    name: str
    type: str
    over_time: str = "sum"


@dataclass(frozen=True)
class Table:
    """key: the column that numbers the entities. time: the column of time, in minutes (seconds in `1s`).
    longest_min: length of the longest files that its files are joined to."""

    name: str
    key: str
    columns: tuple[Column, ...]
    time: str = "minute"
    longest_min: int = DAY_MIN


TRAFFIC = (
    Column("samples", "UINTEGER"),  # seconds in which it was seen
    Column("vehicle_s", "UINTEGER"),  # vehicles, added up over these seconds
    Column("queued_s", "UINTEGER"),  # of them queued
    Column("queue_max", "USMALLINT", "max"),
    Column("queue_p95", "USMALLINT", "p95"),
    Column("travelled_m", "UBIGINT"),  # speeds, added up over vehicles and seconds
    Column("served_veh", "UINTEGER"),  # vehicles that crossed the stop line
    Column("covered_m_s", "UBIGINT"),  # metres of lane under vehicles, added up over the seconds
    Column("seen_m_s", "UBIGINT"),  # metres of lane in view, added up over the seconds
)
SIGNALS = (
    Column("signal_s", "UINTEGER"),  # seconds in which the controller was known
    Column("central_s", "UINTEGER"),  # of them under the centre
    Column("local_s", "UINTEGER"),  # in the local plan
    Column("override_s", "UINTEGER"),  # held by an operator or by priority
    Column("stage_changes", "UINTEGER"),
)
JUNCTION = Table("junction", "junction", TRAFFIC + SIGNALS)
LANE = Table("lane", "lane", TRAFFIC)
SERIES = Table(
    "series",
    "series",
    (
        Column("samples", "UINTEGER"),
        Column("total", "DOUBLE"),
        Column("highest", "DOUBLE", "max"),
        Column("lowest", "DOUBLE", "min"),
    ),
)
MINUTE_TABLES = (JUNCTION, LANE, SERIES)

SECOND_SIGNALS = Table(
    "signals",
    "junction",
    (
        Column("stage", "SMALLINT"),
        Column("mode", "UTINYINT"),
        Column("queue", "USMALLINT"),
        Column("lamps", "VARCHAR"),
    ),
    time="second",
    longest_min=HOUR_MIN,
)
SECOND_VEHICLES = Table(
    "vehicles",
    "lane",
    (
        Column("distance_m", "USMALLINT"),  # to the stop line, whole metres
        Column("speed_dmps", "USMALLINT"),  # tenths of m/s
        Column("vehicle_class", "UTINYINT"),
    ),
    time="second",
    longest_min=1,  # a retention of minutes needs files of minutes
)
SECOND_TABLES = (SECOND_SIGNALS, SECOND_VEHICLES)

WHOLE_CITY = 0
"""The number of the junction rows that stand for all junctions together."""

_FORMATS = {DAY_MIN: "%Y-%m-%d", HOUR_MIN: "%Y-%m-%dT%H", 1: "%Y-%m-%dT%H-%M"}
_NAME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d(-\d\d)?)?")


@dataclass(frozen=True, order=True)
class Period:
    """A day, an hour or a minute. start_min: minutes since 1970."""

    start_min: int
    length_min: int

    @property
    def end_min(self) -> int:
        return self.start_min + self.length_min

    @property
    def name(self) -> str:
        return datetime.fromtimestamp(self.start_min * 60, UTC).strftime(_FORMATS[self.length_min])

    def covers(self, other: Period) -> bool:
        return self.start_min <= other.start_min and other.end_min <= self.end_min

    @staticmethod
    def around(minute: int, length_min: int) -> Period:
        """The period of that length that holds the minute."""
        return Period(minute - minute % length_min, length_min)

    @staticmethod
    def find(name: str) -> Period | None:
        """The period of a file's name without suffix, None where it is none of ours."""
        if not _NAME.fullmatch(name):
            return None
        length_min = {10: DAY_MIN, 13: HOUR_MIN, 16: 1}[len(name)]
        try:
            start = datetime.strptime(name, _FORMATS[length_min]).replace(tzinfo=UTC)
        except ValueError:
            return None
        return Period(int(start.timestamp()) // 60, length_min)


def table_folder(run: Path, resolution: Resolution, table: Table) -> Path:
    return run / resolution.value / table.name


def file_of(folder: Path, period: Period) -> Path:
    return folder / (period.name + SUFFIX)


def list_periods(folder: Path) -> list[Period]:
    """Periods of all files of a table, in order, covered ones included; [] where there is no such folder."""
    try:
        names = [file.stem for file in folder.iterdir() if file.suffix == SUFFIX]
    except FileNotFoundError:
        return []
    return sorted(period for name in names if (period := Period.find(name)) is not None)


def without_covered(periods: Iterable[Period]) -> list[Period]:
    """Those that no longer one covers, in order."""
    kept: list[Period] = []
    for period in sorted(periods, key=lambda p: (p.start_min, -p.length_min)):
        if not (kept and kept[-1].covers(period)):
            kept.append(period)
    return kept


def covered(periods: Iterable[Period]) -> list[Period]:
    """Those whose content stands in a longer one."""
    every = list(periods)
    kept = set(without_covered(every))
    return [period for period in every if period not in kept]


def list_runs(folder: Path) -> list[Path]:
    """Folders of all runs, oldest first."""
    try:
        found = [run for run in (folder / RUNS).iterdir() if run.name.isdigit() and run.is_dir()]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda run: int(run.name))


def tables_of(resolution: Resolution) -> tuple[Table, ...]:
    return SECOND_TABLES if resolution is Resolution.SECOND else MINUTE_TABLES


def each_table(run: Path) -> Iterator[tuple[Resolution, Table, Path]]:
    """Every resolution and table with its folder, whether it exists or not."""
    for resolution in Resolution:
        for table in tables_of(resolution):
            yield resolution, table, table_folder(run, resolution, table)
