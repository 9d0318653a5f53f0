"""The child process in which one brain of a live city runs.

    python -m civicbrain.runtime.brain_process --fd N --room NAME --city DIR --seed N --options JSON

It loads the city itself, makes the brain, warms it up, and answers one snapshot at a time over the socket it
was given. It ends when that socket does, or with its parent.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import resource
import signal
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

from civicbrain.city.folder import load_city
from civicbrain.contracts.brain import Brain, BrainContext
from civicbrain.contracts.rooms import get_room
from civicbrain.contracts.snapshot_wire import unpack_snapshot
from civicbrain.core.errors import CivicBrainError
from civicbrain.runtime.brain_messages import (
    AFRESH,
    MAX_MESSAGE_BYTES,
    Failed,
    Ready,
    answered,
    encode,
    failure_text,
)
from civicbrain.runtime.health import check_advice

PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--room", required=True)
    parser.add_argument("--city", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--options", type=json.loads, default={})
    parser.add_argument("--memory-mb", type=int, default=0)
    parser.add_argument("--parent", type=int, default=0)
    arguments = parser.parse_args()
    _end_with_parent(arguments.parent)
    if arguments.memory_mb:
        most = arguments.memory_mb * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    pipe = Connection(arguments.fd)
    os.set_inheritable(arguments.fd, False)
    try:
        room = get_room("brains", arguments.room)
        context = BrainContext(load_city(arguments.city), arguments.seed, arguments.options, explain=True)
        brain = room.create_brain(context)
        from civicbrain.runtime.hosts import warm_up

        warm_up(room.create_brain, context)
        gc.freeze()  # city and tables stay: walking them took the collector 100 ms at 1,300 junctions
        pipe.send_bytes(encode(_ready(brain)))
    except CivicBrainError as error:
        pipe.send_bytes(encode(Failed(str(error), fatal=True)))
        return 2
    while True:
        try:
            data = pipe.recv_bytes(MAX_MESSAGE_BYTES)
        except (EOFError, OSError):
            return 0
        try:
            if data[:1] == AFRESH:
                brain = room.create_brain(context)
                message = encode(_ready(brain))
            else:
                message = _answer(brain, data[1:])
        except Exception as error:
            message = encode(Failed(failure_text(error)[:2000].encode("utf-8", "replace").decode()))
        pipe.send_bytes(message)


def _ready(brain: Brain) -> Ready:
    return Ready(brain.name, float(brain.cadence_s), float(brain.budget_s))


def _answer(brain: Brain, data: bytes) -> bytes:
    snapshot = unpack_snapshot(data)
    start = time.perf_counter()
    advice = check_advice(brain.advise(snapshot), brain.name)
    return encode(answered(advice, (time.perf_counter() - start) * 1000.0))


def _end_with_parent(parent: int) -> None:
    """Ask Linux to kill this process when its parent ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent and os.getppid() != parent:  # it ended before we asked
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
