"""What a faulty camera says, worked out by hand, and a vehicle that blocks a lane in SUMO."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fault_runs import blocked_lane

from civicbrain.city.observations import Detections, VehicleClass
from civicbrain.contracts.sandbox import sandbox_city
from civicbrain.core.errors import ConfigurationError
from civicbrain.twin.faults import CameraFault, Faults, FaultyCameras, LaneBlock

CITY = sandbox_city()
FIRST, SECOND = CITY.junctions[0].id, CITY.junctions[1].id


def approach(junction: int) -> tuple[int, str]:
    movements = CITY.network.movements
    row = int(movements.from_lane[np.flatnonzero(movements.junction == junction)[0]])
    return row, CITY.network.lanes.ids[row]


def frame(time_s: float, *vehicles: tuple[int, float]) -> Detections:
    """Both cameras deliver; vehicles are (junction, distance), each on the junction's first approach."""
    cameras = np.array([junction for junction, _ in vehicles], np.int32)
    return replace(
        Detections.empty("cameras", time_s, np.array([0, 1], np.int32)),
        camera=cameras,
        lane=np.array([approach(junction)[0] for junction, _ in vehicles], np.int32),
        distance_m=np.array([distance for _, distance in vehicles], np.float32),
        speed_mps=np.full(len(vehicles), 5.0, np.float32),
        vehicle_class=np.full(len(vehicles), int(VehicleClass.BUS), np.uint8),
        next_movement=np.full(len(vehicles), -1, np.int32),
    )


def said(fault: CameraFault, *frames: Detections) -> list[tuple[list[int], list[tuple[int, float]]]]:
    """(cameras that delivered, (camera, distance) of every row) of each frame."""
    faulty = FaultyCameras(CITY, [fault])
    result = []
    for one in map(faulty.says, frames):
        rows = list(zip(one.camera.tolist(), one.distance_m.tolist(), strict=True))
        result.append((one.cameras.tolist(), rows))
    return result


STREET = [frame(t, (0, 50.0 - t), (1, 80.0 - t)) for t in (9.0, 10.0, 11.0, 12.0)]
SEEN = [([0, 1], [(0, 50.0 - t), (1, 80.0 - t)]) for t in (9.0, 10.0, 11.0, 12.0)]


def test_a_silent_camera_delivers_nothing_from_its_begin_to_before_its_end() -> None:
    got = said(CameraFault(FIRST, "silent", 10.0, 12.0), *STREET)
    assert got == [SEEN[0], ([1], [(1, 70.0)]), ([1], [(1, 69.0)]), SEEN[3]]


def test_a_blind_camera_delivers_an_empty_street() -> None:
    got = said(CameraFault(SECOND, "blind", 10.0, 12.0), *STREET)
    assert got == [SEEN[0], ([0, 1], [(0, 40.0)]), ([0, 1], [(0, 39.0)]), SEEN[3]]


def test_a_frozen_camera_repeats_what_it_saw_before() -> None:
    got = said(CameraFault(FIRST, "frozen", 10.0, 12.0), *STREET)
    assert got == [
        SEEN[0],
        ([0, 1], [(0, 41.0), (1, 70.0)]),
        ([0, 1], [(0, 41.0), (1, 69.0)]),
        SEEN[3],
    ]


def test_a_phantom_queue_stands_beside_what_is_there() -> None:
    """Front to front 7.5 m, from 1 m before the stop line on; the rows stay grouped by camera."""
    lane, name = approach(0)
    fault = CameraFault(FIRST, "phantom", 10.0, 12.0, lane=name)
    [before, during] = map(FaultyCameras(CITY, [fault]).says, STREET[:2])
    assert len(before.lane) == 2
    assert during.camera.tolist() == [0] * 7 + [1]
    assert during.distance_m.tolist() == [40.0, 1.0, 8.5, 16.0, 23.5, 31.0, 38.5, 70.0]
    assert during.speed_mps.tolist() == [5.0] + [0.0] * 6 + [5.0]
    assert during.lane.tolist()[:7] == [lane] * 7
    assert during.end_s == 10.0


def test_an_inflated_camera_sees_half_as_many_again_elsewhere_on_their_lanes() -> None:
    street = [frame(10.0 + t, *((0, 10.0 * k) for k in range(1, 11)), (1, 70.0)) for t in range(100)]
    fault = CameraFault(FIRST, "inflated", 10.0, 200.0)
    faulty = FaultyCameras(CITY, [fault])
    more = [len(faulty.says(one).lane) - len(one.lane) for one in street]
    assert sum(more) / len(more) == pytest.approx(5.0, abs=0.6)
    again = FaultyCameras(CITY, [fault]).says(street[0])
    assert set(again.lane[again.camera == 0].tolist()) == {approach(0)[0]}
    assert (again.camera == 1).sum() == 1


def test_a_camera_that_is_not_there_cannot_lie() -> None:
    alone = replace(frame(10.0, (1, 70.0)), cameras=np.array([1], np.int32))
    for kind in ("blind", "frozen", "phantom"):
        lane = approach(0)[1] if kind == "phantom" else ""
        assert said(CameraFault(FIRST, kind, 0.0, 99.0, lane), alone) == [([1], [(1, 70.0)])]


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        (Faults((CameraFault("nowhere", "blind", 0, 1),)), "no such signal junction"),
        (Faults((CameraFault(FIRST, "drunk", 0, 1),)), "no kind 'drunk'"),
        (Faults((CameraFault(FIRST, "blind", 5, 5),)), "from 5 s to 5 s"),
        (Faults((CameraFault(FIRST, "phantom", 0, 1),)), "a phantom needs a lane"),
        (Faults((CameraFault(FIRST, "blind", 0, 1, approach(0)[1]),)), "a phantom needs a lane"),
        (Faults((CameraFault(FIRST, "phantom", 0, 1, approach(1)[1]),)), "does not lead to its stop line"),
        (Faults((), (LaneBlock("nowhere", 5.0, 0, 1),)), "no such lane"),
        (Faults((), (LaneBlock(approach(0)[1], float("nan"), 0, 1),)), "is not on the lane"),
        (Faults((), (LaneBlock(approach(0)[1], 5.0, 0, float("inf")),)), "from 0 s to inf s"),
    ],
)
def test_faults_that_do_not_fit_the_city_are_refused_with_what_to_do(faults: Faults, message: str) -> None:
    Faults().check(CITY)
    with pytest.raises(ConfigurationError, match=message) as caught:
        faults.check(CITY)
    assert caught.value.remedy


def test_a_vehicle_stands_on_the_blocked_lane_until_the_block_ends(in_process) -> None:
    """Asked to block from 100 s to 250 s at 60 m: somebody stands exactly there, nobody passes on that lane,
    and the first to move on does so when the block ends. Same seed, same result; no time loss of its own."""
    first = in_process(blocked_lane, 60.0, 100.0, 250.0)
    assert first["position_m"] == pytest.approx(60.0, abs=0.5)
    assert 100.0 <= first["stands_s"] < 200.0
    assert first["goes_on_s"] == pytest.approx(250.0, abs=2.0)
    assert first["passed_meanwhile"] == 0
    assert first["due"] == first["due_without"]
    assert first["delay_s"] > first["delay_without_s"]
    assert in_process(blocked_lane, 60.0, 100.0, 250.0) == first
