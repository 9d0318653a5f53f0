"""Field cameras age one by one: an approach that nobody sees must not look empty to a control."""

from __future__ import annotations

import numpy as np
import pytest
from street_seen import frame

from civicbrain.brains.signals import create
from civicbrain.brains.signals.ages import CameraAges
from civicbrain.city.observations import LaneViews
from civicbrain.city.store import Store
from civicbrain.contracts.brain import BrainContext, StageRequest
from civicbrain.contracts.sandbox import sandbox_city, sandbox_signals

CITY = sandbox_city()
A = next(row for row, junction in enumerate(CITY.junctions) if junction.id == "A")
LANES = CITY.cameras.lane[CITY.cameras.junction == A]
SILENT_FROM_S = 60.0


def asked_for(control: str, silent: np.ndarray) -> list[float]:
    """When stages were asked for at junction A, two minutes of traffic; the cameras over the lanes `silent`
    fall silent after one."""
    brain = create(BrainContext(city=CITY, options={"control": control}))
    store = Store(CITY)
    times = []
    for second in range(120):
        t = float(second)
        seen_s = np.where(np.isin(LANES, silent) & (t >= SILENT_FROM_S), SILENT_FROM_S, t)
        store.fold(
            [
                frame(CITY, t, {}, {"WA_0": 140.0 - 14.0 * (second % 10)}),
                LaneViews("field", LANES.astype(np.int32), seen_s),
                sandbox_signals(CITY, t, 0, 0.0),
            ],
            t,
        )
        requests = brain.advise(store.snapshot(t)).requests
        times += [t for r in requests if isinstance(r, StageRequest) and r.junction == "A"]
    return times


@pytest.mark.parametrize("control", ["brain", "max-pressure"])
@pytest.mark.parametrize("which", [0, -1])
def test_one_dead_camera_of_several_leaves_the_junction_to_its_local_plan(control: str, which: int) -> None:
    times = asked_for(control, LANES[[which]])
    assert times
    assert max(times) < SILENT_FROM_S + 12.0


def test_while_all_are_alive_the_centre_goes_on_asking() -> None:
    assert max(asked_for("brain", np.zeros(0, np.int32))) > 110.0


def test_a_junction_is_as_old_as_its_oldest_lane() -> None:
    store = Store(CITY)
    seen_s = np.full(len(LANES), 9.0)
    seen_s[-1] = 4.0
    store.fold([frame(CITY, 10.0, {}), LaneViews("field", LANES.astype(np.int32), seen_s)], 10.0)
    ages = CameraAges(CITY).of(store.snapshot(10.0))
    assert ages[A] == pytest.approx(6.0)
    assert ages[1 - A] == pytest.approx(0.0)
