"""What the API says of the moving picture of the past, as types (see `models.py`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from civicbrain.core.sentences import Sentence


class ReplaySpan(Struct, frozen=True):
    """A stretch that can be shown; end exclusive."""

    start: datetime
    end: datetime


class ReplayView(Struct, frozen=True):
    """What can be shown again. run: of which the spans are, 0 without any; runs: all there are. kept_hours:
    how long the picture is kept, real time, 0: it is not. recording: it is being kept now; last_error: why
    not, empty while all is well. Older moments come from the history, with fewer vehicles or none."""

    run: int
    runs: list[int]
    spans: list[ReplaySpan]
    kept_hours: float
    recording: bool
    frames: int
    failed: int
    disk_bytes: int
    last_error: str = ""


class ReplayMark(Struct, frozen=True):
    """Something that happened. From a ledger: kind, actor and body are its entry's. From the recording: kind
    alert, with text (its title), said (the same as a sentence) and detail (its severity)."""

    time_s: float
    kind: str
    text: str = ""
    detail: str = ""
    junction: str = ""
    actor: str = ""
    body: dict[str, Any] = {}
    said: list[Sentence] = []


class ReplayOverride(Struct, frozen=True):
    """A junction that an operator held, seconds of the city's clock. action: stage, hold or local."""

    junction: str
    action: str
    stage: str
    actor: str
    reason: str
    from_s: float
    until_s: float


class ReplayStrip(Struct, frozen=True):
    """The city's figures over a window, one a step from `start` on; null: not known. source: recording, or
    history where nothing was recorded. start_s: seconds of the city's clock. overrides: that reach into the
    window."""

    run: int
    source: str
    start: datetime
    start_s: float
    step_s: float
    vehicles: list[float | None]
    stopped: list[float | None]
    delay_s: list[float | None]
    throughput_veh_per_h: list[float | None]
    queue_veh: list[float | None]
    marks: list[ReplayMark]
    overrides: list[ReplayOverride] = []
