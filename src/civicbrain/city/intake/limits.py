"""How much the entry takes, and of what age."""

from __future__ import annotations

from dataclasses import dataclass

from civicbrain.city.store import FORGET_AFTER_S, FUTURE_TOLERANCE_S
from civicbrain.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the entry; a row is one vehicle in one camera frame.

    message_bytes, message_frames: of one message. frame_rows: of one frame; 150 m of four full lanes hold 86
    vehicles (7 m each). queue_rows: of one source between two takes, three seconds of a camera at its peak;
    the newest frame is kept whatever its size. rows_per_s: what is let in of all sources together; beyond it
    the sources take turns, and what does not fit their queues meanwhile is shed, oldest first. trust_clocks:
    False: a frame is of the second it arrives, whatever its sender says.
    """

    message_bytes: int = 1024 * 1024
    message_frames: int = 10_000
    frame_rows: int = 250
    queue_rows: int = 60
    rows_per_s: float = 200_000.0
    max_age_s: float = FORGET_AFTER_S
    future_s: float = FUTURE_TOLERANCE_S
    trust_clocks: bool = True

    def check(self) -> Limits:
        """Itself. Raises ConfigurationError where a bound lets nothing through."""
        for name in (
            "message_bytes",
            "message_frames",
            "frame_rows",
            "queue_rows",
            "rows_per_s",
            "max_age_s",
        ):
            if not getattr(self, name) > 0:
                raise ConfigurationError(
                    f"{name} is {getattr(self, name)}", place="intake", remedy="give a positive number"
                )
        if self.frame_rows > 65_535:
            raise ConfigurationError(
                f"frame_rows is {self.frame_rows}", place="intake", remedy="give 65535 at most"
            )
        return self
