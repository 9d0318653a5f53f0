"""How old the picture of each junction is.

In the twin one camera sees a whole junction; in the field each approach has its own, which ages by itself.
A junction is as old as the oldest of its lanes: an approach that is not seen looks empty, and a control that
believed it would starve it. So one dead camera leaves its junction to the local plan, and to the plans for
junctions that nobody sees (`unseen.py`).
"""

from __future__ import annotations

import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import F64, I32
from civicbrain.city.snapshot import Snapshot


class CameraAges:
    """Of one city."""

    def __init__(self, city: City) -> None:
        cameras = city.cameras  # rows sorted by junction
        self._lane: I32 = cameras.lane
        self._junction, self._start = np.unique(cameras.junction, return_index=True)
        self._count = len(city.junctions)

    def of(self, snapshot: Snapshot) -> F64:
        """(j,) seconds since all lanes that the junction's cameras cover have been seen; inf where one never
        was, and where there is no camera."""
        age_s: F64 = np.full(self._count, np.inf)
        if len(self._lane):
            age_s[self._junction] = np.maximum.reduceat(snapshot.lanes.age_s[self._lane], self._start)
        return age_s
