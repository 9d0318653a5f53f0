"""What cameras and the incidents room would have told of the street under the fixed plan.

The comparison run has no centre. Its cameras are folded into a store of its own, so that spill-backs and
incidents are counted by the very code that counts them live.
"""

from __future__ import annotations

from collections.abc import Sequence

from civicbrain.city.model import City
from civicbrain.city.store import Store
from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import Request
from civicbrain.contracts.feed import Datum
from civicbrain.contracts.rooms import find_room
from civicbrain.guard import Guard
from civicbrain.ledger import Ledger
from civicbrain.runtime.full_roads import FullRoads
from civicbrain.runtime.hosts import InlineHost
from civicbrain.runtime.loop import Loop

WATCHING = "incidents"


class FixedPlanSigns:
    """`take` each second of the run, `minute` at the end of each minute of it."""

    def __init__(self, city: City, seed: int) -> None:
        watches = find_room("brains", WATCHING) is not None
        hosts = [InlineHost.from_room(WATCHING, city, seed=seed)] if watches else []
        self._loop = Loop(city, Store(city), Guard(city, Ledger(None), _NoStreet()), hosts)
        self._full = FullRoads(city)
        self._watches = watches
        self._spill_backs: list[int] = []
        self._incidents: list[int] = []

    def take(self, data: Sequence[Datum], now_s: float) -> None:
        """What the street reported up to now_s."""
        self._loop.tick(data, now_s)
        snapshot = self._loop.snapshot(now_s)
        self._full.take(snapshot)
        count = self._full.count()
        if count is not None:
            self._spill_backs.append(count)
        if self._watches:
            self._incidents.append(len(snapshot.incidents))

    def minute(self) -> tuple[float | None, float | None]:
        """(spill-backs, open incidents), means over the seconds since the last call; None: not known."""
        found = _mean(self._spill_backs), _mean(self._incidents)
        self._spill_backs.clear()
        self._incidents.clear()
        return found


class _NoStreet:
    """The actuator of a run without a centre."""

    name, dry_run = "none", True

    def apply(self, requests: Sequence[Request], now_s: float) -> list[Verdict]:
        return [Verdict(Outcome.REFUSED, "actuator", "dry-run", "the fixed plan runs", now_s)] * len(requests)

    def heartbeat(self, now_s: float) -> None:
        """Nobody listens."""

    def close(self) -> None:
        """Nothing to release."""


def _mean(counts: list[int]) -> float | None:
    return round(sum(counts) / len(counts), 2) if counts else None
