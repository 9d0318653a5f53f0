"""Raw seconds: what a moment is shown again from. Stages, modes, queues and lamps by junction; where vehicles
were, by lane, rounded to a metre and a tenth of m/s.

No row says which vehicle it is, and rows stand in the order of lanes. Still, positions of each second can be
joined to paths along a street by whoever tries, so they are kept for an hour, not for days (`retention.py`).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.network import F32, I32
from civicbrain.runtime.history.minutes import NOT_SEEN, Columns

UNKNOWN_QUEUE = 65_535
"""Stands for a junction that no camera saw."""

SPEED_STEPS_PER_MPS = 10.0
_MOST_U16 = 65_534


@dataclass
class RawMinute:
    """Seconds of the open minute, in order."""

    _signals: list[tuple[int, NDArray[Any], NDArray[Any], NDArray[Any], list[str]]] = field(
        default_factory=list
    )
    _vehicles: list[tuple[int, I32, NDArray[np.uint16], NDArray[np.uint16], NDArray[np.uint8]]] = field(
        default_factory=list
    )

    def add_signals(
        self, second: int, stage: I32, mode: NDArray[Any], queue: NDArray[Any], lamps: NDArray[Any],
        group_start: I32,
    ) -> None:  # fmt: skip
        """second: since 1970. stage, mode, queue: (j,). lamps: (g,) ord of each city-wide group's lamp."""
        text = lamps.tobytes().decode("latin-1")
        bounds = group_start.tolist()
        shown = [text[low:high] for low, high in itertools.pairwise(bounds)]
        known = np.where(queue == NOT_SEEN, UNKNOWN_QUEUE, queue).astype(np.uint16)
        self._signals.append((second, stage.astype(np.int16), mode.astype(np.uint8), known, shown))

    def add_vehicles(
        self, second: int, lane: I32, distance_m: F32, speed_mps: F32, kind: NDArray[Any]
    ) -> None:
        """All (v,): row of the lane, metres to the stop line, speed, class."""
        order = np.lexsort((distance_m, lane))
        metres = np.clip(np.rint(distance_m[order]), 0, _MOST_U16).astype(np.uint16)
        speed = np.clip(np.rint(speed_mps[order] * SPEED_STEPS_PER_MPS), 0, _MOST_U16).astype(np.uint16)
        self._vehicles.append((second, lane[order], metres, speed, kind[order].astype(np.uint8)))

    def signals(self, numbers: I32) -> Columns:
        """Rows of `layout.SECOND_SIGNALS`. numbers: (j,) of the junctions."""
        seconds = np.array([entry[0] for entry in self._signals], np.int64)
        count = len(numbers)
        lamps: list[str] = [text for entry in self._signals for text in entry[4]]
        return {
            "second": np.repeat(seconds, count),
            "junction": np.tile(numbers, len(seconds)),
            "stage": _joined([entry[1] for entry in self._signals], np.int16),
            "mode": _joined([entry[2] for entry in self._signals], np.uint8),
            "queue": _joined([entry[3] for entry in self._signals], np.uint16),
            "lamps": np.array(lamps, object),
        }

    def vehicles(self, numbers: I32) -> Columns:
        """Rows of `layout.SECOND_VEHICLES`. numbers: (n,) of the lanes."""
        counts = [len(entry[1]) for entry in self._vehicles]
        return {
            "second": np.repeat(np.array([entry[0] for entry in self._vehicles], np.int64), counts),
            "lane": numbers[_joined([entry[1] for entry in self._vehicles], np.int32)],
            "distance_m": _joined([entry[2] for entry in self._vehicles], np.uint16),
            "speed_dmps": _joined([entry[3] for entry in self._vehicles], np.uint16),
            "vehicle_class": _joined([entry[4] for entry in self._vehicles], np.uint8),
        }


def _joined(parts: list[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype)
