"""How often one address may ask."""

from __future__ import annotations

import time
from collections import OrderedDict

_BUCKETS = 4096


class RateLimit:
    """A token bucket for each client; the least recently seen clients are forgotten."""

    def __init__(self, rate_hz: float, burst_s: float) -> None:
        self._rate_hz = rate_hz
        self._most = max(1.0, rate_hz * burst_s)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, at second

    def wait_s(self, client: str) -> float:
        """0 when the request may pass (and counts), else the seconds until one may."""
        now_s = time.monotonic()
        tokens, at_s = self._buckets.pop(client, (self._most, now_s))
        tokens = min(self._most, tokens + (now_s - at_s) * self._rate_hz)
        passes = tokens >= 1.0
        self._buckets[client] = (tokens - 1.0 if passes else tokens, now_s)
        if len(self._buckets) > _BUCKETS:
            self._buckets.popitem(last=False)
        return 0.0 if passes else (1.0 - tokens) / max(self._rate_hz, 1e-9)
