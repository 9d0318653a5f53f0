"""Live sources other than the twin: the feeds of the configuration, and the intake of field cameras.

Ten times a second the feeds are polled, what the intake lets in is folded, and a snapshot is taken: that is
how long a frame waits. Where field cameras have spoken of a junction, the twin's camera there is not heard.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from civicbrain.city.intake import FieldRows, Intake, IntakeSummary, Sources
from civicbrain.city.model import City
from civicbrain.city.network import I32
from civicbrain.city.observations import Detections
from civicbrain.contracts.brain import BrainContext, Severity
from civicbrain.contracts.feed import Datum, Feed
from civicbrain.contracts.rooms import get_room
from civicbrain.core.errors import CivicBrainError
from civicbrain.core.sentences import Sentence, say
from civicbrain.runtime.configuration import RunConfiguration
from civicbrain.runtime.history.entry import HistoryEntry
from civicbrain.runtime.intake_keys import load_keys
from civicbrain.runtime.loop import Loop

EVERY_S = 0.1
"""A frame waits half of it on average until it is in a snapshot, all of it at most."""

Tell = Callable[[str, Severity, Sentence, Sentence | str], None]

_log = structlog.get_logger("civicbrain.runtime.field")


class Field:
    """The feeds and the intake they share (None: no field cameras). One thread, the loop's.

    tell: called with (key, severity, title, detail) when a feed's source dies and when it is back.
    clock: monotonic wall seconds.
    """

    def __init__(
        self,
        loop: Loop,
        feeds: Sequence[Feed],
        intake: Intake | None,
        tell: Tell,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.intake = intake
        self.feeds = tuple(feeds)
        self._loop, self._tell, self._clock = loop, tell, clock
        self._failing: set[str] = set()
        self._due = self._clock()

    @property
    def speaks(self) -> bool:
        """Some field camera has delivered."""
        return self.intake is not None and bool(self.intake.spoken.any())

    def due_in_s(self) -> float:
        """Seconds until `step` has something to do; infinite without feeds."""
        return max(0.0, self._due - self._clock()) if self.feeds else np.inf

    def _poll(self, now_s: float) -> list[Datum]:
        """What every feed has; one that is dead or broken must not stop the others."""
        data: list[Datum] = []
        for feed in self.feeds:
            try:
                data += feed.poll(now_s)
            except Exception as error:
                self._failed(feed, error)
            else:
                if feed.name in self._failing:
                    self._failing.discard(feed.name)
                    title = say("feed-works", f"The data source “{feed.name}” works again", feed=feed.name)
                    self._tell(f"feed-{feed.name}", Severity.INFO, title, "")
        return data

    def step(self, now_s: float) -> bool:
        """When it is time: fold in what has come and take a snapshot. True when there was something."""
        wall = self._clock()
        if not self.feeds or wall < self._due:
            return False
        self._due = max(self._due + EVERY_S, wall + EVERY_S / 2)  # in step, without catching up
        data = self._poll(now_s)
        if self.intake is not None:
            data += self.intake.take(now_s)
        if not data:
            return False
        self._loop.observe(data, now_s)
        if self.intake is not None:
            self.intake.in_snapshot()
        return True

    def without_spoken(self, frame: Detections) -> Detections:
        """The twin's frame without the junctions of which field cameras have spoken."""
        spoken = self.intake.spoken if self.intake is not None else None
        if spoken is None or not spoken.any():
            return frame
        cameras, rows = ~spoken[frame.cameras], ~spoken[frame.camera]
        return replace(
            frame, cameras=frame.cameras[cameras], camera=frame.camera[rows], lane=frame.lane[rows],
            distance_m=frame.distance_m[rows], speed_mps=frame.speed_mps[rows],
            vehicle_class=frame.vehicle_class[rows], next_movement=frame.next_movement[rows],
        )  # fmt: skip

    def summary(self, now_s: float) -> IntakeSummary | None:
        """How the intake does; None where there is none."""
        return self.intake.summary(now_s) if self.intake is not None else None

    def reset(self) -> None:
        """Platform time has gone back."""
        if self.intake is not None:
            self.intake.reset()

    def close(self) -> None:
        for feed in self.feeds:
            feed.close()

    def _failed(self, feed: Feed, error: Exception) -> None:
        text = error.message if isinstance(error, CivicBrainError) else f"{type(error).__name__}: {error}"
        if feed.name in self._failing:
            return
        self._failing.add(feed.name)
        expected = isinstance(error, CivicBrainError)
        _log.warning("a feed fails", feed=feed.name, reason=text, exc_info=None if expected else error)
        title = say("feed-fails", f"The data source “{feed.name}” fails", feed=feed.name)
        self._tell(f"feed-{feed.name}", Severity.CRITICAL, title, text)


class CameraHistory:
    """Consumer of an intake: hands the speed of every vehicle that was let in to the history, a series a
    camera, so that each camera's minutes show how much it saw and how fast."""

    def __init__(self, sources: Sources, entry: HistoryEntry) -> None:
        self._entry = entry
        self._series: I32 = np.array(
            [entry.series(name, f"camera:{name}", "speed_mps", "m/s") for name in sources.ids], np.int32
        )

    def __call__(self, rows: FieldRows) -> None:
        self._entry.offer(self._series[rows.source[rows.frame]], rows.time_s[rows.frame], rows.speed_mps)


def open_field(
    city: City, run_dir: Path, configuration: RunConfiguration, loop: Loop, history: HistoryEntry | None,
    tell: Tell,
) -> Field:  # fmt: skip
    """The feeds that the configuration names, and the intake where it is switched on. Raises
    ConfigurationError, NotFoundError, CityError, ServiceError."""
    intake = None
    table = configuration.intake
    if table.enabled:
        intake = Intake(Sources(city), load_keys(run_dir, table.keys_file), table.limits())
        if history is not None:
            intake.consumers.append(CameraHistory(intake.sources, history))
    wanted: dict[str, dict[str, Any]] = {"http": {}} if table.enabled else {}
    wanted |= {name: feed.options for name, feed in configuration.feeds.items() if feed.enabled}
    feeds: list[Feed] = []
    try:
        for name, options in wanted.items():
            given = {**options, "run_dir": str(run_dir)} | ({"intake": intake} if intake else {})
            feeds.append(get_room("feeds", name).factory()(BrainContext(city, options=given)))
    except BaseException:
        for feed in feeds:
            feed.close()
        raise
    _log.info("feeds", names=list(wanted), sources=len(intake.sources.ids) if intake else 0)
    return Field(loop, feeds, intake, tell)
