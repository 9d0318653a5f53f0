"""What the brain process hands to the history after each tick: arrays are copied, nothing is worked out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray

from civicbrain.city.model import City
from civicbrain.city.observations import Observation
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.feed import Datum
from civicbrain.contracts.wire import TwinStatus, pack_array
from civicbrain.runtime.history.entry import HistoryEntry
from civicbrain.runtime.history.wire import Sample
from civicbrain.runtime.indicators import MinuteFigures

_NONE: Mapping[str, float | None] = MappingProxyType({})


class Sampler:
    """The loop's side of the history: `fold` and `take` each tick. Without a run folder it does nothing, so
    that a run without history needs no other code. entry: for feeds that hand over columns themselves."""

    def __init__(self, city: City, run_dir: Path | None) -> None:
        self.entry = HistoryEntry(run_dir) if run_dir is not None else None
        self._epoch = city.epoch

    def fold(self, data: Iterable[Datum]) -> None:
        """Observations of slow sources, as they came."""
        if self.entry is not None:
            rows = [datum for datum in data if isinstance(datum, Observation)]
            if rows:
                self.entry.observe(rows, self._epoch)

    def take(
        self, snapshot: Snapshot, control: str, status: TwinStatus | None, figures: MinuteFigures | None,
        *, alerts_open: int, decision_ms: float | None, vitals: Mapping[str, float | None] = _NONE,
    ) -> None:  # fmt: skip
        """What is known now. vitals: further city-wide figures; None: not known."""
        if self.entry is None:
            return
        city: dict[str, float] = {"alerts_open": alerts_open}
        city |= {name: value for name, value in vitals.items() if value is not None}
        if decision_ms is not None:
            city["decision_ms"] = decision_ms
        if figures is not None:
            city |= {
                "vehicles": figures.vehicles,
                "mean_delay_s": figures.mean_delay_s,
                "throughput_veh_per_h": figures.throughput_veh_per_h,
            }
        if status is not None:
            city |= {
                "stopped": status.stopped,
                "waiting_to_depart": status.waiting_to_depart,
                "local_junctions": status.local_junctions,
                "refused_requests": status.refused_requests,
            }
        seen, lanes, signals = snapshot.detections.on_approaches, snapshot.lanes, snapshot.signals
        columns: tuple[NDArray[Any], ...] = (
            seen.lane, seen.distance_m, seen.speed_mps, seen.vehicle_class, lanes.observed, lanes.age_s,
            signals.lamps, signals.stage, signals.mode,
        )  # fmt: skip
        lane, distance, speed, kind, observed, age, lamps, stage, mode = map(pack_array, columns)
        self.entry.take(
            Sample(
                snapshot.time_s, status.run if status else 0, control, lane, distance, speed, kind, observed,
                age, lamps, stage, mode, city, dict(snapshot.staleness_s), dict(self.entry.shed),
            )
        )  # fmt: skip
        self.entry.flush()

    def close(self) -> None:
        if self.entry is not None:
            self.entry.close()
