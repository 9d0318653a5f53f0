"""Two published ways to detect incidents, on the same frames as ours: for comparison.

Both look at an approach (an edge that a camera sees), in steps of `STEP_S`, and say that something is wrong
on it, not what or where: their place is the middle of what is in view.

California algorithm: Payne & Tignor 1978, "Freeway incident-detection algorithms based on decision trees with
states", TRR 682. Occupancy upstream (far half of the view) and downstream (near half): an incident where the
difference, the difference over the upstream one, and the fall of the downstream one over two steps over what
it was are all above their thresholds, in two steps in a row.

Isolation forest: Liu, Ting & Zhou 2008, "Isolation forest", as scikit-learn has it. One forest a run, fitted
to the steps before the first incident; features of an approach and step: occupancies, vehicles, queued, mean
speed, share of green, each less the approach's own mean over the same time.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from civicbrain.brains.incidents.layout import Layout
from civicbrain.city.incidents import Incident, IncidentKind
from civicbrain.city.model import City
from civicbrain.city.snapshot import QUEUE_SPEED_MPS, Snapshot

STEP_S = 30
OPEN_S = 120.0
"""What is said again within this is the same."""

VEHICLE_M = 7.5
F64 = NDArray[np.float64]


class Approaches:
    """Means of each step and approach. rows: (approach, step) features as `names`, in the order of time."""

    names = ("far", "near", "vehicles", "queued", "speed", "green")

    def __init__(self, city: City) -> None:
        layout = Layout(city)
        lanes = city.network.lanes
        seen = np.flatnonzero((layout.camera >= 0) & layout.motor)
        edges = np.unique(lanes.edge[seen])
        self.edge = edges
        self._of_lane = np.full(len(lanes.ids), -1, np.int64)
        self._of_lane[seen] = np.searchsorted(edges, lanes.edge[seen])
        near, far = layout.seen_m()
        self._middle = np.zeros(len(lanes.ids))
        self._middle[seen] = (near[seen] + far[seen]) / 2.0
        self._half_m = np.bincount(
            self._of_lane[seen], weights=(far - near)[seen] / 2.0, minlength=len(edges)
        )
        self._layout = layout
        self.camera = np.zeros(len(edges), np.int64)
        self.camera[self._of_lane[seen]] = layout.camera[seen]
        self.place = [
            layout.place(
                int(seen[self._of_lane[seen] == k][0]), float(self._middle[seen[self._of_lane[seen] == k][0]])
            )
            for k in range(len(edges))
        ]
        self._clear()
        self.steps: list[F64] = []
        self.end_s: list[float] = []

    def _clear(self) -> None:
        self._sum = np.zeros((len(self.edge), 6))
        self._count = np.zeros(len(self.edge))

    def take(self, snapshot: Snapshot) -> bool:
        """Take in a second; True when a step is complete."""
        seen, size = snapshot.detections, len(self.edge)
        row = self._of_lane[seen.lane]
        good = row >= 0
        row, lane = row[good], seen.lane[good]
        far = seen.distance_m[good] > self._middle[lane]
        speed = seen.speed_mps[good]
        count = np.bincount(row, minlength=size)
        half_m = np.maximum(self._half_m, VEHICLE_M)
        green = np.zeros(size)
        has = np.flatnonzero(self._layout.signalled & (self._of_lane >= 0))
        lamps = np.isin(snapshot.signals.lamps[self._layout.groups], (ord("G"), ord("g")))
        if len(has):
            of_lane = np.logical_or.reduceat(lamps, self._layout.group_start[has])
            np.maximum.at(green, self._of_lane[has], of_lane.astype(float))
        looked = np.isin(self.camera, seen.cameras)
        self._sum += (
            np.stack(
                [
                    np.bincount(row[far], minlength=size) * VEHICLE_M / half_m,
                    np.bincount(row[~far], minlength=size) * VEHICLE_M / half_m,
                    count,
                    np.bincount(row[speed < QUEUE_SPEED_MPS], minlength=size),
                    np.bincount(row, weights=speed, minlength=size),
                    green,
                ],
                axis=1,
            )
            * looked[:, None]
        )
        self._count += looked
        if int(snapshot.time_s) % STEP_S:
            return False
        mean = self._sum / np.maximum(self._count, 1.0)[:, None]
        mean[:, 4] = np.where(mean[:, 2] > 0, mean[:, 4] / np.maximum(mean[:, 2], 1e-6), 12.0)
        mean[self._count == 0] = np.nan
        self.steps.append(mean)
        self.end_s.append(snapshot.time_s)
        self._clear()
        return True


def california(approaches: Approaches, level: float) -> list[Incident]:
    """level: factor on the thresholds, which are those of Payne & Tignor's calibration, in shares."""
    steps = np.stack(approaches.steps)
    far, near = steps[:, :, 0], steps[:, :, 1]
    difference = far - near
    relative = difference / np.maximum(far, 1e-6)
    fall = np.zeros_like(near)
    fall[2:] = (near[:-2] - near[2:]) / np.maximum(near[:-2], 1e-6)
    hit = (difference > 0.08 * level) & (relative > min(0.5 * level, 0.98)) & (fall > min(0.15 * level, 0.98))
    lasting = np.zeros_like(hit)
    # the fall shows once; the difference must last for another step
    lasting[1:] = hit[:-1] & (difference[1:] > 0.08 * level) & (relative[1:] > min(0.5 * level, 0.98))
    return _said(approaches, lasting, "california")


def isolation_forest(approaches: Approaches, share: float, learn_until_s: float, seed: int) -> list[Incident]:
    """share: of the steps that is called wrong while learning (the forest's contamination)."""
    steps = np.stack(approaches.steps)
    learn = np.array(approaches.end_s) <= learn_until_s
    mean = np.nan_to_num(np.nanmean(steps[learn], axis=0)) if learn.any() else 0.0
    shaped = np.nan_to_num(steps - mean)
    flat = shaped[learn].reshape(-1, steps.shape[2])
    forest = IsolationForest(n_estimators=100, random_state=seed).fit(flat)
    score = -forest.score_samples(shaped.reshape(-1, steps.shape[2])).reshape(steps.shape[:2])
    limit = np.quantile(score[learn], 1.0 - share)
    hit = (score > limit) & ~np.isnan(steps[:, :, 0])
    hit[1:] &= hit[:-1]
    hit[0] = False
    hit[learn] = False
    return _said(approaches, hit, "forest")


def _said(approaches: Approaches, hit: NDArray[np.bool_], name: str) -> list[Incident]:
    told, last = [], defaultdict(lambda: -np.inf)
    for step, at_s in enumerate(approaches.end_s):
        for row in np.flatnonzero(hit[step]).tolist():
            if at_s - last[row] > OPEN_S:
                told.append(
                    Incident(
                        f"{name}-{len(told)}",
                        IncidentKind.CONGESTION,
                        approaches.place[row],
                        1.0,
                        at_s,
                        at_s,
                        at_s,
                    )
                )
            last[row] = at_s
    return told
