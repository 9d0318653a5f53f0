"""A live city from the first check to the last child: what `civicbrain run` does."""

from __future__ import annotations

import signal
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from civicbrain.city.model import City
from civicbrain.contracts.rooms import get_control
from civicbrain.contracts.transport import BRAIN_PUB, TWIN_PUB, decode, open_subscriber, receive
from civicbrain.contracts.wire import STATE_TOPIC, STATUS_TOPIC, CityState, TwinStatus
from civicbrain.core.time import to_datetime
from civicbrain.runtime.rundir import LEDGER_FILE, RunDir, default_run_dir
from civicbrain.runtime.supervise import Child, Supervisor, check_port

CHECK_EVERY_S = 0.1
HUNG_AFTER_S = 30.0
"""A process that has worked and then publishes nothing for so long hangs. Twin and brain speak each second;
the longest pause of a healthy one, the twin's end of a window, takes seconds."""


@dataclass(frozen=True)
class LiveOptions:
    """speed: simulated seconds a wall second, 0 = as fast as it goes. warmup_s: simulated seconds."""

    control: str = "max-pressure"
    host: str = "127.0.0.1"
    port: int = 8080
    speed: float = 1.0
    warmup_s: float = 300.0
    seed: int = 0
    sensing: str = "camera"
    coverage: float = 1.0
    run_dir: Path | None = None


class Terminal:
    """What a person at the terminal reads: one line a fact, with the seconds since the start."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._start = time.monotonic()

    def say(self, name: str, text: str) -> None:
        seconds = time.monotonic() - self._start
        self._console.print(f"[dim]{seconds:6.1f} s[/dim]  [bold]{name:<6}[/bold]  ", end="")
        self._console.print(text, markup=False)


def run_live(source: str, options: LiveOptions) -> None:
    """Run a city until SIGINT or SIGTERM. Raises CivicBrainError for everything the reader can put right;
    the port and the control are checked before anything is imported or started."""
    terminal = Terminal()
    check_port(options.host, options.port)
    get_control(options.control)
    terminal.say("city", f"opening {source}")
    from civicbrain.twin.importing import resolve_scenario

    city = resolve_scenario(source)
    demand = city.demand
    terminal.say(
        "city",
        f"{city.name}: {len(city.junctions)} signal junctions, {len(city.network.lanes.ids)} lanes, "
        f"{_clock(city, demand.begin_s)} to {_clock(city, demand.end_s)}",
    )
    run_dir = RunDir(options.run_dir or default_run_dir(city.name))
    run_dir.clean()
    terminal.say("run", f"folder {run_dir.path} (ledger, logs, sockets)")
    stop = threading.Event()
    previous = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    supervisor = Supervisor(run_dir.path, _children(city, options, run_dir.path), terminal.say)
    try:
        terminal.say("run", "starting the twin (SUMO), the brain and the API, each in a process of its own")
        supervisor.start()
        _watch(city, options, supervisor, terminal, stop)
        terminal.say("run", "ending all processes")
    finally:
        supervisor.stop()
        run_dir.close()
        for number, handler in previous.items():
            signal.signal(number, handler)
    terminal.say("run", f"ended; the ledger stays: civicbrain ledger verify {run_dir.path / LEDGER_FILE}")


def _children(city: City, options: LiveOptions, run_dir: Path) -> list[Child]:
    place = ["--city", str(city.folder), "--run-dir", str(run_dir)]
    seed = ["--seed", str(options.seed)]
    twin = [
        *place, *seed, "--speed", str(options.speed), "--warmup", str(options.warmup_s),
        "--sensing", options.sensing, "--coverage", str(options.coverage),
    ]  # fmt: skip
    return [
        Child("twin", "civicbrain.twin.server", twin),
        Child("brain", "civicbrain.runtime.server", [*place, *seed, "--control", options.control]),
        Child("api", "civicbrain.api.server", [*place, "--host", options.host, "--port", str(options.port)]),
    ]


def _watch(
    city: City, options: LiveOptions, supervisor: Supervisor, terminal: Terminal, stop: threading.Event
) -> None:
    """Supervise until told to stop, and say once when each process works."""
    twin = open_subscriber(supervisor.run_dir, TWIN_PUB, [STATUS_TOPIC])
    brain = open_subscriber(supervisor.run_dir, BRAIN_PUB, [STATE_TOPIC])
    children = {child.name: child for child in supervisor.children}
    warming = options.warmup_s > 0
    announced = False
    heard = dict.fromkeys(("twin", "brain"), time.monotonic())
    try:
        while not stop.wait(CHECK_EVERY_S):
            supervisor.check()
            for frames in receive(twin):
                status = decode(TwinStatus, frames[-1])
                heard["twin"] = time.monotonic()
                if not children["twin"].ready:
                    children["twin"].ready = True
                    if warming:
                        terminal.say("twin", f"SUMO runs; warming up {options.warmup_s:g} s at full speed")
                if warming and status.time_s >= status.begin_s + options.warmup_s:
                    warming = False
                    terminal.say(
                        "twin", f"{_clock(city, status.time_s)}, {status.running} vehicles on the road"
                    )
            for frames in receive(brain):
                state = decode(CityState, frames[-1])
                heard["brain"] = time.monotonic()
                if not children["brain"].ready:
                    children["brain"].ready = True
                    terminal.say("brain", f"in the loop, control {state.control}")
            for name, last in heard.items():
                if (
                    children[name].ready
                    and time.monotonic() - max(last, children[name].started) > HUNG_AFTER_S
                ):
                    heard[name] = time.monotonic()
                    supervisor.restart(name, f"silent for {HUNG_AFTER_S:g} s")
            if not children["api"].ready and _answers(options.host, options.port):
                children["api"].ready = True
                terminal.say("api", "answers")
            if not announced and all(child.ready for child in supervisor.children) and not warming:
                announced = True
                terminal.say("run", f"control room: {_url(options)}   (Ctrl-C ends everything)")
                if options.host not in ("127.0.0.1", "::1", "localhost"):
                    terminal.say("run", f"open to others: the token stands in {supervisor.run_dir}")
    finally:
        twin.close()
        brain.close()


def _answers(host: str, port: int) -> bool:
    target = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared
    try:
        with socket.create_connection((target, port), timeout=0.2):
            return True
    except OSError:
        return False


def _url(options: LiveOptions) -> str:
    host = "localhost" if options.host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::") else options.host  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{options.port}"


def _clock(city: City, time_s: float) -> str:
    return to_datetime(city.epoch, time_s).strftime("%H:%M:%S")
