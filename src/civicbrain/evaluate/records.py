"""What a study writes down: one run, a finished run's file, and `evaluation.json`.

All delays are seconds a vehicle over the vehicles due (see `civicbrain.twin.metrics`). Figures that do
not exist (the mean travel time of a run in which nobody arrived) are null, never 0.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from civicbrain.twin.faults import NO_FAULTS, Faults
from civicbrain.twin.observer import UnsafeKind

Interval = tuple[float, float]

WALL_CLOCK_FIELDS = ("wall_s", "setup_s", "cpu_s", "sim_s_per_wall_s", "decision_ms_p50", "decision_ms_p99")
"""What the machine's speed decides; everything else of a run repeats to the last digit."""


class RunRecord(msgspec.Struct, kw_only=True):
    """One run of one control with one seed: a row of `runs` in evaluation.json.

    wall_s: simulating, from the start of SUMO to the metrics, sensing, guard and brain included.
    cpu_s: processor time of the same span, which other programs disturb less.
    setup_s: before that: reading the city, importing and compiling the brain.
    decision_ms_p50, decision_ms_p99: wall time of one call of the brain; 0 under SUMO's own programs, which
    call none. refused_requests: by the guard or a controller; unsafe_states: by the independent observer;
    unsafe: the same by rule, junction and group(s).
    vehicles_served: that had entered before the delay index reached its limit, or in all where it never did;
    delay_index: mean trip time over free-flow trip time, at the last look; delay_index_reached_s: second of
    the scenario (`twin.delay_index`); null where not asked for. A run that stopped there has its other
    figures from its shorter window.
    """

    control: str
    seed: int
    vehicles_due: int
    departed: int
    arrived: int
    undeparted: int
    mean_delay_s: float | None
    mean_time_loss_s: float | None
    mean_depart_delay_s: float | None
    mean_travel_time_s: float | None
    mean_waiting_s: float | None
    max_waiting_s: float | None
    stops_per_vehicle: float | None
    co2_kg: float | None
    teleports: int
    collisions: int
    emergency_stops: int
    refused_requests: int
    unsafe_states: int
    deadlock: bool
    wall_s: float
    sim_s_per_wall_s: float
    decision_ms_p50: float
    decision_ms_p99: float
    setup_s: float = 0.0
    cpu_s: float = 0.0
    vehicles_served: int | None = None
    delay_index: float | None = None
    delay_index_reached_s: float | None = None
    unsafe: tuple[UnsafeKind, ...] = ()


METRICS: tuple[str, ...] = tuple(
    field for field in RunRecord.__struct_fields__ if field not in ("control", "seed", "unsafe")
)
"""The figures of a run that `summary` averages (`deadlock` as the share of runs that deadlocked)."""


class RunSeries(msgspec.Struct, kw_only=True):
    """What the plots of one run need. time_s, queue_veh, running: one entry a minute.

    junction_delay_s: delay per vehicle served, by junction. travel_time_quantiles_s: travel times of those
    that arrived, at evenly spaced probabilities from 0 to 1; empty where unknown.
    """

    time_s: list[float] = msgspec.field(default_factory=list)
    queue_veh: list[float] = msgspec.field(default_factory=list)
    running: list[float] = msgspec.field(default_factory=list)
    junction_delay_s: dict[str, float | None] = msgspec.field(default_factory=dict)
    travel_time_quantiles_s: list[float] = msgspec.field(default_factory=list)


class RunFile(msgspec.Struct, kw_only=True):
    """A finished run on disk. begin_s, end_s: its window. key: what the result depends on
    (`plan.run_key`)."""

    key: str
    begin_s: float
    end_s: float
    run: RunRecord
    series: RunSeries


class Failure(msgspec.Struct, kw_only=True):
    """A run that ended without figures, and why."""

    control: str
    seed: int
    reason: str


class Summary(msgspec.Struct, kw_only=True):
    """ci95: (low, high) of Student's interval over seeds; null with one run."""

    mean: float | None
    ci95: Interval | None


class Paired(msgspec.Struct, kw_only=True):
    """A control against the baseline, over the seeds that both finished.

    delay_ratio: mean delay over mean delay of the baseline, ci95 Fieller's interval of it.
    delay_difference_s: control − baseline, difference_ci95 Student's interval. Null where undefined.
    """

    baseline: str
    delay_ratio: float | None
    ci95: Interval | None
    delay_difference_s: float | None = None
    difference_ci95: Interval | None = None
    seeds: int = 0


class Curve(msgspec.Struct, kw_only=True):
    """One control's series over its seeds: mean, least and greatest at each time."""

    time_s: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]


class ControlSeries(msgspec.Struct, kw_only=True):
    """A control's plots, over its seeds."""

    queue_veh: Curve
    running: Curve
    junction_delay_s: dict[str, float]
    travel_time_quantiles_s: list[float]


class ControlNote(msgspec.Struct, kw_only=True):
    """What stood behind a control's name in this study."""

    name: str
    program: str
    brain: str
    options: dict[str, Any]
    summary: str
    source: str


class Bound(msgspec.Struct, kw_only=True):
    """How low delay could go in this window, s per vehicle due, from one seed (`evaluate.bound`).

    free_road_s: nobody ever stops for a lamp or another stream: a limit for every control.
    conflicts_s: free road, and the least waiting that streams which exclude each other cost when all arrivals
    are known and every vehicle waits at one stop line at most: a limit too, and a loose one.
    open_signals_s: nobody ever stops at a signal; right of way holds at the junctions without.
    foresight_s: open signals, and waiting under the best stage sequence found for each junction by itself,
    all arrivals known: an estimate of what perfect knowledge reaches under the city's own stages. Platoons
    can be better than it, spill-back makes it unreachable, and an oversaturated network is counted too often.
    plan_in_model_s: the same model under the city's plan; against the simulated plan it shows how far the
    model can be trusted. stop_lines_per_vehicle: signals on the way of a vehicle.
    """

    seed: int
    vehicles_due: int
    free_road_s: float
    conflicts_s: float
    open_signals_s: float
    foresight_s: float
    plan_in_model_s: float
    stop_lines_per_vehicle: float


class Evaluation(msgspec.Struct, kw_only=True):
    """`evaluation.json` of one scenario. faults: what went wrong on purpose, in every run alike. mesoscopic:
    simulated by queues, so that delays compare among themselves and not with those of other studies."""

    scenario: str
    sumo_version: str
    civicbrain_version: str
    sensing: str
    coverage: float
    begin_s: float
    end_s: float
    runs: list[RunRecord]
    summary: dict[str, dict[str, Summary]]
    paired: dict[str, Paired]
    baseline: str
    controls: list[ControlNote] = msgspec.field(default_factory=list)
    seeds: list[int] = msgspec.field(default_factory=list)
    failures: list[Failure] = msgspec.field(default_factory=list)
    city_source: str = ""
    city_hash: str = ""
    series: dict[str, ControlSeries] = msgspec.field(default_factory=dict)
    bound: Bound | None = None
    miss_rate: float = 0.05
    latency_s: float = 0.5
    faults: Faults = NO_FAULTS
    mesoscopic: bool = False


class EvaluationSet(msgspec.Struct, kw_only=True):
    """`evaluation.json` where several scenarios were studied; each has a folder of its own beside it."""

    studies: list[Evaluation]


def finite(value: float | None) -> float | None:
    """The value, or None where it is no number: JSON has no NaN, and a mean over nobody is no figure."""
    if value is None or not math.isfinite(value):
        return None
    return value


def figure(run: RunRecord, metric: str) -> float | None:
    """One metric of a run as a number, None where the run has none."""
    value = getattr(run, metric)
    return None if value is None else finite(float(value))


def encode(record: msgspec.Struct) -> bytes:
    """Readable JSON, two spaces deep, newline at the end."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
