"""`IncidentsBrain`: what every second brings, through the detectors and their fusion, to incidents."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from civicbrain.brains.incidents.avoidance import Avoidance
from civicbrain.brains.incidents.box import Box, split
from civicbrain.brains.incidents.effects import CLEARS_AFTER_S, capacity_left, delay_veh_h
from civicbrain.brains.incidents.fusion import Fusion
from civicbrain.brains.incidents.layout import Layout
from civicbrain.brains.incidents.reported import Reported
from civicbrain.brains.incidents.sensor_faults import SensorFaults
from civicbrain.brains.incidents.signal_faults import SignalFaults
from civicbrain.brains.incidents.standing import Standing
from civicbrain.brains.incidents.suspicion import Suspicion
from civicbrain.brains.incidents.things import SAME_M, Thing
from civicbrain.brains.incidents.tracks import Tracks
from civicbrain.brains.incidents.wrong_way import WrongWay
from civicbrain.city.incidents import Effect, Incident, IncidentKind
from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.brain import Advice, Alert, Severity
from civicbrain.core.sentences import both, say

REPEAT_S = 30.0
"""What is open is said again so often: the contract asks for a minute at most."""

SETTLE_S = 60.0
"""No incident is told of in the first minute of frames: cameras and lamps are not known yet."""

LAMPS_HOLD_S = 2.0
"""Lamps that were last reported longer before a frame may have changed: nothing that depends on them is drawn
from it. Start-up lost time, about 2 s (HCM 7th ed., ch. 19), is what a green takes to show."""

_TITLE = {
    IncidentKind.STOPPED_VEHICLE: "Stopped vehicle",
    IncidentKind.CRASH: "Several lanes blocked, as by a crash",
    IncidentKind.BLOCKED_JUNCTION: "Blocked junction",
    IncidentKind.WRONG_WAY: "Wrong-way driver",
    IncidentKind.CLOSED_LANE: "Lane closed or obstructed",
    IncidentKind.CONGESTION: "Unusual congestion",
    IncidentKind.SIGNAL_FAULT: "Signal fault",
    IncidentKind.SENSOR_FAULT: "A camera fails or shows what is not there",
}
_CRITICAL = (IncidentKind.CRASH, IncidentKind.WRONG_WAY, IncidentKind.BLOCKED_JUNCTION)


class IncidentsBrain:
    """See the room's card. sensitivity: above 1 tells more and sooner, below 1 less; tuned for 1."""

    cadence_s = 1.0
    budget_s = 0.25

    def __init__(self, city: City, sensitivity: float = 1.0, name: str = "incidents") -> None:
        self.name = name
        self._city, self._sensitivity = city, sensitivity
        self._layout = Layout(city)
        camera = self._layout.camera
        first = np.unique(camera[camera >= 0], return_index=True)
        self._one_lane = np.full(len(city.junctions), -1, np.int64)
        self._one_lane[first[0]] = np.flatnonzero(camera >= 0)[first[1]]
        edges = city.network.edges.ids
        self._width = np.bincount(city.network.lanes.edge[self._layout.motor], minlength=len(edges))
        self._reset()

    def _reset(self) -> None:
        layout, how = self._layout, self._sensitivity
        self._tracks = Tracks(layout)
        self._sensors = SensorFaults(layout, how)
        self._standing = Standing(layout, how)
        self._box = Box(layout, how)
        self._signals = SignalFaults(layout, how)
        self._wrong_way = WrongWay(layout, how)
        self._avoidance = Avoidance(layout, how)
        self._fusion = Fusion(layout)
        self._reported = Reported(self.name)
        self._said: dict[str, Incident] = {}
        self._alerted: dict[str, tuple[tuple[object, ...], Alert]] = {}
        self._begin_s = self._first_frame_s = math.nan
        self._last_s = -math.inf
        self._count = 0

    def advise(self, snapshot: Snapshot) -> Advice:
        """Incidents that are new, changed or over; an alert for each that is open."""
        now_s = snapshot.time_s
        if now_s < self._last_s:
            self._reset()
        if math.isnan(self._begin_s):
            self._begin_s = now_s
        self._last_s = now_s
        suspicions = self._suspicions(snapshot)
        if not now_s >= self._first_frame_s + SETTLE_S:  # nan: none yet
            suspicions = []
        over = self._fusion.update([one for one in suspicions if one.ratio >= 1.0], now_s)
        told = [self._incident(thing, now_s) for thing in self._fusion.things]
        for thing in over:
            if thing.id:
                told.append(msgspec.structs.replace(
                    self._incident(thing, now_s), cleared_s=max(thing.cleared_s, thing.onset_s),
                    part_of=thing.whole.id if thing.part_of else "",
                ))  # fmt: skip
        told = self._reported.merged(told, snapshot.reports, now_s)
        news = [one for one in told if self._is_news(one)]
        return Advice(alerts=tuple(self._alert(one) for one in told if one.is_open), incidents=tuple(news))

    def _suspicions(self, snapshot: Snapshot) -> list[Suspicion]:
        seen_s = self._seen_s(snapshot)
        seen, inside = split(snapshot.detections)
        step = self._tracks.update(seen, seen_s)
        if step is None:
            return self._sensors.quiet(snapshot.time_s, seen_s)
        if math.isnan(self._first_frame_s):
            self._first_frame_s = step.time_s
        tracks, camera = self._tracks, self._layout.camera
        found = self._sensors.update(seen, tracks, step, seen_s)
        trusted = self._sensors.trusted(step.time_s)
        fresh = np.zeros(len(trusted), np.bool_)
        fresh[step.new] = True
        watched = (camera >= 0) & (trusted & fresh)[camera]
        if step.time_s - snapshot.signals.time_s <= LAMPS_HOLD_S:
            found += self._signals.update(
                tracks, step, snapshot.signals, snapshot.asked, watched, self._standing.heads
            )
        else:
            watched &= ~self._layout.signalled
        self._box.look(inside, step.time_s, watched)
        found += self._standing.update(tracks, step, snapshot.signals, watched, self._box)
        found += self._wrong_way.update(tracks, step, trusted)
        found += self._avoidance.update(tracks, step, watched)
        return found

    def _seen_s(self, snapshot: Snapshot) -> F64:
        """(j,) time of each camera's newest frame, -inf where it has none."""
        ages = snapshot.lanes.age_s
        result = np.full(len(self._one_lane), -np.inf)
        has = self._one_lane >= 0
        result[has] = snapshot.time_s - ages[self._one_lane[has]].astype(np.float64)
        return result

    def _incident(self, thing: Thing, now_s: float) -> Incident:
        layout = self._layout
        if not thing.id:
            self._count += 1
            thing.id = f"{self.name}-{int(self._begin_s)}-{self._count}"
        lanes = sorted(thing.lanes)
        edges = self._city.network.lanes.edge
        width = 1
        if thing.kind is IncidentKind.SENSOR_FAULT or not lanes:
            junction = self._city.junctions[thing.junction].id
            sensor = f"camera:{junction}" if thing.kind is IncidentKind.SENSOR_FAULT else ""
            place = layout.junction_place(thing.junction, sensor)
        elif thing.kind in (IncidentKind.BLOCKED_JUNCTION, IncidentKind.SIGNAL_FAULT) and thing.junction >= 0:
            place = layout.junction_place(thing.junction)
        else:
            first, d = next(iter(thing.lanes.items()))
            own = tuple(
                row for row in lanes if edges[row] == edges[first] and abs(thing.lanes[row] - d) <= SAME_M
            )
            place = layout.place(first, d, own)
            width = int(self._width[edges[first]])
        left = capacity_left(thing.kind, len(place.lanes), width)
        lasts_s = CLEARS_AFTER_S[thing.kind]
        sensors = sorted({int(layout.camera[row]) for row in lanes} | ({thing.junction} - {-1}))
        return Incident(
            id=thing.id,
            kind=thing.kind,
            place=place,
            confidence=round(1.0 - 0.5 ** max(thing.most, 0.0) if thing.most < 20 else 1.0, 2),
            onset_s=thing.onset_s,
            detected_s=thing.first_s,
            updated_s=now_s,
            evidence=tuple(thing.evidence.values())[:8],
            capacity_left=left,
            delay_veh_h=round(delay_veh_h(0.15 * width, width, left, lasts_s), 2),
            clears_s=thing.onset_s + max(lasts_s, math.ceil((now_s - thing.onset_s) / lasts_s) * lasts_s),
            sensors=tuple(f"camera:{self._city.junctions[row].id}" for row in sensors if row >= 0),
            effects=tuple(Effect(layout.place(row, d), s) for row, d, s in thing.effects.values()),
        )

    def _is_news(self, one: Incident) -> bool:
        """New, over, changed, or not said for a while."""
        before = self._said.get(one.id)
        if not one.is_open:
            self._alerted.pop(one.id, None)
            return self._said.pop(one.id, None) is not None
        if before is not None and one.updated_s - before.updated_s < REPEAT_S and _what(before) == _what(one):
            return False
        self._said[one.id] = one
        return True

    def _alert(self, one: Incident) -> Alert:
        severity = Severity.CRITICAL if one.kind in _CRITICAL else Severity.WARNING
        where = one.place.edge or one.place.junction or one.place.sensor
        known = one.place.junction if one.place.junction in self._city.signals.row else ""
        why = one.evidence[0] if one.evidence else "reported"
        detail = f"{where}: {str(why).split(',')[0]}"
        title = say(f"incident-{one.kind}", _TITLE[one.kind], edge=one.place.edge)
        alert = Alert(
            one.id, severity, title.text, detail, one.updated_s, self.name, known, both(title, why)
        )  # fmt: skip
        # seconds in the evidence go on while it lasts: that alone is no news, or there were one each second
        what = _what(one)
        said, before = self._alerted.get(one.id, (None, alert))
        if said == what:
            alert = msgspec.structs.replace(alert, detail=before.detail, said=before.said)
        self._alerted[one.id] = what, alert
        return alert


def _what(one: Incident) -> tuple[object, ...]:
    """What makes a repeated word on an incident news."""
    return one.kind, one.place.lanes, one.place.junction, one.reports, len(one.effects)
