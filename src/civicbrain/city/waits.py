"""What a signal's plan costs one who arrives at any time."""

from __future__ import annotations

from collections.abc import Sequence

from civicbrain.city.signals import SignalJunction


def red_wait_s(junction: SignalJunction, groups: Sequence[int]) -> float:
    """Mean wait at the local plan's red for one who arrives at any time: r²/2c (Webster 1958, without the
    queue). groups: any of them lets the vehicle go."""
    plan = junction.local_plan
    cycle_s = plan.cycle_s
    red_s, longest_s = 0.0, []
    for step in [*plan.steps, *plan.steps]:
        lamps = junction.stages[step.stage].lamps
        if any(lamps[group] in "Gg" for group in groups):
            longest_s.append(red_s)
            red_s = 0.0
        else:
            red_s += step.duration_s
    red_s = min(max([*longest_s, red_s]), cycle_s)
    return red_s * red_s / (2.0 * cycle_s) if cycle_s > 0.0 else 0.0
