"""The least delay that any signal could give to streams of which at most one may be green at a time.

A *clique* is a set of streams that exclude each other. `least_delay_s` finds, by backward dynamic programming
over time and queue lengths, the schedule of greens with the least total delay for arrivals that are all known
beforehand. It is the exact optimum of this model, and the model only leaves costs out:

    vehicles stand on a point at the stop line and cross it the moment they may: no length, no acceleration,
    no start-up loss; each lane of the stream passes one a step (the saturation headway), whoever is there;
    from the end of one stream's green to the start of another's at least the intergreen passes;
    no minimum green, no maximum, and all other streams of the junction do what they like.

Streams that are merged into one member of the clique may use each other's lanes: again less cost, not more.
A queue longer than its cap is cut to it and the rest forgotten: less cost again. Time goes in steps of one
headway, so that the answer is a limit up to that resolution.

Source: the optimal control of one server with switch-over times and known arrivals, e.g. Sen and Head (1997),
"Controlled optimization of phases at an intersection", Transportation Science 31(1), who use the same
recursion over phases, with stages in place of streams.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]


def arrivals_by_step(times_s: Sequence[float], begin_s: float, step_s: float, steps: int) -> I64:
    """(steps,) arrivals in each step. One that arrives inside a step may still be served in it."""
    place = np.floor((np.asarray(times_s, np.float64) - begin_s) / step_s).astype(np.int64)
    place = place[(place >= 0) & (place < steps)]
    result: I64 = np.bincount(place, minlength=steps)
    return result


def least_delay_s(
    arrivals: Sequence[I64],
    lanes: Sequence[int],
    switch_steps: Sequence[Sequence[int]],
    step_s: float,
    caps: Sequence[int],
) -> float:
    """Least total delay (veh·s) over the whole window, starting from empty queues and any stream green.

    arrivals: one array (steps,) a stream. lanes: vehicles a stream passes in a step. switch_steps[a][b]:
    whole steps without green from stream a to stream b. caps: longest queue kept, a stream.
    Time and memory grow with the product of the caps.
    """
    count = len(arrivals)
    steps = len(arrivals[0])
    streams = range(count)
    longest = max(
        (switch_steps[a][b] for a, b in itertools.permutations(streams, 2)),
        default=1,
    )
    sizes = [cap + 1 for cap in caps]
    queues = np.zeros(sizes, np.float32)
    for axis, size in enumerate(sizes):
        shape = [1] * count
        shape[axis] = size
        queues += np.arange(size, dtype=np.float32).reshape(shape)
    # green[c]: cost to go when stream c is green from now on; switching[c][k]: when c gets green in k steps
    green = [np.zeros(sizes, np.float32) for _ in streams]
    switching = [[np.zeros(sizes, np.float32) for _ in range(longest + 1)] for _ in streams]
    ahead = [np.arange(size) for size in sizes]
    for step in range(steps - 1, -1, -1):
        # a vehicle that arrives in this step joins before it is served; who stays waits for one step
        joined = [np.minimum(ahead[s] + int(arrivals[s][step]), caps[s]) for s in streams]
        moved = any(int(arrivals[s][step]) for s in streams)
        new_green = []
        base = queues if not moved else None
        for stream in streams:
            left = list(joined)
            left[stream] = np.maximum(joined[stream] - lanes[stream], 0)
            where = np.ix_(*left)
            new_green.append(queues[where] + _best_from(stream, green, switching, switch_steps)[where])
        where = np.ix_(*joined)
        stay = queues[where] if base is None else base
        for stream in streams:
            old = switching[stream]
            fresh: list[F32] = [new_green[stream]]
            for left_steps in range(1, longest + 1):
                after = green[stream] if left_steps == 1 else old[left_steps - 1]
                fresh.append(stay + (after[where] if moved else after))
            switching[stream] = fresh
        green = new_green
    zero = (0,) * count
    return float(min(table[zero] for table in green)) * step_s


def least_delay_without_switching_s(arrivals: Sequence[I64], lanes: Sequence[int], step_s: float) -> float:
    """The same for streams that share the green as finely as they like, at no loss: a lower limit, but
    without caps, for demand above capacity. Most lanes go first, which lets most vehicles pass by any time
    (shortest processing time first; Schrage 1968, Operations Research 16(3))."""
    order = sorted(range(len(arrivals)), key=lambda stream: -lanes[stream])
    queue = [0.0] * len(arrivals)
    waiting = 0.0
    for step in range(len(arrivals[0])):
        share = 1.0
        for stream in order:
            queue[stream] += float(arrivals[stream][step])
            served = min(queue[stream], share * lanes[stream])
            queue[stream] -= served
            share -= served / lanes[stream]
        waiting += sum(queue)
    return waiting * step_s


def _best_from(
    stream: int, green: list[F32], switching: list[list[F32]], switch_steps: Sequence[Sequence[int]]
) -> F32:
    """Cost to go after a step of green for `stream`: stay, or begin to switch to another."""
    best = green[stream]
    for other in range(len(green)):
        if other != stream:
            best = np.minimum(best, switching[other][switch_steps[stream][other]])
    return best
