"""The twin as a process: steps at the asked speed, publishes what the street reports, obeys commands.

    python -m civicbrain.twin.server --city DIR --run-dir DIR [--seed N] [--speed X] [--warmup S] …

Each simulated second it publishes Detections, SignalStates and TwinStatus (in this order: the status closes
the frame), vehicle positions at most 5 times a wall second. How it paces itself stands in `pace.py`. When the
window ends it starts again (run + 1). A checkpoint is saved at the start and each 60 s of wall time; a
restarted process goes on from it, its controllers by way of STARTUP and LOCAL. During the warm-up (full
speed, local plans) only statuses and vehicles are published. It waits for nobody.
"""

from __future__ import annotations

import argparse
import math
import shutil
import signal
import tempfile
import time
from pathlib import Path

import msgspec
import structlog

from civicbrain.city.folder import load_city
from civicbrain.city.missions import VehiclePosition
from civicbrain.city.model import City
from civicbrain.city.observations import Detections
from civicbrain.contracts.transport import (
    TWIN_CMD,
    TWIN_PUB,
    answer,
    decode,
    open_publisher,
    open_responder,
    publish,
    receive,
)
from civicbrain.contracts.wire import (
    BUSES_TOPIC,
    DETECTIONS_TOPIC,
    ENDS_TOPIC,
    POSITIONS_TOPIC,
    SIGNALS_TOPIC,
    STATUS_TOPIC,
    VEHICLES_TOPIC,
    Reply,
    TwinCommand,
    TwinStatus,
)
from civicbrain.core.errors import CivicBrainError
from civicbrain.core.low_priority import JOB_NICE
from civicbrain.twin.buses import BusTraffic
from civicbrain.twin.checkpoints import Checkpoints
from civicbrain.twin.missions import MissionTraffic, MissionTrip, with_mission_types
from civicbrain.twin.options import SENSING, TwinOptions
from civicbrain.twin.pace import Pace
from civicbrain.twin.simulation import Twin
from civicbrain.twin.whatif.branch import BRANCH_FOLDER, Brancher
from civicbrain.twin.whatif.moments import Moments

VEHICLES_EVERY_S = 0.2
STATUS_EVERY_S = 1.0  # while paused
CHECKPOINT_EVERY_S = 60.0
WALL_WATCHDOG_S = 3.5
"""Silence of the centre in wall time after which the controllers take their local plans. Half a second less
than the 4 s that are promised, so that lamps and status have changed by then."""

_log = structlog.get_logger("civicbrain.twin")


class TwinServer:
    """One live twin. `serve` runs until `stop`."""

    def __init__(
        self,
        city: City,
        options: TwinOptions,
        run_dir: Path,
        speed: float,
        warmup_s: float,
        warmup_wall_s: float = math.inf,
    ) -> None:
        """warmup_s: simulated seconds of the warm-up; it is cut short after warmup_wall_s of wall time."""
        self.city, self.options = with_mission_types(city, run_dir), options
        self.missions = MissionTraffic(seed=options.seed)
        self.buses = BusTraffic(city, options.seed)
        self.warmup_s, self.warmup_wall_s = warmup_s, warmup_wall_s
        self.commands = open_responder(run_dir, TWIN_CMD)
        self.publisher = open_publisher(run_dir, TWIN_PUB)
        self.checkpoints = Checkpoints(run_dir)
        self.run_dir, self.brancher = run_dir, Brancher()
        self.moments, self._keeper = Moments(run_dir), Brancher(JOB_NICE)
        now = time.monotonic()
        self.pace = Pace(city.demand.step_s, options.watchdog_s, speed, now)
        self.run = 0
        self.stopping = False
        self._centre_alive = self._restart_asked = False
        self._centre = b""  # ZeroMQ's name for the connection of the centre
        self._vehicles_sent = self._status_sent = -math.inf
        self._saved = now
        resumed = self._resumed()
        if resumed is None:
            self.moments.forget()
        self.twin = resumed or self._fresh()
        self._save()

    def serve(self) -> None:
        """Step, publish and listen until told to stop."""
        while not self.stopping:
            now = time.monotonic()
            self.brancher.poll()
            self._watch_centre(now)
            wait_s = 0.0 if self._restart_asked else self.pace.wait_s(self.twin.time_s, now)
            if wait_s <= 0.0:
                self._step()
                self._listen(0.0)
            else:
                self._listen(min(wait_s, STATUS_EVERY_S / 4))
                if self.pace.paused and time.monotonic() - self._status_sent >= STATUS_EVERY_S:
                    self._publish_state(time.monotonic())
        _log.info("stopped", time_s=self.twin.time_s, run=self.run)

    def stop(self) -> None:
        self.stopping = True

    # -- the simulation

    def _fresh(self) -> Twin:
        twin = Twin(self.city, self.options)
        _log.info("started", city=self.city.name, time_s=twin.time_s, run=self.run, warmup_s=self.warmup_s)
        end_s, end = twin.time_s + self.warmup_s, time.monotonic() + self.warmup_wall_s
        self.twin = twin
        while twin.time_s < end_s and not twin.ended and not self.stopping:
            twin.step()
            now = time.monotonic()
            if now > end:
                _log.info("the warm-up is cut short", time_s=twin.time_s, wall_s=self.warmup_wall_s)
                break
            self.pace.stepped(twin.time_s, now)
            if now - self._status_sent >= VEHICLES_EVERY_S:
                self._publish_state(now)
                self._listen(0.0)
        twin.sense()  # the frames of the warm-up are old
        self.pace.restart(time.monotonic())
        return twin

    def _resumed(self) -> Twin | None:
        found = self.checkpoints.find(self.city.name, self.options.seed)
        if found is None:
            return None
        try:
            twin = Twin.resume(self.city, self.options, self.checkpoints.folder(found) / "state")
        except CivicBrainError as error:
            _log.error("the checkpoint does not load; the window starts again", reason=str(error))
            self.checkpoints.forget()
            return None
        self.run = found.run
        _log.info("resumed", time_s=twin.time_s, run=self.run, attempt=found.attempts + 1)
        return twin

    def _step(self) -> None:
        if self.twin.ended or self._restart_asked:
            self._start_again()
            return
        self.twin.step()
        now = time.monotonic()
        for datum in self.twin.sense():
            topic = DETECTIONS_TOPIC if isinstance(datum, Detections) else SIGNALS_TOPIC
            publish(self.publisher, topic, datum)
        self.missions.look(self.twin.time_s)
        for said in self.missions.sense(self.twin.time_s):
            publish(
                self.publisher, POSITIONS_TOPIC if isinstance(said, VehiclePosition) else ENDS_TOPIC, said
            )
        self.buses.look(self.twin.time_s)
        for position in self.buses.sense(self.twin.time_s):
            publish(self.publisher, BUSES_TOPIC, position)
        self.pace.stepped(self.twin.time_s, now)
        self._publish_state(now)
        if now - self._saved >= CHECKPOINT_EVERY_S:
            self._save()
        self._keep_moment(now)

    def _start_again(self) -> None:
        self._restart_asked = False
        metrics = self.twin.finish()
        _log.info("the window is over and starts again", run=self.run, mean_delay_s=metrics.mean_delay_s)
        self.run += 1
        self._centre_alive = False
        self.missions = MissionTraffic(seed=self.options.seed)
        self.buses = BusTraffic(self.city, self.options.seed)
        self.twin = self._fresh()
        self._save()

    def _save(self) -> None:
        self._saved = time.monotonic()
        try:
            folder = self.checkpoints.begin()
            self.twin.save(folder / "state")
            self.checkpoints.commit(
                folder, city=self.city.name, seed=self.options.seed, run=self.run, time_s=self.twin.time_s
            )
        except (OSError, CivicBrainError) as error:  # a full disk is no reason to stop the street
            _log.error("the checkpoint could not be saved; the one before is kept", reason=str(error))

    def _keep_moment(self, now: float) -> None:
        """A state for what-ifs from the past, written by a child of this process."""
        try:
            folder = self.moments.next_folder(self.run, self.twin.time_s, now)
            if folder is not None:
                self._keeper.start(self.twin, folder)
        except OSError as error:
            _log.error("a moment could not be kept", reason=str(error))

    def _watch_centre(self, now: float) -> None:
        """The watchdog by wall time; the one by simulated time stands in the controllers."""
        if self._centre_alive and now - self.pace.heard >= WALL_WATCHDOG_S:
            self._centre_alive = False
            self.twin.lose_centre()
            self._publish_state(now)
            _log.warning("the centre is silent: local plans", silent_s=round(now - self.pace.heard, 1))

    # -- messages

    def status(self) -> TwinStatus:
        """The twin's status with what only the process knows."""
        pace = self.pace
        return msgspec.structs.replace(
            self.twin.status(), run=self.run, paused=pace.paused, speed=pace.speed,
            measured_speed=pace.measured_speed(time.monotonic()),
        )  # fmt: skip

    def _publish_state(self, now: float) -> None:
        if now - self._vehicles_sent >= VEHICLES_EVERY_S:
            publish(self.publisher, VEHICLES_TOPIC, self.twin.vehicle_frame())
            self._vehicles_sent = now
        publish(self.publisher, STATUS_TOPIC, self.status())
        self._status_sent = now

    def _listen(self, timeout_s: float) -> None:
        if not self.commands.poll(math.ceil(timeout_s * 1000)):
            return
        for frames in receive(self.commands):
            try:
                command = decode(TwinCommand, frames[-1])
            except ValueError as error:
                reply = Reply(ok=False, error=f"not a twin command: {error}", kind="invalid")
            else:
                reply = self._obey(command, frames[0])
            answer(self.commands, frames, reply)

    def _hear_centre(self, sender: bytes) -> None:
        """A heartbeat. A centre that has started again knows nothing of what the one before asked for: the
        controllers go by way of their local plans, even when it was away for less than the watchdog."""
        now = time.monotonic()
        if self._centre_alive and sender != self._centre:
            _log.warning("another centre is heard: local plans until it asks")
            self.twin.lose_centre()
            self._publish_state(now)
        elif not self._centre_alive:
            _log.info("the centre is heard")
        self._centre_alive, self._centre = True, sender
        self.twin.heartbeat()
        self.pace.hear(self.twin.time_s, now)

    def _obey(self, command: TwinCommand, sender: bytes) -> Reply:
        now = time.monotonic()
        match command.action:
            case "heartbeat":
                self._hear_centre(sender)
                return Reply(ok=True)
            case "answered":
                self.pace.answer(command.value)
                return Reply(ok=True)
            case "apply":
                return Reply(ok=True, verdicts=tuple(self.twin.apply(command.requests)))
            case "pause" | "resume":
                self.pace.set_paused(command.action == "pause", now)
            case "speed":
                try:
                    self.pace.set_speed(command.value, now)
                except ValueError as error:
                    return Reply(ok=False, error=str(error), kind="invalid")
            case "program":
                try:
                    self.twin.set_program(command.text)
                except CivicBrainError as error:
                    return Reply(ok=False, error=str(error), kind="refused")
            case "mission-start" | "mission-cancel":
                return self._mission(command)
            case "branch":
                return self._branch(Path(command.text))
            case "restart":
                self._restart_asked = True
            case "status":
                pass
            case _:
                return Reply(ok=False, error=f"the twin does not know {command.action!r}", kind="invalid")
        status = self.status()
        if command.action != "status":
            _log.info("command", action=command.action, value=command.value, text=command.text)
            publish(self.publisher, STATUS_TOPIC, status)
        return Reply(ok=True, body=status)

    def _mission(self, command: TwinCommand) -> Reply:
        if command.action == "mission-cancel":
            self.missions.cancel(command.text)
            return Reply(ok=True)
        if command.mission is None:
            return Reply(ok=False, error="no mission to start", kind="invalid")
        try:
            self.missions.add(MissionTrip(command.mission, blue_light=command.value > 0.0))
        except CivicBrainError as error:
            return Reply(ok=False, error=str(error), kind="refused")
        return Reply(ok=True)

    def _branch(self, folder: Path) -> Reply:
        """Write the state for a what-if, into a folder inside the run folder."""
        root = (self.run_dir / BRANCH_FOLDER).absolute()
        if folder.parent.parent != root or ".." in folder.parts or folder.exists():
            return Reply(ok=False, error=f"a branch goes into a new folder below {root}", kind="invalid")
        start = time.monotonic()
        try:
            if not self.brancher.start(self.twin, folder):
                return Reply(ok=False, error="the state is just being taken; try again", kind="busy")
        except OSError as error:
            return Reply(ok=False, error=f"the twin cannot fork: {error}", kind="unavailable")
        pause_s = time.monotonic() - start
        _log.info("branched", time_s=self.twin.time_s, pause_ms=round(pause_s * 1000, 1))
        return Reply(ok=True, body={"time_s": self.twin.time_s, "pause_s": pause_s})

    def close(self) -> None:
        self.twin.close()
        self.commands.close()
        self.publisher.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="run a city's twin as a process")
    parser.add_argument("--city", type=Path, required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--warmup", type=float, default=0.0, metavar="S")
    parser.add_argument("--warmup-wall", type=float, default=math.inf, metavar="S")
    parser.add_argument("--sensing", choices=SENSING, default="camera")
    parser.add_argument("--coverage", type=float, default=1.0)
    parser.add_argument("--latency", type=float, default=0.5, metavar="S")
    parser.add_argument("--miss-rate", type=float, default=0.05)
    parser.add_argument("--range", type=float, default=150.0, metavar="M")
    parser.add_argument("--sees-inside", action="store_true", help="cameras see the box as well")
    options = parser.parse_args()
    city = load_city(options.city)
    # SUMO's own files of a run go where the next start clears them away, also after a kill
    scratch = options.run_dir / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    tempfile.tempdir = str(scratch)
    twin_options = TwinOptions(
        seed=options.seed, sensing=options.sensing, coverage=options.coverage,
        latency_s=options.latency, miss_rate=options.miss_rate, range_m=options.range,
        sees_inside=options.sees_inside,
        sumo_log=options.run_dir / "sumo.log", track_live=True, emissions=False,
    )  # fmt: skip
    server = TwinServer(
        city, twin_options, options.run_dir, options.speed, options.warmup, options.warmup_wall
    )
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    signal.signal(signal.SIGINT, lambda *_: server.stop())
    server.serve()
    server.close()
    shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
