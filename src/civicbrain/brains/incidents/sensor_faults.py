"""Cameras that are silent or lie, told from what cannot be on a road.

silent     it spoke, and has not for `SILENT_S`
blind      frames without a vehicle: those who could not have left vanished at once, or it is empty for far
           longer than this view ordinarily is: −ln P of such a gap, whose scale is learned and uncertain
           (Lomax, as in discharge.py)
frozen     frame after frame the same to the last digit, vehicles said to drive among them
phantom    others drive through vehicles that stand, or a queue appears at once in mid-view
inflated   vehicles appear in mid-view far more often than they are lost and found again here: a sequential
           ratio test of a rate (Wald 1945), the usual one learned

Each is a log-likelihood ratio or CUSUM that has to reach 1 after division by its threshold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.tracks import AFRESH_S, KEEP_FRAMES, Step, Tracks
from civicbrain.city.incidents import IncidentKind
from civicbrain.city.network import F64, I32, Bool
from civicbrain.city.observations import Detections
from civicbrain.core.sentences import Sentence, say

SILENT_S = 8.0
BLIND_H, FROZEN_H, PHANTOM_H, INFLATED_H = 10.0, 12.0, 3.0, 14.0
VANISHES, OVERLOOKED = 3.9, 3.0
"""−ln of the chance that a vehicle goes out of view between its ends in a second (about 2 %: parked), and
that a camera overlooks it in one frame (5 %)."""

LEAST_FLICKER, INFLATED_FLICKER = 0.02, 0.15
"""Chance a vehicle and frame that one appears beside it in mid-view: least usual one, inflated."""

K, KEEP = 30.0, 0.97
KNOWN_S, PRIOR_GAPS, PRIOR_GAP_S = 60.0, 1.5, 40.0
"""Gaps without a vehicle: scale before any was seen, and how many seen ones it counts for."""

LEARN_S = 600.0
QUIET_S = 30.0
ENTRY_M = 30.0
"""Who appears or ends so near to an end of his lane's view may have come or gone there: 2 s of driving."""


class SensorFaults:
    """Call `update` with every frame, before the other detectors: `trusted` tells them whom to believe."""

    def __init__(self, layout: Layout, sensitivity: float = 1.0) -> None:
        self._layout, self._sensitivity = layout, sensitivity
        count = len(layout.city.junctions)
        self._near_m, self._far_m = layout.seen_m()
        self._spoke_s: F64 = np.full(count, -np.inf)
        self._score = {name: np.zeros(count) for name in ("blind", "frozen", "phantom", "inflated")}
        self._since_s = {name: np.full(count, np.nan) for name in self._score}
        self._rows: dict[str, F64] = {"count": np.zeros(count)}
        self._vanished: F64 = np.zeros(count)  # vehicles that were in view before it was empty
        self._seconds: F64 = np.zeros(count)  # with a vehicle in view
        self._gap_sum: F64 = np.zeros(count)
        self._gap_squares: F64 = np.zeros(count)
        self._flicker: F64 = np.full(count, LEAST_FLICKER)  # share of rows that appear in mid-view
        self._born_before: F64 = np.zeros(0)
        self._before: F64 = np.zeros(0)
        self._before_camera = np.zeros(0, np.int32)
        self._misses: F64 = np.zeros(count)  # share of standing vehicles overlooked in a frame, learned
        self._varies: F64 = np.zeros(count)  # share of standing rows that differ from frame to frame
        self._ghostly: F64 = np.full(len(layout.camera), -np.inf)
        self._untrusted_until_s: F64 = np.full(count, -np.inf)
        self._empty_s: F64 = np.zeros(count)

    def trusted(self, now_s: float) -> Bool:
        """(j,) cameras that say what there is, as far as is known."""
        return (now_s >= self._untrusted_until_s) & (now_s - self._spoke_s <= SILENT_S)

    def update(self, frame: Detections, tracks: Tracks, step: Step, seen_s: F64) -> list[Suspicion]:
        """seen_s: (j,) as for `Tracks.update`."""
        now_s, count = step.time_s, len(self._spoke_s)
        back = step.new[now_s - self._spoke_s[step.new] > AFRESH_S]
        self._untrusted_until_s[back] = now_s + 5.0  # it begins afresh: everything appears at once
        self._spoke_s = np.maximum(self._spoke_s, seen_s)
        new = np.zeros(count, np.bool_)
        new[step.new] = True
        rows = np.bincount(tracks.camera[tracks.missed == 0], minlength=count).astype(np.float64)
        self._blind(tracks, step, new, rows)
        self._frozen(frame, tracks, step, new, rows)
        self._phantom(tracks, step, new, rows)
        self._inflated(tracks, step, step.close, rows)
        return [*self._silent(now_s), *self._said(now_s)]

    def quiet(self, now_s: float, seen_s: F64) -> list[Suspicion]:
        """What there is to say when no camera spoke."""
        self._spoke_s = np.maximum(self._spoke_s, seen_s)
        return self._silent(now_s)

    def _add(self, name: str, change: NDArray[Any], new: Bool, now_s: float, most: float) -> None:
        score = self._score[name]
        after = np.clip(score + np.where(new, change, 0.0), 0.0, 2.0 * most)
        begun = (after > 0.0) & (score <= 0.0)
        self._since_s[name][begun] = now_s
        self._score[name] = after

    def _silent(self, now_s: float) -> list[Suspicion]:
        silent_s = now_s - self._spoke_s
        rows = np.flatnonzero(np.isfinite(silent_s) & (silent_s > SILENT_S / self._sensitivity))
        return [
            self._suspect(row, float(silent_s[row]) / SILENT_S, float(self._spoke_s[row]),
                          say("camera-silent", f"silent: no frame for {silent_s[row]:.0f} s",
                              for_s=float(silent_s[row])))
            for row in rows.tolist()
        ]  # fmt: skip

    def _blind(self, tracks: Tracks, step: Step, new: Bool, rows: F64) -> None:
        empty = new & (rows == 0)
        first = empty & (self._empty_s == 0.0)
        # who would still be in view a frame later, however he drives
        stays = (tracks.missed == 1) & (
            tracks.d - (tracks.speed + 1.5) * step.dt_s > self._near_m[tracks.lane] + 1.0
        )
        count = np.bincount(tracks.camera[stays], minlength=len(rows)).astype(np.float64)
        self._vanished = np.where(first, count, self._vanished)
        ended = new & ~empty & (self._empty_s > KEEP_FRAMES) & (self._score["blind"] < BLIND_H)
        self._gap_sum = np.where(ended, KEEP * self._gap_sum + self._empty_s, self._gap_sum)
        self._gap_squares = np.where(ended, KEEP * self._gap_squares + self._empty_s**2, self._gap_squares)
        self._empty_s = np.where(new, np.where(empty, self._empty_s + step.dt_s, 0.0), self._empty_s)
        scale_s = (self._gap_squares / 2.0 + PRIOR_GAPS * PRIOR_GAP_S**2) / (
            self._gap_sum + PRIOR_GAPS * PRIOR_GAP_S
        )
        waits_s = np.maximum(self._empty_s - KEEP_FRAMES, 0.0)
        each = np.where(self._empty_s > 1.5 * step.dt_s, VANISHES, OVERLOOKED)
        self._seconds += np.where(new & (rows > 0), step.dt_s, 0.0)
        known = self._seconds >= KNOWN_S  # of a view in which nobody drives an empty one says nothing
        nats = np.where(known, K * np.log1p(waits_s / (K * scale_s)), 0.0) + each * self._vanished
        self._since_s["blind"] = np.where(first, step.time_s, self._since_s["blind"])
        self._score["blind"] = np.where(new, np.where(empty, nats, 0.0), self._score["blind"])

    def _frozen(self, frame: Detections, tracks: Tracks, step: Step, new: Bool, rows: F64) -> None:
        now = frame.lane.astype(np.float64) * 1e6 + frame.distance_m
        count = len(rows)
        before = self._before
        same = np.isin(now, before) & new[frame.camera]
        drives = same & (frame.speed_mps > 1.0)
        every = np.bincount(frame.camera[same], minlength=count) >= np.maximum(rows, 1.0)
        again = every & (np.bincount(self._before_camera, minlength=count) == rows)
        gain = self._misses * rows + 3.0 * np.bincount(frame.camera[drives], minlength=count)
        gain += np.where(self._varies > 0.9, 1.0, 0.0) * rows
        self._add(
            "frozen", np.where(again, np.minimum(gain, FROZEN_H / 3.0), -1e9), new, step.time_s, FROZEN_H
        )
        still = (frame.speed_mps < 1.0) & new[frame.camera]
        of_still = np.bincount(frame.camera[still], minlength=count)
        differ = np.bincount(frame.camera[still & ~same], minlength=count)
        share = np.where(of_still > 0, differ / np.maximum(of_still, 1), self._varies)
        calm = self._score["frozen"] <= 0.0
        self._varies += np.where(calm, (share - self._varies) / 60.0, 0.0)
        stood = tracks.stood_s(step.time_s) >= 3.0
        of_stood = np.bincount(tracks.camera[stood], minlength=count)
        overlooked = np.bincount(tracks.camera[stood & (tracks.missed == 1)], minlength=count)
        share = np.where(of_stood > 0, overlooked / np.maximum(of_stood, 1), self._misses)
        self._misses += np.where(calm & new, (share - self._misses) / 300.0, 0.0)
        self._before, self._before_camera = now, frame.camera

    def _phantom(self, tracks: Tracks, step: Step, new: Bool, rows: F64) -> None:
        now_s, lane = step.time_s, tracks.lane
        # one who drove up is real, whoever passes him; one who comes onto the lane just now stood beside it
        stood = (tracks.stood_s(now_s) >= 3.0) & (tracks.missed == 0) & (tracks.speed < 0.8)
        stood &= ~tracks.drove & (now_s - tracks.entered_s >= 3.0)
        still = np.sort(lane[stood] * 1e6 + tracks.d[stood])
        moved = (step.before_lane == lane[step.matched]) & (tracks.speed[step.matched] > 3.0)
        moved &= (self.trusted(now_s) & step.close)[tracks.camera[step.matched]]
        who, before = step.matched[moved], step.before_d[moved]
        key = lane[who] * 1e6
        passed = np.searchsorted(still, key + before - 2.5) - np.searchsorted(
            still, key + tracks.d[who] + 2.5
        )
        through = np.bincount(tracks.camera[who[passed > 0]], minlength=len(rows))
        born = step.born
        at_once = born[(tracks.speed[born] < 0.8) & (tracks.d[born] < self._far_m[lane[born]] - ENTRY_M)]
        on_lane = np.bincount(lane[at_once], minlength=len(self._ghostly))
        queue = np.zeros(len(rows))
        np.maximum.at(queue, np.maximum(self._layout.camera, 0), on_lane)
        matched = np.bincount(tracks.camera[step.matched], minlength=len(rows))
        sound = self.trusted(now_s) & ((matched >= 1) | (rows == queue))
        change = through + np.where(sound & (queue >= 4), 1.1 * PHANTOM_H, 0.0).astype(np.float64)
        self._ghostly[lane[who[passed > 0]]] = now_s
        self._ghostly[(on_lane >= 4) & sound[np.maximum(self._layout.camera, 0)]] = now_s
        # it lasts while somebody stands on that lane since before
        lasting = (tracks.speed < 0.8) & (tracks.born_s <= self._ghostly[lane] + 1.0)
        lasts = np.bincount(tracks.camera[lasting], minlength=len(rows)) > 0
        change -= np.where(lasts, 0.0, 1.0 / 10.0)
        self._add("phantom", change, new, now_s, PHANTOM_H)

    def _inflated(self, tracks: Tracks, step: Step, close: Bool, rows: F64) -> None:
        count = len(rows)
        born = step.born[self._mid_view(tracks.lane[step.born], tracks.d[step.born])]
        key = self._layout.stem[tracks.lane[born]] * 1e4
        back = key + tracks.d[born] - tracks.speed[born] * step.dt_s
        # one who drives the wrong way is new in each frame as well, but where he was says where he is
        drives = (tracks.speed[born] > 2.0) & _near(self._born_before, back, 3.0)
        self._born_before = np.sort(key + tracks.d[born])
        appeared = np.bincount(tracks.camera[born[~drives]], minlength=count).astype(np.float64)
        usual = np.maximum(1.5 * self._flicker, LEAST_FLICKER)
        many = np.maximum(INFLATED_FLICKER, 4.0 * usual)
        change = np.minimum(appeared, 4.0) * np.log(many / usual) - (many - usual) * rows
        trusted = self.trusted(step.time_s)
        heard = trusted | (self._score["inflated"] > 0.0)
        self._add("inflated", np.where(heard, change, 0.0), close, step.time_s, INFLATED_H)
        calm = close & (rows > 0) & trusted & (self._score["inflated"] < 0.3 * INFLATED_H)
        share = np.where(rows > 0, appeared / np.maximum(rows, 1.0), 0.0)
        self._flicker += np.where(calm, (np.minimum(share, 1.0) - self._flicker) / LEARN_S, 0.0)

    def _mid_view(self, lane: I32, d: F64) -> Bool:
        found: Bool = (d > self._near_m[lane] + ENTRY_M) & (d < self._far_m[lane] - ENTRY_M)
        return found

    def _said(self, now_s: float) -> list[Suspicion]:
        limits = {"blind": BLIND_H, "frozen": FROZEN_H, "phantom": PHANTOM_H, "inflated": INFLATED_H}
        texts = {
            "blind": "blind: its view is empty, as it never is for so long",
            "frozen": "frozen: it repeats itself to the last digit",
            "phantom": "phantom: vehicles drive through others that stand",
            "inflated": "inflated: vehicles come and go in mid-view",
        }
        found = []
        for name, limit in limits.items():
            h, said = limit / self._sensitivity, say(f"camera-{name}", texts[name])
            for row in np.flatnonzero(self._score[name] >= h).tolist():
                self._untrusted_until_s[row] = now_s + 10.0
                since_s = float(self._since_s[name][row])
                found.append(self._suspect(row, float(self._score[name][row]) / h, since_s, said))
        return found

    def _suspect(self, row: int, ratio: float, since_s: float, said: Sentence) -> Suspicion:
        return Suspicion(IncidentKind.SENSOR_FAULT, ratio, since_s, said, junction=row, quiet_s=QUIET_S)


def _near(places: F64, wanted: F64, gate: float) -> Bool:
    """Of each wanted: whether one of the sorted places is within the gate."""
    found: Bool = np.searchsorted(places, wanted + gate) > np.searchsorted(places, wanted - gate)
    return found
