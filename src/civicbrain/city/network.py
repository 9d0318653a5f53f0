"""The road network as arrays: one row a lane, an edge, a movement. Rows are the platform's keys on
the hot path; ids are for people and the edges of the system.

Coordinates are metres in the source's own projected plane (`xy`), with `Projection` to get back to
longitude and latitude where the source had any.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from civicbrain.core.errors import NotFoundError

I32 = NDArray[np.int32]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]


class RoadUse(IntFlag):
    """Who may use a lane (bit mask, one byte)."""

    NONE = 0
    MOTOR = 1  # general motor traffic (SUMO passenger)
    BUS = 2
    TRAM = 4  # tram and rail
    BICYCLE = 8
    PEDESTRIAN = 16
    EMERGENCY = 32
    OTHER = 64


def index_of(ids: tuple[str, ...]) -> dict[str, int]:
    """Row of each id."""
    return {name: row for row, name in enumerate(ids)}


@dataclass(frozen=True, eq=False)
class Lanes:
    """Lanes of the streets (not the lanes inside junctions). n rows, ordered by edge, right to left."""

    ids: tuple[str, ...]
    edge: I32  # (n,) row in Edges
    index: I32  # (n,) 0 = rightmost
    length_m: F32  # (n,)
    speed_mps: F32  # (n,) speed limit
    width_m: F32  # (n,)
    use: U8  # (n,) RoadUse mask
    shape_xy: F32  # (p, 2) points of all lanes, one after the other
    shape_start: I32  # (n + 1,) lane i owns shape_xy[shape_start[i]:shape_start[i + 1]]

    @cached_property
    def row(self) -> dict[str, int]:
        return index_of(self.ids)

    def shape(self, row: int) -> F32:
        """Points (k, 2) in metres of one lane, in driving direction."""
        return self.shape_xy[self.shape_start[row] : self.shape_start[row + 1]]


@dataclass(frozen=True, eq=False)
class Edges:
    """Directed street sections. e rows."""

    ids: tuple[str, ...]
    names: tuple[str, ...]  # street names, "" where unknown
    from_node: I32  # (e,) row in Nodes
    to_node: I32  # (e,)
    priority: I32  # (e,)
    lane_start: I32  # (e + 1,) lanes of edge i are rows lane_start[i]:lane_start[i + 1]

    @cached_property
    def row(self) -> dict[str, int]:
        return index_of(self.ids)


@dataclass(frozen=True, eq=False)
class Nodes:
    """Points where edges meet, signalled or not. k rows."""

    ids: tuple[str, ...]
    xy: F32  # (k, 2)
    junction: I32  # (k,) row of the signal-controlled junction this node belongs to, or -1

    @cached_property
    def row(self) -> dict[str, int]:
        return index_of(self.ids)


@dataclass(frozen=True, eq=False)
class Movements:
    """From-lane to to-lane connections for vehicles. m rows."""

    from_lane: I32  # (m,) row in Lanes
    to_lane: I32  # (m,)
    node: I32  # (m,) row in Nodes
    junction: I32  # (m,) row of the signal junction, or -1 where unsignalled
    link: I32  # (m,) controller's link index, or -1
    group: I32  # (m,) row in the city-wide signal-group index, or -1
    turn: U8  # (m,) ord of 's' straight, 'l' left, 'r' right, 't' U-turn (partial turns folded in)
    length_m: F32  # (m,) path inside the junction


@dataclass(frozen=True)
class Projection:
    """How xy came from longitude and latitude; `proj` is "" where the source had no geography."""

    proj: str = ""  # a PROJ string
    offset_x_m: float = 0.0  # xy = projected + offset
    offset_y_m: float = 0.0


@dataclass(frozen=True, eq=False)
class Network:
    lanes: Lanes
    edges: Edges
    nodes: Nodes
    movements: Movements
    projection: Projection = field(default_factory=Projection)

    @cached_property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """(min x, min y, max x, max y) of all lane shapes."""
        low = self.lanes.shape_xy.min(axis=0)
        high = self.lanes.shape_xy.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @cached_property
    def movements_from(self) -> tuple[I32, I32]:
        """(order, start): movements leaving lane i are rows order[start[i]:start[i + 1]]."""
        return _grouped(self.movements.from_lane, len(self.lanes.ids))

    @cached_property
    def movements_to(self) -> tuple[I32, I32]:
        """(order, start): movements entering lane i are rows order[start[i]:start[i + 1]]."""
        return _grouped(self.movements.to_lane, len(self.lanes.ids))

    def get_lane(self, lane_id: str) -> int:
        """Row of a lane; raises NotFoundError."""
        row = self.lanes.row.get(lane_id)
        if row is None:
            raise NotFoundError(
                f"no lane {lane_id!r}", remedy="list them with `civicbrain city show --lanes`"
            )
        return row


def _grouped(keys: I32, size: int) -> tuple[I32, I32]:
    order = np.argsort(keys, kind="stable").astype(np.int32)
    start = np.searchsorted(keys[order], np.arange(size + 1)).astype(np.int32)
    return order, start
