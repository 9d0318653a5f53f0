"""A signal junction as `science.foresight` models it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from civicbrain.city.signals import Conflict, SignalJunction, Stage
from civicbrain.science.foresight import JunctionModel
from civicbrain.twin.plan import LocalPlan

HEADWAY_S = 1.9
"""Between vehicles of a queue from the fourth on, measured in SUMO 1.28 (cologne1, cologne3, ingolstadt1):
1.8 to 1.95 s straight on, 1.9 to 2.1 s from mixed lanes, 2.1 to 2.5 s to the left."""
STARTUP_S = 2.0
"""Of the first vehicle; SUMO's second follows 2.9 s after it and the third 2.1 s after that, 1.1 s more than
two headways."""
YELLOW_USED_S = 2.5
"""Who cannot brake any more still crosses: 35 m before the line at 50 km/h, 1 s of reaction, 4.5 m/s²."""
STOP_S = 1.0
"""Lost behind the stop line while gathering speed: 2.7 s by the first of a queue at 2.6 m/s² up to 50 km/h,
0.8 s by the second, 0.4 s by the third."""


def junction_model(junction: SignalJunction, every_s: int = 1) -> JunctionModel:
    """Its stages (those that serve the plan and every movement, not the extra ones), intergreens and minimum
    greens. every_s: seconds between two decisions."""
    stages, groups = _stages(junction), range(len(junction.groups))
    count = len(stages)
    starts_s = np.zeros((count, count, len(junction.groups)))
    ready = np.zeros((count, count), np.int64)
    for a, b in np.ndindex(count, count):
        old, new = stages[a].lamps, stages[b].lamps
        ends = [group for group in groups if old[group] in "Gg" and new[group] not in "Gg"]
        for group in groups:
            if new[group] in "Gg" and old[group] not in "Gg":
                gaps_s = [junction.intergreen_s[e][group] for e in ends if junction.conflict[e][group]]
                starts_s[a, b, group] = max(gaps_s, default=0.0)
                done_s = starts_s[a, b, group] + junction.groups[group].min_green_s
                ready[a, b] = max(ready[a, b], math.ceil(done_s))
    span = int(max(ready.max(initial=0), math.ceil(starts_s.max(initial=0.0) + STARTUP_S))) + 2
    tau = np.arange(span)
    shows = np.array([[lamp in "Gg" for lamp in stage.lamps] for stage in stages], np.bool_)
    was, becomes = shows[:, None, None, :], shows[None, :, None, :]
    begun = tau[:, None] >= starts_s[:, :, None, :] + STARTUP_S
    ending = (tau < YELLOW_USED_S)[:, None]
    may_go = (was & becomes) | (~was & becomes & begun) | (was & ~becomes & ending)
    return JunctionModel(may_go, ready, _yields(junction), HEADWAY_S, STOP_S, every_s)


def plan_stages(junction: SignalJunction, begin_s: float, end_s: float) -> NDArray[np.int64]:
    """(t,) stage that the local plan wants in each second."""
    plan = LocalPlan.of(junction)
    return np.array([plan.at(time_s)[0] for time_s in np.arange(begin_s, end_s)], np.int64)


def _stages(junction: SignalJunction) -> list[Stage]:
    """Extra stages stand last, so the rows of the others are those of the junction."""
    return [stage for stage in junction.stages if not stage.extra]


def _yields(junction: SignalJunction) -> NDArray[np.bool_]:
    groups: Sequence[int] = range(len(junction.groups))
    return np.array(
        [
            [
                [
                    stage.lamps[mine] == "g"
                    and stage.lamps[other] == "G"
                    and junction.conflict[mine][other] == Conflict.PERMITTED
                    for other in groups
                ]
                for mine in groups
            ]
            for stage in _stages(junction)
        ],
        np.bool_,
    ).reshape(len(_stages(junction)), len(groups), len(groups))
