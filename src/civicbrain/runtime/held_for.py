"""For which vehicle a junction is held: its call sign or line, whereto, and until about when."""

from __future__ import annotations

from civicbrain.city.missions import Mission
from civicbrain.contracts.overrides import HeldFor, Holder
from civicbrain.runtime.loop import Loop

BUS = "bus"


def held_for(holder: Holder | None, junction: str, loop: Loop) -> HeldFor | None:
    """None where it is held for no vehicle."""
    if holder is not None and holder.mission:
        return _for_mission(holder, junction, loop)
    if holder is not None and holder.trip:
        return _for_bus(holder, junction, loop)
    return None


def _for_mission(holder: Holder, junction: str, loop: Loop) -> HeldFor:
    name = holder.mission
    tracks = loop.last_snapshot.missions if loop.last_snapshot is not None else ()
    mission: Mission | None = next((one.mission for one in tracks if one.mission.id == name), None)
    plan = loop.missions.plans.get(name)
    at_s = next(
        (p.predicted_s for p in plan.passages if p.junction == junction and p.passed_s is None), None
    ) if plan is not None else None  # fmt: skip
    if mission is None:
        return HeldFor(name, "other", stage=holder.what, until_s=at_s)
    return HeldFor(name, str(mission.kind), mission.vehicle, mission.to_edge, holder.what, at_s)


def _for_bus(holder: Holder, junction: str, loop: Loop) -> HeldFor:
    bus, timetable = loop.transit.buses.get(holder.trip), loop.city.timetable
    if bus is None:
        return HeldFor(holder.trip, BUS, stage=holder.what)
    line = (timetable.lines.get(bus.line) if timetable is not None else None) or bus.line
    at_s = bus.ask.eta_s if bus.ask is not None and bus.ask.junction == junction else None
    return HeldFor(holder.trip, BUS, line, stage=holder.what, until_s=at_s)
