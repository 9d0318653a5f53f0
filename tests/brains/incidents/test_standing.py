"""Who stands beside a queue of the next lane: waits to get in, or is what the queue is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from civicbrain.brains.incidents.box import Box
from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.standing import Standing
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.tracks import Tracks
from civicbrain.city.folder import load_city
from civicbrain.city.observations import Detections, SignalStates, VehicleClass
from civicbrain.city.signals import ControllerMode
from civicbrain.twin.importing import resolve_scenario

CITY = load_city(resolve_scenario("cologne3").folder)
LAYOUT = Layout(CITY)
WIDE = np.flatnonzero(
    (LAYOUT.beside[:, 1] >= 0) & (LAYOUT.camera >= 0) & (LAYOUT.beyond_m == 0.0) & (LAYOUT.length_m > 100.0)
)
LANE = int(WIDE[0])
NEXT = int(LAYOUT.beside[LANE, 1])
Stands = list[tuple[int, float]]


def all_green(now_s: float) -> SignalStates:
    groups, count = int(CITY.signals.group_start[-1]), len(CITY.junctions)
    return SignalStates(
        "controllers", now_s, np.full(groups, ord("G"), np.uint8), np.zeros(groups, np.float32),
        np.zeros(count, np.int32), np.zeros(count, np.float32), np.zeros(count, np.int32),
        np.full(count, int(ControllerMode.LOCAL), np.uint8),
    )  # fmt: skip


def told(where: Callable[[float], Stands], seconds: int = 180) -> list[Suspicion]:
    """What is suspected for sure, in mid-lane, of vehicles that stand."""
    tracks, standing, found = Tracks(LAYOUT), Standing(LAYOUT), []
    watched = np.ones(len(LAYOUT.camera), np.bool_)
    cameras = np.arange(len(CITY.junctions), dtype=np.int32)
    for second in range(seconds):
        now_s = float(second)
        rows = sorted((int(LAYOUT.camera[lane]), lane, d) for lane, d in where(now_s))
        seen = replace(
            Detections.empty("cameras", now_s, cameras),
            camera=np.array([row[0] for row in rows], np.int32),
            lane=np.array([row[1] for row in rows], np.int32),
            distance_m=np.array([row[2] for row in rows], np.float32),
            speed_mps=np.zeros(len(rows), np.float32),
            vehicle_class=np.full(len(rows), int(VehicleClass.CAR), np.uint8),
            next_movement=np.full(len(rows), -1, np.int32),
        )
        step = tracks.update(seen, np.full(len(cameras), now_s))
        assert step is not None
        found += standing.update(tracks, step, all_green(now_s), watched, Box(LAYOUT))
    return [one for one in found if one.ratio >= 1.0 and not one.at_line]


def queue() -> Stands:
    return [(NEXT, d) for d in np.arange(1.0, 100.0, 7.5)]


def test_who_stops_beside_a_queue_that_stands_there_already_waits_to_get_in() -> None:
    assert told(lambda now_s: [*queue(), *([(LANE, 80.0)] if now_s > 30.0 else [])]) == []


def test_a_queue_that_comes_after_him_is_no_reason_to_stand() -> None:
    found = told(lambda now_s: [(LANE, 80.0), *(queue() if now_s > 20.0 else [])])
    assert {one.lane for one in found} == {LANE}


def test_two_who_stand_abreast_with_the_road_ahead_free_are_no_queue() -> None:
    behind: Stands = [(NEXT, 88.0), (NEXT, 95.5)]
    found = told(lambda now_s: [(NEXT, 80.0), *(behind if now_s > 15.0 else []), *(
        [(LANE, 80.0)] if now_s > 8.0 else [])])  # fmt: skip
    assert {one.lane for one in found} == {LANE, NEXT}
