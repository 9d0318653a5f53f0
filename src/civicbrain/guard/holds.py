"""Who holds a junction, as the guard keeps it."""

from __future__ import annotations

from dataclasses import dataclass

from civicbrain.contracts.brain import Priority
from civicbrain.contracts.missions import Claim
from civicbrain.contracts.overrides import Holder


@dataclass(slots=True)
class Hold:
    """Who holds a junction, for what, until when; since_s: from when on."""

    brain: str
    priority: int
    what: object  # stage id, or a plan's durations and offset
    expires_s: float
    claim: Claim | None = None  # the mission or bus it is held for
    since_s: float = 0.0

    def told(self) -> Holder:
        """For people."""
        plan = not isinstance(self.what, str) or self.what.startswith("[")
        vehicle = self.claim.mission if self.claim is not None else ""
        is_bus = self.priority <= Priority.TRANSIT
        return Holder(
            self.brain, int(self.priority), "plan" if plan else str(self.what), self.since_s, self.expires_s,
            "" if is_bus else vehicle, vehicle if is_bus else "",
        )  # fmt: skip
