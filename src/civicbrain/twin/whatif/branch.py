"""The state of a running twin, taken without stopping it.

SUMO writes its state in 0.4 s for 4,000 vehicles: too long for a street that is shown and controlled each
second. So the process forks: the child has the whole simulation as it was at that instant (pages are copied
when written to, as Redis does for its snapshots), writes it and ends; the parent has lost the time of the
fork. The child touches nothing but SUMO and files: no socket, no log, no exit handler.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import libsumo
import msgspec

from civicbrain.core.errors import TwinError
from civicbrain.core.low_priority import give_way
from civicbrain.twin.simulation import Twin
from civicbrain.twin.whatif.moments import DONE_FILE

BRANCH_FOLDER = "whatif"
"""Inside a run folder: one folder a what-if, and in it the state."""

TRAFFIC_FILE = "traffic.msgpack"
FAILED_FILE = "failed"
LONGEST_WRITE_S = 60
"""A child that takes longer is ended by its own alarm."""


class Stop(msgspec.Struct, frozen=True, array_like=True):
    """A stop still to come or held. bus_stop: "" for a stop on a lane, which then is a vehicle that blocks
    it."""

    bus_stop: str
    lane: str
    end_m: float
    duration_s: float
    until_s: float


class VehicleNow(msgspec.Struct, frozen=True, array_like=True):
    """edges: what is left of its route, the one it is on first (when inside a junction: the one it enters).
    lane: index on that edge; position_m: of the front, from the beginning of the edge. waiting: due, and not
    on the street yet."""

    id: str
    kind: str
    edges: tuple[str, ...]
    lane: int
    position_m: float
    speed_factor: float
    waiting: bool = False
    stops: tuple[Stop, ...] = ()


class Traffic(msgspec.Struct, frozen=True):
    """Everybody on the streets, or waiting to be let in, at time_s.

    edge_time_s: seconds that each edge takes now. lost_veh_s: time lost until now by those on the way."""

    city: str
    time_s: float
    seed: int
    vehicles: tuple[VehicleNow, ...]
    edge_time_s: dict[str, float]
    lost_veh_s: float = 0.0


def look_at_traffic(twin: Twin) -> Traffic:
    """Everybody in the simulation of this process."""
    vehicle = libsumo.vehicle
    waiting = set(libsumo.simulation.getPendingVehicles())
    found, lost_s = [], 0.0
    for name in (*vehicle.getIDList(), *sorted(waiting)):
        route, place = vehicle.getRoute(name), max(0, vehicle.getRouteIndex(name))
        is_waiting = name in waiting
        edges, lane, position_m = tuple(route[place:]), 0, 0.0
        if not is_waiting:
            lost_s += vehicle.getTimeLoss(name) + vehicle.getDepartDelay(name)
            if vehicle.getRoadID(name).startswith(":"):
                edges = edges[1:] or edges  # it has left its edge already
            else:
                lane, position_m = max(0, vehicle.getLaneIndex(name)), vehicle.getLanePosition(name)
        else:
            lost_s += vehicle.getDepartDelay(name)
        stops = tuple(
            Stop(stop.stoppingPlaceID, stop.lane, stop.endPos, stop.duration, stop.until)
            for stop in vehicle.getStops(name)
        )
        found.append(
            VehicleNow(
                name, vehicle.getTypeID(name), edges, lane, position_m,
                vehicle.getSpeedFactor(name), is_waiting, stops,
            )
        )  # fmt: skip
    times = {edge: libsumo.edge.getTraveltime(edge) for edge in twin.city.network.edges.ids}
    return Traffic(twin.city.name, twin.time_s, twin.options.seed, tuple(found), times, lost_s)


def write_branch(twin: Twin, folder: Path) -> None:
    """Write traffic and SUMO's own state into `folder`; the file `done` comes last. Raises TwinError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / TRAFFIC_FILE).write_bytes(msgspec.msgpack.encode(look_at_traffic(twin)))
        twin.save(folder)
        (folder / DONE_FILE).touch()
    except (OSError, libsumo.TraCIException) as error:
        raise TwinError(
            f"the state cannot be written ({error})",
            place=str(folder),
            remedy="see whether the folder is writable and the disk has room",
        ) from error


def read_traffic(folder: Path) -> Traffic:
    """What `write_branch` has written. Raises TwinError."""
    try:
        return msgspec.msgpack.decode((folder / TRAFFIC_FILE).read_bytes(), type=Traffic)
    except (OSError, msgspec.MsgspecError) as error:
        raise TwinError(
            f"no usable state of a twin ({error})", place=str(folder), remedy="take it again"
        ) from error


class Brancher:
    """Writes branches in the background, one at a time. nice: what it leaves to the twin and the others."""

    def __init__(self, nice: int = 5) -> None:
        self._child, self._nice = 0, nice
        self._folder = Path()

    def start(self, twin: Twin, folder: Path) -> bool:
        """Fork a child that writes the twin's state into `folder`; False while one is still at it. The
        child's file `done` says that it is whole, `failed` what went wrong."""
        if self.poll():
            return False
        child = os.fork()
        if child == 0:
            _write_and_end(twin, folder, self._nice)
        self._child, self._folder = child, folder
        return True

    def poll(self) -> bool:
        """Whether a child is still writing; clears away one that has ended, and says how where it could not.
        To be called now and then while one is at it."""
        if not self._child:
            return False
        try:
            done, status = os.waitpid(self._child, os.WNOHANG)
        except ChildProcessError:
            done, status = self._child, 0
        if done:
            self._child = 0
            if os.WIFSIGNALED(status):  # it could say nothing itself
                _say_failed(self._folder, f"its process was ended by {_name(os.WTERMSIG(status))}")
        return not done


def _write_and_end(twin: Twin, folder: Path, nice: int) -> None:
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.alarm(LONGEST_WRITE_S)
        give_way(nice)
        write_branch(twin, folder)
        code = 0
    except BaseException as error:  # nothing may run on in a copy of the twin
        _say_failed(folder, str(error))
    finally:
        os._exit(code)


def _say_failed(folder: Path, why: str) -> None:
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / FAILED_FILE).write_text(why)


def _name(number: int) -> str:
    why = {signal.SIGKILL: ", as when memory runs out", signal.SIGALRM: f" after {LONGEST_WRITE_S} s"}
    try:
        return signal.Signals(number).name + why.get(signal.Signals(number), "")
    except ValueError:
        return f"signal {number}"
