"""Sockets between the three processes: Unix sockets in the run folder, and the message code.

Every socket drops rather than waits: LINGER 0 (closing never blocks), bounded queues (a slow subscriber
loses frames, the publisher goes on), and sends to a peer that is not there fail at once. ZeroMQ reconnects
by itself when a killed process is back. What travels stands in `wire.py`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import zmq

from civicbrain.city.missions import MissionEnd, VehiclePosition
from civicbrain.city.observations import Detections, SignalStates
from civicbrain.city.transit.buses import BusPosition
from civicbrain.contracts.plain import plain
from civicbrain.contracts.wire import (
    BUSES_TOPIC,
    DETECTIONS_TOPIC,
    ENDS_TOPIC,
    POSITIONS_TOPIC,
    SIGNALS_TOPIC,
    Reply,
    pack_columns,
    unpack_columns,
)
from civicbrain.core.errors import ServiceError

T = TypeVar("T")

TWIN_PUB, TWIN_CMD, BRAIN_PUB, BRAIN_CMD = "twin.pub", "twin.cmd", "brain.pub", "brain.cmd"
HISTORY_IN, HISTORY_CMD, HISTORY_PUB = "history.in", "history.cmd", "history.pub"
CASES_IN, CASES_CMD, CASES_PUB = "cases.in", "cases.cmd", "cases.pub"
INTAKE_CMD = "intake.cmd"
SOCKET_NAMES = (
    TWIN_PUB, TWIN_CMD, BRAIN_PUB, BRAIN_CMD, HISTORY_IN, HISTORY_CMD, HISTORY_PUB, INTAKE_CMD, CASES_IN,
    CASES_CMD, CASES_PUB,
)  # fmt: skip

LONGEST_SOCKET_PATH = 107  # sockaddr_un.sun_path holds 108 bytes with the closing zero (unix(7))
QUEUE_MESSAGES = 256
"""High-water mark of every socket. At three messages a step: over a minute of real time."""
LARGEST_MESSAGE_BYTES = 64 * 1024 * 1024
RECONNECT_MS, RECONNECT_MAX_MS = 50, 500


def socket_address(run_dir: Path, name: str) -> str:
    """The ZeroMQ address of one socket of a run folder; ServiceError where the path is too long for Unix."""
    path = (run_dir / name).absolute()
    if len(str(path).encode()) > LONGEST_SOCKET_PATH:
        raise ServiceError(
            f"the path of the socket is longer than {LONGEST_SOCKET_PATH} bytes",
            place=str(path),
            remedy="give a shorter folder with --run-dir",
        )
    return f"ipc://{path}"


def _socket(kind: int, messages: int = QUEUE_MESSAGES) -> zmq.Socket[bytes]:
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDHWM, messages)
    socket.setsockopt(zmq.RCVHWM, messages)
    socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE_BYTES)
    socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, RECONNECT_MAX_MS)
    return socket


def _bind(kind: int, run_dir: Path, name: str, messages: int = QUEUE_MESSAGES) -> zmq.Socket[bytes]:
    address = socket_address(run_dir, name)
    socket = _socket(kind, messages)
    try:
        socket.bind(address)
    except zmq.ZMQError as error:
        socket.close()
        raise ServiceError(
            f"cannot listen: {error}",
            place=str(run_dir / name),
            remedy="choose another folder with --run-dir",
        ) from error
    return socket


def open_publisher(run_dir: Path, name: str) -> zmq.Socket[bytes]:
    """A bound PUB socket. It never blocks: a subscriber whose queue is full loses the message."""
    return _bind(zmq.PUB, run_dir, name)


def open_responder(run_dir: Path, name: str, messages: int = QUEUE_MESSAGES) -> zmq.Socket[bytes]:
    """A bound ROUTER socket that holds at most `messages` of each client; an answer to a client that has gone
    is dropped."""
    return _bind(zmq.ROUTER, run_dir, name, messages)


def open_subscriber(run_dir: Path, name: str, topics: Sequence[bytes]) -> zmq.Socket[bytes]:
    """A SUB socket of some topics; it may be opened before the publisher is there."""
    socket = _socket(zmq.SUB)
    for topic in topics:
        socket.setsockopt(zmq.SUBSCRIBE, topic)
    socket.connect(socket_address(run_dir, name))
    return socket


def open_puller(run_dir: Path, name: str, messages: int) -> zmq.Socket[bytes]:
    """A bound PULL socket that holds at most `messages` that nobody has taken yet."""
    return _bind(zmq.PULL, run_dir, name, messages)


def open_pusher(run_dir: Path, name: str, messages: int) -> zmq.Socket[bytes]:
    """A PUSH socket: `push` says whether a message found room. Nothing waits for a process that is away."""
    socket = _socket(zmq.PUSH, messages)
    socket.setsockopt(zmq.IMMEDIATE, 1)
    socket.connect(socket_address(run_dir, name))
    return socket


def push(socket: zmq.Socket[bytes], topic: bytes, body: bytes) -> bool:
    """Send an encoded record; False where the other side is away or does not keep up. Never waits."""
    try:
        socket.send_multipart([topic, body], flags=zmq.NOBLOCK)
    except zmq.Again:
        return False
    return True


def ready_to_push(socket: zmq.Socket[bytes]) -> bool:
    """Whether `push` would find room now, to be asked before encoding something large."""
    return bool(socket.poll(0, zmq.POLLOUT))


def publish(socket: zmq.Socket[bytes], topic: bytes, record: Any) -> None:
    """Send one record under a topic."""
    with contextlib.suppress(zmq.Again):
        socket.send_multipart([topic, encode(record)], flags=zmq.NOBLOCK)


def receive(socket: zmq.Socket[bytes]) -> Iterator[list[bytes]]:
    """The frames of every message that lies ready; never waits."""
    while True:
        try:
            yield socket.recv_multipart(flags=zmq.NOBLOCK)
        except zmq.Again:
            return


def answer(socket: zmq.Socket[bytes], frames: Sequence[bytes], reply: Reply) -> None:
    """Send a reply back the way its command came (every frame but the last is the envelope)."""
    with contextlib.suppress(zmq.ZMQError):
        socket.send_multipart([*frames[:-1], encode(reply)], flags=zmq.NOBLOCK)


def encode(record: Any) -> bytes:
    """msgpack of a message of `wire.py`, of Detections, or of SignalStates."""
    if isinstance(record, (Detections, SignalStates)):
        record = pack_columns(record)
    return msgspec.msgpack.encode(record, enc_hook=plain)


def decode(kind: type[T], body: bytes) -> T:
    """Inverse of encode. Raises ValueError (msgspec's errors are) on anything that does not fit."""
    try:
        if kind in (Detections, SignalStates):
            return unpack_columns(kind, msgspec.msgpack.decode(body))
        return msgspec.msgpack.decode(body, type=kind)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a {kind.__name__}: {error!r}") from error


RECORD_OF_TOPIC: dict[bytes, type[Any]] = {
    DETECTIONS_TOPIC: Detections,
    SIGNALS_TOPIC: SignalStates,
    POSITIONS_TOPIC: VehiclePosition,
    ENDS_TOPIC: MissionEnd,
    BUSES_TOPIC: BusPosition,
}


class Client:
    """Asks one process and waits no longer than a time-out.

    A DEALER that sends REQ's envelope with a number of its own in front, so that an answer that comes too
    late is told apart and dropped. ZMQ_IMMEDIATE: nothing is queued for a process that is not there, so a
    process that comes back is not handed what was meant for the one before.
    """

    def __init__(self, run_dir: Path, name: str) -> None:
        self._socket = _socket(zmq.DEALER)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        self._socket.connect(socket_address(run_dir, name))
        self._name = name
        self._number = 0

    @property
    def socket(self) -> zmq.Socket[bytes]:
        """For who sends with `send` and takes the answers when they come."""
        return self._socket

    def send(self, command: msgspec.Struct) -> bytes | None:
        """Send without waiting for the answer; None where nobody is connected, else the message's number."""
        for _ in receive(self._socket):
            pass  # answers that nobody waits for any more
        return self.post(command)

    def post(self, command: msgspec.Struct) -> bytes | None:
        """As `send`, for who takes all answers by `answers`."""
        self._number += 1
        number = self._number.to_bytes(8, "big")
        try:
            self._socket.send_multipart([number, b"", encode(command)], flags=zmq.NOBLOCK)
        except zmq.Again:
            return None
        return number

    def answers(self) -> Iterator[tuple[bytes, Reply]]:
        """(number of the message, its answer) of all that lie ready; never waits."""
        for frames in receive(self._socket):
            try:
                yield frames[0], decode(Reply, frames[-1])
            except ValueError as error:
                yield frames[0], Reply(ok=False, error=f"{self._name}: {error}", kind="unavailable")

    def ask(self, command: msgspec.Struct, timeout_s: float) -> Reply:
        """The answer, or a Reply with ok False and kind "unavailable" when none comes in time."""
        end = time.monotonic() + timeout_s
        number = self.send(command)
        while number is None and self._socket.poll(_left_ms(end), zmq.POLLOUT):
            number = self.send(command)
        while number is not None and self._socket.poll(_left_ms(end), zmq.POLLIN):
            for frames in receive(self._socket):
                if frames[0] == number:
                    try:
                        return decode(Reply, frames[-1])
                    except ValueError as error:
                        return Reply(ok=False, error=f"{self._name}: {error}", kind="unavailable")
        return Reply(
            ok=False,
            error=f"{self._name} gave no answer within {timeout_s:g} s; it may be starting again: try again",
            kind="unavailable",
        )

    def close(self) -> None:
        self._socket.close()


def _left_ms(end: float) -> int:
    return max(0, int((end - time.monotonic()) * 1000))
