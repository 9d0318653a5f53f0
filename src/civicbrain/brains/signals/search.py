"""Which policies are played for a junction, and which first move wins: compiled.

In two rounds. First every first move is played once on the mean pattern of the shared lanes: keeping the
stage for each of KEEP_S seconds, then whatever is best (after THEN_S also each other stage); changing to
each other stage at once. Then the best few are played out: on all patterns, with the greedy policy
stretching or cutting greens (STAY), and with each of the best stages as the one after the next. The best
policy's first move is the decision.
"""

from __future__ import annotations

import numpy as np

from civicbrain.brains.signals.foresight import MIXES, Lanes, Play, Policy, Scene, Weights, cost_of, new_play
from civicbrain.city.network import F64, I32, Bool
from civicbrain.science.compiled import compiled

KEEP_S: F64 = np.array([1.0, 3.0, 6.0, 10.0, 16.0])
"""For how long keeping the stage is tried, s."""

THEN_S = (3.0, 10.0)

STAY: F64 = np.array([0.8, 1.3, 0.4])
"""See `foresight.Policy`. The first is used in the first round."""

_WIDE = 0
"""Added to an int32, it makes the int64 that a Policy holds (numba's rules)."""

FINALISTS = 3
"""First moves played out, of the changes; as many ways of keeping the stage."""


@compiled()
def _mean_cost(
    lanes: Lanes, scene: Scene, weights: Weights, junction: int, shown: int, policy: Policy, bound: float,
    play: Play, served: F64,
) -> float:  # fmt: skip
    """Over all patterns; inf as soon as it exceeds `bound`."""
    if not lanes.mixed[junction]:
        return cost_of(lanes, scene, weights, junction, shown, policy, -1, bound, play, served, False)
    total = 0.0
    for mix in range(MIXES):
        total += cost_of(
            lanes, scene, weights, junction, shown, policy, mix, MIXES * bound - total, play, served, False
        )
        if total > MIXES * bound:
            return np.inf
    return total / MIXES


@compiled()
def _take_in(value: float, policy: Policy, values: F64, policies: list[Policy]) -> None:
    """Keep the best of what was played, in order; earlier ones first among equals."""
    place = len(values)
    while place > 0 and value < values[place - 1]:
        place -= 1
    if place == len(values):
        return
    for other in range(len(values) - 1, place, -1):
        values[other] = values[other - 1]
        policies[other] = policies[other - 1]
    values[place] = value
    policies[place] = policy


@compiled()
def _first_round(
    lanes: Lanes, scene: Scene, weights: Weights, junction: int, shown: int, thorough: bool, play: Play,
    served: F64, cost: F64, keep_values: F64, keeps: list[Policy], move_values: F64, moves: list[Policy],
) -> None:  # fmt: skip
    """Fill the best ways of keeping and of changing, and cost (s,)."""
    first, last = lanes.stage_of[junction] + _WIDE, lanes.stage_of[junction + 1] + _WIDE
    keep_values[:] = np.inf
    move_values[:] = np.inf
    if shown >= 0:
        for keep_s in KEEP_S:
            # then: -1 for the best, or each other stage
            each = thorough and keep_s in THEN_S
            for then in range(first - 1, last if each else first):
                if then == shown or (then >= first and not lanes.usable[then]):
                    continue
                policy = Policy(keep_s, then if then >= first else -1, -1, STAY[0])
                value = cost_of(
                    lanes, scene, weights, junction, shown, policy, -1, keep_values[-1], play, served, False
                )
                _take_in(value, policy, keep_values, keeps)
        cost[shown] = keep_values[0]
    for then in range(first, last):
        if then == shown or not lanes.usable[then]:
            continue
        policy = Policy(0.0, then, -1, STAY[0])
        # far worse than what is known need not be told exactly
        bound = 1.5 * min(keep_values[0], move_values[0]) + 20.0
        cost[then] = cost_of(lanes, scene, weights, junction, shown, policy, -1, bound, play, served, False)
        _take_in(cost[then], policy, move_values, moves)


@compiled()
def search(
    lanes: Lanes, scene: Scene, weights: Weights, asked: Bool, shown: I32, thorough: bool,
    cost: F64, chosen: I32, served: F64,
) -> None:  # fmt: skip
    """Decide for each junction asked. thorough: play the second round too.

    Fills cost (s,): delay in veh s over the horizon if the stage is shown next, inf where not asked or not
    possible; chosen (j,): stage row, -1 where not asked; served (l, h): what the best policy lets go; rows
    of junctions that are not asked are left as they are.
    """
    play = new_play()
    nothing = Policy(0.0, -1, -1, 1.0)
    keep_values, move_values = np.empty(FINALISTS), np.empty(FINALISTS)
    keeps, moves = [nothing for _ in range(FINALISTS)], [nothing for _ in range(FINALISTS)]
    for j in range(len(asked)):
        chosen[j] = -1
        cost[lanes.stage_of[j] : lanes.stage_of[j + 1]] = np.inf
        if not asked[j]:
            continue
        stay = shown[j] + _WIDE
        if stay >= 0 and not lanes.usable[stay]:
            stay = -1
        _first_round(
            lanes,
            scene,
            weights,
            j,
            stay,
            thorough,
            play,
            served,
            cost,
            keep_values,
            keeps,
            move_values,
            moves,
        )
        best, best_policy, pick = keep_values[0], keeps[0], stay
        if thorough:
            best = np.inf
            for n in range(FINALISTS):
                if stay < 0 or keep_values[n] == np.inf:
                    continue
                for factor in STAY:
                    policy = Policy(keeps[n].keep_s, keeps[n].then, -1, factor)
                    value = _mean_cost(lanes, scene, weights, j, stay, policy, best, play, served)
                    if value < best:
                        best, best_policy = value, policy
            if stay >= 0:
                cost[stay] = best
        limit = best - weights.change_veh_s
        for n in range(FINALISTS):
            if move_values[n] == np.inf:
                continue
            then = moves[n].then
            if not thorough:
                if move_values[n] < limit:
                    limit, best_policy, pick = move_values[n], moves[n], then
                continue
            own = np.inf
            for variant in range(len(STAY) + FINALISTS):
                after, factor = -1, STAY[0]
                if variant < len(STAY):
                    factor = STAY[variant]
                else:
                    other = variant - len(STAY)
                    after = moves[other].then
                    if after == then or move_values[other] == np.inf:
                        continue
                policy = Policy(0.0, then, after, factor)
                value = _mean_cost(lanes, scene, weights, j, stay, policy, own, play, served)
                if value < own:
                    own = value
                    if own < limit:
                        limit, best_policy, pick = own, policy, then
            cost[then] = own
        chosen[j] = pick
        for i in range(lanes.lane_start[j], lanes.lane_start[j + 1]):
            served[i, :] = 0.0
        if pick >= 0:
            cost_of(lanes, scene, weights, j, stay, best_policy, -1, np.inf, play, served, True)
