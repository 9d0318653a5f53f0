"""Moments of the past, second by second, from the raw files: for a map that shows them again."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.model import City
from civicbrain.contracts.wire import pack_array
from civicbrain.core.errors import ConfigurationError
from civicbrain.core.time import require_aware
from civicbrain.runtime.history.layout import SECOND_SIGNALS, SECOND_VEHICLES, Resolution, Table
from civicbrain.runtime.history.names import Names
from civicbrain.runtime.history.queries import History
from civicbrain.runtime.history.seconds import SPEED_STEPS_PER_MPS, UNKNOWN_QUEUE
from civicbrain.runtime.history.storage import reading, retried
from civicbrain.runtime.history.wire import Moment, Moments

MOST_SECONDS = 60
"""Of one answer: at 1,300 junctions and 20,000 vehicles about 15 MB."""

_DARK = ord("o")
Rows = dict[str, NDArray[Any]]


def read_moments(history: History, city: City, start: datetime, seconds: int, run: int = 0) -> Moments:
    """Seconds [start, start + seconds) of a run, 0 the newest. Raises ConfigurationError, HistoryError."""
    if not 1 <= seconds <= MOST_SECONDS:
        raise ConfigurationError(
            f"{seconds} seconds are asked for", remedy=f"ask for 1 to {MOST_SECONDS}, then for the next ones"
        )
    names = Names.read(history.folder)
    folder = history.run(run)
    first = math.floor(require_aware(start).timestamp())

    def fetch(table: Table) -> Rows:
        def ask() -> Rows:
            sources = history.sources(folder, Resolution.SECOND, table, first, first + seconds)
            if not sources:
                return {}
            return history.fetch(
                f"SELECT * FROM {reading(sources[0].files)} "  # noqa: S608 - our own names
                f"WHERE second >= {first} AND second < {first + seconds} ORDER BY second"
            )

        found: Rows = retried(ask)
        return found

    signals, vehicles = fetch(SECOND_SIGNALS), fetch(SECOND_VEHICLES)
    assembler = _Assembler(city, names)
    epoch_s = require_aware(city.epoch).timestamp()
    known = np.unique(signals["second"]).tolist() if signals else []
    moments = [
        assembler.moment(second - epoch_s, _of(signals, second), _of(vehicles, second)) for second in known
    ]
    return Moments(int(folder.name), moments)


def _of(rows: Rows, second: int) -> Rows:
    if not rows:
        return {}
    low, high = np.searchsorted(np.asarray(rows["second"]), (second, second + 1))
    return {name: np.asarray(column[low:high]) for name, column in rows.items()}


class _Assembler:
    """Puts rows by number back into the city's own rows; what the city no longer has is left out."""

    def __init__(self, city: City, names: Names) -> None:
        self._city = city
        self._junction = _rows([junction.id for junction in city.junctions], names.junction)
        self._lane = _rows(city.network.lanes.ids, names.lane)

    def moment(self, time_s: float, signals: Rows, vehicles: Rows) -> Moment:
        city = self._city
        count = len(city.junctions)
        stage, mode = np.full(count, -1, np.int16), np.zeros(count, np.uint8)
        queue = np.full(count, np.nan, np.float32)
        lamps = np.full(city.signals.group_count, _DARK, np.uint8)
        row = self._junction[signals["junction"]]
        for name, column in (("stage", stage), ("mode", mode)):
            column[row[row >= 0]] = signals[name][row >= 0]
        told = signals["queue"].astype(np.float32)
        told[signals["queue"] == UNKNOWN_QUEUE] = np.nan
        queue[row[row >= 0]] = told[row >= 0]
        start = city.signals.group_start
        for one, text in zip(row.tolist(), signals["lamps"].tolist(), strict=True):
            if one >= 0 and len(text) == start[one + 1] - start[one]:
                lamps[start[one] : start[one + 1]] = np.frombuffer(text.encode("latin-1"), np.uint8)
        empty = np.zeros(0)
        lane = self._lane[vehicles["lane"]] if vehicles else np.zeros(0, np.int32)
        good = lane >= 0
        distance, speed, kind = (
            (vehicles[name][good] if vehicles else empty)
            for name in ("distance_m", "speed_dmps", "vehicle_class")
        )
        return Moment(
            time_s, pack_array(stage), pack_array(mode), pack_array(queue), pack_array(lamps),
            pack_array(lane[good].astype(np.int32)), pack_array(distance.astype(np.float32)),
            pack_array((speed / SPEED_STEPS_PER_MPS).astype(np.float32)), pack_array(kind.astype(np.uint8)),
        )  # fmt: skip


def _rows(ids: Any, numbered: list[str]) -> NDArray[np.int32]:
    """(numbers,) the city's row of each number, -1 where it has none."""
    row = {name: index for index, name in enumerate(ids)}
    return np.array([row.get(name, -1) for name in numbered], np.int32)
