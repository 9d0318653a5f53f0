"""What the street hides: expected arrivals at every stop line, from what cameras see and what follows.

Each second: vehicles in view are followed from frame to frame (`estimate_tracks`); those that leave enter the
next edge and travel unseen to the next camera's view (`estimate_flow`); approaches without a camera hold
queues that fill and drain by reckoning; turning shares are learned from who shows up behind
(`estimate_shares`); the result is a forecast for each stream (`estimate_forecast`). Where a camera looks,
what it sees replaces what was expected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from civicbrain.brains.signals.ages import CameraAges
from civicbrain.brains.signals.approach import Streams
from civicbrain.brains.signals.estimate_flow import release_left, run_second, take_appeared
from civicbrain.brains.signals.estimate_forecast import TARGETS, forecast, trace_lanes, trace_targets
from civicbrain.brains.signals.estimate_layout import RING_S, Layout, build_layout
from civicbrain.brains.signals.estimate_shares import Shares
from civicbrain.brains.signals.estimate_sources import Sources
from civicbrain.brains.signals.estimate_tracks import follow
from civicbrain.city.model import City
from civicbrain.city.network import F32, I32, U8, Bool
from civicbrain.city.snapshot import Snapshot

SILENT_S = 5.0
"""A camera that has said nothing for this long is treated as none."""

LEARN_EVERY_S = 30

Tracks = tuple[I32, F32, F32, I32]
"""Lane, distance to the stop line m, speed m/s, frames missed of each followed vehicle."""

BLOCKED_S = 5.0
"""Green after which a vehicle that still stands at the stop line waits for another group."""

_OPEN = tuple(ord(lamp) for lamp in "Ggys")


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """k streams, m movements, h seconds from now. Arrays are the estimator's own: valid until its next
    update."""

    arrivals_veh: F32  # (k, h) vehicles that could be at the stop line in second b were nothing in their way
    seen_veh: F32  # (k,) vehicles in a camera's view now
    queue_veh: F32  # (k,) of all, seen or not: standing now
    rate_veh_per_s: F32  # (k,) arrivals in the long run (5 min)
    share: F32  # (k,) of the lane's vehicles
    turn_share: F32  # (m,) of the from-lane's vehicles


class Estimator:
    """Keeps its state between updates; starts afresh when time goes back. Compiles in the constructor."""

    def __init__(self, city: City, streams: Streams, horizon_s: int = 60) -> None:
        self.layout: Layout = build_layout(city, streams)
        self._horizon = horizon_s
        self._groups = city.signals.group_count
        self._ages = CameraAges(city)
        layout = self.layout
        n, e, m, k = layout.lanes, layout.edges, layout.movements, layout.streams
        self._storage = _stream_storage(layout)
        self.shares = Shares(layout)
        self._arrivals = np.zeros((k, horizon_s), np.float32)
        self._coming = np.zeros((e, horizon_s), np.float32)
        self._no_plan = np.zeros((1, 1), np.float32)
        self._target = np.zeros((e, TARGETS), np.int32)
        self._target_lag = np.zeros((e, TARGETS), np.float32)
        self._target_share = np.zeros((e, TARGETS), np.float32)
        self._target_n = np.zeros(e, np.int32)
        self._camera_lanes = np.flatnonzero(layout.lane_camera >= 0).astype(np.int32)
        self._lane_target = np.zeros((n, TARGETS), np.int32)
        self._lane_lag = np.zeros((n, TARGETS), np.float32)
        self._lane_part = np.zeros((n, TARGETS), np.float32)
        self._lane_target_n = np.zeros(n, np.int32)
        self._seen, self._here = np.zeros(k, np.float32), np.zeros(k, np.float32)
        self._left = np.zeros(n, np.float32)
        self._inflow, self._out = np.zeros(k, np.float32), np.zeros(k, np.float32)
        self._any_in = np.zeros(e, np.float32)
        self._entry = np.zeros((e, RING_S), np.float32)
        self._released = np.zeros((RING_S, m), np.float32)
        self._state = np.zeros(len(city.junctions), np.int32)
        self.sources = Sources(layout)
        self._make_room(1024)
        self.reset()
        lamps = np.full(self._groups, ord("r"), np.uint8)
        nothing = (np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0, np.float32))
        for second in (0.0, 1.0):
            self._advance(second, self._state, nothing, lamps)
        self._forecast(1.0, None)
        self._forecast(1.0, np.zeros((k, horizon_s), np.float32))
        self.reset()

    def reset(self) -> None:
        """Forget everything, learned shares included."""
        layout = self.layout
        e, k = layout.edges, layout.streams
        self._model_s: float | None = None
        self._count = 0
        self._seen_s = np.full(len(self._state), -np.inf)
        self._last_lamps: U8 = np.full(self._groups, ord("r"), np.uint8)
        self._green_s = np.zeros(self._groups, np.float32)  # since the lamps changed last
        self._entry[:] = 0.0
        self._released[:] = 0.0
        self._edge_out = np.zeros(e, np.float32)
        self._queue = np.zeros(k, np.float32)
        self._clear_flow()
        self._debt = np.zeros(e, np.float32)
        self._last_left_s = np.full(layout.lanes, -1e9)
        self._seen[:] = 0.0
        self._change = np.zeros(k, np.float32)  # growth of what is in view, not yet counted
        self._was_seen: Bool = np.zeros(k, bool)
        self._edge_seen: Bool = np.zeros(e, bool)
        self._stream_seen: Bool = np.zeros(k, bool)
        self.sources.reset()
        self.shares.reset()
        self._learn(0.0)

    def update(self, snapshot: Snapshot, planned_veh: F32 | None = None) -> Estimate:
        """Take in a snapshot, say what to expect from `snapshot.time_s` on.

        planned_veh: (k, horizon) vehicles that the plans let go from each stream in each coming second, a
        row that begins with NaN where there is no plan; None: expect what usually comes.
        """
        now_s = snapshot.time_s
        age_s = self._ages.of(snapshot)
        speaks = age_s <= SILENT_S
        frame_s = np.where(speaks, now_s - age_s, -np.inf)
        model_s = float(frame_s.max()) if speaks.any() else now_s - 1.0
        last = self._model_s
        if last is not None and not 0.0 <= model_s - last <= RING_S / 2:
            self.reset()
        state = np.where(speaks, np.where(frame_s > self._seen_s + 1e-3, 2, 1), 0).astype(np.int32)
        state[speaks & ~np.isfinite(self._seen_s)] = 3
        self._seen_s = frame_s
        seen = snapshot.detections
        wanted = (self.layout.lane_camera[seen.lane] >= 0) & (seen.vehicle_class != _PEDESTRIAN)
        wanted &= state[seen.camera] >= 2
        detections = (
            np.ascontiguousarray(seen.lane[wanted], np.int32),
            np.ascontiguousarray(seen.distance_m[wanted], np.float32),
            np.ascontiguousarray(seen.speed_mps[wanted], np.float32),
        )
        self._advance(model_s, state, detections, np.array(snapshot.signals.lamps))
        self._green_s = (now_s - snapshot.signals.lamps_since_s).astype(np.float32)
        return self._forecast(now_s, planned_veh)

    @property
    def on_the_way_veh(self) -> float:
        """Vehicles reckoned to be where no camera looks: on their way between stop lines, not in queues."""
        return float(np.maximum(self._entry, 0.0).sum())

    # -- state

    def _advance(self, model_s: float, state: I32, detections: tuple[I32, F32, F32], lamps: U8) -> None:
        layout, last = self.layout, self._model_s
        self._state = state
        alive = np.append(state > 0, False)  # camera -1: none
        self._edge_seen = alive[layout.edge_camera]
        self._stream_seen = alive[layout.lane_camera[layout.stream_lane]]
        lost = self._was_seen & ~self._stream_seen  # what stood there when the camera fell silent stands yet
        self._queue[lost] = self._seen[lost]
        self._was_seen = self._stream_seen
        first = last is None
        seconds = 1 if last is None else int(np.floor(model_s) - np.floor(last))
        dt_s = 1.0 if last is None else model_s - last
        slot = int(np.floor(model_s)) % RING_S
        for back in range(seconds - 1, -1, -1):
            run_second(
                (slot - back) % RING_S, self._entry, self._released, self._edge_out, self._queue,
                self._inflow, self._out, self._any_in, self._edge_seen, self._stream_seen,
                self.sources.rate, self.sources.scale, self._last_lamps, self._green_s, layout.edge_travel_s,
                self.shares.turn_share, self.shares.lane_share, layout.move_lane, layout.move_edge,
                layout.move_stream, layout.edge_lane, layout.out_start,
                layout.out_move, layout.stream_start, layout.stream_move, layout.stream_lane,
                layout.stream_group, self._storage, self.shares.used, self._debt,
            )  # fmt: skip
            if back:
                self.sources.count_flow(self._inflow, self._out, self._any_in)
                self._clear_flow()
        self._model_s, self._slot = model_s, slot
        if dt_s > 0.0:
            self._take_frame(model_s, dt_s, detections, lamps, np.where(first, 3, state).astype(np.int32))
        if seconds:
            self.sources.count_flow(self._inflow, self._out, self._any_in)
            self.sources.settle(self._edge_seen, self._stream_seen, self._change)
            self._clear_flow()
            self._change[:] = 0.0
            if slot % LEARN_EVERY_S == 0:
                self._learn(LEARN_EVERY_S)
            elif first:
                self.shares.cover(self._edge_seen, self.sources.survive)
        self._last_lamps = lamps

    def _clear_flow(self) -> None:
        self._out[:] = 0.0
        self._any_in[:] = 0.0

    def _take_frame(
        self, model_s: float, dt_s: float, detections: tuple[I32, F32, F32], lamps: U8, state: I32
    ) -> None:
        layout = self.layout
        lane, dist_m, speed_mps = detections
        self._make_room(self._count + len(lane))
        is_open = np.isin(lamps, _OPEN) | np.isin(self._last_lamps, _OPEN)
        is_open = np.append(is_open, True)  # group -1: no signal
        open_moves = np.bincount(layout.move_lane, is_open[layout.move_group], layout.lanes)
        may_leave = open_moves > 0
        self._left[:] = 0.0
        old, new = self._tracks, self._spare
        self._count = follow(
            len(lane), lane, dist_m, speed_mps, self._count, *old, *new, dt_s, model_s, state, may_leave,
            self._last_left_s, self._left, self._appeared, self._appeared_n, layout.lane_camera,
            layout.lane_beyond_m, layout.lane_limit_mps, layout.lane_edge,
            layout.lane_signalled, layout.edge_lane, layout.out_start, layout.out_move, layout.move_edge,
            layout.move_lane_to, self.shares.turn_share, self.shares.used, layout.lane_length_m,
            layout.in_start, layout.in_move, layout.move_lane, layout.move_stream,
        )  # fmt: skip
        self._tracks, self._spare = new, old
        release_left(
            self._slot, self._left, self._entry, self._released, self._out, self._any_in,
            self.shares.used, self._last_lamps, self.shares.turn_share,
            layout.lane_camera, layout.out_start, layout.out_move, layout.move_edge, layout.move_stream,
            layout.move_group, layout.edge_lane,
        )  # fmt: skip
        take_appeared(
            self._slot, self._appeared, int(self._appeared_n[0]), self._entry, self._released,
            self.shares.came_by, self.sources.came, self._debt, self._edge_seen, layout.edge_seam_s,
            layout.edge_travel_s, layout.in_start, layout.in_move, layout.move_lane, layout.lane_edge,
            layout.move_stream, self.shares.turn_share, self.shares.lane_share,
        )  # fmt: skip

    def _learn(self, passed_s: float) -> None:
        """New shares, and what follows from them: who on which edge and lane ends in which stream."""
        layout = self.layout
        self.shares.learn(passed_s, self._edge_seen, self.sources)
        trace_targets(
            0, layout.edges, self._target, self._target_lag, self._target_share, self._target_n,
            float(self._horizon + 30), layout.edge_lane, layout.out_start, layout.out_move, layout.move_lane,
            layout.move_edge, layout.move_stream, layout.edge_travel_s, self.shares.turn_share,
            self.shares.lane_share, self.sources.survive,
        )  # fmt: skip
        trace_lanes(
            self._camera_lanes, self._lane_target, self._lane_lag, self._lane_part, self._lane_target_n,
            layout.edge_lane, layout.edge_length_m, layout.out_start, layout.out_move, layout.move_lane_to,
            layout.move_edge, layout.move_stream,
            layout.edge_travel_s, self.shares.turn_share, self.shares.lane_share,
        )  # fmt: skip

    def _forecast(self, now_s: float, planned_veh: F32 | None) -> Estimate:
        layout = self.layout
        assert self._model_s is not None
        before = self._seen.copy()
        planned = self._no_plan if planned_veh is None else np.ascontiguousarray(planned_veh, np.float32)
        forecast(
            self._arrivals, self._seen, self._here, np.float32(now_s - self._model_s), self._slot,
            self._count, self._tracks[0], self._tracks[1], self._tracks[2],
            self._entry, self._edge_out, self._queue, self._edge_seen, self._stream_seen, layout.edge_seam_s,
            layout.edge_travel_s, self.sources.usual_out, self.sources.extra, planned,
            planned_veh is not None, self._target, self._target_lag, self._target_share, self._target_n,
            self._lane_target, self._lane_lag, self._lane_part, self._lane_target_n,
            layout.lane_limit_mps, layout.lane_beyond_m, layout.pair_start, layout.pair_edge,
            self.shares.of_pair, self._open_long(), self._coming,
        )  # fmt: skip
        self._change += self._seen - before
        return Estimate(
            arrivals_veh=self._arrivals,
            seen_veh=self._seen,
            queue_veh=np.where(self._stream_seen, self._here, self._queue),
            rate_veh_per_s=np.maximum(self.sources.arrival_rate, 0.0),
            share=self.shares.of_stream,
            turn_share=self.shares.turn_share,
        )

    _tracks: Tracks
    _spare: Tracks
    _appeared: I32
    _appeared_n: I32

    def _open_long(self) -> Bool:
        """(k,) streams with right of way for so long that whoever stands at the line is not theirs."""
        is_open: Bool = (self._last_lamps == ord("G")) & (self._green_s >= BLOCKED_S)
        return is_open[self.layout.stream_group]

    def _make_room(self, count: int) -> None:
        """Arrays for `count` followed vehicles."""
        if hasattr(self, "_tracks") and len(self._tracks[0]) >= count:
            return
        size = 2 * count

        def empty() -> Tracks:
            return (
                np.zeros(size, np.int32), np.zeros(size, np.float32),
                np.zeros(size, np.float32), np.zeros(size, np.int32),
            )  # fmt: skip

        kept = getattr(self, "_tracks", None)
        self._tracks, self._spare = empty(), empty()
        self._appeared, self._appeared_n = np.zeros(size, np.int32), np.zeros(1, np.int32)
        if kept is not None:
            for old, new in zip(kept, self._tracks, strict=True):
                new[: len(old)] = old


_PEDESTRIAN = 6


def _stream_storage(layout: Layout) -> F32:
    """(k,) vehicles that fit on the approach of each stream."""
    storage: F32 = layout.edge_storage_veh[layout.lane_edge[layout.stream_lane]]
    return storage
