"""When the live twin may take its next step: the asked speed, and the wait for the centre's answer.

The centre says "answered" with a frame's time once it has decided on it. The twin steps as soon as both hold:

- the pace is due: one step each step_s / speed of wall time (at once when speed is 0);
- the frame before the newest is answered, or GRACE_S have passed since the newest was published, or the
  centre is not there (silent for the watchdog's time, simulated or real).

So twin and centre work side by side, each on a core of its own, and the twin is never more than one frame
ahead, whatever the speed; a slow centre costs GRACE_S a step at most; a dead one costs at most three steps'
grace until the watchdog has taken it for dead, then nothing. At real time the answer comes within the second
that the pace takes anyway, and the rule costs nothing.
"""

from __future__ import annotations

import math

GRACE_S = 0.25
FASTEST_CATCH_UP_S = 0.5
"""After a stall the pace starts again from now minus this: missed time is not run through in a burst."""

SPEED_WINDOW_S = 2.0
"""Wall time over which the measured speed is taken."""

FASTEST_SPEED = 100.0


class Pace:
    """All times but *_time_s are wall seconds of one monotonic clock, given by the caller."""

    def __init__(self, step_s: float, watchdog_s: float, speed: float, now: float) -> None:
        self.step_s, self.watchdog_s = step_s, watchdog_s
        self.speed = speed
        self.paused = False
        self.heard = -math.inf  # wall time of the last heartbeat
        self._heard_time_s = -math.inf  # platform time at which it came
        self._answered_time_s = -math.inf  # frame it answers
        self._published = -math.inf
        self._published_time_s = -math.inf  # the newest frame
        self._awaited_time_s = -math.inf  # the one before
        self._due = now
        self._marks: list[tuple[float, float]] = []  # (wall, platform) of recent steps

    def restart(self, now: float) -> None:
        """Platform time has jumped: forget frames and marks, keep speed and pause."""
        self._heard_time_s = self._answered_time_s = -math.inf
        self._published_time_s = self._awaited_time_s = -math.inf
        self._published = -math.inf
        self._due = now
        self._marks.clear()

    def set_speed(self, speed: float, now: float) -> None:
        """Simulated seconds a wall second; 0 = as fast as it goes. Raises ValueError outside 0..100."""
        if not 0.0 <= speed <= FASTEST_SPEED:
            raise ValueError(f"speed is {speed:g}; use 0 (as fast as it goes) to {FASTEST_SPEED:g}")
        self.speed = speed
        self._due = now
        self._marks.clear()

    def set_paused(self, paused: bool, now: float) -> None:
        self.paused = paused
        self._due = now
        self._marks.clear()

    def hear(self, time_s: float, now: float) -> None:
        """The centre is alive."""
        self.heard, self._heard_time_s = now, time_s

    def answer(self, frame_time_s: float) -> None:
        """The centre has decided on the frame of that time."""
        self._answered_time_s = frame_time_s

    def stepped(self, time_s: float, now: float) -> None:
        """A step has been taken and its frame published."""
        self._awaited_time_s = self._published_time_s
        self._published, self._published_time_s = now, time_s
        interval = self.step_s / self.speed if self.speed else 0.0
        self._due = max(self._due + interval, now - FASTEST_CATCH_UP_S)
        self._marks.append((now, time_s))
        while self._marks[0][0] < now - SPEED_WINDOW_S and len(self._marks) > 2:
            self._marks.pop(0)

    def wait_s(self, time_s: float, now: float) -> float:
        """Wall seconds until the next step may be taken; inf when paused."""
        if self.paused:
            return math.inf
        wait = self._due - now
        if self._is_awaited(time_s, now):
            wait = max(wait, self._published + GRACE_S - now)
        return max(0.0, wait)

    def _is_awaited(self, time_s: float, now: float) -> bool:
        alive = time_s - self._heard_time_s < self.watchdog_s and now - self.heard < self.watchdog_s
        return alive and self._answered_time_s < self._awaited_time_s

    def measured_speed(self, now: float) -> float:
        """Simulated seconds a wall second, over the last steps; 0 when paused."""
        if self.paused or len(self._marks) < 2:
            return 0.0
        (first, first_s), (_, last_s) = self._marks[0], self._marks[-1]
        wall = max(now, self._marks[-1][0]) - first
        # between two steps of a slow pace the last step still counts as the present one
        wall = min(wall, self._marks[-1][0] - first + (self.step_s / self.speed if self.speed else 0.0))
        return (last_s - first_s) / wall if wall > 0 else 0.0
