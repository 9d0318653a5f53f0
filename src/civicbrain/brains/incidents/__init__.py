"""incidents: what goes wrong on the road, seen within a minute.

Purpose   Detect stopped vehicles, crashes, blocked junctions, wrong-way drivers, closed lanes, signal faults
          and cameras that lie, and match what people report to them. One incident for one thing.
Reads     Snapshot.detections (short anonymous tracks inside one view), signals, lanes.age_s, reports.
Returns   Advice.incidents (place, lanes, onset, evidence, effect, expected end), an alert for each open one.
Units     m, s, m/s; d is the road distance to the stop line. Cadence 1 s; budget 0.25 s for 1,300 junctions.
Options   sensitivity (1): above 1 tells more and sooner, below 1 less.
Says      nothing on what no camera sees, and nothing in its first minute.
Start in  brain.py (a second), tracks.py (who is who), standing.py, discharge.py, box.py,
          wrong_way.py, signal_faults.py, sensor_faults.py (the detectors), fusion.py (one for one
          thing), matching.py (reports).
"""

from __future__ import annotations

from civicbrain.brains.incidents.brain import IncidentsBrain
from civicbrain.contracts.brain import Brain, BrainContext
from civicbrain.core.errors import ConfigurationError

__all__ = ["IncidentsBrain", "create"]


def create(context: BrainContext) -> Brain:
    """Entry point of the room. context.options: its section of the configuration, [brains.incidents]."""
    options = dict(context.options)
    sensitivity = options.pop("sensitivity", 1.0)
    known = isinstance(sensitivity, (int, float)) and 0.1 <= sensitivity <= 10.0
    if options or not known:
        raise ConfigurationError(
            f"unknown or unfit options {sorted(options) or ['sensitivity']}",
            place="brains.incidents",
            remedy="it takes sensitivity, a number from 0.1 to 10",
        )
    assert isinstance(sensitivity, (int, float))
    return IncidentsBrain(context.city, float(sensitivity))
