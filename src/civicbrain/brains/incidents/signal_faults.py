"""Signals that do not do what their controllers say, or do nothing at all.

red crossings   vehicles drive over the line while the controller has reported red for `RED_S` and more
                (`red_crossings.py`). Drivers obey lamps, so the lamps are other than reported, or dark
stuck           no lamp has changed for far longer than this junction ever left them, and somebody waits at
                a red one; a stage that is held on purpose (manual, forced) is not counted
dark, flashing  the controller says so itself
"""

from __future__ import annotations

import numpy as np

from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.red_crossings import NATS, RedCrossings
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.tracks import Step, Tracks
from civicbrain.city.incidents import IncidentKind
from civicbrain.city.network import F64, Bool
from civicbrain.city.observations import SignalStates
from civicbrain.city.signals import ControllerMode
from civicbrain.core.sentences import say

RED_S = 5.0
"""Red that nobody overruns by accident: a yellow of 3 to 5 s misjudged, and a frame of 1 s late."""

HELD = (int(ControllerMode.MANUAL), int(ControllerMode.FORCED))
"""By an operator's override, or for an emergency vehicle."""

STUCK_FACTOR, STUCK_LEAST_S = 1.6, 40.0
WAITS_S = 20.0
QUIET_S = 100.0


class SignalFaults:
    """Call `update` with each frame."""

    def __init__(self, layout: Layout, sensitivity: float = 1.0) -> None:
        self._layout, self._sensitivity = layout, sensitivity
        self._crossings, self._nats = RedCrossings(layout), NATS / sensitivity
        city = layout.city
        count = len(city.junctions)
        steps = [[step.duration_s for step in junction.local_plan.steps] for junction in city.junctions]
        self._longest_s: F64 = np.array([max(own, default=60.0) for own in steps], np.float64)
        self._spell_s: F64 = np.zeros(count)
        self._held_s: F64 = np.full(count, -np.inf)  # last second at which its stage was held on purpose
        start = city.signals.group_start
        self._junction_of_group = np.repeat(np.arange(count), np.diff(start))

    def update(self, tracks: Tracks, step: Step, signals: SignalStates, watched: Bool) -> list[Suspicion]:
        """watched: (n,) lanes whose camera is trusted."""
        return [
            *self._overrun(tracks, step, signals, watched), *self._stuck(tracks, step.time_s, signals),
            *self._dark(signals, step.time_s),
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

    def _overrun(self, tracks: Tracks, step: Step, signals: SignalStates, watched: Bool) -> list[Suspicion]:
        crossings, now_s = self._crossings, step.time_s
        crossings.update(tracks, step, self.red(signals, now_s, RED_S), watched)
        lately = now_s - crossings.last_s <= QUIET_S
        return [
            Suspicion(
                IncidentKind.SIGNAL_FAULT, float(crossings.score[row] / self._nats),
                float(crossings.first_s[row]),
                say(
                    "over-red", "vehicles drive over the line at reported red, first "
                    f"{now_s - crossings.first_s[row]:.0f} s ago",
                    since_s=float(now_s - crossings.first_s[row]),
                ), junction=row, quiet_s=QUIET_S,
            )
            for row in np.flatnonzero((crossings.score >= self._nats) & lately).tolist()
        ]  # fmt: skip

    def _stuck(self, tracks: Tracks, now_s: float, signals: SignalStates) -> list[Suspicion]:
        layout = self._layout
        count = len(self._longest_s)
        changed_s = np.full(count, -np.inf)
        np.maximum.at(changed_s, self._junction_of_group, signals.lamps_since_s.astype(np.float64))
        self._held_s[np.isin(signals.mode, HELD)] = now_s
        changed_s = np.maximum(changed_s, self._held_s)
        spell_s = np.where(np.isfinite(changed_s), now_s - changed_s, 0.0)
        ended = spell_s < self._spell_s - 0.5
        usual = self._spell_s < 2.0 * self._longest_s
        self._longest_s = np.where(ended & usual, np.maximum(self._longest_s, self._spell_s), self._longest_s)
        self._spell_s = spell_s
        limit_s = np.maximum(STUCK_FACTOR * self._longest_s, STUCK_LEAST_S) / self._sensitivity
        long = spell_s > limit_s
        if not long.any():
            return []
        at_end = tracks.d - layout.beyond_m[tracks.lane] < 13.0
        waits = at_end & (tracks.stood_s(now_s) >= WAITS_S) & self.red(signals, now_s, WAITS_S)[tracks.lane]
        waiting = np.zeros(count, np.bool_)
        waiting[layout.junction[tracks.lane[waits]]] = True
        return [
            Suspicion(
                IncidentKind.SIGNAL_FAULT, float(spell_s[row] / limit_s[row]), float(changed_s[row]),
                say(
                    "lamps-stuck", f"no lamp has changed for {spell_s[row]:.0f} s, "
                    f"{self._longest_s[row]:.0f} s is the longest here, and vehicles wait at red",
                    for_s=float(spell_s[row]), longest_s=float(self._longest_s[row]),
                ), junction=row,
            )
            for row in np.flatnonzero(long & waiting).tolist()
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
