"""The time zone that a city's clocks show, and the midnight from which its seconds count.

Told, else known of the source, else where it lies on Earth (tzfpy: the boundaries of
timezone-boundary-builder); "" where nothing is known. Scenarios count seconds from midnight on the spot.
"""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from civicbrain.city.folder import default_epoch
from civicbrain.city.network import Network
from civicbrain.city.transit.lonlat import LonLat
from civicbrain.core.errors import ConfigurationError

CITYFLOW_ZONES = {
    "hangzhou": "Asia/Shanghai", "jinan": "Asia/Shanghai", "newyork": "America/New_York",
    "manhattan": "America/New_York", "atlanta": "America/New_York", "la": "America/Los_Angeles",
}  # fmt: skip
"""Of the published CityFlow data sets (traffic-signal-control.github.io), whose files have no coordinates: by
the first word of their folders' names."""


def check_zone(zone: str) -> str:
    """The name itself; raises ConfigurationError where the IANA data base has no such zone."""
    if zone not in available_timezones():
        raise ConfigurationError(
            f"no time zone {zone[:40]!r}", place="--zone", remedy="give an IANA name, such as Europe/Berlin"
        )
    return zone


def cityflow_zone(name: str) -> str:
    """Of a CityFlow city by its name, "" where it is not one of the published."""
    return CITYFLOW_ZONES.get(name.split("-")[0], "")


def zone_at(network: Network) -> str:
    """Where the middle of the network lies, "" for one without geography, or on the high seas."""
    if network.projection.proj in ("", "!", "-", "."):
        return ""
    from tzfpy import get_tz

    west, south, east, north = network.bounds_m
    lon, lat = LonLat(network.projection).to_lonlat((west + east) / 2, (south + north) / 2)
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return ""
    zone = get_tz(lon, lat)
    return "" if zone.startswith("Etc/") or zone not in available_timezones() else zone


def midnight(zone: str) -> datetime:
    """The day from which seconds count, at 0:00 on the city's clocks."""
    first = default_epoch()
    return first.replace(tzinfo=ZoneInfo(zone)) if zone else first
