"""Approach lanes and what each stage does to them: the static part of the queue model, and turning shares.

See `foresight.Lanes`. A lane is the unit here, because vehicles of one lane leave in their order: who must
wait stops those behind, whichever group they want.
"""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.brains.signals.approach import Streams
from civicbrain.brains.signals.foresight import I64, MOST_STREAMS, Lanes
from civicbrain.brains.signals.stages import GREEN, StageTable
from civicbrain.city.model import City
from civicbrain.city.network import F32, F64, I32
from civicbrain.city.signals import Conflict, SignalJunction
from civicbrain.science.queues import STARTUP_LOSS_S, run_before_blocking

UNBLOCKED_VEH = 1e9


class ApproachLanes:
    """l lanes, sorted by junction. stream_lane: (k,) lane of each stream. stream_bit: (k,) its bit on that
    lane.

    flow_veh_per_s: saturation flow of a lane. loss_s: time lost at the start of green. min_stage_s: shortest
    showing of a stage.
    """

    def __init__(
        self, city: City, streams: Streams, table: StageTable, *, flow_veh_per_s: float, loss_s: float,
        min_stage_s: float,
    ) -> None:  # fmt: skip
        self._table = table
        keys = np.stack((streams.junction, streams.lane), axis=1).reshape(-1, 2)
        unique, inverse = np.unique(keys, axis=0, return_inverse=True)
        self.stream_lane: I32 = inverse.reshape(-1).astype(np.int32)
        self.lane: I32 = unique[:, 1].astype(np.int32)
        self.count = len(unique)
        self.stream_bit: I64 = _bits(self.stream_lane)
        lane_start = np.searchsorted(unique[:, 0], np.arange(len(city.junctions) + 1)).astype(np.int32)

        ends = np.append(table.entry_of, len(table.stream))
        entry_of, lane_of, rival_of = [0], [], [0]
        members: list[list[int]] = []
        rivals: list[int] = []
        against: dict[int, list[int]] = {}
        for entry, stream in zip(table.opposing_entry.tolist(), table.opposing_stream.tolist(), strict=True):
            against.setdefault(entry, []).append(int(self.stream_lane[stream]))
        for s in range(table.count):
            of_lane: dict[int, list[int]] = {}
            for entry in range(int(ends[s]), int(ends[s + 1])):
                stream = int(table.stream[entry])
                if stream < streams.count:
                    of_lane.setdefault(int(self.stream_lane[stream]), []).append(entry)
            for lane, entries in sorted(of_lane.items()):
                lane_of.append(lane)
                members.append(entries)
                rivals += sorted({other for entry in entries for other in against.get(entry, [])} - {lane})
                rival_of.append(len(rivals))
            entry_of.append(len(lane_of))
        # members flat, so that new shares cost a few array operations
        rows = len(members)
        self._member = np.array([e for entries in members for e in entries], dtype=np.int64)
        self._row = np.repeat(np.arange(rows), [len(entries) for entries in members])
        bits = np.append(self.stream_bit, 0)[table.stream]
        start = np.zeros((table.start_s.shape[0], rows), dtype=np.float32)
        for row, entries in enumerate(members):
            earliest = table.start_s[:, entries].min(axis=1)
            start[:, row] = np.where(
                earliest > 0.0, np.maximum(earliest - STARTUP_LOSS_S + loss_s, 0.01), 0.0
            )
        self.lanes = Lanes(
            lane_start=lane_start,
            stage_of=table.stage_of.astype(np.int32),
            usable=np.ascontiguousarray(table.usable),
            mixed=np.zeros(len(city.junctions), dtype=bool),
            entry_of=np.array(entry_of, dtype=np.int32),
            lane=np.array(lane_of, dtype=np.int32),
            start_s=start,
            span_s=_least_spans(city, table, min_stage_s),
            flow=np.full(rows, flow_veh_per_s),
            run_veh=np.zeros(rows),
            full=_union([[int(bits[e]) for e in row if not table.permitted[e]] for row in members]),
            permitted=_union([[int(bits[e]) for e in row if table.permitted[e]] for row in members]),
            share=np.zeros((self.count, MOST_STREAMS)),
            rival_of=np.array(rival_of, dtype=np.int32),
            rival=np.array(rivals, dtype=np.int32),
        )
        every_bit = np.zeros(self.count, dtype=np.int64)
        np.bitwise_or.at(every_bit, self.stream_lane, self.stream_bit)
        self._stops = (
            self.lanes.full != every_bit[self.lanes.lane]
        )  # somebody in the lane has no right of way
        self.lanes.mixed[unique[self.lanes.lane[self._stops], 0]] = True
        self._column = np.minimum(np.log2(self.stream_bit).astype(np.int64), MOST_STREAMS - 1)
        self.take_shares(streams.share)

    def take_shares(self, share: NDArray[Any]) -> None:
        """share: (k,) of its lane's vehicles that each stream takes."""
        table, lanes = self._table, self.lanes
        of_stream = np.asarray(share, dtype=np.float64)
        lanes.share[:] = 0.0
        np.add.at(lanes.share, (self.stream_lane, self._column), of_stream)
        by_right = np.append(of_stream, 0.0)[table.stream[self._member]] * ~table.permitted[self._member]
        of_entry = np.bincount(self._row, by_right, len(lanes.flow))
        # a green for who hardly ever comes is still worth the one who stands there: see `Scene.head`
        run = np.maximum(run_before_blocking(np.minimum(of_entry, 1.0)), 0.02)
        lanes.run_veh[:] = np.where(self._stops, run, UNBLOCKED_VEH)


def transition_s(junction: SignalJunction, from_stage: int, to_stage: int) -> float:
    """Time until all lamps of a stage stand when the other (-1: none) is left now, minimum greens over."""
    new = junction.stages[to_stage].lamps
    old = junction.stages[from_stage].lamps if from_stage >= 0 else "r" * len(new)
    changes = list(zip(old, new, strict=True))
    ends = np.array([a in GREEN and b not in GREEN for a, b in changes], dtype=bool)
    # who keeps 'g' but gives up 'G' counts as ended towards those it then yields to
    yields = ends | np.array([change == ("G", "g") for change in changes], dtype=bool)
    begins = np.array([b == "G" != a or (b == "g" and a not in GREEN) for a, b in changes], dtype=bool)
    yellow = np.array([group.yellow_s for group in junction.groups])
    pair = np.ix_(yields, begins)
    clash = junction.conflict_array[pair] != Conflict.NONE
    gaps = np.where(clash, junction.intergreen_array_s[pair], 0.0)
    return max(float(yellow[ends].max(initial=0.0)), float(gaps.max(initial=0.0)))


def _least_spans(city: City, table: StageTable, min_stage_s: float) -> F32:
    """(c, s) the table's shortest span, and never less than the transition and a showing of min_stage_s: a
    controller completes what it has begun."""
    spans: F64 = table.shortest_s.copy()
    for j, junction in enumerate(city.junctions):
        for s in range(len(junction.stages)):
            row = int(table.stage_of[j]) + s
            for c in range(-1, len(junction.stages)):
                spans[c + 1, row] = max(spans[c + 1, row], transition_s(junction, c, s) + min_stage_s)
    return np.ascontiguousarray(spans, dtype=np.float32)


def _bits(lane: I32) -> I64:
    taken: dict[int, int] = {}
    bits = np.zeros(len(lane), dtype=np.int64)
    for stream, row in enumerate(lane.tolist()):
        bits[stream] = 1 << min(taken.get(row, 0), MOST_STREAMS - 1)
        taken[row] = taken.get(row, 0) + 1
    return bits


def _union(rows: list[list[int]]) -> I64:
    return np.array([functools.reduce(operator.or_, row, 0) for row in rows], dtype=np.int64)
