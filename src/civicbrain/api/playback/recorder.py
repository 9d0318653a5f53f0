"""Keeps the moving picture: a thread of its own beside the map, with sockets of its own.

It takes what the twin and the brain publish anyway, at most one frame a second of the city's clock, and
writes segments of a minute. Nobody waits for it: when the disk is slow or full the picture has a gap, and
says so. Of two API processes in one run folder one records (the lock on `playback/lock`); both show.
"""

from __future__ import annotations

import fcntl
import hashlib
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, TypeVar

import msgspec
import numpy as np
import structlog
import zmq

from civicbrain.api.frames import FrameEncoder
from civicbrain.api.playback.columns import Columns
from civicbrain.api.playback.raised import RaisedAlerts
from civicbrain.api.playback.segment import SEGMENT_S, Figures, Head, SegmentWriter
from civicbrain.api.playback.shelf import RESUMED_S, Shelf
from civicbrain.city.model import City
from civicbrain.city.observations import SignalStates
from civicbrain.contracts import wire
from civicbrain.contracts.transport import BRAIN_PUB, TWIN_PUB, decode, open_subscriber, receive

FOLDER = "playback"
EVERY_S = 1.0
TIDY_EVERY_S = 20.0
PAUSE_AFTER_FAULT_S = 5.0
_POLL_MS = 500
_SLACK_S = 0.01
T = TypeVar("T")

_log = structlog.get_logger("civicbrain.api")


def city_mark(city: City) -> str:
    """Tells whether rows and positions of a segment belong to this city."""
    what = [city.name, city.network.bounds_m, city.signals.group_count, [one.id for one in city.junctions]]
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()[:16]


@dataclass
class RecorderStatus:
    """recording: somebody records, this process or another. failed: frames that could not be written."""

    recording: bool = False
    frames: int = 0
    failed: int = 0
    odd: int = 0
    last_error: str = ""
    disk_bytes: int = 0


class FrameKeeper:
    """Writes frames as they come. keep_s: real seconds; most_bytes: of all segments."""

    def __init__(self, shelf: Shelf, keep_s: float, most_bytes: int, status: RecorderStatus) -> None:
        self.shelf, self.keep_s, self.most_bytes, self.status = shelf, keep_s, most_bytes, status
        self._writer: SegmentWriter | None = None
        runs = shelf.list_runs()
        self.run = runs[-1] if runs else 0
        self._newest_s = shelf.last_s(self.run) if runs else None
        self._first_s = 0.0
        self._number = max((one.number for one in shelf.list_segments(self.run)), default=0) if runs else 0
        self._retry_at = 0.0

    def wants(self, time_s: float) -> bool:
        """Whether a frame of that instant is due."""
        newest_s = self._newest_s
        return newest_s is None or time_s >= newest_s + EVERY_S - _SLACK_S or time_s < newest_s - _SLACK_S

    def add(self, columns: Columns, figures: Figures) -> None:
        """Write one frame. A disk that does not take it makes a gap, never an error."""
        now = time.monotonic()
        if now < self._retry_at:
            self.status.failed += 1
            return
        try:
            self._turn(columns.time_s)
            assert self._writer is not None
            self._writer.add(columns, figures)
            self.status.frames += 1
            self.status.last_error = ""
        except OSError as error:
            self.close()  # a half-written block ends its segment
            self.status.failed += 1
            self._retry_at = now + PAUSE_AFTER_FAULT_S
            if not self.status.last_error:
                _log.error("the moving picture cannot be kept", error=str(error))
            self.status.last_error = error.strerror or str(error)
        self._newest_s = columns.time_s

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def tidy(self) -> None:
        """Retention, and what the disk holds."""
        writing = self._writer.path if self._writer else None
        self.shelf.enforce(self.keep_s, self.most_bytes, time.time(), writing)
        self.status.disk_bytes = self.shelf.disk_bytes()

    def _turn(self, time_s: float) -> None:
        """A new segment when the minute is over or time went back; a new run when it went back far."""
        newest_s = self._newest_s
        back = newest_s is not None and time_s < newest_s - _SLACK_S
        if self.run == 0 or (back and newest_s is not None and time_s < newest_s - RESUMED_S):
            self.close()
            self.run, self._number = self.run + 1, 0
        if self._writer is not None and not back and time_s < self._first_s + SEGMENT_S - _SLACK_S:
            return
        self.close()
        self.tidy()
        self._number += 1
        self._first_s = time_s
        path = self.shelf.name(self.run, self._number, time_s)
        self._writer = SegmentWriter(path, Head(self.shelf.city, time.time()))


class Recorder:
    """The thread. `start` and `stop` are called with the application's."""

    def __init__(self, city: City, run_dir: Path, keep_hours: float, most_bytes: int) -> None:
        self.shelf = Shelf(run_dir / FOLDER, city_mark(city))
        self.status = RecorderStatus()
        self.keep_hours = keep_hours
        self._run_dir, self._most_bytes = run_dir, most_bytes
        self._encoder = FrameEncoder(city)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._signals: SignalStates | None = None
        self._state: wire.CityState | None = None
        self._measured = 0.0
        self._alerts = RaisedAlerts()

    def start(self) -> None:
        if self.keep_hours > 0:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _run(self) -> None:
        lock = None
        try:
            while not self._stopping.is_set() and (lock := self._lock()) is None:
                self._stopping.wait(1.0)
            if lock is not None:
                self._record()
        except Exception as error:
            self.status.last_error = str(error)
            _log.exception("the recorder ended; the city's present goes on without it")
        finally:
            self.status.recording = False
            if lock is not None:
                lock.close()

    def _lock(self) -> TextIO | None:
        folder = self.shelf.folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (folder / "lock").open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return file

    def _record(self) -> None:
        keeper = FrameKeeper(self.shelf, self.keep_hours * 3600.0, self._most_bytes, self.status)
        topics = [wire.VEHICLES_TOPIC, wire.STATUS_TOPIC, wire.SIGNALS_TOPIC]
        twin = open_subscriber(self._run_dir, TWIN_PUB, topics)
        brain = open_subscriber(self._run_dir, BRAIN_PUB, [wire.STATE_TOPIC, wire.ALERT_TOPIC])
        poller = zmq.Poller()
        poller.register(twin, zmq.POLLIN)
        poller.register(brain, zmq.POLLIN)
        keeper.tidy()
        self.status.recording = True
        tidied = time.monotonic()
        try:
            while not self._stopping.is_set():
                poller.poll(_POLL_MS)
                for topic, body in receive(brain):
                    self._take(topic, body)
                for topic, body in receive(twin):
                    if topic != wire.VEHICLES_TOPIC:
                        self._take(topic, body)
                    elif (vehicles := self._read(wire.VehicleFrame, body)) and keeper.wants(vehicles.time_s):
                        keeper.add(self._columns(vehicles), self._figures(vehicles.time_s))
                if time.monotonic() - tidied > TIDY_EVERY_S:
                    tidied = time.monotonic()
                    keeper.tidy()
        finally:
            keeper.close()
            twin.close()
            brain.close()

    def _take(self, topic: bytes, body: bytes) -> None:
        if topic == wire.SIGNALS_TOPIC:
            self._signals = self._read(SignalStates, body) or self._signals
        elif topic == wire.STATE_TOPIC:
            self._state = self._read(wire.CityState, body) or self._state
        elif topic == wire.STATUS_TOPIC:
            status = self._read(wire.TwinStatus, body)
            self._measured = 0.0 if status is None or status.paused else status.measured_speed
        elif topic == wire.ALERT_TOPIC and (alert := self._read(wire.Alert, body)):
            self._alerts.take(alert)

    def _read(self, kind: type[T], body: bytes) -> T | None:
        try:
            return decode(kind, body)
        except ValueError as error:
            self.status.odd += 1
            if self.status.odd == 1:
                _log.warning("a message was not recorded; further ones are only counted", reason=str(error))
            return None

    def _columns(self, vehicles: wire.VehicleFrame) -> Columns:
        """The frame with the controllers' own lamps, which are newer than the brain's word of them."""
        state, signals = self._state, self._signals
        if state is not None and abs(state.time_s - vehicles.time_s) > RESUMED_S:
            state = None  # of before the twin began again
        if state is not None and signals is not None and signals.time_s >= state.time_s:
            state = msgspec.structs.replace(
                state, group_lamp=wire.pack_array(signals.lamps), junction_mode=wire.pack_array(signals.mode),
                junction_stage=wire.pack_array(signals.stage),
            )  # fmt: skip
        return Columns.read(self._encoder.encode(0, vehicles, state, self._measured))

    def _figures(self, time_s: float) -> Figures:
        alerts = self._alerts.drain()
        state = self._state
        if state is None or abs(state.time_s - time_s) > RESUMED_S:
            return Figures(alerts=alerts)
        strip = state.indicators
        queue = wire.unpack_array(state.junction_queue_veh).astype(np.float64)
        return Figures(
            strip.vehicles, strip.stopped, _known(strip.mean_delay_s), _known(strip.throughput_veh_per_h),
            _known(float(np.nansum(queue))), alerts,
        )  # fmt: skip


def _known(value: float) -> float | None:
    return round(value, 2) if np.isfinite(value) else None
