"""How often somebody may try to log in.

Three allowances for each attempt, each of failed ones only: of the address; of the name from this address;
of the name from everywhere. The last one is generous, so that nobody keeps the operator out by trying their
name from elsewhere: at 600 attempts an hour, twelve characters still take longer than anybody lives.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

_KEPT = 8192
_ADDRESS = (20.0, 20.0 / 900.0)  # at once, and then each second: 20 in a quarter of an hour
_NAME_AND_ADDRESS = (5.0, 1.0 / 60.0)
_NAME = (50.0, 1.0 / 6.0)

Key = tuple[str, str]


class Throttle:
    """Token buckets in memory; the least recently used are forgotten. clock: monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: OrderedDict[Key, tuple[float, float]] = OrderedDict()

    def wait_s(self, address: str, name: str) -> float:
        """0: the attempt may be made, and is counted as failed until `succeeded`; else seconds to wait."""
        now_s = self._clock()
        allowances = _allowances(address, name)
        left = [self._now(key, most, rate_hz, now_s) for key, most, rate_hz in allowances]
        waits = [
            max(0.0, (1.0 - have) / rate_hz) for have, (_, _, rate_hz) in zip(left, allowances, strict=True)
        ]
        if max(waits) > 0.0:
            return max(waits)  # costs nothing: who waits is let in again in time
        for have, (key, _, _) in zip(left, allowances, strict=True):
            self._keep(key, have - 1.0, now_s)
        return 0.0

    def succeeded(self, address: str, name: str) -> None:
        """The attempt was a good one: only failed ones count."""
        now_s = self._clock()
        for key, most, rate_hz in _allowances(address, name):
            self._keep(key, min(most, self._now(key, most, rate_hz, now_s) + 1.0), now_s)

    def _now(self, key: Key, most: float, rate_hz: float, now_s: float) -> float:
        left, at_s = self._left.get(key, (most, now_s))
        return min(most, left + (now_s - at_s) * rate_hz)

    def _keep(self, key: Key, left: float, now_s: float) -> None:
        self._left[key] = (left, now_s)
        self._left.move_to_end(key)
        if len(self._left) > _KEPT:
            self._left.popitem(last=False)


def _allowances(address: str, name: str) -> tuple[tuple[Key, float, float], ...]:
    return (
        ((address, ""), *_ADDRESS),
        ((address, f"name {name}"), *_NAME_AND_ADDRESS),
        (("", f"name {name}"), *_NAME),
    )
