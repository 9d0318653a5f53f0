"""Writing the files: closed minutes, hours and days joined from them, and the roll-ups.

DuckDB sorts, compresses and reads; it holds no database of its own: nothing has to be repaired after a kill.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from numpy.typing import NDArray

from civicbrain.runtime.history import layout
from civicbrain.runtime.history.files import whole
from civicbrain.runtime.history.layout import (
    DAY_MIN,
    HOUR_MIN,
    Period,
    Resolution,
    Table,
    covered,
    file_of,
    list_periods,
    table_folder,
    without_covered,
)

SETTLE_MIN = 5
"""An hour or a day is joined so long after its end: a twin that goes back to its last checkpoint (60 s, with
what it takes to come back) then still finds its minutes one by one and writes them again."""

MEMORY_MB = 256
P95 = 0.95


def open_engine(memory_mb: int = MEMORY_MB, scratch: Path | None = None) -> duckdb.DuckDBPyConnection:
    """DuckDB without a database: one thread, bounded memory; what is larger goes through `scratch`."""
    config: dict[str, Any] = {"threads": 1, "memory_limit": f"{memory_mb}MB", "temp_directory": ""}
    if scratch is not None:
        config["temp_directory"] = str(scratch)
    engine = duckdb.connect(":memory:", config=config)
    # nothing but the files that we name: no extension is fetched, no setting changed by what comes later
    for setting in ("autoinstall_known_extensions", "autoload_known_extensions"):
        engine.execute(f"SET {setting} = false")
    engine.execute("SET preserve_insertion_order = false")
    engine.execute("SET lock_configuration = true")
    return engine


def quoted(text: str) -> str:
    """A string of SQL."""
    return "'" + text.replace("'", "''") + "'"


def reading(files: Sequence[Path]) -> str:
    """A table function that reads these files; names are taken as they are, not as patterns."""
    names = ", ".join(quoted(re.sub(r"([*?\[])", r"[\1]", str(file))) for file in files)
    return f"read_parquet([{names}])"


class Storage:
    """Writes one history folder. One writer; `settle` may run in another thread than `write`."""

    def __init__(self, engine: duckdb.DuckDBPyConnection) -> None:
        self._engine = engine

    def write(self, run: Path, resolution: Resolution, table: Table, minute: int,
              columns: Mapping[str, NDArray[Any]], length_min: int = 1) -> int:  # fmt: skip
        """Write the file of one minute (or hour), which replaces what was there; returns its rows. No rows:
        no file, and none stays. Raises duckdb.Error or OSError, with nothing half-written."""
        file = file_of(table_folder(run, resolution, table), Period(minute, length_min))
        count = len(columns[table.key])
        if count == 0:
            file.unlink(missing_ok=True)
            return 0
        time_type = "BIGINT" if table.time == "second" else "INTEGER"
        typed = [f"{table.time}::{time_type} AS {table.time}", f"{table.key}::INTEGER AS {table.key}"]
        typed += [f"{column.name}::{column.type} AS {column.name}" for column in table.columns]
        with self._engine.cursor() as cursor:
            cursor.register("chunk", dict(columns))
            query = f"SELECT {', '.join(typed)} FROM chunk ORDER BY {table.key}, {table.time}"  # noqa: S608
            self._copy(cursor, query, file)
        return count

    def settle(self, run: Path, newest_min: float = math.inf) -> int:
        """Join and roll up what is closed, newest_min being the newest minute; returns how many files were
        written. What was joined before is taken away now: a query may still have been reading it."""
        for _, _, folder in layout.each_table(run):
            for period in covered(list_periods(folder)):
                file_of(folder, period).unlink(missing_ok=True)
        written = 0
        settled_min = newest_min - SETTLE_MIN
        for resolution in (Resolution.SECOND, Resolution.MINUTE):
            for table in layout.tables_of(resolution):
                if table.longest_min >= HOUR_MIN:
                    written += self._join(run, resolution, table, HOUR_MIN, settled_min)
        for table in layout.MINUTE_TABLES:
            written += self._roll_up(run, table)
            # minutes last: a reader takes them where no roll-up covers them
            for resolution in (*layout.ROLLED, Resolution.MINUTE):
                written += self._join(run, resolution, table, DAY_MIN, settled_min)
        return written

    def _join(
        self, run: Path, resolution: Resolution, table: Table, length_min: int, settled_min: float
    ) -> int:
        folder = table_folder(run, resolution, table)
        parts: dict[Period, list[Path]] = defaultdict(list)
        for period in without_covered(list_periods(folder)):
            if period.length_min < length_min:
                parts[Period.around(period.start_min, length_min)].append(file_of(folder, period))
        written = 0
        for whole_period, files in parts.items():
            if whole_period.end_min <= settled_min:
                query = f"SELECT * FROM {reading(files)} ORDER BY {table.key}, {table.time}"  # noqa: S608
                with self._engine.cursor() as cursor:
                    self._copy(cursor, query, file_of(folder, whole_period))
                written += 1
        return written

    def _roll_up(self, run: Path, table: Table) -> int:
        """Every closed hour of minutes that has no file yet in 15 minutes and hours."""
        source = table_folder(run, Resolution.MINUTE, table)
        written = 0
        for resolution in layout.ROLLED:
            target = table_folder(run, resolution, table)
            done = list_periods(target)
            for hour in without_covered(list_periods(source)):
                if hour.length_min == HOUR_MIN and not any(period.covers(hour) for period in done):
                    with self._engine.cursor() as cursor:
                        query = rolled(table, reading([file_of(source, hour)]), resolution)
                        self._copy(cursor, query, file_of(target, hour))
                    written += 1
        return written

    def _copy(self, cursor: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
        with whole(file) as part:
            cursor.execute(f"COPY ({query}) TO {quoted(str(part))} (FORMAT parquet, COMPRESSION zstd)")


def rolled(table: Table, source: str, resolution: Resolution) -> str:
    """SQL that rolls minute rows up. p95 becomes the 95th percentile (nearest rank) of its minutes' p95."""
    step_min = resolution.seconds // 60
    bucket = f"(minute - minute % {step_min})"
    columns = ", ".join(f"{over(column.over_time, column.name)}::{column.type} AS {column.name}"
                        for column in table.columns)  # fmt: skip
    return (
        f"SELECT {bucket}::INTEGER AS minute, {table.key}, {columns} FROM {source} "  # noqa: S608
        f"GROUP BY ALL ORDER BY {table.key}, minute"
    )


def over(how: str, expression: str) -> str:
    """SQL that brings rows of one entity together."""
    if how == "p95":
        return f"quantile_disc({expression}, {P95})"
    return f"{how}({expression})"


def retried(ask: Callable[[], Any], times: int = 3) -> Any:
    """Ask again when files were joined and taken away between listing and reading them."""
    for _ in range(times - 1):
        with contextlib.suppress(duckdb.IOException):
            return ask()
    return ask()
