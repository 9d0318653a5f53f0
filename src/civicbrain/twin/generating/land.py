"""Land use: how many people live, work and shop along each street, and how much traffic comes from outside.

Densities fall off exponentially from centres (Clark 1951, "Urban population densities", J. R. Stat. Soc. A):
work steeply around one main centre and a few smaller ones, homes gently and with a hollow in the middle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from civicbrain.city.network import F64, Network
from civicbrain.twin.generating.grid import Kind

OUTSIDE_SHARE = 0.12
"""Share of trips that begin, and that end, outside the city."""
_FRONTAGE = {Kind.LOCAL: 1.0, Kind.COLLECTOR: 0.8, Kind.ARTERIAL: 0.35}


@dataclass(frozen=True, eq=False)
class Land:
    """Weights of each edge (e,) as home, work and other end of a trip, summing to 1; middle_xy (e, 2)."""

    home: F64
    work: F64
    other: F64
    middle_xy: F64
    centre_xy: F64  # (2,) the main centre


def draw_land(network: Network, kind: F64, inward: F64, outward: F64, rng: np.random.Generator) -> Land:
    """kind: Kind of each edge. inward, outward: 1 for edges that come in from a gate, that go out to one."""
    lanes, edges = network.lanes, network.edges
    first = edges.lane_start[:-1]
    length_m = lanes.length_m[first].astype(np.float64)
    xy = network.nodes.xy.astype(np.float64)
    middle = (xy[edges.from_node] + xy[edges.to_node]) / 2.0
    low, high = middle.min(axis=0), middle.max(axis=0)
    extent_m = float(np.max(high - low))
    centre = low + (high - low) * rng.uniform(0.42, 0.58, 2)
    subcentres = low + (high - low) * rng.uniform(0.15, 0.85, (1 + int(extent_m // 4000.0), 2))
    frontage = np.select([kind == k for k in Kind], [_FRONTAGE[k] for k in Kind], 1.0) * length_m
    frontage = frontage * np.exp(rng.normal(0.0, 0.4, len(frontage))) * (1.0 - np.maximum(inward, outward))
    from_centre = np.hypot(*(middle - centre).T) / extent_m
    work = 0.35 * np.exp(-from_centre / 0.22) + 0.22
    for point in subcentres:
        work += 0.22 * np.exp(-np.hypot(*(middle - point).T) / (0.07 * extent_m + 250.0))
    home = 0.6 + 0.5 * np.exp(-from_centre / 0.45) - 0.5 * np.exp(-from_centre / 0.1)
    other = 0.5 * work / work.mean() + 0.5 * home / home.mean()
    inside = [weight * frontage / (weight * frontage).sum() for weight in (home, work, other)]
    return Land(inside[0], inside[1], inside[2], middle, centre)


def with_outside(weight: F64, gate: F64) -> F64:
    """The weight with OUTSIDE_SHARE of it at the gates (in shares of 1)."""
    if gate.sum() <= 0.0:
        return weight
    result: F64 = (1.0 - OUTSIDE_SHARE) * weight + OUTSIDE_SHARE * gate / gate.sum()
    return result
