"""What the API says of field cameras and takes from them, beside the records of `city/intake`."""

from __future__ import annotations

from msgspec import Struct

from civicbrain.city.intake import CameraFrame, IntakeSummary, SourceStatus

__all__ = ["CameraFrame", "IntakeSummary", "ReceiptView", "SourcePageView", "SourceStatus"]


class ReceiptView(Struct, frozen=True):
    """What became of a message: frames and rows (vehicles) queued; unknown: frames of sources that the city
    does not have. What is wrong inside frames shows in the counters of their source."""

    frames: int
    rows: int
    unknown: int


class SourcePageView(Struct, frozen=True):
    """Some field cameras in the city's order; count: of all that fit the choice."""

    sources: tuple[SourceStatus, ...]
    count: int
    offset: int
    limit: int
