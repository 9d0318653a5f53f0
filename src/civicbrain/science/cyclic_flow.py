"""Cyclic flow profiles: a junction's queues second by second through one cycle, and platoons between them.

The macroscopic model of TRANSYT: every cycle is like the one before; a stream is a queue at the stop line
with an arrival profile and a green; what leaves is the arrival profile of the next junction, spread by
platoon dispersion. One row a stream, one column a second of the cycle; flows in veh/s.

Sources
    Robertson, D. I. (1969), "TRANSYT: a traffic network study tool", Road Research Laboratory report LR 253.
    Vincent, R. A., Mitchell, A. I., Robertson, D. I. (1980), "User guide to TRANSYT version 8", TRRL LR 888
    (delay = uniform from the profile + random and oversaturation; smoothing 1 / (1 + 0.35 · 0.8 T)).
    Gaps in opposing flow and incremental delay: see `fixed_time`.

Valid for vehicles that stay in their stream, queues that do not reach back into the junction upstream, and
cycles in whole seconds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from civicbrain.science.compiled import compiled
from civicbrain.science.fixed_time import CRITICAL_GAP_S, FOLLOW_UP_S, SNEAKERS_VEH

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I8 = NDArray[np.int8]

DISPERSION = 0.35
ARRIVAL_SHARE = 0.8
"""TRANSYT's defaults: platoon dispersion factor, and arrival of the head over mean travel time."""

RED, YIELDS, RIGHT_OF_WAY = 0, 1, 2
"""What a step shows a stream."""


@compiled()
def disperse(outflow: F64, travel_s: float) -> F64:
    """The profile (c,) that arrives `travel_s` after leaving a stop line as `outflow` (c,).

    q'(t + βT) = F q(t) + (1 − F) q'(t + βT − 1), F = 1 / (1 + α β T) (Robertson 1969). Vehicles are
    conserved.
    """
    cycle = len(outflow)
    smoothing = 1.0 / (1.0 + DISPERSION * ARRIVAL_SHARE * travel_s)
    shift = round(ARRIVAL_SHARE * travel_s)
    arrivals = np.zeros(cycle)
    last = 0.0
    for second in range(cycle):
        last += outflow[second]
    last /= cycle
    for _ in range(4):  # the recursion forgets where it began
        for second in range(cycle):
            last = smoothing * outflow[second] + (1.0 - smoothing) * last
            arrivals[(second + shift) % cycle] = last
    return arrivals


@compiled()
def run_cycle(
    durations_s: I64,
    shows: I8,
    start_s: F64,
    saturation: F64,
    lane_share: F64,
    arrivals: F64,
    rival_start: I64,
    rivals: I64,
) -> tuple[F64, F64, F64, F64]:
    """One junction through its cycle.

    durations_s: (n,) whole seconds of the steps, switch-over first. shows: (n, k) what each step shows each
    stream. start_s: (n, k) seconds from the start of a step until the stream flows; 0 where it flowed before.
    saturation: (k,) veh/s on right of way. lane_share: (k,) the stream's share of its lanes. arrivals: (k,
    c). rivals[rival_start[i]:rival_start[i + 1]]: streams that stream i gives way to where it yields.

    Returns (queue, capacity, departures, most): mean queue in veh of arrivals scaled down to capacity where
    they exceed it, capacity in veh/s, the profile (k, c) that leaves, and the largest queue in veh.
    """
    steps, count = shows.shape
    cycle = arrivals.shape[1]
    lamp = np.zeros((cycle, count), dtype=np.int8)
    green = np.zeros((cycle, count))
    closes = np.zeros((cycle, count), dtype=np.int8)
    second = 0
    for step in range(steps):
        onward = (step + 1) % steps
        for within in range(durations_s[step]):
            for i in range(count):
                lamp[second, i] = shows[step, i]
                if shows[step, i] != RED:
                    # the part of this second after the effective start of green
                    green[second, i] = min(max(within + 1.0 - start_s[step, i], 0.0), 1.0)
            second += 1
        for i in range(count):
            if shows[step, i] == YIELDS and shows[onward, i] == RED and second > 0:
                closes[second - 1, i] = 1

    queue = np.zeros(count)
    capacity = np.zeros(count)
    scale = np.ones(count)
    mean_queue = np.zeros(count)
    most = np.zeros(count)
    departures = np.zeros((count, cycle))
    total = np.zeros(count)
    for i in range(count):
        for s in range(cycle):
            total[i] += arrivals[i, s]
    leaving = np.zeros(count)
    for turn in range(3):
        if turn == 1:
            for i in range(count):
                queue[i] = 0.0
                if total[i] > capacity[i] > 0.0:
                    scale[i] = capacity[i] / total[i]
                elif capacity[i] <= 0.0:
                    scale[i] = 0.0
        for i in range(count):
            capacity[i] = 0.0
        for s in range(cycle):
            for i in range(count):
                able = 0.0
                if green[s, i] > 0.0:
                    if lamp[s, i] == RIGHT_OF_WAY:
                        able = saturation[i] * green[s, i]
                    else:
                        opposing = 0.0
                        blocked = False
                        for at in range(rival_start[i], rival_start[i + 1]):
                            r = rivals[at]
                            if lamp[s, r] == RIGHT_OF_WAY and green[s, r] > 0.0:
                                opposing += arrivals[r, s] * scale[r]
                                blocked = blocked or queue[r] > 0.1
                        if not blocked:
                            opposing = max(opposing, 1e-9)
                            gaps = (
                                opposing
                                * np.exp(-opposing * CRITICAL_GAP_S)
                                / (1.0 - np.exp(-opposing * FOLLOW_UP_S))
                            )
                            able = min(saturation[i], lane_share[i] * gaps) * green[s, i]
                if closes[s, i] == 1:
                    able += SNEAKERS_VEH * lane_share[i]
                capacity[i] += able
                waiting = queue[i] + arrivals[i, s] * scale[i]
                leaving[i] = min(waiting, able)
                if turn == 2:
                    departures[i, s] = leaving[i]
                    # half of what comes and goes within the second waited half of it
                    mean_queue[i] += 0.5 * queue[i] + 0.5 * (waiting - leaving[i])
                    most[i] = max(most[i], waiting - leaving[i])
            for i in range(count):
                queue[i] = queue[i] + arrivals[i, s] * scale[i] - leaving[i]
    return mean_queue / cycle, capacity / cycle, departures, most


@compiled()
def delay_index(
    queue: F64,
    capacity: F64,
    most: F64,
    flow: F64,
    lane_share: F64,
    storage: F64,
    metered: F64,
    period_s: float,
    overflow_weight: float,
) -> float:
    """What is minimised: vehicles that wait, on average, in the junction (TRANSYT's performance index without
    stops). Uniform queue + flow × HCM's incremental delay + `overflow_weight` for each vehicle that the
    largest queue exceeds its storage (veh). metered: (k,) share of the flow that comes from a signal
    upstream; it arrives less at random, and HCM's factor I is taken as 1 − 0.5 of it."""
    index = 0.0
    for i in range(len(queue)):
        if flow[i] <= 0.0:
            continue
        able = max(capacity[i], 1e-4 * lane_share[i])
        x = min(flow[i] / able, 20.0)
        lane_capacity = able / lane_share[i]
        over = x - 1.0
        spread = 4.0 * (1.0 - 0.5 * metered[i]) * x / (lane_capacity * period_s)
        incremental_s = 0.25 * period_s * (over + np.sqrt(over * over + spread))
        index += queue[i] + flow[i] * incremental_s
        excess = most[i] / lane_share[i] + flow[i] / lane_share[i] * incremental_s - storage[i]
        if excess > 0.0:
            index += overflow_weight * lane_share[i] * excess
    return index
