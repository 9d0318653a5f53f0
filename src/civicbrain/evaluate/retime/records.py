"""`plans.json`: the plans of a retiming, what they are expected to do, and what was measured."""

from __future__ import annotations

import msgspec

Interval = tuple[float, float]


class GroupFigures(msgspec.Struct, kw_only=True):
    """A signal group in a period: its flow, and under the plans before and after its degree of saturation (of
    its fullest lane) and expected delay."""

    group: str
    approach: str
    flow_veh_per_h: float
    saturation_before: float
    saturation_after: float
    delay_before_s: float
    delay_after_s: float


class PlanRecord(msgspec.Struct, kw_only=True):
    """A fixed plan: seconds a step of the junction's local plan (switch-over first), cycle and offset. The
    step at second t is found from (t − offset_s) mod cycle_s."""

    cycle_s: float
    offset_s: float
    durations_s: list[float]
    saturation: float
    delay_s: float


class PeriodRecord(msgspec.Struct, kw_only=True):
    """A junction in one period of the day. webster_cycle_s: Webster's optimum for the junction by itself, to
    check by hand; null where the demand leaves none."""

    before: PlanRecord
    after: PlanRecord
    flow_veh_per_h: float
    webster_cycle_s: float | None
    groups: list[GroupFigures]


class JunctionRecord(msgspec.Struct, kw_only=True):
    """A junction. stages: id of the stage of each step. shown: lamps a group in each step."""

    id: str
    name: str
    groups: list[str]
    stages: list[str]
    shown: list[str]
    periods: list[PeriodRecord]


class Span(msgspec.Struct, kw_only=True):
    """A period of the day, in seconds of the city's clock. program: its name in the SUMO file."""

    program: str
    begin_s: float
    end_s: float
    vehicles_counted: float


class Measured(msgspec.Struct, kw_only=True):
    """Both plans in the twin, seed by seed; delay in s per vehicle due, all vehicles. ratio: after / before
    with Fieller's interval over seeds. junction_delay_*: delay on the approaches, s per vehicle seen
    there."""

    seeds: list[int]
    before_s: list[float]
    after_s: list[float]
    ratio: float | None
    ratio_ci95: Interval | None
    stops_before: float
    stops_after: float
    undeparted_before: float
    undeparted_after: float
    unsafe_states_before: int
    unsafe_states_after: int
    unsafe_after: list[str] = msgspec.field(default_factory=list)  # where and what, most frequent first
    deadlocks_before: int
    deadlocks_after: int
    junction_delay_before_s: dict[str, float]
    junction_delay_after_s: dict[str, float]


class Retiming(msgspec.Struct, kw_only=True):
    """Everything. rounds: how often the twin was counted anew under the plans of the round before."""

    city: str
    civicbrain_version: str
    sumo_version: str
    counts: str
    rounds: int
    max_cycle_s: int
    periods: list[Span]
    junctions: list[JunctionRecord]
    measured: Measured | None = None
