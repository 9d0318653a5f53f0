"""Why a stage was chosen, as a small mapping for people. Built only when asked for.

A city's arrays are turned into lists once a second: with 1,300 junctions, asking numpy for each number of
each junction took longer than the decision.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from civicbrain.brains.signals.approach import Streams
from civicbrain.brains.signals.asking import Explain
from civicbrain.brains.signals.demand import SOON
from civicbrain.brains.signals.stages import StageTable
from civicbrain.city.model import City
from civicbrain.contracts.brain import PlanRequest

if TYPE_CHECKING:
    from civicbrain.brains.signals.lookahead import Outlook
    from civicbrain.brains.signals.max_pressure import Decision


SOON_S = 10
"""Vehicles expected within so many seconds are told."""


class Words:
    """What does not change of the explanations of a city's junctions."""

    def __init__(self, city: City, streams: Streams, table: StageTable) -> None:
        self._groups = [group.id for junction in city.junctions for group in junction.groups]
        self._stages = [[stage.id for stage in junction.stages] for junction in city.junctions]
        self._first_stage: list[int] = table.stage_of.tolist()
        # of each junction: (row of a stream, id of its group)
        self._streams: list[list[tuple[int, str]]] = [[] for _ in city.junctions]
        for k, (row, group) in enumerate(zip(streams.junction.tolist(), streams.group.tolist(), strict=True)):
            self._streams[row].append((k, self._groups[group]))

    def of_decision(self, decision: Decision) -> Explain:
        """Of each junction: `stages`: worth (weighted veh/s) and span (s) of each; `demand_veh`: vehicles
        within 10 s by group; `full_outlets`: groups whose road behind is filling up; `why`: one sentence."""
        soon: list[float] = decision.demand.vehicles[:, SOON].tolist()
        outlet: list[float] = decision.demand.outlet.tolist()
        worth: list[float] = np.round(decision.worth, 3).tolist()
        span_s: list[float] = np.round(decision.span_s, 1).tolist()
        chosen_of: list[int] = decision.chosen.tolist()
        current_of: list[int] = decision.current.tolist()
        overdue_of: list[int] = decision.overdue.tolist()

        def explain(row: int) -> Mapping[str, object]:
            own, first, names = self._streams[row], self._first_stage[row], self._stages[row]
            chosen = names[chosen_of[row] - first]
            why = self._why_first(chosen, overdue_of[row], row in decision.let_out)
            if not why and current_of[row] >= 0 and chosen_of[row] == current_of[row]:
                why = f"stage {chosen} still serves the most"
            return {
                "chosen": chosen,
                "why": why or f"stage {chosen} serves more, its transition included",
                "stages": {
                    name: {"worth": worth[first + s], "span_s": span_s[first + s]}
                    for s, name in enumerate(names)
                },
                "demand_veh": _by_group(own, soon),
                "full_outlets": _full(own, outlet),
            }

        return explain

    def of_outlook(self, outlook: Outlook) -> Explain:
        """Of each junction: `expected_delay_veh_s`: of the best schedule that shows each stage next, its
        queues left included (missing where it fell behind the others, or the junction was not free to
        change); `demand_veh`: vehicles expected within 10 s by group; `queue_veh`: standing now, seen or
        reckoned; `reckoned_groups`: those whose queue no camera sees; `full_outlets`; `why`: one sentence;
        `schedule`: see `_schedule`."""
        estimate = outlook.estimate
        soon: list[float] = estimate.arrivals_veh[:, :SOON_S].sum(axis=1).tolist()
        queue: list[float] = estimate.queue_veh.tolist()
        reckoned: list[bool] = ((estimate.seen_veh == 0.0) & (estimate.queue_veh > 0.0)).tolist()
        outlet: list[float] = outlook.demand.outlet.tolist()
        cost: list[float] = outlook.cost_veh_s.tolist()
        chosen_of: list[int] = outlook.chosen.tolist()
        current_of: list[int] = outlook.current.tolist()
        overdue_of: list[int] = outlook.overdue.tolist()

        def explain(row: int) -> Mapping[str, object]:
            own, first, names = self._streams[row], self._first_stage[row], self._stages[row]
            chosen = names[chosen_of[row] - first]
            known = {
                name: round(cost[first + s]) for s, name in enumerate(names) if math.isfinite(cost[first + s])
            }
            why = self._why_first(chosen, overdue_of[row], row in outlook.let_out)
            if not why and not known:
                why = f"stage {chosen} has just begun or is being switched to"
            elif not why and current_of[row] >= 0 and chosen_of[row] == current_of[row]:
                why = f"staying with {chosen} promises the least delay"
            return {
                "chosen": chosen,
                "why": why or f"changing to {chosen} promises the least delay, its transition included",
                "expected_delay_veh_s": known,
                "demand_veh": _by_group(own, soon),
                "queue_veh": _by_group(own, queue),
                "full_outlets": _full(own, outlet),
                "reckoned_groups": _once(group for k, group in own if reckoned[k]),
                "schedule": _schedule(names, outlook, row, chosen_of[row] - first),
            }

        return explain

    def _why_first(self, chosen: str, overdue: int, lets_out: bool) -> str:
        """The sentence where a rule goes before what is worth most; "" where none does."""
        if overdue >= 0:
            return f"group {self._groups[overdue]} has waited long: stage {chosen} serves it"
        if lets_out:
            return f"vehicles wait inside the junction: stage {chosen} lets them out first"
        return ""


def _by_group(streams: list[tuple[int, str]], vehicles: list[float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for k, group in streams:
        found[group] = found.get(group, 0.0) + vehicles[k]
    return {group: round(count, 1) for group, count in found.items()}


def _full(streams: list[tuple[int, str]], outlet: list[float]) -> list[str]:
    return _once(group for k, group in streams if outlet[k] < 0.5)


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def explain_plan(request: PlanRequest, why: str) -> Mapping[str, object]:
    """Of a fixed plan: one duration a step of the local plan. why: one sentence."""
    return {
        "why": why,
        "cycle_s": sum(request.durations_s),
        "durations_s": list(request.durations_s),
        "offset_s": request.offset_s,
    }


def _schedule(names: list[str], outlook: Outlook, row: int, chosen: int) -> list[dict[str, object]]:
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
    from_s = outlook.time_s
    for stage, run in groupby(stages):
        until_s = from_s + len(list(run))
        parts.append({"stage": names[stage], "from_s": from_s, "until_s": until_s})
        from_s = until_s
    return parts
