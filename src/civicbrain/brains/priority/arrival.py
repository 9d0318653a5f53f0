"""When the vehicle comes to each stop line, and how long the queue before it needs to be gone.

The way is driven at the speed the vehicle has shown where it could overtake, turns and starting from
standstill included; where there is one lane, behind whom it catches up with. A queue that cannot be gone in
time holds it up. Queues discharge one vehicle a headway and lane after a start-up loss (HCM 7th ed., ch. 19).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from civicbrain.brains.priority.options import PriorityOptions
from civicbrain.brains.priority.ways import Crossing, Way
from civicbrain.city.model import City
from civicbrain.city.network import F64, I32
from civicbrain.city.snapshot import Snapshot

ACCELERATION_MPS2 = 2.6  # SUMO's default, which is that of a car
PASS_LOSS_S = 0.2
"""Looking both ways at a signal that is green."""

USUAL_VEH_PER_S, USUAL_S = 0.07, 10.0
"""Flow of a lane of which nothing is seen (250 veh/h), and for how many seconds of seeing that counts."""

MARGIN_S, MARGIN_SHARE, MARGIN_SLIDE = 2.0, 0.18, 5.2
SLIDE_S = 60.0
"""Nine of ten missions arrive no farther from the predicted second than so many seconds, this share of the
time left, and so many times what the prediction has slid back within the last SLIDE_S (who is held up once is
held up again): derived from recorded runs by `benchmarks/priority/margin.py`."""

SPEED_MEMORY_S = 30.0
LEAST_SHARE, MOST_SHARE = 0.6, 1.5


class RoadView:
    """Where the vehicles that cameras see stand on edges: distance still to go to the end of their edge."""

    def __init__(self, city: City) -> None:
        self._edge: I32 = city.network.lanes.edge
        self._beyond_m = np.zeros(len(city.network.lanes.ids))
        self._beyond_m[city.cameras.lane] = city.cameras.beyond_m
        network = city.network
        first = network.edges.lane_start[:-1]
        seen_m = np.where(
            np.isin(first, city.cameras.lane),
            np.minimum(network.lanes.length_m[first], city.cameras.range_m),
            0.0,
        )
        self._seen_s: F64 = seen_m / np.maximum(network.lanes.speed_mps[first], 1.0)
        self._snapshot: Snapshot | None = None
        self._by_edge: dict[int, tuple[I32, F64]] = {}

    def on_edge(self, snapshot: Snapshot, edge: int) -> tuple[I32, F64]:
        """(lanes, metres to the end of the edge) of the vehicles seen on an edge."""
        if self._snapshot is not snapshot:
            self._snapshot = snapshot
            self._by_edge.clear()
        found = self._by_edge.get(edge)
        if found is None:
            seen = snapshot.detections.on_approaches
            rows = np.flatnonzero(self._edge[seen.lane] == edge)
            lanes = seen.lane[rows]
            to_go_m = np.maximum(seen.distance_m[rows].astype(np.float64) - self._beyond_m[lanes], 0.0)
            found = self._by_edge[edge] = (lanes, to_go_m)
        return found

    def flow_veh_per_s(self, snapshot: Snapshot, edge: int) -> float:
        """Vehicles a second on an edge of one lane, from those that are seen on it."""
        lanes, _ = self.on_edge(snapshot, edge)
        return (USUAL_VEH_PER_S * USUAL_S + len(lanes)) / (USUAL_S + float(self._seen_s[edge]))


def queue_ahead(view: RoadView, snapshot: Snapshot, way: Way, crossing: Crossing, from_m: float) -> float:
    """Vehicles a lane that leave through the crossing before one that is at from_m on the way: those in the
    fullest of its lanes, and an even share of those on the edges before."""
    total = 0.0
    for place in range(crossing.first_place, crossing.place + 1):
        if way.end_m[place] <= from_m:
            continue
        lanes, to_go_m = view.on_edge(snapshot, way.edges[place])
        ahead = lanes[way.end_m[place] - to_go_m > from_m + 5.0]
        if place == crossing.place:
            counts = np.bincount(
                np.searchsorted(np.sort(crossing.lanes), ahead[np.isin(ahead, crossing.lanes)])
            )
            total += float(counts.max()) if len(counts) else 0.0
        else:
            total += len(ahead) / max(1, len(crossing.lanes))
    return total


def behind_s(alone_s: float, others_s: float, veh_per_s: float) -> float:
    """Seconds lost on average on a stretch without overtaking that takes alone_s alone, and the others
    others_s: with arrivals by chance the one in front set out a time before that is exponential, and who
    would come before it comes with it (Poisson arrivals: Adams 1936, HCM 7th ed. ch. 15)."""
    ahead_s = others_s - alone_s
    if ahead_s <= 0.0:
        return 0.0
    return ahead_s - (1.0 - math.exp(-veh_per_s * ahead_s)) / veh_per_s


@dataclass(slots=True)
class Pace:
    """How fast the vehicle drives in its corridor, over the limit."""

    share: float

    def saw(self, driven_s: float, lasted_s: float) -> None:
        """driven_s: what the stretch takes at the limit; lasted_s: what it took."""
        if lasted_s <= 0.0:
            return
        seen = min(MOST_SHARE, max(LEAST_SHARE, driven_s / lasted_s))
        self.share += (seen - self.share) * min(1.0, lasted_s / SPEED_MEMORY_S)


def start_loss_s(speed_mps: float, free_mps: float) -> float:
    """Seconds lost while accelerating to free_mps."""
    short = max(0.0, free_mps - speed_mps)
    return short * short / (2.0 * ACCELERATION_MPS2 * max(free_mps, 1.0))


def free_s(way: Way, from_m: float, to_m: float) -> float:
    """Seconds from one place of the way to another at the limit, turns included."""
    at_m = np.concatenate(([0.0], way.end_m))
    at_s = np.concatenate(([0.0], way.free_s))
    return float(np.interp(to_m, at_m, at_s) - np.interp(from_m, at_m, at_s))


def clear_s(options: PriorityOptions, queue_veh: float) -> float:
    """Seconds from the start of green until a queue no longer slows down who comes behind it."""
    return options.start_s + options.headway_s * queue_veh if queue_veh > 0.0 else 1.0
