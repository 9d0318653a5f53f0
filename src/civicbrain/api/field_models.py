"""What the API says of field cameras and takes from them."""

from __future__ import annotations

from msgspec import Struct

from civicbrain.city.intake.frames import CameraFrame, SeenVehicle

__all__ = ["CameraFrame", "IntakeView", "ReceiptView", "SeenVehicle", "SourcePageView", "SourceView"]


class ReceiptView(Struct, frozen=True):
    """What became of a message: frames and rows (vehicles) queued; unknown: frames of sources that the city
    does not have. What is wrong inside frames shows in the counters of their source."""

    frames: int
    rows: int
    unknown: int


class IntakeView(Struct, frozen=True):
    """The entry of field cameras. Rates a second and latency (arrival until in a snapshot) of the last 10 s;
    counters since the start, `dropped` by reason. speaking: sources with a frame younger than 10 s."""

    sources: int
    speaking: int
    never_heard: int
    frames: int
    rows: int
    frames_per_s: float
    rows_per_s: float
    shed_rows_per_s: float
    shed_rows: int
    shedding: bool
    queued_rows: int
    latency_ms_p50: float
    latency_ms_p99: float
    dropped: dict[str, int]
    consumer_failures: int = 0


class SourceView(Struct, frozen=True):
    """A field camera. age_s: since its newest frame, null when it was never heard. dropped: by reason. lanes:
    ids in the order in which its frames name them; empty in lists."""

    id: str
    junction: str
    age_s: float | None
    frames: int
    rows: int
    shed_rows: int
    dropped: dict[str, int]
    lanes: list[str] = []


class SourcePageView(Struct, frozen=True):
    """Some field cameras in the city's order; count: of all that fit the choice."""

    sources: list[SourceView]
    count: int
    offset: int
    limit: int
