"""Time: aware UTC outside, float seconds since the city's epoch inside.

The *platform clock* `time_s` counts seconds since the city's epoch (configuration `epoch`, an aware
UTC instant that stands for second 0 of the scenario). In a study it is the simulation's second, so a
run is reproducible; at the edges it is shown as an aware datetime.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from civicbrain.core.errors import ConfigurationError


def require_aware(moment: datetime) -> datetime:
    """Return moment in UTC; raise ConfigurationError if it carries no zone."""
    if moment.tzinfo is None:
        raise ConfigurationError(
            f"time {moment.isoformat()} has no zone", remedy="write it with one, e.g. 2026-01-05T00:00:00Z"
        )
    return moment.astimezone(UTC)


def to_datetime(epoch: datetime, time_s: float) -> datetime:
    """The aware UTC instant of platform second `time_s`."""
    return require_aware(epoch) + timedelta(seconds=time_s)


def to_seconds(epoch: datetime, moment: datetime) -> float:
    """The platform second (s since epoch) of an aware instant."""
    return (require_aware(moment) - require_aware(epoch)).total_seconds()


def to_local(epoch: datetime, zone: str, time_s: float) -> datetime:
    """The instant of platform second `time_s` on the city's own clocks.

    zone: IANA name of its time zone, known to this machine; "" where the city names none: the offset that
    `epoch` carries holds all the year round.
    """
    return to_datetime(epoch, time_s).astimezone(ZoneInfo(zone) if zone else epoch.tzinfo)
