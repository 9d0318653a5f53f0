"""Wrong-way drivers: rows that nobody was before, and that move away from the stop line at their own speed.

A chain of `LEAST` rows, each as far upstream of the one before as its speed says, over `LEAST_M` and more.
Rows that fit a vehicle driving the right way are left out before, because every second vehicle of a platoon
at a headway of twice the frame's looks like one that drives backwards.
"""

from __future__ import annotations

import numpy as np

from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.tracks import Step, Tracks
from civicbrain.city.incidents import IncidentKind
from civicbrain.city.network import F64, I32, Bool
from civicbrain.core.sentences import say

LEAST, LEAST_M = 5, 25.0
LEAST_MPS = 3.0
GATE_M, SPEED_MPS = 2.5, 1.5
MISSES = 2


class WrongWay:
    """Call `update` with each frame."""

    def __init__(self, layout: Layout, sensitivity: float = 1.0) -> None:
        self._layout = layout
        self._least = LEAST / sensitivity
        self._lane: I32 = np.zeros(0, np.int32)
        self._d: F64 = np.zeros(0)
        self._speed: F64 = np.zeros(0)
        self._first: F64 = np.zeros(0)
        self._sum_mps: F64 = np.zeros(0)
        self._since_s: F64 = np.zeros(0)
        self._length: F64 = np.zeros(0)
        self._missed: F64 = np.zeros(0)

    def update(self, tracks: Tracks, step: Step, trusted: Bool) -> list[Suspicion]:
        """trusted: (j,) cameras that are believed."""
        loose = step.born
        loose = loose[(tracks.speed[loose] >= LEAST_MPS) & trusted[tracks.camera[loose]]]
        lane, d, speed = tracks.lane[loose], tracks.d[loose], tracks.speed[loose]
        stem, edge = self._layout.stem, self._layout.city.network.lanes.edge
        # a row that is matched forward in the next frame was a vehicle that drives the right way
        right = np.isin(self._d, step.before_d) & np.isin(self._lane, step.before_lane) & (self._missed == 0)
        self._missed[right] = np.inf
        used = np.zeros(len(loose), np.bool_)
        place = self._d + self._speed * step.dt_s
        for chain in np.argsort(-self._length, kind="stable").tolist():
            if not np.isfinite(self._missed[chain]):
                continue
            near = np.abs(d - place[chain])
            upstream = (edge[lane] != edge[self._lane[chain]]) & (stem[lane] == stem[self._lane[chain]])
            fits = ~used & ((lane == self._lane[chain]) | upstream) & (near <= GATE_M)
            fits &= np.abs(speed - self._speed[chain]) < SPEED_MPS
            if fits.any():
                row = int(np.flatnonzero(fits)[np.argmin(near[fits])])
                used[row] = True
                self._lane[chain], self._d[chain], self._speed[chain] = lane[row], d[row], speed[row]
                self._length[chain] += 1.0
                self._sum_mps[chain] += speed[row]
                self._missed[chain] = 0.0
            else:
                self._d[chain] = place[chain]
                self._missed[chain] += 1.0
        fresh = ~used
        keep = self._missed <= np.where(self._length >= 3, MISSES, 1)
        self._lane = np.concatenate([self._lane[keep], lane[fresh]])
        self._d = np.concatenate([self._d[keep], d[fresh]])
        self._speed = np.concatenate([self._speed[keep], speed[fresh]])
        self._first = np.concatenate([self._first[keep], d[fresh]])
        self._sum_mps = np.concatenate([self._sum_mps[keep], speed[fresh]])
        self._since_s = np.concatenate([self._since_s[keep], np.full(int(fresh.sum()), step.time_s)])
        self._length = np.concatenate([self._length[keep], np.ones(int(fresh.sum()))])
        self._missed = np.concatenate([self._missed[keep], np.zeros(int(fresh.sum()))])
        driven_m = self._d - self._first
        told = (self._length >= self._least) & (driven_m >= LEAST_M) & (self._missed == 0)
        return [
            Suspicion(
                IncidentKind.WRONG_WAY, float(self._length[row] / self._least), float(self._since_s[row]),
                say(
                    "drives-away", f"a vehicle has driven {driven_m[row]:.0f} m away from the stop line at "
                    f"{self._speed[row] * 3.6:.0f} km/h",
                    driven_m=float(driven_m[row]), speed_mps=float(self._speed[row]),
                ), int(self._lane[row]), float(self._d[row]), quiet_s=30.0,
                speed_mps=float(self._sum_mps[row] / self._length[row]),
            )
            for row in np.flatnonzero(told).tolist()
        ]  # fmt: skip
