"""The door for feeds: turn one live source into observations. A feed never writes anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from civicbrain.city.incidents import IncidentReport
from civicbrain.city.missions import Mission, MissionEnd, VehiclePosition
from civicbrain.city.observations import Detections, LaneViews, Observation, SignalStates
from civicbrain.city.transit.buses import BusDelay, BusPosition

Datum = (
    Observation
    | Detections
    | LaneViews
    | SignalStates
    | Mission
    | MissionEnd
    | VehiclePosition
    | IncidentReport
    | BusPosition
    | BusDelay
)


@runtime_checkable
class Feed(Protocol):
    """name: its slug. cadence_s: how often `poll` is worth calling. stale_after_s: silence that counts."""

    name: str
    cadence_s: float
    stale_after_s: float

    def poll(self, now_s: float) -> Sequence[Datum]:
        """What arrived since the last call. Drops and counts a bad datum; raises when the source is dead."""
        ...

    def close(self) -> None:
        """Release the source."""
        ...
