"""One future of a branch: with a change, sampled, in a process of its own (libsumo holds one simulation)."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import libsumo
import msgspec
import numpy as np

from civicbrain.city.model import City
from civicbrain.city.network import F64
from civicbrain.city.whatif import Change
from civicbrain.contracts.brain import PlanRequest, Priority
from civicbrain.core.errors import TwinError
from civicbrain.twin.missions import VEHICLE_PREFIX, with_mission_types
from civicbrain.twin.options import TwinOptions
from civicbrain.twin.simulation import Checkpoint, Twin
from civicbrain.twin.whatif.branch import Traffic, read_traffic
from civicbrain.twin.whatif.changes import Changes, narrowed, write_narrowed
from civicbrain.twin.whatif.detours import Detours
from civicbrain.twin.whatif.figures import FutureFigures
from civicbrain.twin.whatif.meso_state import read_types, write_meso_state

SAMPLE_S = 10.0
SERIES_S = 60.0
PLAN_EVERY_S, PLAN_VALID_S = 60.0, 130.0
DEPART_SPREAD_S = 20.0
"""Departures to come are each put off by up to this, drawn with the seed: nobody knows them to the second."""

MESO_SENSE_S = 3.0
"""Time between two decisions of a control in the mesoscopic model; cameras and brain are what costs there."""

_STATE_FILE = "meso.xml.gz"


class Future:
    """Opens SUMO in this process from the branch in `folder`. demand_factor: of the demand's draw, besides
    the change's own. senses: a control looks at cameras. Raises TwinError."""

    def __init__(
        self, city: City, folder: Path, change: Change, *, seed: int, horizon_s: float, mesoscopic: bool,
        senses: bool, demand_factor: float = 1.0,
    ) -> None:  # fmt: skip
        self.city, self._change, self._seed = city, change, seed
        self.traffic = read_traffic(folder)
        if self.traffic.city != city.name:
            raise TwinError(
                f"the state is of city {self.traffic.city!r}, not {city.name!r}", place=str(folder),
                remedy="name the city that it was taken from",
            )  # fmt: skip
        self._scratch = Path(tempfile.mkdtemp(prefix="civicbrain-whatif-"))
        begin_s = self.traffic.time_s
        self._mesoscopic = mesoscopic
        self._detours = Detours(city, change, self.traffic.edge_time_s, seed)
        self._diverted = 0
        options = TwinOptions(
            seed=seed, begin_s=begin_s, end_s=begin_s + horizon_s, mesoscopic=mesoscopic, emissions=False,
            sample=False, watchdog_s=60.0, sumo_log=self._scratch / "sumo.log",
            frame_period_s=MESO_SENSE_S if mesoscopic and senses else 1.0 if senses else 60.0,
        )  # fmt: skip
        self._edges = city.network.edges.ids
        start = city.network.edges.lane_start[:-1]
        self._limit_mps: F64 = np.maximum(city.network.lanes.speed_mps[start].astype(np.float64), 1.0)
        self._edge_veh_s: F64 = np.zeros(len(self._edges))
        self._series_s: list[float] = []
        self._queue: list[float] = []
        self._running: list[int] = []
        self._arrivals: list[int] = []
        self._lost_veh_h: list[float] = []
        self._steps, self._spent_veh_s = 0, 0.0
        self._plan_due_s = begin_s
        self._sample_due_s, self._series_due_s = begin_s + SAMPLE_S, begin_s + SERIES_S
        try:
            scale = demand_factor * change.demand_factor
            ready = self._prepare_city(city, scale)
            if mesoscopic:
                folder, ready = self._prepare_meso(ready, folder)
            self.twin = Twin.resume(ready, options, folder)
            self._changes = Changes(city, change, self.traffic, self._detours, mesoscopic=mesoscopic)
            self._count = self._before = self.twin.status()
            self._on_road = self._before.running
            self._changes.begin()
        except BaseException:
            self.close()
            raise

    def step(self) -> None:
        """One step of the simulation."""
        self._changes.act(self.twin.time_s)
        self.twin.step()
        self._steps += 1
        now_s, step_s = self.twin.time_s, self.twin.step_s
        simulation = libsumo.simulation
        # counted on: asking SUMO for the number takes 2 ms in the mesoscopic model
        self._on_road += simulation.getDepartedNumber() - simulation.getArrivedNumber()
        self._spent_veh_s += step_s * (self._on_road + len(simulation.getPendingVehicles()))
        if now_s >= self._sample_due_s - 1e-6:
            self._sample_due_s += SAMPLE_S
            self._sample(now_s)

    @property
    def ended(self) -> bool:
        return self.twin.ended

    @property
    def senses_now(self) -> bool:
        """Whether the control is asked after this step."""
        every = max(1, round(MESO_SENSE_S / self.twin.step_s)) if self._mesoscopic else 1
        return self._steps % every == 0

    def plan_requests(self) -> list[PlanRequest]:
        """Plans of the change, when they have to be asked for again."""
        now_s = self.twin.time_s
        if not self._change.plans or now_s < self._plan_due_s - 1e-6:
            return []
        self._plan_due_s = now_s + PLAN_EVERY_S
        return [
            PlanRequest(
                plan.junction, plan.durations_s, plan.offset_s, now_s, now_s + PLAN_VALID_S, brain="what-if",
                priority=Priority.OPERATOR, reason="what-if",
            )
            for plan in self._change.plans
        ]  # fmt: skip

    def finish(self) -> FutureFigures:
        """End the simulation; its figures."""
        self._count = self.twin.status()
        metrics = self.twin.finish()
        delay_veh_s = metrics.mean_delay_s * metrics.vehicles_due
        if not self._mesoscopic:  # there trips begin anew at the branch
            delay_veh_s -= self.traffic.lost_veh_s
        return FutureFigures(
            seed=self._seed, vehicles=metrics.vehicles_due, arrived=self._arrived, departed=self._departed,
            undeparted=metrics.undeparted, delay_veh_s=delay_veh_s, time_spent_veh_s=self._spent_veh_s,
            diverted=self._diverted + self._changes.diverted,
            series_time_s=tuple(self._series_s), queue_veh=tuple(self._queue),
            lost_veh_h=tuple(self._lost_veh_h),
            running=tuple(self._running), arrivals=tuple(self._arrivals),
            junction_delay_veh_s=tuple(np.round(self._by_junction(), 1).tolist()),
            edge_delay_veh_s=tuple(np.round(self._edge_veh_s, 1).tolist()),
        )  # fmt: skip

    def close(self) -> None:
        """End SUMO and remove what was written for it."""
        twin = getattr(self, "twin", None)
        if twin is not None:
            twin.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    # -- preparation

    def _prepare_city(self, city: City, scale: float) -> City:
        own = dict(city.demand.sumo_options)
        scale *= float(own.pop("scale", 1.0))
        if self._change.closures:  # routes not yet mended; `Changes` mends them as they set out
            own["ignore-route-errors"] = "true"
        own |= {"scale": f"{scale:.4f}", "random-depart-offset": f"{DEPART_SPREAD_S:g}"}
        demand = replace(city.demand, sumo_options=tuple(own.items()))
        return with_mission_types(replace(city, demand=demand), self._scratch)

    def _prepare_meso(self, city: City, folder: Path) -> tuple[Path, City]:
        vehicles = tuple(one for one in self.traffic.vehicles if not one.id.startswith(VEHICLE_PREFIX))
        traffic: Traffic = msgspec.structs.replace(self.traffic, vehicles=vehicles)
        if self._detours.concerns_anybody:
            traffic, self._diverted = self._detours.divert(traffic)
        kept = msgspec.json.decode((folder / "twin.json").read_bytes(), type=Checkpoint)
        types = read_types(folder / kept.state_file)
        blocked = write_meso_state(city, traffic, self._scratch / _STATE_FILE, types)
        kept = msgspec.structs.replace(kept, state_file=_STATE_FILE)
        (self._scratch / "twin.json").write_bytes(msgspec.json.encode(kept))
        left = narrowed(city, self._change, blocked)
        if left:
            network, more = write_narrowed(city, left, self._scratch)
            files = (*city.demand.additional_files, str(more))
            demand = replace(city.demand, net_file=str(network), additional_files=files)
            city = replace(city, demand=demand)
        return self._scratch, city

    @property
    def _arrived(self) -> int:
        return self._count.arrived - self._before.arrived

    @property
    def _departed(self) -> int:
        return self._count.departed - self._before.departed

    def _sample(self, now_s: float) -> None:
        edge = libsumo.edge
        count = np.fromiter(map(edge.getLastStepVehicleNumber, self._edges), np.float64, len(self._edges))
        speed = np.fromiter(map(edge.getLastStepMeanSpeed, self._edges), np.float64, len(self._edges))
        standing = count * np.clip(1.0 - speed / self._limit_mps, 0.0, 1.0)
        self._edge_veh_s += standing * SAMPLE_S
        self._count = self.twin.status()
        if now_s >= self._series_due_s - 1e-6:
            self._series_due_s += SERIES_S
            self._series_s.append(now_s)
            self._queue.append(round(float(standing.sum()), 1))
            self._running.append(self._count.running)
            self._arrivals.append(self._arrived)
            self._lost_veh_h.append(round(float(self._edge_veh_s.sum()) / 3600.0, 3))

    def _by_junction(self) -> F64:
        """Delay on the edges that each junction's camera sees; an edge counts for one junction."""
        cameras, lanes = self.city.cameras, self.city.network.lanes
        edge, first = np.unique(lanes.edge[cameras.lane], return_index=True)
        return np.bincount(cameras.junction[first], self._edge_veh_s[edge], len(self.city.junctions)).astype(
            np.float64
        )
