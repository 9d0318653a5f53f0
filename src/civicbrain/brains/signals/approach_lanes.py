"""Approach lanes and what each stage does to them: the static part of the queue model, and turning shares.

See `schedules.Lanes`. A lane is the unit here, because vehicles of one lane leave in their order: who must
wait stops those behind, whichever group they want.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.brains.signals.approach import Streams
from civicbrain.brains.signals.schedules import I64, MOST_LANES, MOST_STREAMS, Lanes
from civicbrain.brains.signals.stages import StageTable, list_switches
from civicbrain.city.model import City
from civicbrain.city.network import F32, F64, I32, U8
from civicbrain.city.signals import SignalJunction
from civicbrain.science.compiled import compiled
from civicbrain.science.queues import STARTUP_LOSS_S


class ApproachLanes:
    """l lanes, sorted by junction. stream_lane: (k,) lane of each stream. stream_bit: (k,) its bit on that
    lane.

    loss_s: time lost at the start of green. yellow_s: use made of yellow. min_stage_s: shortest showing of a
    stage.
    """

    def __init__(
        self, city: City, streams: Streams, table: StageTable, *, loss_s: float, yellow_s: float,
        min_stage_s: float,
    ) -> None:  # fmt: skip
        keys = np.stack((streams.junction, streams.lane), axis=1).reshape(-1, 2)
        unique, inverse = np.unique(keys, axis=0, return_inverse=True)
        self.stream_lane: I32 = inverse.reshape(-1).astype(np.int32)
        self.lane: I32 = unique[:, 1].astype(np.int32)
        self.count = len(unique)
        self.stream_bit: I64 = _bits(self.stream_lane)
        self._column = np.log2(self.stream_bit).astype(np.int64)
        lane_start = np.searchsorted(unique[:, 0], np.arange(len(city.junctions) + 1)).astype(np.int32)
        stage_of = table.stage_of.astype(np.int32)
        lanes_of, stages_of = np.diff(lane_start).astype(np.int64), np.diff(stage_of).astype(np.int64)

        ready = np.ceil(_least_spans(city, table, min_stage_s) - 1e-3)
        start = np.where(
            table.start_s > 0.0, np.maximum(table.start_s - STARTUP_LOSS_S + loss_s, 0.01), 0.0
        )  # (c, e)
        span = np.ones(len(city.junctions), dtype=np.int32)
        latest = np.zeros(table.count)
        np.maximum.at(latest, table.stage, start.max(axis=0, initial=0.0))
        np.maximum.at(
            span,
            table.junction,
            np.ceil(np.maximum(latest, ready.max(axis=0, initial=0.0))).astype(np.int32) + 1,
        )
        shown_of = np.concatenate(([0], np.cumsum((stages_of + 1) * stages_of * span * lanes_of)))
        shown = np.zeros(int(shown_of[-1]), dtype=np.uint8)
        known = np.flatnonzero(table.stream < streams.count)
        stream = table.stream[known]
        lane_row = self.stream_lane[stream] - lane_start[table.entry_junction[known]]
        bit = np.where(table.permitted[known], self.stream_bit[stream] << 4, self.stream_bit[stream])
        _fill_shown(
            known, table.stage[known], table.entry_junction[known], lane_row, bit.astype(np.uint8), start,
            stage_of, lanes_of, span, shown_of, yellow_s, shown,
        )  # fmt: skip
        yield_of = np.concatenate(([0], np.cumsum(stages_of * lanes_of)))
        rival_of, rival, rival_bits = self._rivals(table, stage_of, lane_start, yield_of)
        self.lanes = Lanes(
            lane_start=lane_start,
            stage_of=stage_of,
            usable=np.ascontiguousarray(table.usable),
            extra=table.extra,
            span=span,
            shown_of=shown_of,
            shown=shown,
            every_s=np.array([max(round(one.request_every_s), 1) for one in city.junctions], dtype=np.int32),
            ready_s=np.ascontiguousarray(ready, dtype=np.int32),
            share=np.zeros((self.count, MOST_STREAMS)),
            yield_of=yield_of,
            rival_of=rival_of,
            rival=rival,
            rival_bits=rival_bits,
        )
        self.take_shares(streams.share)

    def _rivals(
        self, table: StageTable, stage_of: I32, lane_start: I32, yield_of: I64
    ) -> tuple[I32, I32, NDArray[np.uint8]]:
        found: dict[int, dict[int, int]] = {}
        for entry, other in zip(table.opposing_entry.tolist(), table.opposing_stream.tolist(), strict=True):
            j, own = int(table.entry_junction[entry]), int(self.stream_lane[table.stream[entry]])
            rival = int(self.stream_lane[other])
            if rival == own or rival - int(lane_start[j]) >= MOST_LANES:  # not played
                continue
            width, low = int(lane_start[j + 1] - lane_start[j]), int(lane_start[j])
            place = int(yield_of[j]) + (int(table.stage[entry]) - int(stage_of[j])) * width + own - low
            bits = found.setdefault(place, {})
            bits[rival - low] = bits.get(rival - low, 0) | int(self.stream_bit[other])
        count_of = np.zeros(int(yield_of[-1]) + 1, dtype=np.int32)
        pairs = [(rival, bits) for place in sorted(found) for rival, bits in sorted(found[place].items())]
        for place, rivals in found.items():
            count_of[place] = len(rivals)
        rival_of = np.concatenate(([0], np.cumsum(count_of))).astype(np.int32)
        flat = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return rival_of, flat[:, 0].astype(np.int32), flat[:, 1].astype(np.uint8)

    def take_shares(self, share: NDArray[Any]) -> None:
        """share: (k,) of its lane's vehicles that each stream takes."""
        self.lanes.share[:] = 0.0
        np.add.at(self.lanes.share, (self.stream_lane, self._column), np.asarray(share, dtype=np.float64))


@compiled()
def _fill_shown(
    entry: I64, stage: I32, junction: I32, lane: I32, bit: U8, start_s: F64, stage_of: I32, lanes_of: I64,
    span: I32, shown_of: I64, yellow_s: float, shown: U8,
) -> None:  # fmt: skip
    """See `Lanes.shown`. First five: one row for each (stage, stream) shown green."""
    for n in range(len(entry)):
        j = junction[n]
        own = stage[n] - stage_of[j]
        stages, width = stage_of[j + 1] - stage_of[j], lanes_of[j]
        for c in range(stages + 1):
            begin = shown_of[j] + (c * stages + own) * span[j] * width + lane[n]
            for tau in range(span[j]):
                if c == own + 1 or tau >= start_s[c, entry[n]] - 0.5:
                    shown[begin + tau * width] |= bit[n]
        # who is shown 'G' still uses the first seconds of yellow, whatever comes next
        if bit[n] < 16:
            for after in range(stages):
                begin = shown_of[j] + ((own + 1) * stages + after) * span[j] * width + lane[n]
                for tau in range(min(int(yellow_s + 0.5), span[j])):
                    shown[begin + tau * width] |= bit[n]


def transitions_s(junction: SignalJunction) -> F64:
    """(c, s) time until all lamps of stage s stand when stage c - 1 (0: all red) is left now, minimum greens
    over."""
    switches = list_switches(junction)
    old, new = switches.old, switches.new
    ends = switches.before & ~switches.after
    begins = ((new == "G") & (old != "G")) | ((new == "g") & ~switches.before)
    yellow_s = np.array([group.yellow_s for group in junction.groups])
    last_yellow_s = np.where(ends, yellow_s, 0.0).max(axis=2, initial=0.0)
    last_gap_s = np.where(begins, switches.wait_s, 0.0).max(axis=2, initial=0.0)
    longest: F64 = np.maximum(last_yellow_s, last_gap_s)
    return longest


def _least_spans(city: City, table: StageTable, min_stage_s: float) -> F32:
    """(c, s) the table's shortest span, and never less than the transition and a showing of min_stage_s: a
    controller completes what it has begun."""
    spans: F64 = np.maximum(table.shortest_s - STARTUP_LOSS_S, 0.0)
    for j, junction in enumerate(city.junctions):
        own = spans[: len(junction.stages) + 1, int(table.stage_of[j]) : int(table.stage_of[j + 1])]
        np.maximum(own, transitions_s(junction) + min_stage_s, out=own)
    return np.ascontiguousarray(spans, dtype=np.float32)


def _bits(lane: I32) -> I64:
    taken: dict[int, int] = {}
    bits = np.zeros(len(lane), dtype=np.int64)
    for stream, row in enumerate(lane.tolist()):
        bits[stream] = 1 << min(taken.get(row, 0), MOST_STREAMS - 1)
        taken[row] = taken.get(row, 0) + 1
    return bits
