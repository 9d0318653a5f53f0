"""Deadlock: traffic that will not move again by itself, told apart from overload.

A vehicle is *stuck* when it has stood still for 300 s without a break, at no stop of its own, and either

- stands inside a junction, or
- is the first at a signal's stop line, which showed it green at least three times meanwhile, and the
  road it wants to enter has room, or is blocked by a vehicle that has itself stood for 300 s.

The run is deadlocked from the first stuck vehicle on. In an overloaded network queues are long, but
the head of each moves once a cycle, and so does the tail of the queue that blocks it: that does not count.
"""

from __future__ import annotations

from collections import deque

import libsumo

STANDING_S = 300.0
LEAST_GREENS = 3
_STOP_LINE_M = 15.0  # distance to the signal within which a vehicle without a leader is the first at the line
_TAIL_M = 15.0  # a vehicle this close to the start of the road ahead leaves no room to enter
_KEPT_S = 1800.0


class DeadlockWatch:
    """Told of lamp changes, asked every 30 s about the vehicles that have stood for 300 s."""

    def __init__(self, junction_ids: list[str]) -> None:
        self.deadlock = False
        self.stuck: str = ""  # the first stuck vehicle, for people
        self._row = {junction: row for row, junction in enumerate(junction_ids)}
        self._history: list[deque[tuple[float, str]]] = [deque() for _ in junction_ids]

    def saw_lamps(self, junction: int, lamps: str, time_s: float) -> None:
        """The lamps of a junction are these from time_s on."""
        history = self._history[junction]
        history.append((time_s, lamps))
        while history[0][0] < time_s - _KEPT_S:
            history.popleft()

    def check(self, standing: list[str], now_s: float) -> bool:
        """True when one of the vehicles that stand for 300 s is stuck."""
        for vehicle_id in standing:
            if not self.deadlock and self._is_stuck(vehicle_id, now_s):
                self.deadlock = True
                self.stuck = vehicle_id
        return self.deadlock

    def greens(self, junction: int, link: int, since_s: float) -> int:
        """How often a link turned green after since_s."""
        count, was_green = 0, True
        for time_s, lamps in self._history[junction]:
            green = link < len(lamps) and lamps[link] in "Gg"
            count += green and not was_green and time_s >= since_s
            was_green = green
        return count

    def _is_stuck(self, vehicle_id: str, now_s: float) -> bool:
        vehicle = libsumo.vehicle
        if vehicle.isStopped(vehicle_id):
            return False
        if vehicle.getLaneID(vehicle_id).startswith(":"):
            return True
        signals = vehicle.getNextTLS(vehicle_id)
        if not signals or signals[0][2] > _STOP_LINE_M or signals[0][0] not in self._row:
            return False
        leader = vehicle.getLeader(vehicle_id, _STOP_LINE_M)
        if leader and leader[0] and vehicle.getLaneID(leader[0]) == vehicle.getLaneID(vehicle_id):
            return False
        since_s = now_s - vehicle.getWaitingTime(vehicle_id)
        if self.greens(self._row[signals[0][0]], signals[0][1], since_s) < LEAST_GREENS:
            return False
        return not self._waits_for_moving(vehicle_id)

    def _waits_for_moving(self, vehicle_id: str) -> bool:
        """The road ahead is full, but its tail moved within the last 300 s: overload."""
        links = libsumo.vehicle.getNextLinks(vehicle_id)
        if not links:
            return False
        ahead = libsumo.lane.getLastStepVehicleIDs(links[0][0])
        if not ahead:
            return False
        tail = ahead[0]
        back_m = libsumo.vehicle.getLanePosition(tail) - libsumo.vehicle.getLength(tail)
        return bool(back_m < _TAIL_M and libsumo.vehicle.getWaitingTime(tail) < STANDING_S)
