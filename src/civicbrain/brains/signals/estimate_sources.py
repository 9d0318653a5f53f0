"""How much usually comes: long-run rates, and the inflow that no stop line upstream explains.

Rates are running means that turn into exponential ones after `RATE_MEMORY_S`. For approaches without a camera
the prior is what the city's own plan expected there, times how busy the seen part of the city is against
its own prior: that carries the time of day, and the rest of the network, to where nobody looks.
"""

from __future__ import annotations

import numpy as np

from civicbrain.brains.signals.estimate_layout import Layout
from civicbrain.city.network import F32, F64, Bool

RATE_MEMORY_S = 300.0
PRIOR_WORTH_S = 60.0
"""Seconds of counting that the prior rate is worth."""

TRUST = 0.5
"""Weight of what stop lines upstream send, against the prior, where an approach has no camera: its turning
shares upstream are then learned from the other exits only."""

PRIOR_SURVIVAL = 0.9
SURVIVAL_MEMORY_S = 1200.0
PRIOR_WORTH_VEH = 10.0
"""Of the vehicles that enter a road some never reach its end: they park, or turn into a street that the
network does not have. The share that does is counted where a camera looks, and taken as usual elsewhere."""

MOST_BALANCE = 1.0
"""Roads out of view are not taken to have more sources than sinks."""

BUSY_WORTH_VEH_PER_S = 0.2
"""Prior flow that has to be in view before the city's busyness is taken from it."""


class Sources:
    """k streams, e edges.

    arrival_rate, usual_out: (k,) veh/s into and out of streams. rate: (e,) inflow at the end of unseen
    approaches besides what travels there; scale: (e,) how much of that is believed; survive: (e,) share of
    what enters an edge that reaches its end. extra: (e,) inflow of all edges that no stop line explains, for
    the forecast. came: (e,) vehicles that came into view since the last `settle`. busy: demand of the seen
    streams over its prior.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        e, k = layout.edges, layout.streams
        edge = layout.lane_edge[layout.stream_lane]
        self.survive: F32 = np.ones(e, np.float32)
        self._entered = np.zeros(e)
        self._shown = np.zeros(e)
        self._out_rate: F32 = np.zeros(e, np.float32)
        self._out_weight: F32 = np.zeros(e, np.float32)
        self._edge_prior = np.bincount(edge, layout.prior_rate, e).astype(np.float32)
        self._explained = _explained_share(layout)
        self.arrival_rate: F32 = np.zeros(k, np.float32)
        self.usual_out: F32 = np.zeros(k, np.float32)
        self.rate: F32 = np.zeros(e, np.float32)
        self.scale: F32 = np.ones(e, np.float32)
        self.extra: F32 = np.zeros(e, np.float32)
        self.came: F32 = np.zeros(e, np.float32)
        self._expected: F32 = np.zeros(e, np.float32)
        self._appeared: F32 = np.zeros(e, np.float32)
        self.reset()

    def reset(self) -> None:
        """Back to the prior."""
        self.arrival_rate[:] = self._layout.prior_rate
        self.usual_out[:] = self._layout.prior_rate
        self.survive[:] = PRIOR_SURVIVAL
        for array in (
            self._out_rate,
            self._out_weight,
            self._entered,
            self._shown,
            self.rate,
            self.extra,
            self.came,
            self._expected,
            self._appeared,
        ):
            array[:] = 0.0
        self.scale[:] = 1.0
        self.busy = 1.0
        self._counted_s = 0.0

    def count_flow(self, inflow: F32, out: F32, any_in: F32) -> None:
        """One second of the model: (k,) into unseen streams, (k,) out of all, (e,) into edges."""
        self._counted_s += 1.0
        gain = np.float32(max(1.0 / RATE_MEMORY_S, 1.0 / (self._counted_s + PRIOR_WORTH_S)))
        self._gain = gain
        self.usual_out += gain * (out - self.usual_out)
        self._expected += gain * (any_in - self._expected)
        self._entered *= 1.0 - 1.0 / SURVIVAL_MEMORY_S
        self._entered += any_in
        self._shown *= 1.0 - 1.0 / SURVIVAL_MEMORY_S
        self._inflow = inflow
        self._out = out

    def count_out(self, came_veh: F64, in_view: F64, counted_s: float) -> None:
        """What cameras further on counted of each edge's outflow: vehicles (e,), the share of its exits that
        such cameras cover (e,), and how long they counted."""
        view = np.maximum(in_view, 0.05)
        self._out_rate[:] = came_veh / (max(counted_s, 1.0) * view)
        self._out_weight[:] = in_view * came_veh / (came_veh + PRIOR_WORTH_VEH)

    def settle(self, edge_seen: Bool, stream_seen: Bool, change_veh: F32) -> None:
        """After a frame. change_veh: (k,) growth of what is in view."""
        gain, layout = self._gain, self._layout
        arrived = np.where(stream_seen, self._out + change_veh, self._inflow)
        self.arrival_rate += gain * (arrived - self.arrival_rate)
        self._shown += self.came
        self._appeared += gain * (self.came - self._appeared)
        self.came[:] = 0.0
        worth = PRIOR_WORTH_VEH
        entered = float(self._entered[edge_seen].sum())
        shown = float(np.minimum(self._shown, self._entered)[edge_seen].sum())
        usually = min((shown + worth * PRIOR_SURVIVAL) / (entered + worth), 1.0)
        # where nobody looks, what begins on the road makes up for what ends there as it does elsewhere
        balance = (float(self._shown[edge_seen].sum()) + worth * PRIOR_SURVIVAL) / (entered + worth)
        self.survive[:] = np.where(
            edge_seen,
            np.clip((self._shown + worth * usually) / (self._entered + worth), 0.02, 1.0),
            np.where(layout.edge_signalled, min(balance, MOST_BALANCE), 1.0),
        )
        seen_prior = float(layout.prior_rate[stream_seen].sum())
        seen_rate = max(float(self.arrival_rate[stream_seen].sum()), 0.0)
        least = BUSY_WORTH_VEH_PER_S
        self.busy = float(np.clip((seen_rate + least) / (seen_prior + least), 0.05, 5.0))
        usual = self._edge_prior * np.float32(self.busy)
        unseen = layout.edge_signalled & ~edge_seen
        usual += self._out_weight * (self._out_rate - usual)
        trust = self._explained * np.float32(TRUST) * (1.0 - self._out_weight)
        target = trust * self.survive * self._expected + (1.0 - trust) * usual
        self.rate[:] = np.where(unseen, np.maximum(target - self._expected, 0.0), 0.0)
        self.scale[:] = np.where(
            unseen, np.minimum(target / np.maximum(self._expected, np.float32(1e-6)), 1.0), 1.0
        )
        beside = np.maximum(self._appeared - self._expected, 0.0)
        self.extra[:] = np.where(edge_seen, beside, self.rate)


def _explained_share(layout: Layout) -> F32:
    """(e,) share of an edge's ways in that begin at a stop line, not at a dead end of the network."""
    share = np.ones(layout.edges)
    from_edge = layout.lane_edge[layout.move_lane]
    signalled = (layout.move_stream >= 0).astype(np.float64)
    ways = np.bincount(layout.move_edge, layout.prior_turn_share > 0.0, layout.edges)
    share[ways == 0] = 0.0
    for _ in range(12):  # edges in a row between two junctions
        mine = np.maximum(signalled, share[from_edge]) * (layout.prior_turn_share > 0.0)
        total = np.bincount(layout.move_edge, mine, layout.edges)
        share = np.where(ways > 0, total / np.maximum(ways, 1), 0.0)
    return share.astype(np.float32)
