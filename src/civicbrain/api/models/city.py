"""What the API says and takes, as types: the OpenAPI document is made from these.

Numbers that may be unknown are `float | None`: JSON has no NaN. Lists with one entry a junction or group
follow the row order of `/v1/city/geometry`.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from civicbrain.api.cases_health import CasesHealth
from civicbrain.api.models.history import HistoryHealth
from civicbrain.city.intake import IntakeSummary
from civicbrain.city.places import PlaceKind
from civicbrain.city.signals import Capability, GroupKind
from civicbrain.contracts.brain import Severity
from civicbrain.contracts.missions import MissionBrief
from civicbrain.contracts.overrides import Override
from civicbrain.core.sentences import Sentence

Reason = Annotated[
    str,
    Meta(
        max_length=500,
        pattern=r"^[^\u0000-\u001f\u007f]*$",
        description="why; stands in the ledger (no control characters)",
    ),
]
Bounds = Annotated[
    list[float], Meta(min_length=4, max_length=4, description="min x, min y, max x, max y in m")
]
Affine = Annotated[list[float], Meta(min_length=6, max_length=6)]
Name = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_-]*$", examples=["max-pressure", "fixed"])
]


class CityView(Struct, frozen=True):
    """What city this is. lon = a*x + b*y + c, lat = d*x + e*y + f with lonlat_affine [a, b, c, d, e, f].
    page_stale: the control room's page was built from other sources than this server's."""

    name: str
    source: str
    junction_count: int
    lane_count: int
    begin_s: float
    end_s: float
    epoch: str  # aware instant of second 0, RFC 3339
    zone: str  # IANA name of the city's time zone, "" where it is not known
    tile_url: str
    civicbrain_version: str
    bounds_m: Bounds
    lonlat_affine: Affine
    warnings: list[str]
    page_stale: bool = False


class LaneColumns(Struct, frozen=True):
    """One entry a lane. points: [x, y, x, y, …] in metres. use: bits of RoadUse."""

    edge: list[int]
    width_m: list[float]
    use: list[int]
    points: list[list[float]]


class EdgeColumns(Struct, frozen=True):
    """One entry an edge, which is a street section. from_node, to_node: rows of the nodes at its ends, for
    the surfaces between the lane ends of a node. name: of its street, "" where it has none; [] where no
    section has one."""

    id: list[str]
    from_node: list[int]
    to_node: list[int]
    name: list[str] = []


class JunctionPoint(Struct, frozen=True):
    id: str
    name: str
    x_m: float
    y_m: float


class PlacePoint(Struct, frozen=True):
    """A hospital, a station, … reached from a street section. name: "" where it has none."""

    id: str
    kind: PlaceKind
    name: str
    edge: str
    x_m: float
    y_m: float


class SignalHead(Struct, frozen=True):
    """One a signalled movement's stop line. group: city-wide row; angle_deg: driving direction, 0 = north."""

    group: int
    junction: int
    x_m: float
    y_m: float
    angle_deg: float
    kind: GroupKind


class Geometry(Struct, frozen=True):
    """What the map draws; does not change while the process runs (ETag)."""

    bounds_m: Bounds
    lanes: LaneColumns
    edges: EdgeColumns
    junctions: list[JunctionPoint]
    heads: list[SignalHead]
    places: list[PlacePoint]


class IndicatorsView(Struct, frozen=True):
    """The city now, and the fixed plan's figures for the same minute (null until they are known)."""

    vehicles: int
    mean_delay_s: float | None
    throughput_veh_per_h: float | None
    stopped: int
    fixed_vehicles: float | None = None
    fixed_mean_delay_s: float | None = None
    fixed_throughput_veh_per_h: float | None = None


class BrainView(Struct, frozen=True):
    """A brain's health. state: running, off, backing-off or starting."""

    name: str
    state: str
    cadence_s: float | None = None
    budget_s: float | None = None
    last_run_s: float | None = None
    last_ms: float | None = None
    p99_ms: float | None = None
    runs: int = 0
    failures: int = 0
    last_error: str = ""
    retry_in_s: float | None = None


class TwinView(Struct, frozen=True):
    """The twin's clock and counters. speed: asked simulated seconds a wall second, 0 = as fast as it goes."""

    time_s: float
    begin_s: float
    end_s: float
    run: int
    paused: bool
    speed: float
    measured_speed: float | None
    program: str
    running: int
    departed: int
    arrived: int
    waiting_to_depart: int
    delay_veh_s: float | None
    stopped: int
    last_heartbeat_s: float | None
    local_junctions: int
    refused_requests: int
    unsafe_states: int


class SnapshotView(Struct, frozen=True):
    """The newest city state. age_s: wall seconds since the brain process sent it; stale: it should have
    sent a newer one by now. Lists: one entry a junction; group_lamp: one code of a lamp character a group.
    junction_queue_veh: now."""

    time_s: float
    sequence: int
    age_s: float
    stale: bool
    control: str
    brain_on: bool
    indicators: IndicatorsView
    brains: list[BrainView]
    staleness_s: dict[str, float | None]
    junction_delay_s: list[float | None]
    junction_queue_veh: list[float | None]
    junction_mode: list[int]
    junction_stage: list[int]
    group_lamp: list[int]
    twin: TwinView | None
    alerts_open: int
    ledger_entries: int
    baseline_progress: float | None
    intake: IntakeSummary | None = None  # the entry of field cameras, where it is open
    missions: tuple[MissionBrief, ...] = ()  # under way
    overrides: tuple[Override, ...] = ()  # of operators, in force
    junction_standing_veh: list[float | None] = []  # mean queue of the last two minutes


class JunctionView(Struct, frozen=True):
    """A signal junction now; null: not known. mode: a ControllerMode name in lower case."""

    id: str
    name: str
    x_m: float
    y_m: float
    capability: Capability
    warnings: list[str]
    delay_s: float | None = None
    queue_veh: float | None = None
    mode: str | None = None
    stage: str | None = None


class GroupView(Struct, frozen=True):
    id: str
    kind: GroupKind
    links: list[int]
    yellow_s: float
    min_green_s: float
    crossing_m: float
    approach: str


class StageView(Struct, frozen=True):
    """lamps: one character a group. derived: not in the city's own plan."""

    id: str
    lamps: str
    derived: bool


class PlanStepView(Struct, frozen=True):
    stage: str
    duration_s: float


class PlanView(Struct, frozen=True):
    id: str
    steps: list[PlanStepView]
    offset_s: float
    cycle_s: float


class JunctionDetail(Struct, frozen=True):
    """Everything its controller knows. Matrices are [ending group][starting group]; conflict: 0 none,
    1 permitted, 2 prohibited. explanation: what the brain last said of this junction, at platform second
    explained_s. stage: null between stages."""

    id: str
    name: str
    x_m: float
    y_m: float
    capability: Capability
    warnings: list[str]
    groups: list[GroupView]
    stages: list[StageView]
    conflict: list[list[int]]
    intergreen_s: list[list[float]]
    intergreen_source: str
    local_plan: PlanView
    lamps: str
    explanation: dict[str, Any]
    explained_s: float | None = None
    delay_s: float | None = None
    queue_veh: float | None = None
    mode: str | None = None
    stage: str | None = None


class BrainSwitch(Struct, frozen=True, forbid_unknown_fields=True):
    """Switch a brain on or off."""

    enabled: bool
    reason: Reason = ""


class ControlOption(Struct, frozen=True):
    """A way of controlling the signals. source: where the method was published."""

    name: str
    summary: str = ""
    source: str = ""
    program: str = ""
    brain: str = ""


class ControlsView(Struct, frozen=True):
    current: str
    available: list[ControlOption]


class ControlChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Change the control of the whole city."""

    name: Name
    reason: Reason = ""


class TwinChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Pause, resume, or set the speed (simulated seconds a wall second, 0 = as fast as it goes)."""

    paused: bool | UnsetType = UNSET
    speed: Annotated[float, Meta(ge=0, le=100)] | UnsetType = UNSET
    reason: Reason = ""


class AlertView(Struct, frozen=True):
    """Something a person should know. key: same key, same matter."""

    key: str
    severity: Severity
    title: str
    detail: str
    time_s: float
    brain: str
    junction: str = ""
    said: list[Sentence] = []  # title and detail for other languages, where they are not free text
    ended_s: float | None = None


class LedgerEntryView(Struct, frozen=True):
    """One line of the record. at: when it was written, RFC 3339. previous, hash: hexadecimal SHA-256."""

    seq: int
    kind: str
    actor: str
    time_s: float | None = None
    at: str = ""
    body: dict[str, Any] = {}
    previous: str = ""
    hash: str = ""


class LedgerPage(Struct, frozen=True):
    """Entries in their order from `offset` on; count: of all."""

    entries: list[LedgerEntryView]
    count: int
    offset: int
    limit: int


class LedgerVerification(Struct, frozen=True):
    """The hash chain checked from its beginning. first_broken: number of the first entry that does not fit.
    head: hash of the last entry read; kept elsewhere, it also shows a tail that was cut off."""

    ok: bool
    entries: int
    head: str = ""
    first_broken: int | None = None
    reason: str = ""


class ProcessHealth(Struct, frozen=True):
    """answering: heard of lately. age_s: wall seconds since it last spoke, null when it never did."""

    answering: bool
    age_s: float | None


class HealthView(Struct, frozen=True):
    """status: "ok" or "degraded". access: "operator on this machine" (no log-in: everyone at this machine
    acts as operator) or "token"."""

    status: str
    version: str
    access: str
    twin: ProcessHealth
    brain: ProcessHealth
    map_clients: int
    alert_clients: int
    history: HistoryHealth
    cases: CasesHealth
