"""Feed: the twin's cameras and controllers.

Purpose: bring what the simulated street reports to the brain process.
Reads: `twin.pub` of the run folder (ZeroMQ SUB, topics det, sig, stat; see contracts/wire.py).
Returns: `Detections` (m, m/s) and `SignalStates`, in the order sent; `status`, the newest TwinStatus.
Cadence: one frame set a simulated second. Stale after 3 s of wall time without any message.
A datum that does not decode is counted (`dropped`) and logged once. A silent twin raises ServiceError.
Start in: feed.py. Options: run_dir (path).
"""

from civicbrain.feeds.twin.feed import TwinFeed, create

__all__ = ["TwinFeed", "create"]
