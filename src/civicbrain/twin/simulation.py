"""`Twin`: one city in SUMO, stepped second by second. libsumo is global: one Twin a process at a time.

Each step: the controllers act, SUMO steps, the observer looks at the lamps that SUMO shows. Sensing and
the map frame cost only when they are asked for. Reproducible: same city, options and version, same figures.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import libsumo
import msgspec

from civicbrain.city.model import City
from civicbrain.city.observations import Detections, SignalStates
from civicbrain.contracts.actuator import Verdict
from civicbrain.contracts.brain import Request
from civicbrain.contracts.wire import TwinStatus, VehicleFrame
from civicbrain.core.errors import ConfigurationError, TwinError
from civicbrain.twin.cameras import Cameras
from civicbrain.twin.controller import ControllerMemory
from civicbrain.twin.delay_index import DelayIndex
from civicbrain.twin.fleet import Fleet, compiled
from civicbrain.twin.incident_road import IncidentRoad
from civicbrain.twin.incidents import Truth, check_incidents
from civicbrain.twin.lane_blocks import LaneBlocks
from civicbrain.twin.launch import SAFETY_FILE, TRIPS_FILE, start_sumo, step_length_s
from civicbrain.twin.live_view import LiveView
from civicbrain.twin.meso_blocks import MesoLaneBlocks
from civicbrain.twin.meso_cameras import MesoCameras
from civicbrain.twin.meso_probe import MesoProbe
from civicbrain.twin.mesoscopic import MesoRoad
from civicbrain.twin.metrics import (
    RunMetrics,
    make_metrics,
    read_safety,
    read_trips,
    with_delay_index,
    without_standing,
)
from civicbrain.twin.observer import Observer
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.probe import Probe
from civicbrain.twin.program_view import ProgramView
from civicbrain.twin.roadside import Roadside

_ADVANCE_S = 1e-6
_read_lamps = compiled("trafficlight", "getRedYellowGreenState")


class Checkpoint(msgspec.Struct, frozen=True):
    """What `Twin.save` keeps beside SUMO's own state file (named by `state_file`)."""

    city: str
    time_s: float
    state_file: str
    memories: dict[str, ControllerMemory]
    departed: int
    arrived: int
    delay_veh_s: float
    refused_requests: int
    unsafe_states: int
    local_only: bool


class Twin:
    """Starts libsumo in this process: give it a process of its own, and `finish()` (or `close()`) it.

    Raises TwinError when SUMO does not start, SignalProgramError for signals no controller could run.
    """

    def __init__(self, city: City, options: TwinOptions = TwinOptions()) -> None:  # noqa: B008
        self._open(city, options, None, None)

    @classmethod
    def resume(cls, city: City, options: TwinOptions, path: Path) -> Twin:
        """Go on from a checkpoint that `save` made. The controllers start up (all red, with the minimum
        greens and yellows of the lamps they find) and take their local plans. Raises TwinError."""
        try:
            checkpoint = msgspec.json.decode((path / "twin.json").read_bytes(), type=Checkpoint)
        except (OSError, msgspec.MsgspecError) as error:
            raise TwinError(
                f"no usable checkpoint ({error})", place=str(path), remedy="start the twin without resuming"
            ) from error
        if checkpoint.city != city.name:
            raise TwinError(
                f"the checkpoint is of city {checkpoint.city!r}, not {city.name!r}",
                place=str(path),
                remedy="delete it, or name the city it was made of",
            )
        twin = cls.__new__(cls)
        twin._open(city, options, checkpoint, path / checkpoint.state_file)
        return twin

    def _open(
        self, city: City, options: TwinOptions, checkpoint: Checkpoint | None, state: Path | None
    ) -> None:
        self.city = city
        self.options = options
        demand = city.demand
        self.begin_s = demand.begin_s if options.begin_s is None else options.begin_s
        self.end_s = demand.end_s if options.end_s is None else options.end_s
        self.step_s = step_length_s(city)
        options.faults.check(city, options.mesoscopic)
        check_incidents(city, options.incidents, options.mesoscopic)
        self._folder: Path | None = Path(tempfile.mkdtemp(prefix="civicbrain-twin-"))
        try:
            start_sumo(city, options, self.begin_s, self.end_s, self._folder, state)
            self._prepare(checkpoint)
        except BaseException:
            self.close()
            raise

    def _prepare(self, checkpoint: Checkpoint | None) -> None:
        city, options = self.city, self.options
        self.time_s: float = libsumo.simulation.getTime()
        self._tls_ids = [junction.id for junction in city.junctions]
        known = set(libsumo.trafficlight.getIDList())
        for tls_id in self._tls_ids:
            if tls_id not in known:
                raise TwinError(
                    f"SUMO knows no traffic light {tls_id!r}",
                    place=city.demand.net_file,
                    remedy="the city folder and its network file do not fit; import the city again",
                )
        self.roadside: Roadside | None = None
        self._program_view: ProgramView | None = None
        if options.program == "central":
            memories = checkpoint.memories if checkpoint else None
            self.roadside = Roadside(city.signals, self.time_s, options.watchdog_s, memories)
            for row, tls_id in enumerate(self._tls_ids):
                libsumo.trafficlight.setRedYellowGreenState(tls_id, self.roadside.link_lamps(row))
        else:
            self._program_view = ProgramView(city.signals, self.time_s)
        self.observer = Observer(city.junctions)
        self._shown = [""] * len(self._tls_ids)
        self._incidents = IncidentRoad(city, options.incidents, self.step_s)
        self._fleet = Fleet()
        self._fleet.recount()
        self._cameras: Cameras
        self._blocks: LaneBlocks
        self._probe: Probe
        if options.mesoscopic:
            road = MesoRoad(city)
            self._cameras = MesoCameras(city, options, self.step_s, self._fleet, road)
            self._blocks = MesoLaneBlocks(city, options.faults.lanes, self.step_s)
            self._probe = MesoProbe(city, self.time_s, road, options.emissions)
        else:
            self._cameras = Cameras(city, options, self.step_s, self._fleet)
            self._blocks = LaneBlocks(options.faults.lanes, self.step_s)
            self._probe = Probe(city, self.time_s, options.emissions)
        self._frames_wanted = options.program == "central"
        self._frame_due_s = self.time_s
        limit = options.delay_index_limit
        self._index = None if limit is None else DelayIndex(city, self.time_s, limit, self.step_s)
        self._departed = checkpoint.departed if checkpoint else 0
        self._arrived = checkpoint.arrived if checkpoint else 0
        self._live = LiveView(self._fleet, self.time_s, checkpoint.delay_veh_s if checkpoint else 0.0)
        self._unsafe_before = checkpoint.unsafe_states if checkpoint else 0
        if checkpoint and self.roadside:
            self.roadside.refused_requests = checkpoint.refused_requests
            self.roadside.local_only = checkpoint.local_only

    @property
    def ended(self) -> bool:
        """The window is over, or the delay index has reached its limit and the run was to stop there."""
        limit_reached = self._index is not None and self._index.reached_s is not None
        return self.time_s >= self.end_s - _ADVANCE_S or (self.options.stop_at_limit and limit_reached)

    @property
    def truths(self) -> dict[str, Truth]:
        """What became of the incidents of the options, by id."""
        return self._incidents.truths

    @property
    def refused_requests(self) -> int:
        return self.roadside.refused_requests if self.roadside else 0

    @property
    def unsafe_states(self) -> int:
        """Events that the independent observer has counted."""
        return self._unsafe_before + self.observer.count

    def step(self) -> None:
        """Advance one step: the controllers act, SUMO steps, the observer looks. Raises TwinError."""
        set_lamps, simulation = libsumo.trafficlight.setRedYellowGreenState, libsumo.simulation
        try:
            changes = self.roadside.act(self.time_s) if self.roadside is not None else []
            if self._incidents.busy:
                changes = self._incidents.changes(changes, self.time_s, self.roadside, self.observer)
            for row, lamps in changes:
                set_lamps(self._tls_ids[row], lamps)
            self._blocks.act(self.time_s)
            libsumo.simulationStep()
            self._look_at_lamps(self.time_s)
            self.time_s = simulation.getTime()
            departed, arrived = simulation.getDepartedIDList(), simulation.getArrivedIDList()
            self._departed += len(departed)
            self._arrived += len(arrived)
            self._fleet.moved(departed, arrived)
            if self.options.sample:
                self._probe.sample(self.time_s)
            if self._index is not None:
                self._index.step(departed, arrived, self.time_s)
            if self.options.track_live:
                self._live.follow(self.time_s)
            if self._frames_wanted and self.time_s >= self._frame_due_s - _ADVANCE_S:
                self._cameras.take(self.time_s)
                self._frame_due_s = self.time_s + self.options.frame_period_s
        except (libsumo.TraCIException, libsumo.FatalTraCIError) as error:
            raise TwinError(
                f"SUMO failed at {self.time_s:.0f} s: {error}",
                place=self.city.name,
                remedy="look into SUMO's log (TwinOptions.sumo_log)",
            ) from error

    def sense(self) -> list[Detections | SignalStates]:
        """What cameras and controllers deliver now: frames whose latency is over, and the lamps.

        Outside "central" cameras run from the first call on.
        """
        self._frames_wanted = True
        return [*self._cameras.deliver(self.time_s), self._signal_states()]

    def apply(self, requests: Sequence[Request]) -> list[Verdict]:
        """Hand requests to the controllers; their verdicts, in order. Raises ConfigurationError when
        SUMO runs the programs."""
        return self._need_roadside("requests").apply(requests, self.time_s)

    def heartbeat(self) -> None:
        """The centre is alive now (simulated time)."""
        if self.roadside is not None:
            self.roadside.heartbeat(self.time_s)

    def lose_centre(self) -> None:
        """The centre is silent by the wall clock: all controllers take their local plans now."""
        if self.roadside is not None:
            self.roadside.lose_centre(self.time_s)

    def set_program(self, program: str) -> None:
        """ "central" lets the controllers follow requests, "local" or "fixed" keeps them in their local
        plans. Other changes need a new Twin: raises ConfigurationError."""
        if program == self.options.program:
            if self.roadside is not None:
                self.roadside.local_only = False
            return
        if program not in ("local", "fixed"):
            raise ConfigurationError(
                f"a twin started with program {self.options.program!r} cannot change to {program!r}",
                place="Twin.set_program",
                remedy="restart the twin with that program",
            )
        roadside = self._need_roadside(f"program {program!r}")
        roadside.local_only = True
        roadside.lose_centre(self.time_s)

    def vehicle_frame(self) -> VehicleFrame:
        """True positions of all vehicles, for the live map."""
        return self._live.frame(self.time_s)

    def status(self) -> TwinStatus:
        """Counters from the start of the window. delay_veh_s and stopped are kept up each step with
        `track_live`, else delay is 0 and stopped the newest sample. run, paused, speed and measured_speed
        are the server's to fill in."""
        roadside = self.roadside
        local = roadside is not None and roadside.local_only
        return TwinStatus(
            time_s=self.time_s,
            begin_s=self.begin_s,
            end_s=self.end_s,
            run=0,
            paused=False,
            speed=0.0,
            measured_speed=0.0,
            program="fixed" if local else self.options.program,
            running=len(self._fleet.under_way),
            departed=self._departed,
            arrived=self._arrived,
            waiting_to_depart=len(libsumo.simulation.getPendingVehicles()),
            delay_veh_s=self._live.delay_veh_s,
            stopped=self._live.standing if self.options.track_live else self._probe.stopped,
            last_heartbeat_s=max(roadside.last_heartbeat_s, -1.0) if roadside else -1.0,
            local_junctions=roadside.local_junctions if roadside else 0,
            refused_requests=self.refused_requests,
            unsafe_states=self.unsafe_states,
        )

    def finish(self) -> RunMetrics:
        """Close SUMO and work out the figures of the run (of its part since the last resume)."""
        folder = self._folder
        if folder is None:
            raise TwinError("the twin is closed", remedy="call finish() once, instead of close()")
        try:
            libsumo.close()
            trips, safety = read_trips(folder / TRIPS_FILE), read_safety(folder / SAFETY_FILE)
            metrics = make_metrics(trips, safety, self._probe, self.refused_requests, self.unsafe_states)
            metrics = msgspec.structs.replace(metrics, unsafe=tuple(self.observer.kinds))
            metrics = without_standing(metrics) if self.options.mesoscopic else metrics
            return metrics if self._index is None else with_delay_index(metrics, self._index)
        finally:
            self.close()

    def close(self) -> None:
        """End SUMO and remove its temporary files; harmless when already closed."""
        if libsumo.isLoaded():
            libsumo.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def save(self, path: Path) -> None:
        """Write a checkpoint into the folder `path` (made where missing). A kill in between leaves the one
        before: the small file that names SUMO's state is replaced last. Raises TwinError."""
        memories = self.roadside.memories if self.roadside else {}
        state_file = f"sumo-{self.time_s:.3f}.xml.gz"
        checkpoint = Checkpoint(
            city=self.city.name,
            time_s=self.time_s,
            state_file=state_file,
            memories=memories,
            departed=self._departed,
            arrived=self._arrived,
            delay_veh_s=self._live.delay_veh_s,
            refused_requests=self.refused_requests,
            unsafe_states=self.unsafe_states,
            local_only=self.roadside.local_only if self.roadside else False,
        )
        try:
            path.mkdir(parents=True, exist_ok=True)
            libsumo.simulation.saveState(str(path / state_file))
            draft = path / "twin.json.part"
            draft.write_bytes(msgspec.json.encode(checkpoint))
            draft.replace(path / "twin.json")
            for old in path.glob("sumo-*.xml.gz"):
                if old.name != state_file:
                    old.unlink()
        except (OSError, libsumo.TraCIException) as error:
            raise TwinError(
                f"cannot write the checkpoint ({error})",
                place=str(path),
                remedy="see whether the folder is writable and the disk has room",
            ) from error

    def _look_at_lamps(self, time_s: float) -> None:
        """Read every lamp string out of SUMO; they held from time_s on."""
        read = _read_lamps
        for row, tls_id in enumerate(self._tls_ids):
            lamps = read(tls_id)
            if lamps != self._shown[row]:
                self._shown[row] = lamps
                self.observer.look(row, lamps, time_s)
                self._probe.saw_lamps(row, lamps, time_s)
                if self._program_view is not None:
                    self._program_view.saw_lamps(row, lamps, time_s)

    def _signal_states(self) -> SignalStates:
        if self.roadside is not None:
            return self._incidents.reported(self.roadside.states(self.time_s), self.city.signals)
        assert self._program_view is not None
        return self._program_view.states(self.time_s)

    def _need_roadside(self, what: str) -> Roadside:
        if self.roadside is None:
            raise ConfigurationError(
                f"{what}: SUMO runs the {self.options.program} program itself, there are no controllers",
                place="TwinOptions.program",
                remedy='start the twin with program "central"',
            )
        return self.roadside
