"""Fixed plans as SUMO reads them: programs (`tlLogic`) with the switch-overs of the junction's own tables,
and their times of day (`WAUT`).

SUMO changes from one plan to the next at the good switching point (procedure "GSP" of its user documentation,
"Traffic Lights"): the last second of the first stage, which both plans show, so that no green, yellow or
intergreen is cut; the stage then lasts until the new plan is in step with its offset.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from civicbrain.city.signals import SignalJunction, SignalPlan
from civicbrain.twin.importing.plans import plan_phases


@dataclass(frozen=True, slots=True)
class PlanPeriod:
    """id: name of the programs. begin_s: platform second from which they hold. plans: junction id -> plan
    with the steps of its local plan."""

    id: str
    begin_s: float
    plans: Mapping[str, SignalPlan]


def plans_xml(junctions: Sequence[SignalJunction], periods: Sequence[PlanPeriod]) -> bytes:
    """An additional file for SUMO with all plans; with several periods it switches between them, with one
    its programs hold from the begin."""
    root = ElementTree.Element("additional")
    chosen = [junction for junction in junctions if all(junction.id in period.plans for period in periods)]
    for junction in chosen:
        for period in periods:
            plan = period.plans[junction.id]
            retimed = msgspec.structs.replace(junction, local_plan=plan)
            logic = ElementTree.SubElement(
                root,
                "tlLogic",
                id=junction.id,
                type="static",
                programID=period.id,
                offset=f"{plan.offset_s:g}",
            )
            for state, seconds in plan_phases(retimed):
                ElementTree.SubElement(logic, "phase", duration=f"{seconds:g}", state=state)
            # the last second of the first stage
            ElementTree.SubElement(logic, "param", key="GSP", value=f"{plan.steps[0].duration_s - 1.0:g}")
    if len(periods) > 1:
        waut = ElementTree.SubElement(root, "WAUT", id="civicbrain", refTime="0", startProg=periods[0].id)
        for period in periods[1:]:
            ElementTree.SubElement(waut, "wautSwitch", time=f"{period.begin_s:g}", to=period.id)
        for junction in chosen:
            ElementTree.SubElement(
                root,
                "wautJunction",
                wautID="civicbrain",
                junctionID=junction.id,
                procedure="GSP",
                synchron="true",
            )
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content
