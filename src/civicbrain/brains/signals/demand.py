"""What the newest camera frame says about each stream: who can cross by when, who stands at the line,
whether the road behind is full."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from civicbrain.brains.signals.approach import Streams
from civicbrain.city.model import City
from civicbrain.city.network import F64, U8, Bool
from civicbrain.city.observations import Detections
from civicbrain.city.snapshot import LaneStates, Snapshot
from civicbrain.science.pressure import spillback_factor
from civicbrain.science.queues import JAM_SPACING_M, arrival_time_s, queue_fill, run_before_blocking

HORIZON_S: F64 = np.array([4.0, 6.0, 8.0, 10.0, 13.0, 16.0, 20.0, 25.0, 31.0, 38.0, 46.0])
"""Spans from now for which a stage is weighed. The longest clears a queue of 20 vehicles a lane."""

SOON = 3
"""Index of the 10 s horizon: demand that is as good as here."""

HEAD_M = 14.0
"""A vehicle standing this near the stop line is the head of its queue (two jam spacings: the stop line is
not where every driver stops)."""

HEAD_SPEED_MPS = 0.5

NO_ROOM = 0.02
"""Weight left to vehicles that would have to stop inside the junction."""


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """k + 1 streams (the last is the bin of no account), h horizons."""

    vehicles: F64  # (k + 1, h) expected vehicles that could be at the stop line within each horizon
    standing_head: Bool  # (k + 1,) a vehicle stands at the stop line
    outlet: F64  # (k + 1,) 1: free road behind the stop line, towards 0: about to spill back
    run_veh: F64  # (k + 1,) vehicles expected to pass before one that finds no room blocks its lane


class DemandReader:
    """Turns snapshots into `Demand`. Keeps nothing between calls."""

    def __init__(self, city: City, streams: Streams) -> None:
        self._streams = streams
        exits = streams.exits
        self._short = np.flatnonzero(exits.short_lane >= 0)
        lane = exits.short_lane[self._short]
        self._short_veh = city.network.lanes.length_m[lane] / JAM_SPACING_M
        # the streams that lead out of each short link: pairs (place in _short, stream)
        self._out_exit, self._out_stream = np.nonzero(lane[:, None] == streams.lane[None, :])
        self._limit_mps = city.network.lanes.speed_mps

    def read(self, snapshot: Snapshot) -> Demand:
        seen = snapshot.detections
        count = self._streams.count
        bins = len(HORIZON_S)
        target, share = self._targets(seen)
        eta = arrival_time_s(seen.distance_m, seen.speed_mps, self._limit_mps[seen.lane])
        when = np.searchsorted(HORIZON_S, eta)
        cell = target * (bins + 1) + when[:, None]
        table = np.bincount(cell.ravel(), weights=share.ravel(), minlength=(count + 1) * (bins + 1))
        vehicles = table.reshape(count + 1, bins + 1)[:, :bins].cumsum(axis=1)
        vehicles[count] = 0.0

        head = (seen.distance_m < HEAD_M) & (seen.speed_mps < HEAD_SPEED_MPS)
        heads = np.bincount(target[head].ravel(), weights=share[head].ravel(), minlength=count + 1)
        standing = heads > 0.0
        standing[count] = False
        outlet, run = self._outlet(snapshot.lanes, snapshot.signals.lamps)
        return Demand(vehicles=vehicles, standing_head=standing, outlet=outlet, run_veh=run)

    def _targets(self, seen: Detections) -> tuple[NDArray[np.int64], F64]:
        """(v, fan-out) streams of each vehicle and their probabilities."""
        target = self._streams.lane_stream[seen.lane].astype(np.int64)
        share = self._streams.lane_share[seen.lane]
        known = np.flatnonzero(seen.next_movement >= 0)
        if len(known):  # oracle sensing, or vehicles that say where they go
            stream = self._streams.movement_stream[seen.next_movement[known]]
            target[known], share[known] = self._streams.count, 0.0
            target[known, 0] = np.where(stream >= 0, stream, self._streams.count)
            share[known, 0] = (stream >= 0).astype(np.float64)
        return target, share

    def _outlet(self, lanes: LaneStates, lamps: U8) -> tuple[F64, F64]:
        exits = self._streams.exits
        queued = np.bincount(
            exits.cell_exit, lanes.queued[exits.cell_lane] * exits.cell_share, len(exits.stream)
        )
        free = spillback_factor(queue_fill(queued, exits.storage_m))
        # a link of a car or two between two signals is full as soon as the next car would not fit
        full = (queued >= 0.5) & (exits.storage_m - queued * JAM_SPACING_M < JAM_SPACING_M)
        free[full] = NO_ROOM
        outlet = np.bincount(exits.stream, free * exits.weight, self._streams.count + 1)
        outlet[-1] = 1.0
        # a short link not let out by 'G' (who yields may not get out) takes no more than fits
        short, stream, weight = self._short, exits.stream[self._short], exits.weight[self._short]
        lets_out = lamps[self._streams.group[self._out_stream]] == ord("G")
        held = np.bincount(self._out_exit, lets_out, len(short)) == 0.0
        room = np.where(held, np.maximum(self._short_veh - queued[short], 0.0), 0.0)
        shut = np.bincount(stream, (full[short] | held) * weight, len(outlet))
        some = np.bincount(stream, room * weight, len(outlet))
        run = np.where(shut > 0.0, run_before_blocking(1.0 - shut) + some, np.inf)
        return np.asarray(outlet, dtype=np.float64), np.asarray(run, dtype=np.float64)
