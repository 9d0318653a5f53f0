"""A small city with field cameras, for tests of the intake and of the feeds that use it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np

from civicbrain.city.intake import FieldRows, Intake, Keys, Limits, Sources, encode_frames
from civicbrain.city.model import City
from civicbrain.city.places import Place, PlaceKind
from civicbrain.contracts.sandbox import sandbox_city

TOKEN = "shared-token-of-this-test"
KEY = "the-key-of-camera-1"
NOW_S = 1000.0


class Clock:
    """Frozen; turned by hand."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def camera_city() -> City:
    """The sandbox with a camera on each approach of A, two of them on the same one, and one at B."""
    city = sandbox_city()
    at_a = ("WA", "BA", "NAA", "SAA")
    watched = [*((edge, "A") for edge in at_a), (at_a[0], "A"), ("AB", "B")]
    places = tuple(
        Place(f"camera-{number}", PlaceKind.CAMERA, edge, 0.0, 0.0, 0.0, junction=junction)
        for number, (edge, junction) in enumerate(watched, start=1)
    )
    return dataclasses.replace(city, places=places)


def world(clock: Clock | None = None, **limits: float) -> tuple[Intake, list[FieldRows]]:
    """An intake, and what its consumer was given."""
    sources = Sources(camera_city())
    bounds = Limits(**limits)  # type: ignore[arg-type]
    intake = Intake(sources, Keys(TOKEN, {"camera-1": KEY}), bounds, clock or Clock())
    seen: list[FieldRows] = []
    intake.consumers.append(seen.append)
    return intake, seen


def unix(intake: Intake, time_s: float) -> float:
    return intake.sources.city.epoch.timestamp() + time_s


def frame(intake: Intake, source: str, time_s: float = NOW_S, vehicles: int = 1, **columns: object) -> bytes:
    """One frame of vehicles 10 m apart that stand on the source's first lane."""
    given = {
        "lane": np.zeros(vehicles, np.uint8),
        "distance_m": 10.0 * np.arange(1, vehicles + 1),
        "speed_mps": np.zeros(vehicles),
        "time_s": [unix(intake, time_s)],
        "key": TOKEN,
        **columns,
    }
    return encode_frames([source], **given)  # type: ignore[arg-type]


def json_frame(source: str, lane: str, **fields: object) -> bytes:
    vehicle = {"lane": lane, "distance": 12.5, "speed": 36.0, "vehicle_class": "bus"}
    return json.dumps(
        {"source": source, "vehicles": [vehicle], "speed_unit": "km/h", "key": TOKEN, **fields}
    ).encode()
