"""Clocks of the maximum red: what sets them back, and what must not."""

from __future__ import annotations

import numpy as np

from civicbrain.brains.signals.approach import build_streams
from civicbrain.brains.signals.demand import HORIZON_S, Demand
from civicbrain.brains.signals.waiting import Waiting
from civicbrain.contracts.sandbox import sandbox_city

CITY = sandbox_city()
STREAMS = build_streams(CITY)
GROUPS = CITY.signals.group_count


def clocks() -> Waiting:
    return Waiting(CITY, STREAMS, np.zeros(GROUPS, dtype=bool))


def demand(vehicles: float) -> Demand:
    there = np.full((STREAMS.count + 1, len(HORIZON_S)), vehicles)
    one = np.ones(STREAMS.count + 1)
    return Demand(there, np.full(STREAMS.count + 1, vehicles > 0), one, one * np.inf)


def show(waiting: Waiting, start: int, end: int, lamp: str, vehicles: float) -> None:
    lamps = np.full(GROUPS, ord(lamp), dtype=np.uint8)
    for now in range(start, end):
        waiting.update(float(now), lamps, np.full(GROUPS, start, dtype=np.float32), demand(vehicles))


def test_a_frame_that_overlooks_the_vehicle_does_not_set_its_clock_back() -> None:
    waiting = clocks()
    show(waiting, 0, 30, "r", 1.0)
    show(waiting, 30, 31, "r", 0.0)
    show(waiting, 31, 41, "r", 1.0)
    assert waiting.stream_s[0] == 40.0


def test_a_vehicle_that_has_gone_stops_waiting() -> None:
    waiting = clocks()
    show(waiting, 0, 30, "r", 1.0)
    show(waiting, 30, 35, "r", 0.0)
    assert waiting.stream_s[0] == 0.0


def test_a_wait_keeps_its_weight_until_the_queue_is_gone() -> None:
    waiting = clocks()
    show(waiting, 0, 60, "r", 5.0)
    show(waiting, 60, 75, "G", 5.0)
    assert waiting.stream_s[0] == 0.0  # it has its chance
    assert waiting.credit_s[0] >= 59.0
    show(waiting, 75, 76, "G", 0.0)
    assert waiting.credit_s[0] == 0.0
