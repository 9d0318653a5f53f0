"""Samples a running simulation every 10 s for the figures that SUMO's trip records do not hold.

Sampling keeps the cost near 1 % of the simulation: on ingolstadt21 SUMO's own emission device makes a run
14 % slower, a CO2 sample every 10 s of every vehicle hardly at all. A sample stands for its whole period,
so the sums are unbiased estimates (a run has tens of thousands of samples).
"""

from __future__ import annotations

from civicbrain.city.model import City
from civicbrain.core.units import HALTING_SPEED_MPS
from civicbrain.twin.deadlock import STANDING_S, DeadlockWatch
from civicbrain.twin.fleet import compiled
from civicbrain.twin.reach import reach_of

_get_ids = compiled("vehicle", "getIDList")
_get_speed = compiled("vehicle", "getSpeed")
_get_lane = compiled("vehicle", "getLaneID")
_get_allowed_speed = compiled("vehicle", "getAllowedSpeed")
_get_waiting = compiled("vehicle", "getWaitingTime")
_get_co2 = compiled("vehicle", "getCO2Emission")

SAMPLE_S = 10.0
SERIES_S = 60.0
DEADLOCK_CHECK_S = 30.0
APPROACH_M = 150.0
"""Delay within this road distance of a stop line is that junction's."""


class Probe:
    """Call `sample` after every step; it looks every 10 s. emissions: sample CO2 too."""

    def __init__(self, city: City, begin_s: float, emissions: bool = True) -> None:
        self.co2_mg = 0.0
        self._emissions = emissions
        self.series_time_s: list[float] = []
        self.series_queue_veh: list[int] = []
        self.series_running: list[int] = []
        self.stopped = 0
        self._watch = self._make_watch(city)
        self._begin_s = begin_s
        self._due_s = begin_s + SAMPLE_S
        table = reach_of(city, APPROACH_M)
        ids = city.network.lanes.ids
        junctions = [junction.id for junction in city.junctions]
        self._junction_of = {
            ids[lane]: junctions[row]
            for lane, row in zip(table.lane.tolist(), table.junction.tolist(), strict=True)
        }
        self._lost_s = dict.fromkeys(junctions, 0.0)
        self._served: dict[str, set[str]] = {junction: set() for junction in junctions}

    def _make_watch(self, city: City) -> DeadlockWatch:
        return DeadlockWatch([junction.id for junction in city.junctions])

    @property
    def deadlock(self) -> bool:
        return self._watch.deadlock

    def saw_lamps(self, junction: int, lamps: str, time_s: float) -> None:
        """The lamps of a junction changed."""
        self._watch.saw_lamps(junction, lamps, time_s)

    def sample(self, now_s: float) -> None:
        """Take a sample when one is due at now_s."""
        if now_s < self._due_s:
            return
        self._due_s += SAMPLE_S
        running, halting, standing = self._look()
        self.stopped = halting
        since_begin_s = now_s - self._begin_s
        if since_begin_s % SERIES_S < SAMPLE_S:
            self.series_time_s.append(now_s)
            self.series_queue_veh.append(halting)
            self.series_running.append(running)
        if standing and since_begin_s % DEADLOCK_CHECK_S < SAMPLE_S:
            self._watch.check(standing, now_s)

    def _look(self) -> tuple[int, int, list[str]]:
        """Sum up what is on the road: vehicles in all, those standing, and the ids of those that have stood
        for long."""
        # SUMO's own list: `Fleet.under_way` may hold vehicles that are off the road for a moment,
        # with no speed and no CO2. Once in 10 s it costs no more than leaving those out would
        ids = _get_ids()
        if self._emissions:
            self.co2_mg += SAMPLE_S * sum(map(_get_co2, ids))
        halting = 0
        standing: list[str] = []
        allowed = map(_get_allowed_speed, ids)
        junctions = map(self._junction_of.get, map(_get_lane, ids))
        for name, speed_mps, allowed_mps, junction in zip(
            ids, map(_get_speed, ids), allowed, junctions, strict=True
        ):
            if speed_mps < HALTING_SPEED_MPS:
                halting += 1
                if _get_waiting(name) >= STANDING_S:
                    standing.append(name)
            if junction is not None:
                lost = 1.0 - speed_mps / max(allowed_mps, HALTING_SPEED_MPS)
                self._lost_s[junction] += SAMPLE_S * max(0.0, lost)
                self._served[junction].add(name)
        return len(ids), halting, standing

    def junction_delay_s(self) -> dict[str, float]:
        """Junction id -> time lost on its approaches (150 m), s per vehicle seen there."""
        return {
            junction: lost_s / len(self._served[junction]) if self._served[junction] else 0.0
            for junction, lost_s in self._lost_s.items()
        }
