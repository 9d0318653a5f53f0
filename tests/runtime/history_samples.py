"""Samples of a city as the brain process sends them, for the tests of the history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from civicbrain.city.model import City
from civicbrain.contracts.wire import pack_array
from civicbrain.runtime.history.wire import Sample

Seen = tuple[int, float, float, int]
"""(row of the lane, metres to the stop line, m/s, class)"""


def make_sample(
    of: City,
    time_s: float,
    seen: Sequence[Seen] = (),
    *,
    blind: Sequence[int] = (),
    mode: int = 2,
    stage: int = 0,
    **more: Any,
) -> Sample:
    """blind: rows of lanes that no camera sees now."""
    lanes, junctions = len(of.network.lanes.ids), len(of.junctions)
    lane, distance, speed, kind = zip(*seen, strict=True) if seen else ((), (), (), ())
    observed = np.zeros(lanes, np.bool_)
    observed[of.cameras.lane] = True
    observed[list(blind)] = False
    lamps = "".join(junction.stages[stage].lamps for junction in of.junctions)
    return Sample(
        time_s, 0, "brain",
        pack_array(np.array(lane, np.int32)),
        pack_array(np.array(distance, np.float32)),
        pack_array(np.array(speed, np.float32)),
        pack_array(np.array(kind, np.uint8)),
        pack_array(observed),
        pack_array(np.where(observed, 0.0, np.inf).astype(np.float32)),
        pack_array(np.frombuffer(lamps.encode(), np.uint8)),
        pack_array(np.full(junctions, stage, np.int32)),
        pack_array(np.full(junctions, mode, np.uint8)),
        **more,
    )  # fmt: skip
