"""Which seen vehicle asks for which signal group: the static part, made once from the city.

A *stream* is an approach lane together with one signal group that serves it: the unit in which demand is
counted. A lane whose vehicles face two groups (a shared lane) is two streams. Cameras also see lanes
further upstream, edges before a stub lane for instance; each is followed downstream, connection by
connection, to the streams its vehicles will end in, and with what probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import F64, I32
from civicbrain.science.queues import JAM_SPACING_M

TURN_PRIOR = {ord("s"): 3.0, ord("l"): 1.0, ord("r"): 1.0, ord("t"): 0.05}
"""Relative use of the turns a lane offers, before anything is known: most traffic goes straight on."""

FAN_OUT = 8
"""Streams kept a camera lane; more only occur on lanes far upstream of a wide approach."""

DOWNSTREAM_M = 200.0
"""How far behind the stop line spill-back is looked for."""

SHORT_LINK_CARS = 3.0
"""A lane between two signals that holds fewer cars than this has no queue of its own: what stands on it
stands for the junction behind, and both lock when it is fed faster than it is let out."""

_DEPTH = 16


@dataclass(frozen=True, eq=False)
class Exits:
    """x ways out of the streams, one a signalled movement: the lanes up to the next stop line."""

    stream: I32  # (x,)
    weight: F64  # (x,) share of the stream's vehicles, prior
    storage_m: F64  # (x,) room there, m of one lane, what is out of view counted half; inf where none is seen
    short_lane: I32  # (x,) the lane itself where it is a short link to another signal junction, else -1
    cell_exit: I32  # (z,) exit row of each cell: a lane behind the stop line …
    cell_lane: I32  # (z,) … its row …
    cell_share: F64  # (z,) … and how much of the outflow it takes


@dataclass(frozen=True, eq=False)
class Streams:
    """k streams, sorted by junction. `group` is the city-wide group row."""

    junction: I32  # (k,)
    lane: I32  # (k,) approach lane
    group: I32  # (k,)
    share: F64  # (k,) prior share of the lane's vehicles
    movement_stream: I32  # (m,) stream of each movement, -1 where unsignalled
    lane_stream: I32  # (n, FAN_OUT) streams that vehicles of a lane end in; k (a bin of no account) for none
    lane_share: F64  # (n, FAN_OUT) with what probability
    exits: Exits

    @property
    def count(self) -> int:
        return len(self.junction)


def build_streams(city: City) -> Streams:
    """Streams of all junctions of a city, with the lanes that feed them and the lanes they feed."""
    network = city.network
    moves = network.movements
    signalled = np.flatnonzero((moves.junction >= 0) & (moves.group >= 0))
    key = np.stack((moves.junction[signalled], moves.from_lane[signalled], moves.group[signalled]), axis=1)
    unique, inverse = np.unique(key, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    count = len(unique)
    movement_stream = np.full(len(moves.from_lane), -1, dtype=np.int32)
    movement_stream[signalled] = inverse
    turn_weight = np.array([TURN_PRIOR.get(int(turn), 1.0) for turn in moves.turn], dtype=np.float64)

    weight = np.bincount(inverse, weights=turn_weight[signalled], minlength=count)
    lane_total = np.bincount(unique[:, 1], weights=weight, minlength=len(network.lanes.ids))
    share = weight / np.maximum(lane_total[unique[:, 1]], 1e-9)

    lane_stream, lane_share = _upstream_targets(city, unique.astype(np.int32), share, turn_weight)
    return Streams(
        junction=unique[:, 0].astype(np.int32),
        lane=unique[:, 1].astype(np.int32),
        group=unique[:, 2].astype(np.int32),
        share=share,
        movement_stream=movement_stream,
        lane_stream=lane_stream,
        lane_share=lane_share,
        exits=_exits(city, movement_stream, turn_weight, unique.astype(np.int32)),
    )


def _upstream_targets(city: City, streams: I32, share: F64, turn_weight: F64) -> tuple[I32, F64]:
    moves = city.network.movements
    order, start = city.network.movements_from
    lane_count, count = len(city.network.lanes.ids), len(streams)
    camera_of = np.full(lane_count, -1, dtype=np.int32)
    camera_of[city.cameras.lane] = city.cameras.junction

    own: dict[int, dict[int, float]] = {}
    for row, (_, lane, _) in enumerate(streams.tolist()):
        own.setdefault(lane, {})[row] = float(share[row])
        camera_of[lane] = streams[row, 0] if camera_of[lane] < 0 else camera_of[lane]

    known: dict[int, dict[int, float]] = {}

    def targets(lane: int, depth: int) -> dict[int, float]:
        """Streams that vehicles on this lane end in; what turns off elsewhere is lost."""
        if lane in own:
            return own[lane]
        if lane in known or depth == 0:
            return known.get(lane, {})
        known[lane] = {}  # a ring of lanes without a signal feeds nothing
        found: dict[int, float] = {}
        rows = order[start[lane] : start[lane + 1]]
        total = float(turn_weight[rows].sum())
        for move in rows.tolist():
            onward = int(moves.to_lane[move])
            if camera_of[onward] != camera_of[lane]:
                continue
            for stream, part in targets(onward, depth - 1).items():
                found[stream] = found.get(stream, 0.0) + part * float(turn_weight[move]) / total
        known[lane] = found
        return found

    lane_stream = np.full((lane_count, FAN_OUT), count, dtype=np.int32)
    lane_share = np.zeros((lane_count, FAN_OUT), dtype=np.float64)
    for lane in np.flatnonzero(camera_of >= 0).tolist():
        largest = sorted(targets(lane, _DEPTH).items(), key=lambda item: (-item[1], item[0]))[:FAN_OUT]
        for column, (stream, part) in enumerate(largest):
            lane_stream[lane, column] = stream
            lane_share[lane, column] = part
    return lane_stream, lane_share


def _exits(city: City, movement_stream: I32, turn_weight: F64, streams: I32) -> Exits:
    network, count = city.network, len(streams)
    moves = network.movements
    order, start = network.movements_from
    length = network.lanes.length_m
    cameras = city.cameras
    visible_m = np.zeros(len(network.lanes.ids), dtype=np.float32)
    visible_m[cameras.lane] = np.clip(cameras.range_m - cameras.beyond_m, 0.0, length[cameras.lane])

    def region(lane: int) -> dict[int, float]:
        """Lanes from here to the next stop line (or DOWNSTREAM_M), each with its share of the flow."""
        found: dict[int, float] = {}
        frontier = [(lane, 1.0, 0.0)]
        while frontier and len(found) < 24:
            here, part, entered = frontier.pop(0)
            found[here] = found.get(here, 0.0) + part
            rows = order[start[here] : start[here + 1]]
            if entered + length[here] >= DOWNSTREAM_M or (len(rows) and moves.junction[rows[0]] >= 0):
                continue
            total = float(turn_weight[rows].sum())
            for move in rows.tolist():
                onward = int(moves.to_lane[move])
                if onward not in found:
                    frontier.append(
                        (onward, part * float(turn_weight[move]) / total, entered + float(length[here]))
                    )
        return found

    next_signal = np.full(len(length), -1, dtype=np.int32)
    next_signal[streams[:, 1]] = streams[:, 0]
    exits = np.flatnonzero(movement_stream >= 0)
    onto = moves.to_lane[exits]
    short = (next_signal[onto] >= 0) & (next_signal[onto] != moves.junction[exits])
    short &= length[onto] < SHORT_LINK_CARS * JAM_SPACING_M
    cell_exit: list[int] = []
    cell_lane: list[int] = []
    cell_share: list[float] = []
    storage_m = np.full(len(exits), np.inf)
    for row, move in enumerate(exits.tolist()):
        lanes = region(int(moves.to_lane[move]))
        cell_exit += [row] * len(lanes)
        cell_lane += list(lanes)
        cell_share += list(lanes.values())
        if any(visible_m[lane] > 0.0 for lane in lanes):
            metres = sum(part * (visible_m[lane] + length[lane]) / 2.0 for lane, part in lanes.items())
            storage_m[row] = max(float(metres), JAM_SPACING_M)
    weight = turn_weight[exits]
    total = np.bincount(movement_stream[exits], weights=weight, minlength=count)
    return Exits(
        stream=movement_stream[exits],
        weight=weight / total[movement_stream[exits]],
        storage_m=storage_m,
        short_lane=np.where(short, onto, -1).astype(np.int32),
        cell_exit=np.array(cell_exit, dtype=np.int32),
        cell_lane=np.array(cell_lane, dtype=np.int32),
        cell_share=np.array(cell_share, dtype=np.float64),
    )
