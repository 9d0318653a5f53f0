"""The city's geometry for the map, worked out once: lanes, junctions, signal heads at their stop lines."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from pyproj import CRS, Transformer

from civicbrain.api.models.city import (
    EdgeColumns,
    Geometry,
    JunctionPoint,
    LaneColumns,
    PlacePoint,
    SignalHead,
)
from civicbrain.city.model import City
from civicbrain.city.places import PlaceKind

METRES_PER_DEGREE = 111_320.0  # on the equator; where cities without geography are put (0° N 0° E)
SHOWN_PLACES = (
    PlaceKind.HOSPITAL, PlaceKind.AMBULANCE_STATION, PlaceKind.FIRE_STATION, PlaceKind.POLICE_STATION,
    PlaceKind.RAILWAY_STATION,
)  # fmt: skip
_ROUNDING = 1  # decimals of a metre


def geometry_of(city: City) -> Geometry:
    """Rows follow the city's own order."""
    lanes = city.network.lanes
    points = np.round(lanes.shape_xy.astype(np.float64), _ROUNDING)
    flat = points.ravel().tolist()
    starts = (2 * lanes.shape_start).tolist()
    return Geometry(
        bounds_m=list(bounds_of(city)),
        lanes=LaneColumns(
            edge=lanes.edge.tolist(),
            width_m=np.round(lanes.width_m.astype(np.float64), 2).tolist(),
            use=lanes.use.tolist(),
            points=[flat[a:b] for a, b in pairwise(starts)],
        ),
        edges=EdgeColumns(
            id=list(city.network.edges.ids),
            from_node=city.network.edges.from_node.tolist(),
            to_node=city.network.edges.to_node.tolist(),
            name=list(city.network.edges.names) if any(city.network.edges.names) else [],
        ),
        junctions=[
            JunctionPoint(j.id, j.name, round(j.x_m, _ROUNDING), round(j.y_m, _ROUNDING))
            for j in city.junctions
        ],
        heads=_heads(city),
        places=[
            PlacePoint(
                place.id,
                place.kind,
                place.name,
                place.edge,
                round(place.x_m, _ROUNDING),
                round(place.y_m, _ROUNDING),
            )
            for place in city.list_places(*SHOWN_PLACES)
        ],
    )


def bounds_of(city: City) -> tuple[float, float, float, float]:
    """(min x, min y, max x, max y) in metres; the map frame's positions are quantised over exactly these."""
    return city.network.bounds_m


def lonlat_affine(city: City) -> tuple[float, float, float, float, float, float]:
    """(a, b, c, d, e, f) with lon = a*x + b*y + c, lat = d*x + e*y + f, fitted by least squares over the
    city's extent (a city is small: the error of a plane stays below a metre over 10 km)."""
    x_low, y_low, x_high, y_high = bounds_of(city)
    projection = city.network.projection
    flat = (1 / METRES_PER_DEGREE, 0.0, -(x_low + x_high) / 2 / METRES_PER_DEGREE,
            0.0, 1 / METRES_PER_DEGREE, -(y_low + y_high) / 2 / METRES_PER_DEGREE)  # fmt: skip
    if not projection.proj or projection.proj == "!":
        return flat
    x, y = (
        axis.ravel() for axis in np.meshgrid(np.linspace(x_low, x_high, 5), np.linspace(y_low, y_high, 5))
    )
    back = Transformer.from_crs(CRS.from_user_input(projection.proj), "EPSG:4326", always_xy=True)
    lon, lat = back.transform(x - projection.offset_x_m, y - projection.offset_y_m)
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return flat
    # fitted around the middle, so that large projected coordinates lose no digits
    x_mid, y_mid = (x_low + x_high) / 2, (y_low + y_high) / 2
    basis = np.column_stack([x - x_mid, y - y_mid, np.ones_like(x)])
    (a, b, c), (d, e, f) = (np.linalg.lstsq(basis, values, rcond=None)[0] for values in (lon, lat))
    return (
        float(a), float(b), float(c - a * x_mid - b * y_mid),
        float(d), float(e), float(f - d * x_mid - e * y_mid),
    )  # fmt: skip


def _heads(city: City) -> list[SignalHead]:
    """One a (lane, group): movements from one lane in one group share a stop line."""
    network, index = city.network, city.signals
    movements = network.movements
    seen: set[tuple[int, int]] = set()
    heads = []
    for row in city.signalled_movements.tolist():
        group, lane, junction = (
            int(movements.group[row]), int(movements.from_lane[row]), int(movements.junction[row])
        )  # fmt: skip
        if group < 0 or (lane, group) in seen:
            continue
        seen.add((lane, group))
        shape = network.lanes.shape(lane)
        x_m, y_m = shape[-1]
        before = shape[-2] if len(shape) > 1 else shape[-1]
        angle_deg = float(np.degrees(np.arctan2(x_m - before[0], y_m - before[1])) % 360)
        kind = city.junctions[junction].groups[group - int(index.group_start[junction])].kind
        heads.append(
            SignalHead(group, junction, round(float(x_m), _ROUNDING), round(float(y_m), _ROUNDING),
                       round(angle_deg, _ROUNDING), kind)
        )  # fmt: skip
    return heads
