"""Longitude and latitude of a city's plane, both ways.

A city without geography (a drawn grid) has no place on Earth, but GTFS knows nothing else: its plane is then
laid around 0° N 0° E, 111,320 m a degree both ways (WGS 84, at the equator).
"""

from __future__ import annotations

import math

from civicbrain.city.network import Projection

METRES_A_DEGREE = 111_320.0


class LonLat:
    """One city's. Not finite in, not finite out."""

    def __init__(self, projection: Projection) -> None:
        self._projection = projection
        self._plane = None
        if projection.proj not in ("", "!", "-", "."):
            import pyproj

            self._plane = pyproj.Proj(projection.proj)

    def to_lonlat(self, x_m: float, y_m: float) -> tuple[float, float]:
        """(longitude, latitude) in degrees of a place in metres."""
        x_m, y_m = x_m - self._projection.offset_x_m, y_m - self._projection.offset_y_m
        if self._plane is None:
            return x_m / METRES_A_DEGREE, y_m / METRES_A_DEGREE
        lon, lat = self._plane(x_m, y_m, inverse=True)
        return float(lon), float(lat)

    def to_xy(self, lon: float, lat: float) -> tuple[float, float]:
        """(x, y) in metres of a place in degrees."""
        if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180.0 and abs(lat) <= 90.0):
            return math.nan, math.nan
        if self._plane is None:
            x_m, y_m = lon * METRES_A_DEGREE, lat * METRES_A_DEGREE
        else:
            x_m, y_m = self._plane(lon, lat)
        return float(x_m) + self._projection.offset_x_m, float(y_m) + self._projection.offset_y_m
