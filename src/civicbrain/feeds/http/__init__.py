"""Feed: camera observations that were posted to the API.

Purpose: take what field cameras send as POST /v1/observations.
Reads: `intake.cmd` of the run folder (ZeroMQ ROUTER): [envelope, key, body], as the API forwards them; the
  body is a message of `city/intake/frames.py` (msgpack columns, or JSON), distances m or ft, speeds m/s,
  km/h or mph, times Unix seconds or RFC 3339.
Returns: through the intake it is given, else through its own: `Detections` and `LaneViews` of all cameras.
  Every message is answered with a `Receipt`.
Cadence: as it comes (in a thread of its own), polled each 0.1 s. Silence is no fault of the door: each
  camera's own shows under /v1/sources.
What is bad is counted by reason and source, logged once and dropped.
Start in: feed.py. Options: run_dir (path), intake (given by the runtime).
"""

from civicbrain.feeds.http.feed import HttpFeed, create

__all__ = ["HttpFeed", "create"]
