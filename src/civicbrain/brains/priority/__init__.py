"""priority: green corridors for emergency missions, conditional priority for late buses.

Purpose   Bring an emergency vehicle through in little more than its driving time, at little cost to others;
          late buses back into their timetable or headway, within bounds.
Reads     Snapshot.missions and .buses (believed positions), detections, lanes.queued, signals, timetable.
Returns   StageRequests of rank EMERGENCY with a claim (valid 3 s, renewed each second) for junctions on the
          way, just in time; of rank TRANSIT for late buses, and for a while to serve who waited; a
          MissionPlan a mission, a TransitPlan of all buses; an alert for a mission that is lost.
Units     m, s, m/s, vehicles. Cadence 1 s; nothing is done without mission and bus.
Control   priority: corridors over the local plans. Beside any other brain it decides only where it is needed.
Releases  a junction when the vehicle has passed, is lost, off its way, late (90 s), or the mission is over.
Start in  brain.py (a tick), pursuit.py (one mission), corridor.py (what is asked and given back), arrival.py
          (predictions), planning.py (routes); transit.py, transit_asking.py (buses).
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from civicbrain.brains.priority.brain import PriorityBrain
from civicbrain.brains.priority.options import PriorityOptions
from civicbrain.contracts.brain import Brain, BrainContext, ControlSpec
from civicbrain.core.errors import ConfigurationError

CONTROLS: tuple[ControlSpec, ...] = (
    ControlSpec(
        name="priority",
        program="central",
        brain="priority",
        summary="The city's own plans, and green corridors for emergency missions",
        source="Nelson and Bullock 2000; Kang et al. 2014",
    ),
)


def create(context: BrainContext) -> Brain:
    """The room's brain; raises ConfigurationError on options that do not fit."""
    options: dict[str, Any] = {"explain": context.explain, **context.options}
    known = {field.name: field.default for field in fields(PriorityOptions)}
    for key, value in options.items():
        place = f"brains.priority option {key!r}"
        if key not in known:
            raise ConfigurationError("no such option", place=place, remedy="use one of " + ", ".join(known))
        want = bool if isinstance(known[key], bool) else (int, float)
        if not isinstance(value, want) or (isinstance(value, bool) and want is not bool):
            raise ConfigurationError(f"{value!r} does not fit", place=place, remedy="correct it")
    return PriorityBrain(context.city, PriorityOptions(**options))
