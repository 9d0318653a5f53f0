"""From plans to requests."""

from __future__ import annotations

import numpy as np

from civicbrain.brains.signals.approach import TURN_PRIOR, Streams
from civicbrain.brains.signals.plans.network import Timing
from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.signals import ControllerMode, SignalJunction
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.brain import PlanRequest

RENEW_S = 60.0
"""A plan in force is asked for again this often, so that it ends a few minutes after the centre does."""


def movement_shares(city: City, streams: Streams) -> F64:
    """(m,) share of its stream's vehicles that each movement takes, by the kind of turn; 0 where
    unsignalled."""
    moves = city.network.movements
    prior = np.array([TURN_PRIOR.get(int(turn), 1.0) for turn in moves.turn])
    known = streams.movement_stream >= 0
    total = np.bincount(streams.movement_stream[known], prior[known], streams.count)
    share = np.zeros(len(prior))
    share[known] = prior[known] / total[streams.movement_stream[known]]
    return share


def listens(snapshot: Snapshot, row: int) -> bool:
    """Whether a junction's controller follows the centre."""
    return int(snapshot.signals.mode[row]) in (ControllerMode.LOCAL, ControllerMode.CENTRAL)


def plan_request(
    junction: SignalJunction, plan: Timing, now_s: float, expires_s: float, brain: str
) -> PlanRequest:
    """A plan as the guard takes it."""
    return PlanRequest(
        junction=junction.id,
        durations_s=tuple(plan.durations_s.astype(float).tolist()),
        offset_s=float(plan.offset_s),
        not_before_s=now_s,
        expires_s=expires_s,
        brain=brain,
    )
