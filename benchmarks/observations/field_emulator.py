"""The field, made up: cameras that see vehicles drive along their lanes, controllers that obey.

    python field_emulator.py --city DIR --run-dir DIR --start T --key-file F --phases 1:60,10:20,1:30

A process of its own. Every camera sends frames of `vehicles` rows at `fps`, all out of step with one another;
gateways put the frames of 50 ms into one message and send it over the socket into which the API forwards
posts. A phase is a load (1 = every camera at its peak) and its seconds. Vehicles keep their lane and begin
again at its far end: for the load of the centre it matters where rows are, not where they go next.

Platform second = begin of the city + CLOCK_MONOTONIC - start, so the centre can tell when a frame was sent.
With --by http the gateways post to the API, with --by mqtt every camera publishes for itself.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import queue
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import zmq

from civicbrain.city.folder import load_city
from civicbrain.city.intake import Sources, encode_frames
from civicbrain.city.model import City
from civicbrain.city.observations import SignalStates
from civicbrain.city.signals import ControllerMode
from civicbrain.contracts.actuator import Outcome, Verdict
from civicbrain.contracts.brain import StageRequest
from civicbrain.contracts.transport import (
    INTAKE_CMD,
    TWIN_CMD,
    TWIN_PUB,
    answer,
    decode,
    open_publisher,
    open_responder,
    publish,
    receive,
    socket_address,
)
from civicbrain.contracts.wire import SIGNALS_TOPIC, STATUS_TOPIC, Reply, TwinCommand, TwinStatus

EVERY_S = 0.05
MESSAGE_FRAMES = 2_000
RANGE_M = 120.0


class Cameras:
    """s cameras with `vehicles` rows each, as arrays. due: (s,) when each has its next frame."""

    def __init__(self, city: City, fps: float, vehicles: int, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.sources = Sources(city)
        self.ids = np.array(self.sources.ids, dtype=object)
        count = len(self.ids)
        lanes = np.diff(self.sources.lane_start)[self.sources.view]
        self.fps, self.vehicles = fps, vehicles
        self.lane = (random.random((count, vehicles)) * lanes[:, None]).astype(np.uint8)
        self.distance_m = random.random((count, vehicles)).astype(np.float32) * RANGE_M
        self.speed_mps = np.maximum(0.0, random.normal(6.0, 5.0, (count, vehicles))).astype(np.float32)
        self.phase = random.random(count)
        self._epoch_unix_s = city.epoch.timestamp()
        self._sent = np.floor(self.phase)  # frames each camera has sent so far

    def frames(self, since_s: float, load: float, step_s: float) -> tuple[Any, int]:
        """Sources that have a frame now (again where the load asks for several), and how many frames."""
        self.distance_m -= self.speed_mps * step_s
        np.remainder(self.distance_m, RANGE_M, out=self.distance_m)
        due = np.floor(self.phase + since_s * self.fps * load)
        number = (due - self._sent).astype(np.int64)
        self._sent = due
        return np.repeat(np.arange(len(self.ids)), number), int(number.sum())

    def encode(self, rows: Any, time_s: Any, key: str) -> bytes:
        """One message: a frame for each of these source rows."""
        count = len(rows)
        return encode_frames(
            self.ids[rows].tolist(), self.lane[rows].ravel(), self.distance_m[rows].ravel(),
            self.speed_mps[rows].ravel(), rows=np.full(count, self.vehicles),
            time_s=time_s + self._epoch_unix_s, key=key,
        )  # fmt: skip


class Controllers:
    """Signal states each second, and a verdict for each request: the stage asked for is shown at once."""

    def __init__(self, city: City, run_dir: Path) -> None:
        self._city = city
        self._publisher = open_publisher(run_dir, TWIN_PUB)
        self.responder = open_responder(run_dir, TWIN_CMD)
        count = len(city.junctions)
        self._stage = np.zeros(count, np.int32)
        self._since_s = np.full(count, city.demand.begin_s, np.float32)
        self._lamps_since_s = np.full(city.signals.group_count, city.demand.begin_s, np.float32)
        self._heartbeat_s = 0.0
        self.requests = 0

    def speak(self, time_s: float) -> None:
        city = self._city
        shown = zip(city.junctions, self._stage.tolist(), strict=True)
        lamps = "".join(junction.stages[stage].lamps for junction, stage in shown)
        states = SignalStates(
            "emulator", time_s, np.frombuffer(lamps.encode(), np.uint8), self._lamps_since_s, self._stage,
            self._since_s, self._stage, np.full(len(self._stage), int(ControllerMode.CENTRAL), np.uint8),
        )  # fmt: skip
        publish(self._publisher, SIGNALS_TOPIC, states)
        demand = city.demand
        status = TwinStatus(
            time_s, demand.begin_s, demand.begin_s + 1e6, 0, False, 1.0, 1.0, "central", 0, 0, 0, 0, 0.0, 0,
            self._heartbeat_s, 0, 0, 0,
        )  # fmt: skip
        publish(self._publisher, STATUS_TOPIC, status)

    def obey(self, time_s: float) -> None:
        for frames in receive(self.responder):
            command = decode(TwinCommand, frames[-1])
            reply = Reply(ok=True)
            if command.action == "apply":
                reply = Reply(ok=True, verdicts=tuple(self._apply(one, time_s) for one in command.requests))
            self._heartbeat_s = time_s
            answer(self.responder, frames, reply)

    def _apply(self, request: Any, time_s: float) -> Verdict:
        self.requests += 1
        if isinstance(request, StageRequest):
            row = self._city.signals.row[request.junction]
            names = [stage.id for stage in self._city.junctions[row].stages]
            stage = names.index(request.stage)
            if stage != self._stage[row]:
                self._stage[row], self._since_s[row] = stage, time_s
        return Verdict(Outcome.ACCEPTED, "controller", "shown", "", time_s)


class SocketCarrier:
    """Into the socket that the API uses. refused: messages that found no room there (the API's 503)."""

    def __init__(self, run_dir: Path, key: str, _: str) -> None:
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDHWM, 16)
        self.socket.connect(socket_address(run_dir, INTAKE_CMD))
        self._key = key.encode()
        self.refused_rows = 0

    def send(self, body: bytes, rows: int) -> None:
        try:
            self.socket.send_multipart([b"", self._key, body], flags=zmq.NOBLOCK)
        except zmq.Again:
            self.refused_rows += rows
        for _ in receive(self.socket):
            pass


class HttpCarrier:
    """Posts to the API from two connections."""

    def __init__(self, _: Path, key: str, place: str) -> None:
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/msgpack"}
        self._waiting: queue.Queue[tuple[bytes, int]] = queue.Queue(maxsize=16)
        self.refused_rows = 0
        for _ in range(2):
            threading.Thread(target=self._post, args=(place,), daemon=True).start()

    def send(self, body: bytes, rows: int) -> None:
        try:
            self._waiting.put_nowait((body, rows))
        except queue.Full:
            self.refused_rows += rows

    def _post(self, place: str) -> None:
        connection = http.client.HTTPConnection(place, timeout=5)
        while True:
            body, rows = self._waiting.get()
            try:
                connection.request("POST", "/v1/observations", body, self._headers)
                response = connection.getresponse()
                response.read()
                if response.status != 202:
                    self.refused_rows += rows
            except OSError:
                self.refused_rows += rows
                connection.close()


class MqttCarrier:
    """Publishes with QoS 0 from a thread; one message a camera frame."""

    def __init__(self, _: Path, __: str, place: str) -> None:
        from gmqtt import Client

        self.refused_rows = 0
        host, _, port = place.partition(":")
        self._loop = asyncio.new_event_loop()
        self._client = Client("emulator")
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        connecting = self._client.connect(host, int(port))
        asyncio.run_coroutine_threadsafe(connecting, self._loop).result(10)

    def send_all(self, messages: list[tuple[str, bytes]]) -> None:
        def publish_all() -> None:
            for source, body in messages:
                self._client.publish(f"civicbrain/observations/{source}", body)

        self._loop.call_soon_threadsafe(publish_all)


CARRIERS = {"socket": SocketCarrier, "http": HttpCarrier, "mqtt": MqttCarrier}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", type=Path, required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--start", type=float, required=True, help="CLOCK_MONOTONIC of the first second")
    parser.add_argument("--phases", required=True, help="load:seconds,…")
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--vehicles", type=int, default=4)
    parser.add_argument("--by", choices=list(CARRIERS), default="socket")
    parser.add_argument("--place", default="", help="host:port of the API or the broker")
    parser.add_argument("--key-file", type=Path, required=True)
    options = parser.parse_args()
    city = load_city(options.city)
    controllers = Controllers(city, options.run_dir)
    cameras = Cameras(city, options.fps, options.vehicles)
    key = options.key_file.read_text().strip()
    carrier = CARRIERS[options.by](options.run_dir, key, options.place)
    begin_s = city.demand.begin_s - options.start
    phases = [tuple(map(float, phase.split(":"))) for phase in options.phases.split(",")]
    sent = [0.0] * len(phases)
    bounds: list[tuple[float, float]] = []
    late_s = 0.0
    poller = zmq.Poller()
    poller.register(controllers.responder, zmq.POLLIN)
    next_second = time.monotonic()
    for number, (load, seconds) in enumerate(phases):
        start = due = time.monotonic()
        cameras._sent = np.floor(cameras.phase)
        while (now := time.monotonic()) < start + seconds:
            if now >= next_second:
                next_second += 1.0
                controllers.speak(begin_s + now)
            if now >= due:
                late_s = max(late_s, now - due)
                due = max(due + EVERY_S, now)
                rows, count = cameras.frames(now - start, load, EVERY_S)
                sent[number] += count * cameras.vehicles
                send(cameras, carrier, rows, begin_s, key)
            controllers.obey(begin_s + now)
            left_s = min(due, next_second) - time.monotonic()
            poller.poll(max(0, int(left_s * 1000)))
        bounds.append((start, time.monotonic()))
    said = {
        "bounds": bounds,
        "sent_rows": sent, "refused_rows": carrier.refused_rows, "requests": controllers.requests,
        "late_ms": round(late_s * 1000, 1), "cpu_s": round(time.process_time(), 2),
    }  # fmt: skip
    print(json.dumps(said), flush=True)


def send(cameras: Cameras, carrier: Any, rows: Any, begin_s: float, key: str) -> None:
    """Cut into messages, each stamped as it leaves; several frames of one camera a microsecond apart."""
    if isinstance(carrier, MqttCarrier):
        now_s = begin_s + time.monotonic()
        one = [(cameras.ids[row], cameras.encode(rows[n : n + 1], np.array([now_s]), key))
               for n, row in enumerate(rows.tolist())]  # fmt: skip
        carrier.send_all(one)
        return
    for first in range(0, len(rows), MESSAGE_FRAMES):
        part = rows[first : first + MESSAGE_FRAMES]
        time_s = begin_s + time.monotonic() + 1e-6 * np.arange(len(part))
        carrier.send(cameras.encode(part, time_s, key), len(part) * cameras.vehicles)


if __name__ == "__main__":
    main()
