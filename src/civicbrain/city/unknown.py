"""What is known before anybody has spoken: an empty frame, and signals in start-up."""

from __future__ import annotations

import numpy as np

from civicbrain.city.arrays import frozen
from civicbrain.city.model import City
from civicbrain.city.observations import Detections, SignalStates
from civicbrain.city.signals import ControllerMode


def frozen_empty(source: str, time_s: float) -> Detections:
    """A frame of no vehicle and no camera, read-only."""
    empty = Detections.empty(source, time_s)
    for name in (
        "cameras", "camera", "lane", "distance_m", "speed_mps", "vehicle_class", "next_movement",
    ):  # fmt: skip
        getattr(empty, name).setflags(write=False)
    return empty


def unknown_signals(city: City) -> SignalStates:
    """Before a controller has spoken: all red, no stage, start-up."""
    groups, count, begin_s = city.signals.group_count, len(city.junctions), city.demand.begin_s
    return SignalStates(
        "store",
        begin_s,
        lamps=frozen(np.full(groups, ord("r")), np.uint8),
        lamps_since_s=frozen(np.full(groups, begin_s), np.float32),
        stage=frozen(np.full(count, -1), np.int32),
        stage_since_s=frozen(np.full(count, begin_s), np.float32),
        target=frozen(np.full(count, -1), np.int32),
        mode=frozen(np.full(count, int(ControllerMode.STARTUP)), np.uint8),
    )
