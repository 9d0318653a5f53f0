"""A vehicle is found on the part of its way that it drives, not on one that leads past the place later."""

from __future__ import annotations

import numpy as np
import pytest

from civicbrain.brains.priority.options import PriorityOptions
from civicbrain.brains.priority.pursuit import Pursuit
from civicbrain.brains.priority.ways import Way
from civicbrain.city.missions import Mission, MissionKind, MissionTrack, TrackState, Urgency

LENGTH_M = 400.0
APART_M = 12.0
"""Out along y = 0, back along y = 12: a road with two carriageways, and a turn at its end."""


def there_and_back() -> Way:
    points = np.array(((0.0, 0.0), (LENGTH_M, 0.0), (LENGTH_M, APART_M), (0.0, APART_M)))
    at_m = np.array((0.0, LENGTH_M, LENGTH_M + APART_M, 2 * LENGTH_M + APART_M))
    return Way((0, 1), at_m[[1, 3]], at_m[[1, 3]] / 14.0, np.array((2, 2)), points, at_m, (), {0: 0, 1: 1})


def pursuit_of(way: Way) -> Pursuit:
    mission = Mission("m1", "v1", MissionKind.AMBULANCE, Urgency.LIFE, "out", "back", created_s=10.0)
    pursuit = Pursuit(mission, PriorityOptions())
    pursuit.take(way, [], mission.created_s)
    return pursuit


def fix(pursuit: Pursuit, time_s: float, x_m: float, y_m: float, heading_deg: float) -> MissionTrack:
    return MissionTrack(pursuit.mission, TrackState.TRACKED, time_s, x_m, y_m, 10.0, heading_deg)


@pytest.mark.parametrize("error_m", [0.0, 5.0, 8.0])
def test_the_first_fix_is_on_the_way_out(error_m: float) -> None:
    pursuit = pursuit_of(there_and_back())
    pursuit.follow(fix(pursuit, 12.0, 60.0, error_m, 90.0), 12.0)  # 8 m: nearer to the way back
    assert not pursuit.off_way
    assert pursuit.progress_m == pytest.approx(60.0, abs=1.0)


def test_on_the_way_back_it_is_found_there() -> None:
    pursuit, way = pursuit_of(there_and_back()), there_and_back()
    for second in range(70):
        driven_m = 10.0 * (second + 1)
        back = driven_m > LENGTH_M + APART_M
        x_m = driven_m if not back else 2 * LENGTH_M + APART_M - driven_m
        y_m = 4.0 if not back else APART_M - 4.0
        now_s = 10.0 + second
        pursuit.follow(fix(pursuit, now_s, min(x_m, LENGTH_M), y_m, 270.0 if back else 90.0), now_s)
        assert pursuit.progress_m == pytest.approx(min(driven_m, way.length_m), abs=25.0)


def test_nearness_counts_where_the_heading_is_not_known() -> None:
    at_m, away_m = there_and_back().locate(60.0, 10.0, 0.0, 2000.0)
    assert at_m == pytest.approx(2 * LENGTH_M + APART_M - 60.0)
    assert away_m == pytest.approx(2.0)
    at_m, _ = there_and_back().locate(60.0, 10.0, 0.0, 2000.0, 90.0)
    assert at_m == pytest.approx(60.0)
