"""How long what is kept. Apart from `retention.py`, so that reading a configuration loads no engine."""

from __future__ import annotations

from dataclasses import dataclass

from civicbrain.runtime.history.layout import DAY_MIN, SECOND_VEHICLES, Resolution, Table


@dataclass(frozen=True)
class Limits:
    """Minutes for which each is kept; 0 for vehicles: never written."""

    vehicles_min: float = 60.0
    seconds_min: float = 2.0 * DAY_MIN
    minutes_min: float = 8.0 * DAY_MIN
    quarters_min: float = 92.0 * DAY_MIN
    hours_min: float = 731.0 * DAY_MIN
    most_bytes: int = 20_000_000_000

    def kept_min(self, resolution: Resolution, table: Table) -> float:
        if table is SECOND_VEHICLES:
            return self.vehicles_min
        return {
            Resolution.SECOND: self.seconds_min,
            Resolution.MINUTE: self.minutes_min,
            Resolution.QUARTER: self.quarters_min,
            Resolution.HOUR: self.hours_min,
        }[resolution]
