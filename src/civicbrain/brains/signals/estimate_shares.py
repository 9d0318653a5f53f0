"""Which way vehicles turn, learned from who comes into view behind a junction.

Recursive estimation of turning proportions from counts in and out, in the setting of Cremer and Keller
(1987), "A new class of dynamic methods for the identification of origin-destination flows", Transportation
Research B 21; here as Dirichlet counts with forgetting. `estimate_flow.take_appeared` shares each vehicle
that comes into view among the movements that may have brought it; who left a lane and was not seen
again took one of its exits that are out of view.
"""

from __future__ import annotations

import numpy as np

from civicbrain.brains.signals.estimate_layout import Layout
from civicbrain.brains.signals.estimate_sources import Sources
from civicbrain.city.network import F32, Bool

FORGET_S = 1200.0
"""Memory of turning shares, s: long against a cycle, short against the change of a peak."""

MOST_COVERED = 0.95
"""However good the view, some vehicles are lost between a stop line and the next camera."""

PRIOR_TURN_VEH, PRIOR_LANE_VEH = 6.0, 10.0
"""Vehicles that the prior shares are worth."""

_EDGES_IN_A_ROW = 8


class Shares:
    """turn_share: (m,) of the from-lane's vehicles. lane_share: (n,) of the edge's. of_stream: (k,) of the
    lane's. of_pair: (p,) share of the stream's vehicles that enter the pair's edge. covered: (e,) share of
    what enters an edge that comes into some camera's view before a stop line.

    Counts, written by the flow kernels: used (m,) vehicles taken to have used a movement; came_by (m,) those
    of them that came into view again, as far as they can be told apart.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._from_edge = layout.lane_edge[layout.move_lane]
        self.turn_share: F32 = layout.prior_turn_share.copy()
        self.lane_share: F32 = layout.prior_lane_share.copy()
        self.of_stream: F32 = np.zeros(layout.streams, np.float32)
        self.of_pair: F32 = np.zeros(len(layout.pair_edge), np.float32)
        self.covered: F32 = np.zeros(layout.edges, np.float32)
        self.used: F32 = np.zeros(layout.movements, np.float32)
        self.came_by: F32 = np.zeros(layout.movements, np.float32)
        self._counted_s = 0.0

    def reset(self) -> None:
        """Forget the counts; `learn` then gives the prior."""
        self.used[:] = 0.0
        self.came_by[:] = 0.0
        self._counted_s = 0.0

    def learn(self, passed_s: float, edge_seen: Bool, sources: Sources) -> None:
        """New shares from the counts, older counts faded by passed_s."""
        layout = self._layout
        fade = np.float32(np.exp(-passed_s / FORGET_S))
        self.came_by *= fade
        self.used *= fade
        self._counted_s = self._counted_s * float(fade) + passed_s
        self.cover(edge_seen, sources.survive)
        came, used = np.maximum(self.came_by, 0.0), np.maximum(self.used, 0.0)
        hidden = used * (1.0 - np.minimum(self.covered, MOST_COVERED)[layout.move_edge])
        of_lane = np.bincount(layout.move_lane, used, layout.lanes)
        lost = np.maximum(of_lane - np.bincount(layout.move_lane, came, layout.lanes), 0.0)
        lost /= np.maximum(np.bincount(layout.move_lane, hidden, layout.lanes), 1e-6)
        counts = np.where(layout.move_stream >= 0, came + hidden * lost[layout.move_lane], used)
        total = np.bincount(layout.move_lane, counts, layout.lanes)
        share = counts + PRIOR_TURN_VEH * layout.prior_turn_share
        self.turn_share[:] = share / (total + PRIOR_TURN_VEH)[layout.move_lane]
        of_edge = np.bincount(layout.lane_edge, of_lane, layout.edges)
        lanes = of_lane + PRIOR_LANE_VEH * layout.prior_lane_share
        self.lane_share[:] = lanes / (of_edge + PRIOR_LANE_VEH)[layout.lane_edge]
        self.of_stream[:] = np.bincount(layout.move_stream + 1, self.turn_share, layout.streams + 1)[1:]
        of_pair = np.bincount(layout.move_pair + 1, self.turn_share, len(layout.pair_edge) + 1)[1:]
        whole = np.repeat(self.of_stream, np.diff(layout.pair_start))
        self.of_pair[:] = of_pair / np.maximum(whole, 1e-9)
        in_view = np.bincount(self._from_edge, used * self.covered[layout.move_edge], layout.edges)
        came_of_edge = np.bincount(self._from_edge, came, layout.edges).astype(np.float64)
        sources.count_out(came_of_edge, in_view / np.maximum(of_edge, 1e-6), self._counted_s)

    def cover(self, edge_seen: Bool, survive: F32) -> None:
        """Work out `covered` for the cameras that are alive."""
        layout = self._layout
        onward = self.turn_share * self.lane_share[layout.move_lane] * (layout.move_stream < 0)
        covered = np.where(edge_seen, survive, 0.0)
        for _ in range(_EDGES_IN_A_ROW):
            further = np.bincount(self._from_edge, onward * covered[layout.move_edge], layout.edges)
            covered = np.where(edge_seen, survive, further)
        self.covered[:] = np.clip(covered, 0.0, 1.0)
