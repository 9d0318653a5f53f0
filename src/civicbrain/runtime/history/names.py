"""Numbers for what history tells of: they stand in the files and never change, whatever becomes of the city.

`entities.json`: the n-th id of a kind has the number n. Junction 0 is the whole city. Ids are only ever
added, so rows written before a road was taken out of the network still say what they are of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
import numpy as np

from civicbrain.city.network import I32
from civicbrain.core.errors import HistoryError
from civicbrain.runtime.history.files import write_whole

ENTITIES = "entities.json"
FORMAT = 1


class _File(msgspec.Struct, frozen=True):
    format: int
    city: str
    epoch: datetime
    junction: list[str]
    lane: list[str]
    series: list[tuple[str, str, str, str]]


@dataclass
class Names:
    """series: (source, entity, property, unit). `save` before writing rows with new numbers."""

    folder: Path
    city: str
    epoch: datetime
    junction: list[str] = field(default_factory=lambda: [""])
    lane: list[str] = field(default_factory=list)
    series: list[tuple[str, str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._junction = {name: number for number, name in enumerate(self.junction)}
        self._lane = {name: number for number, name in enumerate(self.lane)}
        self._series = {key: number for number, key in enumerate(self.series)}
        self._changed = False

    @staticmethod
    def read(folder: Path) -> Names:
        """Raises HistoryError where there is no history, or one that cannot be read."""
        file = folder / ENTITIES
        try:
            found = msgspec.json.decode(file.read_bytes(), type=_File)
        except FileNotFoundError as error:
            raise HistoryError(
                "there is no history here",
                place=str(folder),
                remedy="`civicbrain run CITY` writes one; name its folder with --run-dir if it is elsewhere",
            ) from error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise HistoryError(
                f"this cannot be read: {error}",
                place=str(file),
                remedy="move the history folder away; a new one is begun",
            ) from error
        if found.format != FORMAT:
            raise HistoryError(
                f"format {found.format} is not known", place=str(file), remedy="read it with its own version"
            )
        return Names(folder, found.city, found.epoch, found.junction, found.lane, found.series)

    @staticmethod
    def open(folder: Path, city: str, epoch: datetime) -> Names:
        """What is there, or a beginning."""
        if (folder / ENTITIES).exists():
            names = Names.read(folder)
            names.city, names.epoch = city, epoch
        else:
            names = Names(folder, city, epoch)
        names._changed = True
        return names

    def junctions(self, ids: Sequence[str]) -> I32:
        """The number of each, made where it is new."""
        return self._numbers(ids, self._junction, self.junction)

    def lanes(self, ids: Sequence[str]) -> I32:
        return self._numbers(ids, self._lane, self.lane)

    def series_number(self, source: str, entity: str, property_: str, unit: str) -> int:
        key = (source, entity, property_, unit)
        number = self._series.get(key)
        if number is None:
            number = self._series[key] = len(self.series)
            self.series.append(key)
            self._changed = True
        return number

    def find_junction(self, junction_id: str) -> int | None:
        return self._junction.get(junction_id)

    def find_lane(self, lane_id: str) -> int | None:
        return self._lane.get(lane_id)

    def find_series(self, entity: str, property_: str) -> list[int]:
        """All sources of that property, () where none."""
        return [n for n, key in enumerate(self.series) if key[1:3] == (entity, property_)]

    def save(self) -> None:
        """Write what is new, if anything is."""
        if self._changed:
            record = _File(FORMAT, self.city, self.epoch, self.junction, self.lane, self.series)
            write_whole(self.folder / ENTITIES, msgspec.json.encode(record))
            self._changed = False

    def _numbers(self, ids: Sequence[str], known: dict[str, int], names: list[str]) -> I32:
        for name in ids:
            if name not in known:
                known[name] = len(names)
                names.append(name)
                self._changed = True
        return np.array([known[name] for name in ids], np.int32)
