"""Which positions of mission vehicles are believed, and when a mission counts as lost.

A corridor is as good as the position it follows, so every position has to pass, in this order:

    unknown-mission   there is such a mission
    unauthorised      its source is one of the mission's
    bad-value, future, late, out-of-order, off-network, jump, frozen: see `position_rules.py`

What does not pass is counted and dropped; the first of each kind of a mission is an event for the record.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from civicbrain.city.missions import (
    MAX_NAME,
    Mission,
    MissionDatum,
    MissionEnd,
    MissionTrack,
    TrackState,
    VehiclePosition,
)
from civicbrain.city.network import Network
from civicbrain.city.position_rules import MOVES_MPS, SAME_PLACE_M, PositionBounds, PositionRules

MAX_MISSIONS = 200


@dataclass(frozen=True, slots=True)
class TrackOptions(PositionBounds):
    """lost_after_s: silence after which a mission is lost and its corridor given back. forget_after_s: a
    mission that is lost, or was never heard, for so long is over. The others: see PositionBounds."""

    lost_after_s: float = 10.0
    forget_after_s: float = 600.0


@dataclass(frozen=True, slots=True)
class TrackEvent:
    """Something to record. what: "ordered", "tracked", "lost", "ended" or "position-refused"; rule: the slug
    of the check that refused, or the reason of the end. vehicle: of the mission, where it was known."""

    mission: str
    time_s: float
    what: str
    rule: str = ""
    detail: str = ""
    vehicle: str = ""


class Tracks:
    """The missions under way. refused: (mission id, slug) -> positions refused."""

    def __init__(self, network: Network, options: TrackOptions = TrackOptions()) -> None:
        self.options = options
        self.refused: Counter[tuple[str, str]] = Counter()
        self._rules = PositionRules(network, options)
        self._tracks: dict[str, MissionTrack] = {}
        self._still_s: dict[str, float] = {}
        self._events: list[TrackEvent] = []

    def reset(self) -> None:
        """Forget all missions."""
        self._tracks.clear()
        self._still_s.clear()
        self._events.clear()
        self.refused.clear()

    def take(self, datum: MissionDatum, now_s: float) -> None:
        """Fold in an order, an end or a position that arrived at now_s. Never raises."""
        if isinstance(datum, Mission):
            self._order(datum, now_s)
        elif isinstance(datum, MissionEnd):
            if datum.mission in self._tracks:
                self._note(datum.mission, now_s, "ended", datum.reason)
                del self._tracks[datum.mission]
        else:
            self._position(datum, now_s)

    def list_tracks(self, now_s: float) -> tuple[MissionTrack, ...]:
        """All missions under way at now_s, in the order in which they came in."""
        options = self.options
        for name, track in list(self._tracks.items()):
            heard_s = max(track.fix_s, track.mission.created_s)
            if now_s - heard_s > options.forget_after_s:
                self._note(name, now_s, "ended", "silent", f"for {options.forget_after_s:g} s")
                del self._tracks[name]
            elif track.state is TrackState.TRACKED and now_s - track.fix_s > options.lost_after_s:
                self._tracks[name] = _with_state(track, TrackState.LOST)
                self._note(name, now_s, "lost", "silent", f"no position for {options.lost_after_s:g} s")
        return tuple(self._tracks.values())

    def drain(self) -> list[TrackEvent]:
        """Events since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def _order(self, mission: Mission, now_s: float) -> None:
        if mission.id in self._tracks or len(self._tracks) >= MAX_MISSIONS:
            return
        self._tracks[mission.id] = MissionTrack(mission)
        detail = f"{mission.kind}, urgency {int(mission.urgency)}, {mission.from_edge} to {mission.to_edge}"
        self._note(mission.id, now_s, "ordered", "", detail)

    def _position(self, at: VehiclePosition, now_s: float) -> None:
        name = str(at.mission)[:MAX_NAME]
        track = self._tracks.get(name)
        rule, detail = ("unknown-mission", "") if track is None else self._fault(at, track, now_s)
        if rule:
            self._refuse(name if track else "", now_s, rule, detail)
            return
        assert track is not None
        moved_m = math.hypot(at.x_m - track.x_m, at.y_m - track.y_m)
        if moved_m > SAME_PLACE_M or at.speed_mps < MOVES_MPS or track.fix_s == -math.inf:
            self._still_s[name] = at.time_s
        if track.state is not TrackState.TRACKED:
            self._note(name, now_s, "tracked")
        self._tracks[name] = MissionTrack(
            track.mission, TrackState.TRACKED, at.time_s, at.x_m, at.y_m, at.speed_mps, at.heading_deg
        )

    def _fault(self, at: VehiclePosition, track: MissionTrack, now_s: float) -> tuple[str, str]:
        """(slug, detail) of the first check that refuses, ("", "") where none does."""
        if at.source not in track.mission.sources:
            return "unauthorised", f"source {at.source[:MAX_NAME]!r} is not one of the mission's"
        return self._rules.fault(at, track, self._still_s.get(track.mission.id, at.time_s), now_s)

    def _refuse(self, mission: str, now_s: float, rule: str, detail: str) -> None:
        self.refused[mission, rule] += 1
        if self.refused[mission, rule] == 1:  # further ones are only counted
            self._note(mission, now_s, "position-refused", rule, detail)

    def _note(self, mission: str, now_s: float, what: str, rule: str = "", detail: str = "") -> None:
        track = self._tracks.get(mission)
        vehicle = track.mission.vehicle if track is not None else ""
        self._events.append(TrackEvent(mission, now_s, what, rule, detail, vehicle))


def _with_state(track: MissionTrack, state: TrackState) -> MissionTrack:
    return MissionTrack(
        track.mission, state, track.fix_s, track.x_m, track.y_m, track.speed_mps, track.heading_deg
    )
