"""A street of two junctions whose vehicles are placed by hand, watched as the brain process watches it."""

from __future__ import annotations

import numpy as np

from civicbrain.city.observations import Detections
from civicbrain.city.store import Store
from civicbrain.contracts.sandbox import sandbox_city, sandbox_signals
from civicbrain.runtime.recent import Recent
from civicbrain.runtime.worst import Known, WorstPlaces

CITY = sandbox_city()
LANE = CITY.network.lanes.row


class Street:
    """Vehicles (lane, metres to the line, m/s), seen each second by all cameras but the blind ones."""

    def __init__(self):
        self.store, self.recent = Store(CITY), Recent(CITY)
        self.worst = WorstPlaces(CITY, self.recent)
        self.now_s = 100.0

    def second(self, vehicles=(), stage=0, blind=(), words=None):
        """words: what the brain says of each junction."""
        self.now_s += 1.0
        cameras = np.array([k for k in range(len(CITY.junctions)) if k not in blind], np.int32)
        of_lane = dict(zip(CITY.cameras.lane.tolist(), CITY.cameras.junction.tolist(), strict=True))
        rows = [(LANE[lane], far, speed) for lane, far, speed in vehicles if of_lane[LANE[lane]] not in blind]
        lane, far, speed = zip(*rows, strict=True) if rows else ((), (), ())
        seen = Detections(
            "cameras", self.now_s, self.now_s, cameras,
            np.array([of_lane[row] for row in lane], np.int32), np.array(lane, np.int32),
            np.array(far, np.float32), np.array(speed, np.float32), np.zeros(len(lane), np.uint8),
            np.full(len(lane), -1, np.int32),
        )  # fmt: skip
        self.store.fold([seen, sandbox_signals(CITY, self.now_s, stage)], self.now_s)
        self.snapshot = self.store.snapshot(self.now_s)
        self.recent.take(self.snapshot)
        self.worst.take(self.snapshot, words or {})

    def list(self, **known):
        return self.worst.list_now(self.snapshot, self._known(**known), 10)

    def list_full(self, **known):
        return self.worst.list_full(self.snapshot, self._known(**known), 10)

    def _known(self, **known):
        delays = np.full(len(CITY.junctions), np.nan)
        queue = np.array([3.0, 5.0])
        values = {"delay_s": delays, "queue_veh": queue, "brain": "running"}
        values |= {"overrides": {}, "holders": {}} | known
        return Known(**values)


def queue(lane, count):
    return [(lane, 2.0 + 7.5 * k, 0.0) for k in range(count)]
