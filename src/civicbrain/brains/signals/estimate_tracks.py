"""Vehicles followed from one camera frame to the next, so that a missed frame neither hides nor invents one.

Detections carry no identity, by design. Between two frames a second apart a vehicle is recognised by where
it must be: order on a lane is kept (no overtaking), and 4 m are less than one jam spacing. A followed
vehicle lives from frame to frame only and is forgotten when it leaves; what remains are counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from civicbrain.science.compiled import compiled

MATCH_M = 4.0
"""Half-width of the window around the predicted place: 1 s of hard braking (4.5 m/s²) moves it 2.3 m, of
acceleration from standstill (2.6 m/s²) 1.3 m; less than the jam spacing of 7.5 m."""

MATCH_ACROSS_M = 7.0
"""The same where the vehicle has changed its lane or passed into the next one."""

SHORT_EDGE_M = 20.0
"""An edge that may be passed between two frames."""

GHOST_FRAMES = 3
"""Frames for which a vehicle that is overlooked is believed to be still there: at a miss rate of 5 % one of
8,000 is overlooked that often in a row, at 20 % one of 125."""

NEAR_M = 12.0
CANCEL_S = 2.5
"""A vehicle that shows up at the stop line this soon after one was taken to have left is that one."""

_kernel: Callable[[Any], Callable[..., Any]] = compiled()


@_kernel
def _sorted_by_lane(lane, distance, count, lanes):  # type: ignore[no-untyped-def]
    """(order, start): rows of each lane, nearest to the stop line first."""
    start = np.zeros(lanes + 1, np.int32)
    for i in range(count):
        start[lane[i] + 1] += 1
    for i in range(lanes):
        start[i + 1] += start[i]
    place = start[:-1].copy()
    order = np.empty(count, np.int32)
    for i in range(count):
        here = lane[i]
        slot = place[here]
        place[here] += 1
        d = distance[i]
        while slot > start[here] and distance[order[slot - 1]] > d:
            order[slot] = order[slot - 1]
            slot -= 1
        order[slot] = i
    return order, start


@_kernel
def _stop_line_of(  # type: ignore[no-untyped-def]
    lane, lane_camera, lane_signalled, may_leave, out_start, out_move, move_lane_to, turn_share
):
    """The approach lane that a vehicle on this lane most likely ends in: itself, or downstream under the same
    camera (a stub lane is passed between two frames). Lanes that are let go come first. -1: none."""
    for _ in range(4):
        if lane_signalled[lane]:
            return lane
        best, best_share = -1, np.float32(0.0)
        for row in range(out_start[lane], out_start[lane + 1]):
            onward = move_lane_to[out_move[row]]
            if lane_camera[onward] != lane_camera[lane]:
                continue
            share = turn_share[out_move[row]] + np.float32(0.01)
            if lane_signalled[onward] and may_leave[onward]:
                share += np.float32(1.0)
            if share > best_share:
                best, best_share = onward, share
        if best < 0:
            return -1
        lane = best
    return -1


@_kernel
def _nearest_behind(  # type: ignore[no-untyped-def]
    edge, onto, between_m, det_m, best, best_gap, head, following, is_matched, predicted, lane, lane_camera,
    lane_beyond_m,
):  # fmt: skip
    """The unmatched vehicle of `edge` that may have passed into lane `onto`, if it fits better than `best`.
    between_m: from the end of the edge to the end of that lane."""
    i = head[edge]
    while i >= 0:
        place = predicted[i]
        if lane_camera[lane[i]] != lane_camera[onto]:  # the same place, from the other stop line
            place += between_m + lane_beyond_m[onto] - lane_beyond_m[lane[i]]
        gap = abs(place - det_m)
        if not is_matched[i] and gap < best_gap:
            best, best_gap = i, gap
        i = following[i]
    return best, best_gap


@_kernel
def follow(  # type: ignore[no-untyped-def]
    det_count, det_lane, det_m, det_mps,
    count, lane, dist_m, speed_mps, missed,
    new_lane, new_m, new_mps, new_missed,
    dt_s, now_s, state, may_leave, last_left_s, left, appeared, appeared_n,
    lane_camera, lane_beyond_m, lane_limit, lane_edge, lane_signalled,
    edge_lane, out_start, out_move, move_edge, move_lane_to, turn_share, used,
    lane_length, in_start, in_move, move_lane, move_stream,
):  # fmt: skip
    """Match det_* (this frame) with lane… (vehicles followed so far); write the vehicles followed from now
    on to new_* and return how many.

    state: (j,) of each camera, 0 silent, 1 no new frame, 2 new frame, 3 first frame after silence.
    may_leave: (n,) the lane's lamps let vehicles out. last_left_s: (n,) when one last left each lane.
    left: (n,) written, vehicles that left (less those that had not left after all). appeared: written,
    edges on which a vehicle came into view, appeared_n[0] of them.
    """
    lanes = len(lane_edge)
    order, start = _sorted_by_lane(lane, dist_m, count, lanes)
    det_order, det_start = _sorted_by_lane(det_lane, det_m, det_count, lanes)
    match_of_det = np.full(det_count, -1, np.int32)
    is_matched = np.zeros(count, np.bool_)
    predicted = np.empty(count, np.float32)
    for i in range(count):
        predicted[i] = dist_m[i] - speed_mps[i] * dt_s
    for here in range(lanes):
        i, j = start[here], det_start[here]
        while i < start[here + 1] and j < det_start[here + 1]:
            a, b = order[i], det_order[j]
            gap = predicted[a] - det_m[b]
            if abs(gap) <= MATCH_M:
                match_of_det[b] = a
                is_matched[a] = True
                i += 1
                j += 1
            elif gap < 0.0:
                i += 1
            else:
                j += 1
    # those that have changed lane, or passed into the next edge (which may be another camera's)
    head = np.full(len(edge_lane) - 1, -1, np.int32)
    following = np.full(count, -1, np.int32)
    for i in range(count):
        if not is_matched[i]:
            edge = lane_edge[lane[i]]
            following[i] = head[edge]
            head[edge] = i
    for b in range(det_count):
        if match_of_det[b] >= 0:
            continue
        onto = det_lane[b]
        edge = lane_edge[onto]
        best, best_gap = -1, np.float32(MATCH_ACROSS_M)
        i = head[edge]
        while i >= 0:
            gap = abs(predicted[i] - det_m[b])
            if not is_matched[i] and gap < best_gap:
                best, best_gap = i, gap
            i = following[i]
        for row in range(in_start[edge], in_start[edge + 1]):
            origin = lane_edge[move_lane[in_move[row]]]
            if move_stream[in_move[row]] >= 0 or origin == edge:
                continue
            best, best_gap = _nearest_behind(
                origin, onto, lane_length[onto], det_m[b], best, best_gap, head, following, is_matched,
                predicted, lane, lane_camera, lane_beyond_m,
            )  # fmt: skip
            if lane_length[edge_lane[origin]] > SHORT_EDGE_M:
                continue
            for second in range(in_start[origin], in_start[origin + 1]):
                further = lane_edge[move_lane[in_move[second]]]
                if move_stream[in_move[second]] < 0 and further != edge:
                    best, best_gap = _nearest_behind(
                        further, onto, lane_length[onto] + lane_length[edge_lane[origin]], det_m[b], best,
                        best_gap, head, following, is_matched, predicted, lane, lane_camera, lane_beyond_m,
                    )  # fmt: skip
        if best >= 0:
            match_of_det[b] = best
            is_matched[best] = True
            if lane_edge[lane[best]] != edge:
                _count_use(lane[best], onto, edge, out_start, out_move, move_edge, move_lane_to, used)

    # who left, who is only overlooked
    result = 0
    for i in range(count):
        if is_matched[i]:
            continue
        here = lane[i]
        camera = lane_camera[here]
        if state[camera] == 0 or state[camera] == 3:
            continue
        place, speed = predicted[i], speed_mps[i]
        if speed < lane_limit[here] and may_leave[here]:
            place -= 1.3 * dt_s * dt_s  # it may have picked up speed
        age = missed[i] + (1 if state[camera] == 2 else 0)
        line = _stop_line_of(
            here, lane_camera, lane_signalled, may_leave, out_start, out_move, move_lane_to, turn_share
        )
        if line >= 0 and place <= 0.0:
            if may_leave[line]:
                left[line] += 1.0
                last_left_s[line] = now_s
                continue
            place = np.float32(0.5)
        elif line < 0 and place <= lane_beyond_m[here] and age > 1:
            left[here] += 1.0  # turned off to where this camera does not look
            continue
        elif place <= lane_beyond_m[here] and age > GHOST_FRAMES and lane_beyond_m[here] > 0.0:
            left[here] += 1.0
            continue
        if age > GHOST_FRAMES:
            continue
        new_lane[result] = here
        new_m[result] = max(place, 0.0)
        new_mps[result] = speed
        new_missed[result] = age
        result += 1
    found = 0
    for b in range(det_count):
        here = det_lane[b]
        if match_of_det[b] < 0 and state[lane_camera[here]] == 2:
            line = -1
            if det_m[b] < NEAR_M:
                line = _stop_line_of(
                    here,
                    lane_camera,
                    lane_signalled,
                    may_leave,
                    out_start,
                    out_move,
                    move_lane_to,
                    turn_share,
                )
            if line >= 0 and now_s - last_left_s[line] < CANCEL_S:
                left[line] -= 1.0
                last_left_s[line] = -1e9
            elif found < len(appeared):
                appeared[found] = lane_edge[here]
                found += 1
        new_lane[result] = here
        new_m[result] = det_m[b]
        new_mps[result] = det_mps[b]
        new_missed[result] = 0
        result += 1
    appeared_n[0] = found
    return result


@_kernel
def _count_use(  # type: ignore[no-untyped-def]
    lane, onto, edge, out_start, out_move, move_edge, move_lane_to, used
):
    """A vehicle was followed from `lane` to `onto`: count the movement, or another to that edge."""
    other = -1
    for row in range(out_start[lane], out_start[lane + 1]):
        m = out_move[row]
        if move_lane_to[m] == onto:
            used[m] += 1.0
            return
        if move_edge[m] == edge:
            other = m
    if other >= 0:
        used[other] += 1.0
