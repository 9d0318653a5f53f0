"""What moves where no camera looks: from stop lines into the next edges, along them, into unseen queues.

Each edge keeps what entered it in each of the last seconds. Its age says where it is; what is old enough to
be in a camera's view is left to that camera. Platoons spread as in Robertson (1969), "TRANSYT: a traffic
network study tool", RRL report LR 253: out(t) = F in(t - τ) + (1 - F) out(t - 1), F = 1 / (1 + α τ), here
with the α of free urban streets with little friction, and with τ chosen so that the mean travel time stays
that of free flow (Seddon 1972; Rakha and Farzaneh 2006: τ = T / (1 + α)).

An approach that no camera sees holds a point queue a stream: in comes what arrives, out goes the saturation
flow while the lamps are green (lamps are known everywhere).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from civicbrain.science.compiled import compiled
from civicbrain.science.queues import SATURATION_FLOW_VEH_PER_S, STARTUP_LOSS_S

DISPERSION_ALPHA = 0.1
"""Spread of a platoon: about 10 % of the travel time, the spread of the speeds that drivers wish for
(TRANSYT takes 0.35 for streets with parking and friction)."""

OVERDUE_S = 5.0
"""A vehicle that is this late in coming into view has gone somewhere else."""

_ORIGINS = 48

CLUTTER = 0.05
"""Expected vehicles that come into view within the time that fits without having passed a stop line."""

_FLOW = np.float32(SATURATION_FLOW_VEH_PER_S)
_GREEN, _YIELD, _YELLOW, _STOP_RIGHT = ord("G"), ord("g"), ord("y"), ord("s")

_kernel: Callable[[Any], Callable[..., Any]] = compiled()


@_kernel
def capacity(lamp):  # type: ignore[no-untyped-def]
    """veh/s that leave a standing queue under this lamp. A yielding stream finds gaps for half of it."""
    if lamp == _GREEN:
        return _FLOW
    if lamp == _YIELD:
        return np.float32(0.5) * _FLOW
    if lamp in (_YELLOW, _STOP_RIGHT):
        return np.float32(0.2) * _FLOW
    return np.float32(0.0)


@_kernel
def run_second(  # type: ignore[no-untyped-def]
    slot, entry, released, edge_out, queue, inflow, stream_out, any_in,
    edge_seen, stream_seen, source, scale, lamps, green_s, travel_s, turn_share, lane_share, move_lane,
    move_edge, move_stream, edge_lane, out_start, out_move, stream_start, stream_move, stream_lane,
    stream_group, storage, used, debt,
):  # fmt: skip
    """One second of everything that is not seen. slot: place of this second in the rings.

    entry: (e, ring) vehicles that entered each edge. released: (ring, m) vehicles that took each movement.
    edge_out: (e,) outflow at the end of unseen edges. queue: (k,) unseen queues. inflow: (k,)
    written. stream_out (k,), any_in (e,): added to, what left streams and what entered
    edges.
    """
    ring = entry.shape[1]
    entry[:, slot] = 0.0
    released[slot, :] = 0.0
    inflow[:] = 0.0
    alpha = np.float32(DISPERSION_ALPHA)
    one = np.float32(1.0)
    for e in range(len(edge_out)):
        if edge_seen[e]:
            edge_out[e] = 0.0
            continue
        lag = travel_s[e] / (one + alpha)
        spread = one / (one + alpha * lag)
        edge_out[e] = (
            spread * entry[e, (slot - max(int(lag + 0.5), 1)) & (ring - 1)] + (one - spread) * edge_out[e]
        )
        flow = edge_out[e] * scale[e] + source[e]
        if flow < 1e-5:
            continue
        for row in range(out_start[edge_lane[e]], out_start[edge_lane[e + 1]]):
            m = out_move[row]
            part = flow * lane_share[move_lane[m]] * turn_share[m]
            if move_stream[m] >= 0:
                inflow[move_stream[m]] += part
            else:
                released[slot, m] += part
                entry[move_edge[m], slot] += part
                any_in[move_edge[m]] += part
    lane, room, held = -1, one, np.float32(0.0)
    for k in range(len(queue)):
        if stream_seen[k]:
            continue
        if stream_lane[k] != lane:  # streams of a lane stand together; they share its stop line
            lane, room, held = stream_lane[k], one, np.float32(0.0)
            for other in range(k, len(queue)):
                if stream_lane[other] != lane:
                    break
                if capacity(lamps[stream_group[other]]) == 0.0:
                    held += queue[other]
        waiting = queue[k] + inflow[k]
        flow = capacity(lamps[stream_group[k]])
        out = np.float32(0.0)
        if flow > 0.0 and green_s[stream_group[k]] >= STARTUP_LOSS_S:
            # the head of a shared lane may be one that has red
            out = min(waiting, flow * room * waiting / max(waiting + held, np.float32(1e-6)))
            room = max(room - out / flow, np.float32(0.0))
        queue[k] = min(waiting - out, storage[k])
        stream_out[k] += out
        if out < 1e-6:
            continue
        total = np.float32(0.0)
        for row in range(stream_start[k], stream_start[k + 1]):
            total += turn_share[stream_move[row]]
        if total <= 0.0:
            continue
        for row in range(stream_start[k], stream_start[k + 1]):
            m = stream_move[row]
            part = out * turn_share[m] / total
            released[slot, m] += part
            used[m] += part
            entry[move_edge[m], slot] += part
            any_in[move_edge[m]] += part
    for e in range(len(debt)):
        if debt[e] > 1e-3:  # who came into view before expected
            paid = min(debt[e], entry[e, slot])
            entry[e, slot] -= paid
            debt[e] = np.float32(0.9) * (debt[e] - paid)


@_kernel
def release_left(  # type: ignore[no-untyped-def]
    slot, left, entry, released, stream_out, any_in, used, lamps,
    turn_share, lane_camera, out_start, out_move, move_edge, move_stream, move_group, edge_lane,
):  # fmt: skip
    """Vehicles that were seen to leave go into the next edges, by the lane's turning shares among the
    movements that the lamps allowed. used: (m,) such uses, counted."""
    for lane in range(len(left)):
        if left[lane] == 0.0:
            continue
        total = np.float32(0.0)
        for row in range(out_start[lane], out_start[lane + 1]):
            m = out_move[row]
            allowed = _allowed(m, lane, lamps, move_group, move_edge, lane_camera, edge_lane)
            total += turn_share[m] * allowed
        if total <= 0.0:
            continue
        for row in range(out_start[lane], out_start[lane + 1]):
            m = out_move[row]
            allowed = _allowed(m, lane, lamps, move_group, move_edge, lane_camera, edge_lane)
            part = left[lane] * turn_share[m] * allowed / total
            if part == 0.0:
                continue
            released[slot, m] += part
            entry[move_edge[m], slot] += part
            any_in[move_edge[m]] += part
            if move_stream[m] >= 0:
                stream_out[move_stream[m]] += part
                used[m] = max(used[m] + part, np.float32(0.0))


@_kernel
def _allowed(m, lane, lamps, move_group, move_edge, lane_camera, edge_lane):  # type: ignore[no-untyped-def]
    """How likely a vehicle that left just now used this movement, as far as the lamps say."""
    group = move_group[m]
    if group < 0:  # towards a street that the same camera sees it would still be followed
        inside = lane_camera[edge_lane[move_edge[m]]] == lane_camera[lane]
        return np.float32(0.0) if inside else np.float32(1.0)
    lamp = lamps[group]
    if lamp == _GREEN:
        return np.float32(1.0)
    if lamp == _YIELD:
        return np.float32(0.7)
    if lamp in (_YELLOW, _STOP_RIGHT):
        return np.float32(0.3)
    return np.float32(0.01)


@_kernel
def take_appeared(  # type: ignore[no-untyped-def]
    slot, appeared, count, entry, released, move_count, came, debt, edge_seen, seam_s, travel_s,
    in_start, in_move, move_lane, lane_edge, move_stream, turn_share, lane_share,
):  # fmt: skip
    """Vehicles that came into view are no longer on their way: take one from what entered the edge, oldest
    first, and credit the movements that may have brought it, by what each released at the time that fits
    (an expectation-maximisation step for the mixture of origins; `CLUTTER` is the weight of none of them).
    Origins are the stop lines behind, through edges that no camera sees.
    """
    ring = entry.shape[1]
    zero, one = np.float32(0.0), np.float32(1.0)
    origin = np.empty(_ORIGINS, np.int32)
    weight = np.empty(_ORIGINS, np.float32)
    stack_edge = np.empty(_ORIGINS, np.int32)
    stack_lag = np.empty(_ORIGINS, np.float32)
    stack_part = np.empty(_ORIGINS, np.float32)
    for i in range(count):
        e = appeared[i]
        came[e] += one
        found, depth, steps = 0, 1, 0
        total = zero
        stack_edge[0], stack_lag[0], stack_part[0] = e, seam_s[e], one
        while depth > 0 and steps < 4 * _ORIGINS:
            steps += 1
            depth -= 1
            here, lag, part = stack_edge[depth], stack_lag[depth], stack_part[depth]
            for row in range(in_start[here], in_start[here + 1]):
                m = in_move[row]
                if move_stream[m] < 0:
                    behind = lane_edge[move_lane[m]]
                    further = lag + travel_s[behind]
                    through = part * turn_share[m] * lane_share[move_lane[m]]
                    if depth < _ORIGINS and not edge_seen[behind] and further < 0.8 * ring and through > 0.05:
                        stack_edge[depth], stack_lag[depth], stack_part[depth] = behind, further, through
                        depth += 1
                elif found < _ORIGINS:
                    slack = np.float32(2.0) + np.float32(0.15) * lag
                    mine = zero
                    for age in range(max(int(lag - slack), 0), min(int(lag + slack + one), ring - 1) + 1):
                        mine += max(released[(slot - age) & (ring - 1), m], zero)
                    if mine > zero:
                        origin[found], weight[found] = m, mine * part
                        total += mine * part
                        found += 1
        if total > np.float32(0.02):
            for row in range(found):
                move_count[origin[row]] += weight[row] / (total + np.float32(CLUTTER))
        rest = one
        oldest = min(int(seam_s[e] + OVERDUE_S) + 1, ring - 1)
        for age in range(oldest, max(int(0.5 * seam_s[e]) - 1, 0) - 1, -1):
            place = (slot - age) & (ring - 1)
            taken = min(rest, max(entry[e, place], zero))
            entry[e, place] -= taken
            rest -= taken
            if rest <= zero:
                break
        debt[e] += max(rest, zero)
