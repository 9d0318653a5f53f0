"""Signals that do not do what their controllers say, or do nothing at all.

red crossings   vehicles drive over the line while the controller has reported red for `RED_S` and more
                (`red_crossings.py`). Drivers obey lamps, so the lamps are other than reported, or dark. What
                speaks against first vehicles that do not go at reported green (`discharge.py`) is added: it
                is of other lanes, and both follow from lamps that show another thing
stuck           no lamp has changed while somebody waited at a red one for far longer than this junction ever
                let anybody wait so: a stage may stay for ever while nobody asks for another. One that is held
                on purpose (manual, forced) is not counted. Nor is one that the centre keeps, unless somebody
                waits for longer than a centre lets anybody wait
not followed    the centre asks for another stage than the one shown, and no lamp has changed for longer than
                the controller may need before it begins
dark, flashing  the controller says so itself
"""

from __future__ import annotations

import numpy as np

from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.red_crossings import NATS, RedCrossings
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.tracks import Step, Tracks
from civicbrain.city.incidents import IncidentKind
from civicbrain.city.network import F64, I32, Bool
from civicbrain.city.observations import SignalStates
from civicbrain.city.signals import ControllerMode, SignalJunction
from civicbrain.core.sentences import say

RED_S = 5.0
"""Red that nobody overruns by accident: a yellow of 3 to 5 s misjudged, and a frame of 1 s late."""

HELD = (int(ControllerMode.MANUAL), int(ControllerMode.FORCED))
"""By an operator's override, or for an emergency vehicle."""

STUCK_FACTOR, STUCK_LEAST_S = 1.6, 40.0
CENTRAL_LEAST_S = 150.0
"""The bound on red that the signals room keeps (120 s unless configured otherwise), and a quarter."""

FOLLOWS_S = 15.0
"""Besides the longest minimum green or intergreen (a pedestrian clearance is one): what requests, answers and
reports may take, and a margin. A controller reports lamps each second."""

BOTH_NATS, CROSSED_NATS = 11.0, 6.0
"""Of crossings and heads together, and of these crossings: more than one, or a blocked junction would be one
whose lamps disobey as soon as somebody seems to cross. Where no signal had failed they came to 10.5 at most
on development runs; where one had, and was missed by its crossings alone, to 11.3 and more."""

LEARNS_FACTOR = 2.0
"""What ends by itself was no fault, but what was repaired ends, too: at most so much longer each time."""
WAITS_S = 5.0
QUIET_S = 100.0


class SignalFaults:
    """Call `update` with each frame."""

    def __init__(self, layout: Layout, sensitivity: float = 1.0) -> None:
        self._layout, self._sensitivity = layout, sensitivity
        self._crossings = RedCrossings(layout)
        self._nats, self._both_nats = NATS / sensitivity, BOTH_NATS / sensitivity
        city = layout.city
        count = len(city.junctions)
        steps = [[step.duration_s for step in junction.local_plan.steps] for junction in city.junctions]
        self._longest_s: F64 = np.array([max(own, default=60.0) for own in steps], np.float64)
        self._changed_s: F64 = np.full(count, -np.inf)
        self._waited_s: F64 = np.zeros(count)  # at red since the last change
        self._held_s: F64 = np.full(count, -np.inf)  # last second at which its stage was held on purpose
        self._away_s: F64 = np.full(count, np.inf)  # since when the centre asks for another stage
        self._follows_s: F64 = np.array([_begins_within_s(junction) for junction in city.junctions])
        start = city.signals.group_start
        self._junction_of_group = np.repeat(np.arange(count), np.diff(start))

    def update(
        self, tracks: Tracks, step: Step, signals: SignalStates, asked: I32, watched: Bool, heads: F64
    ) -> list[Suspicion]:
        """asked: as in Snapshot. watched: (n,) lanes whose camera is trusted. heads: (j,) nats of first
        vehicles that do not go."""
        changed_s = self._changed(signals, step.time_s)
        return [
            *self._overrun(tracks, step, signals, watched, heads),
            *self._stuck(tracks, step, signals, changed_s),
            *self._unfollowed(signals, asked, changed_s, step.time_s), *self._dark(signals, step.time_s),
        ]  # fmt: skip

    def red(self, signals: SignalStates, now_s: float, least_s: float) -> Bool:
        """(n,) lanes all of whose groups have been reported red for least_s."""
        layout = self._layout
        value = (signals.lamps[layout.groups] == ord("r")) & (
            now_s - signals.lamps_since_s[layout.groups] >= least_s
        )
        result: Bool = np.zeros(len(layout.camera), np.bool_)
        has = np.flatnonzero(layout.signalled)
        if len(value):
            result[has] = np.logical_and.reduceat(value, layout.group_start[has])
        return result

    def _overrun(
        self, tracks: Tracks, step: Step, signals: SignalStates, watched: Bool, heads: F64
    ) -> list[Suspicion]:
        crossings, now_s = self._crossings, step.time_s
        crossings.update(tracks, step, self.red(signals, now_s, RED_S), watched)
        lately = now_s - crossings.last_s <= QUIET_S
        both = np.where(crossings.other >= CROSSED_NATS, crossings.other + heads, 0.0)
        ratio = np.maximum(crossings.score / self._nats, both / self._both_nats)
        return [
            Suspicion(
                IncidentKind.SIGNAL_FAULT, float(ratio[row]), float(crossings.first_s[row]),
                say(
                    "over-red", "vehicles drive over the line at reported red, first "
                    f"{now_s - crossings.first_s[row]:.0f} s ago",
                    since_s=float(now_s - crossings.first_s[row]),
                ), junction=row, quiet_s=QUIET_S,
            )
            for row in np.flatnonzero((ratio >= 1.0) & lately).tolist()
        ]  # fmt: skip

    def _changed(self, signals: SignalStates, now_s: float) -> F64:
        """(j,) when a lamp of each junction changed last, or its stage was held on purpose."""
        changed_s: F64 = np.full(len(self._longest_s), -np.inf)
        np.maximum.at(changed_s, self._junction_of_group, signals.lamps_since_s.astype(np.float64))
        self._held_s[np.isin(signals.mode, HELD)] = now_s
        np.maximum(changed_s, self._held_s, out=changed_s)
        return changed_s

    def _unfollowed(self, signals: SignalStates, asked: I32, changed_s: F64, now_s: float) -> list[Suspicion]:
        if len(asked) != len(self._away_s):
            return []
        away = (signals.mode == int(ControllerMode.CENTRAL)) & (asked >= 0) & (asked != signals.stage)
        self._away_s = np.where(away, np.minimum(self._away_s, now_s), np.inf)
        since_s = np.maximum(self._away_s, changed_s)
        ratio = (now_s - since_s) / self._follows_s * self._sensitivity
        return [
            Suspicion(
                IncidentKind.SIGNAL_FAULT, float(ratio[row]), float(since_s[row]),
                say(
                    "lamps-unfollowed", f"another stage has been asked for for {now_s - since_s[row]:.0f} s, "
                    "and no lamp has changed",
                    for_s=float(now_s - since_s[row]),
                ), junction=row,
            )
            for row in np.flatnonzero(ratio >= 1.0).tolist()
        ]  # fmt: skip

    def _stuck(self, tracks: Tracks, step: Step, signals: SignalStates, changed_s: F64) -> list[Suspicion]:
        layout, now_s = self._layout, step.time_s
        count = len(self._longest_s)
        ended = changed_s > self._changed_s
        learned_s = np.minimum(self._waited_s, LEARNS_FACTOR * self._longest_s)
        self._longest_s = np.where(ended, np.maximum(self._longest_s, learned_s), self._longest_s)
        self._changed_s = changed_s
        at_end = tracks.d - layout.beyond_m[tracks.lane] < 13.0
        waits = at_end & (tracks.stood_s(now_s) >= WAITS_S) & self.red(signals, now_s, WAITS_S)[tracks.lane]
        waiting = np.zeros(count, np.bool_)
        waiting[layout.junction[tracks.lane[waits]]] = True
        self._waited_s = np.where(ended, 0.0, self._waited_s + step.dt_s * waiting)
        central = signals.mode == int(ControllerMode.CENTRAL)
        least_s = np.where(central, CENTRAL_LEAST_S, STUCK_LEAST_S)
        limit_s = np.maximum(STUCK_FACTOR * self._longest_s, least_s) / self._sensitivity
        return [
            Suspicion(
                IncidentKind.SIGNAL_FAULT, float(self._waited_s[row] / limit_s[row]), float(changed_s[row]),
                say(
                    "lamps-stuck", f"no lamp has changed for {now_s - changed_s[row]:.0f} s, and vehicles "
                    f"waited at red for {self._waited_s[row]:.0f} s of them; {self._longest_s[row]:.0f} s is "
                    "the longest here",
                    for_s=float(now_s - changed_s[row]), waited_s=float(self._waited_s[row]),
                    longest_s=float(self._longest_s[row]),
                ), junction=row,
            )
            for row in np.flatnonzero((self._waited_s > limit_s) & waiting).tolist()
        ]  # fmt: skip

    def _dark(self, signals: SignalStates, now_s: float) -> list[Suspicion]:
        off = np.isin(signals.lamps, (ord("o"), ord("O")))
        count = len(self._longest_s)
        groups = np.bincount(self._junction_of_group, minlength=count)
        dark = (np.bincount(self._junction_of_group, weights=off, minlength=count) >= groups) & (groups > 0)
        dark |= signals.mode == int(ControllerMode.FLASHING)
        return [
            Suspicion(
                IncidentKind.SIGNAL_FAULT, 2.0, now_s,
                say("lamps-dark", "its controller reports dark or flashing lamps"), junction=row,
            )
            for row in np.flatnonzero(dark).tolist()
        ]  # fmt: skip


def _begins_within_s(junction: SignalJunction) -> float:
    """How long its lamps may rest, at most, while another stage is asked for."""
    least_s = max((group.min_green_s for group in junction.groups), default=0.0)
    intergreen_s = float(junction.intergreen_array_s.max(initial=0.0))
    return max(least_s, intergreen_s) + junction.request_every_s + FOLLOWS_S
