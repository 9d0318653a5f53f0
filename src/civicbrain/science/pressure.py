"""Max pressure for stages with lost time.

Varaiya (2013), "Max pressure control of a network of signalized intersections", Transportation Research C
36: serve the stage with the greatest sum of saturation flow times queue. It is stable whenever any control
is, needs no demand forecast and looks at one junction at a time. Three amendments, each with its source:

- switching costs time, so a stage is worth what it serves over its whole span, transition included, and the
  stage shown is kept until another is worth more by a margin (Lämmer and Helbing 2008, "Self-control of
  traffic lights and vehicle flows in urban road networks", J. Stat. Mech. P04019, eq. 20);
- the weight of a queue grows slower than the queue (exponent below 1): any exponent in (0, 1] keeps the
  stability of max weight (Stolyar 2004, "MaxWeight scheduling in a generalized switch", Ann. Appl. Prob.
  14), and a small one empties short queues first, which lowers mean delay;
- a downstream link counts only near spill-back, where it takes the pressure away (Gregoire et al. 2014,
  "Capacity-aware backpressure traffic signal control", IEEE Trans. Control of Network Systems 2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]


def queue_weight(demand_veh: ArrayLike, exponent: float) -> F64:
    """Weight of each vehicle of a queue: demand ** exponent. 0: all alike; 1: Varaiya's pressure."""
    return np.power(np.maximum(np.asarray(demand_veh, dtype=np.float64), 0.0), exponent)


def age_weight(wait_s: ArrayLike, scale_s: float) -> F64:
    """1 + (wait / scale)²: a movement that has waited long weighs more. scale_s: wait that doubles it."""
    return 1.0 + np.square(np.asarray(wait_s, dtype=np.float64) / scale_s)


def spillback_factor(fill: ArrayLike, start: float = 0.75, full: float = 0.95, floor: float = 0.02) -> F64:
    """1 while the downstream queue covers less than `start` of its link, falling to `floor` at `full`."""
    slack = (full - np.asarray(fill, dtype=np.float64)) / (full - start)
    return np.clip(slack, floor, 1.0)


def permitted_factor(opposing_veh_per_lane: ArrayLike, gap_free_veh: float = 5.0, floor: float = 0.15) -> F64:
    """Share of saturation flow left to a movement that yields, given what comes the other way.

    Falls linearly to `floor` (vehicles that turn in the intergreen, one or two a cycle) when
    `gap_free_veh` vehicles a lane arrive within ten seconds, the saturation flow. HCM 2016 ch. 31 has the
    full gap-acceptance model; a line is enough for a ranking.
    """
    return np.clip(1.0 - np.asarray(opposing_veh_per_lane, dtype=np.float64) / gap_free_veh, floor, 1.0)


def stage_worth(
    weighted_served: F64, horizon_s: F64, stage_start: I32, shortest_s: ArrayLike
) -> tuple[F64, F64]:
    """Best rate of weighted service of each stage, and the span that gives it.

    weighted_served: (e, h) of each (stage, lane) entry within each horizon, entries grouped by stage.
    horizon_s: (h,) spans from now on, transition included. stage_start: (s,) first entry of each stage
    (every stage has at least one). shortest_s: (s,) spans below this do not count (transition and minimum
    green); the longest always does. Returns (worth in weighted veh/s, span in s), each (s,).
    """
    rate = np.add.reduceat(weighted_served, stage_start, axis=0) / horizon_s
    allowed = horizon_s >= np.asarray(shortest_s, dtype=np.float64)[:, None]
    allowed[:, -1] = True
    rate = np.where(allowed, rate, -1.0)
    best = rate.argmax(axis=1)
    return rate[np.arange(len(best)), best], horizon_s[best]
