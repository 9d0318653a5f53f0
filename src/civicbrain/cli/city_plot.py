"""Drawings of a city and of one junction's stages."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import F32, RoadUse
from civicbrain.city.signals import SignalJunction
from civicbrain.core.errors import ConfigurationError

_FORMATS = (".svg", ".png", ".pdf")
_LAMP_COLOURS = {"G": "#15803d", "g": "#84cc16", "s": "#f59e0b", "r": "#d1d5db"}
_AROUND_M = 45.0


def plot_city(city: City, junction: SignalJunction | None, file: Path) -> None:
    """Draw the network with its signals, or one junction's stages, into a .svg, .png or .pdf file."""
    if file.suffix.lower() not in _FORMATS:
        raise ConfigurationError(
            f"cannot draw into {file.name!r}", remedy=f"end the file name in {', '.join(_FORMATS)}"
        )
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure = _network(city, plt) if junction is None else _stages(city, junction, plt)
    figure.savefig(file, dpi=150, bbox_inches="tight")
    plt.close(figure)


def _network(city: City, plt: Any) -> Any:
    west, south, east, north = city.network.bounds_m
    ratio = (north - south) / max(east - west, 1.0)
    figure, axes = plt.subplots(figsize=(10.0, float(np.clip(10.0 * ratio, 3.0, 14.0))))
    _draw_lanes(city, axes)
    axes.scatter(
        [junction.x_m for junction in city.junctions], [junction.y_m for junction in city.junctions],
        s=18, color="#15803d", zorder=3,
    )  # fmt: skip
    for junction in city.junctions if len(city.junctions) <= 40 else ():
        axes.annotate(
            junction.id, (junction.x_m, junction.y_m), fontsize=5, xytext=(3, 3), textcoords="offset points"
        )
    axes.set_title(f"{city.name}: {len(city.junctions)} signal junctions")
    axes.set_aspect("equal")
    axes.set_xlabel("m")
    axes.set_ylabel("m")
    return figure


def _draw_lanes(city: City, axes: Any) -> None:
    from matplotlib.collections import LineCollection

    lanes = city.network.lanes
    cars = (lanes.use & int(RoadUse.MOTOR)) != 0
    for mask, colour in ((~cars, "#cbd5e1"), (cars, "#475569")):
        lines = [lanes.shape(int(row)) for row in np.flatnonzero(mask)]
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=0.7))
    axes.autoscale()


def _stages(city: City, junction: SignalJunction, plt: Any) -> Any:
    movements = city.network.movements
    row = city.signals.row[junction.id]
    start = int(city.signals.group_start[row])
    mine = np.flatnonzero(movements.junction == row)
    ends = np.asarray([city.network.lanes.shape(int(movements.from_lane[m]))[-1] for m in mine]).reshape(
        -1, 2
    )
    low, high = ends.min(axis=0) - _AROUND_M, ends.max(axis=0) + _AROUND_M
    columns = min(4, len(junction.stages))
    rows = math.ceil(len(junction.stages) / columns)
    figure, grid = plt.subplots(rows, columns, figsize=(3.2 * columns, 3.4 * rows), squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, stage in zip(grid.flat, junction.stages, strict=False):
        _draw_lanes(city, axes)
        # red first, so that green lies on top
        for m in sorted(mine, key=lambda m: "rsgG".find(stage.lamps[movements.group[m] - start])):
            lamp = stage.lamps[movements.group[m] - start]
            way = _curve(
                city.network.lanes.shape(int(movements.from_lane[m])),
                city.network.lanes.shape(int(movements.to_lane[m])),
            )
            axes.plot(*way.T, color=_LAMP_COLOURS[lamp], linewidth=2.0 if lamp in "Gg" else 1.0)
        axes.set_xlim(low[0], high[0])
        axes.set_ylim(low[1], high[1])
        axes.set_aspect("equal")
        axes.set_title(f"{stage.id} ({stage.origin})" if stage.derived else stage.id, fontsize=9)
    name = f" {junction.name}" if junction.name != junction.id else ""
    key = "dark green: right of way, light green: yields, amber: turn on red"
    figure.suptitle(f"{junction.id}{name}\n{key}", fontsize=9)
    return figure


def _curve(before: F32, after: F32) -> F32:
    """A quadratic curve (16, 2) from the end of one lane to the start of the next, tangent to both."""
    a, b = before[-1].astype(np.float64), after[0].astype(np.float64)
    heading_a, heading_b = before[-1] - before[-2], after[1] - after[0]
    cross = float(heading_a[0] * heading_b[1] - heading_a[1] * heading_b[0])
    middle = (a + b) / 2.0
    if abs(cross) > 1e-3 * float(np.hypot(*heading_a) * np.hypot(*heading_b)):
        gap = b - a
        along = float(gap[0] * heading_b[1] - gap[1] * heading_b[0]) / cross
        corner = a + along * heading_a
        if along > 0 and float((b - corner) @ heading_b) > 0:
            middle = corner
    t = np.linspace(0.0, 1.0, 16)[:, None]
    way: F32 = ((1 - t) ** 2 * a + 2 * t * (1 - t) * middle + t**2 * b).astype(np.float32)
    return way
