"""Feed: where the buses are and how late their operator says they are, by GTFS Realtime over HTTP.

Purpose: positions for priority (`brains/priority`), and the operator's own word on delays.
Reads: VehiclePositions and TripUpdates (https://gtfs.org/documentation/realtime/reference/), protobuf, one or
  several addresses. Trips are those of the city's timetable (`gtfs.zip` in its folder).
Returns: `BusPosition` and `BusDelay`, in the city's plane and platform seconds.
Cadence: fetched each `period_s` in a thread of its own, polled with the loop. 30 s without an answer: dead.
Bounds: only this machine unless `allow_hosts` names others; no redirects; 8 MB; 5 s a step, 10 s in all;
  20,000 entities. What does not fit is dropped and counted by reason.
Options: urls (list), period_s (5), allow_hosts ([]), source ("gtfs-realtime").
Start in: feed.py (thread, bounds), messages.py (what is believed of a message; also encodes).
"""

from civicbrain.feeds.gtfs_realtime.feed import GtfsRealtimeFeed, create

__all__ = ["GtfsRealtimeFeed", "create"]
