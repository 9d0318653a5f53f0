"""Messages between the three processes (twin, brain, API) and the map frame for browsers.

Transport: ZeroMQ over Unix sockets in a run folder that only its owner may enter (mode 0700):

    twin.pub   PUB     topics b"det" Detections, b"sig" SignalStates, b"veh" VehicleFrame, b"stat" TwinStatus,
                      b"pos" VehiclePosition, b"end" MissionEnd (city/missions.py),
                      b"bus" BusPosition (city/transit/buses.py)
    twin.cmd   ROUTER  TwinCommand -> Reply
    brain.pub  PUB     topics b"state" CityState (1 a second), b"alert" Alert,
                      b"incident" Incident (city/incidents.py): began, changed or ended
    brain.cmd  ROUTER  BrainCommand -> Reply
    intake.cmd ROUTER  [key, a message of city/intake/frames.py] -> Receipt (two frames: the key, the body)

A message is two frames: topic, msgpack body. Arrays travel as raw bytes (`Array`), never pickled: what
arrives on a socket can be decoded, not executed.

Commands: clients are REQ sockets (or DEALERs that send the same envelope). The ROUTER gets
[identity, …, b"", body] and answers [identity, …, b"", reply]: it sends back every frame before the last
unchanged and replaces the last one. A client that gets no answer in its time closes its socket and opens
a new one, so that a late reply meets nobody.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from civicbrain.city.intake import IntakeSummary
from civicbrain.city.missions import Mission
from civicbrain.contracts.actuator import Verdict
from civicbrain.contracts.brain import Alert, PlanRequest, StageRequest
from civicbrain.contracts.missions import MissionBrief
from civicbrain.contracts.overrides import Override

T = TypeVar("T")


class Array(msgspec.Struct, array_like=True, frozen=True):
    dtype: str
    shape: tuple[int, ...]
    data: bytes


def pack_array(array: NDArray[Any]) -> Array:
    return Array(array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes())


def unpack_array(packed: Array) -> NDArray[Any]:
    dtype = np.dtype(packed.dtype)
    if dtype.kind not in "iufb":
        raise ValueError(f"array of dtype {packed.dtype!r} is not allowed on the wire")
    return np.frombuffer(packed.data, dtype=dtype).reshape(packed.shape)


def pack_columns(record: Any) -> dict[str, Any]:
    """A dataclass of scalars and arrays (Detections, SignalStates, …) as a msgpack-able mapping."""
    return {
        f.name: pack_array(value) if isinstance(value := getattr(record, f.name), np.ndarray) else value
        for f in fields(record)
    }


def unpack_columns(kind: type[T], packed: dict[str, Any]) -> T:
    """Inverse of pack_columns; raises ValueError or TypeError on anything that does not fit."""
    values = {}
    for f in fields(kind):  # type: ignore[arg-type]
        value = packed[f.name]
        values[f.name] = (
            unpack_array(msgspec.convert(value, Array)) if isinstance(value, (list, tuple)) else value
        )
    return kind(**values)


class VehicleFrame(msgspec.Struct, frozen=True):
    """True positions for the live map, one row a vehicle. number: counts up from 0 in a run, tells frames'
    vehicles apart and nothing else."""

    time_s: float
    number: Array  # u4
    x_m: Array  # f4
    y_m: Array  # f4
    angle_deg: Array  # f4, 0 = north, clockwise
    speed_mps: Array  # f4
    vehicle_class: Array  # u1, VehicleClass


class TwinStatus(msgspec.Struct, frozen=True):
    """One a simulated second. Counters run from the start of the scenario."""

    time_s: float
    begin_s: float
    end_s: float
    run: int  # counts restarts of the scenario window
    paused: bool
    speed: float  # asked: simulated seconds per wall second; 0 = as fast as it goes
    measured_speed: float
    program: str  # fixed | actuated | delay-based | central
    running: int
    departed: int
    arrived: int
    waiting_to_depart: int
    delay_veh_s: float  # cumulative: time loss of all + waiting to depart
    stopped: int
    last_heartbeat_s: float
    local_junctions: int  # controllers in local plan
    refused_requests: int
    unsafe_states: int


class TwinCommand(msgspec.Struct, frozen=True):
    """action: "heartbeat" (the centre is alive) | "answered" (it has decided on frame `value`, s) |
    "apply" | "mission-start" (`mission`, with its route) | "mission-cancel" (text: id) | "pause" | "resume" |
    "speed" | "program" (text: "central" | "local") | "restart" | "status" |
    "branch" (text: a new folder below the run folder's `whatif`, into which the state is written while the
    twin goes on; body: {"time_s", "pause_s"}, and a file `done` when it is whole)."""

    action: str
    requests: tuple[StageRequest | PlanRequest, ...] = ()
    value: float = 0.0
    text: str = ""
    mission: Mission | None = None


class BrainCommand(msgspec.Struct, frozen=True):
    """What the API asks of the brain process. actor: who asks, reason: why; both go to the ledger with
    every action that changes something. `Reply.body` by action (unknown keys are ignored, missing ones
    take their defaults, numpy arrays are sent as `Array` or as plain lists):

    "status"     CityState, the newest
    "snapshot"   the same
    "junction"   text = junction id: {"explanation": {…}, "explained_s", "mode", "stage", "lamps"}: what who
                 holds it, or the control's brain, last said of it ({} where it said nothing) and when, and
                 what it shows now (stage: row, -1 between stages); kind "not-found" for an unknown id
    "controls"   {"current": str, "available": [{"name", "summary", "source", "program", "brain"}]}
    "control"    text = control name: body as of "controls"; kind "not-found" lists what there is in `error`
    "brain-on"   text = brain name: BrainHealth of that brain after the switch
    "brain-off"  the same
    "alerts"     list of Alert, newest first, at most `limit`
    "incidents"  list of Incident: the open ones
    "ledger"     offset, limit: {"entries": list of ledger.chain.Entry, "count": int}, oldest first
    "record"     text = junction id, limit: list of ledger.chain.Entry of its overrides, newest first
    "sources"    text = "all" | "silent" | "dropping", offset, limit: SourcePage of city.intake
    "source"     text = a source's id: SourceStatus with its lanes; kind "not-found" for an unknown id
    "decision"   body = what was decided, words and numbers by name: into the ledger; None
    "what-if"    body = what was asked, the same way: into the ledger; None
    "verify"     ledger.chain.VerifyReport, the whole chain
    "missions"   limit: list of contracts.missions.MissionBrief; "mission" text = id: MissionView of it
    "mission-order" body = an order: MissionMade; "mission-cancel" text = id: MissionClosed
    "mission-position" text = id, body = a position with the mission's key: PositionTaken
    "dispatch"   body = the question: DispatchAnswer
    "transit-lines", "transit-buses" (text = line, offset, limit), "transit-bus" (text = trip),
    "transit-asks" (as buses): api/models/transit.py
    "override"   text = junction id, body = {"action", "stage", "duration_s"}: contracts.overrides.Override
    "override-end" text = junction id: the Override that was ended; "overrides": list of those in force
    "recent"     text = junction id: contracts.junction_recent.JunctionRecent, its last five minutes
    "planned"    body = {"junctions": ids}: for each id its list of contracts.junction_recent.Planned
    "queues"     contracts.junction_recent.QueuesNow
    "worst"      limit: list of contracts.worst.WorstPlace, the worst junction first
    "full-roads" limit: list of contracts.worst.FullRoad, the longest full first
    "twin"       text = TwinCommand action ("pause" | "resume" | "speed"), value: TwinStatus or None
    """

    action: str
    actor: str = "local"
    text: str = ""
    value: float = 0.0
    offset: int = 0
    limit: int = 100
    reason: str = ""
    body: dict[str, Any] = {}


class Reply(msgspec.Struct, frozen=True):
    """ok False: `error` names what to do; kind: "not-found" | "invalid" | "refused" | "unavailable"."""

    ok: bool
    body: Any = None
    error: str = ""
    kind: str = ""
    verdicts: tuple[Verdict, ...] = ()


class BrainHealth(msgspec.Struct, frozen=True):
    """state: "running" | "off" | "backing-off" | "starting"."""

    name: str
    state: str
    cadence_s: float
    budget_s: float
    last_run_s: float
    last_ms: float
    p99_ms: float
    runs: int
    failures: int
    last_error: str = ""
    retry_in_s: float = 0.0
    overruns: int = 0  # calls that took longer than the budget


class Indicators(msgspec.Struct, frozen=True):
    """The strip: now, and the fixed plan's figure for the same minute (None until it is known).
    throughput_span_s: how much of its window of 300 s the throughput is of."""

    vehicles: int
    mean_delay_s: float
    throughput_veh_per_h: float
    stopped: int
    fixed_vehicles: float | None = None
    fixed_mean_delay_s: float | None = None
    fixed_throughput_veh_per_h: float | None = None
    throughput_span_s: float = 300.0


class CityState(msgspec.Struct, frozen=True):
    """What the brain process publishes once a second. Arrays: one row a junction, or a city-wide group."""

    time_s: float
    sequence: int
    control: str
    brain_on: bool
    indicators: Indicators
    brains: tuple[BrainHealth, ...]
    staleness_s: dict[str, float]
    junction_delay_s: Array  # f4 mean delay of the vehicles served lately, estimated from cameras
    junction_queue_veh: Array  # f4, now
    junction_mode: Array  # u1 ControllerMode
    junction_stage: Array  # i4, shown in full; -1 between stages
    group_lamp: Array  # u1 ord of lamp character
    twin: TwinStatus | None
    alerts_open: int
    ledger_entries: int
    baseline_progress: float = 0.0  # 0..1 of the fixed-plan comparison run
    intake: IntakeSummary | None = None  # of field cameras, where the entry is open
    missions: tuple[MissionBrief, ...] = ()  # under way
    overrides: tuple[Override, ...] = ()  # of operators, in force
    spill_backs: int | None = None  # roads that spill back (`runtime/full_roads.py`)
    cameras_silent: int | None = None  # junctions with a camera that has not spoken for 10 s
    incidents_open: int | None = None
    junction_standing_veh: Array | None = None  # f4, mean queue of the last two minutes, NaN: not seen


ALERT_TOPIC, STATE_TOPIC, INCIDENT_TOPIC = b"alert", b"state", b"incident"
POSITIONS_TOPIC, ENDS_TOPIC, BUSES_TOPIC = b"pos", b"end", b"bus"
DETECTIONS_TOPIC, SIGNALS_TOPIC, VEHICLES_TOPIC, STATUS_TOPIC = b"det", b"sig", b"veh", b"stat"

__all__ = [
    "ALERT_TOPIC", "BUSES_TOPIC", "DETECTIONS_TOPIC", "ENDS_TOPIC", "INCIDENT_TOPIC", "POSITIONS_TOPIC",
    "SIGNALS_TOPIC", "STATE_TOPIC", "STATUS_TOPIC", "VEHICLES_TOPIC",
    "Alert", "Array", "BrainCommand", "BrainHealth", "CityState", "Indicators", "Reply", "TwinCommand",
    "TwinStatus", "VehicleFrame", "pack_array", "pack_columns", "unpack_array", "unpack_columns",
]  # fmt: skip
