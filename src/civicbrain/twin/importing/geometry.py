"""Where two ways through a junction meet."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from civicbrain.city.network import F64

SAMPLE_M = 0.5
CLEARANCE_M = 0.3


def sample(shape_xy: F64) -> tuple[F64, F64]:
    """Points each SAMPLE_M along a line and their distance from its start: (n, 2) and (n,), in m."""
    steps_m = np.hypot(*np.diff(shape_xy, axis=0).T)
    along_m = np.concatenate(([0.0], np.cumsum(steps_m)))
    count = max(2, int(np.ceil(along_m[-1] / SAMPLE_M)) + 1)
    positions_m = np.linspace(0.0, along_m[-1], count)
    points = np.column_stack([np.interp(positions_m, along_m, shape_xy[:, axis]) for axis in (0, 1)])
    return points, positions_m


def conflict_zone(a_xy: F64, b_xy: F64, a_width_m: float, b_width_m: float) -> tuple[float, float]:
    """(far end of the shared area along a, near end of it along b), m from the two stop lines.

    Where the ways merge, the vehicle that clears drives on in front: the area ends where it begins. Ways
    that the matrix calls foes without their bodies touching meet where they come closest.
    """
    a_points, a_along_m = sample(a_xy)
    b_points, b_along_m = sample(b_xy)
    apart_m = cdist(a_points, b_points)
    limit_m = max((a_width_m + b_width_m) / 2.0 + CLEARANCE_M, float(apart_m.min()) + 1e-6)
    touching_a = np.flatnonzero((apart_m <= limit_m).any(axis=1))
    touching_b = np.flatnonzero((apart_m <= limit_m).any(axis=0))
    merges = apart_m[-1, -1] < 1.0
    a_m = a_along_m[touching_a[0] if merges else touching_a[-1]]
    return float(a_m), float(b_along_m[touching_b[0]])
