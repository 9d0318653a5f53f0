"""Where a wrong-way driver may be now who was seen a while ago: which two are one.

He drives upstream, and is out of view between cameras and inside junctions. On the shortest way back he is
himself wherever 0.7 to 1.3 of his speed may have brought him. A longer way, or one round a U-turn, is one of
many: there he is who comes at his own speed, where that brings him.
"""

from __future__ import annotations

import math

from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.things import SAME_M, Thing

DRIVER_SHARE, DRIVER_LOST_S = (0.7, 1.3), 60.0
"""Of a wrong-way driver's last speed, what he may have driven at since; for how long he may be out of view
and still be taken for himself."""

SPEED_SHARE, UNSEEN_S = 0.15, 5.0
"""And by how much his speed may differ when he was out of view for longer than this."""

EXACT_M, EXACT_SHARE, EXACT_MPS = 12.0, 0.05, 0.75
"""On any other way: how far he may be from where he should be, at least and of what he has driven; and by how
much his speed may differ. Speeds err by 0.3 m/s."""


class Drivers:
    """Who may be whom, in one city."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        network = layout.city.network
        edge, movements = network.lanes.edge, network.movements
        self._before: dict[
            int, dict[int, float]
        ] = {}  # edge -> edges that lead to it, m through the junction
        for a, b, m in zip(
            edge[movements.from_lane].tolist(), edge[movements.to_lane].tolist(), movements.length_m.tolist(),
            strict=True,
        ):  # fmt: skip
            known = self._before.setdefault(b, {})
            known[a] = min(m, known.get(a, math.inf))

    def same(self, thing: Thing, one: Suspicion, now_s: float) -> bool:
        """Whether who was seen there may be here now: further upstream, as far as he may have come since."""
        layout = self._layout
        lane, d = next(iter(thing.lanes.items()))
        since_s = now_s - thing.last_s
        gone_m = since_s * thing.speed_mps
        if since_s > DRIVER_LOST_S:
            return False
        other_mps = abs(one.speed_mps - thing.speed_mps)
        if since_s > UNSEEN_S and other_mps > SPEED_SHARE * thing.speed_mps:
            return False
        low_m, high_m = DRIVER_SHARE[0] * gone_m - SAME_M, DRIVER_SHARE[1] * gone_m + SAME_M
        if layout.stem[lane] == layout.stem[one.lane] and low_m <= one.d - d <= high_m:
            return True
        edge = layout.city.network.lanes.edge
        rest_m = float(layout.length_m[lane] - (d - layout.beyond_m[lane]))
        on_m = one.d - float(layout.beyond_m[one.lane])
        behind = layout.behind(frozenset([int(edge[lane])]), 100.0 * math.ceil(high_m / 100.0))
        shortest_m = rest_m + behind.get(int(edge[one.lane]), math.inf) + on_m
        if edge[one.lane] != edge[lane] and low_m <= shortest_m <= high_m:
            return True
        if other_mps > EXACT_MPS:
            return False
        err_m = max(EXACT_M, EXACT_SHARE * gone_m)
        ways = self._ways(int(edge[lane]), rest_m, int(edge[one.lane]), gone_m + err_m)
        return any(abs(way_m + on_m - gone_m) <= err_m for way_m in ways)

    def _ways(self, start: int, rest_m: float, goal: int, far_m: float) -> list[float]:
        """Lengths of all ways upstream from an edge, of which rest_m are left, to the end of another, m."""
        length_m = self._layout.edge_m
        found, todo = [], [(start, rest_m)]
        seen: set[tuple[int, int]] = set()
        while todo:
            edge, at_m = todo.pop()
            for before, through_m in self._before.get(edge, {}).items():
                end_m = at_m + through_m
                key = before, int(end_m / 5.0)
                if end_m > far_m or key in seen:
                    continue
                seen.add(key)
                if before == goal:
                    found.append(end_m)
                todo.append((before, end_m + length_m[before]))
        return found
