"""Rows of the history as Parquet files for other programs: with ids and instants instead of our numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.core.errors import ConfigurationError, HistoryError
from civicbrain.core.time import require_aware
from civicbrain.runtime.history.files import whole
from civicbrain.runtime.history.layout import Resolution, Table, tables_of
from civicbrain.runtime.history.names import Names
from civicbrain.runtime.history.queries import History
from civicbrain.runtime.history.storage import quoted, reading, retried


def export_parquet(
    history: History, out: Path, table: str, resolution: str, start: datetime, end: datetime, run: int = 0
) -> list[tuple[Path, int]]:
    """Write [start, end) of a table to out/TABLE-RESOLUTION-DAY.parquet, a file a day (UTC); returns the
    files with their rows. Raises ConfigurationError, HistoryError; no file is left half-written."""
    kind, source = _table(table, resolution)
    names = Names.read(history.folder)
    folder = history.run(run)
    start, end = require_aware(start).astimezone(UTC), require_aware(end).astimezone(UTC)
    if not start < end:
        raise ConfigurationError("the window is empty", remedy="give an end that is later than the start")
    written = []
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end:
        low, high = max(start, day), min(end, day + timedelta(days=1))
        file = out / f"{table}-{resolution}-{day:%Y-%m-%d}.parquet"
        ask = partial(_day, history, names, folder, source, kind, low, high, file)
        rows = retried(ask)
        if rows:
            written.append((file, rows))
        day += timedelta(days=1)
    if not written:
        raise HistoryError(
            f"nothing of {table} is kept by {resolution} in that window",
            remedy="`civicbrain history what` says what is kept",
        )
    return written


def _table(name: str, resolution: str) -> tuple[Resolution, Table]:
    try:
        kind = Resolution(resolution)
    except ValueError as error:
        raise ConfigurationError(
            f"no resolution {resolution[:20]!r}", remedy=f"use {', '.join(Resolution)}"
        ) from error
    tables = {table.name: table for table in tables_of(kind)}
    if name not in tables:
        raise ConfigurationError(f"no table {name[:20]!r} by {kind}", remedy=f"use {' or '.join(tables)}")
    return kind, tables[name]


def _day(history: History, names: Names, run: Path, table: Table, resolution: Resolution, start: datetime,
         end: datetime, file: Path) -> int:  # fmt: skip
    sources = history.sources(run, resolution, table, start.timestamp(), end.timestamp())
    files = [path for source in sources if source.resolution is resolution for path in source.files]
    if not files:
        return 0
    unit_s = 1 if table.time == "second" else 60
    low, high = start.timestamp() / unit_s, end.timestamp() / unit_s
    ids, columns = _ids(names, table)
    kept = ", ".join(column.name for column in table.columns)
    source = f"FROM {reading(files)} AS rows WHERE {table.time} >= {low} AND {table.time} < {high}"
    with history.cursor() as cursor:
        [(count,)] = cursor.execute(f"SELECT count(*) {source}").fetchall()
        if not count:
            return 0
        cursor.register("ids", ids)
        query = (
            f"SELECT to_timestamp({table.time} * {unit_s}) AS time, {columns}, {kept} "  # noqa: S608
            f"FROM (SELECT * {source}) AS rows JOIN ids ON rows.{table.key} = ids.number "
            f"ORDER BY rows.{table.key}, {table.time}"
        )
        with whole(file) as part:
            cursor.execute(f"COPY ({query}) TO {quoted(str(part))} (FORMAT parquet, COMPRESSION zstd)")
    return int(count)


def _ids(names: Names, table: Table) -> tuple[dict[str, NDArray[Any]], str]:
    """The names by number, and SQL of the columns that take a number's place."""
    if table.key == "series":
        columns = {
            key: np.array([one[place] for one in names.series], object)
            for place, key in enumerate(("source", "entity", "property", "unit"))
        }
        return {"number": np.arange(len(names.series)), **columns}, "source, entity, property, unit"
    known = names.junction if table.key == "junction" else names.lane
    return (
        {"number": np.arange(len(known)), "id": np.array(known, object)},
        f"ids.id AS {table.key}",
    )
