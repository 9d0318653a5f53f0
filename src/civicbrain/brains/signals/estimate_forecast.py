"""When what is known arrives at the stop lines: vehicles in view, on their way, planned and usual ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from civicbrain.brains.signals.estimate_flow import DISPERSION_ALPHA, OVERDUE_S
from civicbrain.science.compiled import compiled
from civicbrain.science.queues import STANDING_SPEED_MPS

TARGETS = 16
"""Streams kept that an edge leads to."""

SMALL_SHARE = 0.02
"""Streams that fewer of an edge's vehicles reach are left out."""

HEAD_M = 8.0
"""A vehicle standing this near the stop line is the first of its queue (one jam spacing)."""

LANE_CHANGE_M = 60.0
"""On an edge shorter than this a vehicle is taken to stay in the lane that it came in."""

_STACK = 64
_RECOVERY = 0.6
"""Slow vehicles pick up speed: to this share of the limit on average (see `arrival_time_s`)."""

_kernel: Callable[[Any], Callable[..., Any]] = compiled()


@_kernel
def _add_target(origin, k, lag, through, target, lag_s, share, target_n):  # type: ignore[no-untyped-def]
    """A share more of `origin` ends in stream k; beyond TARGETS streams it is lost."""
    place = -1
    for i in range(target_n[origin]):
        if target[origin, i] == k:
            place = i
    if place < 0:
        if target_n[origin] == TARGETS:
            return
        place = target_n[origin]
        target_n[origin] += 1
        target[origin, place] = k
        lag_s[origin, place] = lag
        share[origin, place] = 0.0
    share[origin, place] += through


@_kernel
def trace_targets(  # type: ignore[no-untyped-def]
    first, last, target, lag_s, share, target_n, horizon_s,
    edge_lane, out_start, out_move, move_lane, move_edge, move_stream, travel_s, turn_share, lane_share,
    survive,
):  # fmt: skip
    """For edges first … last - 1: the streams that vehicles entering them reach without passing another
    stop line, seconds from entry to stop line, and with what probability."""
    stack_edge = np.empty(_STACK, np.int32)
    stack_lag = np.empty(_STACK, np.float32)
    stack_share = np.empty(_STACK, np.float32)
    for origin in range(first, last):
        target_n[origin] = 0
        depth = 1
        stack_edge[0], stack_lag[0], stack_share[0] = origin, travel_s[origin], survive[origin]
        steps = 0
        while depth > 0 and steps < 256:
            steps += 1
            depth -= 1
            edge, lag, part = stack_edge[depth], stack_lag[depth], stack_share[depth]
            for row in range(out_start[edge_lane[edge]], out_start[edge_lane[edge + 1]]):
                m = out_move[row]
                through = part * turn_share[m] * lane_share[move_lane[m]]
                if through < SMALL_SHARE * 0.2:
                    continue
                k = move_stream[m]
                if k < 0:
                    further = lag + travel_s[move_edge[m]]
                    if depth < _STACK and further < horizon_s and through >= SMALL_SHARE:
                        stack_edge[depth] = move_edge[m]
                        stack_lag[depth] = further
                        stack_share[depth] = through * survive[move_edge[m]]
                        depth += 1
                    continue
                _add_target(origin, k, lag, through, target, lag_s, share, target_n)


@_kernel
def trace_lanes(  # type: ignore[no-untyped-def]
    wanted, target, lag_s, share, target_n,
    edge_lane, edge_length_m, out_start, out_move, move_lane_to, move_edge,
    move_stream, travel_s, turn_share, lane_share,
):  # fmt: skip
    """For the wanted lanes (those a camera sees): the streams that their vehicles end in, seconds from the
    lane's end to the stop line, and with what probability. On the way vehicles stay in lane through edges
    shorter than LANE_CHANGE_M, and choose anew on longer ones."""
    stack_lane = np.empty(_STACK, np.int32)
    stack_lag = np.empty(_STACK, np.float32)
    stack_share = np.empty(_STACK, np.float32)
    for w in range(len(wanted)):
        origin = wanted[w]
        target_n[origin] = 0
        depth, steps = 1, 0
        stack_lane[0], stack_lag[0], stack_share[0] = origin, 0.0, 1.0
        while depth > 0 and steps < 256:
            steps += 1
            depth -= 1
            here, lag, part = stack_lane[depth], stack_lag[depth], stack_share[depth]
            for row in range(out_start[here], out_start[here + 1]):
                m = out_move[row]
                through = part * turn_share[m]
                if through < SMALL_SHARE * 0.2:
                    continue
                k = move_stream[m]
                if k >= 0:
                    _add_target(origin, k, lag, through, target, lag_s, share, target_n)
                    continue
                edge = move_edge[m]
                further = lag + travel_s[edge]
                if further > 40.0:
                    continue
                if edge_length_m[edge] < LANE_CHANGE_M:
                    if depth < _STACK:
                        stack_lane[depth] = move_lane_to[m]
                        stack_lag[depth], stack_share[depth] = further, through
                        depth += 1
                    continue
                for onward in range(edge_lane[edge], edge_lane[edge + 1]):
                    chosen = through * lane_share[onward]
                    if depth < _STACK and chosen > SMALL_SHARE * 0.2:
                        stack_lane[depth] = onward
                        stack_lag[depth], stack_share[depth] = further, chosen
                        depth += 1


@_kernel
def forecast(  # type: ignore[no-untyped-def]
    arrivals, seen, here, age_s, slot,
    count, lane, dist_m, speed_mps,
    entry, edge_out, queue, edge_seen, stream_seen, seam_s, travel_s, usual_out, extra,
    planned, has_plan,
    target, lag_s, share, target_n, lane_target, lane_lag_s, lane_part, lane_target_n,
    lane_limit, lane_beyond_m, pair_start, pair_edge, pair_part, open_long, coming,
):  # fmt: skip
    """arrivals: (k, horizon) written. seen: (k,) written, vehicles in view. here: (k,) written, of them
    standing. age_s: age of the state. coming: (e, horizon) work space, future entries of edges."""
    horizon = arrivals.shape[1]
    ring = entry.shape[1]
    arrivals[:] = 0.0
    seen[:] = 0.0
    here[:] = 0.0
    alpha, one = np.float32(DISPERSION_ALPHA), np.float32(1.0)

    # the vehicle nearest to each stop line, and when it crosses: 0 while it stands
    nearest_m = np.full(arrivals.shape[0], np.float32(np.inf), dtype=np.float32)
    nearest_eta_s = np.zeros(arrivals.shape[0], dtype=np.float32)
    for i in range(count):
        at = lane[i]
        moving = speed_mps[i] > STANDING_SPEED_MPS
        for t in range(lane_target_n[at]):
            k = lane_target[at, t]
            away = dist_m[i] - lane_beyond_m[at] + lane_lag_s[at, t] * lane_limit[at]
            if away < nearest_m[k]:
                nearest_m[k] = away
                nearest_eta_s[k] = np.float32(0.0)
                if moving:
                    pace = max(speed_mps[i], _RECOVERY * lane_limit[at])
                    to_end = max(dist_m[i] - lane_beyond_m[at], 0.0) / pace - age_s
                    nearest_eta_s[k] = max(to_end + lane_lag_s[at, t], np.float32(0.0))

    for i in range(count):
        at = lane[i]
        limit = lane_limit[at]
        pace = max(speed_mps[i], _RECOVERY * limit)
        standing = speed_mps[i] <= STANDING_SPEED_MPS
        to_end = max(dist_m[i] - lane_beyond_m[at], 0.0) / pace - age_s
        possible = one
        if standing and dist_m[i] < HEAD_M:  # it did not use the green it sees: it waits for another
            possible = np.float32(0.0)
            for t in range(lane_target_n[at]):
                if not open_long[lane_target[at, t]]:
                    possible += lane_part[at, t]
        for t in range(lane_target_n[at]):
            k, part = lane_target[at, t], lane_part[at, t]
            if np.float32(0.01) < possible < np.float32(0.99):
                part = np.float32(0.0) if open_long[k] else part / possible
            seen[k] += part
            if standing:
                here[k] += part
                # in a queue that moves off, nobody crosses before the first of it
                b = int(nearest_eta_s[k])
                if b < horizon:
                    arrivals[k, b] += part
                continue
            b = int(max(to_end + lane_lag_s[at, t], 0.0))
            if b < horizon:
                arrivals[k, b] += part

    for e in range(len(seam_s)):
        if target_n[e] == 0:
            continue
        lag = travel_s[e] / (one + alpha)
        until = int(seam_s[e] + OVERDUE_S) if edge_seen[e] else int(lag + 0.5)
        until = min(until, ring - 1)
        shift = seam_s[e] if edge_seen[e] else travel_s[e]
        for age in range(until + 1):
            x = entry[e, (slot - age) & (ring - 1)]  # the ring is a power of two long
            if x <= 1e-3:
                continue
            done = min(np.float32(age), shift)
            for t in range(target_n[e]):
                b = int(max(lag_s[e, t] - done - age_s, 0.0))
                if b < horizon:
                    arrivals[target[e, t], b] += x * share[e, t]
        if not edge_seen[e] and edge_out[e] > 1e-3:
            spread = one / (one + alpha * lag)
            rest = edge_out[e] * (one - spread) / spread
            for t in range(target_n[e]):
                b = int(max(lag_s[e, t] - travel_s[e] + one - age_s, 0.0))
                if b < horizon:
                    arrivals[target[e, t], b] += rest * share[e, t]
        # what comes besides, from streets and drives that no camera sees
        if extra[e] > 1e-6:
            for t in range(target_n[e]):
                into, flow = arrivals[target[e, t]], extra[e] * share[e, t]
                for b in range(int(max(lag_s[e, t] - shift - age_s, 0.0)), horizon):
                    into[b] += flow

    # what stop lines upstream will let go: as planned, or as usual
    coming[:] = 0.0
    for k in range(len(pair_start) - 1):
        planned_here = has_plan and planned[k, 0] == planned[k, 0]
        if not planned_here and usual_out[k] < 1e-6:
            continue
        for row in range(pair_start[k], pair_start[k + 1]):
            e, part = pair_edge[row], pair_part[row]
            if target_n[e] == 0:
                continue
            into = coming[e]
            if planned_here:
                flow_of = planned[k]
                for b in range(horizon):
                    into[b] += flow_of[b] * part
            else:
                flow = usual_out[k] * part
                for b in range(horizon):
                    into[b] += flow
    for e in range(len(seam_s)):
        if target_n[e] == 0:
            continue
        lag = travel_s[e] / (one + alpha)
        spread = one / (one + alpha * lag)
        flow = np.float32(0.0)
        moving = False
        for b in range(horizon):
            if coming[e, b] > 0.0:
                moving = True
            flow = spread * coming[e, b] + (one - spread) * flow
            coming[e, b] = flow
        if not moving:
            continue
        early = travel_s[e] - lag
        for t in range(target_n[e]):
            k, part = target[e, t], share[e, t]
            after = int(max(lag_s[e, t] - early, 0.0) + 0.5)
            into, come = arrivals[k], coming[e]
            for b in range(horizon - after):
                into[b + after] += come[b] * part

    for k in range(len(queue)):
        if not stream_seen[k]:
            arrivals[k, 0] += queue[k]
