"""What a lane is trusted with follows from what its queue was seen to do under green."""

from __future__ import annotations

from functools import cache

import numpy as np

from civicbrain.brains.signals.approach import Streams, build_streams
from civicbrain.brains.signals.approach_lanes import ApproachLanes
from civicbrain.brains.signals.discharge import FORGET_S, LEAST, START_S, Discharge
from civicbrain.brains.signals.stages import build_stages
from civicbrain.contracts.sandbox import sandbox_city

CITY = sandbox_city()
NETWORK_LANES = len(CITY.network.lanes.ids)
LANE = 0
"""Row among the approach lanes of the one that is looked at."""


@cache
def layout() -> tuple[Streams, ApproachLanes]:
    streams = build_streams(CITY)
    table = build_stages(CITY, streams)
    return streams, ApproachLanes(CITY, streams, table, loss_s=0.5, yellow_s=1.0, min_stage_s=4.0)


class Watched:
    """One approach lane, second by second; all others are red and empty."""

    def __init__(self) -> None:
        streams, lanes = layout()
        self.streams, self.lanes = streams, lanes
        self.discharge = Discharge(lanes, streams.group, NETWORK_LANES)
        self.now_s = 100.0

    @property
    def share(self) -> float:
        return float(self.discharge.share[LANE])

    def run(
        self, seconds: int, lamp: str, *, gone_veh_per_s: float, near: int = 3, since_s: float = 0.0
    ) -> None:
        own = self.lanes.stream_lane == LANE
        lamps = np.full(CITY.signals.group_count, ord("r"), np.uint8)
        lamps[self.streams.group[own]] = ord(lamp)
        since = np.full(len(lamps), since_s, np.float32)
        row = self.lanes.lane[LANE]
        left = np.zeros(NETWORK_LANES, np.float32)
        left[row] = gone_veh_per_s
        for _ in range(seconds):
            self.discharge.update(
                self.now_s, lamps, since, np.zeros(len(own), np.bool_),
                np.full(near, row, np.int32), np.linspace(3.0, 18.0, near).astype(np.float32), left,
            )  # fmt: skip
            self.now_s += 1.0


def test_a_queue_that_leaves_as_usual_is_trusted_fully() -> None:
    watched = Watched()
    watched.run(60, "G", gone_veh_per_s=0.45)
    assert watched.share == 1.0
    assert (watched.discharge.share == 1.0).all()


def test_a_queue_that_stands_under_green_is_worth_little_after_two_greens() -> None:
    watched = Watched()
    watched.run(5, "G", gone_veh_per_s=0.0)
    assert watched.share > 0.9  # a slow start proves nothing
    watched.run(90, "G", gone_veh_per_s=0.0)
    assert LEAST <= watched.share < 0.4


def test_a_lane_that_lets_little_go_is_trusted_with_a_part() -> None:
    watched = Watched()
    watched.run(300, "G", gone_veh_per_s=0.08)
    assert 0.5 < watched.share < 0.7


def test_yielding_red_starting_up_and_lone_vehicles_say_nothing() -> None:
    for lamp, near, since_s in (("g", 3, 0.0), ("r", 3, 0.0), ("G", 1, 0.0), ("G", 0, 0.0)):
        watched = Watched()
        watched.run(60, lamp, gone_veh_per_s=0.0, near=near, since_s=since_s)
        assert watched.share == 1.0, (lamp, near)
    watched = Watched()
    watched.run(int(START_S), "G", gone_veh_per_s=0.0, since_s=100.0)
    assert watched.share == 1.0


def test_a_lane_found_held_is_tried_again_and_recovers() -> None:
    watched = Watched()
    watched.run(60, "G", gone_veh_per_s=0.0)
    held = watched.share
    watched.run(int(2 * FORGET_S), "r", gone_veh_per_s=0.0)
    assert watched.share > 2.0 * held
    watched.run(60, "G", gone_veh_per_s=0.45)
    assert watched.share == 1.0
    watched.run(60, "G", gone_veh_per_s=0.0)
    watched.discharge.reset()
    assert watched.share == 1.0
