"""Why a stage was chosen, as a small mapping for people. Built only when asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from civicbrain.brains.signals.approach import Streams
from civicbrain.brains.signals.demand import SOON
from civicbrain.brains.signals.stages import StageTable
from civicbrain.city.model import City
from civicbrain.city.signals import SignalJunction
from civicbrain.contracts.brain import PlanRequest

if TYPE_CHECKING:
    from civicbrain.brains.signals.lookahead import Outlook
    from civicbrain.brains.signals.max_pressure import Decision


def explain_junction(
    city: City, streams: Streams, table: StageTable, decision: Decision, row: int
) -> Mapping[str, object]:
    """`stages`: worth (weighted veh/s) and span (s) of each; `demand`: vehicles within 10 s by group;
    `full_outlets`: groups whose road behind is filling up; `why`: one sentence."""
    junction = city.junctions[row]
    first_stage, first_group = int(table.stage_of[row]), int(table.group_start[row])
    demand: dict[str, float] = {}
    full: list[str] = []
    for k in (streams.junction == row).nonzero()[0].tolist():
        group = junction.groups[int(streams.group[k]) - first_group].id
        demand[group] = round(demand.get(group, 0.0) + float(decision.demand.vehicles[k, SOON]), 1)
        if decision.demand.outlet[k] < 0.5 and group not in full:
            full.append(group)
    chosen, shown = int(decision.chosen[row]) - first_stage, int(decision.current[row]) - first_stage
    name = junction.stages[chosen].id
    overdue = int(decision.overdue[row])
    if overdue >= 0:
        why = f"group {junction.groups[overdue - first_group].id} has waited long: stage {name} serves it"
    elif row in decision.let_out:
        why = f"vehicles wait inside the junction: stage {name} lets them out first"
    elif int(decision.current[row]) >= 0 and chosen == shown:
        why = f"stage {name} still serves the most"
    else:
        why = f"stage {name} serves more, its transition included"
    return {
        "chosen": name,
        "why": why,
        "stages": {
            stage.id: {
                "worth": round(float(decision.worth[first_stage + s]), 3),
                "span_s": round(float(decision.span_s[first_stage + s]), 1),
            }
            for s, stage in enumerate(junction.stages)
        },
        "demand_veh": demand,
        "full_outlets": full,
    }


def explain_outlook(
    city: City, streams: Streams, table: StageTable, outlook: Outlook, row: int
) -> Mapping[str, object]:
    """`expected_delay_veh_s`: of the best schedule that shows each stage next, its queues left included
    (missing where it fell behind the others, or the junction was not free to change); `demand_veh`:
    vehicles expected within 10 s by group; `queue_veh`: standing now, seen or reckoned; `reckoned_groups`:
    those whose queue no camera sees; `full_outlets`; `why`: one sentence; `schedule`: see `_schedule`."""
    junction = city.junctions[row]
    first_stage, first_group = int(table.stage_of[row]), int(table.group_start[row])
    demand: dict[str, float] = {}
    queue: dict[str, float] = {}
    full: list[str] = []
    unseen: list[str] = []
    estimate = outlook.estimate
    for k in (streams.junction == row).nonzero()[0].tolist():
        group = junction.groups[int(streams.group[k]) - first_group].id
        demand[group] = round(demand.get(group, 0.0) + float(estimate.arrivals_veh[k, :10].sum()), 1)
        queue[group] = round(queue.get(group, 0.0) + float(estimate.queue_veh[k]), 1)
        if outlook.demand.outlet[k] < 0.5 and group not in full:
            full.append(group)
        if estimate.seen_veh[k] == 0.0 and estimate.queue_veh[k] > 0.0 and group not in unseen:
            unseen.append(group)
    chosen, shown = int(outlook.chosen[row]) - first_stage, int(outlook.current[row]) - first_stage
    name = junction.stages[chosen].id
    costs = outlook.cost_veh_s[first_stage : first_stage + len(junction.stages)]
    known = {
        stage.id: round(float(cost))
        for stage, cost in zip(junction.stages, costs, strict=True)
        if math.isfinite(cost)
    }
    overdue = int(outlook.overdue[row])
    if overdue >= 0:
        why = f"group {junction.groups[overdue - first_group].id} has waited long: stage {name} serves it"
    elif row in outlook.let_out:
        why = f"vehicles wait inside the junction: stage {name} lets them out first"
    elif not known:
        why = f"stage {name} has just begun or is being switched to"
    elif shown >= 0 and chosen == shown:
        why = f"staying with {name} promises the least delay"
    else:
        why = f"changing to {name} promises the least delay, its transition included"
    return {
        "chosen": name,
        "why": why,
        "expected_delay_veh_s": known,
        "demand_veh": demand,
        "queue_veh": queue,
        "full_outlets": full,
        "reckoned_groups": unseen,
        "schedule": _schedule(junction, outlook, row, chosen),
    }


def explain_plan(request: PlanRequest, why: str) -> Mapping[str, object]:
    """Of a fixed plan: one duration a step of the local plan. why: one sentence."""
    return {
        "why": why,
        "cycle_s": sum(request.durations_s),
        "durations_s": list(request.durations_s),
        "offset_s": request.offset_s,
    }


def _schedule(junction: SignalJunction, outlook: Outlook, row: int, chosen: int) -> list[dict[str, object]]:
    """The best schedule found, from now on: stages with the platform seconds between which they are meant,
    the transition to each included. Empty where another rule than the schedule chose, or there is none. It
    is searched anew each second, so what stands further ahead is an intention that may change."""
    begun_s, columns = float(outlook.plan_s[row]), outlook.plan.shape[1]
    ago = outlook.time_s - begun_s
    if not 0.0 <= ago < columns:
        return []
    stages = [stage for stage in outlook.plan[row, int(ago) :].tolist() if stage >= 0]
    if stages[:1] != [chosen]:
        return []
    parts: list[dict[str, object]] = []
    start = 0
    for at in range(1, len(stages) + 1):
        if at == len(stages) or stages[at] != stages[start]:
            from_s, until_s = outlook.time_s + start, outlook.time_s + at
            parts.append({"stage": junction.stages[stages[start]].id, "from_s": from_s, "until_s": until_s})
            start = at
    return parts
