"""From counts to plans: times of day, then the best plans of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from civicbrain.brains.signals.approach import build_streams
from civicbrain.brains.signals.plans.flows import spread_turns
from civicbrain.brains.signals.plans.junction import CycleResult, JunctionModel
from civicbrain.brains.signals.plans.network import PlanNetwork, PlanOptions, Timing
from civicbrain.brains.signals.plans.tables import build_tables
from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.signals import PlanStep, SignalJunction, SignalPlan
from civicbrain.core.errors import ConfigurationError
from civicbrain.evaluate.retime.counts import Counts
from civicbrain.evaluate.retime.records import (
    GroupFigures,
    JunctionRecord,
    PeriodRecord,
    PlanRecord,
    Span,
)
from civicbrain.science.cyclic_flow import RED
from civicbrain.science.fixed_time import webster_cycle_s
from civicbrain.science.periods import segment_counts

LEAST_PERIOD_S = 900.0
"""A plan that holds for less than a quarter of an hour is mostly transition."""

OVERSATURATED = 0.95
"""From this expected degree of saturation on, counts at the stop line say how much passed, not how much
came."""


@dataclass(frozen=True, eq=False)
class MadePlans:
    """spans, and the plans of each period by junction row; junctions: figures for people. full: some stream
    was at capacity while it was counted."""

    spans: list[Span]
    plans: list[dict[int, Timing]]
    junctions: list[JunctionRecord]
    full: bool


def parse_periods(text: str) -> int | None:
    """ "auto" is None; else a number from 1 to 24. Raises ConfigurationError."""
    if text.strip().lower() == "auto":
        return None
    if text.strip().isdigit() and 1 <= int(text) <= 24:
        return int(text)
    raise ConfigurationError(
        f"{text[:40]!r} is no number of periods",
        place="--periods",
        remedy="give auto, or a number from 1 to 24",
    )


def make_plans(city: City, counts: Counts, periods: int | None, max_cycle_s: int) -> MadePlans:
    """Cut the day and make the plans of each period.

    Raises ConfigurationError when the counts are too few for that many periods, or all zero.
    """
    if float(counts.vehicles.sum()) <= 0.0:
        raise ConfigurationError(
            "nobody was counted", place=counts.source, remedy="see whether the window is right"
        )
    seconds = counts.end_s - counts.begin_s
    least = max(1, math.ceil(LEAST_PERIOD_S / float(seconds.max())))
    try:
        cuts = segment_counts(counts.vehicles, seconds, least=least, periods=periods)
    except ValueError as error:
        raise ConfigurationError(
            f"{periods} periods do not fit: {len(seconds)} intervals, {least} at least a period",
            place="--periods", remedy="ask for fewer, or give counts of a longer time",
        ) from error  # fmt: skip
    maker = _Maker(city, counts, max_cycle_s)
    made = [maker.make(first, last) for first, last in pairwise(cuts)]
    if periods is None and len(made) > 1:
        # times of day have to earn more than their changes of plan cost
        single = maker.make(0, len(seconds))
        if maker.cost(made) >= maker.cost([single], at=made):
            made = [single]
    spans = [
        Span(
            program=f"civicbrain-{number}", begin_s=float(counts.begin_s[one.first]),
            end_s=float(counts.end_s[one.last - 1]),
            vehicles_counted=float(counts.vehicles[one.first : one.last].sum()),
        )
        for number, one in enumerate(made, start=1)
    ]  # fmt: skip
    records = [_junction(junction) for junction in city.junctions]
    full = False
    for one in made:
        local = one.network.local
        before, after = one.network.evaluate(local), one.network.evaluate(one.plans)
        for row, record in enumerate(records):
            record.periods.append(
                _period(city, one.network, row, local[row], one.plans[row], before[row], after[row])
            )
            busy = one.network.models[row].flow > 0.0
            full = full or bool((before[row].saturation[busy] > OVERSATURATED).any())
    return MadePlans(spans, [one.plans for one in made], records, full)


@dataclass(frozen=True, slots=True)
class _Made:
    """The plans of the intervals first … last − 1, and the network with their demand."""

    first: int
    last: int
    network: PlanNetwork
    plans: dict[int, Timing]


class _Maker:
    def __init__(self, city: City, counts: Counts, max_cycle_s: int) -> None:
        self._city, self._counts, self._max_cycle_s = city, counts, max_cycle_s
        self._streams = build_streams(city)
        self._tables = build_tables(city, self._streams)
        self._seconds = counts.end_s - counts.begin_s

    def make(self, first: int, last: int) -> _Made:
        flows = spread_turns(self._city, self._streams, self._counts.flows(first, last))
        period_s = max(float(self._seconds[first:last].sum()), LEAST_PERIOD_S)
        options = PlanOptions(max_cycle_s=self._max_cycle_s, period_s=period_s)
        network = PlanNetwork(self._city, flows, options, self._streams, self._tables)
        return _Made(first, last, network, network.make_plans())

    def cost(self, made: Sequence[_Made], at: Sequence[_Made] | None = None) -> float:
        """Expected waiting in veh · s with the demand of `at` (by default their own). Each change of plan
        costs half a cycle to whoever comes during a cycle: so long the old and the new plan have to find each
        other."""
        total = 0.0
        for number, one in enumerate(at or made):
            plans = made[number].plans if len(made) > 1 else made[0].plans
            total += one.network.total(plans) * float(self._seconds[one.first : one.last].sum())
            if number and len(made) > 1:
                for row, plan in plans.items():
                    flow = float(one.network.models[row].flow.sum())
                    total += 0.0 if plan == made[number - 1].plans[row] else flow * plan.cycle_s**2 / 2.0
        return total


def signal_plan(junction: SignalJunction, plan_id: str, timing: Timing) -> SignalPlan:
    """A timing as a plan of the junction: the steps of its local plan."""
    steps = zip(junction.local_plan.steps, timing.durations_s.tolist(), strict=True)
    return SignalPlan(
        plan_id,
        tuple(PlanStep(step.stage, float(seconds)) for step, seconds in steps),
        float(timing.offset_s),
    )


def _junction(junction: SignalJunction) -> JunctionRecord:
    stages = [junction.stages[step.stage] for step in junction.local_plan.steps]
    return JunctionRecord(
        id=junction.id, name=junction.name, groups=[group.id for group in junction.groups],
        stages=[stage.id for stage in stages], shown=[stage.lamps for stage in stages], periods=[],
    )  # fmt: skip


def _period(
    city: City,
    network: PlanNetwork,
    row: int,
    had: Timing,
    made: Timing,
    before: CycleResult,
    after: CycleResult,
) -> PeriodRecord:
    model, table, junction = network.models[row], network.tables[row], city.junctions[row]
    group_of = network.group_of(row)
    groups = []
    for group in sorted(set(group_of.tolist())):
        own = group_of == group
        groups.append(
            GroupFigures(
                group=junction.groups[group].id,
                approach=junction.groups[group].approach,
                flow_veh_per_h=round(float(model.flow[own].sum()) * 3600.0, 1),
                saturation_before=_highest(before.saturation[own]),
                saturation_after=_highest(after.saturation[own]),
                delay_before_s=_mean(before.delay_s[own], model.flow[own]),
                delay_after_s=_mean(after.delay_s[own], model.flow[own]),
            )
        )
    ratio = _critical_ratios(model)
    lost_s = float(np.sum(np.where(table.shows != RED, table.start_s, 0.0).max(axis=1)))
    webster_s = webster_cycle_s(lost_s, ratio)
    return PeriodRecord(
        before=_plan(had, before, model),
        after=_plan(made, after, model),
        flow_veh_per_h=round(float(model.flow.sum()) * 3600.0, 1),
        webster_cycle_s=round(webster_s, 1) if math.isfinite(webster_s) else None,
        groups=groups,
    )


def _critical_ratios(model: JunctionModel) -> list[float]:
    """Of each step the largest flow ratio among the streams that have right of way in no other step."""
    table = model.table
    ratio = model.flow / model.saturation_flow
    steps_of = (table.shows == 2).sum(axis=0)
    return [float(np.max(ratio[(shown == 2) & (steps_of == 1)], initial=0.0)) for shown in table.shows]


def _plan(timing: Timing, result: CycleResult, model: JunctionModel) -> PlanRecord:
    return PlanRecord(
        cycle_s=float(timing.cycle_s), offset_s=float(timing.offset_s),
        durations_s=[float(seconds) for seconds in timing.durations_s.tolist()],
        saturation=_highest(result.saturation[model.flow > 0.0]), delay_s=_mean(result.delay_s, model.flow),
    )  # fmt: skip


def _highest(values: F64) -> float:
    return round(float(np.max(values, initial=0.0)), 3)


def _mean(values: F64, weights: F64) -> float:
    total = float(weights.sum())
    return round(float((values * weights).sum()) / total, 1) if total > 0.0 else 0.0


def programs(
    city: City, spans: Sequence[Span], plans: Sequence[dict[int, Timing]]
) -> list[dict[str, SignalPlan]]:
    """Junction id -> plan, one mapping a period."""
    return [
        {
            city.junctions[row].id: signal_plan(city.junctions[row], span.program, timing)
            for row, timing in made.items()
        }
        for span, made in zip(spans, plans, strict=True)
    ]
