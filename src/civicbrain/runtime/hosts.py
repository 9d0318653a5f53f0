"""Hosts run brains. `InlineHost` in this process, for studies; `ProcessHost` in a child, for a live city.

Both isolate what a brain does wrong from the loop and the other brains, and start it again with back-off.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from civicbrain.city.model import City
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.brain import Brain, BrainContext
from civicbrain.contracts.rooms import get_room
from civicbrain.contracts.sandbox import sandbox_snapshots
from civicbrain.contracts.wire import BrainHealth
from civicbrain.runtime.brain_messages import failure_text
from civicbrain.runtime.health import Answer, Backoff, Record, check_advice, next_due_s
from civicbrain.runtime.process_host import ProcessHost

__all__ = ["Answer", "Host", "InlineHost", "ProcessHost", "warm_up"]

_log = logging.getLogger("civicbrain.runtime.hosts")


class Host(Protocol):
    """What the loop needs of a host. enabled: False = the brain is not asked."""

    name: str
    enabled: bool
    record: Record

    def step(self, now_s: float, snapshot: Callable[[], Snapshot]) -> Answer | None:
        """Ask the brain when it is due, and bring back what is ready. Never raises, and waits for a brain
        in another process for a moment at most. snapshot(): the one of this tick, made when first asked for.
        """
        ...

    def health(self, now_s: float) -> BrainHealth: ...

    def reset(self) -> None:
        """Start the brain afresh, as when time jumps back."""
        ...

    def close(self) -> None: ...


def warm_up(create: Callable[[BrainContext], Brain], context: BrainContext) -> None:
    """Let imports and compilation happen before the first decision counts: a brain that is thrown away is
    shown two made-up snapshots. Whatever goes wrong here shows again, and is dealt with, in the run."""
    try:
        brain = create(context)
        for snapshot in sandbox_snapshots(context.city, 2):
            brain.advise(snapshot)
    except Exception as error:
        _log.info("warm-up: %s: %s", type(error).__name__, error)


class InlineHost:
    """Runs `brain` in this process. Times and back-off are platform seconds, so that wall time never
    changes a result; a budget that is overrun is counted only. remake: makes a fresh brain after a failure;
    without it the same one is asked again."""

    def __init__(self, brain: Brain, *, remake: Callable[[], Brain] | None = None) -> None:
        self.name = brain.name
        self.enabled = True
        self.record = Record()
        self._brain = brain
        self._remake = remake
        self._broken = False
        self._backoff = Backoff()
        self._due_s: float | None = None

    @classmethod
    def from_room(
        cls, name: str, city: City, *, seed: int = 0, options: Mapping[str, object] | None = None
    ) -> InlineHost:
        """The brain of an installed room, warmed up. Raises NotFoundError, BrainError, ConfigurationError."""
        room = get_room("brains", name)
        context = BrainContext(city, seed, options or {})
        brain = room.create_brain(context)
        warm_up(room.create_brain, context)
        return cls(brain, remake=lambda: room.create_brain(context))

    def step(self, now_s: float, snapshot: Callable[[], Snapshot]) -> Answer | None:
        if not self.enabled or self._backoff.waiting(now_s):
            return None
        if self._due_s is not None and now_s < self._due_s - 1e-6:
            return None
        try:
            if self._broken and self._remake is not None:
                self._brain = self._remake()
            self._broken = False
            self._due_s = next_due_s(self._due_s, now_s, self._brain.cadence_s)
            seen = snapshot()
            start = time.perf_counter()
            advice = self._brain.advise(seen)
            ms = (time.perf_counter() - start) * 1000.0
            advice = check_advice(advice, self.name)
        except (Exception, SystemExit) as error:
            reason = failure_text(error)
            self.record.failed(reason)
            self._broken = True
            retry_s = self._backoff.failed(now_s)
            _log.warning("brain %s failed (%s); asked again at %g s", self.name, reason, retry_s)
            return None
        self.record.ran(now_s, ms, self._brain.budget_s)
        return Answer(advice, ms)

    def health(self, now_s: float) -> BrainHealth:
        waiting = self._backoff.waiting(now_s)
        state = "off" if not self.enabled else "backing-off" if waiting else "running"
        return self.record.health(
            self.name, state, self._brain.cadence_s, self._brain.budget_s, self._backoff.until_s - now_s
        )

    def reset(self) -> None:
        self._broken = True
        self._due_s = None
        self._backoff = Backoff()

    def close(self) -> None:
        """Nothing to release."""
