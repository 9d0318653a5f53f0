"""One mission under way: where it is, when it comes to each junction, what is asked there and given back."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from civicbrain.brains.priority.arrival import (
    MARGIN_S,
    MARGIN_SHARE,
    MARGIN_SLIDE,
    PASS_LOSS_S,
    SLIDE_S,
    Pace,
    RoadView,
    behind_s,
    clear_s,
    free_s,
    queue_ahead,
    start_loss_s,
)
from civicbrain.brains.priority.options import PriorityOptions
from civicbrain.brains.priority.switching import JunctionTable
from civicbrain.brains.priority.ways import Crossing, Way
from civicbrain.city.missions import Mission, MissionTrack, TrackState
from civicbrain.city.snapshot import Snapshot
from civicbrain.contracts.missions import Passage, PassageState
from civicbrain.core.sentences import Sentence

PASSED_M = 10.0
"""Behind the stop line: clear of what a receiver's error can make of it (2.5 standard deviations of 4 m)."""

FIX_WEIGHT = 0.25
"""Of a new fix against where the speed says the vehicle is: positions err by metres, speeds hardly do."""

LARGEST_ERROR_M = 30.0
"""Farther from a fix than this, dead reckoning is given up."""

OFF_WAY_M = 40.0
_SEARCH_BACK_M, _FASTEST_MPS = 30.0, 40.0
MOVES_MPS = 2.0
"""Slower than this a receiver's heading says nothing."""

FREE_MPS = 14.0
MEMORY_S = 30.0
WON_MEMORY_S = 30.0
"""Of the time won that people are shown: predictions change with each queue that comes into view."""

STUCK_S, STUCK_WITHIN_M = 4.0, 60.0
CRAWLS_MPS, CRAWLS_FOR_M = 5.0, 150.0
"""Slower than this on average a vehicle is in a queue that cameras do not tell of, so many metres long."""


@dataclass(slots=True)
class Stop:
    """What is known and asked of one crossing."""

    crossing: Crossing
    table: JunctionTable
    stage: int = -1
    state: PassageState = PassageState.AHEAD
    queue_veh: float = 0.0
    switch_s: float = 0.0
    predicted_s: float = math.inf
    first_predicted_s: float | None = None
    opened_s: float | None = None
    passed_s: float | None = None
    released_s: float | None = None
    shown_s: float | None = None  # since when its stage shows, as far as it is asked for
    until_s: float = math.inf  # end of a pause or a recovery
    pauses: int = 0
    central_before: bool = False  # another brain decided here when the corridor was opened
    cross_wait_veh_s: float = 0.0
    reason: str = ""

    def show(self, edge: str) -> Passage:
        """For people. edge: id of the one that leads to the stop line."""
        known = self.predicted_s if math.isfinite(self.predicted_s) else None
        stages = self.table.junction.stages
        return Passage(
            self.table.junction.id, round(self.crossing.stop_m, 1), self.state, edge,
            stages[self.stage].id if self.stage >= 0 else "", known, self.first_predicted_s, self.opened_s,
            self.passed_s, self.released_s, self.cross_wait_veh_s, self.reason,
        )  # fmt: skip


@dataclass(slots=True, eq=False)
class Pursuit:
    """A mission on its way. way: None while there is no route. progress_m: of the vehicle's front, as of the
    snapshot's time, dead reckoned from the newest fix."""

    mission: Mission
    options: PriorityOptions
    state: TrackState = TrackState.EXPECTED
    way: Way | None = None
    stops: list[Stop] = field(default_factory=list)
    progress_m: float = 0.0
    speed_mps: float = 0.0
    off_way: bool = False
    eta_s: float | None = None
    red_s: float = 0.0  # that it would wait at red on its way without priority
    eta_without_s: float | None = None  # as first predicted, with these waits
    won_s: float | None = None  # eta_without_s less eta_s, mean of about WON_MEMORY_S
    replanned: int = 0
    planned_s: float = -math.inf
    note: Sentence | None = None
    pace: Pace = field(default_factory=lambda: Pace(1.0))
    _begun_s: float = -math.inf  # when the vehicle was at the start of the way, or due there
    _fix_s: float = -math.inf
    _fix_m: float = 0.0
    _mean_mps: float = FREE_MPS  # over about the last MEMORY_S
    _told: deque[tuple[float, float]] = field(default_factory=deque)  # (when, eta_s) of the last SLIDE_S
    _stands_s: float = math.inf  # since when it stands
    _free_from: tuple[float, float] | None = None  # (second, metres) from which it has driven freely

    def take(self, way: Way, stops: list[Stop], begun_s: float) -> None:
        """Drive this way from now on. begun_s: when the vehicle was, or was due, on its first edge. What was
        held elsewhere is the caller's to give back."""
        self.way, self.stops, self._begun_s = way, stops, begun_s
        self.progress_m = self._fix_m = 0.0
        self._free_from = None

    def restart(self) -> None:
        """Look for the vehicle anew, from the start of its way on."""
        self._fix_s = -math.inf
        self.off_way = False

    def follow(self, track: MissionTrack, now_s: float) -> None:
        """Take in the newest fix, and reckon where the vehicle is now."""
        self.state = track.state
        way = self.way
        if way is None or track.state is not TrackState.TRACKED:
            return
        if track.fix_s > self._fix_s:
            # the first fix is sought where the vehicle can have come to since it began the way: farther on
            # the way may lead past the same place again
            last_s = self._begun_s if self._fix_s == -math.inf else self._fix_s
            reach_m = _FASTEST_MPS * min(track.fix_s - last_s, 60.0) + 60.0
            if self._fix_s == -math.inf:
                reach_m += float(way.end_m[0])  # it may begin anywhere on the first edge
            heading_deg = track.heading_deg if track.speed_mps >= MOVES_MPS else -1.0
            at_m, away_m = way.locate(
                track.x_m, track.y_m, self._fix_m - _SEARCH_BACK_M, self._fix_m + reach_m, heading_deg
            )
            self.off_way = away_m > OFF_WAY_M
            if not self.off_way and self._fix_s == -math.inf:
                self._fix_m = at_m
            elif not self.off_way:
                driven_m = 0.5 * (self.speed_mps + track.speed_mps) * (track.fix_s - self._fix_s)
                reckoned_m = self._fix_m + driven_m
                if abs(at_m - reckoned_m) <= LARGEST_ERROR_M:
                    at_m = reckoned_m + FIX_WEIGHT * (at_m - reckoned_m)
                self._learn(at_m, track.fix_s, track.speed_mps)
                self._fix_m = at_m
                since_s = min(track.fix_s - self._fix_s, MEMORY_S)
                self._mean_mps += (track.speed_mps - self._mean_mps) * since_s / MEMORY_S
            self._fix_s, self.speed_mps = track.fix_s, track.speed_mps
            self._stands_s = min(self._stands_s, now_s) if track.speed_mps < MOVES_MPS else math.inf
        ahead_m = self.speed_mps * max(0.0, now_s - self._fix_s)
        self.progress_m = min(self._fix_m + ahead_m, way.length_m)

    def _learn(self, at_m: float, fix_s: float, speed_mps: float) -> None:
        """Its pace over stretches of 5 s in which it was not held up and could overtake."""
        assert self.way is not None
        place = min(int(np.searchsorted(self.way.end_m, at_m)), len(self.way.edges) - 1)
        if speed_mps < 5.0 or self.way.lanes[place] < 2:
            self._free_from = None
            return
        if self._free_from is None:
            self._free_from = (fix_s, at_m)
            return
        since_s, since_m = self._free_from
        if fix_s - since_s >= 5.0:
            if at_m > since_m:
                self.pace.saw(free_s(self.way, since_m, at_m), fix_s - since_s)
            self._free_from = (fix_s, at_m)

    def _drive_s(self, snapshot: Snapshot, view: RoadView, from_m: float, to_m: float) -> float:
        """Seconds from one place of the way to another, behind others where there is one lane."""
        way = self.way
        assert way is not None
        share = self.pace.share
        drive_s = free_s(way, from_m, to_m) / share
        first, last = np.searchsorted(way.end_m, (from_m, to_m), side="left").tolist()
        others_s, single = 0.0, -1
        for place in range(first, min(last, len(way.edges) - 1) + 1):
            if way.lanes[place] == 1:
                begin_m = float(way.end_m[place - 1]) if place else 0.0
                others_s += free_s(way, max(from_m, begin_m), min(to_m, float(way.end_m[place])))
                single = place
        if single < 0 or share <= 1.0:
            return drive_s
        return drive_s + behind_s(
            others_s / share, others_s, view.flow_veh_per_s(snapshot, way.edges[single])
        )

    def predict(self, snapshot: Snapshot, view: RoadView, waits_s: dict[int, float]) -> None:
        """Arrivals at all stop lines ahead, and at the end. waits_s: place of a stop -> earliest second at
        which another mission leaves its junction to this one."""
        way, options, now_s = self.way, self.options, snapshot.time_s
        if way is None:
            return
        at_s, at_m = now_s, self.progress_m
        at_s += start_loss_s(self.speed_mps, FREE_MPS * self.pace.share)
        held_s = self._held_s()
        carried = 0.0
        for place, stop in enumerate(self.stops):
            crossing = stop.crossing
            if stop.passed_s is not None or crossing.stop_m + PASSED_M < self.progress_m:
                continue
            at_s += self._drive_s(snapshot, view, at_m, crossing.stop_m) + PASS_LOSS_S
            at_m = crossing.stop_m
            if held_s > 0.0:
                at_s, held_s = at_s + held_s, 0.0
            stop.queue_veh = queue_ahead(view, snapshot, way, crossing, self.progress_m)
            stop.queue_veh += options.carry * carried
            carried = stop.queue_veh
            if stop.stage >= 0:
                stop.switch_s = stop.table.switch_s(snapshot, stop.stage)
            green_s = max(now_s + stop.switch_s, waits_s.get(place, -math.inf))
            if stop.switch_s > 0.0 or stop.state is PassageState.AHEAD:
                at_s = max(at_s, green_s + clear_s(options, stop.queue_veh))
            else:  # it is let go already
                at_s = max(at_s, now_s + options.headway_s * stop.queue_veh)
            stop.predicted_s = at_s
            if stop.first_predicted_s is None and self.state is TrackState.TRACKED:
                stop.first_predicted_s = at_s
        self.eta_s = at_s + self._drive_s(snapshot, view, at_m, self.end_m)
        if self.eta_without_s is None:
            self.eta_without_s = self.eta_s + self.red_s  # the same traffic and the same driver
        won_s = self.eta_without_s - self.eta_s
        before_s = won_s if self.won_s is None else self.won_s
        since_s = now_s - self._told[-1][0] if self._told else WON_MEMORY_S
        self.won_s = before_s + (won_s - before_s) * min(1.0, since_s / WON_MEMORY_S)
        self._told.append((now_s, self.eta_s))
        while now_s - self._told[0][0] > SLIDE_S:
            self._told.popleft()

    def margin_s(self, now_s: float) -> float:
        """Nine of ten arrivals are no farther from eta_s than this."""
        if self.eta_s is None:
            return math.inf
        slid_s = max(0.0, self.eta_s - self._told[0][1]) if self._told else 0.0
        return MARGIN_S + MARGIN_SHARE * max(0.0, self.eta_s - now_s) + MARGIN_SLIDE * slid_s

    def comes_to_m(self, in_s: float) -> float:
        """Where it will be along the way if it drives on as it does."""
        return self.progress_m + self.speed_mps * in_s

    def is_stuck(self, stop: Stop, now_s: float) -> bool:
        """Whether it stands near an open stop line for longer than those before it need to be gone."""
        if stop.shown_s is None or stop.crossing.stop_m - self.progress_m > STUCK_WITHIN_M:
            return False
        return now_s - max(self._stands_s, stop.shown_s) >= STUCK_S + self.options.headway_s * stop.queue_veh

    def _held_s(self) -> float:
        """Seconds that the way to the next stop line takes longer than free, when the vehicle crawls: half of
        what its last half minute says, because what holds it up dissolves."""
        ahead = [s.crossing.stop_m for s in self.stops if s.crossing.stop_m + PASSED_M >= self.progress_m]
        if self.way is None or not ahead or self._mean_mps >= CRAWLS_MPS:
            return 0.0
        to_go_m = min(max(0.0, ahead[0] - self.progress_m), CRAWLS_FOR_M)
        return 0.5 * to_go_m * (1.0 / max(self._mean_mps, 1.0) - 1.0 / CRAWLS_MPS)

    @property
    def end_m(self) -> float:
        """Where the mission ends along the way."""
        assert self.way is not None
        if self.mission.to_m < 0.0 or len(self.way.end_m) < 2:
            return self.way.length_m
        return min(self.way.length_m, float(self.way.end_m[-2]) + self.mission.to_m)

    def lead_s(self, stop: Stop) -> float:
        """How long before the vehicle the stop's stage has to be asked for."""
        options = self.options
        margin_s = min(options.margin_s, options.free_margin_s + options.margin_s_per_veh * stop.queue_veh)
        lead_s = stop.switch_s + clear_s(options, stop.queue_veh) + margin_s
        if stop.switch_s <= 0.0:
            lead_s = max(lead_s, options.reserve_s)
        return min(lead_s, options.max_lead_s)
